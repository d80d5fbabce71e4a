/** The page, its files, and the ways in and out: link, invitation, display name, sign out. */

import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import type { Request, Response, Router } from 'express';
import type { Logger } from '../../../bot/log.ts';
import { sameSecret } from '../../../bot/secret.ts';
import { cookie, cookieName, fingerprint, isSecure, refuseForeignPage, refuseRequest } from './gate.ts';
import { createLimit } from './limit.ts';
import { nameProblem, tidyName } from './name.ts';
import type { Account, WebOptions, WebStore } from './ports.ts';
import { parseEnter } from './schema.ts';
import { sessionOf } from './session.ts';

const SESSION_MS = 30 * 86_400_000;
const BODY_LIMIT = 4096;
const PUBLIC = join(import.meta.dirname, 'public');

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface PageParts {
  readonly store: WebStore;
  readonly options: WebOptions;
  readonly log: Logger;
  readonly now: () => Date;
  readonly robotName: () => string;
  /** Makes somebody at home who has just said a name; throws if that cannot be done now. */
  welcome(account: Account, isNew: boolean): Promise<void>;
  /** Ends what is open of a session. */
  signedOut(session: string): Promise<void>;
}

/** Adds the routes of the web chat. They read their bodies themselves and check on their own who asks. */
export function addPages(router: Router, parts: PageParts): void {
  const { store, options, now, log } = parts;
  const sessions = { store, publicUrl: options.publicUrl, now };
  const files = readPublic();
  const wrong = createLimit(10, 0.2);

  router.get('/', guarded(page));
  router.get('/web/me', guarded(me));
  router.get('/web/join/:secret', guarded(openInvite));
  router.post('/web/enter', guarded(enter));
  router.post('/web/signout', guarded(signOut));
  router.get('/web/:file', guarded(file));

  function guarded(handler: (request: Request, response: Response) => Promise<void> | void) {
    return async (request: Request, response: Response): Promise<void> => {
      secure(response);
      if (!options.enabled) {
        text(response, 503, OFF);
        return;
      }
      const refusal =
        request.method === 'POST'
          ? refuseForeignPage(request, options.publicUrl)
          : refuseRequest(request, options.publicUrl);
      if (refusal !== undefined) {
        text(response, 403, REFUSED[refusal]);
        return;
      }
      try {
        await handler(request, response);
      } catch (error) {
        log.error({ err: error, path: request.path }, 'web chat page failed');
        if (response.headersSent) response.destroy();
        else json(response, 503, { problem: 'Shipmate cannot do that now.', next: 'Try again in a moment.' });
      }
    };
  }

  /** The page; with a token in its address first the exchange of the token for a session. */
  async function page(request: Request, response: Response): Promise<void> {
    const token = new URL(request.url, 'http://localhost').searchParams.get('token');
    if (token === null) {
      sendFile(request, response, 'index.html');
      return;
    }
    const peer = request.socket.remoteAddress ?? '';
    if (!sameSecret(token, options.token)) {
      const patient = wrong.allow(`link ${peer}`, now().getTime());
      log.warn({ peer }, 'web chat link refused');
      if (!patient) return text(response, 429, TOO_MANY);
      return redirect(response, '/#link-refused');
    }
    if ((await sessionOf(request, sessions))?.session.account === undefined) await openSession(request, response);
    redirect(response, '/');
  }

  async function openInvite(request: Request, response: Response): Promise<void> {
    const secret = String(request.params['secret']);
    const hash = fingerprint(secret);
    const invite = await store.openInvite(hash, now());
    if (!invite) {
      const patient = wrong.allow(`invite ${request.socket.remoteAddress ?? ''}`, now().getTime());
      if (!patient) return text(response, 429, TOO_MANY);
      return redirect(response, '/#invite-refused');
    }
    await openSession(request, response, hash);
    redirect(response, '/');
  }

  /** Who the browser is: in, without a name yet, or out. */
  async function me(request: Request, response: Response): Promise<void> {
    const session = (await sessionOf(request, sessions))?.session;
    const robot = parts.robotName();
    if (session?.account) return json(response, 200, { state: 'in', robot, name: session.account.name });
    if (!session) return json(response, 200, { state: 'out', robot, local: options.publicUrl === undefined });
    json(response, 200, { state: 'name', robot, ...(session.invite && { suggested: session.invite.name }) });
  }

  async function enter(request: Request, response: Response): Promise<void> {
    const secret = cookie(request, cookieName(request, options.publicUrl));
    const body = parseEnter(await readJson(request));
    if (secret === undefined) return json(response, 401, SIGNED_OUT);
    if (!body) return json(response, 400, { problem: 'The name is missing.', next: 'Say what you are called.' });
    const name = tidyName(body.name);
    const problem = nameProblem(name, parts.robotName());
    if (problem) return json(response, 400, { problem: problem.text, next: problem.next });
    const entered = await store.enter({ session: fingerprint(secret), name, now: now() });
    switch (entered.kind) {
      case 'no session':
        return json(response, 401, SIGNED_OUT);
      case 'name taken':
        return json(response, 409, {
          problem: `Somebody here is called ${name} already.`,
          next: 'Choose another name. If that is you, ask for an invitation for that name.',
        });
      case 'entered':
        await parts.welcome(entered.account, entered.isNew);
        log.info({ account: entered.account.id, isNew: entered.isNew }, 'web chat person entered');
        return json(response, 200, { state: 'in' });
    }
  }

  async function signOut(request: Request, response: Response): Promise<void> {
    const secret = cookie(request, cookieName(request, options.publicUrl));
    if (secret !== undefined) {
      const hash = fingerprint(secret);
      await store.closeSession(hash);
      await parts.signedOut(hash);
    }
    setCookie(request, response, '', 0);
    json(response, 200, { state: 'out' });
  }

  async function openSession(request: IncomingMessage, response: ServerResponse, invite?: string): Promise<void> {
    const secret = randomBytes(32).toString('base64url');
    const start = now();
    const until = new Date(start.getTime() + SESSION_MS);
    await store.openSession({ hash: fingerprint(secret), ...(invite !== undefined && { invite }), now: start, until });
    setCookie(request, response, secret, SESSION_MS / 1000);
  }

  /** Sets the session's cookie; with 0 seconds to live, takes it away. */
  function setCookie(request: IncomingMessage, response: ServerResponse, value: string, seconds: number): void {
    const name = cookieName(request, options.publicUrl);
    const secureOnly = isSecure(request, options.publicUrl) ? '; Secure' : '';
    response.setHeader(
      'Set-Cookie',
      `${name}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}${secureOnly}`,
    );
  }

  function file(request: Request, response: Response): void {
    sendFile(request, response, String(request.params['file']));
  }

  function sendFile(request: Request, response: Response, name: string): void {
    const found = files.get(name);
    if (!found) return text(response, 404, 'There is no such page.\n');
    response.setHeader('Content-Type', found.type);
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('ETag', found.tag);
    if (request.headers['if-none-match'] === found.tag) response.status(304).end();
    else response.status(200).end(found.body);
  }
}

const SIGNED_OUT = { problem: 'This link or invitation is used up or has expired.', next: 'Open a new one.' };

const TOO_MANY = 'Too many wrong links. Wait a minute and try again.\n';

const OFF = `The web chat is off on this address.
To switch it on, set SHIPMATE_WEB=yes, SHIPMATE_PUBLIC_URL to the address that people use and SHIPMATE_WEB_TOKEN to a long
secret, and start again.
`;

const REFUSED = {
  host: 'This address does not lead to the web chat. Open the link that Shipmate printed when it started.\n',
  peer: 'The web chat is for the machine that it runs on. Open the link there, or switch it on with SHIPMATE_WEB=yes and SHIPMATE_PUBLIC_URL.\n',
  origin: 'Another page asked for this. Open the link that Shipmate printed when it started.\n',
} as const;

function secure(response: ServerResponse): void {
  response.setHeader(
    'Content-Security-Policy',
    [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      "connect-src 'self'",
      "form-action 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types shipmate',
    ].join('; '),
  );
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Permissions-Policy', 'camera=(), geolocation=(), microphone=()');
  response.setHeader('Cache-Control', 'no-store');
}

interface PublicFile {
  readonly body: Buffer;
  readonly type: string;
  readonly tag: string;
}

/** Only what stands in the folder at the start is served: no path of a request ever reaches the disk. */
function readPublic(): ReadonlyMap<string, PublicFile> {
  const files = new Map<string, PublicFile>();
  for (const name of readdirSync(PUBLIC)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const body = readFileSync(join(PUBLIC, name));
    files.set(name, { body, type, tag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` });
  }
  return files;
}

/** The body as JSON; undefined if it is too long or something else. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > BODY_LIMIT) return undefined;
    chunks.push(bytes);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function redirect(response: Response, where: string): void {
  response.status(303).setHeader('Location', where).end();
}

function json(response: Response, status: number, body: object): void {
  response.status(status).setHeader('Content-Type', 'application/json; charset=utf-8').end(JSON.stringify(body));
}

function text(response: Response, status: number, body: string): void {
  response.status(status).setHeader('Content-Type', 'text/plain; charset=utf-8').end(body);
}
