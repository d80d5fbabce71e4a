/** What runs where, what was deployed before, and the log of one deployment, as cards. */

import { type Action, type Card, card, codeBlock, codeSpan, moment, plain } from '../../bot/card.ts';
import type { ShownRun } from '../pipelines/ports.ts';
import { age, duration } from './duration.ts';
import { elsewhereLine, momentOf, notOurs, withDeployer } from './elsewhere.ts';
import { logPath } from './log-path.ts';
import { leftOut } from './output.ts';
import { pagesOf } from './pages.ts';
import type { Deployment, Placement } from './ports.ts';

const LATEST = 10;
/** Places in one message. */
const LISTED = 40;

/** The answer to `deploys`. @param elsewhere what others deployed past the robot */
export function deploymentsCard(
  places: readonly Placement[],
  history: readonly Deployment[],
  now: Date,
  elsewhere: readonly ShownRun[] = [],
): Card {
  if (places.length === 0) {
    return card({
      title: 'Nothing can be deployed there',
      text: 'Services and their environments stand in `config/services.yaml`.',
    });
  }
  const parts = [
    placeLines(
      places.map((place) => withDeployer(place, elsewhere)),
      now,
    ),
  ];
  const latest = latestLines(history, elsewhere, now);
  if (latest.length === 0) parts.push('Nothing was deployed by me yet.');
  else parts.push(`**Latest**\n\n${latest.map((line) => `- ${line}`).join('\n')}`);
  const failed = history.find((one) => one.state === 'failed' || one.state === 'interrupted');
  const actions: Action[] =
    failed === undefined ? [] : [{ label: `Log of ${failed.id}`, command: `deploys log ${failed.id}` }];
  return card({ title: 'What runs where', text: parts.join('\n\n'), actions });
}

/** Newest first. */
function latestLines(history: readonly Deployment[], elsewhere: readonly ShownRun[], now: Date): readonly string[] {
  const own = history.map((one) => ({ at: one.requestedAt, line: historyLine(one, now) }));
  const others = notOurs(elsewhere, history, now).map((run) => ({ at: momentOf(run), line: elsewhereLine(run, now) }));
  const limit = Math.max(LATEST, history.length);
  const all = [...own, ...others].sort((a, b) => b.at.getTime() - a.at.getTime()).slice(0, limit);
  return all.map(({ line }) => line);
}

/** What has drifted first, then what is being deployed; what there is no room for is counted. */
function placeLines(places: readonly Placement[], now: Date): string {
  const sorted = places.toSorted((one, other) => urgency(one) - urgency(other));
  const lines = sorted.slice(0, LISTED).map((place) => `- ${placeLine(place, now)}`);
  const left = sorted.slice(LISTED);
  const [next] = left;
  if (next !== undefined) {
    const unknown = left.filter(({ live }) => live.kind === 'unclear').length;
    const among = unknown === 0 ? '' : `, ${unknown} of them not known`;
    lines.push(
      `- and ${left.length} more${among}: name a service, an environment or both, as in ${codeSpan(`deploys ${next.service}`)}`,
    );
  }
  return lines.join('\n');
}

function urgency({ live, open }: Placement): number {
  if (live.kind === 'live' && live.drift !== undefined) return 0;
  return open === undefined ? 2 : 1;
}

function placeLine(place: Placement, now: Date): string {
  const where = `${plain(place.service)} in ${plain(place.environment)}`;
  const running =
    place.open === undefined
      ? ''
      : ` · ${plain(place.open.version)} is being deployed by ${plain(place.open.by.name)}, since ${duration(now.getTime() - (place.open.startedAt ?? place.open.requestedAt).getTime())}`;
  return `${where}: ${liveText(place.live, now)}${running}`;
}

/** What is live, since when, by whom; whether it has drifted, and whether that is certain. */
export function liveText(live: Placement['live'], now: Date): string {
  if (live.kind === 'nothing') return 'nothing';
  if (live.kind === 'unclear') {
    const last = live.recorded === undefined ? '' : `; deployed last: ${plain(live.recorded)}`;
    return `not known: ${plain(live.text)}${last}`;
  }
  const since = live.since === undefined ? '' : `, since ${moment(live.since)} (${age(live.since, now)})`;
  const { drift, stale } = live;
  const parts = [`**${plain(live.version)}**${since}${live.by === undefined ? '' : `, by ${plain(live.by)}`}`];
  if (drift !== undefined) {
    parts.push(`drifted: ${plain(drift.version)} was deployed last (\\#${drift.id} by ${plain(drift.by.name)})`);
  }
  if (live.watchedUntil !== undefined) parts.push(`watched until ${moment(live.watchedUntil)}`);
  if (stale !== undefined) parts.push(`seen ${age(stale.since, now)}; ${plain(stale.text)}`);
  return parts.join(' · ');
}

function historyLine(one: Deployment, now: Date): string {
  const what = `\\#${one.id} ${plain(one.service)} ${plain(one.version)} to ${plain(one.environment)}`;
  const took =
    one.finishedAt === undefined || one.startedAt === undefined
      ? ''
      : ` after ${duration(one.finishedAt.getTime() - one.startedAt.getTime())}`;
  const back =
    one.rollsBack === undefined ? (one.isRollback ? ', a rollback' : '') : `, rolls back \\#${one.rollsBack}`;
  return `${what}: ${one.state}${took}, by ${plain(one.by.name)}${back}, ${age(one.finishedAt ?? one.requestedAt, now)}`;
}

/** A page of the output of a deployment, and the whole of it as a file. @param wanted the last page, where the error stands, unless given */
export function logCard(deployment: Deployment, output: string, now: Date, wanted?: number): Card {
  const { id, service, environment, version, state } = deployment;
  const pages = pagesOf(output);
  const page = Math.min(wanted ?? pages.length, pages.length);
  const shown = pages[page - 1] ?? '';
  const missing = leftOut(output);
  const parts = [];
  if (deployment.reason !== undefined) parts.push(`Why: ${plain(deployment.reason)}.`);
  if (missing > 0) parts.push(`${missing} lines between the beginning and the end were not kept.`);
  if (pages.length > 1) parts.push(`Page ${page} of ${pages.length}.`);
  parts.push(shown.trim() === '' ? 'The program said nothing.' : codeBlock(shown));
  const turn = (label: string, to: number): Action => ({ label, command: `deploys log ${id} page ${to}` });
  return card({
    title: `Deployment ${id}: ${service} ${version} to ${environment}, ${state}`,
    text: parts.join('\n\n'),
    actions: [
      ...(page > 2 ? [turn('First page', 1)] : []),
      ...(page > 1 ? [turn('Previous page', page - 1)] : []),
      ...(page < pages.length ? [turn('Next page', page + 1)] : []),
      ...(page < pages.length - 1 ? [turn('Last page', pages.length)] : []),
    ],
    ...(pages.length > 1 ? { file: { name: `deployment-${id}.txt`, path: logPath(id) } } : {}),
    footer: `Asked for by ${deployment.by.name}, ${age(deployment.requestedAt, now)}`,
  });
}
