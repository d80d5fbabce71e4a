/** The brain in Redis, one hash field a key. */

import { randomUUID } from 'node:crypto';
import type { Logger } from '../bot/log.ts';
import {
  type BrainEntry,
  type BrainName,
  type BrainStorage,
  entriesOfBlob,
  escapeKey,
  nameFrom,
  nameOf,
  namesFrom,
  unescapeKey,
} from './brain.ts';
import { DatabaseUnavailable } from './trouble.ts';

export interface RedisAddress {
  /** What the client understands. */
  readonly url: string;
  /** Path of a socket instead of host and port. */
  readonly socket?: string;
  readonly password?: string;
  readonly prefix: string;
}

/**
 * Reads REDIS_URL as hubot-redis-brain documents it: `redis://:password@host:6379/prefix`, or
 * `redis://:password@/var/run/redis.sock?prefix` for a socket. A path of digits is a database number, as everywhere
 * else; then the prefix may stand behind `#`. Without a prefix it is `hubot`.
 *
 * @throws TypeError when it is no such address
 */
export function redisAddress(text: string): RedisAddress {
  const socket = /^redis:\/\/(?::([^@]*)@)?(\/[^?#]*\.sock[^?#]*|\/[^?#]*\/[^?#]*)(?:[?#](.*))?$/.exec(text);
  if (socket) {
    const [, password, path = '', prefix] = socket;
    return {
      url: '',
      socket: path,
      prefix: prefix || 'hubot',
      ...(password ? { password: decodeURIComponent(password) } : {}),
    };
  }
  if (!URL.canParse(text))
    throw new TypeError('REDIS_URL is no address; it looks like redis://:password@host:6379/prefix');
  const url = new URL(text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new TypeError('REDIS_URL starts with redis:// or rediss://');
  }
  const path = decodeURIComponent(url.pathname.replace(/^\//, ''));
  const hash = decodeURIComponent(url.hash.replace(/^#/, ''));
  const isNumber = /^\d+$/.test(path);
  url.hash = '';
  url.search = '';
  url.pathname = isNumber ? `/${path}` : '';
  return { url: url.href, prefix: hash || (isNumber ? '' : path) || 'hubot' };
}

/** Stores changes and says so, in one step. KEYS: hash, channel. ARGV: message, count of sets, field, value, …, field, … */
const WRITE = `
local sets = tonumber(ARGV[2])
local at = 3
for i = 1, sets do
  redis.call('hset', KEYS[1], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for i = at, #ARGV do redis.call('hdel', KEYS[1], ARGV[i]) end
redis.call('publish', KEYS[2], ARGV[1])
return sets`;

/** Takes over an old brain, once. KEYS: hash, mark. ARGV: field, value, … */
const TAKE_OVER = `
if redis.call('exists', KEYS[2]) == 1 or redis.call('exists', KEYS[1]) == 1 then return 0 end
for i = 1, #ARGV, 2 do redis.call('hset', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('set', KEYS[2], 'done')
return 1`;

/**
 * Connects to Redis. A brain that hubot-redis-brain left in `<prefix>:storage` or `hubot:storage` is taken over at the
 * first start; the old text stays where it is.
 *
 * @throws DatabaseUnavailable when Redis cannot be reached within `waitMs` (ten seconds)
 */
export async function redisBrain(
  text: string,
  options: { readonly log: Logger; readonly waitMs?: number },
): Promise<BrainStorage> {
  const { log } = options;
  const { Redis } = await import('ioredis');
  const address = redisAddress(text);
  const me = randomUUID();
  const hash = `${address.prefix}:brain`;
  const channel = `${hash}:changed`;
  const connection = {
    ...(address.password === undefined ? {} : { password: address.password }),
    lazyConnect: true,
    retryStrategy: (tries: number) => Math.min(5_000, 100 * 2 ** Math.min(tries - 1, 10)),
    connectTimeout: 5_000,
    keepAlive: 10_000,
    commandTimeout: 10_000,
    // What cannot be sent now, or has no answer when the connection breaks, fails: the brain keeps it and tries again.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // Done at each connection, below, to know when it is done.
    autoResubscribe: false,
  };
  const client =
    address.socket === undefined
      ? new Redis(address.url, connection)
      : new Redis({ ...connection, path: address.socket });
  const hearing = client.duplicate();
  const state = { connected: false, ending: false };
  let lastError: unknown;
  client.on('error', (error: unknown) => {
    lastError = error;
  });
  client.on('close', () => {
    // A server that ends in good order closes the connection without an error.
    if (state.connected && !state.ending) log.error({ err: lastError }, 'Redis is away');
    state.connected = false;
  });
  client.on('ready', () => {
    state.connected = true;
    lastError = undefined;
    log.info({ prefix: address.prefix }, 'Redis connected');
  });
  hearing.on('error', () => undefined);

  await reach();
  await takeOver();

  async function reach(): Promise<void> {
    const first = new Promise<true>((resolve) => client.once('ready', () => resolve(true)));
    // What goes wrong is tried again, and is in `lastError`.
    client.connect().catch(() => undefined);
    const late = new Promise<false>((resolve) => setTimeout(resolve, options.waitMs ?? 10_000, false).unref());
    if (await Promise.race([first, late])) return;
    client.disconnect();
    const detail = lastError instanceof Error ? lastError.message || 'no answer' : 'no answer';
    throw new DatabaseUnavailable(
      `Redis cannot be reached: ${detail}. Check that it runs and that REDIS_URL is right.`,
      lastError,
    );
  }

  async function takeOver(): Promise<void> {
    for (const key of new Set([`${address.prefix}:storage`, 'hubot:storage'])) {
      const blob = await client.get(key);
      if (blob === null) continue;
      let entries: BrainEntry[];
      try {
        entries = entriesOfBlob(blob);
      } catch (error) {
        log.error({ err: error, key }, 'old brain is not readable, left alone');
        continue;
      }
      const fields = entries.flatMap((entry) => [fieldOf(entry), entry.value]);
      const done = await client.call('eval', [TAKE_OVER, 2, hash, `${hash}:taken-over`, ...fields]);
      if (done === 1) log.info({ key, keys: entries.length }, 'old brain taken over');
      return;
    }
  }

  return {
    async load() {
      const fields = await client.hgetall(hash);
      return Object.entries(fields).flatMap(([field, value]) => {
        const name = nameFrom(field);
        return name ? { kind: name.kind, key: unescapeKey(name.key), value } : [];
      });
    },

    async loadSome(names) {
      if (names.length === 0) return [];
      const values = await client.hmget(hash, ...names.map(fieldOf));
      return names.flatMap((name, index) => {
        const value = values[index];
        return typeof value === 'string' ? { ...name, value } : [];
      });
    },

    async write(changes) {
      const kept = changes.flatMap((change) => (change.value === undefined ? [] : [fieldOf(change), change.value]));
      const gone = changes.filter((change) => change.value === undefined).map(fieldOf);
      const message = JSON.stringify({ from: me, names: changes.map(nameOf) });
      await client.call('eval', [WRITE, 2, hash, channel, message, kept.length / 2, ...kept, ...gone]);
    },

    onChange(listener) {
      let ended = false;
      hearing.on('message', (_channel: string, message: string) => {
        const payload: unknown = JSON.parse(message);
        const names = namesFrom(payload, me);
        if (names && !ended) listener(names);
      });
      hearing.on('ready', () => {
        void hearing.subscribe(channel).then(
          // Whatever was written while the connection was being made, or was away.
          () => ended || listener('all'),
          (error: unknown) => log.warn({ err: error }, 'changes of other replicas are not heard'),
        );
      });
      hearing.connect().catch(() => undefined);
      return () => {
        ended = true;
      };
    },

    async close() {
      state.ending = true;
      hearing.disconnect();
      if (client.status === 'ready') await client.quit();
      else client.disconnect();
    },
  };
}

function fieldOf(name: BrainName): string {
  return nameOf({ kind: name.kind, key: escapeKey(name.key) });
}
