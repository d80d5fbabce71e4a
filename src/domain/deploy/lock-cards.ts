/** What those who set, meet and look at locks read. Pure. */

import { type Action, type Card, card, plain } from '../../bot/card.ts';
import { age } from './duration.ts';
import { type Lock, scopeWords, untilWords } from './locks.ts';
import type { Line } from './ports.ts';

/** The answer to `locks`. */
export function locksCard(locks: readonly Lock[], now: Date): Card {
  if (locks.length === 0) return card({ title: 'Nothing is locked', text: 'Lock with `lock <service> <reason>`.' });
  return card({
    title: 'What is locked',
    text: locks
      .map((lock) => `- **${plain(scopeWords(lock))}**: ${lockSentence(lock)} Set ${age(lock.at, now)}.`)
      .join('\n'),
    actions: locks.slice(0, 3).map(unlockAction),
  });
}

/** The answer to `lock`. */
export function lockedCard(lock: Lock, lines: readonly Line[]): Card {
  const running = lines.filter(({ holder }) => holder !== undefined);
  const goesOn = running.map(({ holder }) =>
    holder === undefined ? '' : ` Deployment ${holder.id} runs already and goes on.`,
  );
  const waits = lines.reduce((sum, { waiting }) => sum + waiting.length, 0);
  const keeps =
    waits === 0 ? '' : ` What waits in line stays there: ${waits} ${waits === 1 ? 'deployment' : 'deployments'}.`;
  return card({
    title: `${scopeWords(lock)} is locked`,
    tone: 'warning',
    text: `${lockSentence(lock)}${goesOn.join('')}${keeps}`,
    actions: [unlockAction(lock)],
  });
}

function unlockAction(lock: Lock): Action {
  return { label: `Unlock ${scopeWords(lock)}`, command: `unlock ${scopeWords(lock)}` };
}

/** Who locked it, until when and why: Markdown. */
export function lockSentence(lock: Lock): string {
  const reason = lock.reason.replace(/[.!?]+$/, '');
  return `Locked by ${plain(lock.owner.name)} ${untilWords(lock)}: ${plain(reason)}.`;
}
