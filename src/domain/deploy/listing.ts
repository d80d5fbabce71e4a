/** What runs where, what was deployed before, and the log of one deployment, as cards. */

import { type Action, type Card, card, codeBlock, moment, plain } from '../../bot/card.ts';
import type { ShownRun } from '../pipelines/ports.ts';
import { age, duration } from './duration.ts';
import { elsewhereLine, momentOf, notOurs, withDeployer } from './elsewhere.ts';
import type { Deployment, Placement } from './ports.ts';

const LATEST = 10;

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
  const parts = [places.map((place) => `- ${placeLine(withDeployer(place, elsewhere), now)}`).join('\n')];
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

function placeLine(place: Placement, now: Date): string {
  const where = `${plain(place.service)} in ${plain(place.environment)}`;
  const running =
    place.open === undefined
      ? ''
      : ` · ${plain(place.open.version)} is being deployed by ${plain(place.open.by.name)}, since ${duration(now.getTime() - (place.open.startedAt ?? place.open.requestedAt).getTime())}`;
  return `${where}: ${liveText(place.live, now)}${running}`;
}

/** What is live, since when, by whom. */
export function liveText(live: Placement['live'], now: Date): string {
  if (live.kind === 'nothing') return 'nothing';
  if (live.kind === 'unclear') {
    const last = live.recorded === undefined ? '' : `; deployed last: ${plain(live.recorded)}`;
    return `not known: ${plain(live.text)}${last}`;
  }
  const since = live.since === undefined ? '' : `, since ${moment(live.since)} (${age(live.since, now)})`;
  const watched = live.watchedUntil === undefined ? '' : `, watched until ${moment(live.watchedUntil)}`;
  return `**${plain(live.version)}**${since}${live.by === undefined ? '' : `, by ${plain(live.by)}`}${watched}`;
}

function historyLine(one: Deployment, now: Date): string {
  const what = `\\#${one.id} ${plain(one.service)} ${plain(one.version)} to ${plain(one.environment)}`;
  const took =
    one.finishedAt === undefined || one.startedAt === undefined
      ? ''
      : ` after ${duration(one.finishedAt.getTime() - one.startedAt.getTime())}`;
  return `${what}: ${one.state}${took}, by ${plain(one.by.name)}, ${age(one.finishedAt ?? one.requestedAt, now)}`;
}

/** More than this does not fit into a message. */
const LOG_LENGTH = 12_000;

/** The answer to `deploys log`: the end of the output, where the error stands, if it is too long for a message. */
export function logCard(deployment: Deployment, output: string, now: Date): Card {
  const { id, service, environment, version, state } = deployment;
  const start = output.length <= LOG_LENGTH ? 0 : output.indexOf('\n', output.length - LOG_LENGTH) + 1;
  const shown = output.slice(start);
  const left = output.slice(0, start).split('\n').length - 1;
  const parts = [];
  if (deployment.reason !== undefined) parts.push(`Why: ${plain(deployment.reason)}.`);
  if (left > 0) parts.push(`The last lines; ${left} before them are left out.`);
  parts.push(shown.trim() === '' ? 'The program said nothing.' : codeBlock(shown));
  return card({
    title: `Deployment ${id}: ${service} ${version} to ${environment}, ${state}`,
    text: parts.join('\n\n'),
    footer: `Asked for by ${deployment.by.name}, ${age(deployment.requestedAt, now)}`,
  });
}
