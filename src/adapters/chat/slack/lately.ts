/** What has become of messages of late, for what Slack tells in another order than it happened. */

import { keepNewest } from './newest.ts';

/** Messages remembered; each may be 40,000 characters long. */
const REMEMBERED = 1_000;

export interface Lately {
  /** A newer text. False if one that is newer still is known, or the message is gone. */
  corrected(channel: string, ts: string, text: string, at: string): boolean;
  removed(channel: string, ts: string): void;
  /** The newest text of a message; undefined if it was taken back. */
  newest(channel: string, ts: string, text: string): string | undefined;
}

type Known = { readonly kind: 'corrected'; readonly text: string; readonly at: number } | { readonly kind: 'removed' };

/** What this replica was told, in memory. */
export function createLately(): Lately {
  const known = new Map<string, Known>();

  return {
    corrected(channel, ts, text, at) {
      const key = `${channel} ${ts}`;
      const before = known.get(key);
      if (before?.kind === 'removed' || (before && before.at > Number(at))) return false;
      keepNewest(known, key, { kind: 'corrected', text, at: Number(at) }, REMEMBERED);
      return true;
    },
    removed: (channel, ts) => keepNewest(known, `${channel} ${ts}`, { kind: 'removed' }, REMEMBERED),
    newest(channel, ts, text) {
      const found = known.get(`${channel} ${ts}`);
      if (!found) return text;
      return found.kind === 'corrected' ? found.text : undefined;
    },
  };
}
