/**
 * The webhook of Alertmanager, version 4. Strict in what is used, indifferent to everything else.
 * https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 */

import { z } from 'zod';
import { labelsFingerprint } from '../../../domain/alerts/fingerprint.ts';
import type { AlertEvent, IncomingAlert, Labels } from '../../../domain/alerts/ports.ts';

/** More alerts than this in one notification are refused. */
const ALERTS = 20_000;

const labels = z.record(z.string(), z.string());

/** Alertmanager writes the zero time of Go, year 1, for what has not happened. */
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const webhook = z.object({
  version: z.literal('4', 'the version of the webhook must be "4"'),
  receiver: z.string().default(''),
  groupKey: z.string().min(1),
  status: z.enum(['firing', 'resolved']),
  groupLabels: labels.default({}),
  truncatedAlerts: z.number().int().min(0).max(1_000_000).default(0),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels: labels.refine((found) => Object.keys(found).length > 0, 'an alert needs labels'),
        annotations: labels.default({}),
        startsAt: time,
        endsAt: time.optional(),
        generatorURL: z.string().optional(),
        fingerprint: z.string().optional(),
      }),
    )
    .max(ALERTS),
});

type Webhook = z.infer<typeof webhook>;

/** A sentence that says what is wrong with a notification; undefined if it can be used. */
export function webhookProblem(content: unknown): string | undefined {
  const parsed = webhook.safeParse(content);
  if (parsed.success) return undefined;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'the body';
  return `This is no Alertmanager webhook of version 4: ${where}: ${issue?.message ?? 'not understood'}.`;
}

/** @throws Error if it is no notification of Alertmanager */
export function eventOf(content: unknown, receivedAt: Date): AlertEvent {
  const parsed = webhook.parse(content);
  return {
    source: 'alertmanager',
    // The receiver, because two receivers of one group may be meant for two places.
    group: `${parsed.receiver} ${parsed.groupKey}`,
    groupLabels: parsed.groupLabels,
    receivedAt,
    alerts: parsed.alerts.map((alert) => alertOf(alert, receivedAt)),
    truncated: parsed.truncatedAlerts,
  };
}

function alertOf(alert: Webhook['alerts'][number], receivedAt: Date): IncomingAlert {
  const { status, labels, annotations, startsAt, endsAt, generatorURL, fingerprint } = alert;
  return {
    status,
    labels,
    annotations,
    startsAt: real(startsAt) ?? receivedAt,
    ...(status === 'resolved' ? { endsAt: real(endsAt) ?? receivedAt } : {}),
    ...(generatorURL ? { sourceUrl: generatorURL } : {}),
    ...(fingerprint ? { fingerprint } : {}),
  };
}

function real(at: Date | undefined): Date | undefined {
  return at && at.getUTCFullYear() >= 1970 ? at : undefined;
}

/** A notification as Alertmanager would send it for one alert. */
export function testWebhook(test: {
  readonly labels: Labels;
  readonly status: 'firing' | 'resolved';
  readonly startsAt: Date;
  readonly now: Date;
}): object {
  const { alertname = '', shipmate_test = '' } = test.labels;
  const annotations = {
    summary: 'This is a test: an alert arrives, is shown here and resolves',
    description: 'Nothing is wrong. It took the way of every alert: through the HTTP intake, the store and the routes.',
  };
  return {
    version: '4',
    receiver: 'shipmate',
    status: test.status,
    groupKey: `{}:{alertname="${alertname}", shipmate_test="${shipmate_test}"}`,
    truncatedAlerts: 0,
    groupLabels: { alertname, shipmate_test },
    commonLabels: test.labels,
    commonAnnotations: annotations,
    externalURL: '',
    alerts: [
      {
        status: test.status,
        labels: test.labels,
        annotations,
        startsAt: test.startsAt.toISOString(),
        endsAt: test.status === 'resolved' ? test.now.toISOString() : '0001-01-01T00:00:00Z',
        generatorURL: '',
        fingerprint: labelsFingerprint(test.labels),
      },
    ],
  };
}
