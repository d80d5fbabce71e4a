/** Asking for something that must be done once: what may have arrived is looked for before it is asked for again. */

import type { Clock } from '../../../domain/deploy/ports.ts';
import { mayHaveArrived } from './problem.ts';

export interface Once<T> {
  /** The request; not repeated by itself. */
  send(): Promise<T>;
  /** Looks for what an earlier request may have made. */
  find(): Promise<T | undefined>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Waits between two looks; a list of a server may lag. After the last one nothing has arrived. */
  readonly looks?: readonly number[];
}

const LOOKS = [1_000, 2_000, 4_000, 8_000];
const SENT_AT_MOST = 3;

/** Resolves with what was made, by this request or an earlier one. @throws RestProblem when it was refused, or all was in vain */
export async function once<T>(job: Once<T>): Promise<T> {
  for (let sent = 1; ; sent += 1) {
    try {
      return await job.send();
    } catch (error) {
      if (!mayHaveArrived(error)) throw error;
      for (const wait of job.looks ?? LOOKS) {
        await job.clock.sleep(wait, job.signal);
        if (job.signal.aborted) throw error;
        const found = await job.find();
        if (found !== undefined) return found;
      }
      if (sent >= SENT_AT_MOST) throw error;
    }
  }
}
