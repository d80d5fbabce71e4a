/** Asking an engine that may be away for a while. */

import { setTimeout as sleep } from 'node:timers/promises';
import { EngineTrouble } from './trouble.ts';

const FIRST_MS = 250;
const LAST_MS = 5_000;
/** An engine that answers 500 is given this many more chances. */
const SECOND_CHANCES = 2;

/** The signal of the rollout was aborted. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

export interface PatienceOptions {
  readonly signal: AbortSignal;
  /** In milliseconds of `performance.now()`: after that, the trouble is thrown. */
  readonly until: number;
  /** Told each time that the engine begins to be away, and when it is back. */
  told(state: 'away' | 'back', trouble: EngineTrouble): void;
}

/**
 * Says the same again until the engine answers.
 *
 * @throws EngineTrouble that trying again does not help
 * @throws Stopped while the engine is away
 */
export async function patiently<T>(call: () => Promise<T>, { signal, until, told }: PatienceOptions): Promise<T> {
  let wait = FIRST_MS;
  let chances = SECOND_CHANCES;
  let seen: EngineTrouble | undefined;
  for (;;) {
    try {
      const answer = await call();
      if (seen) told('back', seen);
      return answer;
    } catch (error) {
      if (!(error instanceof EngineTrouble)) throw error;
      if (signal.aborted) throw new Stopped('', { cause: error });
      if (error.kind === 'failed' && chances > 0) chances -= 1;
      else if (error.kind !== 'away') throw error;
      if (performance.now() + wait > until) throw error;
      if (error.kind === 'away' && !seen) {
        seen = error;
        told('away', error);
      }
    }
    await pause(wait, signal);
    wait = Math.min(wait * 2, LAST_MS);
  }
}

/** @throws Stopped when the signal is aborted */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw new Stopped('', { cause: error });
  }
}
