/** What has become of messages of late, for what Slack tells in another order than it happened. */

/** Messages remembered. */
const REMEMBERED = 5_000;

export interface Lately {
  /** A newer text. False if one that is newer still is known, or the message is gone. */
  corrected(channel: string, ts: string, text: string, at: string): boolean;
  removed(channel: string, ts: string): void;
  /** The newest text of a message; undefined if it was taken back. */
  newest(channel: string, ts: string, text: string): string | undefined;
}

type Known = { readonly kind: 'corrected'; readonly text: string; readonly at: number } | { readonly kind: 'removed' };

export function createLately(): Lately {
  const known = new Map<string, Known>();

  function note(key: string, now: Known): void {
    known.delete(key);
    known.set(key, now);
    const [oldest] = known.keys();
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
  }

  return {
    corrected(channel, ts, text, at) {
      const key = `${channel} ${ts}`;
      const before = known.get(key);
      if (before?.kind === 'removed' || (before && before.at > Number(at))) return false;
      note(key, { kind: 'corrected', text, at: Number(at) });
      return true;
    },
    removed: (channel, ts) => note(`${channel} ${ts}`, { kind: 'removed' }),
    newest(channel, ts, text) {
      const found = known.get(`${channel} ${ts}`);
      if (!found) return text;
      return found.kind === 'corrected' ? found.text : undefined;
    },
  };
}
