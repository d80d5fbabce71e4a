/** Which messages nobody looks for: questions to the history, its answers, and what the robot says of what can be typed. */

import type { Card } from '../../bot/card.ts';

/** Titles of all cards that show history begin so. */
export const HISTORY_TITLE = 'History: ';

/** A search must not find its own question, its own answers, or a greeting that has examples of both. */
export function isUnsearched(message: {
  readonly text: string;
  readonly content?: Card;
  readonly addressed: boolean;
  readonly fromRobot: boolean;
}): boolean {
  if (message.fromRobot)
    return message.content?.isGuide === true || message.content?.title.startsWith(HISTORY_TITLE) === true;
  return message.addressed && /^\W*(?:[\w.-]+\W+)?history\b/i.test(message.text.slice(0, 200));
}
