/** Slips of the fingers. Pure. */

import { distance } from 'fastest-levenshtein';

/** Few letters differ for the length, or two are swapped. */
export function looksLike(typed: string, known: string): boolean {
  if (Math.abs(typed.length - known.length) > 2) return false;
  const allowed = Math.max(1, Math.floor(known.length / 3));
  if (known.length < 3) return false;
  return distance(typed, known) <= allowed || [...typed].sort().join('') === [...known].sort().join('');
}
