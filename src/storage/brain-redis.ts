/** The brain in Redis, one hash field a key. */

import { randomUUID } from 'node:crypto';
import type { createClient } from 'redis';
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

type Client = ReturnType<typeof createClient>;

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
  const { createClient } = await import('redis');
  const address = redisAddress(text);
  const me = randomUUID();
  const hash = `${address.prefix}:brain`;
  const channel = `${hash}:changed`;
  const connected = { now: false };
  const reconnectStrategy = (tries: number) => Math.min(5_000, 100 * 2 ** Math.min(tries, 10));
  const client: Client = createClient({
    ...(address.socket === undefined ? { url: address.url } : {}),
    ...(address.password === undefined ? {} : { password: address.password }),
    socket:
      address.socket === undefined
        ? { reconnectStrategy, connectTimeout: 5_000, keepAlive: true, keepAliveInitialDelay: 10_000 }
        : { path: address.socket, reconnectStrategy },
    // What cannot be sent now fails now: the brain keeps it and tries again.
    disableOfflineQueue: true,
    commandOptions: { timeout: 10_000 },
  });
  const hearing = client.duplicate({ disableOfflineQueue: false });
  let lastError: unknown;
  client.on('error', (error: unknown) => {
    lastError = error;
    if (connected.now) log.error({ err: error }, 'Redis is away');
    connected.now = false;
  });
  client.on('ready', () => {
    connected.now = true;
    log.info({ prefix: address.prefix }, 'Redis connected');
  });
  hearing.on('error', () => undefined);

  await reach();
  await takeOver();

  async function reach(): Promise<void> {
    const first = client.connect().then(() => true);
    first.catch(() => undefined);
    const late = new Promise<false>((resolve) => setTimeout(resolve, options.waitMs ?? 10_000, false).unref());
    if (await Promise.race([first, late])) return;
    client.destroy();
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
      const done = await client.eval(TAKE_OVER, { keys: [hash, `${hash}:taken-over`], arguments: fields });
      if (done === 1) log.info({ key, keys: entries.length }, 'old brain taken over');
      return;
    }
  }

  return {
    async load() {
      const fields = await client.hGetAll(hash);
      return Object.entries(fields).flatMap(([field, value]) => {
        const name = nameFrom(field);
        return name ? { kind: name.kind, key: unescapeKey(name.key), value } : [];
      });
    },

    async loadSome(names) {
      if (names.length === 0) return [];
      const values = await client.hmGet(hash, names.map(fieldOf));
      return names.flatMap((name, index) => {
        const value = values[index];
        return typeof value === 'string' ? { ...name, value } : [];
      });
    },

    async write(changes) {
      const kept = changes.flatMap((change) => (change.value === undefined ? [] : [fieldOf(change), change.value]));
      const gone = changes.filter((change) => change.value === undefined).map(fieldOf);
      const message = JSON.stringify({ from: me, names: changes.map(nameOf) });
      await client.eval(WRITE, {
        keys: [hash, channel],
        arguments: [message, String(kept.length / 2), ...kept, ...gone],
      });
    },

    onChange(listener) {
      let ended = false;
      void hearing
        .connect()
        .then(() =>
          hearing.subscribe(channel, (message) => {
            const payload: unknown = JSON.parse(message);
            const names = namesFrom(payload, me);
            if (names && !ended) listener(names);
          }),
        )
        .catch((error: unknown) => log.warn({ err: error }, 'changes of other replicas are not heard'));
      // Whatever was written while the connection was being made, or was away.
      hearing.on('ready', () => ended || listener('all'));
      return () => {
        ended = true;
      };
    },

    async close() {
      hearing.destroy();
      if (client.isReady) await client.close();
      else client.destroy();
    },
  };
}

function fieldOf(name: BrainName): string {
  return nameOf({ kind: name.kind, key: escapeKey(name.key) });
}
