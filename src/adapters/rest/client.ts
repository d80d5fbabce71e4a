/**
 * One REST server: requests with a deadline, bounded answers, limits honoured, repeats only where repeating is harmless. Shared by
 * targets, sources and pipelines that speak HTTP. Nothing here knows a vendor.
 */

import type { Readable } from 'node:stream';
import type { AxiosInstance } from 'axios';
import type { Clock } from '../../domain/deploy/ports.ts';
import { systemClock } from '../clock.ts';
import { oneLine } from '../one-line.ts';
import { type Headers, limitWait } from './limits.ts';
import {
  type Advice,
  isPassing,
  limitedProblem,
  lostProblem,
  problemOf,
  RestProblem,
  type Subject,
} from './problem.ts';

export interface RestOptions {
  /** As people call it: `GitHub`. */
  readonly name: string;
  /** With the path before all others: `https://github.example.com/api/v3`. */
  readonly baseUrl: string;
  /** The variable that holds the token, and what it holds. */
  readonly token?: { readonly from: string; readonly value: string | undefined };
  /** Sent with each request; the token goes in here. */
  readonly headers: (token: string) => Headers;
  /** What a refusal says in its headers; most servers say all in the body. */
  readonly said?: (headers: Headers) => string;
  /** Until the answer has begun, and between two pieces of it; 15 s unless said otherwise. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

export interface RestRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with `/`; see {@link path}. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON; URLSearchParams as a form. */
  readonly body?: object;
  readonly headers?: Headers;
  /** Headers that are made anew each time it is sent: a signature that holds the time. */
  readonly sign?: () => Headers;
  /** Goes without the token and its headers: the body carries a token of its own. */
  readonly bare?: boolean;
  /** Doing it twice does no more than doing it once. So it is for all methods but POST and PATCH, unless said here. */
  readonly repeatable?: boolean;
  /** Longest time to spend on waiting and repeating; 8 s unless said otherwise: somebody waits. */
  readonly patienceMs?: number;
  /** Longest body to read; 5 MB unless said otherwise. */
  readonly mostBytes?: number;
  readonly signal?: AbortSignal;
  readonly advice?: Advice;
}

export interface RestAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Headers;
  /** The JSON of the body; its text if it is no JSON; undefined if there is none. */
  readonly data: unknown;
}

export interface StreamEnd extends Pick<RestAnswer, 'status' | 'headers'> {
  readonly whole: boolean;
}

export interface Rest {
  /** @throws RestProblem for everything but a status of 200 to 299 */
  ask(request: RestRequest): Promise<RestAnswer>;
  /**
   * The same question time and again: what has not changed is not sent again (`ETag`, `If-None-Match`). `fresh` is false when the
   * server said that nothing has changed. @throws RestProblem
   */
  watch(request: RestRequest): (signal?: AbortSignal) => Promise<RestAnswer & { readonly fresh: boolean }>;
  /**
   * Hands on the pieces of a body as they come, at most `mostBytes` of them. Follows one redirect, to which the token is not
   * shown if it leads to another server. `whole` is false if there was more. @throws RestProblem
   */
  stream(request: RestRequest, take: (piece: Buffer, status: number) => void): Promise<StreamEnd>;
}

const TIMEOUT_MS = 15_000;
const PATIENCE_MS = 8_000;
const MOST_BYTES = 5_000_000;
const FIRST_REPEAT_MS = 300;
const LAST_REPEAT_MS = 30_000;
const REDIRECTS = [301, 302, 303, 307, 308];

/** A path in which each value is one segment, whatever it holds: path`/repos/${owner}/${name}`. */
export function path(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return parts.reduce((text, part, index) => {
    const value = values[index - 1];
    return `${text}${value === undefined ? '' : encodeURIComponent(value)}${part}`;
  }, '');
}

export function createRest(options: RestOptions): Rest {
  const clock = options.clock ?? systemClock;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const base = options.baseUrl.replace(/\/+$/, '');
  const { origin } = new URL(base);
  const { token } = options;
  const subject: Subject = { name: options.name, origin, ...(token === undefined ? {} : { tokenFrom: token.from }) };
  let client: Promise<AxiosInstance> | undefined;
  /** Until when the server wants to be left alone, in milliseconds since 1970, and what it answered. */
  let quiet = { until: 0, status: 429 };

  /** Loaded at the first use: axios is heavy, and not every robot has such a target. */
  function axiosClient(): Promise<AxiosInstance> {
    client ??= import('axios').then(({ default: axios }) =>
      axios.create({
        maxRedirects: 0,
        validateStatus: () => true,
        responseType: 'stream',
        transformRequest: (data) => data,
      }),
    );
    return client;
  }

  /** All that is sent with it, this time. */
  function own({ bare, headers = {}, sign }: RestRequest): Headers {
    const plain = { 'user-agent': 'shipmate', accept: 'application/json' };
    const more = { ...headers, ...sign?.() };
    if (bare === true) return { ...plain, ...more };
    if (token !== undefined && (token.value === undefined || token.value === '')) {
      throw new RestProblem(
        'no_token',
        `the variable ${token.from} is not set, so there is no token for ${options.name}; set it and start the robot again`,
      );
    }
    return { ...plain, ...options.headers(token?.value ?? ''), ...more };
  }

  /** The token itself must not come back in what a server says. */
  function words(text: string): string {
    const secret = token?.value ?? '';
    return oneLine(secret === '' ? text : text.replaceAll(secret, `[${token?.from}]`), 300);
  }

  function stopped(signal: AbortSignal | undefined): RestProblem | undefined {
    return signal?.aborted === true ? new RestProblem('stopped', 'it was stopped') : undefined;
  }

  /** Sends once and returns when the answer begins. @throws RestProblem */
  async function send(url: string, request: RestRequest, headers: Headers, life: AbortController) {
    const { body } = request;
    const form = body instanceof URLSearchParams;
    const axios = await axiosClient();
    const answer = await axios.request<Readable>({
      url,
      method: request.method ?? 'GET',
      headers: {
        ...headers,
        ...(body === undefined
          ? {}
          : { 'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json' }),
      },
      ...(body === undefined ? {} : { data: form ? body.toString() : JSON.stringify(body) }),
      signal: life.signal,
    });
    return { status: answer.status, headers: plainHeaders(answer.headers), body: answer.data };
  }

  /** One exchange, `take` gets the pieces; false from it ends the reading. @throws RestProblem */
  async function exchange(
    url: string,
    request: RestRequest,
    headers: Headers,
    take: (piece: Buffer, status: number) => boolean,
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly whole: boolean }> {
    const life = new AbortController();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      life.abort();
    }, timeoutMs);
    const onStop = () => life.abort();
    request.signal?.addEventListener('abort', onStop, { once: true });
    try {
      const answer = await send(url, request, headers, life);
      timer.refresh();
      let whole = true;
      for await (const piece of answer.body) {
        if (!Buffer.isBuffer(piece)) continue;
        timer.refresh();
        if (take(piece, answer.status)) continue;
        whole = false;
        break;
      }
      if (late || stopped(request.signal)) throw new Error('ended');
      return { status: answer.status, headers: answer.headers, whole };
    } catch (error) {
      const end = stopped(request.signal);
      if (end !== undefined) throw end;
      if (error instanceof RestProblem) throw error;
      throw lostProblem(subject, late ? 'TIMEOUT' : codeOf(error), error);
    } finally {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onStop);
      life.abort();
    }
  }

  /** Reads the whole answer. @throws RestProblem */
  async function once(request: RestRequest): Promise<RestAnswer> {
    const headers = own(request);
    const most = request.mostBytes ?? MOST_BYTES;
    const pieces: Buffer[] = [];
    let size = 0;
    const answer = await exchange(urlOf(base, request), request, headers, (piece) => {
      size += piece.length;
      if (size > most) return false;
      pieces.push(piece);
      return true;
    });
    if (!answer.whole) {
      throw new RestProblem('too_big', `the answer of ${options.name} is larger than ${most} bytes and was not read`);
    }
    const text = Buffer.concat(pieces).toString('utf8');
    return { status: answer.status, headers: answer.headers, data: text === '' ? undefined : json(text) };
  }

  /** @throws RestProblem unless the status is 200 to 299, or 304 */
  function judge(request: RestRequest, answer: RestAnswer): RestAnswer {
    const { status, headers } = answer;
    if ((status >= 200 && status < 300) || status === 304) return answer;
    const said = words([saidIn(answer.data), options.said?.(headers) ?? ''].filter(Boolean).join('; '));
    if (REDIRECTS.includes(status)) {
      const text = `${options.name} says that this has moved; put its new name or address into config/services.yaml`;
      throw new RestProblem('moved', text, { status });
    }
    const wait = limitWait(status, headers, said, clock.now());
    const problem = problemOf(subject, status, said, request.advice ?? {});
    if (wait === undefined) throw problem;
    if (status === 503) throw new Limited(problem, wait);
    quiet = { until: clock.now().getTime() + wait, status };
    throw new Limited(limitedProblem(subject, status, wait), wait);
  }

  /** Whoever asks next leaves the server alone, too. @throws RestProblem when that is longer than there is patience */
  async function untilAsked(patienceMs: number, signal: AbortSignal): Promise<void> {
    const wait = quiet.until - clock.now().getTime();
    if (wait > patienceMs) throw limitedProblem(subject, quiet.status, wait);
    if (wait > 0) await clock.sleep(wait, signal);
  }

  /** Repeats what may be repeated, for as long as there is patience. @throws RestProblem */
  async function patiently<T>(request: RestRequest, attempt: () => Promise<T>): Promise<T> {
    const repeatable = request.repeatable ?? !['POST', 'PATCH'].includes(request.method ?? 'GET');
    const patience = request.patienceMs ?? PATIENCE_MS;
    const signal = request.signal ?? new AbortController().signal;
    const until = clock.now().getTime() + patience;
    await untilAsked(patience, signal);
    for (let repeat = FIRST_REPEAT_MS; ; repeat = Math.min(repeat * 2, LAST_REPEAT_MS)) {
      const end = stopped(request.signal);
      if (end !== undefined) throw end;
      let wait = repeat;
      try {
        return await attempt();
      } catch (error) {
        const problem = error instanceof Limited ? error.problem : error;
        // No time at all, or one that is past, is no leave to ask without a pause.
        if (error instanceof Limited) wait = Math.max(error.waitMs, repeat);
        // What was limited or never left has not been done: that may be sent again, whatever it is.
        const harmless =
          repeatable || (problem instanceof RestProblem && ['limited', 'unreachable'].includes(problem.kind));
        if (!harmless || !isPassing(problem) || clock.now().getTime() + wait > until) throw problem;
      }
      await clock.sleep(wait, signal);
    }
  }

  async function ask(request: RestRequest): Promise<RestAnswer> {
    return await patiently(request, async () => judge(request, await once(request)));
  }

  function watch(request: RestRequest): (signal?: AbortSignal) => Promise<RestAnswer & { readonly fresh: boolean }> {
    let known: RestAnswer | undefined;
    return async (signal) => {
      const etag = known?.headers['etag'];
      const headers = etag === undefined ? {} : { headers: { ...request.headers, 'if-none-match': etag } };
      const answer = await ask({ ...request, ...headers, ...(signal === undefined ? {} : { signal }) });
      if (answer.status === 304 && known !== undefined) return { ...known, fresh: false };
      known = answer;
      return { ...answer, fresh: true };
    };
  }

  async function stream(request: RestRequest, take: (piece: Buffer, status: number) => void): Promise<StreamEnd> {
    const most = request.mostBytes ?? MOST_BYTES;
    let size = 0;
    // Once something was handed on it cannot be taken back: only what failed before is repeated.
    const pass = (piece: Buffer, status: number): boolean => {
      // What a refusal has to say is not read to its end, which may never come.
      if (status < 200 || status >= 300) return false;
      const room = most - size;
      size += piece.length;
      take(piece.length > room ? piece.subarray(0, room) : piece, status);
      return size <= most;
    };
    return await patiently({ ...request, repeatable: true }, async () => {
      if (size > 0) throw new RestProblem('refused', `the connection to ${options.name} was cut in the middle`);
      const headers = own(request);
      let answer = await exchange(urlOf(base, request), request, headers, pass);
      const location = answer.headers['location'];
      if (REDIRECTS.includes(answer.status) && location !== undefined) {
        const next = new URL(location, urlOf(base, request));
        if (next.protocol !== 'https:' && next.protocol !== new URL(base).protocol) {
          throw new RestProblem('moved', `${options.name} leads to an address that is not secure`);
        }
        answer = await exchange(
          next.href,
          request,
          next.origin === origin ? headers : { 'user-agent': 'shipmate' },
          pass,
        );
      }
      judge(request, { status: answer.status, headers: answer.headers, data: undefined });
      return answer;
    });
  }

  return { ask, watch, stream };
}

/** A limit, on its way from the answer to the loop that waits. */
class Limited extends Error {
  readonly problem: RestProblem;
  readonly waitMs: number;
  constructor(problem: RestProblem, waitMs: number) {
    super(problem.message);
    this.problem = problem;
    this.waitMs = waitMs;
  }
}

function urlOf(base: string, request: RestRequest): string {
  const url = new URL(`${base}${request.path}`);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

function plainHeaders(headers: object): Headers {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') plain[name.toLowerCase()] = value;
    // Only cookies come as a list.
    if (Array.isArray(value)) plain[name.toLowerCase()] = value.join('\n');
  }
  return plain;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause instanceof Error ? codeOf(error.cause) : 'UNKNOWN';
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The words in the body of a refusal: `message` or `error`, which may be a list or a record of lists, and `errors`. */
function saidIn(data: unknown): string {
  if (typeof data === 'string') return data.trimStart().startsWith('<') ? '' : data;
  if (typeof data !== 'object' || data === null) return '';
  const message = 'message' in data ? flat(data.message) : '';
  const error = 'error' in data ? flat(data.error) : '';
  const errors = 'errors' in data ? flat(data.errors) : '';
  return [...new Set([message, error, errors])].filter((text) => text !== '').join('; ');
}

function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(flat).filter(Boolean).slice(0, 5).join(', ');
  if (typeof value !== 'object' || value === null) return '';
  if ('message' in value && typeof value.message === 'string') return value.message;
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${flat(inner)}`)
    .slice(0, 5)
    .join(', ');
}
