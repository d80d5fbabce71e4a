/**
 * What somebody types to find something, understood. Never fails on punctuation: whatever is no filter is text.
 *
 * | typed | finds |
 * |---|---|
 * | `timeout payments-api` | both, in any order; the beginning of a word is enough |
 * | `"connection refused"` | exactly this |
 * | `-staging`, `-"dry run"` | nothing with it |
 * | `from:alice`, `from:me` | said by that person |
 * | `in:ops` | said in that room |
 * | `since:7d`, `until:2026-11-01` | said in that time; `yesterday`, `14:30` and weekdays too, in UTC |
 * | `page:2` | what comes after the first page |
 */

import { foldName, foldText, readable } from './fold.ts';
import { compounds, LEXEME_LENGTH } from './lexemes.ts';
import { moment } from './moment.ts';
import type { QueryProblem, SearchFilters, SearchTerm } from './ports.ts';

const MOST_TERMS = 16;
const QUERY_LENGTH = 1000;

export interface Query {
  readonly all: readonly SearchTerm[];
  readonly none: readonly { readonly lexeme?: string; readonly contains?: string }[];
  /** What was looked for, folded, in the order typed: for ranking and for marking matches. */
  readonly wanted: readonly string[];
  readonly from: readonly string[];
  readonly rooms: readonly string[];
  readonly since?: Date;
  readonly until?: Date;
  /** From 1. */
  readonly page: number;
}

export type ParsedQuery =
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'unclear'; readonly problem: QueryProblem };

const QUOTES = '"\u201c\u201d\u201e\u00ab\u00bb';
const WORD = new RegExp(
  `(?<minus>(?<=^|\\s)[-\u2013\u2212](?=\\S))?(?:(?<key>from|by|in|since|after|until|before|page):(?=\\S))?(?:[${QUOTES}](?<phrase>[^${QUOTES}]*)(?:[${QUOTES}]|$)|(?<word>[^\\s${QUOTES}]+))`,
  'giu',
);

/**
 * @param now what `7d` counts back from
 * @param self person id that `from:me` stands for
 */
export function parseQuery(typed: string, now: Date, self: string, filters: SearchFilters = {}): ParsedQuery {
  const all: SearchTerm[] = [];
  const none: { lexeme?: string; contains?: string }[] = [];
  const wanted: string[] = [];
  const from: string[] = [];
  const rooms: string[] = [];
  let { since, until, page = 1 } = filters;
  if (filters.from !== undefined) addPerson(filters.from);
  if (filters.in !== undefined) addRoom(filters.in);
  for (const match of typed.slice(0, QUERY_LENGTH).replaceAll('\0', ' ').toWellFormed().matchAll(WORD)) {
    const { minus, key, phrase, word } = match.groups ?? {};
    const text = phrase ?? word ?? '';
    const filter = minus === undefined ? key?.toLowerCase() : undefined;
    if (filter === undefined) {
      const whole = key === undefined ? text : `${key}:${text}`;
      if (minus === undefined) addTerm(whole, phrase !== undefined);
      else exclude(whole, phrase !== undefined);
    } else if (filter === 'from' || filter === 'by') {
      addPerson(text);
    } else if (filter === 'in') {
      addRoom(text);
    } else if (filter === 'page') {
      page = Math.min(Math.max(Math.trunc(Number(text)) || 1, 1), 1000);
    } else {
      const side = filter === 'since' || filter === 'after' ? 'since' : 'until';
      const at = moment(text, now);
      if (!at) return { kind: 'unclear', problem: { kind: 'bad-time', filter: side, value: text } };
      if (side === 'since') since = at;
      else until = at;
    }
  }
  if (!all.length && !from.length && !rooms.length && !since && !until) {
    return { kind: 'unclear', problem: { kind: 'empty' } };
  }
  return {
    kind: 'query',
    query: { all, none, wanted, from, rooms, page, ...(since && { since }), ...(until && { until }) },
  };

  function addPerson(typed: string): void {
    const name = foldName(typed);
    if (name === 'me' || name === 'myself') from.push(self.toLowerCase());
    else if (name) from.push(name);
  }

  function addRoom(typed: string): void {
    const name = foldName(typed);
    if (name) rooms.push(name);
  }

  function addTerm(text: string, quoted: boolean): void {
    const said = quoted ? text : withoutEdges(text);
    const folded = foldText(readable(said));
    if (!folded || all.length >= MOST_TERMS) return;
    const parts = compounds(readable(said)).map((part) => part.toLowerCase());
    const [only] = parts;
    const exact = parts.length === 1 && only === folded && folded.length <= LEXEME_LENGTH;
    const prefixes = [...new Set(parts.map((part) => part.slice(0, LEXEME_LENGTH)))].slice(0, MOST_TERMS);
    all.push({ prefixes, ...(!exact && { contains: folded }) });
    wanted.push(folded);
  }

  function exclude(text: string, quoted: boolean): void {
    const said = quoted ? text : withoutEdges(text);
    const folded = foldText(readable(said));
    if (!folded || none.length >= MOST_TERMS) return;
    const [only, second] = compounds(readable(said)).map((part) => part.toLowerCase());
    if (only !== undefined && second === undefined && only === folded && only.length <= LEXEME_LENGTH) {
      none.push({ lexeme: only });
    } else none.push({ contains: folded });
  }
}

/** Marks around a word are the sentence's, not the word's. */
function withoutEdges(text: string): string {
  const inner = text.replace(/^[('[{¿¡]+/u, '').replace(/[,;!?)\]}'…]+$|(?<=\w)[.:]+$/u, '');
  return inner || text;
}
