/** Whether a request was made on this machine. */

import type { IncomingMessage } from 'node:http';

const PEER = /^(?:::ffff:)?127\.|^::1$/;
/** What a proxy adds: behind one on this machine, everybody seems to be on it. */
const PASSED_ON = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const;

/**
 * The peer is a loopback address, and no proxy has passed the request on. Whoever relies on it looks at the `Host` as well: a
 * foreign page can reach us through a name of its own that points here (DNS rebinding).
 */
export function isFromThisMachine(request: IncomingMessage): boolean {
  return (
    PEER.test(request.socket.remoteAddress ?? '') && PASSED_ON.every((header) => request.headers[header] === undefined)
  );
}
