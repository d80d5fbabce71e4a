/** Who may talk to the web chat at all: this machine, or the one public address it was switched on for. */

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isFromThisMachine } from '../../../bot/loopback.ts';

/** A literal address of this machine, or its name: no name that somebody else can point here. */
const LOOPBACK_NAME = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/i;

export type Refusal = 'host' | 'peer' | 'origin';

/**
 * Undefined if the request may come in. Without a public address only this machine may: the peer is a loopback address,
 * no proxy stands between, and the `Host` is a loopback name, so that a foreign page cannot reach us through a name
 * of its own that points here (DNS rebinding).
 */
export function refuseRequest(request: IncomingMessage, publicUrl: string | undefined): Refusal | undefined {
  const host = request.headers.host ?? '';
  if (publicUrl !== undefined && host.toLowerCase() === new URL(publicUrl).host) return undefined;
  if (!LOOPBACK_NAME.test(host)) return 'host';
  return isFromThisMachine(request) ? undefined : 'peer';
}

/** Whether an address leads to the machine it is used on. */
export function isLocalUrl(url: string): boolean {
  return LOOPBACK_NAME.test(new URL(url).host);
}

/** Whether a request comes from this machine itself, by a name of it, and was not passed on by anything. */
export function isFromHere(request: IncomingMessage): boolean {
  return refuseRequest(request, undefined) === undefined;
}

/** Like {@link refuseRequest}, and the page that asks must be ours: for WebSockets and everything that changes something. */
export function refuseForeignPage(request: IncomingMessage, publicUrl: string | undefined): Refusal | undefined {
  const refusal = refuseRequest(request, publicUrl);
  if (refusal !== undefined) return refusal;
  const origin = request.headers.origin;
  if (origin === undefined) return 'origin';
  if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return undefined;
  return LOOPBACK_NAME.test(request.headers.host ?? '') && origin === `http://${request.headers.host}`
    ? undefined
    : 'origin';
}

/** What is stored of a session or an invitation: enough to recognise it, not enough to use it. */
export function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The value of one cookie of a request. */
export function cookie(request: IncomingMessage, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}

/** Whether the request came to the public address, and that one is https. */
export function isSecure(request: IncomingMessage, publicUrl: string | undefined): boolean {
  const host = request.headers.host?.toLowerCase();
  return publicUrl?.startsWith('https:') === true && host === new URL(publicUrl).host;
}

/**
 * Cookies are shared by all ports of a machine, so ours carries the port in its name. At a public https address `__Host-` sees
 * to it that no other name of the same domain can give a browser a session of its own.
 */
export function cookieName(request: IncomingMessage, publicUrl: string | undefined): string {
  if (isSecure(request, publicUrl)) return '__Host-shipmate';
  return `shipmate-${/:(\d+)$/.exec(request.headers.host ?? '')?.[1] ?? 'web'}`;
}
