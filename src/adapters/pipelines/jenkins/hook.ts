/**
 * Where the notification plugin of Jenkins sends to. It cannot sign: it shows a token, in the path or as the password in its
 * address. https://plugins.jenkins.io/notification/
 */

import type { Hook } from '../../../bot/hooks.ts';
import type { Pipelines } from '../../../domain/pipelines/ports.ts';
import { notificationProblem, reportOf } from './schema.ts';

/** Lines of the log may come along. */
const LIMIT_BYTES = 5 * 1024 * 1024;

/** @param token opens this hook in place of the common one */
export function jenkinsHook(pipelines: Pick<Pipelines, 'record'>, token: string | undefined): Hook {
  return {
    source: 'jenkins',
    accepts: ['application/json'],
    limitBytes: LIMIT_BYTES,
    ...(token === undefined ? {} : { tokens: [token] }),
    check: notificationProblem,
    async handle(event) {
      const content: unknown = JSON.parse(event.body.toString('utf8'));
      await pipelines.record(reportOf(content), event.receivedAt);
    },
  };
}
