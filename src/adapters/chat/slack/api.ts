/** Slack's Web API with its limits, its troubles and the end of a token. https://docs.slack.dev/apis/web-api */

import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type WebAPICallResult,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
  type WebClientOptions,
} from '@slack/web-api';
import { DeliveryDelayed, DeliveryRefused } from '../../../bot/chat.ts';
import type { Logger } from '../../../bot/log.ts';
import type { SlackMetrics } from '../../../bot/metrics.ts';
import { createLimits, createTurns, type Limits } from './limits.ts';
import { logFatal, variableOf } from './operator.ts';
import type { SlackApi, SlackWorkspace } from './ports.ts';
import { quietLogger } from './quiet.ts';
import { bare, slackCode, type Trouble, troubleOf } from './refusal.ts';

export interface SlackApiOptions {
  readonly workspace: Pick<SlackWorkspace, 'chat' | 'botToken' | 'apiUrl'>;
  /** What people type after `/invite @`. */
  readonly robotName: string;
  readonly log: Logger;
  readonly metrics: Pick<SlackMetrics, 'limited'>;
  /** Milliseconds that never go back. */
  readonly clock?: () => number;
  /** How long a call may take; 25 seconds. */
  readonly timeoutMs?: number;
  /** For how long a read waits and tries again; 30 seconds. */
  readonly patienceMs?: number;
}

const TIMEOUT_MS = 25_000;
const PATIENCE_MS = 30_000;
const FIRST_RETRY_MS = 250;
/** A token that Slack refused is tried again that often: Slack has refused good ones before. */
const PROBE_MS = 60_000;
/** How long that may take. */
const PROBING_MS = 2_000;

/** Calls that change nothing, or nothing more when they are made twice. */
const REPEATABLE =
  /^(?:api|auth|bots|team|users|emoji)\.|\.(?:info|list|history|replies|members|getPermalink|getUploadURLExternal)$|^conversations\.(?:open|join)$|^reactions\.|^views\.publish$|^assistant\.threads\.set|^usergroups\.users\./;

/** What a delivery has done so far. */
interface Delivering {
  /** Something of it may be in the chat. */
  wrote: boolean;
}

/** Options of every client: no retries of its own, no waiting of its own, nothing logged. */
export function webClientOptions(workspace: Pick<SlackWorkspace, 'apiUrl'>, timeoutMs = TIMEOUT_MS): WebClientOptions {
  return {
    ...(workspace.apiUrl === undefined ? {} : { slackApiUrl: workspace.apiUrl }),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: timeoutMs,
    logger: quietLogger(),
    fetch: politeFetch,
  };
}

/** The Web API of one workspace. */
export function createSlackApi(options: SlackApiOptions): SlackApi {
  const { workspace, robotName, log } = options;
  const clock = options.clock ?? (() => performance.now());
  const patienceMs = options.patienceMs ?? PATIENCE_MS;
  const turns = createTurns(clock);
  const running = new AsyncLocalStorage<Delivering>();
  const listeners: ((problem: string | undefined) => void)[] = [];
  let problem: string | undefined;
  let refusal: Error | undefined;
  let probeAt = 0;
  let triedAt = Number.NEGATIVE_INFINITY;

  function revoked(code: string, error?: Error): void {
    refusal = error ?? new WebAPIPlatformError({ ok: false, error: code });
    probeAt = clock() + PROBE_MS;
    if (problem !== undefined) return;
    problem = revokedText(workspace.chat, code);
    logFatal(log, { chat: workspace.chat, code, problem }, 'Slack refuses the token');
    for (const told of listeners) told(problem);
  }

  function heard(): void {
    refusal = undefined;
    if (problem === undefined) return;
    problem = undefined;
    log.info({ chat: workspace.chat }, 'Slack takes the token again');
    for (const told of listeners) told(undefined);
  }

  const gate: Gate = {
    limits: createLimits(clock),
    running: () => running.getStore(),
    clock,
    patienceMs,
    robotName,
    limited: (method) => options.metrics.limited(method),
    hold() {
      if (refusal === undefined) return undefined;
      const now = clock();
      if (now >= probeAt) {
        probeAt = now + PROBE_MS;
        triedAt = now;
        return undefined;
      }
      // While one tries, it will soon be known.
      return { error: refusal, waitMs: now - triedAt < PROBING_MS ? PROBING_MS : probeAt - now };
    },
    heard,
    revoked,
  };
  const web: WebClient = new GatedClient(workspace.botToken, webClientOptions(workspace, options.timeoutMs), gate);

  return {
    web,
    async delivering(work) {
      const run: Delivering = { wrote: false };
      try {
        return await running.run(run, () => work(web));
      } catch (error) {
        throw deliveryError(error, run, troubleOf(error, robotName));
      }
    },
    turn(channel) {
      const waitMs = turns.take(channel);
      if (waitMs > 0) throw new DeliveryDelayed('one message a second', { retryAfterMs: waitMs, notSent: true });
    },
    onRevoked(told) {
      listeners.push(told);
      if (problem !== undefined) told(problem);
    },
    revoked: (code) => revoked(code),
  };
}

/** What every call goes through. */
interface Gate {
  readonly limits: Limits;
  readonly clock: () => number;
  readonly patienceMs: number;
  readonly robotName: string;
  running(): Delivering | undefined;
  limited(method: string): void;
  /** Set while the token is refused: no call is made. */
  hold(): { readonly error: Error; readonly waitMs: number } | undefined;
  heard(): void;
  revoked(code: string, error: Error): void;
}

/** The SDK's client, whose every method ends in `apiCall`. */
class GatedClient extends WebClient {
  readonly #gate: Gate;

  constructor(token: string, options: WebClientOptions, gate: Gate) {
    super(token, options);
    this.#gate = gate;
  }

  override async apiCall(method: string, options: Record<string, unknown> = {}): Promise<WebAPICallResult> {
    // Made of other calls, which come here by themselves.
    if (method === 'files.uploadV2') return await super.apiCall(method, options);
    const channel = channelOf(options);
    const run = this.#gate.running();
    return run
      ? await this.#deliver(method, options, channel, run)
      : await this.#patiently(method, options, channel, this.#gate.clock() + this.#gate.patienceMs);
  }

  /** One attempt, now or not at all. */
  async #deliver(
    method: string,
    options: Record<string, unknown>,
    channel: string | undefined,
    run: Delivering,
  ): Promise<WebAPICallResult> {
    const held = this.#gate.hold();
    if (held) {
      throw new DeliveryDelayed('Slack refuses the token', { retryAfterMs: held.waitMs, notSent: !run.wrote });
    }
    const waitMs = this.#gate.limits.waitMs(method, channel);
    if (waitMs > 0) {
      throw new DeliveryDelayed(`Slack limits ${method}`, { retryAfterMs: waitMs, notSent: !run.wrote });
    }
    const writes = !REPEATABLE.test(method);
    try {
      const result = await this.#call(method, options, channel);
      if (writes) run.wrote = true;
      return result;
    } catch (error) {
      const trouble = troubleOf(error, this.#gate.robotName);
      if (writes && trouble.kind === 'trouble' && !trouble.notSent) run.wrote = true;
      throw error;
    }
  }

  /** Waits as long as Slack asks; tries again what can do no harm, until the patience ends. */
  async #patiently(
    method: string,
    options: Record<string, unknown>,
    channel: string | undefined,
    until: number,
  ): Promise<WebAPICallResult> {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(4_000, retryMs * 2)) {
      const held = this.#gate.hold();
      if (held) throw held.error;
      const waitMs = this.#gate.limits.waitMs(method, channel);
      if (this.#gate.clock() + waitMs > until) throw new WebAPIRateLimitedError(Math.ceil(waitMs / 1_000));
      if (waitMs > 0) {
        await delay(waitMs);
        continue;
      }
      try {
        return await this.#call(method, options, channel);
      } catch (error) {
        const trouble = troubleOf(error, this.#gate.robotName);
        if (trouble.kind === 'limited') continue;
        const again = trouble.kind === 'trouble' && (trouble.notSent || REPEATABLE.test(method));
        const pauseMs = retryMs * (0.75 + Math.random() / 2);
        if (!again || this.#gate.clock() + pauseMs > until) throw error;
        await delay(pauseMs);
      }
    }
  }

  async #call(
    method: string,
    options: Record<string, unknown>,
    channel: string | undefined,
  ): Promise<WebAPICallResult> {
    const gate = this.#gate;
    try {
      const result = await super.apiCall(method, options);
      gate.heard();
      return result;
    } catch (thrown) {
      const error = readFailed(thrown);
      const trouble = troubleOf(error, gate.robotName);
      if (trouble.kind === 'limited') {
        gate.limited(method);
        gate.limits.told(method, channel, trouble.retryAfterMs);
      } else if (trouble.kind === 'revoked' && error instanceof Error) gate.revoked(trouble.code, error);
      else if (slackCode(error) !== undefined && trouble.kind !== 'trouble') gate.heard();
      throw error;
    }
  }
}

/** What is done about it. Whoever logs it logs no body: what answered may have repeated the request, with its words and its token. */
function deliveryError(error: unknown, run: Delivering, trouble: Trouble): unknown {
  const notSent = !run.wrote;
  switch (trouble.kind) {
    case 'limited':
      return new DeliveryDelayed('Slack asks for patience', {
        retryAfterMs: trouble.retryAfterMs,
        notSent,
        cause: bare(error),
      });
    case 'revoked':
      return new DeliveryDelayed('Slack refuses the token', { retryAfterMs: PROBE_MS, notSent, cause: bare(error) });
    case 'trouble':
      return new DeliveryDelayed(trouble.text, { notSent: notSent && trouble.notSent });
    case 'refused':
      return new DeliveryRefused(trouble.text);
    case 'unknown':
      return withoutAnswer(error);
  }
}

/** Slack's own error keeps its code; what is ours holds no answer. */
function withoutAnswer(error: unknown): Error {
  if (error instanceof DeliveryDelayed || error instanceof DeliveryRefused) return error;
  const code = slackCode(error);
  return code === undefined ? bare(error) : new WebAPIPlatformError({ ok: false, error: code });
}

/** Text of the problem, for the operator. */
function revokedText(chat: string, code: string): string {
  return `Slack refuses the bot token (${code}): open the app at https://api.slack.com/apps, install it again under "OAuth & Permissions", put the "Bot User OAuth Token" (xoxb-) into ${variableOf(chat, 'BOT_TOKEN')} and start the robot again; what waits to be posted is kept`;
}

/** A body that breaks off is thrown outside the SDK's own errors. */
function readFailed(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const network =
    error.name === 'TimeoutError' || (error instanceof TypeError && /terminated|fetch/.test(error.message));
  return network ? new WebAPIRequestError(error) : error;
}

/** Slack always says for how long; something in between may not. */
async function politeFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (response.status !== 429 || Number.isFinite(Number.parseInt(response.headers.get('retry-after') ?? '', 10))) {
    return response;
  }
  await response.body?.cancel();
  return new Response(null, { status: 429, headers: { 'Retry-After': '1' } });
}

function channelOf(options: Record<string, unknown>): string | undefined {
  return typeof options['channel'] === 'string' ? options['channel'] : undefined;
}
