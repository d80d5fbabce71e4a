/** Problems with a server, as a target must say them. */

import {
  CUT_OFF,
  isCancelled,
  type TargetOutcome,
  type TargetRun,
  TargetUnclear,
} from '../../../domain/deploy/target.ts';
import { RestProblem } from '../../rest/problem.ts';
import { failureOf } from './failure.ts';

/** A rollout that a problem ended before it could be followed. */
export async function outcomeOf(run: TargetRun, work: () => Promise<TargetOutcome>): Promise<TargetOutcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RestProblem && error.kind === 'stopped')) return failureOf(error);
    return isCancelled(run.signal) ? { kind: 'interrupted', text: 'it was cancelled before it had begun' } : CUT_OFF;
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
