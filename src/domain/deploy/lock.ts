/** Who holds a service and environment. The record itself is the lock: a deployment that is open holds it. */

import type { Deployment, DeploymentState } from './ports.ts';

/** An open deployment keeps every other one out of its service and environment. */
export function isOpen(state: DeploymentState): state is 'queued' | 'running' {
  return state === 'queued' || state === 'running';
}

/** How long a deployment may wait to be started before whoever meets it starts it again. */
const STUCK_AFTER_MS = 15_000;

/** Accepted, yet nobody began: the job of it may have been lost with a database or a replica. */
export function isStuck(deployment: Deployment, now: Date): boolean {
  return deployment.state === 'queued' && now.getTime() - deployment.requestedAt.getTime() > STUCK_AFTER_MS;
}
