/**
 * Answers that are written while they are read. https://docs.slack.dev/reference/methods/chat.startStream, chat.appendStream,
 * chat.stopStream
 */

import type { WebClient } from '@slack/web-api';
import { namesOnly } from '../../../bot/card.ts';
import { type Address, DeliveryDelayed, type LiveStream, type Person } from '../../../bot/chat.ts';
import { toMessage } from './blocks.ts';
import type { SlackContext } from './ports.ts';
import { bare, slackCode, troubleOf } from './refusal.ts';

/** Of one call, in characters. */
const PIECE = 12_000;
/** chat.update may be called 50 times a minute. https://docs.slack.dev/apis/web-api/rate-limits */
const EDIT_EVERY_MS = 1_300;
/** A workspace that does not know streams is not asked for each answer. */
const ASK_AGAIN_MS = 10 * 60_000;
/** It will not work for the next answer either: the method, the scope or the plan is missing. */
const UNKNOWN =
  /^(?:unknown_method|method_deprecated|missing_scope|not_allowed_token_type|feature_not_enabled|team_access_not_granted)$/;
/** Slack has ended it by itself, or it never was one. */
const ENDED = new Set(['message_not_in_streaming_state', 'message_not_found']);

export interface Streams {
  /** Begins one in a thread; undefined where Slack takes none. Throws {@link DeliveryDelayed} if it is not the channel's turn. */
  open(address: Address, reader: Person): Promise<LiveStream | undefined>;
}

type Uses = Pick<SlackContext, 'chat' | 'api' | 'rooms' | 'robot' | 'log' | 'self' | 'now'>;

/** The streams of one workspace. */
export function createStreams(context: Uses): Streams {
  const { chat, api, rooms, robot, log, now } = context;
  let askAgainAt = 0;

  return {
    async open({ room, thread }, reader) {
      if (thread === undefined || !reader.id.startsWith(`${chat}:`) || now().getTime() < askAgainAt) return undefined;
      const channel = await api.delivering(() => rooms.resolve(room));
      if (channel === undefined) return undefined;
      api.turn(channel);
      const ts = await api.delivering((web) => start(web, channel, thread, reader.id.slice(chat.length + 1)));
      return ts === undefined ? undefined : createStream({ context, channel, ts });
    },
  };

  async function start(web: WebClient, channel: string, thread: string, userId: string): Promise<string | undefined> {
    try {
      const recipient = { recipient_user_id: userId, recipient_team_id: context.self().teamId };
      return (await web.chat.startStream({ channel, thread_ts: thread, ...recipient })).ts;
    } catch (error) {
      const { kind } = troubleOf(error, robot.name);
      const code = slackCode(error);
      if (code === undefined || (kind !== 'refused' && kind !== 'unknown')) throw error;
      if (UNKNOWN.test(code)) askAgainAt = now().getTime() + ASK_AGAIN_MS;
      log.info({ chat, channel, problem: code }, 'Slack takes no stream');
      return undefined;
    }
  }
}

/** Ends it, whoever began it: a message that is written on cannot be updated. Nothing to do if it has ended. */
export async function endStream(web: WebClient, channel: string, ts: string): Promise<void> {
  try {
    await web.chat.stopStream({ channel, ts });
  } catch (error) {
    if (!ENDED.has(slackCode(error) ?? '')) throw error;
  }
}

/** Goes on as edits of the same message when Slack ends it, or what was shown has changed. */
function createStream(where: { readonly context: Uses; readonly channel: string; readonly ts: string }): LiveStream {
  const { context, channel, ts } = where;
  const { api, chat, log } = context;
  let shown = '';
  let way: 'stream' | 'edits' = 'stream';
  let editedAt = Number.NEGATIVE_INFINITY;
  let open = true;

  async function append(text: string): Promise<boolean> {
    if (!text.startsWith(shown)) return false;
    while (shown.length < text.length) {
      const piece = text.slice(shown.length, shown.length + PIECE);
      try {
        await api.web.chat.appendStream({ channel, ts, markdown_text: piece });
      } catch (error) {
        const trouble = troubleOf(error, context.robot.name);
        if (trouble.kind === 'limited') {
          throw new DeliveryDelayed('Slack asks for patience', { retryAfterMs: trouble.retryAfterMs, notSent: true });
        }
        if (ENDED.has(slackCode(error) ?? '')) open = false;
        // It may have arrived or not: from here on all of the text is given each time.
        log.info({ chat, channel, problem: slackCode(error), err: bare(error) }, 'Slack stream goes on as edits');
        return false;
      }
      shown += piece;
    }
    return true;
  }

  async function stop(): Promise<void> {
    if (!open) return;
    await endStream(api.web, channel, ts);
    open = false;
  }

  return {
    messageId: ts,
    async show(markdown) {
      const text = streamable(markdown);
      if (way === 'stream' && (await append(text))) return;
      way = 'edits';
      await stop();
      const at = context.now().getTime();
      const wait = editedAt + EDIT_EVERY_MS - at;
      if (wait > 0) throw new DeliveryDelayed('too soon for another edit', { retryAfterMs: wait, notSent: true });
      editedAt = at;
      const { text: plainText, blocks } = toMessage(markdown, { chat });
      await api.delivering((web) => web.chat.update({ channel, ts, text: plainText, blocks }));
    },
    async end() {
      try {
        await stop();
      } catch (error) {
        // The update that follows ends it.
        log.warn({ chat, channel, problem: slackCode(error), err: bare(error) }, 'Slack stream not ended');
      }
    },
  };
}

/** Markdown as it is, but for mentions: nobody is told of an answer before it is there. */
function streamable(markdown: string): string {
  return namesOnly(markdown).replace(/<(?=[@!#])/g, '<\u2060');
}
