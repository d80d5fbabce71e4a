/** How long Slack asked to leave a method alone. https://docs.slack.dev/apis/web-api/rate-limits */

/** Limits that Slack has told, by method, and for posts by channel. Times are milliseconds of a clock that never goes back. */
export interface Limits {
  /** Milliseconds until the method may be called again; 0 if it may be now. */
  waitMs(method: string, channel: string | undefined): number;
  /** Slack answered 429. */
  told(method: string, channel: string | undefined, retryAfterMs: number): void;
}

/** Methods that count by channel: one message a second in each. The workspace has a limit of its own behind that. */
const BY_CHANNEL = new Set(['chat.postMessage', 'chat.postEphemeral']);
const MOST = 1_000;

/** @param clock milliseconds that never go back */
export function createLimits(clock: () => number): Limits {
  const until = new Map<string, number>();

  function sweep(now: number): void {
    if (until.size < MOST) return;
    for (const [lane, end] of until) if (end <= now) until.delete(lane);
  }

  function left(lane: string, now: number): number {
    const end = until.get(lane);
    if (end === undefined) return 0;
    if (end <= now) until.delete(lane);
    return Math.max(0, end - now);
  }

  return {
    waitMs(method, channel) {
      const now = clock();
      const whole = left(method, now);
      return BY_CHANNEL.has(method) && channel !== undefined
        ? Math.max(whole, left(laneOf(method, channel), now))
        : whole;
    },
    told(method, channel, retryAfterMs) {
      const now = clock();
      sweep(now);
      if (!BY_CHANNEL.has(method) || channel === undefined) {
        until.set(method, now + retryAfterMs);
        return;
      }
      // Slack does not say which of the two limits it was. Two channels at the same time: it is the workspace's.
      const others = [...until].some(
        ([lane, end]) => lane.startsWith(`${method} `) && lane !== laneOf(method, channel) && end > now,
      );
      until.set(laneOf(method, channel), now + retryAfterMs);
      if (others) until.set(method, now + retryAfterMs);
    },
  };
}

function laneOf(method: string, channel: string): string {
  return `${method} ${channel}`;
}

export interface Turns {
  /** Takes the turn: 0, or the milliseconds until it comes. */
  take(channel: string): number;
  /** Channels that are remembered. */
  size(): number;
}

/** A little more than the second that Slack asks for: the way there takes longer at one time than at another. */
const APART_MS = 1_050;

/** One message a second per channel. https://docs.slack.dev/apis/web-api/rate-limits#posting */
export function createTurns(clock: () => number): Turns {
  /** In the order in which they were taken. */
  const taken = new Map<string, number>();
  return {
    take(channel) {
      const now = clock();
      const next = (taken.get(channel) ?? -Infinity) + APART_MS;
      if (next > now) return Math.ceil(next - now);
      taken.delete(channel);
      for (const [each, at] of taken) {
        if (at + APART_MS > now) break;
        taken.delete(each);
      }
      taken.set(channel, now);
      return 0;
    },
    size: () => taken.size,
  };
}
