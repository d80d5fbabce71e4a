/** Following a request to its end, on whichever replica its command is worked on. */

import type { ApiOutcome } from './api-events.ts';
import { isProgress } from './api-events.ts';
import type { ApiRequestStore, ApiState } from './api-requests.ts';
import type { Content } from './card.ts';
import type { Logger } from './log.ts';

export interface FollowPorts {
  readonly store: Pick<ApiRequestStore, 'since' | 'state'>;
  readonly log: Logger;
  now(): Date;
  /** Resolves after that time, or at once when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** How often the record is looked at, in milliseconds. */
  readonly everyMs: number;
}

/** `done`: the record tells what became of it. `elsewhere`: another request began it. */
export type Ran = 'running' | 'done' | 'failed' | 'refused' | 'elsewhere';

export interface Follow {
  readonly request: string;
  /** How far the command itself is. */
  ran(): Ran;
  /** Resolves when it no longer runs. */
  readonly done: Promise<unknown>;
  /** Until then an approval is waited for. */
  readonly approvalUntil: Date;
  show(key: string, content: Content): Promise<void>;
  readonly signal: AbortSignal;
}

/** The room is told how it ended a moment after that is recorded: so long is waited for it. */
const LAST_WORD_MS = 10_000;

/** Shows what is said in a request, until its command has ended. `unknown` if the signal was aborted before. */
export async function follow(
  ports: FollowPorts,
  { request, ran, done, approvalUntil, show, signal }: Follow,
): Promise<{ readonly outcome: ApiOutcome; readonly detail?: string }> {
  const { store, log } = ports;
  /** Of each key, whether it told last how far something is. */
  const open = new Map<string, boolean>();
  let seen = 0;
  let endedAt: number | undefined;
  let troubled = false;
  let own: Ran = ran();

  async function drain(): Promise<void> {
    for (const { key, content, revision } of await store.since(request, seen)) {
      seen = revision;
      open.set(key, isProgress(content));
      await show(key, content);
    }
  }

  while (!signal.aborted) {
    try {
      own = ran();
      const state = await store.state(request);
      await drain();
      troubled = false;
      const ended = own === 'running' ? undefined : endOf(own, state, approvalUntil, ports.now());
      if (ended) {
        endedAt ??= ports.now().getTime();
        const isTold = ![...open.values()].includes(true);
        if (isTold || ports.now().getTime() - endedAt > LAST_WORD_MS) return ended;
      }
    } catch (error) {
      // The database may be away for a moment; what is under way is not.
      if (!troubled) log.warn({ err: error, request }, 'request cannot be followed just now');
      troubled = true;
    }
    const pause = ports.sleep(ports.everyMs, signal);
    await (own === 'running' ? Promise.race([pause, done]) : pause);
  }
  return { outcome: 'unknown' };
}

/** Undefined if it goes on. */
function endOf(
  own: Exclude<Ran, 'running'>,
  { run, proposal }: ApiState,
  approvalUntil: Date,
  now: Date,
): { readonly outcome: ApiOutcome; readonly detail?: string } | undefined {
  if (own === 'failed' || own === 'refused') return { outcome: own };
  if (run) {
    const detail = run.detail === undefined ? {} : { detail: run.detail };
    return run.outcome === undefined ? undefined : { outcome: run.outcome, ...detail };
  }
  if (proposal && hasExpired(proposal, now)) return { outcome: 'refused', detail: 'nobody approved it in time' };
  if (proposal?.decision === 'void') {
    return { outcome: 'refused', detail: 'what was asked for is no longer what would happen' };
  }
  if (proposal?.decision === 'refused' || proposal?.decision === 'cancelled') return { outcome: 'refused' };
  if (proposal) return approvalUntil <= now ? { outcome: 'pending' } : undefined;
  // It changed nothing, so there is no record of it.
  return { outcome: own === 'elsewhere' ? 'unknown' : 'succeeded' };
}

function hasExpired({ decision, expiresAt }: NonNullable<ApiState['proposal']>, now: Date): boolean {
  return decision === 'expired' || (decision === undefined && expiresAt <= now);
}
