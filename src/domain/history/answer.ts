/** Which messages are about the history itself: a search must not find its own question and its own answers. */

import type { StoredCard } from './ports.ts';

/** Titles of all cards that show history begin so. */
export const HISTORY_TITLE = 'History: ';

export function isAboutHistory(message: {
  readonly text: string;
  readonly content?: StoredCard;
  readonly addressed: boolean;
  readonly fromRobot: boolean;
}): boolean {
  if (message.fromRobot) return message.content?.title.startsWith(HISTORY_TITLE) ?? false;
  return message.addressed && /^\W*(?:[\w.-]+\W+)?history\b/i.test(message.text.slice(0, 200));
}
