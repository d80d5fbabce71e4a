/** Does a line fit a usage? Pure; says what is missing or too much when it does not. */

import type { Element, Keyed, Pattern } from './grammar.ts';
import type { Token } from './tokens.ts';

/** Arguments as typed, by name; an option without a value is `true`. */
export type RawValues = ReadonlyMap<string, string | true>;

export type Mismatch =
  | { readonly kind: 'missing'; readonly what: string; readonly depth: number }
  /** `expected`: the word that belongs there; undefined if nothing does, or a value. */
  | { readonly kind: 'excess'; readonly what: string; readonly expected: string | undefined; readonly depth: number }
  | { readonly kind: 'flag'; readonly what: string; readonly depth: number };

export type Match = { readonly kind: 'match'; readonly candidates: readonly RawValues[] } | Mismatch;

/** More readings of one line than this are not looked at. */
const MOST_READINGS = 32;

/**
 * All readings of a line, likeliest first: a line may be read in several ways where arguments are optional, and only
 * their values can tell which is meant.
 */
export function matchLine(pattern: Pattern, text: string, tokens: readonly Token[]): Match {
  const keyed = takeKeyed(pattern, tokens);
  if ('kind' in keyed) return keyed;
  return matchWords(pattern, text, keyed);
}

function matchWords(pattern: Pattern, text: string, keyed: Taken): Match {
  const candidates: RawValues[] = [];
  let furthest = -1;
  let expected = '';
  let word: string | undefined;

  /** Remembers how far a reading got, and what it still lacked there. Readings without optional words come last and win. */
  function note(at: number, lacking: readonly Element[]): void {
    if (at < furthest) return;
    furthest = at;
    expected = lacking.map(describe).filter(Boolean).join(' ');
    const [next] = lacking;
    word = next?.kind === 'literal' ? describe(next) : undefined;
  }

  function walk(elements: readonly Element[], at: number, values: readonly (readonly [string, string])[]): void {
    if (candidates.length >= MOST_READINGS) return;
    const [element, ...rest] = elements;
    const token = keyed.rest[at];
    if (!element) {
      if (token) note(at, []);
      else candidates.push(new Map([...keyed.values, ...values]));
      return;
    }
    switch (element.kind) {
      case 'literal':
        if (token && !token.quoted && element.words.includes(token.text.toLowerCase())) walk(rest, at + 1, values);
        else note(at, elements);
        return;
      case 'argument':
        if (!token) note(at, elements);
        else if (element.rest)
          walk(rest, keyed.rest.length, [...values, [element.name, restOfLine(text, keyed.rest, at)]]);
        else walk(rest, at + 1, [...values, [element.name, token.text]]);
        return;
      default:
        walk([...element.elements, ...rest], at, values);
        walk(rest, at, values);
    }
  }

  walk(pattern.elements, 0, []);
  if (candidates.length > 0) return { kind: 'match', candidates };
  const stuck = keyed.rest[furthest];
  if (stuck) return { kind: 'excess', what: stuck.text, expected: word, depth: furthest };
  return { kind: 'missing', what: expected, depth: furthest };
}

/** A required element as a person reads it; nothing for one that may be left out. */
function describe(element: Element): string {
  if (element.kind === 'literal') return element.words.map((word) => `\`${word}\``).join(' or ');
  return element.kind === 'argument' ? `\`<${element.name}>\`` : '';
}

function restOfLine(text: string, tokens: readonly Token[], at: number): string {
  const [first, last] = [tokens[at], tokens.at(-1)];
  if (!first || !last) return '';
  if (first === last) return first.text;
  const kept = tokens.slice(at);
  const gapless = kept.every((token, index) => {
    const next = kept[index + 1];
    return next === undefined || text.slice(token.end, next.start).trim() === '';
  });
  if (gapless) return text.slice(first.start, last.end);
  return kept.map((token) => text.slice(token.start, token.end)).join(' ');
}

interface Taken {
  readonly values: readonly (readonly [string, string | true])[];
  readonly rest: readonly Token[];
}

/** Takes the options and keyed arguments out of the line, wherever they stand. */
function takeKeyed(pattern: Pattern, tokens: readonly Token[]): Taken | Mismatch {
  const values: [string, string | true][] = [];
  const rest: Token[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) break;
    const found = findKeyed(pattern, token.text);
    if (!found) {
      if (/^--[A-Za-z]/.test(token.text) && !token.quoted && !pattern.hasRest) {
        return { kind: 'flag', what: token.text, depth: at };
      }
      rest.push(token);
      continue;
    }
    const { keyed, value } = found;
    if (!keyed.takesValue) {
      values.push([keyed.name, value ?? true]);
    } else if (value !== undefined && value !== '') {
      values.push([keyed.name, value]);
    } else {
      const next = tokens[++at];
      if (!next) return { kind: 'missing', what: `a value for \`${keyed.typed}\``, depth: at };
      values.push([keyed.name, next.text]);
    }
  }
  return { values, rest };
}

/** The option or keyed argument that a word begins, with the value that is in the word itself. */
export function findKeyed(pattern: Pattern, word: string): { keyed: Keyed; value: string | undefined } | undefined {
  if (pattern.keyed.size === 0) return undefined;
  const split = /^(--[A-Za-z][\w-]*)(?:=([\s\S]*))?$|^([A-Za-z]\w*:)([\s\S]*)$/.exec(word);
  const typed = split?.[1] ?? split?.[3];
  if (typed === undefined) return undefined;
  const keyed = pattern.keyed.get(typed.toLowerCase());
  return keyed && { keyed, value: split?.[2] ?? split?.[4] };
}
