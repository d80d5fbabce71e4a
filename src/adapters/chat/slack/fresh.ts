/** Keeps what was read from Slack as it is there: at start, every so often, and when an event says that it changed. */

import { setTimeout as delay } from 'node:timers/promises';
import { isAbsent } from './refusal.ts';

/** The first pause after a failure; each further one is twice as long, up to the longest. */
const RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 10 * 60_000;
/** How long what is under way may take when the chat closes, in milliseconds. */
const STOP_MS = 1_000;

export interface FreshOptions {
  /** Reads it again; throws if that did not work. */
  work(signal: AbortSignal): Promise<void>;
  /** Told each time that it did not work; never throws. */
  failed(error: unknown, retryMs: number): void;
  readonly everyMs: number;
}

export interface Fresh {
  /** Begins in the background. */
  start(): void;
  /** Reads it again. Resolves when a reading is over that began after this call, whether it worked or not. */
  again(): Promise<void>;
  /** Ends; waits a moment for what is under way. */
  stop(): Promise<void>;
}

/** What this Slack does not have at all is tried as rarely as if it had worked: the same will be said for long. */
export function keepFresh({ work, failed, everyMs }: FreshOptions): Fresh {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;

  async function run(): Promise<void> {
    next = undefined;
    clearTimeout(timer);
    let pauseMs = everyMs;
    try {
      await work(stopping.signal);
      failures = 0;
    } catch (error) {
      if (!isAbsent(error)) pauseMs = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.min(failures, 20));
      failures++;
      if (!stopping.signal.aborted) failed(error, pauseMs);
    }
    running = undefined;
    if (stopping.signal.aborted) return;
    clearTimeout(timer);
    timer = setTimeout(() => void again(), pauseMs);
    timer.unref();
  }

  function again(): Promise<void> {
    if (stopping.signal.aborted) return Promise.resolve();
    if (!running) {
      running = run();
      return running;
    }
    next ??= running.then(() => again());
    return next;
  }

  return {
    start: () => void again(),
    again,
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      // Slack may let a call wait for long.
      if (running) await Promise.race([running, delay(STOP_MS, undefined, { ref: false })]);
    },
  };
}
