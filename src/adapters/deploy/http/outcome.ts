/** How a rollout ends that something came between. */

import type { TargetOutcome, TargetRun } from '../../../domain/deploy/ports.ts';
import { failureOf, isCancelled } from './failure.ts';
import { RestProblem } from './problem.ts';

/** What `work` comes to; a problem with the server, a stop and a cancellation become outcomes. */
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
