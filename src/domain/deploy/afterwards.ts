/** What an environment asks for once a deployment has ended. */

import type { Afterwards, ServicesConfig } from './config.ts';
import type { Deployment } from './ports.ts';

/** Unless the environment says otherwise. */
export const WATCH_MS = 10 * 60_000;

const DEFAULT: Afterwards = { announce: [], watchMs: WATCH_MS, rollbackOn: [], rollbackSeverity: [], alerts: [] };

export function afterwardsIn({ environments }: Pick<ServicesConfig, 'environments'>, name: string): Afterwards {
  return environments.find((environment) => environment.name === name)?.afterwards ?? DEFAULT;
}

/** When the watch of a deployment ends; undefined if it is not watched, since it did not succeed or nobody wants that. */
export function watchedUntil(deployment: Deployment, { watchMs }: Pick<Afterwards, 'watchMs'>): Date | undefined {
  const { state, finishedAt } = deployment;
  if (state !== 'succeeded' || finishedAt === undefined || watchMs === 0) return undefined;
  return new Date(finishedAt.getTime() + watchMs);
}
