/** How much of what comes from outside is kept. */

import type { AlertEvent, IncomingAlert, Labels } from './ports.ts';

export const BOUNDS = {
  /** Alerts of one card; the rest is counted only. */
  members: 1000,
  labels: 64,
  labelName: 200,
  labelValue: 1000,
  annotationValue: 4000,
  url: 2000,
  group: 4000,
} as const;

// Control characters but tab and newline; marks that reorder text, which make one thing look like another; invisible spaces.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Text that can be stored and shown: no control characters, no reordering marks, no half characters, at most `limit` long. */
export function clean(text: string, limit: number): string {
  return shorten(
    text
      .slice(0, limit * 4)
      .toWellFormed()
      .replace(UNSEEN, ''),
    limit,
  );
}

/** At most `limit` characters, with an ellipsis if something was left out. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** In one line. */
export function oneLine(text: string, limit: number): string {
  return shorten(text.replace(/\s+/g, ' ').trim(), limit);
}

/** The same event within bounds and without secrets. */
export function bounded(event: AlertEvent, redact: (text: string) => string): AlertEvent {
  const over = Math.max(0, event.alerts.length - BOUNDS.members);
  return {
    ...event,
    group: clean(event.group, BOUNDS.group),
    groupLabels: boundedLabels(event.groupLabels, BOUNDS.labelValue, redact),
    alerts: event.alerts.slice(0, BOUNDS.members).map((alert) => boundedAlert(alert, redact)),
    truncated: event.truncated + over,
  };
}

function boundedAlert(alert: IncomingAlert, redact: (text: string) => string): IncomingAlert {
  const { sourceUrl, ...rest } = alert;
  return {
    ...rest,
    labels: boundedLabels(alert.labels, BOUNDS.labelValue, redact),
    annotations: boundedLabels(alert.annotations, BOUNDS.annotationValue, redact),
    ...(sourceUrl && sourceUrl.length <= BOUNDS.url ? { sourceUrl: redact(clean(sourceUrl, BOUNDS.url)) } : {}),
  };
}

function boundedLabels(labels: Labels, limit: number, redact: (text: string) => string): Labels {
  return Object.fromEntries(
    Object.entries(labels)
      .slice(0, BOUNDS.labels)
      .map(([name, value]) => [clean(name, BOUNDS.labelName), clean(redact(clean(value, limit)), limit)]),
  );
}
