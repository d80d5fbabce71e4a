/** What concerns one person now: what waits for their word, what fires, what is running, what they may do. The same in every chat. */

import { listCard } from '../domain/alerts/list.ts';
import type { AlertSummary } from '../domain/alerts/ports.ts';
import { duration } from '../domain/deploy/duration.ts';
import type { Deployment } from '../domain/deploy/ports.ts';
import { type Action, type Card, card, codeBlock, codeSpan, type Field, plain } from './card.ts';
import type { Person } from './chat.ts';
import type { Command, Here } from './command.ts';
import { grouped, visibleCommands } from './help.ts';
import type { Proposal } from './proposals.ts';
import type { Services } from './services.ts';

const MOST_WAITING = 5;
const MOST_ALERTS = 10;
const MOST_RUNNING = 10;
const MOST_COMMANDS = 6;

export interface Overview {
  readonly now: Date;
  readonly robotName: string;
  readonly waiting: readonly Proposal[];
  /** How many more wait that were asked for in private, and are not told here. */
  readonly elsewhere: number;
  /** Open ones, and how many there are in all; undefined if they are not the person's to know. */
  readonly alerts: { readonly alerts: readonly AlertSummary[]; readonly total: number } | undefined;
  /** Numbers of those that the person has acknowledged. */
  readonly own: ReadonlySet<number>;
  readonly mayAcknowledge: boolean;
  /** As alerts. */
  readonly running: readonly Deployment[] | undefined;
  /** The main command of each group that the person may run. */
  readonly commands: readonly Command[];
  /** Things to ask or to look at. */
  readonly suggestions: readonly Suggestion[];
}

export interface Suggestion {
  readonly title: string;
  readonly command: string;
}

type Sources = Pick<Services, 'access' | 'alerts' | 'commands' | 'deploys'>;

/**
 * What there is for this person; as much of it as they may know.
 *
 * @param here where it is told; left out where nobody else sees it
 */
export async function overviewOf(person: Person, services: Sources, now: Date, here?: Here): Promise<Overview> {
  const { access, alerts, commands, deploys } = services;
  const visible = await visibleCommands(commands.all(), person, access);
  const sees = (id: string): boolean => visible.some((command) => command.id === id);
  const { identity } = await access.rightsOf(person);
  const isOwn = (id: string): boolean => id === person.id || identity.linked.includes(id);
  const [all, open, running] = await Promise.all([
    commands.waiting(person, now),
    sees('alerts.list') ? alerts.list({ which: 'open', limit: MOST_ALERTS }) : undefined,
    sees('deploy.list') ? deploys.running() : undefined,
  ]);
  const isPrivate = ({ room }: Proposal): boolean =>
    room.private && here !== undefined && !here.private && !(room.chat === here.chat && room.room === here.room);
  const waiting = all.filter((proposal) => !isPrivate(proposal));
  const mine = (open?.alerts ?? []).filter(
    ({ acknowledged }) => acknowledged !== undefined && isOwn(acknowledged.by.id),
  );
  return {
    now,
    robotName: commands.robotName,
    waiting,
    elsewhere: all.length - waiting.length,
    alerts: open,
    own: new Set(mine.map(({ number }) => number)),
    mayAcknowledge: sees('alerts.acknowledge'),
    running,
    commands: mainCommands(visible),
    suggestions: suggestionsFrom(visible),
  };
}

/** One card for each part, for a place that has room: approvals come first, each with its buttons. */
export function overviewCards(overview: Overview): readonly Card[] {
  const waiting = overview.waiting.slice(0, MOST_WAITING).map((proposal) => waitingCard(proposal, overview.now));
  const left = overview.waiting.length - waiting.length;
  const { commands } = overview;
  return [
    ...(waiting.length > 0 ? waiting : [card({ title: 'Nothing waits for you', tone: 'good' })]),
    ...(left > 0 ? [card({ title: `${left} more wait for you`, text: 'Answer these first.' })] : []),
    ...alertsCard(overview),
    ...runningCard(overview),
    ...(commands.length > 0
      ? [card({ isGuide: true, title: 'What you can do', text: doLines(commands), actions: doActions(overview) })]
      : []),
  ];
}

/** All of it in one message. */
export function overviewCard(overview: Overview): Card {
  const { waiting, elsewhere, commands } = overview;
  const shown = waiting.slice(0, MOST_WAITING);
  const [alerts] = alertsCard(overview);
  const deciding = shown.filter(({ kind }) => kind === 'approve').flatMap(decisions);
  const fields: Field[] = [
    { name: 'Waits for you', value: waitingLines(waiting, elsewhere, overview.now), short: false },
    { name: alerts?.title ?? '', value: alerts?.text ?? '', short: false },
    { name: 'Running now', value: overview.running ? runningLines(overview.running, overview.now) : '', short: false },
    ...(commands.length > 0 ? [{ name: 'What you can do', value: doLines(commands), short: false }] : []),
  ];
  return card({
    isGuide: true,
    title: 'What is up for you',
    fields: fields.filter(({ value }) => value !== ''),
    actions: [...deciding, ...(alerts?.actions ?? []), ...doActions(overview)],
    ...(alerts?.choices ? { choices: alerts.choices } : {}),
  });
}

function waitingCard(proposal: Proposal, now: Date): Card {
  const { kind, person, text } = proposal;
  return card({
    title: kind === 'approve' ? `${person.name} asks for approval` : 'You were asked whether you are sure',
    tone: 'warning',
    text: codeBlock(text),
    actions: kind === 'approve' ? decisions(proposal) : [],
    footer: `${kind === 'approve' ? '' : 'Answer where you were asked. '}Waits ${left(proposal, now)} more`,
  });
}

function waitingLines(waiting: readonly Proposal[], elsewhere: number, now: Date): string {
  if (waiting.length + elsewhere === 0) return 'Nothing.';
  const lines = waiting.slice(0, MOST_WAITING).map((proposal) => {
    const { kind, code, person, text } = proposal;
    const who =
      kind === 'approve'
        ? `${plain(person.name)} asks for approval (${codeSpan(code)})`
        : 'answer where you were asked';
    return `- ${codeSpan(text)}: ${who}, ${left(proposal, now)} more`;
  });
  const more = waiting.length - lines.length;
  return [
    ...lines,
    ...(more > 0 ? [`- and ${more} more`] : []),
    ...(elsewhere > 0 ? [`- ${elsewhere} asked for in private: say \`overview\` in our direct conversation`] : []),
  ].join('\n');
}

function decisions({ code }: Proposal): readonly Action[] {
  return [
    { label: `Approve ${code}`, command: `approve ${code}`, style: 'primary' },
    { label: `Refuse ${code}`, command: `refuse ${code}`, style: 'danger' },
  ];
}

function left({ expiresAt }: Proposal, now: Date): string {
  return duration(Math.max(0, expiresAt.getTime() - now.getTime()));
}

/** The list of `alerts`, with the person's own named. */
function alertsCard({ alerts, own, mayAcknowledge, now }: Overview): readonly Card[] {
  if (!alerts) return [];
  const { actions, choices, ...shown } = listCard(alerts, 'open', now);
  const numbers = [...own].map((number) => `\\#${number}`).join(', ');
  return [
    {
      ...shown,
      ...(own.size > 0 ? { text: `${shown.text ?? ''}\n\nYours: ${numbers}` } : {}),
      ...(mayAcknowledge && actions ? { actions } : {}),
      ...(mayAcknowledge && choices ? { choices } : {}),
    },
  ];
}

function runningCard({ running, now }: Overview): readonly Card[] {
  if (!running) return [];
  if (running.length === 0) return [card({ title: 'Nothing is being deployed' })];
  return [card({ title: 'Running now', tone: 'progress', text: runningLines(running, now) })];
}

function runningLines(running: readonly Deployment[], now: Date): string {
  if (running.length === 0) return 'Nothing.';
  const lines = running.slice(0, MOST_RUNNING).map(({ id, service, version, environment, by, ...one }) => {
    const since = duration(Math.max(0, now.getTime() - (one.startedAt ?? one.requestedAt).getTime()));
    return `- \\#${id} **${plain(service)}** ${plain(version)} to ${plain(environment)}, by ${plain(by.name)}, for ${since}`;
  });
  const more = running.length - lines.length;
  return [...lines, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n');
}

/** Of each group the command that help names first. */
function mainCommands(visible: readonly Command[]): readonly Command[] {
  const groups = grouped(visible).map(([, [first]]) => first);
  return groups.flatMap((command) => (command && command.examples.length > 0 ? [command] : [])).slice(0, MOST_COMMANDS);
}

function doLines(commands: readonly Command[]): string {
  return commands.map(({ examples, summary }) => `- ${codeSpan(examples[0] ?? '')} — ${plain(summary)}`).join('\n');
}

function doActions({ suggestions }: Overview): readonly Action[] {
  return [
    ...suggestions
      .filter(({ command }) => command !== 'overview')
      .map(({ title, command }) => ({ label: title, command })),
    { label: 'Help', command: 'help' },
  ];
}

/** What people open a conversation with, by the command that it needs. */
const OPENINGS: readonly (Suggestion & { readonly needs: string })[] = [
  { needs: 'help.overview', title: 'What is up for me?', command: 'overview' },
  { needs: 'alerts.list', title: 'What is firing?', command: 'alerts' },
  { needs: 'deploy.list', title: 'What runs where?', command: 'deploys' },
];

function suggestionsFrom(visible: readonly Command[]): readonly Suggestion[] {
  const openings = OPENINGS.filter(({ needs }) => visible.some(({ id }) => id === needs));
  const asking = visible.find(({ id }) => id === 'ask.question');
  const [question] = asking?.examples ?? [];
  return [
    ...openings.map(({ title, command }) => ({ title, command })),
    ...(question === undefined ? [] : [{ title: 'Ask the runbooks', command: question }]),
  ];
}

/** What to offer somebody who opens a conversation: commands and questions that they may use. */
export async function suggestionsFor(
  person: Person,
  { access, commands }: Pick<Services, 'access' | 'commands'>,
): Promise<readonly Suggestion[]> {
  return suggestionsFrom(await visibleCommands(commands.all(), person, access));
}
