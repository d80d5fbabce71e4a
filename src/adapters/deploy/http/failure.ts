/** From what went wrong between the robot and a server to what a target answers. */

import { isCancelled, type TargetOutcome } from '../../../domain/deploy/target.ts';
import { RestProblem } from '../../rest/problem.ts';

/** How a rollout ends that could not go on. What is no matter of the server is thrown on. */
export function failureOf(error: unknown): TargetOutcome {
  if (!(error instanceof RestProblem)) throw error;
  return { kind: 'failed', code: error.kind, text: error.message };
}

/** How a rollout ends that has begun and is lost sight of: it may go on. What is no matter of the server is thrown on. */
export function lostSightOf(error: unknown): TargetOutcome {
  if (!(error instanceof RestProblem)) throw error;
  return { kind: 'interrupted', text: `it could not be followed to its end: ${error.message}` };
}

/** For what goes on after a cancellation, whose own signal would end each wait at once. */
export const never = new AbortController().signal;

/** Aborted when the robot stops, and by no cancellation: for finding what is to be cancelled. */
export function unlessCancelled(signal: AbortSignal): AbortSignal {
  const stopped = new AbortController();
  const pass = () => {
    if (!isCancelled(signal)) stopped.abort(signal.reason);
  };
  if (signal.aborted) pass();
  else signal.addEventListener('abort', pass, { once: true });
  return stopped.signal;
}
