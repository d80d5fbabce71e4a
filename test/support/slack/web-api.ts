/** The Web API over HTTP: who calls, what is wrong on purpose, limits, and the answer; docs.slack.dev/apis/web-api. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { chatMethods } from './chat-methods.ts';
import { conversationMethods } from './conversation-methods.ts';
import type { Fault, Faults } from './faults.ts';
import { fileMethods } from './file-methods.ts';
import type { Context, Method } from './method.ts';
import { peopleMethods } from './people-methods.ts';
import type { ResponseUrls } from './responses.ts';
import { anyFields } from './schema.ts';
import { viewMethods } from './view-methods.ts';
import { type Fields, SlackError } from './workspace.ts';

const methods: Readonly<Record<string, Method>> = {
  ...peopleMethods,
  ...chatMethods,
  ...conversationMethods,
  ...fileMethods,
  ...viewMethods,
};

/** One request to the Web API as it came, and what was answered. */
export interface Call {
  readonly method: string;
  /** As they came: of a form all are text, blocks are JSON. */
  readonly args: Fields;
  /** Milliseconds, of the server's clock. */
  readonly at: number;
  readonly token: string | undefined;
  /** Undefined while it is under way, or where the connection was cut. */
  status: number | undefined;
  answer: Fields | undefined;
}

export interface Limits {
  /** A channel takes so many `chat.postMessage` a second; docs.slack.dev/apis/web-api/rate-limits. */
  readonly postsPerSecondPerChannel?: number;
  /** How much earlier a post may come than the limit says, for clocks that differ; 50. */
  readonly toleranceMs?: number;
}

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

function json(body: Fields, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

function argumentsOf(req: IncomingMessage, body: Buffer, url: URL): Fields {
  const type = req.headers['content-type'] ?? '';
  const query = Object.fromEntries(url.searchParams);
  if (type.startsWith('application/json')) {
    try {
      return { ...query, ...anyFields.parse(JSON.parse(body.toString() || '{}')) };
    } catch {
      throw new SlackError('invalid_json');
    }
  }
  if (type !== '' && !type.startsWith('application/x-www-form-urlencoded')) throw new SlackError('invalid_form_data');
  return { ...query, ...Object.fromEntries(new URLSearchParams(body.toString())) };
}

export class WebApi {
  readonly calls: Call[] = [];
  /** How many calls the limits refused. */
  rateLimited = 0;
  /** Milliseconds that every answer takes longer. */
  latencyMs = 0;
  readonly #context: Context;
  readonly #faults: Faults;
  readonly #responses: ResponseUrls;
  readonly #limits: Limits;
  readonly #posts = new Map<string, number[]>();

  constructor(context: Context, faults: Faults, responses: ResponseUrls, limits: Limits) {
    this.#context = context;
    this.#faults = faults;
    this.#responses = responses;
    this.#limits = limits;
  }

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', this.#context.url());
    const body = await bodyOf(req);
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    if (url.pathname.startsWith('/api/')) return this.#call(url.pathname.slice('/api/'.length), req, res, body, url);
    if (url.pathname.startsWith('/upload/v1/'))
      return this.#other('upload', req, res, () => this.#upload(url, req, body));
    if (url.pathname.startsWith('/files-pri/'))
      return this.#other('download', req, res, () => this.#download(url, req));
    if (this.#responses.has(url.pathname)) return this.#other('response_url', req, res, () => this.#respond(url, body));
    this.#context.problem(`unknown address: ${req.method} ${url.pathname}`);
    answer(res, { status: 404, body: 'not found' });
  }

  async #call(name: string, req: IncomingMessage, res: ServerResponse, body: Buffer, url: URL): Promise<void> {
    let args: Fields = {};
    try {
      args = argumentsOf(req, body, url);
    } catch (error) {
      this.#context.problem(`${name}: no arguments in the body of type ${req.headers['content-type']}`);
      return answer(res, json({ ok: false, error: error instanceof SlackError ? error.code : 'invalid_form_data' }));
    }
    const token =
      req.headers.authorization?.replace(/^Bearer /, '') ??
      (typeof args['token'] === 'string' ? args['token'] : undefined);
    const call: Call = {
      method: name,
      args,
      at: this.#context.workspace.now(),
      token,
      status: undefined,
      answer: undefined,
    };
    this.calls.push(call);
    const fault = this.#faults.take(name, args);
    if (fault && fault.as !== 'cut after') return this.#fail(fault, res, call);
    const reply = await this.#answered(name, args, token);
    if (fault) {
      req.socket.destroy();
      return;
    }
    call.status = reply.status;
    call.answer = anyFields.safeParse(JSON.parse(reply.body)).data;
    answer(res, reply);
  }

  async #fail(fault: Fault, res: ServerResponse, call?: Call): Promise<void> {
    if (fault.as === 'hang') await this.#faults.hang();
    if (fault.as === 'cut before' || fault.as === 'hang') {
      res.destroy();
      return;
    }
    const reply =
      fault.as === 429
        ? json({ ok: false, error: 'ratelimited' }, 429, { 'retry-after': String(fault.retryAfter ?? 1) })
        : typeof fault.as === 'number'
          ? { status: fault.as, body: 'upstream error' }
          : json({ ok: false, error: fault.as });
    if (call) call.status = reply.status;
    answer(res, reply);
  }

  async #answered(name: string, args: Fields, token: string | undefined): Promise<Reply> {
    const { workspace } = this.#context;
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (!method) {
      this.#context.problem(`unknown method: ${name}`);
      return json({ ok: false, error: 'unknown_method', req_method: name });
    }
    if (name !== 'api.test') {
      const refused = this.#refused(name, token);
      if (refused !== undefined) return json({ ok: false, error: refused });
    }
    const checked = method(args);
    if (checked.kind === 'wrong') {
      this.#context.problem(`${name}: ${checked.messages.join('; ')}`);
      return json({ ok: false, error: checked.code, response_metadata: { messages: checked.messages } });
    }
    const wait = name === 'chat.postMessage' ? this.#tooFast(String(args['channel'])) : undefined;
    if (wait !== undefined) return json({ ok: false, error: 'ratelimited' }, 429, { 'retry-after': String(wait) });
    try {
      const agent = workspace.view === 'none' ? '' : ',assistant:write';
      const scopes =
        token === workspace.tokens.app
          ? 'connections:write'
          : `chat:write,commands,im:history${agent}${this.#context.postsAnywhere ? ',chat:write.public' : ''}`;
      return json({ ok: true, ...(await checked.run(this.#context)) }, 200, { 'x-oauth-scopes': scopes });
    } catch (error) {
      if (!(error instanceof SlackError)) {
        this.#context.problem(`${name}: the fake Slack failed: ${String(error)}`);
        return json({ ok: false, error: 'fatal_error' });
      }
      return json({ ok: false, error: error.code, ...error.details });
    }
  }

  #refused(name: string, token: string | undefined): string | undefined {
    const { tokens, revoked } = this.#context.workspace;
    if (token === undefined || token === '') return 'not_authed';
    if (token !== tokens.bot && token !== tokens.app) return 'invalid_auth';
    if (revoked !== undefined) return revoked;
    return (token === tokens.app) === (name === 'apps.connections.open') ? undefined : 'not_allowed_token_type';
  }

  /** Seconds to wait, if the channel has had its posts of this second. */
  #tooFast(channel: string): number | undefined {
    const most = this.#limits.postsPerSecondPerChannel;
    if (most === undefined) return undefined;
    const now = performance.now();
    const window = 1000 - (this.#limits.toleranceMs ?? 50);
    const recent = (this.#posts.get(channel) ?? []).filter((at) => now - at < window);
    if (recent.length >= most) {
      this.rateLimited += 1;
      return 1;
    }
    this.#posts.set(channel, [...recent, now]);
    return undefined;
  }

  async #other(
    name: string,
    req: IncomingMessage,
    res: ServerResponse,
    run: () => Reply | Promise<Reply>,
  ): Promise<void> {
    const fault = this.#faults.take(name, {});
    if (fault && fault.as !== 'cut after') return this.#fail(fault, res);
    const reply = await run();
    if (fault) req.socket.destroy();
    else answer(res, reply);
  }

  async #upload(url: URL, req: IncomingMessage, body: Buffer): Promise<Reply> {
    const file = this.#context.workspace.files.get(url.pathname.split('/').at(-1) ?? '');
    if (!file || file.content) {
      this.#context.problem(`upload to an address that was never given, or twice: ${url.pathname}`);
      return { status: 404, body: 'not found' };
    }
    file.content = await contentOf(req, body);
    if (file.content.length !== file.declaredLength) {
      this.#context.problem(`upload of ${file.name}: ${file.content.length} bytes, announced ${file.declaredLength}`);
      return { status: 400, body: 'length mismatch' };
    }
    return { status: 200, body: `OK - ${file.content.length}` };
  }

  /** Private files need the token of the bot; without it Slack leads to its sign-in page. */
  #download(url: URL, req: IncomingMessage): Reply | Promise<Reply> {
    const { workspace } = this.#context;
    const file = workspace.files.get(url.pathname.split('/')[2] ?? '');
    if (req.headers.authorization !== `Bearer ${workspace.tokens.bot}` || workspace.revoked !== undefined)
      return {
        status: 302,
        headers: { location: `https://${workspace.domain}.slack.com/?redir=%2Ffiles-pri` },
        body: '',
      };
    if (!file?.content) return { status: 404, body: 'not found' };
    return { status: 200, headers: { 'content-type': file.mimetype }, body: file.content.toString('latin1') };
  }

  #respond(url: URL, body: Buffer): Reply {
    let sent: unknown;
    try {
      sent = JSON.parse(body.toString());
    } catch {
      this.#context.problem('response_url: no JSON');
      return json({ ok: false, error: 'invalid_payload' }, 400);
    }
    const done = this.#responses.post(url.pathname, sent);
    return { status: done.status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(done.body) };
  }
}

/** Clients send files as a form with one part, or as they are. */
async function contentOf(req: IncomingMessage, body: Buffer): Promise<Buffer> {
  const type = req.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return body;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  for (const part of form.values()) if (typeof part !== 'string') return Buffer.from(await part.arrayBuffer());
  return Buffer.alloc(0);
}

function answer(res: ServerResponse, reply: Reply): void {
  if (res.destroyed) return;
  res.writeHead(reply.status, { ...reply.headers });
  res.end(Buffer.from(reply.body, reply.headers?.['content-type']?.startsWith('application/json') ? 'utf8' : 'latin1'));
}
