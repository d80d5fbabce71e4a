/**
 * Where GitHub's webhooks come in. They are signed over the raw body.
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */

import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Hook } from '../../../bot/hooks.ts';
import { sameSecret } from '../../../bot/secret.ts';
import type { Pipelines } from '../../../domain/pipelines/ports.ts';
import { eventProblem, isUsed, reportOf } from './schema.ts';

/** A push of thousands of commits is a few megabytes; larger ones matter to nobody here. */
const LIMIT_BYTES = 5 * 1024 * 1024;
const EVENT = 'x-github-event';

export function githubHook(pipelines: Pick<Pipelines, 'record'>, secret: string): Hook {
  return {
    source: 'github',
    accepts: ['application/json'],
    limitBytes: LIMIT_BYTES,
    keepHeaders: [EVENT, 'x-github-delivery'],
    refusal: 'X-Hub-Signature-256 is missing or wrong: give the webhook of GitHub the secret that the robot knows.',
    verify: (body, headers) => signed(secret, body, headers),
    check: (content, headers) => eventProblem(headerOf(headers), content),
    wants: (_content, headers) => isUsed(headerOf(headers)),
    async handle(event) {
      const content: unknown = JSON.parse(event.body.toString('utf8'));
      const report = reportOf(event.headers[EVENT] ?? '', content);
      if (report) await pipelines.record(report, event.receivedAt);
    },
  };
}

function signed(secret: string, body: Buffer, headers: IncomingHttpHeaders): boolean {
  const { 'x-hub-signature-256': shown } = headers;
  if (typeof shown !== 'string') return false;
  return sameSecret(shown, `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
}

function headerOf(headers: IncomingHttpHeaders): string {
  const { [EVENT]: event } = headers;
  return typeof event === 'string' ? event : '';
}
