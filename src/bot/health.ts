/** `/healthz`, `/readyz` and `/metrics`. */

import type { IncomingMessage } from 'node:http';
import type { Router } from 'express';
import { answerJson } from './json-answer.ts';
import { isFromThisMachine } from './loopback.ts';
import type { Metrics } from './metrics.ts';
import { sameSecret } from './secret.ts';

export interface HealthPorts {
  readonly metrics: Metrics;
  /** What keeps the robot from working, in a word each; empty when it is ready. */
  troubles(): Promise<readonly string[]>;
  /** Opens `/metrics` to other machines, as a bearer token. */
  readonly token: string;
}

/** `/healthz` says that the process lives, `/readyz` that it can work; both say nothing that a stranger must not know. */
export function healthRoutes(router: Router, ports: HealthPorts): void {
  router.get('/healthz', (_request, response) => answerJson(response, 200, { status: 'alive' }));
  router.get('/readyz', async (_request, response) => {
    const troubles = await ports.troubles();
    answerJson(
      response,
      troubles.length === 0 ? 200 : 503,
      troubles.length === 0 ? { status: 'ready' } : { status: 'not ready', troubles },
    );
  });
  router.get('/metrics', async (request, response) => {
    if (!isLocal(request) && !holds(request, ports.token)) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      answerJson(response, 401, { error: 'Show the hook token as a bearer token.' });
      return;
    }
    response.setHeader('Content-Type', ports.metrics.contentType);
    response.end(await ports.metrics.page());
  });
}

const LOOPBACK_NAME = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/i;

/** From this machine itself, by a name of it (no foreign page reaches us by a name of its own), and not passed on by a proxy on it. */
function isLocal(request: IncomingMessage): boolean {
  return LOOPBACK_NAME.test(request.headers.host ?? '') && isFromThisMachine(request);
}

function holds(request: IncomingMessage, token: string): boolean {
  const shown = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return shown !== undefined && sameSecret(shown, token);
}
