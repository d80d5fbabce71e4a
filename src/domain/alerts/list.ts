/** Alerts in a list. */

import { type Card, card, moment, plain } from '../../bot/card.ts';
import { length } from './card.ts';
import type { AlertFilter, AlertSummary } from './ports.ts';
import { gravity } from './state.ts';

/** The list as a card: the gravest first, each with what to type. */
export function listCard(
  found: { readonly alerts: readonly AlertSummary[]; readonly total: number },
  which: AlertFilter['which'],
  now: Date,
): Card {
  const { alerts, total } = found;
  if (alerts.length === 0) {
    return card({
      title: which === 'open' ? 'No alert is firing' : 'No alert was ever heard',
      tone: 'good',
      text: which === 'open' ? '`alerts all` shows the earlier ones.' : '`alerts test` sends one.',
    });
  }
  const sorted = which === 'open' ? [...alerts].sort((a, b) => rank(a) - rank(b) || b.number - a.number) : alerts;
  const lines = sorted.map((alert) => lineOf(alert, now));
  if (total > alerts.length) lines.push(`- and ${total - alerts.length} more`);
  const open = alerts.filter((alert) => alert.state === 'firing');
  return card({
    title: which === 'open' ? `${total} ${total === 1 ? 'alert' : 'alerts'} firing` : 'Alerts, newest first',
    tone: open.some((alert) => gravity(alert.severity) <= 1) ? 'bad' : open.length > 0 ? 'warning' : 'neutral',
    text: lines.join('\n'),
    ...acknowledging(sorted.filter((alert) => alert.state === 'firing')),
  });
}

/** A button where one alert waits for somebody; of more the one that is meant is chosen. */
function acknowledging(waiting: readonly AlertSummary[]): Pick<Card, 'actions' | 'choices'> {
  const acknowledge = ({ number }: AlertSummary): string => `alerts ack ${number}`;
  const [alert, ...others] = waiting;
  if (!alert) return {};
  if (others.length === 0) return { actions: [{ label: `Acknowledge #${alert.number}`, command: acknowledge(alert) }] };
  const options = waiting.map((each) => ({ label: `#${each.number} ${each.title}`, command: acknowledge(each) }));
  return { choices: [{ label: 'Acknowledge…', options }] };
}

function rank(alert: AlertSummary): number {
  return (alert.state === 'acknowledged' ? 10 : 0) + gravity(alert.severity);
}

function lineOf(alert: AlertSummary, now: Date): string {
  const words = [`- **\\#${alert.number}** ${plain(alert.title)}`];
  if (alert.severity) words.push(`(${plain(alert.severity)})`);
  if (alert.state === 'resolved') {
    words.push(`resolved ${moment(alert.resolvedAt ?? alert.openedAt)}`);
    return words.join(' ');
  }
  if (alert.total > 1) words.push(`${alert.firing} of ${alert.total}`);
  words.push(`firing for ${length(now.getTime() - alert.openedAt.getTime())}`);
  if (alert.acknowledged) words.push(`· acknowledged by ${plain(alert.acknowledged.by.name)}`);
  return words.join(' ');
}
