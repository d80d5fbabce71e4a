/** What is shown of alerts after a deployment, in its own room and on the cards of the alerts. Pure. */

import { type Action, type Card, card, mention, plain } from '../../bot/card.ts';
import type { AlertContext } from '../alerts/ports.ts';
import type { WayBack } from './auto-rollback.ts';
import { duration } from './duration.ts';
import { isPerson } from './ending.ts';
import { footer } from './footer.ts';
import { isOpen } from './place.ts';
import type { Deployment, Requester } from './ports.ts';
import type { Tie } from './tie.ts';

/** Alerts that are named one by one. */
const NAMED = 8;
const SHOWN_CONTEXTS = 3;

export interface WatchFacts {
  readonly deployment: Deployment;
  readonly ties: readonly Tie[];
  readonly wayBack: WayBack | undefined;
  /** The robot's own rollback of it. */
  readonly rollback: Deployment | undefined;
  /** What was live before; undefined if nobody knows, or if something newer is there. */
  readonly backTo: string | undefined;
  /** Who asked for it. */
  readonly person: Requester;
}

/** The message in the room of the deployment, kept up to date; undefined if there is nothing to say. */
export function watchCard(facts: WatchFacts): Card | undefined {
  const { deployment, ties, wayBack, person } = facts;
  if (ties.length === 0 && wayBack === undefined) return undefined;
  const firing = ties.filter(({ isFiring }) => isFiring);
  const { service, environment, version } = deployment;
  const what = `${service} ${version} to ${environment}`;
  const called = isPerson(person) ? `${mention(person)}: ` : '';
  const shown = ties.slice(0, NAMED).map((tie) => `- ${tieLine(tie, deployment)}`);
  if (ties.length > NAMED) shown.push(`- and ${ties.length - NAMED} more`);
  const list = shown.join('\n');
  const head = headOf(ties.length, firing.length, what);
  return card({
    title: head,
    tone: firing.length > 0 ? 'bad' : wayBack === undefined ? 'good' : 'warning',
    text: [`${called}${wayWords(facts)}`, list].filter(Boolean).join('\n\n'),
    actions: [...backActions(facts), { label: 'Log', command: `deploys log ${deployment.id}` }],
    footer: footer(deployment),
  });
}

function headOf(all: number, firing: number, what: string): string {
  if (all === 0) return `After ${what}`;
  const alerts = (count: number) => `${count} ${count === 1 ? 'alert' : 'alerts'}`;
  return firing === 0 ? `${alerts(all)} after ${what}, resolved` : `${alerts(firing)} after ${what}`;
}

function tieLine({ alert, title, severity, startsAt, isFiring }: Tie, deployment: Deployment): string {
  const gravity = severity === '' ? '' : ` (${plain(severity)})`;
  const words = `\\#${alert} ${plain(title)}${gravity}, ${timeWords(deployment, startsAt, 'after it')}`;
  return isFiring ? `**${words}**` : `~~${words}~~ resolved`;
}

/** `4 min after it`, `while it ran`. */
function timeWords({ finishedAt }: Deployment, at: Date, after: string): string {
  if (finishedAt === undefined || at < finishedAt) return 'while it ran';
  return `${duration(at.getTime() - finishedAt.getTime())} ${after}`;
}

function wayWords({ wayBack, rollback, backTo }: WatchFacts): string {
  if (wayBack === undefined) {
    if (backTo === undefined) return 'look at this.';
    return `look at this. Before, **${plain(backTo)}** was live.`;
  }
  const because = `because ${plain(wayBack.reason)}`;
  if (wayBack.outcome === undefined) return `I roll back by myself, ${because}.`;
  switch (wayBack.outcome) {
    case 'started':
      return `${rollbackWords(rollback)}, ${because}.`;
    case 'undone':
      return `nothing to roll back by myself: what was live before is live, though ${plain(wayBack.reason)}.`;
    case 'locked':
    case 'overtaken':
    case 'refused':
      return `I do not roll back by myself, though ${plain(wayBack.reason)}: ${plain(wayBack.detail ?? 'it was refused')}.`;
  }
}

function rollbackWords(rollback: Deployment | undefined): string {
  if (rollback === undefined) return 'I roll back by myself';
  const which = `to **${plain(rollback.version)}** by myself (deployment ${rollback.id})`;
  if (rollback.state === 'succeeded') return `I rolled back ${which}`;
  if (isOpen(rollback.state) || rollback.state === 'waiting') return `I roll back ${which}`;
  return `I tried to roll back ${which}, and it did not succeed`;
}

/** The button, unless the way back is taken already. */
function backActions({ deployment, wayBack, rollback, backTo }: WatchFacts): readonly Action[] {
  if (deployment.state === 'running') return [{ label: `Cancel ${deployment.id}`, command: `cancel ${deployment.id}` }];
  const isUnderWay = wayBack !== undefined && (wayBack.outcome === undefined || wayBack.outcome === 'undone');
  if (backTo === undefined || isUnderWay || rollback?.state === 'succeeded') return [];
  if (rollback !== undefined && (isOpen(rollback.state) || rollback.state === 'waiting')) return [];
  const { service, environment } = deployment;
  return [
    { label: `Roll back to ${backTo}`, command: `rollback ${service} in ${environment} to ${backTo}`, style: 'danger' },
  ];
}

/** What the card of an alert says of the deployments that it is tied to. */
export function alertContext(
  tied: readonly { readonly tie: Tie; readonly facts: WatchFacts }[],
): AlertContext | undefined {
  if (tied.length === 0) return undefined;
  const shown = tied.slice(0, SHOWN_CONTEXTS);
  return {
    name: 'Deployed',
    value: shown.map(({ tie, facts }) => contextLine(tie, facts)).join('\n'),
    actions: shown.flatMap(({ tie, facts }) => (tie.isFiring ? backActions(facts) : [])),
  };
}

function contextLine({ startsAt }: Tie, { deployment, rollback, wayBack }: WatchFacts): string {
  const { id, service, environment, version, by, finishedAt } = deployment;
  const isAfter = finishedAt !== undefined && startsAt >= finishedAt;
  const when = isAfter ? `${duration(startsAt.getTime() - finishedAt.getTime())} before` : 'while it began to fire';
  const what = `${plain(service)} ${plain(version)} to ${plain(environment)} by ${plain(by.name)} (\\#${id})`;
  const back =
    rollback === undefined
      ? wayBack !== undefined && wayBack.outcome === undefined
        ? '; being rolled back'
        : ''
      : rollback.state === 'succeeded'
        ? `; rolled back to ${plain(rollback.version)} (\\#${rollback.id})`
        : `; rollback to ${plain(rollback.version)} (\\#${rollback.id}): ${rollback.state}`;
  return `${when}: ${what}${back}`;
}
