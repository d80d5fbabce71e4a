/** Following what goes on elsewhere to its end: growing waits, outages, a deadline, being cancelled, being stopped. */

import { duration } from '../../../domain/deploy/duration.ts';
import type { Clock } from '../../../domain/deploy/ports.ts';
import { CUT_OFF, isCancelled, type TargetOutcome, type TargetRun } from '../../../domain/deploy/target.ts';
import { isPassing, RestProblem } from '../../rest/problem.ts';
import { lostSightOf, never } from './failure.ts';
import { createPace } from './pace.ts';

/** What one look saw; an outcome ends it. */
export interface Look {
  readonly changed: boolean;
  readonly outcome?: TargetOutcome;
}

export interface Following {
  /** As people call the other side: `GitHub`. */
  readonly name: string;
  /** @throws RestProblem */
  look(signal: AbortSignal): Promise<Look>;
  /** Stops it there, which may take a while; `told`: whoever carries it out may go on all the same. @throws RestProblem */
  stop(why: 'cancel' | 'timeout'): Promise<'stopping' | 'told'>;
  readonly run: TargetRun;
  readonly clock: Clock;
  readonly startedAt: Date;
  readonly timeoutMs: number;
  readonly firstWaitMs?: number;
}

const FIRST_WAIT_MS = 1_000;
const LAST_WAIT_MS = 15_000;
/** So long may the other side give no answer. */
const AWAY_MS = 15 * 60_000;
/** So long may it take to end what was stopped. */
const ENDING_MS = 60_000;

/** Resolves with how it ended. What the other side refuses to tell ends it as interrupted: it may go on there. */
export async function follow(following: Following): Promise<TargetOutcome> {
  const { run, clock, name } = following;
  const pace = createPace(following.firstWaitMs ?? FIRST_WAIT_MS, LAST_WAIT_MS);
  const deadline = following.startedAt.getTime() + following.timeoutMs;
  let awaySince: number | undefined;
  for (;;) {
    if (run.signal.aborted) {
      return isCancelled(run.signal) ? await end(following, 'cancel') : CUT_OFF;
    }
    if (clock.now().getTime() > deadline) return await end(following, 'timeout');
    try {
      const { changed, outcome } = await following.look(run.signal);
      if (awaySince !== undefined) run.progress({ text: `${name} answers again` });
      awaySince = undefined;
      if (outcome !== undefined) return outcome;
      if (changed) pace.hurry();
    } catch (error) {
      if (!(error instanceof RestProblem)) throw error;
      if (error.kind === 'stopped') continue;
      const now = clock.now().getTime();
      // Who wants to be left alone for an hour is not away.
      if (error.kind === 'limited') awaySince &&= now;
      if (!isPassing(error) || (awaySince !== undefined && now - awaySince > AWAY_MS)) {
        return lostSightOf(error);
      }
      if (awaySince === undefined) run.progress({ text: `${error.message} (asking again and again)` });
      awaySince ??= now;
    }
    await clock.sleep(pace.next(), run.signal);
  }
}

/** Stops it and waits for its end, which may be a good one after all. */
async function end(following: Following, why: 'cancel' | 'timeout'): Promise<TargetOutcome> {
  const { run, clock, name, timeoutMs } = following;
  const what = why === 'cancel' ? 'it was cancelled' : `it took longer than ${duration(timeoutMs)}`;
  const outcome = (text: string): TargetOutcome =>
    why === 'cancel' ? { kind: 'interrupted', text } : { kind: 'failed', code: 'timeout', text };
  run.progress({ text: why === 'cancel' ? 'Cancelling' : 'Stopping: it takes too long' });
  try {
    // It may have ended in the meantime, or while nobody looked: then there is nothing to stop.
    const before = await following.look(never).catch((error: unknown) => {
      if (error instanceof RestProblem) return undefined;
      throw error;
    });
    if (before?.outcome !== undefined) return before.outcome;
    if ((await following.stop(why)) === 'told') {
      return outcome(`${what}; ${name} was told, but what carries it out may go on`);
    }
    const pace = createPace(FIRST_WAIT_MS, LAST_WAIT_MS);
    const until = clock.now().getTime() + ENDING_MS;
    while (clock.now().getTime() < until) {
      const look = await following.look(never);
      if (look.outcome?.kind === 'succeeded') return look.outcome;
      if (look.outcome !== undefined) return outcome(`${what} and has ended on ${name}`);
      await clock.sleep(pace.next(), never);
    }
    return outcome(`${what}; ${name} was told to stop it, but it has not ended yet`);
  } catch (error) {
    if (!(error instanceof RestProblem)) throw error;
    return outcome(`${what}, but may go on, because ${error.message}`);
  }
}
