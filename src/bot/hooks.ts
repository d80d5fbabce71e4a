/**
 * The way in for other systems: `POST /hooks/<source>`. Authenticated, bounded, stored before it is acknowledged, handled
 * afterwards by a durable job.
 */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { inTime } from './deadline.ts';
import { failureLimit, presentedTokens, type TokenCheck, tokenCheck } from './hook-auth.ts';
import { inflate, parseJson, readBody } from './hook-body.ts';
import { createHookWork } from './hook-work.ts';
import type { Jobs } from './jobs.ts';
import type { Json } from './json.ts';
import { answerJson } from './json-answer.ts';
import type { Logger } from './log.ts';
import { storable } from './storable.ts';

/** One request as it is stored. */
export interface HookEvent {
  readonly id: number;
  readonly source: string;
  readonly receivedAt: Date;
  /** Those that the hook keeps. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON is stored as it was understood: valid, without secrets. */
  readonly body: Buffer;
  /** 1 the first time it is handled. */
  readonly attempts: number;
}

export interface HookStore {
  /** Durable when it resolves. */
  save(event: Pick<HookEvent, 'source' | 'receivedAt' | 'headers' | 'body'>): Promise<number>;
  /** Counts one more attempt. Undefined if the event is handled, put aside or unknown. */
  begin(id: number): Promise<HookEvent | undefined>;
  handled(id: number, at: Date): Promise<void>;
  failed(id: number, error: string): Promise<void>;
  /** Takes an attempt back that says nothing about the event. */
  postponed(id: number): Promise<void>;
  /** Never tried again. */
  park(id: number, error: string, at: Date): Promise<void>;
  /** Neither handled nor put aside, oldest first. */
  open(before: Date, limit: number): Promise<readonly number[]>;
  /** Deletes what was handled before that. */
  forget(before: Date): Promise<void>;
}

/** What comes in from one kind of sender. */
export interface Hook {
  /** The part of the path after `/hooks/`: `alertmanager`. */
  readonly source: string;
  /** Media types, for example `application/json`. */
  readonly accepts: readonly string[];
  /** Of the body as sent, and of what is in it if it is packed. */
  readonly limitBytes: number;
  /**
   * For senders that sign: whether the signature fits the body, as it was sent. Asked instead of for a token; an exception is
   * a refusal. Compare in constant time.
   */
  verify?(body: Buffer, headers: IncomingHttpHeaders): boolean | Promise<boolean>;
  /** For senders with tokens of their own: only these open this hook, and the common ones do not. At least one. */
  readonly tokens?: readonly string[];
  /** What a request that is not authenticated is told; a sentence. */
  readonly refusal?: string;
  /** A sentence that says what is wrong with the content; undefined if it can be handled. Only for JSON. */
  check?(content: Json, headers: IncomingHttpHeaders): string | undefined;
  /** Whether anything would come of the content; what nobody needs is taken and not stored. Only for JSON. */
  wants?(content: Json, headers: IncomingHttpHeaders): boolean;
  /** Names of headers to store, in lower case. */
  readonly keepHeaders?: readonly string[];
  /** Does the work. May see the same event again after a crash, and must then do nothing new. */
  handle(event: HookEvent): Promise<void>;
}

type HookOutcome =
  | 'accepted'
  | 'ignored'
  | 'unknown_source'
  | 'method'
  | 'unauthorized'
  | 'rate_limited'
  | 'content_type'
  | 'too_large'
  | 'timeout'
  | 'aborted'
  | 'bad_body'
  | 'unavailable';

export interface HookMetrics {
  /** Counts a request. `source` is `unknown` where there is no such hook. */
  received(source: string, outcome: HookOutcome): void;
}

export interface HookOptions {
  readonly store: HookStore;
  /** Any of them opens every hook that neither verifies a signature itself nor has its own. At least 16 characters each. */
  readonly tokens: readonly string[];
  readonly jobs: Jobs;
  readonly log: Logger;
  readonly now: () => Date;
  readonly metrics?: HookMetrics;
  /** Takes secrets out of text before it is stored. */
  readonly redact?: (text: string) => string;
  /** Whether an error says only that the database is away. */
  readonly isTransient?: (error: unknown) => boolean;
  /** For how long a body may take to arrive. */
  readonly readTimeoutMs?: number;
  /** For how long storing may take. */
  readonly saveTimeoutMs?: number;
  readonly retryDelaySeconds?: number;
}

export interface Hooks {
  /** @throws Error if the hook is declared wrongly, or there is already one of that source */
  register(hook: Hook): void;
  /** For `app.use('/hooks', hooks.handler)`, before anything that reads bodies or logs addresses. */
  handler(request: IncomingMessage, response: ServerResponse): void;
  /** Call once the jobs run. */
  start(): Promise<void>;
  /** Has everything handled that was received and not handled: at the start, and when another replica is lost. */
  recover(): Promise<void>;
}

/** A request that is not accepted. */
interface Refusal {
  readonly outcome: Exclude<HookOutcome, 'accepted' | 'ignored'>;
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body was not read to its end. */
  readonly unread?: boolean;
}

/** Wrong tokens from one address in a minute before it is told to wait. */
export const WRONG_TOKENS = 20;

const SOURCE = /^[a-z][a-z0-9-]{0,39}$/;
/** Time to read the answer for a sender that is still sending. */
const LINGER_MS = 2_000;

const UNAVAILABLE: Refusal = {
  outcome: 'unavailable',
  status: 503,
  text: 'It cannot be stored right now. Send it again in a moment.',
  headers: { 'Retry-After': '5' },
};

export function createHooks(options: HookOptions): Hooks {
  const { store, log, now, metrics } = options;
  const redact = options.redact ?? ((text: string) => text);
  const hooks = new Map<string, Hook>();
  const tokens = options.tokens.length > 0 ? tokenCheck(options.tokens) : undefined;
  const ownTokens = new Map<string, TokenCheck>();
  const failures = failureLimit(now);
  const work = createHookWork({
    store,
    jobs: options.jobs,
    hooks,
    log,
    now,
    isTransient: options.isTransient ?? (() => false),
    retryDelaySeconds: options.retryDelaySeconds ?? 5,
  });

  function register(hook: Hook): void {
    if (!SOURCE.test(hook.source)) throw new Error(`hook "${hook.source}": the source must look like alertmanager`);
    if (hooks.has(hook.source)) throw new Error(`hook "${hook.source}": there is already one of that name`);
    if (hook.accepts.length === 0) throw new Error(`hook "${hook.source}": say which content types it accepts`);
    if (!(hook.limitBytes > 0)) throw new Error(`hook "${hook.source}": say how large a body may be`);
    if (hook.verify && hook.tokens) throw new Error(`hook "${hook.source}": either a token or a signature opens it`);
    if (!hook.verify && !hook.tokens && !tokens) {
      throw new Error(`hook "${hook.source}": it has neither a token nor a signature`);
    }
    if (hook.tokens) ownTokens.set(hook.source, tokenCheck(hook.tokens));
    hooks.set(hook.source, hook);
  }

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request);
    const hook = path && hooks.get(path.source);
    const result = hook ? await accept(hook, path.token, request) : unknownSource(hooks);
    const source = hook?.source ?? 'unknown';
    if (typeof result === 'number') {
      metrics?.received(source, 'accepted');
      return answerJson(response, 202, { accepted: true, event: result });
    }
    if (result === 'ignored') {
      metrics?.received(source, 'ignored');
      return answerJson(response, 202, { accepted: true, ignored: true });
    }
    metrics?.received(source, result.outcome);
    if (result.outcome === 'aborted') return void response.destroy();
    for (const [name, value] of Object.entries(result.headers ?? {})) response.setHeader(name, value);
    const body = { accepted: false, error: result.text };
    if (result.unread || !request.complete) hangUp(request, response, result.status, body);
    else answerJson(response, result.status, body);
  }

  /** Number of the stored event, or why there is none: nobody needs it, or it is refused. */
  async function accept(
    hook: Hook,
    pathToken: string | undefined,
    request: IncomingMessage,
  ): Promise<number | 'ignored' | Refusal> {
    const { headers } = request;
    if (request.method !== 'POST') {
      return { outcome: 'method', status: 405, text: 'Send it with POST.', headers: { Allow: 'POST' } };
    }
    if (!hook.verify && !opens(hook, presentedTokens(headers, pathToken))) return unauthorized(hook, request);
    const type = mediaType(headers['content-type']);
    if (!type || !hook.accepts.includes(type)) {
      return { outcome: 'content_type', status: 415, text: `Send it as ${hook.accepts.join(' or ')} in UTF-8.` };
    }
    const encoding = (headers['content-encoding'] ?? 'identity').toLowerCase();
    if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== 'x-gzip') {
      return {
        outcome: 'content_type',
        status: 415,
        text: 'Send it plain or as gzip.',
        headers: { 'Accept-Encoding': 'gzip' },
      };
    }
    const read = await readBody(request, hook.limitBytes, options.readTimeoutMs ?? 10_000);
    if (read.kind === 'too-large') return tooLarge(hook);
    if (read.kind === 'slow') return { outcome: 'timeout', status: 408, text: 'The body took too long.', unread: true };
    if (read.kind === 'gone') return { outcome: 'aborted', status: 400, text: 'The sender went away.' };
    if (hook.verify && !(await verified(hook, read.body, headers))) return unauthorized(hook, request);
    const unpacked =
      encoding === 'identity'
        ? { kind: 'inflated' as const, body: read.body }
        : await inflate(read.body, hook.limitBytes);
    if (unpacked.kind === 'too-large') return tooLarge(hook);
    if (unpacked.kind === 'broken') return { outcome: 'bad_body', status: 400, text: 'The body is not valid gzip.' };
    const checked = contentOf(hook, type, unpacked.body, headers, redact);
    if (checked.kind === 'bad') return { outcome: 'bad_body', status: 400, text: checked.problem };
    if (checked.kind === 'unwanted') return 'ignored';
    return await keep(hook, checked.body, headers);
  }

  function opens(hook: Hook, presented: readonly string[]): boolean {
    const check = hook.tokens ? ownTokens.get(hook.source) : tokens;
    return check?.knows(presented) === true;
  }

  async function keep(hook: Hook, body: Buffer, headers: IncomingHttpHeaders): Promise<number | Refusal> {
    try {
      const event = { source: hook.source, receivedAt: now(), headers: keptHeaders(hook, headers), body };
      const limitMs = options.saveTimeoutMs ?? 5000;
      const id = await inTime(limitMs, store.save(event), () => new Error(`no answer in ${limitMs} ms`));
      // Only hurries: what is stored is found again by itself.
      work.enqueue(id).catch((error: unknown) => log.warn({ event: id, err: error }, 'hook event waits to be handled'));
      return id;
    } catch (error) {
      log.error({ source: hook.source, err: error }, 'hook event not stored');
      return UNAVAILABLE;
    }
  }

  async function verified(hook: Hook, body: Buffer, headers: IncomingHttpHeaders): Promise<boolean> {
    try {
      return (await hook.verify?.(body, headers)) === true;
    } catch (error) {
      log.warn({ source: hook.source, err: error }, 'hook signature could not be checked');
      return false;
    }
  }

  function unauthorized(hook: Hook, request: IncomingMessage): Refusal {
    const from = request.socket.remoteAddress ?? 'unknown';
    const failed = failures.count(from);
    if (failed <= WRONG_TOKENS) log.warn({ source: hook.source, from, failed }, 'hook refused');
    if (failed > WRONG_TOKENS) {
      return {
        outcome: 'rate_limited',
        status: 429,
        text: 'Too many requests with a wrong token. Wait a minute.',
        headers: { 'Retry-After': '60' },
      };
    }
    const usual = hook.verify
      ? 'The signature is missing or wrong.'
      : 'The token is missing or wrong. Send it as "Authorization: Bearer <token>", as the password of basic authentication, or as the last part of the address.';
    const text = hook.refusal ?? usual;
    return { outcome: 'unauthorized', status: 401, text, headers: { 'WWW-Authenticate': 'Bearer realm="hooks"' } };
  }

  return {
    register,
    handler(request, response) {
      receive(request, response).catch((error: unknown) => {
        log.error({ err: error }, 'hook failed');
        if (!response.headersSent)
          answerJson(response, UNAVAILABLE.status, { accepted: false, error: UNAVAILABLE.text });
      });
    },
    start: work.start,
    recover: work.recover,
  };
}

/** The source and the token in the path. The token is taken out of the request, so that nothing after this can log it. */
function pathOf(request: IncomingMessage): { source: string; token: string | undefined } | undefined {
  const path = (request.url ?? '').replace(/[?#].*$/s, '');
  const [, source, token, ...more] = path.split('/');
  if (token) {
    request.url = `/${source}/…`;
    if ('originalUrl' in request) request.originalUrl = `/hooks/${source}/…`;
  }
  if (!source || more.some((part) => part !== '')) return undefined;
  try {
    return { source, token: token ? decodeURIComponent(token) : undefined };
  } catch {
    return { source, token };
  }
}

function unknownSource(hooks: ReadonlyMap<string, Hook>): Refusal {
  const known = [...hooks.keys()].map((source) => `/hooks/${source}`);
  const text = `There is no such hook.${known.length > 0 ? ` There is ${known.join(', ')}.` : ''}`;
  return { outcome: 'unknown_source', status: 404, text };
}

function tooLarge(hook: Hook): Refusal {
  return { outcome: 'too_large', status: 413, text: `The body is larger than ${hook.limitBytes} bytes.`, unread: true };
}

/** In lower case, without parameters; undefined if it is none, or of another character set than UTF-8. */
function mediaType(header: string | undefined): string | undefined {
  const [type, ...parameters] = (header ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii') return undefined;
  return type || undefined;
}

type Content =
  | { readonly kind: 'content'; readonly body: Buffer }
  | { readonly kind: 'unwanted' }
  | { readonly kind: 'bad'; readonly problem: string };

function contentOf(
  hook: Hook,
  type: string,
  body: Buffer,
  headers: IncomingHttpHeaders,
  redact: (text: string) => string,
): Content {
  if (type !== 'application/json' && !type.endsWith('+json')) return { kind: 'content', body };
  const parsed = parseJson(body, redact);
  if (parsed.kind === 'bad') return parsed;
  const problem = hook.check?.(parsed.value, headers);
  if (problem !== undefined) return { kind: 'bad', problem };
  if (hook.wants?.(parsed.value, headers) === false) return { kind: 'unwanted' };
  return { kind: 'content', body: Buffer.from(JSON.stringify(parsed.value)) };
}

function keptHeaders(hook: Hook, headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const names = ['content-type', 'user-agent', ...(hook.keepHeaders ?? [])];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, storable(value.slice(0, 500))]] : [];
    }),
  );
}

/**
 * Answers and ends the connection. What still comes is thrown away for a moment: a connection that is closed while the
 * sender sends is reset, and the answer is lost on the way.
 */
function hangUp(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    Connection: 'close',
  });
  response.write(text);
  const end = (): void => {
    clearTimeout(timer);
    response.end(() => request.socket.destroy());
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once('end', end).once('close', end).resume();
}
