/** Whether an earlier attempt to post has arrived, although its answer was lost. */

import { createHash } from 'node:crypto';
import type { WebClient } from '@slack/web-api';

/** Name of the metadata that carries the nonce. https://docs.slack.dev/messaging/message-metadata */
const NONCE_EVENT = 'shipmate_post';

/** What every post carries, so that it is known again: by Slack, which takes an id once, and by us. */
export function recognisable(nonce: string): {
  readonly client_msg_id: string;
  readonly metadata: { readonly event_type: string; readonly event_payload: { readonly nonce: string } };
} {
  return {
    client_msg_id: clientMessageId(nonce),
    metadata: { event_type: NONCE_EVENT, event_payload: { nonce } },
  };
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** A UUID, the same for the same nonce (RFC 9562, version 8: of our own making). */
function clientMessageId(nonce: string): string {
  const lower = nonce.toLowerCase();
  if (UUID.test(lower)) return lower;
  const hex = createHash('sha256').update(nonce).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** As many as may have been posted since an earlier attempt. */
const NEWEST = 100;
/** Threads are told from their beginning. */
const REPLIES = 1_000;
const PAGES = 3;

/**
 * The `ts` of our own message that an earlier attempt has posted; undefined if there is none among the newest. Throws what the
 * Web API throws, so that nothing is posted again while nobody knows.
 * https://docs.slack.dev/reference/methods/conversations.history
 */
export async function findPosted(
  web: Pick<WebClient, 'conversations'>,
  channel: string,
  thread: string | undefined,
  nonce: string,
): Promise<string | undefined> {
  const id = clientMessageId(nonce);
  const limit = thread === undefined ? NEWEST : REPLIES;
  const common = { channel, limit, include_all_metadata: true };
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const next = cursor === undefined ? {} : { cursor };
    const { messages, response_metadata } =
      thread === undefined
        ? await web.conversations.history({ ...common, ...next })
        : await web.conversations.replies({ ...common, ...next, ts: thread });
    const found = messages?.find((message) => isOurs(message, id, nonce));
    if (found?.ts !== undefined) return found.ts;
    cursor = response_metadata?.next_cursor;
    if (!cursor) return undefined;
  }
  return undefined;
}

interface Found {
  readonly ts?: string;
  readonly client_msg_id?: string;
  readonly metadata?: { readonly event_type?: string; readonly event_payload?: object };
}

function isOurs({ client_msg_id, metadata }: Found, id: string, nonce: string): boolean {
  if (client_msg_id === id) return true;
  const payload = metadata?.event_type === NONCE_EVENT ? metadata.event_payload : undefined;
  return payload !== undefined && 'nonce' in payload && payload.nonce === nonce;
}
