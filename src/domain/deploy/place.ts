/** A service in an environment: which ones there are, what holds one, and what keeps deployments out of it. */

import type { ServiceConfig, ServicesConfig } from './config.ts';
import { lockOn } from './locks.ts';
import type { Deployment, DeploymentState, DeployPorts, DeployStore, Place } from './ports.ts';
import type { Refusal } from './refusal.ts';

/** How long a deployment may wait to be started before whoever meets it starts it again. */
const STUCK_AFTER_MS = 15_000;

export function isSamePlace(one: Place, other: Place): boolean {
  return one.service === other.service && one.environment === other.environment;
}

/** The record itself is the lock of a place: an open deployment keeps every other one out of it. */
export function isOpen(state: DeploymentState): state is 'queued' | 'running' {
  return state === 'queued' || state === 'running';
}

/** Accepted, yet nobody began: the job of it may have been lost with a database or a replica. */
export function isStuck(deployment: Deployment, now: Date): boolean {
  return deployment.state === 'queued' && now.getTime() - deployment.requestedAt.getTime() > STUCK_AFTER_MS;
}

/** What runs there, or else who waits there first. */
export async function takenBy(
  store: Pick<DeployStore, 'open' | 'waiting'>,
  place: Place,
): Promise<Deployment | undefined> {
  const [open, waiting] = await Promise.all([store.open(), store.waiting()]);
  return [...open, ...waiting].find((one) => isSamePlace(one, place));
}

/** Undefined if there is none of that name, or none any more. */
export function serviceOf({ services }: Pick<ServicesConfig, 'services'>, wanted: string): ServiceConfig | undefined {
  return services.find(({ name }) => name === wanted);
}

/** The service of a place that may be deployed to now, or why it may not: there is no such place, or it is locked. */
export async function admit(
  ports: Pick<DeployPorts, 'config' | 'locks' | 'clock'>,
  { service: name, environment }: Place,
): Promise<{ readonly kind: 'admitted'; readonly service: ServiceConfig } | Refusal> {
  const { config } = ports;
  const service = serviceOf(config, name);
  if (service === undefined) {
    const known = config.services.map((one) => one.name);
    return { kind: 'refused', reason: 'unknown_service', service: name, known };
  }
  if (!service.environments.includes(environment)) {
    const known = service.environments;
    return { kind: 'refused', reason: 'unknown_environment', service: name, environment, known };
  }
  const now = ports.clock.now();
  const lock = lockOn(await ports.locks(now), { service: name, environment }, now);
  if (lock !== undefined) return { kind: 'refused', reason: 'locked', service: name, environment, lock };
  return { kind: 'admitted', service };
}
