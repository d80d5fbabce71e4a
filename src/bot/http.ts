/** The robot's HTTP server: Hubot's express set-up, with raw bodies, security headers and answers that give nothing away. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorRequestHandler, IRouter, RequestHandler, Router } from 'express';
import type { Logger } from './log.ts';
import { sameSecret } from './secret.ts';

declare module 'node:http' {
  interface IncomingMessage {
    /** The body as it came, once a parser has read it: what a signature is checked over. */
    rawBody?: Buffer;
  }
}

export interface HttpOptions {
  /** 8080 unless given; 0 lets the system choose. */
  readonly port?: number;
  /** If `port` is in use, the next one is tried, up to this one. */
  readonly lastPort?: number;
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  /** Largest body for the parsers, in bytes or as `100kb`, which is the default. */
  readonly limit?: number | string;
  /** Most parameters in a form; 1000 unless given. */
  readonly parameterLimit?: number;
  /** Folder of files to serve. */
  readonly static?: string;
  /** Asked for everything but what is mounted in {@link HttpServer.beforeParsers}. */
  readonly basicAuth?: { readonly user: string; readonly password: string };
}

type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface HttpServer {
  readonly server: Server;
  /** `robot.router`: behind the body parsers. */
  readonly router: IRouter;
  /** Routes that read the body themselves and check on their own who asks: hooks, health, the web chat. */
  readonly beforeParsers: Router;
  /** Takes WebSocket (and other) upgrades of exactly this path. */
  onUpgrade(path: string, handler: UpgradeHandler): void;
  /** Resolves with where it listens. Throws {@link ListenProblem}. */
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  /** Where this machine reaches it, `http://127.0.0.1:8080`; empty until it listens. */
  localUrl(): string;
  /** Takes no new connection, lets answers under way end for at most `graceMs`, then ends every connection. */
  close(graceMs: number): Promise<void>;
}

/** Why the server cannot listen, and what to do. */
export class ListenProblem extends Error {
  readonly next: string;
  /** Another program has the port. */
  readonly inUse: boolean;
  constructor(message: string, next: string, options?: ErrorOptions & { readonly inUse?: boolean }) {
    super(message, options);
    this.name = 'ListenProblem';
    this.next = next;
    this.inUse = options?.inUse ?? false;
  }
}

/** Makes the server without listening, so that routes can be added first. */
export async function createHttpServer(options: HttpOptions, log: Pick<Logger, 'error'>): Promise<HttpServer> {
  const express = (await import('express')).default;
  const { limit = '100kb', parameterLimit = 1000, port = 8080, host = '127.0.0.1' } = options;
  const keepRawBody = (request: IncomingMessage, _response: ServerResponse, body: Buffer) => {
    request.rawBody = body;
  };
  const outer = express();
  const beforeParsers = express.Router();
  const router = express();
  for (const app of [outer, router]) app.disable('x-powered-by');
  let closing = false;
  const endConnections: RequestHandler = (_request, response, next) => {
    if (closing) response.setHeader('Connection', 'close');
    response.once('finish', () => closing && setImmediate(() => server.closeIdleConnections()));
    next();
  };
  outer.use(endConnections, securityHeaders, beforeParsers);
  if (options.basicAuth) outer.use(basicAuth(options.basicAuth));
  outer.use(express.json({ limit, verify: keepRawBody }));
  outer.use(express.urlencoded({ limit, parameterLimit, extended: true, verify: keepRawBody }));
  if (options.static) outer.use(express.static(options.static));
  outer.use(router);
  outer.use(notFound, answerError(log));

  const server = createServer(outer);
  const upgrades = new Map<string, UpgradeHandler>();
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    socket.on('error', () => socket.destroy());
    const handler = upgrades.get(pathOf(request.url));
    if (!handler || closing) {
      socket.end(`HTTP/1.1 ${closing ? '503 Service Unavailable' : '404 Not Found'}\r\nConnection: close\r\n\r\n`);
      return;
    }
    try {
      handler(request, socket, head);
    } catch (error) {
      log.error({ err: error }, 'upgrade failed');
      socket.destroy();
    }
  });

  return {
    server,
    router,
    beforeParsers,
    onUpgrade: (path, handler) => void upgrades.set(path, handler),
    listen: () => listenFrom(server, host, port, options.lastPort ?? port),
    localUrl: () => localUrl(server.address()),
    async close(graceMs) {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const end = () => {
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      };
      const timer = graceMs > 0 ? setTimeout(end, graceMs) : end();
      await closed;
      clearTimeout(timer ?? undefined);
    },
  };
}

async function listenFrom(
  server: Server,
  host: string,
  port: number,
  lastPort: number,
): Promise<{ host: string; port: number }> {
  for (let tried = port; ; tried++) {
    try {
      return await listen(server, host, tried);
    } catch (error) {
      if (!(error instanceof ListenProblem) || !error.inUse || tried >= lastPort) throw error;
    }
  }
}

function localUrl(bound: AddressInfo | string | null): string {
  if (!bound || typeof bound === 'string') return '';
  const host = /^(0\.0\.0\.0|::)$/.test(bound.address) ? '127.0.0.1' : bound.address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`;
}

function listen(server: Server, host: string, port: number): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => reject(listenProblem(error, host, port));
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      const bound: AddressInfo | string | null = server.address();
      resolve({ host, port: typeof bound === 'object' && bound ? bound.port : port });
    });
  });
}

function listenProblem(error: NodeJS.ErrnoException, host: string, port: number): ListenProblem {
  const cause = { cause: error };
  switch (error.code) {
    case 'EADDRINUSE':
      return new ListenProblem(
        `port ${port} on ${host} is in use`,
        'stop the other program, or set PORT to another port',
        { ...cause, inUse: true },
      );
    case 'EACCES':
      return new ListenProblem(
        `port ${port} on ${host} is not allowed for this user`,
        'set PORT to one above 1023',
        cause,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ListenProblem(
        `${host} is no address of this machine`,
        'set BIND_ADDRESS to 127.0.0.1 or 0.0.0.0',
        cause,
      );
    default:
      return new ListenProblem(
        `cannot listen on ${host}, port ${port}: ${error.message}`,
        'set PORT and BIND_ADDRESS',
        cause,
      );
  }
}

/** Scripts may set their own; these hold where they do not. Inline style is what pages of Hubot scripts have. */
const securityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader(
    'Content-Security-Policy',
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  );
  next();
};

/** RFC 7617, compared in constant time. */
function basicAuth({ user, password }: { readonly user: string; readonly password: string }): RequestHandler {
  const expected = Buffer.from(`${user}:${password}`).toString('base64');
  return (request, response, next) => {
    const given = /^basic +(?<pair>\S+)$/i.exec(request.headers.authorization ?? '')?.groups?.['pair'] ?? '';
    if (sameSecret(given, expected)) return next();
    response.setHeader('WWW-Authenticate', 'Basic realm="robot", charset="UTF-8"');
    return response.status(401).json({ error: 'a user name and a password are needed' });
  };
}

const notFound: RequestHandler = (request, response) => {
  response.status(404).json({ error: `Cannot ${request.method} ${request.path}` });
};

const EXPLAINED: Record<string, string> = {
  'entity.too.large': 'the body is too large',
  'entity.parse.failed': 'the body is not valid JSON',
  'encoding.unsupported': 'the content encoding is not supported',
  'charset.unsupported': 'the character set is not supported',
  'parameters.too.many': 'the form has too many parameters',
  'request.size.invalid': 'the body is not as long as announced',
  'request.aborted': 'the body ended early',
};

function answerError(log: Pick<Logger, 'error'>): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error: unknown, request, response, _next) => {
    const { status, type } = described(error);
    if (status >= 500) log.error({ err: error, method: request.method, path: request.path }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.status(status).json({ error: EXPLAINED[type] ?? (status >= 500 ? 'internal error' : 'bad request') });
  };
}

function described(error: unknown): { status: number; type: string } {
  if (typeof error !== 'object' || error === null) return { status: 500, type: '' };
  const status = 'status' in error && typeof error.status === 'number' ? error.status : 500;
  const type = 'type' in error && typeof error.type === 'string' ? error.type : '';
  return { status: status >= 400 && status < 600 ? status : 500, type };
}

function pathOf(url: string | undefined): string {
  return (url ?? '/').split(/[?#]/, 1)[0] ?? '/';
}
