/** Where Alertmanager's notifications come in. */

import type { Hook } from '../../../bot/hooks.ts';
import type { Alerts } from '../../../domain/alerts/ports.ts';
import { eventOf, webhookProblem } from './schema.ts';

/** A group of thousands of alerts is a few megabytes. */
const LIMIT_BYTES = 8 * 1024 * 1024;

export function alertmanagerHook(alerts: Pick<Alerts, 'receive'>): Hook {
  return {
    source: 'alertmanager',
    accepts: ['application/json'],
    limitBytes: LIMIT_BYTES,
    check: webhookProblem,
    async handle(event) {
      const content: unknown = JSON.parse(event.body.toString('utf8'));
      await alerts.receive(eventOf(content, event.receivedAt));
    },
  };
}
