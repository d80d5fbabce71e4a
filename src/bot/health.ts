/** `/healthz`, `/readyz` and `/metrics`. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Router } from 'express';
import type { Metrics } from './metrics.ts';

export interface HealthPorts {
  readonly metrics: Metrics;
  /** What keeps the robot from working, in a word each; empty when it is ready. */
  troubles(): Promise<readonly string[]>;
  /** Opens `/metrics` to other machines, as a bearer token. */
  readonly token: string;
}

/** `/healthz` says that the process lives, `/readyz` that it can work; both say nothing that a stranger must not know. */
export function healthRoutes(router: Router, ports: HealthPorts): void {
  router.get('/healthz', (_request, response) => answer(response, 200, { status: 'alive' }));
  router.get('/readyz', async (_request, response) => {
    const troubles = await ports.troubles();
    answer(
      response,
      troubles.length === 0 ? 200 : 503,
      troubles.length === 0 ? { status: 'ready' } : { status: 'not ready', troubles },
    );
  });
  router.get('/metrics', async (request, response) => {
    if (!isLocal(request) && !holds(request, ports.token)) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      answer(response, 401, { error: 'Show the hook token as a bearer token.' });
      return;
    }
    response.setHeader('Content-Type', ports.metrics.contentType);
    response.end(await ports.metrics.page());
  });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

const LOOPBACK_NAME = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/i;

/** From this machine itself, by a name of it (no foreign page reaches us by a name of its own), and not passed on by a proxy on it. */
function isLocal(request: IncomingMessage): boolean {
  const peer = request.socket.remoteAddress ?? '';
  const passedOn = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'].some(
    (name) => request.headers[name] !== undefined,
  );
  return !passedOn && LOOPBACK_NAME.test(request.headers.host ?? '') && /^(::ffff:)?127\.|^::1$/.test(peer);
}

function holds(request: IncomingMessage, token: string): boolean {
  const shown = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (shown === undefined) return false;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(shown), digest(token));
}
