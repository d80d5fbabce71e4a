/** What is live may be shown a moment after the rollout has ended. */

import type { Clock, Live } from '../../../domain/deploy/ports.ts';
import { RestProblem } from './problem.ts';

const WAITS_MS = [1_000, 2_000, 4_000];

/** Resolves when that version is shown as live, or after some seconds; what it cannot find out it leaves to others. */
export async function catchUp(
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
