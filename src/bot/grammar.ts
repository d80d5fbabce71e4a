/**
 * The usage line of a command, compiled. Pure.
 *
 * | written | means |
 * |---|---|
 * | `deploy`, `(in\|to)` | a literal word, or one of several |
 * | `<service>` | an argument: one word, or several in quotation marks |
 * | `[version]`, `[in <environment>]` | an argument, or words with arguments, that may be left out |
 * | `<text...>`, `[text...]` | all the rest of the line |
 * | `[--dry-run]`, `[--since <since>]` | an option, anywhere in the line; `--since 7d` or `--since=7d` |
 * | `[from:<person>]` | a keyed argument, anywhere in the line |
 */

export type Element =
  | { readonly kind: 'literal'; readonly words: readonly string[] }
  | { readonly kind: 'argument'; readonly name: string; readonly rest: boolean }
  | { readonly kind: 'optional'; readonly elements: readonly Element[] };

/** An option or a keyed argument: found by its name, wherever it stands. */
export interface Keyed {
  /** As typed: `--dry-run`, `from:`. */
  readonly typed: string;
  /** As in the arguments: `dryRun`, `from`. */
  readonly name: string;
  readonly takesValue: boolean;
}

export interface Pattern {
  readonly usage: string;
  readonly elements: readonly Element[];
  readonly keyed: ReadonlyMap<string, Keyed>;
  readonly required: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  readonly hasRest: boolean;
}

const PART = /\[([^[\]]*)\]|<([A-Za-z][\w-]*)(\.\.\.)?>|\(([^()<>[\]]+)\)|([^\s[\]<>()]+)|(\S)/g;
const NAME = /^[A-Za-z][\w-]*$/;

/** Compiles a usage line. Throws an Error that says what is wrong with it. */
export function compileUsage(usage: string): Pattern {
  const keyed = new Map<string, Keyed>();
  const required = new Set<string>();
  const names = new Set<string>();

  function name(raw: string): string {
    const camel = raw.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    if (names.has(camel)) throw new Error(`the argument "${camel}" is named twice in "${usage}"`);
    names.add(camel);
    return camel;
  }

  function compile(text: string, optional: boolean): Element[] {
    const elements: Element[] = [];
    for (const part of text.matchAll(PART)) {
      const [whole, group, argument, rest, choice, word] = part;
      if (group !== undefined) {
        if (optional) throw new Error(`brackets inside brackets are not supported: "${usage}"`);
        const option = compileGroup(group);
        if (option) elements.push(option);
      } else if (argument !== undefined) {
        const camel = name(argument);
        if (!optional) required.add(camel);
        elements.push({ kind: 'argument', name: camel, rest: rest !== undefined });
      } else if (choice !== undefined || word !== undefined) {
        const words = (choice ?? word ?? '').split('|').map((each) => each.trim().toLowerCase());
        if (words.some((each) => each === '' || /\s/.test(each))) throw new Error(`empty alternative in "${usage}"`);
        elements.push({ kind: 'literal', words });
      } else {
        throw new Error(`"${whole}" is not expected in "${usage}"`);
      }
    }
    return elements;
  }

  function compileGroup(group: string): Element | undefined {
    const option = /^(--[a-z][\w-]*)(?:[ =]<[\w-]+>)?$/i.exec(group);
    if (option?.[1] !== undefined) {
      keyed.set(option[1].toLowerCase(), {
        typed: option[1],
        name: name(option[1].slice(2)),
        takesValue: group.includes('<'),
      });
      return undefined;
    }
    const key = /^([a-z]\w*:)<[\w-]+>$/i.exec(group);
    if (key?.[1] !== undefined) {
      keyed.set(key[1].toLowerCase(), { typed: key[1], name: name(key[1].slice(0, -1)), takesValue: true });
      return undefined;
    }
    const bare = group.replace(/\.\.\.$/, '');
    if (NAME.test(bare)) {
      return { kind: 'optional', elements: [{ kind: 'argument', name: name(bare), rest: bare !== group }] };
    }
    return { kind: 'optional', elements: compile(group, true) };
  }

  const elements = compile(usage, false);
  if (elements[0]?.kind !== 'literal') throw new Error(`"${usage}" must start with a literal word`);
  const rests = flatten(elements).filter((element) => element.kind === 'argument' && element.rest);
  const last = flatten(elements).at(-1);
  if (rests.length > 1 || (rests.length === 1 && rests[0] !== last)) {
    throw new Error(`only the last argument may take the rest of the line: "${usage}"`);
  }
  return { usage, elements, keyed, required, names, hasRest: rests.length === 1 };
}

function flatten(elements: readonly Element[]): Element[] {
  return elements.flatMap((element) => (element.kind === 'optional' ? flatten(element.elements) : [element]));
}

/** The literal words that every match starts with, in all their alternatives: `[['alerts'], ['ack', 'acknowledge']]`. */
export function leadingWords(pattern: Pattern): readonly (readonly string[])[] {
  const words: (readonly string[])[] = [];
  for (const element of pattern.elements) {
    if (element.kind !== 'literal') break;
    words.push(element.words);
  }
  return words;
}
