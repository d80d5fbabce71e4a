/** The whole log of a deployment, as a path of the robot's own server. */

import type { Deploys } from './ports.ts';

export function logPath(id: number): string {
  return `/deploys/${id}/log.txt`;
}

/** All that was kept of what the program said; undefined if the path is none of {@link logPath}, or there is no such deployment. */
export async function readLog({ log }: Pick<Deploys, 'log'>, path: string): Promise<string | undefined> {
  const id = Number(/^\/deploys\/(\d{1,9})\/log\.txt$/.exec(path)?.[1]);
  return id > 0 ? (await log(id))?.output : undefined;
}
