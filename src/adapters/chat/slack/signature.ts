/** Whether a request is Slack's. https://docs.slack.dev/authentication/verifying-requests-from-slack */

import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { sameSecret } from '../../../bot/secret.ts';

/** Farther from now than that, a request is an old one that somebody kept, or is none. */
const WINDOW_SECONDS = 300;

export interface Signature {
  readonly timestamp: string;
  readonly signature: string;
}

export type Signed =
  | ({ readonly kind: 'signed' } & Signature)
  | { readonly kind: 'unsigned' }
  /** Too old, or from the future. */
  | { readonly kind: 'old' };

/** What the headers say; whether it is true takes the body. */
export function signatureOf(headers: IncomingHttpHeaders, now: Date): Signed {
  const timestamp = headers['x-slack-request-timestamp'];
  const signature = headers['x-slack-signature'];
  if (typeof timestamp !== 'string' || typeof signature !== 'string') return { kind: 'unsigned' };
  if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[\da-f]{64}$/.test(signature)) return { kind: 'unsigned' };
  const seconds = Math.floor(now.getTime() / 1_000);
  if (Math.abs(seconds - Number(timestamp)) > WINDOW_SECONDS) return { kind: 'old' };
  return { kind: 'signed', timestamp, signature };
}

/** Whether the secret made the signature of this body. Takes equally long whether it did or not. */
export function isSignedBy(secret: string, { timestamp, signature }: Signature, body: Buffer): boolean {
  const right = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex');
  return sameSecret(signature, `v0=${right}`);
}

export interface Seen {
  /** Whether it is there already; it is from now on. */
  before(signature: string): boolean;
  /** It came to nothing: it may come again. */
  forget(signature: string): void;
}

/** Right signatures of the window, so that one request is not taken twice. Only what Slack has signed gets in. */
export function createSeen(now: () => Date, most = 10_000): Seen {
  const until = new Map<string, number>();
  return {
    before(signature) {
      const at = now().getTime();
      for (const [each, end] of until) {
        if (end > at && until.size < most) break;
        until.delete(each);
      }
      if (until.has(signature)) return true;
      // A timestamp may lie as far ahead as behind.
      until.set(signature, at + 2 * WINDOW_SECONDS * 1_000);
      return false;
    },
    forget: (signature) => void until.delete(signature),
  };
}
