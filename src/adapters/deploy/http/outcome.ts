/** Problems with a server, as a target must say them. */

import { type TargetOutcome, type TargetRun, TargetUnclear } from '../../../domain/deploy/target.ts';
import { failureOf, isCancelled } from './failure.ts';
import { RestProblem } from '../../rest/problem.ts';

/** A rollout that a problem ended before it could be followed. */
export async function outcomeOf(run: TargetRun, work: () => Promise<TargetOutcome>): Promise<TargetOutcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RestProblem && error.kind === 'stopped')) return failureOf(error);
    const text = isCancelled(run.signal)
      ? 'it was cancelled before it had begun'
      : 'the robot was stopped while it ran';
    return { kind: 'interrupted', text };
  }
}

/** A question. @throws TargetUnclear */
export async function clearly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RestProblem) throw new TargetUnclear(error.message, { cause: error });
    throw error;
  }
}
