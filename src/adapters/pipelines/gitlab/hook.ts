/**
 * Where GitLab's webhooks come in. They show a secret token, or, of newer versions, sign the raw body.
 * https://docs.gitlab.com/user/project/integrations/webhooks/
 */

import type { IncomingHttpHeaders } from 'node:http';
import type { Hook } from '../../../bot/hooks.ts';
import { sameSecret } from '../../../bot/secret.ts';
import type { Pipelines } from '../../../domain/pipelines/ports.ts';
import { eventProblem, isUsed, reportOf } from './schema.ts';
import { signatureFits } from './signature.ts';

const LIMIT_BYTES = 5 * 1024 * 1024;

export interface GitlabSecrets {
  /** Shown as `X-Gitlab-Token`. */
  readonly token: string | undefined;
  /** Once it is known, a hook that is not signed with it is refused, whatever token it shows. */
  readonly signingToken: string | undefined;
}

/** @throws Error if there is no secret at all */
export function gitlabHook(pipelines: Pick<Pipelines, 'record'>, secrets: GitlabSecrets, now: () => Date): Hook {
  const { token, signingToken } = secrets;
  if (token === undefined && signingToken === undefined) throw new Error('hooks of GitLab need a secret');

  function known(body: Buffer, headers: IncomingHttpHeaders): boolean {
    const { 'x-gitlab-token': shown } = headers;
    if (signingToken !== undefined && !signatureFits(signingToken, body, headers, now())) return false;
    return token === undefined || (typeof shown === 'string' && sameSecret(shown, token));
  }

  return {
    source: 'gitlab',
    accepts: ['application/json'],
    limitBytes: LIMIT_BYTES,
    keepHeaders: ['x-gitlab-event', 'x-gitlab-instance'],
    refusal:
      signingToken === undefined
        ? 'X-Gitlab-Token is missing or wrong: give the webhook of GitLab the secret token that the robot knows.'
        : 'The signature is missing, wrong or old: give the webhook of GitLab the secrets that the robot knows.',
    verify: known,
    check: eventProblem,
    wants: isUsed,
    async handle(event) {
      const content: unknown = JSON.parse(event.body.toString('utf8'));
      const report = reportOf(content);
      if (report) await pipelines.record(report, event.receivedAt);
    },
  };
}
