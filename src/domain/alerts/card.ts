/** How an alert looks. Everything that came with it is shown as plain text. */

import { type Action, type Card, card, type Field, moment, plain, type Tone } from '../../bot/card.ts';
import { oneLine } from './bounds.ts';
import { commonLabels, labelOf } from './labels.ts';
import { safeLink } from './link.ts';
import type { Alert, AlertContext, Labels, Member } from './ports.ts';
import { gravity } from './state.ts';

export interface CardOptions {
  /** How many alerts of the group are named one by one. */
  readonly members?: number;
  /** How many labels are shown. */
  readonly labels?: number;
  /** What is known elsewhere that it may come from. */
  readonly context?: AlertContext;
}

/** The card of one alert, as it is now. */
export function alertCard(alert: Alert, options: CardOptions = {}): Card {
  const text = [summaryOf(alert), listOf(alert, options.members ?? 8), truncationOf(alert)]
    .filter(Boolean)
    .join('\n\n');
  return card({
    title: `#${alert.number} ${alert.title}: ${countsOf(alert)}`,
    tone: toneOf(alert),
    ...(text ? { text } : {}),
    fields: [...fieldsOf(alert, options.labels ?? 10), ...contextFields(options.context)],
    actions: [...actionsOf(alert), ...(options.context?.actions ?? [])],
  });
}

function toneOf(alert: Alert): Tone {
  if (alert.state === 'resolved') return 'good';
  // Somebody has it: no longer red, not yet over.
  if (alert.state === 'acknowledged') return 'warning';
  const gravityOf = gravity(alert.severity);
  if (gravityOf <= 1) return 'bad';
  return gravityOf <= 3 ? 'warning' : 'neutral';
}

function firingOf(alert: Alert): readonly Member[] {
  return alert.members.filter((member) => member.status === 'firing');
}

function countsOf(alert: Alert): string {
  if (alert.state === 'resolved') return alert.members.length > 1 ? `all ${alert.members.length} resolved` : 'resolved';
  const firing = firingOf(alert).length;
  const of = alert.members.length > firing ? ` of ${alert.members.length}` : '';
  const counted = alert.members.length > 1 ? `${firing}${of} firing` : 'firing';
  return alert.state === 'acknowledged' ? `${counted}, acknowledged` : counted;
}

/** The members that the card is about now. */
function subjectOf(alert: Alert): readonly Member[] {
  const firing = firingOf(alert);
  return firing.length > 0 ? firing : alert.members;
}

/** What is wrong, in the words of the rule: of one alert, or what all of them share. */
function summaryOf(alert: Alert): string {
  const shared = commonLabels(subjectOf(alert).map((member) => member.annotations));
  const summary = oneLine(labelOf(shared, 'summary') || labelOf(shared, 'title'), 300);
  const description = oneLine(labelOf(shared, 'description') || labelOf(shared, 'message'), 800);
  return [summary ? `**${plain(summary)}**` : '', description === summary ? '' : plain(description)]
    .filter(Boolean)
    .join('\n\n');
}

function listOf(alert: Alert, limit: number): string {
  if (alert.members.length < 2) return '';
  const common = commonLabels(alert.members.map((member) => member.labels));
  const firingFirst = [...firingOf(alert), ...alert.members.filter((member) => member.status === 'resolved')];
  const shown = firingFirst.slice(0, limit).map((member) => `- ${lineOf(member, common)}`);
  const left = firingFirst.length - shown.length;
  if (left > 0) shown.push(`- and ${left} more`);
  return shown.join('\n');
}

/** What sets one alert apart from the others of its group. */
function lineOf(member: Member, common: Labels): string {
  const own = Object.entries(member.labels)
    .filter(([name]) => !Object.hasOwn(common, name))
    .slice(0, 4)
    .map(([name, text]) => `${name}=${oneLine(text, 80)}`)
    .join(', ');
  const summary = oneLine(labelOf(member.annotations, 'summary'), 120);
  const words = [own, summary].filter(Boolean).map(plain).join(': ') || plain(member.fingerprint);
  return member.status === 'firing' ? `${words}, since ${clock(member.startsAt)}` : `~~${words}~~ resolved`;
}

function truncationOf(alert: Alert): string {
  if (alert.truncated === 0) return '';
  const left = `${alert.truncated} more ${alert.truncated === 1 ? 'alert' : 'alerts'} of this group`;
  return alert.state === 'resolved'
    ? `${left} were not sent with the last notification: they may still be firing.`
    : `${left} were not sent: the sender limits how many it tells.`;
}

function fieldsOf(alert: Alert, labels: number): readonly Field[] {
  const fields: Field[] = [];
  if (alert.severity) fields.push({ name: 'Severity', value: plain(alert.severity) });
  fields.push({ name: 'Started', value: moment(alert.openedAt) });
  if (alert.resolvedAt) {
    const lasted = length(alert.resolvedAt.getTime() - alert.openedAt.getTime());
    fields.push({ name: 'Ended', value: `${moment(alert.resolvedAt)} (after ${lasted})` });
  }
  const common = commonLabels(subjectOf(alert).map((member) => member.labels));
  const shown = Object.entries(common)
    .filter(([name]) => name !== 'alertname' && name !== 'severity')
    .slice(0, labels)
    .map(([name, text]) => plain(`${oneLine(name, 60)}=${oneLine(text, 200)}`));
  if (shown.length > 0) fields.push({ name: 'Labels', value: shown.join(', '), short: false });
  const links = linksOf(alert);
  if (links) fields.push({ name: 'Links', value: links, short: false });
  if (alert.acknowledged) {
    const { by, at, note } = alert.acknowledged;
    const said = note ? `: ${plain(oneLine(note, 300))}` : '';
    fields.push({ name: 'Acknowledged', value: `${plain(by.name)}, ${moment(at)}${said}`, short: false });
  }
  return fields;
}

function contextFields(context: AlertContext | undefined): readonly Field[] {
  return context === undefined ? [] : [{ name: context.name, value: context.value, short: false }];
}

function linksOf(alert: Alert): string {
  const subject = subjectOf(alert);
  const first = (of: (member: Member) => string | undefined): string | undefined => subject.map(of).find(Boolean);
  const runbook = first((member) =>
    safeLink('Runbook', labelOf(member.annotations, 'runbook_url') || labelOf(member.annotations, 'runbook')),
  );
  const dashboard = first((member) =>
    safeLink('Dashboard', labelOf(member.annotations, 'dashboard_url') || labelOf(member.annotations, 'dashboard')),
  );
  const source = first((member) => safeLink('Source', member.sourceUrl));
  return [runbook, dashboard, source].filter(Boolean).join(' · ');
}

function actionsOf(alert: Alert): readonly Action[] {
  const show: Action = { label: 'Details', command: `alerts show ${alert.number}` };
  if (alert.state !== 'firing') return [show];
  return [{ label: 'Acknowledge', command: `alerts ack ${alert.number}`, style: 'primary' }, show];
}

function clock(at: Date): string {
  return `${at.toISOString().slice(11, 16)} UTC`;
}

/** `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function length(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}
