/** What is live may be shown a moment after the rollout has ended. */

import type { Clock } from '../../../domain/deploy/ports.ts';
import type { Live, TargetOutcome, TargetRequest, TargetRun } from '../../../domain/deploy/target.ts';
import { RestProblem } from '../../rest/problem.ts';

const WAITS_MS = [1_000, 2_000, 4_000];

export interface Seen {
  readonly request: TargetRequest;
  readonly run: TargetRun;
  readonly current: () => Promise<Live | 'unsupported' | undefined>;
  readonly clock: Clock;
}

/** The outcome of the work; a good one only when the version is shown as live, or after some seconds. */
export async function untilSeen(
  { request, run, current, clock }: Seen,
  work: () => Promise<TargetOutcome>,
): Promise<TargetOutcome> {
  const outcome = await work();
  if (outcome.kind === 'succeeded') await catchUp(request.version, current, clock, run.signal);
  return outcome;
}

/** Resolves when that version is shown as live, or after some seconds; what it cannot find out it leaves to others. */
async function catchUp(
  version: string,
  current: () => Promise<Live | 'unsupported' | undefined>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (const wait of WAITS_MS) {
    try {
      const live = await current();
      if (live === 'unsupported' || live?.version === version) return;
    } catch (error) {
      if (error instanceof RestProblem) return;
      throw error;
    }
    await clock.sleep(wait, signal);
  }
}
