/** Short messages from one replica to all: "look at this row again". They may be lost; what matters is in a table. */

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Json } from '../bot/json.ts';
import type { Logger } from '../bot/log.ts';

export interface Bus {
  /**
   * Tells all replicas, this one included (at once, in process). Ids only: the payload must stay under 7,000 bytes.
   * Resolves once the others can hear it; rejects when the database cannot be reached.
   */
  publish(channel: string, payload: Json): Promise<void>;
  /** Hears a channel; returns what ends it. A listener that throws is logged and disturbs no other. */
  subscribe(channel: string, listener: (payload: Json) => void | Promise<void>): () => void;
  /** Called after messages of other replicas may have been missed: look at everything again. */
  onGap(listener: () => void | Promise<void>): () => void;
}

export interface RunningBus extends Bus {
  close(): Promise<void>;
}

/** The name that PostgreSQL knows; ours are inside the payload, so that one LISTEN serves all. */
const PG_CHANNEL = 'shipmate';
const LONGEST = 7_000;

interface Listeners {
  readonly hub: Omit<Bus, 'publish'>;
  tell(channel: string, payload: Json): void;
  gap(): void;
}

function listeners(log: Logger): Listeners {
  const byChannel = new Map<string, Set<(payload: Json) => void | Promise<void>>>();
  const gaps = new Set<() => void | Promise<void>>();
  async function guard(channel: string, run: () => void | Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      log.error({ err: error, channel }, 'bus listener failed');
    }
  }
  return {
    hub: {
      subscribe(channel, listener) {
        const set = byChannel.get(channel) ?? new Set();
        byChannel.set(channel, set.add(listener));
        return () => void set.delete(listener);
      },
      onGap(listener) {
        gaps.add(listener);
        return () => void gaps.delete(listener);
      },
    },
    tell(channel, payload) {
      for (const listener of byChannel.get(channel) ?? []) void guard(channel, () => listener(payload));
    },
    gap() {
      for (const listener of gaps) void guard('gap', listener);
    },
  };
}

function encode(value: Json): string {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > LONGEST) throw new RangeError('bus payload is too long: send an id and store the rest');
  return text;
}

/** The bus of the embedded database: there is one process only. */
export function localBus(log: Logger): RunningBus {
  const { hub, tell } = listeners(log);
  let closed = false;
  return {
    ...hub,
    async publish(channel, payload) {
      const copy: Json = JSON.parse(encode(payload));
      queueMicrotask(() => closed || tell(channel, copy));
    },
    async close() {
      closed = true;
    },
  };
}

const RETRY_MS = { first: 250, last: 10_000 };
const ALIVE_MS = 15_000;

/**
 * The bus of a server, through LISTEN and NOTIFY on a connection of its own, which is made again when it breaks. The
 * first attempt is awaited; if it fails, the bus keeps trying and reports a gap when it is there.
 */
export async function listenBus(options: {
  readonly config: pg.ClientConfig;
  readonly pool: pg.Pool;
  readonly log: Logger;
}): Promise<RunningBus> {
  const { log, pool } = options;
  const me = randomUUID();
  const { hub, tell, gap } = listeners(log);
  let client: pg.Client | undefined;
  let closed = false;
  let attempt = 0;
  let retry: NodeJS.Timeout | undefined;

  function heard(text: string | undefined): void {
    if (text === undefined) return;
    try {
      const message: unknown = JSON.parse(text);
      if (!isEnvelope(message)) return;
      if (message.from !== me) tell(message.channel, message.payload);
    } catch (error) {
      log.warn({ err: error }, 'bus message not understood');
    }
  }

  async function connect(): Promise<void> {
    const fresh = new pg.Client(options.config);
    let lost = false;
    const onLost = (error: unknown) => {
      if (lost || closed) return;
      lost = true;
      if (client === fresh) client = undefined;
      log.warn({ err: error }, 'bus connection lost');
      fresh.end().catch(() => undefined);
      again();
    };
    fresh.on('error', onLost);
    fresh.on('end', () => onLost(new Error('connection ended')));
    fresh.on('notification', (message) => heard(message.payload));
    try {
      await fresh.connect();
      await fresh.query(`listen ${PG_CHANNEL}`);
    } catch (error) {
      onLost(error);
      return;
    }
    if (closed) {
      await fresh.end();
      return;
    }
    client = fresh;
    if (attempt > 0) {
      log.info({ attempts: attempt }, 'bus connected again');
      gap();
    }
    attempt = 0;
  }

  function again(): void {
    if (closed || retry) return;
    const delay = Math.min(RETRY_MS.last, RETRY_MS.first * 2 ** Math.min(attempt, 10));
    attempt++;
    retry = setTimeout(() => {
      retry = undefined;
      void connect();
    }, delay);
    retry.unref();
  }

  // A connection that died without a word (a firewall, a sleeping laptop) is found out by asking.
  const alive = setInterval(() => {
    const asked = client;
    if (!asked) return;
    const late = setTimeout(() => asked.emit('error', new Error('no answer from the database')), ALIVE_MS / 3);
    asked
      .query('select 1')
      .catch(() => undefined)
      .finally(() => clearTimeout(late));
  }, ALIVE_MS);
  alive.unref();

  await connect();
  return {
    ...hub,
    async publish(channel, payload) {
      const text = encode({ from: me, channel, payload });
      const copy: Json = JSON.parse(JSON.stringify(payload));
      queueMicrotask(() => closed || tell(channel, copy));
      await pool.query('select pg_notify($1, $2)', [PG_CHANNEL, text]);
    },
    async close() {
      closed = true;
      clearInterval(alive);
      clearTimeout(retry);
      await client?.end().catch(() => undefined);
    },
  };
}

function isEnvelope(value: unknown): value is { from: string; channel: string; payload: Json } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'from' in value &&
    'payload' in value &&
    'channel' in value &&
    typeof value.channel === 'string'
  );
}
