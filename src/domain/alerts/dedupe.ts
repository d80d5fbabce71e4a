/** Notifications are repeated, come twice from a pair of senders, and late: what one of them says that is new. */

import { fingerprintOf } from './fingerprint.ts';
import type { IncomingAlert, Member } from './ports.ts';

/**
 * For how long after an alert was reported resolved a report that the same firing goes on counts as one that was late. A sender
 * that still reports it afterwards means it: a Prometheus that was cut off for a while, for example.
 */
const LATE_MS = 5 * 60_000;

export type News =
  | { readonly kind: 'nothing' }
  /** It starts to fire, for the first time or again. */
  | { readonly kind: 'fires'; readonly member: Member }
  /** It has ended, or what is known of it is different. */
  | { readonly kind: 'changed'; readonly member: Member };

/** One of each alert of a notification: the last word on it. */
export function distinct(alerts: readonly IncomingAlert[]): ReadonlyMap<string, IncomingAlert> {
  const found = new Map<string, IncomingAlert>();
  for (const alert of alerts) {
    const fingerprint = fingerprintOf(alert);
    const other = found.get(fingerprint);
    if (!other || other.startsAt.getTime() <= alert.startsAt.getTime()) found.set(fingerprint, alert);
  }
  return found;
}

/** What a report says that is not known yet. */
export function news(known: Member | undefined, alert: IncomingAlert, heardAt: Date): News {
  const member = memberOf(alert, heardAt);
  if (!known) return alert.status === 'firing' ? { kind: 'fires', member } : { kind: 'changed', member };
  const started = alert.startsAt.getTime() - known.startsAt.getTime();
  if (alert.status === 'resolved') return newsOfEnd(known, member, started);
  if (known.status === 'resolved')
    return again(known, member, started) ? { kind: 'fires', member } : { kind: 'nothing' };
  if (heardAt.getTime() < known.heardAt.getTime() || started < 0 || same(known, member)) return { kind: 'nothing' };
  return { kind: 'changed', member };
}

/** The end of an earlier firing says nothing about the present one. */
function newsOfEnd(known: Member, member: Member, started: number): News {
  if (started < 0 && known.status === 'resolved') return { kind: 'nothing' };
  const ended = member.endsAt?.getTime() ?? member.startsAt.getTime();
  if (started < 0 && ended <= known.startsAt.getTime()) return { kind: 'nothing' };
  if (known.status === 'resolved') {
    const before = known.endsAt?.getTime() ?? 0;
    if (ended < before || same(known, member)) return { kind: 'nothing' };
  }
  return { kind: 'changed', member };
}

/** Whether a report of firing means a new firing after the end that is known. */
function again(known: Member, member: Member, started: number): boolean {
  if (started < 0) return false;
  if (started > 0 && member.startsAt.getTime() >= (known.endsAt?.getTime() ?? 0)) return true;
  return member.heardAt.getTime() - known.heardAt.getTime() > LATE_MS;
}

function memberOf(alert: IncomingAlert, heardAt: Date): Member {
  const { status, labels, annotations, startsAt, endsAt, sourceUrl } = alert;
  return {
    fingerprint: fingerprintOf(alert),
    status,
    labels,
    annotations,
    startsAt,
    heardAt,
    ...(status === 'resolved' ? { endsAt: endsAt ?? heardAt } : {}),
    ...(sourceUrl ? { sourceUrl } : {}),
  };
}

function same(a: Member, b: Member): boolean {
  return (
    a.status === b.status &&
    a.startsAt.getTime() === b.startsAt.getTime() &&
    a.endsAt?.getTime() === b.endsAt?.getTime() &&
    a.sourceUrl === b.sourceUrl &&
    sameLabels(a.annotations, b.annotations) &&
    sameLabels(a.labels, b.labels)
  );
}

function sameLabels(a: Member['labels'], b: Member['labels']): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}
