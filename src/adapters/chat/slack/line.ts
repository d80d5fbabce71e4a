/** One Socket Mode connection. https://docs.slack.dev/apis/events-api/using-socket-mode */

import { SocketModeClient } from '@slack/socket-mode';
import type { WebClientOptions } from '@slack/web-api';
import { inTime } from '../../../bot/deadline.ts';
import type { Acknowledge } from './intake.ts';
import { isObject, type JsonObject, objectIn } from './json.ts';
import type { Envelope } from './ports.ts';
import { quietLogger } from './quiet.ts';

export interface LineOptions {
  readonly appToken: string;
  readonly clientOptions: Omit<WebClientOptions, 'logger' | 'logLevel'>;
  /** Milliseconds until the server's hello. */
  readonly openMs: number;
  /** Milliseconds that the server has to say goodbye. */
  readonly closeMs: number;
  /** Gives the attempt up. */
  readonly signal: AbortSignal;
  take(envelope: Envelope, acknowledge: Acknowledge): void;
}

/** Why a connection is of no more use: Slack is about to end it, or it is gone. */
export type LineEnd = { readonly kind: 'leaving'; readonly reason: string } | { readonly kind: 'gone' };

export interface Line {
  /** Slack's guess of how long it lives, in seconds. */
  readonly livesSeconds: number | undefined;
  /** Resolves when another one is needed; it may still be open then. */
  readonly over: Promise<LineEnd>;
  /** Resolves when it is closed, whoever did that. */
  readonly closed: Promise<void>;
  /** Has it replaced, as if Slack had asked for that. */
  leave(reason: string): void;
  close(): Promise<void>;
}

/** Opens one. Rejects as the SDK does, or if there is no hello in time. */
export async function openLine(options: LineOptions): Promise<Line> {
  const client = new Client(options);
  const over = Promise.withResolvers<LineEnd>();
  const closed = Promise.withResolvers<void>();
  let ending: Promise<void> | undefined;
  client.on('leaving', (reason: string) => over.resolve({ kind: 'leaving', reason }));
  client.on('disconnected', () => {
    over.resolve({ kind: 'gone' });
    closed.resolve();
  });

  async function end(): Promise<void> {
    const first = client.disconnect();
    try {
      await inTime(options.closeMs, first, () => new Error('no goodbye'));
    } catch {
      // The second call does not wait for the other side.
      await client.disconnect();
    }
  }

  const started = client.start();
  try {
    const wanted = Promise.race([started, aborted(options.signal), turnedAway(over.promise)]);
    await inTime(options.openMs, wanted, () => new Error('Slack did not say hello in time'));
  } catch (error) {
    started.then(end, () => undefined);
    if (client.websocket) await end();
    throw error ?? new Error('the connection broke off at once');
  }
  return {
    livesSeconds: client.livesSeconds,
    over: over.promise,
    closed: closed.promise,
    leave: (reason) => over.resolve({ kind: 'leaving', reason }),
    close: () => (ending ??= end()),
  };
}

/** Slack has ended a connection before it began. */
export class TurnedAway extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(`Slack takes no connection: ${reason}`);
    this.reason = reason;
  }
}

async function turnedAway(over: Promise<LineEnd>): Promise<never> {
  const end = await over;
  // A connection that broke off says so itself.
  if (end.kind === 'gone') return await new Promise<never>(() => undefined);
  throw new TurnedAway(end.reason);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(new Error('closing'));
    else signal.addEventListener('abort', () => reject(new Error('closing')), { once: true });
  });
}

/**
 * The SDK's client, which keeps the connection alive; what comes is read here: the SDK ends a connection at once when Slack
 * warns that it will, and stumbles over events that carry none.
 */
class Client extends SocketModeClient {
  readonly #take: LineOptions['take'];
  livesSeconds: number | undefined;

  constructor(options: LineOptions) {
    super({
      appToken: options.appToken,
      autoReconnectEnabled: false,
      logger: quietLogger(),
      clientOptions: options.clientOptions,
    });
    this.#take = options.take;
  }

  protected override async onWebSocketMessage(data: string | ArrayBuffer, isBinary: boolean): Promise<void> {
    const message = isBinary || typeof data !== 'string' ? undefined : objectIn(data);
    if (!message) return;
    switch (message['type']) {
      case 'hello':
        this.livesSeconds = livesOf(message['debug_info']);
        return await super.onWebSocketMessage(data, isBinary);
      case 'disconnect':
        this.emit('leaving', typeof message['reason'] === 'string' ? message['reason'] : 'unknown');
        return;
      default:
        this.#envelope(message);
    }
  }

  #envelope(message: JsonObject): void {
    const { envelope_id: id, payload } = message;
    const kind = kindOf(message['type']);
    if (typeof id !== 'string') return;
    const acknowledge = (answer?: unknown) => this.#acknowledge(id, answer);
    if (kind === undefined || !isObject(payload)) {
      // Of no use here, and it would come again and again.
      acknowledge().catch(() => undefined);
      return;
    }
    this.#take({ kind, body: payload, via: 'socket' }, acknowledge);
  }

  async #acknowledge(id: string, answer: unknown): Promise<void> {
    const socket = this.websocket;
    if (!socket?.isActive()) throw new Error('the connection is gone');
    const payload = typeof answer === 'string' ? { text: answer } : (answer ?? {});
    await new Promise<void>((resolve, reject) => {
      socket.send(JSON.stringify({ envelope_id: id, payload }), (error) => (error ? reject(error) : resolve()));
    });
  }
}

function kindOf(type: unknown): Envelope['kind'] | undefined {
  switch (type) {
    case 'events_api':
      return 'event';
    case 'interactive':
      return 'interactive';
    case 'slash_commands':
      return 'command';
    default:
      return undefined;
  }
}

function livesOf(about: unknown): number | undefined {
  const seconds = isObject(about) ? about['approximate_connection_time'] : undefined;
  return typeof seconds === 'number' && seconds > 0 ? seconds : undefined;
}
