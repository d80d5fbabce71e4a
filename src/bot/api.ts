/**
 * Commands from pipelines and scripts: `POST /api/commands` with a token. The same parser, rights, rules and audit as in a chat;
 * the answer is streamed as lines until what was asked for has ended. See docs/guide/api.md.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Token } from '../domain/access/ports.ts';
import { API_CHAT } from '../domain/access/token.ts';
import { type Answer, type AnswerMetrics, createAnswer, unread } from './api-answer.ts';
import { type ApiCommand, readCommand } from './api-command.ts';
import { formatOf, harmless, isProgress } from './api-events.ts';
import { type FollowPorts, follow, type Ran } from './api-follow.ts';
import type { ApiRequest, ApiRequestStore, ApiState } from './api-requests.ts';
import { serveToken, type TokenPagePorts } from './api-token-page.ts';
import type { ApiTokens } from './api-tokens.ts';
import type { Content } from './card.ts';
import type { Person } from './chat.ts';
import type { Dispatch, Line } from './dispatch.ts';
import { Failure, fail } from './errors.ts';
import { failureLimit } from './hook-auth.ts';
import { readBody } from './hook-body.ts';
import type { Logger } from './log.ts';
import { secretHash } from './secret.ts';

export interface ApiPorts {
  readonly tokens: Pick<ApiTokens, 'authenticate' | 'fetch'>;
  readonly dispatch: Pick<Dispatch, 'run' | 'answer'>;
  readonly store: ApiRequestStore;
  readonly log: Logger;
  readonly metrics: ApiMetrics;
  /** Takes secrets out of what is said. */
  redact(content: Content): Content;
  /** What is said as plain text. */
  plainText(content: Content): Promise<string>;
  isStorageTrouble(error: unknown): boolean;
  now(): Date;
  newId(): string;
  newReference(): string;
}

/** Counts for /metrics. */
export interface ApiMetrics extends AnswerMetrics {
  token(event: 'fetched' | 'wrong'): void;
}

export interface Api {
  /** For `app.use('/api/commands', api.commands)`, before anything that reads bodies. */
  commands(request: IncomingMessage, response: ServerResponse): void;
  /** For `app.use('/token', api.token)`: where the secret of a new token is fetched. */
  token(request: IncomingMessage, response: ServerResponse): void;
  /** Ends every answer with a word on where the rest is found. */
  close(): Promise<void>;
}

const BODY_BYTES = 32_768;
const BODY_MS = 10_000;
/** Wrong tokens from one address in a minute before it is told to wait. */
const WRONG_TOKENS = 20;
/** A wrong token is answered so much later for each that came before it, and at most so late. */
const SLOWER_MS = 100;
const SLOWEST_MS = 2_000;
/** Answers of one token at a time. */
const OPEN_AT_ONCE = 20;
const LOOK_EVERY_MS = 400;
/** Proxies end connections on which nothing is said for a minute. */
const ALIVE_MS = 20_000;
/** How often it is looked whether the token of an open answer still counts. */
const TOKEN_CHECK_MS = 5_000;
/** So long a request may take before it is known whether anything comes of it. */
const KEY_MS = 30_000;
const IDEMPOTENCY_KEY = /^[\w.:/-]{1,200}$/;

/** Whose token a request shows. */
interface Caller {
  readonly person: Person;
  readonly token: Token;
  /** Whether the token still counts. */
  stillGood(): Promise<boolean>;
}

export function createApi(ports: ApiPorts): Api {
  const { tokens, dispatch, store, log, now, metrics } = ports;
  const failures = failureLimit(now);
  const open = new Map<number, number>();
  const working = new Set<Promise<void>>();
  const stopping = new AbortController();
  const following: FollowPorts = {
    store,
    log,
    now,
    everyMs: LOOK_EVERY_MS,
    sleep: async (ms, signal) => await delay(ms, undefined, { signal, ref: false }).catch(() => undefined),
  };

  /** The person of the token that the request shows. Throws `api.unauthorized`, `api.attempts`: later, the more often. */
  async function authenticate(request: IncomingMessage): Promise<Caller> {
    const secret = /^bearer +(?<secret>\S+) *$/i.exec(request.headers.authorization ?? '')?.groups?.['secret'];
    const found = secret === undefined ? undefined : await tokens.authenticate(secret);
    if (found && secret !== undefined) {
      const { id } = found.token;
      return { ...found, stillGood: async () => (await tokens.authenticate(secret))?.token.id === id };
    }
    metrics.token('wrong');
    const from = addressOf(request);
    const failed = failures.count(from);
    if (failed <= WRONG_TOKENS) log.warn({ from, failed }, 'request with a wrong token');
    await slowDown(failed);
    throw failed > WRONG_TOKENS ? fail('api.attempts', { seconds: 60 }) : fail('api.unauthorized', {});
  }

  async function slowDown(failed: number): Promise<void> {
    await following.sleep(Math.min(SLOWEST_MS, SLOWER_MS * failed), stopping.signal);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = createAnswer(response, formatOf(request.headers.accept), metrics, stopping.signal);
    try {
      const url = new URL(request.url ?? '/', 'http://robot');
      const caller = await authenticate(request);
      const tokenId = caller.token.id;
      const id = url.pathname.replaceAll('/', '');
      const allowed = id === '' ? 'POST' : 'GET';
      if (request.method !== allowed) {
        response.setHeader('Allow', allowed);
        throw fail('api.method', { allowed });
      }
      const before = open.get(tokenId) ?? 0;
      if (before >= OPEN_AT_ONCE) throw fail('api.busy', { limit: OPEN_AT_ONCE });
      open.set(tokenId, before + 1);
      try {
        if (id === '') await begin(request, response, answer, caller, url.searchParams);
        else await takeUp(answer, caller, id, url.searchParams);
      } finally {
        const left = (open.get(tokenId) ?? 1) - 1;
        if (left > 0) open.set(tokenId, left);
        else open.delete(tokenId);
      }
    } catch (error) {
      if (error instanceof Failure && error.code === 'api.unauthorized') {
        response.setHeader('WWW-Authenticate', 'Bearer realm="api"');
      }
      if (error instanceof Failure && error.code === 'api.attempts') response.setHeader('Retry-After', '60');
      if (!request.complete) {
        response.setHeader('Connection', 'close');
        await unread(request);
      }
      await tell(answer, error);
      answer.end({ type: 'end', outcome: 'refused' });
    }
  }

  async function tell(answer: Answer, error: unknown): Promise<void> {
    let failure = error instanceof Failure ? error : undefined;
    if (!failure) {
      const reference = ports.newReference();
      log.error({ err: error, reference }, 'request failed');
      failure = fail(ports.isStorageTrouble(error) ? 'storage.unavailable' : 'internal', { reference });
    }
    const plain = async (said: string): Promise<string> => harmless(await ports.plainText(ports.redact(said)));
    const [text, next] = await Promise.all([plain(failure.text), plain(failure.next)]);
    answer.send({ type: 'error', code: failure.code, text, next });
  }

  async function begin(
    request: IncomingMessage,
    response: ServerResponse,
    answer: Answer,
    caller: Caller,
    query: URLSearchParams,
  ): Promise<void> {
    const {
      person,
      token: { room },
    } = caller;
    const read = await readBody(request, BODY_BYTES, BODY_MS);
    if (read.kind === 'too-large') throw fail('command.long', { limit: BODY_BYTES });
    if (read.kind !== 'read') throw fail('api.body', { problem: 'it did not arrive whole' });
    const asked = readCommand(read.body, request.headers['content-type'], query);
    const id = ports.newId();
    const key = request.headers['idempotency-key'];
    if (key !== undefined && (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key))) {
      throw fail('api.body', {
        problem: 'the idempotency key has other characters than letters, digits and _ . : / -',
      });
    }
    const once = key === undefined ? undefined : { key, commandHash: secretHash(asked.text) };
    const first = once && (await firstOf(caller, once));
    if (first !== undefined) {
      // What became of it is what is asked for.
      response.setHeader('Location', `/api/commands/${first}`);
      return await followAgain(answer, caller, first, asked.waitMs);
    }
    const opened = { id, personId: person.id, at: now(), ...(room ? { room } : {}), ...(once ? { once } : {}) };
    if (!(await store.open(opened))) throw fail('command.repeated', { state: 'not finished' });
    response.setHeader('Location', `/api/commands/${id}`);
    const source = key === undefined ? `api:${id}` : `${person.id}:${key}`;
    await runAndFollow(answer, caller, id, source, asked);
  }

  async function runAndFollow(
    answer: Answer,
    caller: Caller,
    id: string,
    source: string,
    asked: ApiCommand,
  ): Promise<void> {
    const { person } = caller;
    const line: Line = {
      text: asked.text,
      person,
      room: { chat: API_CHAT, room: id, private: false },
      via: 'api',
      source,
      isSure: asked.isSure,
      reply: async (content) => await show(answer, '', content),
      failed: async (failure) => await tell(answer, failure),
    };
    let ran: Ran = 'running';
    // Whatever becomes of the connection, the command goes on.
    const done = (async () => {
      const outcome = await run(line);
      if (source !== `api:${id}`) await freeUnused(id);
      ran = outcome;
    })();
    const until = new Date(now().getTime() + asked.waitMs);
    await followUp(answer, caller, id, { ran: () => ran, done, approvalUntil: until });
  }

  async function run(line: Line): Promise<Ran> {
    const outcome = await dispatch.run(line);
    if (outcome.kind === 'handled') {
      return outcome.outcome === 'succeeded' || outcome.outcome === 'asked' ? 'done' : outcome.outcome;
    }
    const failure = outcome.failure ?? fail('command.unknown', { typed: line.text.slice(0, 80), suggestions: [] });
    await dispatch.answer(line, { ...outcome, failure });
    return 'failed';
  }

  /** Tells again what a request was told, and what it is told from now on. */
  async function takeUp(answer: Answer, caller: Caller, id: string, query: URLSearchParams): Promise<void> {
    const { person, token } = caller;
    const known = await store.get(id);
    // A name may be taken by another token later: what was asked before that is not its own.
    if (known?.personId !== person.id || known.at < token.madeAt) throw fail('api.request', {});
    const { waitMs } = readCommand(Buffer.from('-'), undefined, query);
    await followAgain(answer, caller, id, waitMs);
  }

  async function followAgain(answer: Answer, caller: Caller, id: string, waitMs: number): Promise<void> {
    const approvalUntil = new Date(now().getTime() + waitMs);
    await followUp(answer, caller, id, { ran: () => 'elsewhere', done: Promise.resolve(), approvalUntil });
  }

  /**
   * The request that was sent with the same key before, if anything came of it. Throws `api.key` if it was for another command,
   * `command.repeated` while nobody can say yet.
   */
  async function firstOf(
    { person, token }: Caller,
    { key, commandHash }: NonNullable<ApiRequest['once']>,
  ): Promise<string | undefined> {
    const first = await store.withKey(person.id, key);
    if (!first) return undefined;
    if (first.at >= token.madeAt) {
      if (first.once?.commandHash !== commandHash) throw fail('api.key', {});
      if (cameToSomething(await store.state(first.id))) return first.id;
      if (now().getTime() - first.at.getTime() < KEY_MS) throw fail('command.repeated', { state: 'not finished' });
    }
    await store.freeKey(first.id);
    return undefined;
  }

  /** A request of which nothing came does not keep its key: it may be sent again. */
  async function freeUnused(id: string): Promise<void> {
    try {
      if (!cameToSomething(await store.state(id))) await store.freeKey(id);
    } catch (error) {
      log.warn({ err: error, request: id }, 'idempotency key not freed');
    }
  }

  async function followUp(
    answer: Answer,
    caller: Caller,
    request: string,
    what: { readonly ran: () => Ran; readonly done: Promise<unknown>; readonly approvalUntil: Date },
  ): Promise<void> {
    const since = now().getTime();
    const alive = setInterval(() => {
      const seconds = Math.round((now().getTime() - since) / 1000);
      answer.send({ type: 'progress', key: 'alive', text: `not ended yet after ${seconds} s` });
    }, ALIVE_MS);
    // Who took the token away wants it to tell nobody any more. What it asked for goes on.
    const denied = new AbortController();
    const watch = setInterval(async () => {
      const isGood = await caller.stillGood().catch(() => true);
      if (!isGood) denied.abort();
    }, TOKEN_CHECK_MS);
    try {
      const signal = AbortSignal.any([answer.signal, denied.signal]);
      const ended = await follow(following, {
        request,
        ...what,
        signal,
        show: async (key, content) => await show(answer, key, content),
      });
      if (ended.outcome === 'unknown' && stopping.signal.aborted) await tell(answer, fail('api.stopping', { request }));
      else if (ended.outcome === 'unknown' && denied.signal.aborted) await tell(answer, fail('api.unauthorized', {}));
      answer.end({ type: 'end', request, ...ended });
    } finally {
      clearInterval(watch);
      clearInterval(alive);
    }
  }

  async function show(answer: Answer, key: string, content: Content): Promise<void> {
    const text = harmless(await ports.plainText(ports.redact(content)));
    answer.send(isProgress(content) ? { type: 'progress', key, text } : { type: 'answer', text });
  }

  function work(job: Promise<void>, response: ServerResponse): void {
    const watched = job
      .catch((error: unknown) => {
        log.error({ err: error }, 'request failed');
        response.destroy();
      })
      .finally(() => working.delete(watched));
    working.add(watched);
  }

  const tokenPage: TokenPagePorts = {
    tokens,
    log,
    metrics,
    slowDown: (request) => slowDown(failures.count(addressOf(request))),
  };

  return {
    commands: (request, response) => work(serve(request, response), response),
    token: (request, response) => work(serveToken(tokenPage, request, response), response),
    async close() {
      stopping.abort();
      await Promise.all(working);
    },
  };
}

function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown';
}

/** Whether it was begun, or waits for somebody's word. What was refused may be asked for again. */
function cameToSomething({ run, proposal }: ApiState): boolean {
  return proposal !== undefined || (run !== undefined && run.outcome !== 'refused');
}
