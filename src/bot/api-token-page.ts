/** Where the secret of a new token is fetched, once: by a person with a page, or by a program as text. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiTokens } from './api-tokens.ts';
import type { Logger } from './log.ts';

export interface TokenPagePorts {
  readonly tokens: Pick<ApiTokens, 'fetch'>;
  readonly log: Logger;
  readonly metrics: { token(event: 'fetched'): void };
  /** Counts what was wrong from that address; resolves the later, the more of it there was. */
  slowDown(request: IncomingMessage): Promise<void>;
}

/** Answers what comes to `/token/<claim>`. */
export async function serveToken(
  { tokens, log, metrics, slowDown }: TokenPagePorts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const claim = (request.url ?? '').replace(/[?#].*$/s, '').replaceAll('/', '');
  const isPage = /\btext\/html\b/i.test(request.headers.accept ?? '');
  // Whatever only looks at addresses, as chats do to show what is behind them, must not use it up.
  if (request.method === 'GET') return answerPage(response, 200, FETCH_PAGE);
  if (request.method !== 'POST') {
    response.setHeader('Allow', 'GET, POST');
    return answerPage(response, 405, page('<p>Use GET or POST.</p>'));
  }
  request.resume();
  const found = await tokens.fetch(claim);
  if (!found) {
    await slowDown(request);
    const text = 'There is nothing to fetch here: it was fetched before, or its time is over.';
    return isPage ? answerPage(response, 410, page(`<p>${text}</p>`)) : answerText(response, 410, text);
  }
  metrics.token('fetched');
  log.info({ token: found.token.name }, 'token fetched');
  if (isPage)
    return answerPage(
      response,
      200,
      page(`<p>The token ${found.token.name}, shown once:</p><pre>${found.secret}</pre>`),
    );
  answerText(response, 200, found.secret);
}

const TEXT_HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
/** A page with a secret: nothing in it runs, nobody frames it, and its address is told to nobody. */
const PAGE_HEADERS = {
  ...TEXT_HEADERS,
  'Content-Security-Policy': "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
};

function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...TEXT_HEADERS });
  response.end(`${text}\n`);
}

function answerPage(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', ...PAGE_HEADERS });
  response.end(html);
}

/** Nothing in it comes from outside: names and secrets of tokens are letters, digits and `. _ -`. */
function page(content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>Token</title></head><body>${content}</body></html>
`;
}

const FETCH_PAGE = page(
  '<p>This shows the secret of a new token, once.</p><form method="post"><button>Show it</button></form>',
);
