/** Keeps one message up to date without flooding the chat: the latest card wins, about one edit a second. */

import type { Card } from '../../bot/card.ts';
import type { Clock } from './ports.ts';

export interface Announcer {
  /** Something changed; the card is made when it is time to show it. */
  changed(): void;
  /** Resolves when nothing is on its way any more. Nothing is posted afterwards. */
  close(): Promise<void>;
}

/**
 * @param everyMs the least time between two edits
 * @param refreshMs shows the card again after this time even if nothing changed, so that the clock on it goes on
 */
export function createAnnouncer(
  clock: Clock,
  make: () => Card,
  post: (card: Card) => Promise<void>,
  everyMs = 1_000,
  refreshMs = 10_000,
): Announcer {
  const end = new AbortController();
  let wake = new AbortController();
  let dirty = false;

  async function work(): Promise<void> {
    while (!end.signal.aborted) {
      if (!dirty) {
        await clock.sleep(refreshMs, AbortSignal.any([end.signal, wake.signal]));
        if (end.signal.aborted) return;
      }
      dirty = false;
      wake = new AbortController();
      await post(make());
      await clock.sleep(everyMs, end.signal);
    }
  }

  const worker = work();
  return {
    changed() {
      // Asked once for each line of output: to abort again what is aborted makes an error with its stack each time.
      if (dirty) return;
      dirty = true;
      wake.abort();
    },
    async close() {
      end.abort();
      await worker;
    },
  };
}
