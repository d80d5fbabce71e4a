/** How the end of a deployment is told beyond its own card: to other rooms, and to the person who asked for it. Pure. */

import { type Card, card, mention, plain } from '../../bot/card.ts';
import { tokenNameOf } from '../access/token.ts';
import { duration } from './duration.ts';
import { footer } from './footer.ts';
import { isOpen } from './place.ts';
import type { Deployment, Requester } from './ports.ts';
import { shortVersion } from './source.ts';

/** Whoever waits for less than this still looks at the card. */
const LOOKS_MS = 30_000;

/** Who the robot is where it acts by itself; people's ids have a colon. */
export const ROBOT_ID = 'robot';

const HOW = { failed: 'failed', interrupted: 'was interrupted', cancelled: 'was cancelled' } as const;

/** What happened, in one sentence; undefined while it is not over. */
export function endWords(deployment: Deployment): string | undefined {
  const { service, environment, version, state, reason, startedAt, finishedAt, live } = deployment;
  if (isOpen(state) || state === 'waiting' || finishedAt === undefined) return undefined;
  const what = `**${plain(service)} ${plain(version)}**`;
  const where = plain(environment);
  const why = reason === undefined ? '' : `: ${clause(reason)}`;
  if (startedAt === undefined) return `${what} to ${where} did not run${why}.`;
  const took = duration(finishedAt.getTime() - startedAt.getTime());
  if (state === 'succeeded') return `${what} is live in ${where}, after ${took}${why}.`;
  const now = live === undefined ? '' : ` Live there: **${plain(live)}**.`;
  return `${what} to ${where} ${HOW[state]} after ${took}${why}.${now}`;
}

/** The short card of the rooms that the environment names; undefined if there is nothing to tell them. */
export function announcement(deployment: Deployment): Card | undefined {
  const { id, service, environment, version, state, reason, previous, live, startedAt, finishedAt } = deployment;
  if (isOpen(state) || state === 'waiting' || finishedAt === undefined) return undefined;
  // What never ran changed nothing.
  if (startedAt === undefined) return undefined;
  const back = deployment.isRollback === true ? 'Rollback: ' : '';
  const took = duration(finishedAt.getTime() - startedAt.getTime());
  const shared = { actions: [{ label: 'Log', command: `deploys log ${id}` }], footer: footer(deployment) };
  if (state === 'succeeded') {
    const before = previous === undefined ? '' : ` Before: ${plain(previous)}.`;
    const but = reason === undefined ? '' : ` ${capital(clause(reason))}.`;
    return card({
      title: `${back}${service} ${shortVersion(version)} is live in ${environment}`,
      tone: 'good',
      text: `Took ${took}.${before}${but}`,
      ...shared,
    });
  }
  const why = reason === undefined ? 'no reason given' : clause(reason);
  const now = live === undefined ? '' : ` Live there: **${plain(live)}**.`;
  return card({
    title: `${back}${service} ${shortVersion(version)} to ${environment} ${HOW[state]}`,
    tone: state === 'failed' ? 'bad' : 'warning',
    text: `After ${took}: ${why}.${now}`,
    ...shared,
  });
}

/** Without its full stop; Markdown. */
function clause(reason: string): string {
  return plain(reason.replace(/[.!?]+$/, ''));
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
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
