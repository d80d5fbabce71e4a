/** Locks that people set: what they keep out, who may open them, and how they are spoken of. */

import { moment } from '../../bot/card.ts';
import type { Place, Requester } from './ports.ts';

/** Keeps every deployment out of what it covers, its owner's included. */
export interface Lock {
  readonly id: number;
  /** Undefined: every service. */
  readonly service?: string;
  /** Undefined: every environment. */
  readonly environment?: string;
  /** Redacted, but untrusted. */
  readonly reason: string;
  readonly owner: Requester;
  readonly at: Date;
  /** Undefined: until somebody opens it. */
  readonly until?: Date;
}

/** What a lock covers. */
export type Scope = Pick<Lock, 'service' | 'environment'>;

/** The record of locks. One for each scope; who sets it is decided here. */
export interface LockStore {
  /** Sets it, in place of an older one of the same owner or of one that has expired; or gives the one that is there. */
  lock(wanted: Omit<Lock, 'id'>): Promise<{ readonly kind: 'locked' | 'held'; readonly lock: Lock }>;
  /** False if it is no longer there, or somebody else's by now. */
  unlock(lock: Pick<Lock, 'id' | 'owner'>): Promise<boolean>;
  /** Those that hold at that time, oldest first. */
  all(at: Date): Promise<readonly Lock[]>;
}

/** Whether it keeps deployments out of that place at that time. */
export function keepsOut(lock: Lock, place: Place, at: Date): boolean {
  return (
    (lock.service === undefined || lock.service === place.service) &&
    (lock.environment === undefined || lock.environment === place.environment) &&
    (lock.until === undefined || lock.until.getTime() > at.getTime())
  );
}

/** The first of them that keeps deployments out of that place at that time. */
export function lockOn(locks: readonly Lock[], place: Place, at: Date): Lock | undefined {
  return locks.find((lock) => keepsOut(lock, place, at));
}

/** `hello in staging`, `hello`, `everything in production`, `everything`. */
export function scopeWords({ service, environment }: Scope): string {
  return `${service ?? 'everything'}${environment === undefined ? '' : ` in ${environment}`}`;
}

/** Until when it holds, as a clause. */
export function untilWords({ until }: Pick<Lock, 'until'>): string {
  return until === undefined ? 'until somebody unlocks it' : `until ${moment(until)}`;
}

/** A lock that holds for longer is none that anybody remembers. */
const LONGEST_MS = 366 * 24 * 3600_000;

/** `forMs`: how long it is to hold, if the text ends with `for 2h`. */
export type LockWords =
  | { readonly kind: 'understood'; readonly reason: string; readonly forMs?: number }
  | { readonly kind: 'no reason' }
  | { readonly kind: 'too long' };

/**
 * Takes the text of a lock apart.
 *
 * @param parseDuration milliseconds in `2h`; undefined if it is no length of time
 */
export function lockWords(text: string, parseDuration: (typed: string) => number | undefined): LockWords {
  const found = /^(?:(.*)\s)?for\s+(\S.*)$/is.exec(text.trim());
  const forMs = found?.[2] === undefined ? undefined : parseDuration(found[2]);
  const reason = (forMs === undefined ? text : (found?.[1] ?? '')).trim();
  if (reason === '') return { kind: 'no reason' };
  if (forMs === undefined) return { kind: 'understood', reason };
  return forMs > LONGEST_MS || forMs < 1 ? { kind: 'too long' } : { kind: 'understood', reason, forMs };
}
