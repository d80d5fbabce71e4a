/**
 * What the index holds of a message, and what of it a word must meet.
 *
 * A run of letters and digits, together with what is joined to it by single marks (`payments-api`, `10.0.3.7`,
 * `v1.4.2`, `https://ci/job:7`), is one compound. The index holds its endings: from each part (`payments-api`, `api`) and,
 * where a part looks like an identifier (`ECONNREFUSED`, `KubePodCrashLooping`, `7d9f8`), from each character of it.
 * So whatever begins one of these endings is a piece of the compound: a prefix search is a search inside words, in any
 * PostgreSQL, without an extension.
 */

import { withoutAccents } from './fold.ts';

/** Longer endings are cut; who looks for more compares the text itself. */
export const LEXEME_LENGTH = 40;
const MOST_LEXEMES = 5000;
const LONGEST_PART = 64;
const LONG_WORD = 12;

const COMPOUND = /[\p{L}\p{M}\p{N}_]+(?:[-./:@+#\\]{1,3}[\p{L}\p{M}\p{N}_]+)*/gu;
const PART = /[\p{L}\p{M}\p{N}]+/gu;
const WITHOUT_SPACES = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/** @param text readable text, in its own case */
export function lexemes(text: string): string[] {
  const found = new Set<string>();
  for (const compound of compounds(text)) {
    if (found.size >= MOST_LEXEMES) break;
    const lower = compound.toLowerCase();
    // Where lower case is longer (İ), positions differ: then the compound counts as lower case from the start.
    const shown = lower.length === compound.length ? compound : lower;
    for (const match of shown.matchAll(PART)) {
      const part = match[0];
      add(found, lower, match.index);
      if (part.length > LONGEST_PART) continue;
      const dense = WITHOUT_SPACES.test(part);
      if (!dense && !looksLikeIdentifier(part)) continue;
      for (let from = 1; from < part.length; from++) {
        const at = match.index + from;
        if (dense || lower.length - at >= 3) add(found, lower, at);
      }
    }
    add(found, lower, 0);
  }
  return [...found];
}

/** The compounds of a text, in their own case. */
export function compounds(text: string): string[] {
  return withoutAccents(text.normalize('NFKC')).match(COMPOUND) ?? [];
}

function looksLikeIdentifier(part: string): boolean {
  return part.length >= LONG_WORD || /\p{N}|.\p{Lu}/u.test(part);
}

function add(found: Set<string>, lower: string, from: number): void {
  // Cut between the halves of a character, half of it would be left.
  const ending = lower
    .slice(from, from + LEXEME_LENGTH)
    .toWellFormed()
    .replaceAll('\ufffd', '');
  if (ending && found.size < MOST_LEXEMES) found.add(ending);
}
