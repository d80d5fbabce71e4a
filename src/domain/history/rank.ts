/**
 * In which order messages are shown: newest and best first.
 *
 * A message's quality is the product of how each wanted term stands in it: as a word of its own (1), at the beginning of
 * a word (½), inside one (¼). It doubles when all terms stand side by side as they were typed, halves for a command to the robot
 * or something the robot said (people's own words say more), and shrinks with length, because a long paste meets everything.
 * Thirty days of age halve it again. Since ageing is exponential, the order of two messages never changes as time goes by, so
 * that pages stay what they were.
 */

import type { Candidate } from './ports.ts';

const HALF_LIFE_DAYS = 30;
const LONG = 400;

/** Best first. */
export function rank<C extends Candidate>(candidates: readonly C[], wanted: readonly string[]): C[] {
  const scored = candidates.map((candidate) => ({ candidate, score: score(candidate, wanted) }));
  scored.sort((a, b) => b.score - a.score || b.candidate.message.id - a.candidate.message.id);
  return scored.map(({ candidate }) => candidate);
}

/** Binary logarithm of the quality plus the time in half-lives: comparable between messages, nothing else. */
export function score({ message, searchText }: Candidate, wanted: readonly string[]): number {
  const age = message.at.getTime() / (HALF_LIFE_DAYS * 86_400_000);
  if (wanted.length === 0) return age;
  let quality = 0;
  for (const term of wanted) quality += standing(searchText, term);
  if (wanted.length > 1 && searchText.includes(wanted.join(' '))) quality += 1;
  if (message.fromRobot || message.addressed) quality -= 1;
  return age + quality - Math.log2(1 + searchText.length / LONG);
}

/** 0 as a word, -1 at the beginning of one, -2 inside, -3 if only spread over the text. */
function standing(text: string, term: string): number {
  let best = -3;
  const startsWord = isWordAt(term, 0);
  const endsWord = isWordAt(term, term.length - 1);
  for (let at = text.indexOf(term), seen = 0; at >= 0 && seen < 50; at = text.indexOf(term, at + 1), seen++) {
    const opens = !startsWord || !isWordAt(text, at - 1);
    const closes = !endsWord || !isWordAt(text, at + term.length);
    if (opens && closes) return 0;
    best = Math.max(best, opens ? -1 : -2);
  }
  return best;
}

function isWordAt(text: string, at: number): boolean {
  return at >= 0 && at < text.length && /[\p{L}\p{N}_]/u.test(text.charAt(at));
}
