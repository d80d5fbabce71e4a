/** Signs requests as Standard Webhooks has it: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. */

import { createHmac } from 'node:crypto';

export interface Signed {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/**
 * HMAC-SHA256 over `<id>.<timestamp>.<body>`, as Base64 behind `v1,`.
 *
 * @param secret `whsec_` and Base64, or any other text, which is taken as it is
 * @param at the time, which the receiver compares with its own
 */
export function sign(secret: string, id: string, at: Date, body: string): Signed {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret, 'utf8');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
