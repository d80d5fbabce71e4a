/** Asking for something that must be done once: what may have arrived is looked for before it is asked for again. */

import type { Clock } from '../../../domain/deploy/ports.ts';
import { isCancelled } from '../../../domain/deploy/target.ts';
import { mayHaveArrived, type ProblemKind, RestProblem } from '../../rest/problem.ts';
import { never } from './failure.ts';

export interface Once<T> {
  /** The request; not repeated by itself. */
  send(): Promise<T>;
  /** Looks for what an earlier request may have made. */
  find(signal: AbortSignal): Promise<T | undefined>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Waits between two looks; a list of a server may lag. After the last one nothing has arrived. */
  readonly looks?: readonly number[];
}

const LOOKS = [1_000, 2_000, 4_000, 8_000];
const SENT_AT_MOST = 3;
/** An answer came that says nothing, or nobody waited for one: it is looked for, and not asked for again. */
const TAKEN: readonly ProblemKind[] = ['stopped', 'unreadable', 'too_big'];

/**
 * Resolves with what was made, by this request or an earlier one. When somebody cancels in the meantime, what may have been made is
 * looked for all the same, so that it can be stopped. @throws RestProblem when it was refused, or nobody knows
 */
export async function once<T>(job: Once<T>): Promise<T> {
  for (let sent = 1; ; sent += 1) {
    let failure: RestProblem;
    try {
      return await job.send();
    } catch (error) {
      if (!(error instanceof RestProblem) || !(mayHaveArrived(error) || TAKEN.includes(error.kind))) throw error;
      failure = error;
    }
    const found = await lookFor(job, failure);
    if (found !== undefined) return found;
    if (failure.kind === 'stopped') throw failure;
    if (sent >= SENT_AT_MOST || !mayHaveArrived(failure)) throw unknown(failure);
  }
}

async function lookFor<T>(job: Once<T>, failure: RestProblem): Promise<T | undefined> {
  for (const wait of job.looks ?? LOOKS) {
    const cancelled = isCancelled(job.signal);
    const signal = cancelled ? never : job.signal;
    await job.clock.sleep(wait, signal);
    if (signal.aborted && !isCancelled(job.signal)) throw new RestProblem('stopped', 'it was stopped');
    try {
      const found = await job.find(signal);
      if (found !== undefined) return found;
    } catch (error) {
      if (!(error instanceof RestProblem) || error.kind !== 'stopped') throw unknown(failure, error);
    }
  }
  return undefined;
}

function unknown(failure: RestProblem, cause: unknown = failure): RestProblem {
  const text = `${failure.message}; whether it has begun all the same is not known: look there before you deploy again`;
  const why = cause instanceof RestProblem && cause.kind === 'conflict' ? cause.message : text;
  return new RestProblem('unsure', why, { said: failure.said, cause });
}
