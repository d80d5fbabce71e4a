/** Hubot's `robot.brain`, each key stored by itself, so that replicas do not erase each other's keys. */

import type { Logger } from '../bot/log.ts';

/** Where a value sits in the brain: `brain.get` keys, users by id, other top-level keys of `brain.data`. */
export type BrainKind = 'private' | 'user' | 'data';

export interface BrainName {
  readonly kind: BrainKind;
  readonly key: string;
}

/** `value` is JSON; undefined removes the key. */
export interface BrainChange extends BrainName {
  readonly value: string | undefined;
}

export interface BrainEntry extends BrainName {
  readonly value: string;
}

/** Where brains are kept: PostgreSQL or Redis. */
export interface BrainStorage {
  load(): Promise<readonly BrainEntry[]>;
  /** Those of the named keys that exist. */
  loadSome(names: readonly BrainName[]): Promise<readonly BrainEntry[]>;
  /** Stores all or nothing, and tells the other replicas. */
  write(changes: readonly BrainChange[]): Promise<void>;
  /** Hears what other replicas wrote; `all` when something may have been missed. */
  onChange(listener: (names: readonly BrainName[] | 'all') => void): () => void;
  close(): Promise<void>;
}

/** What is needed of Hubot's Brain. */
export interface BrainLike {
  data: { users: Record<string, object>; _private: Record<string, unknown>; [key: string]: unknown };
  set(key: string | Record<string, unknown>, value?: unknown): unknown;
  remove(key: string): unknown;
  mergeData(data: Record<string, unknown>): void;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

export interface BrainConnection {
  /** Writes what has changed; rejects if it could not be stored. */
  save(): Promise<void>;
  /** Writes what has changed, tries for `limitMs` at most, and lets go of brain and storage. */
  close(limitMs?: number): Promise<void>;
}

const RETRY_MS = { first: 500, last: 15_000 };

/**
 * Loads what is stored into the brain and keeps both the same: `set` and `remove` are stored at once, values changed in
 * place at the next 'save' (every five seconds in Hubot) and at close. What other replicas store appears here by itself,
 * with the event 'loaded'. Where two change the same key, the later one wins; different keys never disturb each other.
 * While the storage is away, changes wait in memory.
 *
 * @throws when the stored brain cannot be read
 */
export async function attachBrain(
  brain: BrainLike,
  storage: BrainStorage,
  options: { readonly log: Logger },
): Promise<BrainConnection> {
  const { log } = options;
  /** What is stored, as far as we know: name → JSON. */
  const stored = new Map<string, BrainEntry>();
  let queue: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;
  let failures = 0;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;
  const unreadable = new Set<string>();

  // Without a prototype, a key called __proto__ or constructor is a key like any other.
  brain.data._private = bare(brain.data._private);
  apply(await storage.load());

  function apply(entries: readonly BrainEntry[]): void {
    let users = false;
    for (const entry of entries) {
      const value = parse(entry);
      if (value === undefined) continue;
      stored.set(nameOf(entry), entry);
      if (entry.kind === 'user') users = true;
      put(brain, entry, value);
    }
    // Makes plain users Hubot users again and emits 'loaded'.
    brain.mergeData(users ? { users: brain.data.users } : {});
  }

  function parse(entry: BrainEntry): unknown {
    try {
      const value: unknown = JSON.parse(entry.value);
      if (entry.kind === 'user' && (typeof value !== 'object' || value === null)) return undefined;
      return value;
    } catch (error) {
      log.error({ err: error, kind: entry.kind, key: entry.key }, 'stored brain key is not JSON, left alone');
      return undefined;
    }
  }

  /** What differs from what is stored. */
  function changes(): BrainChange[] {
    const found: BrainChange[] = [];
    const seen = new Set<string>();
    for (const { name, value } of everything(brain)) {
      const id = nameOf(name);
      const text = stringify(name, value);
      if (text === undefined) {
        // Unwritable now: what is stored of it stays.
        if (unreadable.has(id)) seen.add(id);
        continue;
      }
      seen.add(id);
      if (stored.get(id)?.value !== text) found.push({ ...name, value: text });
    }
    for (const [id, { kind, key }] of stored) if (!seen.has(id)) found.push({ kind, key, value: undefined });
    return found;
  }

  function stringify(name: BrainName, value: unknown): string | undefined {
    const id = nameOf(name);
    try {
      const text = JSON.stringify(value);
      unreadable.delete(id);
      return text;
    } catch (error) {
      if (!unreadable.has(id)) log.error({ err: error, ...name }, 'brain key cannot be stored: it is not JSON');
      unreadable.add(id);
      return undefined;
    }
  }

  async function write(): Promise<void> {
    const found = changes();
    if (found.length === 0) return;
    try {
      await storage.write(found);
    } catch (error) {
      failures++;
      if (failures === 1)
        log.error({ err: error, keys: found.length }, 'brain could not be stored, changes wait in memory');
      again();
      throw error;
    }
    for (const change of found) {
      const { kind, key, value } = change;
      if (value === undefined) stored.delete(nameOf(change));
      else stored.set(nameOf(change), { kind, key, value });
    }
    if (failures > 0) log.info({ keys: found.length, attempts: failures }, 'brain stored again');
    failures = 0;
  }

  function again(): void {
    if (closed || retry) return;
    retry = setTimeout(
      () => {
        retry = undefined;
        saveSoon();
      },
      Math.min(RETRY_MS.last, RETRY_MS.first * 2 ** Math.min(failures, 10)),
    );
    retry.unref();
  }

  /** One save at a time; calls that come before it begins share it. */
  function save(): Promise<void> {
    if (queued) return queued;
    const next = queue.then(() => {
      queued = undefined;
      return write();
    });
    queued = next;
    queue = next.catch(() => undefined);
    return next;
  }

  function saveSoon(): void {
    save().catch(() => undefined);
  }

  /** Takes over what another replica stored, unless we have changed the same key ourselves and not yet stored it. */
  async function reload(names: readonly BrainName[] | 'all'): Promise<void> {
    const fresh = names === 'all' ? await storage.load() : await storage.loadSome(names);
    const there = new Map(fresh.map((entry) => [nameOf(entry), entry]));
    const asked = names === 'all' ? [...stored.values(), ...fresh] : names;
    const mine = new Set(changes().map(nameOf));
    const news: BrainEntry[] = [];
    let gone = 0;
    for (const name of asked) {
      const id = nameOf(name);
      const entry = there.get(id);
      if (mine.has(id)) {
        // Ours is newer and will be stored; only the comparison starts from what is there now.
        if (entry) stored.set(id, entry);
        else stored.delete(id);
      } else if (!entry) {
        if (stored.delete(id)) gone++;
        take(brain, name);
      } else if (stored.get(id)?.value !== entry.value) {
        news.push(entry);
      }
    }
    if (news.length + gone > 0) apply(news);
  }

  const stopHearing = storage.onChange((names) => {
    // In the same row as the saves, so that none is under way while we compare.
    queue = queue
      .then(() => (closed ? undefined : reload(names)))
      .catch((error: unknown) => {
        log.warn({ err: error }, 'changes of other replicas could not be read');
        if (!closed) setTimeout(() => void reload('all').catch(() => undefined), RETRY_MS.last).unref();
      });
  });

  const { set, remove } = brain;
  brain.set = (key, value) => {
    // As a pair, since Hubot itself would take the name __proto__ for an assignment to the prototype.
    const result = typeof key === 'string' ? set.call(brain, { [key]: value }) : set.call(brain, key);
    saveSoon();
    return result;
  };
  brain.remove = (key) => {
    const result = remove.call(brain, key);
    saveSoon();
    return result;
  };
  brain.on('save', saveSoon);

  return {
    save,
    async close(limitMs = 5_000) {
      const deadline = Date.now() + limitMs;
      for (;;) {
        try {
          await Promise.race([save(), late(deadline - Date.now())]);
          break;
        } catch (error) {
          if (Date.now() >= deadline) {
            log.error({ err: error, keys: changes().length }, 'brain could not be stored at shutdown');
            break;
          }
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
      closed = true;
      clearTimeout(retry);
      stopHearing();
      brain.off('save', saveSoon);
      brain.set = set;
      brain.remove = remove;
      await storage.close();
    },
  };
}

/** An old brain that was stored as one JSON text, as keys. */
export function entriesOfBlob(blob: string): BrainEntry[] {
  const data: unknown = JSON.parse(blob);
  if (!isRecord(data)) throw new TypeError('a stored brain is an object');
  const entries: BrainEntry[] = [];
  const add = (kind: BrainKind, key: string, value: unknown) => {
    const text = JSON.stringify(value);
    if (text !== undefined) entries.push({ kind, key, value: text });
  };
  for (const [key, value] of Object.entries(data)) {
    if (key === 'users' && isRecord(value)) for (const [id, user] of Object.entries(value)) add('user', id, user);
    else if (key === '_private' && isRecord(value))
      for (const [name, held] of Object.entries(value)) add('private', name, held);
    else add('data', key, value);
  }
  return entries;
}

/** One text for a name, for maps and messages: `private:karma`. */
export function nameOf(name: BrainName): string {
  return `${name.kind}:${name.key}`;
}

/** The opposite of {@link nameOf}; undefined if it is no name. */
export function nameFrom(text: string): BrainName | undefined {
  const colon = text.indexOf(':');
  const kind = text.slice(0, colon);
  const key = text.slice(colon + 1);
  return kind === 'private' || kind === 'user' || kind === 'data' ? { kind, key } : undefined;
}

/** A key as a text that any storage takes, also one with U+0000 or half a surrogate pair. */
export function escapeKey(key: string): string {
  return JSON.stringify(key).slice(1, -1);
}

/** The opposite of {@link escapeKey}. */
export function unescapeKey(text: string): string {
  const key: unknown = JSON.parse(`"${text}"`);
  return String(key);
}

/** What a message between replicas says was changed; undefined if it is one's own or none of ours. */
export function namesFrom(payload: unknown, me: string): readonly BrainName[] | 'all' | undefined {
  if (!isRecord(payload) || payload['from'] === me) return undefined;
  const names = payload['names'];
  if (names === 'all') return 'all';
  if (!Array.isArray(names)) return undefined;
  const texts: readonly unknown[] = names;
  return texts.flatMap((text) => (typeof text === 'string' ? (nameFrom(text) ?? []) : []));
}

function* everything(brain: BrainLike): Generator<{ name: BrainName; value: unknown }> {
  for (const [key, value] of Object.entries(brain.data._private ?? {})) yield { name: { kind: 'private', key }, value };
  for (const [key, value] of Object.entries(brain.data.users ?? {})) yield { name: { kind: 'user', key }, value };
  for (const [key, value] of Object.entries(brain.data)) {
    if (key !== 'users' && key !== '_private') yield { name: { kind: 'data', key }, value };
  }
}

function holder(brain: BrainLike, kind: BrainKind): Record<string, unknown> {
  if (kind === 'private') return brain.data._private;
  return kind === 'user' ? brain.data.users : brain.data;
}

/** Scripts keep references to what they got: an object or a list is filled anew rather than replaced. */
function put(brain: BrainLike, { kind, key }: BrainName, value: unknown): void {
  const target = holder(brain, kind);
  const old = Object.hasOwn(target, key) ? target[key] : undefined;
  if (kind !== 'user' && Array.isArray(old) && Array.isArray(value)) {
    old.splice(0, old.length, ...value);
  } else if (kind !== 'user' && isPlain(old) && isPlain(value)) {
    for (const name of Object.keys(old)) delete old[name];
    for (const [name, held] of Object.entries(value)) define(old, name, held);
  } else {
    define(target, key, value);
  }
}

function take(brain: BrainLike, { kind, key }: BrainName): void {
  const target = holder(brain, kind);
  if (Object.hasOwn(target, key)) delete target[key];
}

/** Unlike an assignment, this makes `__proto__` a property like any other. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function bare(from: Record<string, unknown> | undefined): Record<string, unknown> {
  const made: Record<string, unknown> = Object.create(null);
  for (const [key, value] of Object.entries(from ?? {})) made[key] = value;
  return made;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function late(ms: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('took too long')), Math.max(0, ms)).unref();
  });
}
