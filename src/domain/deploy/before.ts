/** Which versions were live before, from the record. Pure. */

import type { Deployment } from './ports.ts';

type Step = Pick<Deployment, 'version' | 'previous'>;

/**
 * What was live there, from all that began: of one that did not succeed, what it found, and itself if it went live all the same.
 *
 * @param history the deployments of one place, newest first
 */
export function stepsOf(history: readonly Deployment[]): readonly Step[] {
  return history.flatMap((one): readonly Step[] => {
    const { state, startedAt, version, previous, live } = one;
    if (startedAt === undefined) return [];
    if (state === 'succeeded' || live === version) return [one];
    return previous === undefined ? [] : [{ version: previous }];
  });
}

/**
 * The version that a rollback goes back to: what was live before `live` came. Deploying an earlier version goes back, so that two
 * rollbacks in a row go back two steps, not there and back again.
 *
 * @param live what runs; undefined if nothing does
 * @param succeeded the successful deployments of one place, newest first
 * @returns undefined if nothing was live before, as far as the record goes
 */
export function versionBefore(live: string | undefined, succeeded: readonly Step[]): string | undefined {
  const line = versionLine(succeeded);
  const at = live === undefined ? -1 : line.indexOf(live);
  // What runs was not deployed by the robot: it came after what the robot deployed last.
  return at < 0 ? line.at(-1) : line[at - 1];
}

/**
 * The versions on the way to what is live, each once: one that was gone back from is no longer among them.
 *
 * @param succeeded as above
 */
export function versionLine(succeeded: readonly Step[]): readonly string[] {
  const line: string[] = [];
  const went = (version: string | undefined): void => {
    if (version === undefined) return;
    const at = line.indexOf(version);
    if (at >= 0) line.length = at + 1;
    else line.push(version);
  };
  for (const { version, previous } of succeeded.toReversed()) {
    went(previous);
    went(version);
  }
  return line;
}

/** Every version that was live there, the one deployed last first. */
export function versionsOnceLive(succeeded: readonly Step[]): readonly string[] {
  const all = succeeded.flatMap(({ version, previous }) => (previous === undefined ? [version] : [version, previous]));
  return [...new Set(all)];
}
