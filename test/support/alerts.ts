/** Notifications for tests: made up, and captured from a real Alertmanager. */

import { existsSync, readFileSync } from 'node:fs';
import { labelsFingerprint } from '../../src/domain/alerts/fingerprint.ts';
import type { AlertEvent, IncomingAlert, Labels } from '../../src/domain/alerts/ports.ts';
import { needsData } from './missing.ts';

const FOLDER = new URL('../../../shared/fixtures/alertmanager/captured-0.25.0/', import.meta.url);

/** Minutes after a fixed moment. */
export function minute(minutes: number): Date {
  return new Date(Date.UTC(2026, 0, 1) + minutes * 60_000);
}

export interface AlertInit {
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly from?: number;
  readonly to?: number;
  readonly sourceUrl?: string;
}

/** An alert of one instance; it has ended if `to` is given. Times in minutes. */
export function incoming(instance: string, init: AlertInit = {}): IncomingAlert {
  const labels = { alertname: 'HighErrorRate', instance, severity: 'critical', ...init.labels };
  return {
    status: init.to === undefined ? 'firing' : 'resolved',
    labels,
    annotations: init.annotations ?? { summary: `errors on ${instance}` },
    startsAt: minute(init.from ?? 0),
    fingerprint: labelsFingerprint(labels),
    ...(init.to === undefined ? {} : { endsAt: minute(init.to) }),
    ...(init.sourceUrl ? { sourceUrl: init.sourceUrl } : {}),
  };
}

/** A notification received at a minute. */
export function eventAt(at: number, alerts: readonly IncomingAlert[], init: Partial<AlertEvent> = {}): AlertEvent {
  return {
    source: 'alertmanager',
    group: 'shipmate {}:{alertname="HighErrorRate"}',
    groupLabels: { alertname: 'HighErrorRate' },
    receivedAt: minute(at),
    alerts,
    truncated: 0,
    ...init,
  };
}

/** Text of a captured webhook; skips the running test, out loud, where the captures are missing. */
export function captured(context: Mocha.Context, name: string): string {
  const file = new URL(name, FOLDER);
  if (!existsSync(file)) {
    return needsData(context, '../shared/fixtures/alertmanager/captured-0.25.0');
  }
  return readFileSync(file, 'utf8');
}
