/** Texts of our own that are too long for a message, served to whoever may talk to the robot: the whole log of a deployment. */

import type { IncomingMessage, ServerResponse } from 'node:http';

/** The text behind a path of the robot's own server, redacted; undefined if there is none. */
export type ReadOwnFile = (path: string) => Promise<string | undefined>;

type Next = (error?: unknown) => void;

/**
 * Answers `GET` with the text to whom `admits` lets in, as a file to be kept. `next` is called for a path that has none.
 */
export function ownFileHandler(
  read: ReadOwnFile,
  admits: (request: IncomingMessage) => Promise<boolean>,
): (request: IncomingMessage & { readonly originalUrl?: string }, response: ServerResponse, next: Next) => void {
  async function handle(path: string, request: IncomingMessage, response: ServerResponse, next: Next): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    if (!(await admits(request)))
      return answer(response, 401, 'Sign in to the web chat first, then open this again.\n');
    const text = await read(path);
    if (text === undefined) return next();
    response.setHeader('content-disposition', `attachment; filename="${nameOf(path)}"`);
    answer(response, 200, request.method === 'HEAD' ? undefined : text);
  }

  return (request, response, next) => {
    const path = (request.originalUrl ?? request.url ?? '').replace(/[?#].*$/s, '');
    handle(path, request, response, next).catch(next);
  };
}

/** `/deploys/42/log.txt` becomes `deploys-42-log.txt`. */
function nameOf(path: string): string {
  return path
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 100);
}

function answer(response: ServerResponse, status: number, body: string | undefined): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(body);
}
