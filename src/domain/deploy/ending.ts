/** How the end of a deployment is told beyond its own card: to other rooms, and to the person who asked for it. Pure. */

import { type Card, card, mention, plain } from '../../bot/card.ts';
import { tokenNameOf } from '../access/token.ts';
import { duration } from './duration.ts';
import { footer } from './footer.ts';
import { isOpen } from './place.ts';
import type { Deployment, Requester } from './ports.ts';

/** Whoever waits for less than this still looks at the card. */
const LOOKS_MS = 30_000;

/** Who the robot is where it acts by itself; people's ids have a colon. */
export const ROBOT_ID = 'robot';

/** What happened, in one sentence; undefined while it is not over. */
export function endWords(deployment: Deployment): string | undefined {
  const { service, environment, version, state, reason, startedAt, finishedAt, live } = deployment;
  if (isOpen(state) || state === 'waiting' || finishedAt === undefined) return undefined;
  const what = `**${plain(service)} ${plain(version)}**`;
  const where = plain(environment);
  const why = reason === undefined ? '' : `: ${plain(reason.replace(/[.!?]+$/, ''))}`;
  if (startedAt === undefined) return `${what} to ${where} did not run${why}.`;
  const took = duration(finishedAt.getTime() - startedAt.getTime());
  if (state === 'succeeded') return `${what} is live in ${where}, after ${took}${why}.`;
  const how = { failed: 'failed', interrupted: 'was interrupted', cancelled: 'was cancelled' }[state];
  const now = live === undefined ? '' : ` Live there: **${plain(live)}**.`;
  return `${what} to ${where} ${how} after ${took}${why}.${now}`;
}

/** The short card of the rooms that the environment names; undefined if there is nothing to tell them. */
export function announcement(deployment: Deployment): Card | undefined {
  const { id, service, environment, version, state, previous, startedAt } = deployment;
  const text = endWords(deployment);
  // What never ran changed nothing.
  if (text === undefined || startedAt === undefined) return undefined;
  const good = state === 'succeeded';
  const back = deployment.isRollback === true ? 'Rollback: ' : '';
  const before = good && previous !== undefined ? ` Before: ${plain(previous)}.` : '';
  const how = good ? `is live in ${environment}` : `to ${environment} did not succeed`;
  return card({
    title: `${back}${service} ${version} ${how}`,
    tone: good ? 'good' : state === 'failed' ? 'bad' : 'warning',
    text: `${text}${before}`,
    actions: [{ label: 'Log', command: `deploys log ${id}` }],
    footer: footer(deployment),
  });
}

/**
 * The line that makes the person look: what took longer than anybody looks at a card, what did not go well, and what is
 * announced anyway. Undefined for who knows already, and for programs.
 *
 * @param person who asked for it; of the robot's own rollback, who asked for what it rolls back
 */
export function call(deployment: Deployment, person: Requester, isAnnounced: boolean): string | undefined {
  const text = endWords(deployment);
  const { state, requestedAt, startedAt, finishedAt, cancelledBy } = deployment;
  if (text === undefined || !isPerson(person) || cancelledBy?.id === person.id) return undefined;
  const isLooking = (finishedAt?.getTime() ?? 0) - requestedAt.getTime() < LOOKS_MS;
  const isBad = startedAt !== undefined && state !== 'succeeded';
  if (isLooking && !isBad && cancelledBy === undefined && !(isAnnounced && startedAt !== undefined)) return undefined;
  return `${mention(person)}: ${text}`;
}

export function isPerson({ id }: Requester): boolean {
  return id !== ROBOT_ID && tokenNameOf(id) === undefined;
}
