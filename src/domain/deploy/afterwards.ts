/** What an environment asks for once a deployment has ended. */

import { plain } from '../../bot/card.ts';
import type { Address } from '../../bot/chat.ts';
import type { Afterwards, ServicesConfig } from './config.ts';
import { duration } from './duration.ts';
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

/** Those rooms without the one where people see it anyway. */
export function besides(rooms: readonly Address[], seen: Address): readonly Address[] {
  return rooms.filter(({ chat, room }) => chat !== seen.chat || room !== seen.room);
}

/** What will follow, as people read it before. @param isRollback the robot never rolls back what goes back */
export function afterwardsText(
  { announce, watchMs, rollbackOn, rollbackSeverity }: Afterwards,
  isRollback: boolean,
): string {
  const watched = watchMs === 0 ? 'no alert is tied to it' : `alerts are tied to it for ${duration(watchMs)}`;
  const severity = rollbackSeverity.length === 0 ? '' : ` (${rollbackSeverity.map((one) => plain(one)).join(', ')})`;
  const causes = [
    ...(rollbackOn.includes('failure') ? ['if it fails'] : []),
    ...(rollbackOn.includes('alert') ? [`if such an alert fires${severity}`] : []),
  ];
  const back = isRollback || causes.length === 0 ? '' : ` I roll it back by myself ${causes.join(', or ')}.`;
  const rooms = announce.length === 0 ? '' : ` Its end is told in ${announce.map((room) => plain(room)).join(', ')}.`;
  return `Afterwards: ${watched}.${back}${rooms}`;
}
