/** What those who wait in line read, and those who look at it. Pure. */

import { type Action, type Card, card, plain } from '../../bot/card.ts';
import { age } from './duration.ts';
import { footer } from './footer.ts';
import { lockSentence } from './lock-cards.ts';
import { type Lock, lockOn } from './locks.ts';
import { isSamePlace } from './place.ts';
import type { Deployment, Line, Place } from './ports.ts';

/** Puts together what stands in one place. `waiting` in the order of the line. */
export function lineOf(
  place: Place,
  open: readonly Deployment[],
  waiting: readonly Deployment[],
  locks: readonly Lock[],
  at: Date,
): Line {
  const here = (one: Deployment) => isSamePlace(one, place);
  const holder = open.find(here);
  const lock = lockOn(locks, place, at);
  return {
    service: place.service,
    environment: place.environment,
    ...(holder === undefined ? {} : { holder }),
    waiting: waiting.filter(here),
    ...(lock === undefined ? {} : { lock }),
  };
}

/** Every place in which something runs or waits, in the order in which it was asked for. */
export function placesOf(deployments: readonly Deployment[]): readonly Place[] {
  const byName = new Map(
    deployments.map(({ service, environment }) => [`${service} ${environment}`, { service, environment }]),
  );
  return [...byName.values()];
}

/**
 * The versions that a newer one makes pointless: those behind it in the list, and those that are no longer in it. A target
 * without a list: what was asked for last counts as the newest.
 *
 * @param versions newest first
 */
export function olderThan(
  version: string,
  waiting: readonly string[],
  versions: readonly string[] | 'unsupported',
): readonly string[] | 'any other' {
  if (versions === 'unsupported') return 'any other';
  const rank = versions.indexOf(version);
  if (rank < 0) return [];
  return waiting.filter((one) => {
    const other = versions.indexOf(one);
    return other < 0 || other > rank;
  });
}

/** The card of a deployment that stands in line. */
export function waitingCard(deployment: Deployment, line: Line, now: Date): Card {
  const { id, service, environment, version } = deployment;
  const ahead = line.waiting.filter((one) => one.id < id).length;
  const lines = [ahead === 0 ? 'Next in line.' : `Number ${ahead + 1} in line.`];
  if (line.holder !== undefined) lines.push(`${running(line.holder, now)} now.`);
  if (line.lock !== undefined) lines.push(lockSentence(line.lock));
  return card({
    title: `${service} ${version} to ${environment} waits in line`,
    tone: 'progress',
    text: lines.join(' '),
    actions: [{ label: 'Cancel', command: `cancel ${id}` }],
    footer: footer(deployment),
  });
}

/** The card of a deployment that left the line without having run. */
export function droppedCard(deployment: Deployment): Card {
  const { service, environment, version, reason } = deployment;
  const why = reason ?? 'no reason given';
  return card({
    title: `${service} ${version} to ${environment} did not run`,
    tone: 'neutral',
    text: `${plain(`${why.slice(0, 1).toUpperCase()}${why.slice(1)}`)}. Nothing was changed.`,
    footer: footer(deployment),
  });
}

/** The answer to `queue`. */
export function queueCard(lines: readonly Line[], now: Date): Card {
  if (lines.length === 0) return card({ title: 'Nothing runs or waits', text: 'Every place is free.' });
  const parts = lines.map((line) => {
    const title = `**${plain(line.service)} in ${plain(line.environment)}**`;
    const rows = [
      line.holder === undefined ? 'nothing runs' : `${running(line.holder, now)} now (\\#${line.holder.id})`,
      ...(line.lock === undefined ? [] : [lockSentence(line.lock)]),
    ].map((row) => `- ${row}`);
    const waiting = line.waiting.map(
      (one, index) =>
        `${index + 1}. \\#${one.id} ${plain(one.version)}, asked for by ${plain(one.by.name)} ${age(one.requestedAt, now)}`,
    );
    return [title, rows.join('\n'), ...(waiting.length === 0 ? [] : [waiting.join('\n')])].join('\n\n');
  });
  const next = lines.flatMap(({ waiting }) => waiting).slice(0, 3);
  const actions: Action[] = next.map(({ id }) => ({ label: `Cancel ${id}`, command: `cancel ${id}` }));
  return card({ title: 'What runs and waits', text: parts.join('\n\n'), actions });
}

function running({ by, version, startedAt, requestedAt }: Deployment, now: Date): string {
  return `${plain(by.name)} deploys ${plain(version)}, begun ${age(startedAt ?? requestedAt, now)},`;
}
