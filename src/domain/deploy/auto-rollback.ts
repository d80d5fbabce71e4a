/** Whether the robot goes back by itself, and to what. Pure. */

import { versionBefore, versionLine } from './before.ts';
import type { Afterwards } from './config.ts';
import { isOpen } from './place.ts';
import type { Deployment } from './ports.ts';
import type { Tie } from './tie.ts';

export type Cause = 'alert' | 'failure';

/** What became of the wish to roll back. */
export type BackOutcome = 'started' | 'locked' | 'undone' | 'overtaken' | 'refused';

/** The robot's wish to roll a deployment back; there is one at most. */
export interface WayBack {
  readonly deployment: number;
  readonly cause: Cause;
  /** A clause. Redacted, but untrusted. */
  readonly reason: string;
  readonly wantedAt: Date;
  /** Undefined while it is wanted. */
  readonly outcome?: BackOutcome;
  /** Why it did not begin, a clause. */
  readonly detail?: string;
}

/** An alert that is heard of so long after the watch, as after an outage, no longer makes the robot act. */
const LATE_MS = 10 * 60_000;

/**
 * Whether something newer is there, or about to be.
 *
 * @param history of its place, newest first
 */
export function isOvertaken({ id }: Pick<Deployment, 'id'>, history: readonly Deployment[]): boolean {
  return overtaker(id, history) !== undefined;
}

/** The oldest deployment of the place that came after that one and was not dropped from the line. */
export function overtaker(id: number, history: readonly Deployment[]): Deployment | undefined {
  return history.findLast(
    (one) => one.id > id && (one.startedAt !== undefined || one.state === 'waiting' || isOpen(one.state)),
  );
}

/**
 * What was live before it; undefined if the record knows of nothing.
 *
 * @param succeeded the successful deployments of its place, newest first
 */
export function backTo(deployment: Deployment, succeeded: readonly Deployment[]): string | undefined {
  if (deployment.state !== 'succeeded' && deployment.previous !== undefined) return deployment.previous;
  const until = succeeded.filter(({ id }) => id <= deployment.id);
  const version = versionBefore(deployment.version, until);
  return version === deployment.version ? undefined : version;
}

/** A way back is never undone by the robot, whether it was called a rollback or not. */
export function isWayBack(deployment: Deployment, succeeded: readonly Deployment[]): boolean {
  if (deployment.isRollback === true) return true;
  const earlier = succeeded.filter(({ id }) => id < deployment.id);
  return versionLine(earlier).includes(deployment.version);
}

export interface BackFacts {
  readonly deployment: Deployment;
  /** Of its place, newest first; and those of them that succeeded. */
  readonly history: readonly Deployment[];
  readonly succeeded: readonly Deployment[];
  readonly ties: readonly Tie[];
  readonly now: Date;
}

/** Why the robot rolls it back by itself; undefined if it does not. */
export function wish(rules: Afterwards, facts: BackFacts): Pick<WayBack, 'cause' | 'reason'> | undefined {
  const { deployment, history, succeeded, ties, now } = facts;
  const { state, finishedAt, startedAt, live, previous, cancelledBy, reason } = deployment;
  if (startedAt === undefined || finishedAt === undefined || cancelledBy !== undefined) return undefined;
  if (isWayBack(deployment, succeeded) || isOvertaken(deployment, history)) return undefined;
  if (state === 'failed' || state === 'interrupted') {
    const isUndone = live !== undefined && live === previous;
    if (isUndone || !rules.rollbackOn.includes('failure')) return undefined;
    const how = state === 'failed' ? 'failed' : 'was interrupted';
    return {
      cause: 'failure',
      reason: `deployment ${deployment.id} ${how}${reason === undefined ? '' : `: ${reason}`}`,
    };
  }
  if (state !== 'succeeded' || !rules.rollbackOn.includes('alert')) return undefined;
  if (now.getTime() > finishedAt.getTime() + rules.watchMs + LATE_MS) return undefined;
  const grave = ties.find(
    ({ isFiring, isCertain, severity }) =>
      isFiring && isCertain && (rules.rollbackSeverity.length === 0 || rules.rollbackSeverity.includes(severity)),
  );
  return grave && { cause: 'alert', reason: `${grave.title} fires (alert ${grave.alert})` };
}
