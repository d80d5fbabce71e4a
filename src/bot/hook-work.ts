/** What happens to a received event afterwards: handled by a durable job, tried again, in the end put aside. */

import type { Hook, HookEvent, HookStore } from './hooks.ts';
import type { Jobs } from './jobs.ts';
import type { Logger } from './log.ts';

/** Tries that failed after which an event is put aside. */
export const FAILURES = 6;
/** Tries that nobody saw the end of, because the process was gone, after which an event is put aside. */
export const CRASHES = 20;

const HANDLE = 'hooks.handle';
const RECOVER = 'hooks.recover';
const BATCH = 500;
/** An event is asked for again if it is older than this and still open. */
const OVERDUE_MS = 30_000;
const KEEP_MS = 7 * 24 * 3_600_000;

export interface HookWork {
  /** Has one stored event handled soon. */
  enqueue(id: number): Promise<void>;
  /** Has every event handled that is stored and still open. */
  recover(): Promise<void>;
  /** Looks for forgotten events, now and every minute. */
  start(): Promise<void>;
}

export function createHookWork(options: {
  readonly store: HookStore;
  readonly jobs: Jobs;
  readonly hooks: ReadonlyMap<string, Hook>;
  readonly log: Logger;
  readonly now: () => Date;
  /** Whether an error says nothing about the event: the database is away. */
  readonly isTransient: (error: unknown) => boolean;
  readonly retryDelaySeconds: number;
}): HookWork {
  const { store, jobs, log, now, isTransient } = options;

  jobs.define<{ event: number }>(
    HANDLE,
    { concurrency: 4, expireSeconds: 60, retries: FAILURES, retryDelaySeconds: options.retryDelaySeconds },
    async ({ event }) => await handle(event),
  );
  jobs.define(RECOVER, { expireSeconds: 60, retries: 0 }, async () => {
    await enqueueOpen(new Date(now().getTime() - OVERDUE_MS));
    await store.forget(new Date(now().getTime() - KEEP_MS));
  });

  /** Handling has its effect once: a handler does nothing new when it sees an event again. */
  async function handle(id: number): Promise<void> {
    const event = await store.begin(id);
    if (!event) return;
    if (event.attempts > CRASHES) return await park(event, 'the process ended each time it was handled');
    const hook = options.hooks.get(event.source);
    if (!hook) return await park(event, 'nothing handles this source any more');
    try {
      await hook.handle(event);
    } catch (error) {
      if (isTransient(error)) {
        await store.postponed(id);
        throw error;
      }
      const text = textOf(error);
      if (event.attempts >= FAILURES) return await park(event, text);
      await store.failed(id, text);
      log.warn(
        { event: id, source: event.source, attempt: event.attempts, err: error },
        'hook event failed, trying again',
      );
      throw error;
    }
    await store.handled(id, now());
  }

  async function park(event: HookEvent, error: string): Promise<void> {
    await store.park(event.id, error, now());
    log.error({ event: event.id, source: event.source, attempts: event.attempts, error }, 'hook event put aside');
  }

  async function enqueue(id: number): Promise<void> {
    await jobs.send(HANDLE, { event: id }, { key: `hook:${id}` });
  }

  async function enqueueOpen(before: Date): Promise<void> {
    for (const id of await store.open(before, BATCH)) await enqueue(id);
  }

  return {
    enqueue,
    recover: async () => await enqueueOpen(now()),
    start: async () => {
      await jobs.schedule(RECOVER, '* * * * *');
      await enqueueOpen(now());
    },
  };
}

function textOf(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 2000);
}
