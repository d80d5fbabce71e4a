/** A button is a command, said by whoever presses it. https://docs.slack.dev/reference/interaction-payloads/block_actions-payload */

import type { BlockAction } from '@slack/bolt';
import { RUNS } from './actions.ts';
import type { Listens, Self } from './ports.ts';
import { threadOf } from './threads.ts';

/** The id of a press: no message has it, and two presses never share one. */
export function pressId(actionTs: string, messageTs: string, userId: string): string {
  return `press:${messageTs}:${actionTs}:${userId}`;
}

/** The message that was pressed; undefined if the id is not one of a press. */
export function pressedMessage(messageId: string): string | undefined {
  return /^press:(\d+\.\d+):/.exec(messageId)?.[1];
}

/** Buttons, selects and menus of messages; those of views are their own. */
export const listenToPresses: Listens = (app, context) => {
  app.action<BlockAction>({ type: 'block_actions', action_id: RUNS }, async ({ ack, body }) => {
    await ack();
    const [action] = body.actions;
    const command = action && commandOf(action);
    const place = placeOf(body, context.self());
    if (!command || !place) return;
    const userId = body.user.id;
    if (place.quiet) context.answerUrl(place.channel, userId, body.response_url);
    await context.hear({
      userId,
      channel: place.channel,
      ...(place.thread === undefined ? {} : { thread: place.thread }),
      text: command,
      messageId: pressId(action.action_ts, place.ts, userId),
      via: 'button',
      addressed: true,
      at: context.now(),
      ...(place.quiet ? { quiet: true } : {}),
    });
  });
};

/** The command that a pressed element runs. */
export function commandOf(action: BlockAction['actions'][number]): string | undefined {
  switch (action.type) {
    case 'button':
      return action.value;
    case 'static_select':
    case 'overflow':
      return action.selected_option.value;
    default:
      return undefined;
  }
}

interface Place {
  readonly channel: string;
  readonly ts: string;
  readonly thread?: string;
  /** Only whoever pressed it sees the message. */
  readonly quiet: boolean;
}

function placeOf({ container, channel, message }: BlockAction, self: Self): Place | undefined {
  if (container['type'] !== 'message') return undefined;
  const room = channel?.id ?? textOf(container['channel_id']);
  const ts = message?.ts ?? textOf(container['message_ts']);
  if (room === undefined || ts === undefined) return undefined;
  const threadTs = textOf(message?.['thread_ts']) ?? textOf(container['thread_ts']);
  const thread = threadOf(room, { ts, thread_ts: threadTs }, self);
  return {
    channel: room,
    ts,
    ...(thread === undefined ? {} : { thread }),
    quiet: container['is_ephemeral'] === true,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
