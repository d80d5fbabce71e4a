/** What can be typed next: words of commands that the person may run, then values of arguments. */

import type { Access } from './access.ts';
import type { ArgContext } from './args.ts';
import type { Command } from './command.ts';
import { type Element, type Keyed, leadingWords, type Pattern } from './grammar.ts';
import { visibleCommands } from './help.ts';
import { findKeyed } from './match.ts';
import type { CommandTable } from './table.ts';
import { normalise, tokenise } from './tokens.ts';

export interface Suggestion {
  /** The whole line with the suggestion in it. */
  readonly text: string;
  /** The part that was added or completed. */
  readonly label: string;
  /** What the command does, or what kind of value it is. */
  readonly hint: string;
}

/** More than these are not shown. */
const MOST_SUGGESTIONS = 8;

/** Suggestions for a line that is being typed, in the order in which the commands were declared. */
export async function complete(
  table: CommandTable,
  access: Access,
  typed: string,
  context: ArgContext,
): Promise<readonly Suggestion[]> {
  const slash = /^\s*\/(?=[a-z])/i.exec(typed)?.[0];
  if (slash !== undefined) {
    const found = await complete(table, access, typed.slice(slash.length), context);
    return found.map((suggestion) => ({ ...suggestion, text: `/${suggestion.text}` }));
  }
  const words = tokenise(normalise(typed)).map((token) => token.text);
  const last = typed === '' || /\s$/.test(typed) ? '' : (words.pop() ?? '');
  const commands = await visibleCommands(table.all(), context.person, access);
  const found = new Map<string, Suggestion>();
  for (const command of commands) {
    for (const pattern of command.patterns) {
      for (const { value, hint } of await nextIn(command, pattern, words, last, context)) {
        if (!bare(value).startsWith(bare(last)) || value === last) continue;
        const line = [...words, value].map(quotedIfNeeded).join(' ');
        if (!found.has(line)) found.set(line, { text: line, label: value, hint });
      }
    }
  }
  return [...found.values()].slice(0, MOST_SUGGESTIONS);
}

interface Offer {
  readonly value: string;
  readonly hint: string;
}

/** Values for the word that is being typed: of the key before it or in it, else words, positional values and unused keys. */
async function nextIn(
  command: Command,
  pattern: Pattern,
  words: readonly string[],
  last: string,
  context: ArgContext,
): Promise<Offer[]> {
  const { rest, used, open } = withoutKeyed(pattern, words);
  const { fits, next } = nextElements(pattern, rest);
  // Keys follow the words that name the command.
  const isNamed = rest.length >= leadingWords(pattern).length;
  if (!fits || (used.size > 0 && !isNamed)) return [];
  const offers = async (name: string, before = ''): Promise<Offer[]> =>
    (await valuesOf(name, command, context)).map((value) => ({ value: before + value, hint: name }));
  if (open) return await offers(open.name);
  const typed = /^(--[a-z][\w-]*)=|^([a-z]\w*:)/i.exec(last);
  const keyed = typed && pattern.keyed.get((typed[1] ?? typed[2] ?? '').toLowerCase());
  if (typed && keyed?.takesValue && isNamed) return used.has(keyed) ? [] : await offers(keyed.name, typed[0]);
  const found: Offer[] = [];
  for (const element of next) {
    if (element.kind === 'argument') found.push(...(await offers(element.name)));
    else if (element.kind === 'literal')
      found.push(...element.words.map((value) => ({ value, hint: `${command.usage} — ${command.summary}` })));
  }
  // In the middle of free text a key is offered to who begins to type it.
  if (!isNamed || (last === '' && next.length === 0 && pattern.hasRest)) return found;
  for (const each of pattern.keyed.values()) {
    if (!used.has(each)) found.push({ value: each.typed, hint: command.usage });
  }
  return found;
}

interface Typed {
  readonly rest: readonly string[];
  readonly used: ReadonlySet<Keyed>;
  /** The key whose value comes next. */
  readonly open: Keyed | undefined;
}

/** The words without options and keyed arguments. */
function withoutKeyed(pattern: Pattern, words: readonly string[]): Typed {
  const rest: string[] = [];
  const used = new Set<Keyed>();
  let open: Keyed | undefined;
  for (const word of words) {
    if (open) {
      open = undefined;
      continue;
    }
    const found = findKeyed(pattern, word);
    if (!found) {
      rest.push(word);
      continue;
    }
    used.add(found.keyed);
    if (found.keyed.takesValue && !found.value) open = found.keyed;
  }
  return { rest, used, open };
}

/** Elements that can stand after these words, and whether the words fit so far. */
function nextElements(pattern: Pattern, words: readonly string[]): { fits: boolean; next: readonly Element[] } {
  const next: Element[] = [];
  let fits = false;
  function walk(elements: readonly Element[], at: number): void {
    const [element, ...rest] = elements;
    const word = words[at];
    if (!element) {
      if (word === undefined) fits = true;
      return;
    }
    if (element.kind === 'optional') {
      // A word that stands for what comes after the optional part is hardly meant as the optional part.
      const [after] = rest;
      const isNext = word !== undefined && after?.kind === 'literal' && after.words.includes(word.toLowerCase());
      if (!isNext) walk([...element.elements, ...rest], at);
      walk(rest, at);
      return;
    }
    if (word === undefined) {
      next.push(element);
      fits = true;
    } else if (element.kind === 'argument' && element.rest) fits = true;
    else if (element.kind === 'argument' || element.words.includes(word.toLowerCase())) walk(rest, at + 1);
  }
  walk(pattern.elements, 0);
  return { fits, next };
}

async function valuesOf(name: string, command: Command, context: ArgContext): Promise<readonly string[]> {
  return (await command.args[name]?.values?.(context)) ?? [];
}

/** People type `al` and `from:al` for `@alice`. */
function bare(word: string): string {
  return word.toLowerCase().replace(/(^|[:=])[@#]/, '$1');
}

/** Quotation marks hold a value together, and after a key only the value. */
function quotedIfNeeded(word: string): string {
  if (!/\s/.test(word)) return word;
  const [, key = '', value = word] = /^(--[a-z][\w-]*=|[a-z]\w*:)(?=\S)([\s\S]*)$/i.exec(word) ?? [];
  return `${key}"${value}"`;
}
