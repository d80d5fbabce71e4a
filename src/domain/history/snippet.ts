/** The part of a message that shows why it was found. */

import { foldText, readable } from './fold.ts';

const LENGTH = 160;
const BEFORE = 50;

/**
 * One line of Markdown around the first match, matches in bold.
 *
 * @param escape makes Markdown that shows exactly the text it is given
 */
export function snippet(text: string, wanted: readonly string[], escape: (text: string) => string): string {
  const line = readable(text)
    .replace(/!?\[([^\]\n]{0,400})\]\((?:[^)\s]{0,2000})\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  const marks = matches(line, wanted);
  const first = marks[0]?.[0] ?? 0;
  const from = first <= BEFORE ? 0 : wordStart(line, first - BEFORE);
  const to = line.length - from <= LENGTH ? line.length : wordEnd(line, Math.max(from + LENGTH, marks[0]?.[1] ?? 0));
  let out = from > 0 ? '… ' : '';
  let at = from;
  for (const [start, end] of marks) {
    if (start < at || end > to) continue;
    out += `${escape(line.slice(at, start))}**${escape(line.slice(start, end))}**`;
    at = end;
  }
  out += escape(line.slice(at, to));
  return to < line.length ? `${out.trimEnd()} …` : out;
}

/** Where the terms stand, in order, not overlapping. */
function matches(line: string, wanted: readonly string[]): [number, number][] {
  const folded = foldText(line);
  // Folding may change lengths (ﬁ, İ): then positions differ, and only what is equal in lower case is marked.
  const searched = folded.length === line.length ? folded : line.toLowerCase();
  if (searched.length !== line.length) return [];
  const found: [number, number][] = [];
  for (const term of wanted) {
    for (
      let at = searched.indexOf(term);
      at >= 0 && found.length < 200;
      at = searched.indexOf(term, at + term.length)
    ) {
      found.push([at, at + term.length]);
    }
  }
  found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  const apart: [number, number][] = [];
  for (const mark of found)
    if (mark[0] >= (apart.at(-1)?.[1] ?? 0) && line.slice(...mark).trim() === line.slice(...mark)) apart.push(mark);
  return apart;
}

function wordStart(line: string, at: number): number {
  const space = line.indexOf(' ', at);
  return space >= 0 && space - at < 20 ? space + 1 : boundary(line, at);
}

function wordEnd(line: string, at: number): number {
  const space = line.lastIndexOf(' ', at);
  return space >= 0 && at - space < 20 ? space : boundary(line, at);
}

/** Not between the halves of a character. */
function boundary(line: string, at: number): number {
  const code = line.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
