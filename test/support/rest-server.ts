/**
 * A server for tests of targets that speak REST: each request takes the next answer that was prepared for its method and path. A
 * request that nobody prepared is answered with 418 and reported by `finish`, and so is an answer that nobody asked for.
 */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../src/domain/deploy/ports.ts';

export interface RestCall {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; undefined if it is none. */
  readonly json: unknown;
}

export type RestReply = (res: ServerResponse, call: RestCall) => void;

export interface RestServer {
  readonly url: string;
  readonly calls: readonly RestCall[];
  /** `on('GET /repos/acme/web/tags', json(200, []))`: one request each, in this order. */
  on(what: string, ...replies: RestReply[]): void;
  /** Any number of requests, but at least one, after what `on` prepared. */
  always(what: string, reply: RestReply): void;
  /** Throws if something was asked that nobody prepared, or prepared and never asked. */
  finish(): Promise<void>;
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): RestReply {
  return (res) => {
    res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    res.end(JSON.stringify(body));
  };
}

export function empty(status: number, headers: Record<string, string> = {}): RestReply {
  return (res) => {
    res.writeHead(status, headers);
    res.end();
  };
}

/** Breaks the connection in the middle of an answer. */
export function cut(): RestReply {
  return (res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    res.write('{"id":', () => res.destroy());
  };
}

/** A text of that many lines, sent as fast as it is read. */
export function longText(line: string, lines: number, last: string): RestReply {
  return (res) => {
    const block = `${line}\n`.repeat(1_000);
    let left = Math.ceil(lines / 1_000);
    res.writeHead(200, { 'content-type': 'text/plain' });
    const more = () => {
      while (left > 0) {
        left -= 1;
        if (res.destroyed) return;
        if (!res.write(block)) {
          res.once('drain', more);
          return;
        }
      }
      res.end(last);
    };
    more();
  };
}

/** Waits are noted and take no time, but let what is under way go on. */
export function hastyClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  let passed = 0;
  return {
    waits,
    now: () => new Date(Date.now() + passed),
    async sleep(ms, signal) {
      waits.push(ms);
      passed += ms;
      if (!signal.aborted) await sleep(1);
    },
  };
}

export async function restServer(): Promise<RestServer> {
  const calls: RestCall[] = [];
  const queues = new Map<string, RestReply[]>();
  const standing = new Map<string, RestReply>();
  const asked = new Set<string>();
  const unexpected: string[] = [];
  const server = createServer((req, res) => {
    const pieces: Buffer[] = [];
    req.on('data', (piece: Buffer) => pieces.push(piece));
    req.on('end', () => {
      const url = new URL(req.url ?? '/', 'http://local');
      const text = Buffer.concat(pieces).toString('utf8');
      const key = `${req.method} ${url.pathname}`;
      const call: RestCall = {
        method: req.method ?? '',
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: req.headers,
        text,
        json: parsed(text),
      };
      calls.push(call);
      const queued = queues.get(key)?.shift();
      const reply = queued ?? standing.get(key);
      if (reply === undefined) {
        unexpected.push(`${key}${url.search}`);
        json(418, { message: 'nobody prepared an answer' })(res, call);
        return;
      }
      if (queued === undefined) asked.add(key);
      reply(res, call);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    on(what, ...replies) {
      queues.set(what, [...(queues.get(what) ?? []), ...replies]);
    },
    always(what, reply) {
      standing.set(what, reply);
    },
    async finish() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      const unused = [
        ...[...queues].filter(([, replies]) => replies.length > 0).map(([key, { length }]) => `${key} (${length})`),
        ...[...standing.keys()].filter((key) => !asked.has(key)),
      ];
      if (unexpected.length > 0) throw new Error(`asked without a prepared answer: ${unexpected.join('; ')}`);
      if (unused.length > 0) throw new Error(`prepared and never asked for: ${unused.join('; ')}`);
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
