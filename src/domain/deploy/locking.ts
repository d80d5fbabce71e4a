/** Locking and unlocking, and what follows for those who wait. */

import { codeSpan, mention, plain } from '../../bot/card.ts';
import type { Address } from '../../bot/chat.ts';
import { isPerson } from './ending.ts';
import { type Lock, type LockStore, type Scope, scopeWords } from './locks.ts';
import type { Requester } from './ports.ts';

export interface LockRequest extends Scope {
  readonly reason: string;
  readonly forMs?: number;
  readonly owner: Requester;
  /** Where it is set, and where its owner is told that its time is over. */
  readonly origin: Address;
}

/** That the time of a lock is over; plain JSON. */
export interface LockEnd {
  readonly id: number;
  /** In milliseconds, as of `Date`. */
  readonly until: number;
  readonly origin: Address;
}

export interface Locks {
  /** Locks, or gives the lock that somebody else has set. One's own is set anew. Asks for no permission. */
  lock(request: LockRequest): Promise<{ readonly kind: 'locked' | 'held'; readonly lock: Lock }>;
  /** Opens it; what waits goes on. False if somebody else did, or it is another one by now. Asks for no permission. */
  unlock(lock: Lock): Promise<boolean>;
  /** The job: what waits goes on, and the owner is told, unless it was opened or set anew since. Twice is as good as once. */
  ended(end: LockEnd): Promise<void>;
  /** Those that hold now, oldest first. */
  all(): Promise<readonly Lock[]>;
}

export interface LockPorts {
  readonly store: LockStore;
  now(): Date;
  /** Blots out secrets. */
  redact(text: string): string;
  /** What may be deployed has changed: whoever waits goes on, or is told why not. */
  changed(): Promise<void>;
  /** Durable: has {@link Locks.ended} called after that time. */
  endLater(end: LockEnd, ms: number): Promise<void>;
  /** Durable; the same key is said once. */
  post(origin: Address, text: string, key: string): Promise<void>;
}

export function createLocks({ store, now, redact, changed, endLater, post }: LockPorts): Locks {
  return {
    async lock({ service, environment, reason, forMs, owner, origin }) {
      const at = now();
      const result = await store.lock({
        ...(service === undefined ? {} : { service }),
        ...(environment === undefined ? {} : { environment }),
        reason: redact(reason),
        owner: { id: owner.id, name: owner.name },
        at,
        ...(forMs === undefined ? {} : { until: new Date(at.getTime() + forMs) }),
      });
      if (result.kind === 'locked') {
        const { id, until } = result.lock;
        if (forMs !== undefined && until !== undefined) await endLater({ id, until: until.getTime(), origin }, forMs);
        await changed();
      }
      return result;
    },
    async unlock(lock) {
      const opened = await store.unlock(lock);
      if (opened) await changed();
      return opened;
    },
    async ended({ id, until, origin }) {
      await changed();
      const lock = await store.get(id);
      if (lock?.until?.getTime() !== until || !isPerson(lock.owner)) return;
      const scope = scopeWords(lock);
      const again = codeSpan(`lock ${scope} <reason>`);
      const text = `${mention(lock.owner)}: the time of your lock on **${plain(scope)}** is over (${plain(lock.reason)}). It keeps nothing out any more; ${again} sets it again.`;
      await post(origin, text, `lock:${id}:${until}`);
    },
    all: () => store.all(now()),
  };
}
