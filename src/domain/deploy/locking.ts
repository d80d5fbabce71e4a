/** Locking and unlocking, and what follows for those who wait. */

import type { Lock, LockStore, Scope } from './locks.ts';
import type { Requester } from './ports.ts';

export interface LockRequest extends Scope {
  readonly reason: string;
  readonly forMs?: number;
  readonly owner: Requester;
}

export interface Locks {
  /** Locks, or gives the lock that somebody else has set. One's own is set anew. Asks for no permission. */
  lock(request: LockRequest): Promise<{ readonly kind: 'locked' | 'held'; readonly lock: Lock }>;
  /** Opens it; what waits goes on. False if somebody else did, or it is another one by now. Asks for no permission. */
  unlock(lock: Lock): Promise<boolean>;
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
  /** Durable: calls `changed` after that time. */
  changeLater(ms: number): Promise<void>;
}

export function createLocks({ store, now, redact, changed, changeLater }: LockPorts): Locks {
  return {
    async lock({ service, environment, reason, forMs, owner }) {
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
        if (forMs !== undefined) await changeLater(forMs);
        await changed();
      }
      return result;
    },
    async unlock(lock) {
      const opened = await store.unlock(lock);
      if (opened) await changed();
      return opened;
    },
    all: () => store.all(now()),
  };
}
