/** Whether a place runs what was deployed there last. Pure. */

import type { Deployment, Drift } from './ports.ts';
import type { Live } from './target.ts';

/**
 * What was deployed last with success, if something else runs: a version set by hand, one deployed past the robot, or Deployments
 * of one service that no longer agree. Nothing drifts while a rollout is under way.
 *
 * @param last the latest success of that place
 * @param running what holds the place
 */
export function driftOf(
  live: Pick<Live, 'version' | 'stale'>,
  last: Deployment | undefined,
  running: Deployment | undefined,
): Drift | undefined {
  if (last === undefined || running !== undefined || last.version === live.version) return undefined;
  const { id, version, by, finishedAt = last.requestedAt } = last;
  // What was seen before it was deployed says nothing of what became of it.
  if (live.stale !== undefined && live.stale.since < finishedAt) return undefined;
  return { id, version, by, finishedAt };
}
