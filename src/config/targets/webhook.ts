/** A target that sends a signed request and asks for its outcome. */

import { z } from 'zod';
import type { WebhookTargetConfig } from '../../domain/deploy/targets/webhook.ts';
import { duration, strict, variable } from '../fields.ts';
import { addressWith } from './address.ts';

const ASKED = ['service', 'environment', 'version', 'deployment'] as const;
const ANSWERED = [...ASKED, 'id'] as const;

/** See docs/guide/targets/webhook.md. */
export const webhookTarget = strict({
  kind: z.literal('webhook').describe('Sends a signed request to a program of yours'),
  deploy: addressWith(ASKED).describe(
    'Gets the request. Here and below `{service}`, `{environment}`, `{version}` and `{deployment}` are filled in',
  ),
  status: addressWith(ANSWERED)
    .optional()
    .describe('Says how far it is; `{id}` is the one of the answer. Without it, an answer of 2xx is success'),
  log: addressWith(ANSWERED).optional().describe('Text that grows, read in parts by `Range`'),
  cancel: addressWith(ANSWERED).optional().describe('Gets a request when somebody cancels'),
  current: addressWith(['service', 'environment']).optional().describe('Says what is live'),
  versions: addressWith(['service']).optional().describe('Lists the versions there are, newest first'),
  secret_from: variable.describe('The variable that holds the secret that signs'),
  token_from: variable.optional().describe('The variable that holds a token to send as `Authorization: Bearer`'),
  timeout: duration
    .default(30 * 60_000)
    .describe('A rollout that takes longer has failed; thirty minutes unless said otherwise'),
})
  .check(({ value, issues }) => {
    for (const key of ['log', 'cancel'] as const) {
      if (value[key] === undefined || value.status !== undefined) continue;
      issues.push({ code: 'custom', message: `${key} needs status`, path: [key], input: value[key] });
    }
  })
  .transform(
    (target): WebhookTargetConfig => ({
      kind: 'webhook',
      deploy: target.deploy,
      ...(target.status === undefined ? {} : { status: target.status }),
      ...(target.log === undefined ? {} : { log: target.log }),
      ...(target.cancel === undefined ? {} : { cancel: target.cancel }),
      ...(target.current === undefined ? {} : { current: target.current }),
      ...(target.versions === undefined ? {} : { versions: target.versions }),
      secretFrom: target.secret_from,
      ...(target.token_from === undefined ? {} : { tokenFrom: target.token_from }),
      timeoutMs: target.timeout,
    }),
  );
