/** Posts and changes messages: in a channel, in a thread, to one person alone. */

import type { ChatUpdateArguments, WebClient } from '@slack/web-api';
import type { Content } from '../../../bot/card.ts';
import { type Delivery, DeliveryRefused } from '../../../bot/chat.ts';
import type { Logger } from '../../../bot/log.ts';
import type { AnswerUrls } from './answer-urls.ts';
import { type RenderOptions, type SlackMessage, toMessage } from './blocks.ts';
import type { SlackFiles } from './files.ts';
import type { SlackApi } from './ports.ts';
import { findPosted, recognisable } from './posted.ts';
import { bare, problemOf, slackCode } from './refusal.ts';
import { isDirect, type KnownRooms } from './rooms.ts';
import { endStream } from './stream.ts';

/** Of an ephemeral message: it cannot be changed or linked to. */
const EPHEMERAL = 'ephemeral:';
/** A message that cannot be changed any more is as good as gone. https://docs.slack.dev/reference/methods/chat.update */
const GONE = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed', 'is_inactive']);
/** The person is not where the answer should go. https://docs.slack.dev/reference/methods/chat.postEphemeral */
const NOT_THERE = new Set(['user_not_in_channel', 'not_in_channel', 'channel_not_found', 'is_archived']);

export interface DeliverOptions {
  readonly chat: string;
  readonly api: SlackApi;
  readonly rooms: KnownRooms;
  readonly answerUrls: AnswerUrls;
  readonly log: Logger;
  /** How a person addresses the robot: `@shipmate `. */
  address(): string;
  /** Shows what belongs to a message and is no text of it. */
  readonly attach: SlackFiles['attach'];
}

export interface Deliveries {
  deliver(delivery: Delivery): Promise<{ readonly messageId: string }>;
  update(delivery: Delivery, messageId: string): Promise<'updated' | 'gone'>;
}

/** Deliveries of one workspace; they throw as {@link SlackApi.delivering} does. */
export function createDeliveries(options: DeliverOptions): Deliveries {
  const { chat, api, rooms, answerUrls, log } = options;

  function render(content: Content, ephemeral?: RenderOptions['ephemeral']): SlackMessage {
    return toMessage(content, { chat, address: options.address(), ...(ephemeral ? { ephemeral } : {}) });
  }

  async function channelOf(room: string): Promise<string> {
    const channel = await api.delivering(() => rooms.resolve(room));
    if (channel === undefined) {
      throw new DeliveryRefused(
        `Slack has no channel ${room} that the robot can see: create it, or invite the robot there with /invite ${options.address().trim()}`,
      );
    }
    return channel;
  }

  async function post(delivery: Delivery, channel: string): Promise<{ readonly messageId: string }> {
    const { thread } = delivery.address;
    const earlier = delivery.repeated
      ? await api.delivering((web) => findPosted(web, channel, thread, delivery.nonce))
      : undefined;
    if (earlier !== undefined) return { messageId: earlier };
    api.turn(channel);
    const message = render(delivery.content);
    const { ts } = await api.delivering((web) =>
      web.chat.postMessage({
        channel,
        text: message.text,
        blocks: message.blocks,
        mrkdwn: true,
        unfurl_links: false,
        unfurl_media: false,
        ...recognisable(delivery.nonce),
        ...message.author,
        ...(thread === undefined ? {} : { thread_ts: thread }),
      }),
    );
    if (ts === undefined) throw new Error('Slack took a message and gave no ts');
    const failed = await attach(channel, thread ?? ts, message);
    if (failed !== undefined) await confess(channel, thread ?? ts, message, failed);
    return { messageId: ts };
  }

  /** The message stands; what belongs to it and did not arrive is logged. Returns why. */
  async function attach(channel: string, thread: string, message: SlackMessage): Promise<string | undefined> {
    if (!message.files?.length && !message.document && !message.picture) return undefined;
    try {
      await options.attach(api.web, { channel, thread }, message);
      return undefined;
    } catch (error) {
      const problem = problemOf(error);
      log.error({ err: bare(error), problem, chat, channel }, 'Slack file not uploaded');
      return problem;
    }
  }

  /** The message says that there is a file below it. */
  async function confess(
    channel: string,
    thread: string,
    { files = [], document }: SlackMessage,
    problem: string,
  ): Promise<void> {
    if (files.length === 0 && !document) return;
    const text = `The file is missing: Slack did not take it (${problem}).`;
    try {
      await api.web.chat.postMessage({ channel, thread_ts: thread, text, mrkdwn: false });
    } catch (error) {
      log.warn({ problem: problemOf(error), chat, channel }, 'nobody was told in Slack that a file is missing');
    }
  }

  async function whisper(delivery: Delivery, channel: string, userId: string): Promise<{ readonly messageId: string }> {
    const message = await whispered(delivery, userId);
    const { thread } = delivery.address;
    const body = { text: message.text, blocks: message.blocks };
    const url = answerUrls.take(channel, userId);
    if (
      url !== undefined &&
      (await answerUrls.answer(url, { ...body, ...(thread === undefined ? {} : { thread_ts: thread }) }))
    ) {
      return { messageId: EPHEMERAL + delivery.nonce };
    }
    const outcome = await api.delivering((web) =>
      unless(NOT_THERE, () =>
        web.chat.postEphemeral({
          channel,
          user: userId,
          ...body,
          ...message.author,
          ...(thread === undefined ? {} : { thread_ts: thread }),
        }),
      ),
    );
    if (outcome !== undefined) return { messageId: EPHEMERAL + (outcome.message_ts ?? delivery.nonce) };
    return await postDirectly(delivery, userId);
  }

  /** What only one person sees has no files: if it is too long, the whole goes to the direct conversation before. */
  async function whispered(delivery: Delivery, userId: string): Promise<SlackMessage> {
    const whole = render(delivery.content);
    if (!whole.files) return whole;
    try {
      await postDirectly(delivery, userId);
      return render(delivery.content, 'whole in direct');
    } catch (error) {
      if (!(error instanceof DeliveryRefused)) throw error;
      log.warn({ chat, err: bare(error) }, 'Slack takes no direct message: only the beginning of an answer is shown');
      return render(delivery.content, 'beginning only');
    }
  }

  async function postDirectly(delivery: Delivery, userId: string): Promise<{ readonly messageId: string }> {
    const direct = await api.delivering(() => rooms.direct(userId));
    const { thread: _, ...address } = delivery.address;
    return await post({ ...delivery, address }, direct);
  }

  return {
    async deliver(delivery) {
      const channel = await channelOf(delivery.address.room);
      const { onlyTo } = delivery;
      if (onlyTo === undefined || isDirect(channel)) return await post(delivery, channel);
      return await whisper(delivery, channel, onlyTo.startsWith(`${chat}:`) ? onlyTo.slice(chat.length + 1) : onlyTo);
    },
    async update(delivery, messageId) {
      const channel = await channelOf(delivery.address.room);
      // What only one person sees cannot be changed later.
      if (messageId.startsWith(EPHEMERAL) || (delivery.onlyTo !== undefined && !isDirect(channel))) return 'gone';
      const message = render(delivery.content);
      const outcome = await api.delivering((web) =>
        unless(GONE, () => edit(web, { channel, ts: messageId, text: message.text, blocks: message.blocks })),
      );
      if (outcome === undefined) return 'gone';
      await attach(channel, delivery.address.thread ?? messageId, message);
      return 'updated';
    },
  };
}

/** A message that a killed robot was still writing is ended first. https://docs.slack.dev/reference/methods/chat.update#errors */
async function edit(web: WebClient, message: ChatUpdateArguments): Promise<object> {
  try {
    return await web.chat.update(message);
  } catch (error) {
    if (slackCode(error) !== 'streaming_state_conflict') throw error;
    await endStream(web, message.channel, message.ts);
    return await web.chat.update(message);
  }
}

/** Undefined if Slack answers with one of these codes. */
async function unless<T>(codes: ReadonlySet<string>, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (codes.has(slackCode(error) ?? '')) return undefined;
    throw error;
  }
}
