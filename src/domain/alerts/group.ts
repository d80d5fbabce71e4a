/** One card per group of alerts, from the first that fires to the last that is resolved. */

import { BOUNDS, oneLine } from './bounds.ts';
import { distinct, news } from './dedupe.ts';
import { labelOf } from './labels.ts';
import type { Alert, AlertDraft, AlertEvent, Group, Labels, Member } from './ports.ts';
import { gravest, stateOf } from './state.ts';

export type Change =
  | { readonly kind: 'unchanged'; readonly number?: number }
  | { readonly kind: 'open'; readonly alert: AlertDraft }
  | {
      readonly kind: 'update';
      readonly number: number;
      readonly alert: AlertDraft;
      readonly changed: readonly Member[];
    };

/** Rooms that one card is shown in, at most. */
const ROOMS = 10;

/**
 * What a notification changes. A group that fires again after all of it was resolved gets a new card: nobody would see the old
 * one change far up in the conversation.
 *
 * @param rooms where an alert with these labels is shown
 */
export function change(
  group: Group | undefined,
  event: AlertEvent,
  rooms: (labels: Labels) => readonly string[],
): Change {
  const { current } = group ?? {};
  const changed: Member[] = [];
  let fires = false;
  const known = lastKnown(group);
  for (const [fingerprint, alert] of distinct(event.alerts)) {
    const found = news(known.get(fingerprint), alert, event.receivedAt);
    if (found.kind === 'nothing') continue;
    changed.push(found.member);
    fires ||= found.member.status === 'firing';
  }
  if (current && (current.state !== 'resolved' || !fires)) return updated(current, changed, event, rooms);
  if (changed.length === 0) return { kind: 'unchanged' };
  return { kind: 'open', alert: draft(undefined, event, changed, rooms) };
}

function updated(
  before: Alert,
  changed: readonly Member[],
  event: AlertEvent,
  rooms: (labels: Labels) => readonly string[],
): Change {
  const members = new Map(before.members.map((member) => [member.fingerprint, member]));
  const kept: Member[] = [];
  for (const member of changed) {
    if (!members.has(member.fingerprint) && members.size >= BOUNDS.members) continue;
    members.set(member.fingerprint, member);
    kept.push(member);
  }
  const alert = draft(before, event, [...members.values()], rooms);
  if (kept.length === 0 && alert.truncated === before.truncated) return { kind: 'unchanged', number: before.number };
  return { kind: 'update', number: before.number, alert, changed: kept };
}

function draft(
  before: Alert | undefined,
  event: AlertEvent,
  members: readonly Member[],
  rooms: (labels: Labels) => readonly string[],
): AlertDraft {
  const state = stateOf(members, before?.acknowledged);
  const newer = !before || event.receivedAt.getTime() >= before.truncatedAt.getTime();
  const firing = members.filter((member) => member.status === 'firing');
  const heard = (firing.length > 0 ? firing : members).flatMap((member) => rooms(member.labels));
  const ends = members.map((member) => member.endsAt?.getTime() ?? 0);
  return {
    source: event.source,
    state,
    title: titleOf(event.groupLabels, members),
    severity: gravest(members),
    groupLabels: event.groupLabels,
    members,
    truncated: newer ? event.truncated : before.truncated,
    truncatedAt: newer ? event.receivedAt : before.truncatedAt,
    rooms: [...new Set([...(before?.rooms ?? []), ...heard])].slice(0, ROOMS),
    openedAt: new Date(Math.min(...members.map((member) => member.startsAt.getTime()))),
    ...(state === 'resolved' ? { resolvedAt: new Date(Math.max(...ends)) } : {}),
    ...(before?.acknowledged ? { acknowledged: before.acknowledged } : {}),
  };
}

/** The name of the alert, or what a group of several is called after. */
function titleOf(groupLabels: Labels, members: readonly Member[]): string {
  const names = new Set(members.map((member) => nameOf(member.labels)).filter((name) => name !== ''));
  const [first] = names;
  const name = nameOf(groupLabels) || first || 'Alert';
  const more = names.size > 1 ? ` and ${names.size - 1} more` : '';
  return `${oneLine(name, 120)}${more}`;
}

function nameOf(labels: Labels): string {
  return labelOf(labels, 'alertname').trim();
}

function lastKnown(group: Group | undefined): ReadonlyMap<string, Member> {
  const members = [...(group?.previous?.members ?? []), ...(group?.current?.members ?? [])];
  return new Map(members.map((member) => [member.fingerprint, member]));
}
