/** Which session a request belongs to. */

import type { IncomingMessage } from 'node:http';
import { cookie, cookieName, fingerprint } from './gate.ts';
import type { Session, WebStore } from './ports.ts';

export interface Signed {
  /** What is stored of the session. */
  readonly hash: string;
  readonly session: Session;
}

/** The session whose cookie the request carries; undefined if there is none, or it is over. */
export async function sessionOf(
  request: IncomingMessage,
  parts: {
    readonly store: Pick<WebStore, 'session'>;
    readonly publicUrl: string | undefined;
    readonly now: () => Date;
  },
): Promise<Signed | undefined> {
  const secret = cookie(request, cookieName(request, parts.publicUrl));
  if (secret === undefined) return undefined;
  const hash = fingerprint(secret);
  const session = await parts.store.session(hash, parts.now());
  return session && { hash, session };
}
