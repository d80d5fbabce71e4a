/** firing → acknowledged → resolved. */

import { labelOf } from './labels.ts';
import type { Acknowledgement, AlertDraft, AlertState, Member } from './ports.ts';

/** An acknowledgement outlives more alerts of the same group, and ends with the last of them. */
export function stateOf(members: readonly Member[], acknowledged: Acknowledgement | undefined): AlertState {
  if (!members.some((member) => member.status === 'firing')) return 'resolved';
  return acknowledged ? 'acknowledged' : 'firing';
}

export type AcknowledgeDecision =
  | { readonly kind: 'acknowledge'; readonly alert: AlertDraft }
  | { readonly kind: 'already'; readonly acknowledged: Acknowledgement }
  | { readonly kind: 'resolved' };

/** The first acknowledgement counts. */
export function acknowledge(alert: AlertDraft, acknowledged: Acknowledgement): AcknowledgeDecision {
  if (alert.state === 'resolved') return { kind: 'resolved' };
  if (alert.acknowledged) return { kind: 'already', acknowledged: alert.acknowledged };
  return { kind: 'acknowledge', alert: { ...alert, acknowledged, state: stateOf(alert.members, acknowledged) } };
}

const GRAVITY = [
  ['critical', 'page', 'emergency', 'fatal', 'disaster', 'alert', 'p1', 'sev1'],
  ['error', 'high', 'major', 'p2', 'sev2'],
  ['warning', 'warn', 'average', 'medium', 'minor', 'p3', 'sev3'],
  ['', 'unknown'],
  ['info', 'information', 'notice', 'low', 'p4', 'p5', 'sev4', 'sev5'],
  ['none', 'ok', 'debug'],
] as const;

/** 0 is the gravest. What no word for it is known stands after warnings. */
export function gravity(severity: string): number {
  const wanted = severity.toLowerCase();
  const found = GRAVITY.findIndex((words) => words.some((word) => word === wanted));
  return found === -1 ? 3 : found;
}

/** The gravest severity among those that fire; among all if none does. */
export function gravest(members: readonly Member[]): string {
  const firing = members.filter((member) => member.status === 'firing');
  const severities = (firing.length > 0 ? firing : members).map((member) => severityOf(member));
  return severities.sort((a, b) => gravity(a) - gravity(b))[0] ?? '';
}

function severityOf(member: Member): string {
  return labelOf(member.labels, 'severity').slice(0, 40);
}
