/**
 * The signature of a webhook of GitLab, as https://www.standardwebhooks.com says: HMAC-SHA256 over id, moment and body.
 * https://docs.gitlab.com/user/project/integrations/webhooks/
 */

import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { sameSecret } from '../../../bot/secret.ts';

/** How far its moment may be from ours. */
const TOLERANCE_MS = 5 * 60_000;
/** Several may be shown while a secret is being changed. */
const SIGNATURES = 5;
const PREFIX = 'whsec_';

export function signatureFits(token: string, body: Buffer, headers: IncomingHttpHeaders, now: Date): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': shown } = headers;
  if (typeof id !== 'string' || typeof seconds !== 'string' || typeof shown !== 'string') return false;
  if (id === '' || !/^\d{1,12}$/.test(seconds)) return false;
  if (Math.abs(now.getTime() - Number(seconds) * 1000) > TOLERANCE_MS) return false;
  const expected = `v1,${createHmac('sha256', keyOf(token)).update(`${id}.${seconds}.`).update(body).digest('base64')}`;
  let fits = false;
  for (const each of shown.split(' ').slice(0, SIGNATURES)) fits = sameSecret(each, expected) || fits;
  return fits;
}

/** A token with the prefix of the standard is the key in base64; any other is the key itself. */
function keyOf(token: string): Buffer {
  return token.startsWith(PREFIX) ? Buffer.from(token.slice(PREFIX.length), 'base64') : Buffer.from(token, 'utf8');
}
