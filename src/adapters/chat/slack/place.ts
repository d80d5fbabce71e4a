/** Where a conversation takes place that began unseen by others: with a slash command, or in a form. */

import type { SlackContext } from './ports.ts';
import { readable } from './readable.ts';
import { bare } from './refusal.ts';
import { isDirect } from './rooms.ts';

export interface Asked {
  readonly userId: string;
  /** Where it was asked; the robot need not be there. */
  readonly channel: string;
  readonly thread?: string;
  /** As Slack sent it. */
  readonly text: string;
  /** Unique for all time. */
  readonly messageId: string;
  readonly via: 'typed' | 'button';
}

/**
 * Gives it to the robot: in that channel, what only reads for its author alone; where the robot cannot post, in the direct
 * conversation, and its author is told so.
 */
export async function hearQuietly(asked: Asked, context: SlackContext): Promise<void> {
  const { userId, channel, thread, text, messageId, via } = asked;
  const said = {
    userId,
    text: await readable(text, context),
    exact: text,
    messageId,
    via,
    addressed: true,
    at: context.now(),
  };
  if (await isReachable(channel, context)) {
    const there = { channel, ...(thread === undefined ? {} : { thread }) };
    return await context.hear({ ...said, ...there, ...(isDirect(channel) ? {} : { quiet: true }) });
  }
  const direct = await context.rooms.direct(userId);
  const hint = `I cannot post here, so I answer in our direct conversation. \`/invite @${context.robot.name}\` brings me into a channel.`;
  await context.post({ room: channel }, hint, {
    onlyTo: `${context.chat}:${userId}`,
    key: `elsewhere:${messageId}`,
    answer: true,
  });
  await context.hear({ ...said, channel: direct });
}

/** What cannot be found out now is tried: the outbox knows what to do with a refusal. */
async function isReachable(channel: string, { rooms, log, chat }: SlackContext): Promise<boolean> {
  try {
    return await rooms.reachable(channel);
  } catch (error) {
    log.warn({ chat, err: bare(error) }, 'Slack channel could not be looked up');
    return true;
  }
}
