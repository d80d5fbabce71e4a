/** Tells when to look again: when the cluster says that something changed, and now and then in any case. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Watched } from './cluster.ts';

export interface Wake {
  /** Resolves when something changed, when the time is over, or when the signal is aborted. */
  next(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Between two looks, however much changes. */
const GAP_MS = 250;
const FIRST_MS = 500;
const LAST_MS = 30_000;

/** Watching is a help, not a need: without the right to, the time alone decides. */
export function createWake(cluster: Cluster, watched: readonly Watched[]): Wake {
  const closed = new AbortController();
  let changed = false;
  let wake: (() => void) | undefined;
  const tell = () => {
    changed = true;
    wake?.();
  };

  async function keep(one: Watched): Promise<void> {
    for (let wait = FIRST_MS; !closed.signal.aborted; ) {
      const begun = Date.now();
      await cluster.watch(one, { event: tell }, closed.signal);
      tell();
      wait = Date.now() - begun < 5_000 ? Math.min(wait * 2, LAST_MS) : FIRST_MS;
      await sleep(wait, undefined, { signal: closed.signal }).catch(() => undefined);
    }
  }
  for (const one of watched) void keep(one);

  return {
    async next(ms, signal) {
      await sleep(GAP_MS, undefined, { signal }).catch(() => undefined);
      if (!changed && !signal.aborted) {
        const early = new AbortController();
        wake = () => early.abort();
        await sleep(ms, undefined, { signal: AbortSignal.any([early.signal, signal]) }).catch(() => undefined);
        wake = undefined;
      }
      changed = false;
    },
    close: () => closed.abort(),
  };
}
