/**
 * The ground of the servers that play GitHub, GitLab, Jenkins, Argo CD and the receiver of a webhook in tests of the whole program: routes by
 * method and path, faults on demand, and a list of everything that the documented API does not allow. What breaks it fails the test.
 */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { z } from 'zod';

export interface ForgeCall {
  readonly route: string;
  /** The repository, project, job or application: faults and answers go by it. */
  readonly scope: string;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Milliseconds since 1970 when it came. */
  readonly at: number;
  /** The groups of the path, decoded. */
  readonly parts: Readonly<Record<string, string>>;
}

export interface ForgeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Sent piece by piece, as fast as it is read. */
  readonly text?: Iterable<string>;
}

/** `instead`: nothing is done. `after`: it is done, but what comes back is this. `cut`: it is done, and the connection breaks in the answer. */
export type Fault =
  | { readonly kind: 'instead' | 'after'; readonly answer: ForgeAnswer }
  | { readonly kind: 'cut'; readonly afterBytes?: number };

export interface Route {
  /** `POST dispatches`: how tests name it. */
  readonly name: string;
  readonly method: string;
  /** With the groups `scope` and others. */
  readonly path: RegExp;
  readonly answer: (call: ForgeCall) => ForgeAnswer;
  /** Where the path does not name the scope. */
  readonly scopeOf?: (parts: Readonly<Record<string, string>>, query: URLSearchParams) => string;
}

export interface Forge {
  readonly url: string;
  readonly calls: readonly ForgeCall[];
  /** One call each, in this order. */
  fail(scope: string, route: string, ...faults: readonly Fault[]): void;
  /** Every call, from now on. */
  refuse(scope: string, route: string, answer: ForgeAnswer): void;
  /** How often that was asked of it. */
  count(scope: string, route: string): number;
  /** @throws Error if the API was not kept, or a fault was prepared that nobody met */
  close(): Promise<void>;
}

/** The caller did what the documentation does not allow. */
export class Violation extends Error {}

export function allow(condition: boolean, what: string): void {
  if (!condition) throw new Violation(what);
}

/** The body as JSON that fits. @throws Violation */
export function bodyOf<T>(call: ForgeCall, schema: z.ZodType<T>): T {
  const type = call.headers['content-type'] ?? '';
  allow(type.startsWith('application/json'), `content-type ${type}`);
  const data: unknown = JSON.parse(call.text);
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw new Violation(`body ${call.text}: ${parsed.error.message}`);
  return parsed.data;
}

/** The body as a form. @throws Violation */
export function formOf(call: ForgeCall): Record<string, string> {
  const type = call.headers['content-type'] ?? '';
  allow(type.startsWith('application/x-www-form-urlencoded'), `content-type ${type}`);
  return Object.fromEntries(new URLSearchParams(call.text));
}

/** No other parameters than these may stand in the address. @throws Violation */
export function onlyQuery(call: ForgeCall, ...names: readonly string[]): void {
  for (const name of call.query.keys()) allow(names.includes(name), `query ${name}`);
}

export const refusal = (status: number, json: unknown, headers: Record<string, string> = {}): Fault => ({
  kind: 'instead',
  answer: { status, json, headers },
});

export interface LongText {
  readonly size: number;
  /** From that byte on. */
  read(start?: number): Iterable<string>;
}

/** A log of that many lines of a hundred bytes, and a last one. */
export function longText(lines: number, last: string): LongText {
  const block = `${'all is well and nothing is to be seen here '.repeat(2).padEnd(99, '.')}\n`.repeat(500);
  const blocks = Math.ceil(lines / 500);
  return {
    size: blocks * block.length + last.length + 1,
    *read(start = 0) {
      for (let at = start; at < blocks * block.length; at += block.length - (at % block.length)) {
        yield block.slice(at % block.length);
      }
      yield `${last}\n`.slice(Math.max(start - blocks * block.length, 0));
    },
  };
}

/** @param routes the first that fits answers; `guard` sees each call before, and may answer in its place */
export async function startForge(
  routes: readonly Route[],
  guard: (call: ForgeCall) => ForgeAnswer | undefined,
): Promise<Forge> {
  const calls: ForgeCall[] = [];
  const violations: string[] = [];
  const faults = new Map<string, Fault[]>();
  const refusals = new Map<string, ForgeAnswer>();
  const key = (scope: string, route: string) => `${scope} · ${route}`;

  function answer(call: ForgeCall, route: Route): { readonly answer: ForgeAnswer; readonly fault?: Fault } {
    const refused = guard(call);
    if (refused !== undefined) return { answer: refused };
    const standing = refusals.get(key(call.scope, route.name));
    if (standing !== undefined) return { answer: standing };
    const fault = faults.get(key(call.scope, route.name))?.shift();
    if (fault?.kind === 'instead') return { answer: fault.answer };
    const done = route.answer(call);
    if (fault?.kind === 'after') return { answer: fault.answer };
    return { answer: done, ...(fault === undefined ? {} : { fault }) };
  }

  const server = createServer((req, res) => {
    const pieces: Buffer[] = [];
    req.on('data', (piece: Buffer) => pieces.push(piece));
    req.on('end', () => {
      const url = new URL(req.url ?? '/', 'http://local');
      const method = req.method ?? '';
      const found = routes.find((route) => route.method === method && route.path.test(url.pathname));
      const groups = found?.path.exec(url.pathname)?.groups ?? {};
      const parts = Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]));
      const call: ForgeCall = {
        route: found?.name ?? 'unknown',
        scope: parts['scope'] ?? found?.scopeOf?.(parts, url.searchParams) ?? '',
        method,
        path: url.pathname,
        query: url.searchParams,
        headers: req.headers,
        text: Buffer.concat(pieces).toString('utf8'),
        at: Date.now(),
        parts,
      };
      calls.push(call);
      try {
        if (found === undefined) throw new Violation('no such call in the API');
        const { answer: given, fault } = answer(call, found);
        void write(res, given, fault);
      } catch (error) {
        violations.push(`${method} ${req.url}: ${String(error)}`);
        void write(res, { status: 418, json: { message: String(error) } });
      }
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
    fail(scope, route, ...more) {
      faults.set(key(scope, route), [...(faults.get(key(scope, route)) ?? []), ...more]);
    },
    refuse(scope, route, given) {
      refusals.set(key(scope, route), given);
    },
    count: (scope, route) => calls.filter((call) => call.scope === scope && call.route === route).length,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      if (violations.length > 0) throw new Error(`the API was not kept: ${violations.slice(0, 5).join('; ')}`);
      const unmet = [...faults].filter(([, left]) => left.length > 0).map(([name]) => name);
      if (unmet.length > 0) throw new Error(`faults that nobody met: ${unmet.join('; ')}`);
    },
  };
}

/** Resolves when there is room again, or nobody reads any more. */
export async function drained(res: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.on('drain', done).on('close', done);
  });
}

async function write(res: ServerResponse, answer: ForgeAnswer, fault?: Fault): Promise<void> {
  const json = answer.json === undefined ? undefined : JSON.stringify(answer.json);
  const cut = fault?.kind === 'cut' ? (fault.afterBytes ?? 5) : undefined;
  res.on('error', () => undefined);
  res.writeHead(answer.status, {
    ...(json === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
    ...(answer.text === undefined ? {} : { 'content-type': 'text/plain; charset=utf-8' }),
    ...answer.headers,
  });
  let sent = 0;
  for (const piece of json === undefined ? (answer.text ?? []) : [json]) {
    if (cut !== undefined && sent + piece.length > cut) {
      res.write(piece.slice(0, cut - sent), () => res.destroy());
      return;
    }
    sent += piece.length;
    if (!res.write(piece)) await drained(res);
    if (res.destroyed) return;
  }
  if (cut !== undefined) res.destroy();
  else res.end();
}
