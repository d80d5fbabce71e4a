/** The durable jobs behind alerts. */

import type { Jobs } from '../../bot/jobs.ts';
import { TEST_SECONDS } from './alerts.ts';
import type { AlertPorts, Alerts } from './ports.ts';

const RESOLVE_TEST = 'alerts.resolve-test';
const CATCH_UP = 'alerts.catch-up';

export interface AlertWork {
  readonly resolveTestLater: AlertPorts['resolveTestLater'];
  /** Looks, now and every minute, for alerts that were stored and not shown. Call once the jobs run. */
  start(): Promise<void>;
}

/** Defines the jobs. `alerts` is asked for when one runs: the service itself needs what this returns. */
export function alertWork(jobs: Jobs, alerts: () => Pick<Alerts, 'resolveTest' | 'catchUp'>): AlertWork {
  jobs.define<{ id: string; startsAt: string }>(
    RESOLVE_TEST,
    { retries: 5, retryDelaySeconds: 10, expireSeconds: 60 },
    async ({ id, startsAt }) => await alerts().resolveTest({ id, startsAt: new Date(startsAt) }),
  );
  jobs.define(CATCH_UP, { retries: 0, expireSeconds: 60 }, async () => await alerts().catchUp());
  return {
    resolveTestLater: async ({ id, startsAt }) =>
      await jobs.send(
        RESOLVE_TEST,
        { id, startsAt: startsAt.toISOString() },
        { startAfterSeconds: TEST_SECONDS, key: `test:${id}` },
      ),
    start: async () => {
      await jobs.schedule(CATCH_UP, '* * * * *');
      await jobs.send(CATCH_UP, {}, { key: 'start' });
    },
  };
}
