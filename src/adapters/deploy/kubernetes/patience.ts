/** Waiting that the robot's end or a cancellation cuts short. */

import { setTimeout as sleep } from 'node:timers/promises';
import { isCancelled } from '../../../domain/deploy/target.ts';
import { type ApiFailure, passes } from './failure.ts';

/** The run was cut short; nothing is thrown for a cancellation while things are put in order. */
export class Cut extends Error {
  readonly by: 'cancel' | 'stop';
  constructor(by: 'cancel' | 'stop') {
    super(`the rollout was cut short by ${by}`);
    this.name = 'Cut';
    this.by = by;
  }
}

/** What a run may be cut short by. */
export interface Limits {
  readonly signal: AbortSignal;
  /** Goes on when it is cancelled: it is being undone already. */
  readonly undoing: boolean;
  /** When to give up, in milliseconds since 1970. */
  readonly deadline: number;
}

/** @throws Cut */
export function checkCut({ signal, undoing }: Limits): void {
  if (!signal.aborted) return;
  const by = isCancelled(signal) ? 'cancel' : 'stop';
  if (by === 'stop' || !undoing) throw new Cut(by);
}

/** Sleeps; returns early when the run is cut short. */
export async function pause(ms: number, limits: Limits): Promise<void> {
  if (limits.undoing && isCancelled(limits.signal)) await sleep(ms);
  else await sleep(ms, undefined, { signal: limits.signal }).catch(() => undefined);
}

export const FIRST_MS = 500;
const LAST_MS = 5_000;

/** Waits that long, or as long as the server asks; gives how long to wait the next time. */
export async function later(
  wait: number,
  { message, retryAfterMs = 0 }: ApiFailure,
  limits: Limits,
  waiting: (why: string) => void,
): Promise<number> {
  waiting(message);
  await pause(Math.max(wait, Math.min(retryAfterMs, limits.deadline - Date.now())), limits);
  return Math.min(wait * 2, LAST_MS);
}

/** Does it again while the API server is away, until the deadline. @throws ApiFailure, Cut */
export async function persist<T>(action: () => Promise<T>, limits: Limits, waiting: (why: string) => void): Promise<T> {
  for (let wait = FIRST_MS; ; ) {
    checkCut(limits);
    try {
      return await action();
    } catch (error) {
      if (!passes(error) || Date.now() + wait > limits.deadline) throw error;
      wait = await later(wait, error, limits, waiting);
    }
  }
}
