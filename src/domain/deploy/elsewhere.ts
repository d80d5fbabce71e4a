/** Deployments that somebody made elsewhere, among those that were asked of the robot. */

import { plain } from '../../bot/card.ts';
import { safeLink } from '../alerts/link.ts';
import type { ShownRun } from '../pipelines/ports.ts';
import { age, duration } from './duration.ts';
import type { Deployment, Placement } from './ports.ts';
import { isSameCommit } from './source.ts';

const NAMES = { github: 'GitHub', gitlab: 'GitLab', jenkins: 'Jenkins' } as const;
/** The robot hears of the end of its own from the other side, too, and maybe a little later. */
const SLACK_MS = 60_000;

/**
 * Without those that are the robot's own, as the other side sees them: while the robot deploys a service to an environment,
 * what is heard of that place is its own doing.
 */
export function notOurs(runs: readonly ShownRun[], history: readonly Deployment[], now: Date): readonly ShownRun[] {
  return runs.filter((run) => {
    const at = momentOf(run).getTime();
    return !history.some(
      ({ service, environment, startedAt, finishedAt }) =>
        startedAt !== undefined &&
        environment === run.environment &&
        run.services.includes(service) &&
        at >= startedAt.getTime() &&
        at <= (finishedAt ?? now).getTime() + SLACK_MS,
    );
  });
}

/**
 * The same place with who brought its version there, if that was somebody elsewhere. What is known to have been deployed, after
 * the robot deployed there last, has not drifted.
 */
export function withDeployer(place: Placement, runs: readonly ShownRun[]): Placement {
  const { service, environment, live } = place;
  if (live.kind !== 'live' || live.by !== undefined) return place;
  const brought = runs.find(
    (run) =>
      run.state === 'succeeded' &&
      run.environment === environment &&
      run.services.includes(service) &&
      (run.version === live.version || (run.commit !== undefined && isSameCommit(live.version, run.commit))),
  );
  if (brought === undefined) return place;
  const { drift, ...known } = live;
  const isLater = drift === undefined || momentOf(brought) > drift.finishedAt;
  if (!isLater) return place;
  return { ...place, live: brought.by === undefined ? known : { ...known, by: brought.by } };
}

/** When it began, as far as that is known. */
export function momentOf({ startedAt, finishedAt, heardAt }: ShownRun): Date {
  return startedAt ?? finishedAt ?? heardAt;
}

/** One line of Markdown. */
export function elsewhereLine(run: ShownRun, now: Date): string {
  const { services, environment, version, commit, by, state, startedAt, finishedAt, url } = run;
  const what = version ?? commit?.slice(0, 10) ?? '';
  const took =
    startedAt === undefined || finishedAt === undefined
      ? ''
      : ` after ${duration(finishedAt.getTime() - startedAt.getTime())}`;
  const who = by === undefined ? '' : `by ${plain(by)} `;
  const link = safeLink('open', url);
  const words = [plain(services.join(', ')), plain(what), 'to', plain(environment ?? 'somewhere')].filter(Boolean);
  const parts = [
    `${words.join(' ')}: ${state}${took}`,
    `${who}in ${NAMES[run.source]}`,
    age(finishedAt ?? momentOf(run), now),
  ];
  return `${parts.join(', ')}${link === undefined ? '' : ` · ${link}`}`;
}
