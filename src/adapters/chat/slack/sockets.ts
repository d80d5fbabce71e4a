/** Socket Mode without a gap: two connections, each replaced before it ends. */

import { setTimeout as delay } from 'node:timers/promises';
import { WebAPIRateLimitedError } from '@slack/web-api';
import type { Logger } from '../../../bot/log.ts';
import type { SlackMetrics } from '../../../bot/metrics.ts';
import { webClientOptions } from './api.ts';
import type { Intake } from './intake.ts';
import { type Line, openLine, TurnedAway } from './line.ts';
import { logFatal, variableOf } from './operator.ts';
import type { SlackWorkspace } from './ports.ts';
import { bare, slackCode, troubleOf } from './refusal.ts';

export interface SocketsOptions {
  readonly workspace: Pick<SlackWorkspace, 'chat' | 'apiUrl'> & { readonly appToken: string };
  readonly intake: Pick<Intake, 'take'>;
  readonly log: Logger;
  readonly metrics: Pick<SlackMetrics, 'connected'>;
  /** Slack is reached, for the first time or again. */
  readonly connected: () => void;
  /** Told when only a person can help, with a sentence for the operator; with undefined when it works again. */
  readonly trouble: (problem: string | undefined) => void;
  readonly timing?: Partial<SocketTiming>;
}

export interface SocketTiming {
  /** For how long the start waits for the first connection. */
  readonly startMs: number;
  readonly openMs: number;
  readonly closeMs: number;
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
  /** How often a token is tried that Slack has refused. */
  readonly refusedMs: number;
}

export interface Sockets {
  /** Resolves when there is a connection, or after a while without; it goes on trying then. */
  start(): Promise<void>;
  /** Connections that are open now. */
  open(): number;
  /** Close the intake before, so that what is under way can still be acknowledged. */
  close(): Promise<void>;
}

/** Slack allows ten an app, for all replicas together. */
const LINES = 2;
const TIMING: SocketTiming = {
  startMs: 5_000,
  openMs: 15_000,
  closeMs: 1_000,
  firstRetryMs: 500,
  lastRetryMs: 15_000,
  refusedMs: 300_000,
};
/** A connection that ends sooner is a failed one: without a pause it would be opened hundreds of times a minute. */
const SHORT_MS = 5_000;
/** What will not be better soon counts for so many failures: the pauses are long at once. */
const FAILURES_TOO_MANY = 6;
const FAILURES_DISABLED = 4;
const TOO_MANY = 'too_many_websockets';
const CROWDED_AGAIN_MS = 10 * 60_000;

/** The connections of one workspace, from `start` until `close`. Never throws: what only a person can mend is told. */
export function createSockets(options: SocketsOptions): Sockets {
  const { workspace, log, metrics } = options;
  const { chat } = workspace;
  const timing: SocketTiming = { ...TIMING, ...options.timing };
  const stopping = new AbortController();
  const lines = new Set<Line>();
  const firstAttempt = Promise.withResolvers<void>();
  let loops: Promise<void>[] = [];
  /** One after the other: two that begin together end together. */
  let opening: Promise<unknown> = Promise.resolve();
  let problem: string | undefined;
  let reached = true;
  let crowdedAt = Number.NEGATIVE_INFINITY;

  /** Keeps one connection for as long as the robot runs. */
  async function keep(index: number): Promise<void> {
    let leaving: Line | undefined;
    let failures = 0;
    let shifted = false;
    while (!stopping.signal.aborted) {
      let line: Line;
      try {
        line = await inOrder(open);
      } catch (error) {
        await pause(failed(error, failures++));
        continue;
      }
      await leaving?.close();
      leaving = undefined;
      const since = performance.now();
      const early = index === 1 && !shifted ? shift(line) : undefined;
      shifted = true;
      const end = await Promise.race([line.over, stopped()]);
      clearTimeout(early);
      if (end === undefined) return;
      failures = performance.now() - since < SHORT_MS ? failures + 1 : 0;
      if (end.kind === 'leaving') {
        log.debug({ chat, reason: end.reason }, 'Slack renews a connection');
        if (end.reason === TOO_MANY) {
          crowded();
          await line.close();
          failures += FAILURES_TOO_MANY;
        } else leaving = line;
        if (end.reason === 'link_disabled') {
          disabled();
          failures += FAILURES_DISABLED;
        }
      } else log.info({ chat, connections: lines.size }, 'Slack connection lost');
      if (failures > 1) await pause(retryMs(failures - 1));
    }
    await leaving?.close();
  }

  /** Once, half a life early, so that the two are never renewed at the same moment. */
  function shift(line: Line): NodeJS.Timeout | undefined {
    if (line.livesSeconds === undefined) return undefined;
    return setTimeout(() => line.leave('early'), Math.min(line.livesSeconds * 500, 2 ** 31 - 1)).unref();
  }

  async function open(): Promise<Line> {
    stopping.signal.throwIfAborted();
    const line = await openLine({
      appToken: workspace.appToken,
      clientOptions: webClientOptions(workspace, timing.openMs),
      openMs: timing.openMs,
      closeMs: timing.closeMs,
      signal: stopping.signal,
      take: (envelope, acknowledge) => void options.intake.take(envelope, acknowledge),
    });
    lines.add(line);
    metrics.connected(chat, lines.size);
    void forgetWhenClosed(line);
    if (stopping.signal.aborted) {
      await line.close();
      stopping.signal.throwIfAborted();
    }
    if (problem !== undefined) options.trouble(undefined);
    problem = undefined;
    log.info({ chat, connections: lines.size }, 'Slack connected');
    reached = true;
    firstAttempt.resolve();
    options.connected();
    return line;
  }

  async function forgetWhenClosed(line: Line): Promise<void> {
    await line.closed;
    lines.delete(line);
    metrics.connected(chat, lines.size);
  }

  /** How long to wait before the next attempt. */
  function failed(error: unknown, failures: number): number {
    if (stopping.signal.aborted) return 0;
    if (error instanceof WebAPIRateLimitedError) {
      log.warn({ chat, retryAfter: error.retryAfter }, 'Slack asks to wait before the next connection');
      return error.retryAfter * 1_000 + Math.random() * 500;
    }
    const trouble = troubleOf(error, '');
    const code = slackCode(error);
    if (trouble.kind === 'revoked' || code === 'missing_scope' || code === 'no_permission') {
      refused(code ?? 'revoked');
      return timing.refusedMs;
    }
    if (code === TOO_MANY || (error instanceof TurnedAway && error.reason === TOO_MANY)) {
      crowded();
      return retryMs(failures + FAILURES_TOO_MANY);
    }
    const waitMs = retryMs(failures);
    // Once: it may take hours.
    if (reached)
      log.warn({ chat, err: bare(error), retryInMs: Math.round(waitMs) }, 'Slack cannot be reached, trying again');
    else log.debug({ chat, err: bare(error), retryInMs: waitMs }, 'Slack cannot be reached, trying again');
    if (lines.size === 0) reached = false;
    return waitMs;
  }

  /** Told now and then: it goes on until somebody does something about it. */
  function crowded(): void {
    const at = performance.now();
    if (at - crowdedAt < CROWDED_AGAIN_MS) return;
    crowdedAt = at;
    log.warn(
      { chat, problem: TOO_MANY, connections: lines.size },
      'Slack takes no more connections of this app: ten at most, two for each replica. Run fewer replicas or use HTTP, and see that nobody else uses the app-level token (docs/guide/slack.md)',
    );
  }

  function refused(code: string): void {
    firstAttempt.resolve();
    tell(
      `Slack refuses the app-level token (${code}): open the app at https://api.slack.com/apps, make a token with the scope connections:write under "Basic Information", "App-Level Tokens", put it (xapp-) into ${variableOf(chat, 'APP_TOKEN')} and start the robot again`,
      { chat, code },
      'Slack refuses the app-level token',
    );
  }

  /** Somebody has turned Socket Mode off. https://docs.slack.dev/apis/events-api/using-socket-mode#disconnect */
  function disabled(): void {
    tell(
      'Socket Mode is off: turn it on under "Socket Mode" at https://api.slack.com/apps, or set the signing secret for HTTP',
      { chat },
      'Socket Mode is off in the settings of the app',
    );
  }

  function tell(text: string, fields: object, message: string): void {
    if (problem === text) return;
    problem = text;
    logFatal(log, { ...fields, problem: text }, message);
    options.trouble(text);
  }

  function retryMs(failures: number): number {
    const full = Math.min(timing.lastRetryMs, timing.firstRetryMs * 2 ** Math.min(failures, 16));
    return full * (0.5 + Math.random() / 2);
  }

  async function inOrder<T>(work: () => Promise<T>): Promise<T> {
    const mine = opening.then(work, work);
    opening = mine.catch(() => undefined);
    return await mine;
  }

  async function pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  const stopped = (): Promise<undefined> => over.promise;
  const over = Promise.withResolvers<undefined>();

  return {
    async start() {
      loops = Array.from({ length: LINES }, (_, index) => keep(index));
      const late = setTimeout(() => {
        log.warn({ chat }, 'Slack cannot be reached yet: the robot starts without, and goes on trying');
        firstAttempt.resolve();
      }, timing.startMs);
      await firstAttempt.promise;
      clearTimeout(late);
    },
    open: () => lines.size,
    async close() {
      stopping.abort();
      over.resolve(undefined);
      firstAttempt.resolve();
      await Promise.all([...lines].map((line) => line.close()));
      await Promise.all(loops);
      await Promise.all([...lines].map((line) => line.close()));
    },
  };
}
