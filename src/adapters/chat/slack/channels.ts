/** What becomes of channels and who is in them, and of the workspace itself. https://docs.slack.dev/reference/events */

import type { App } from '@slack/bolt';
import { EnterMessage, LeaveMessage } from 'hubot';
import { card, codeSpan } from '../../../bot/card.ts';
import { notice } from './notice.ts';
import type { Listens, SlackContext, SlackHistory } from './ports.ts';
import type { KnownRooms } from './rooms.ts';

export interface ChannelParts {
  readonly history: SlackHistory;
  readonly rooms: KnownRooms;
  /** Asks again who and where the robot is. */
  renew(): Promise<void>;
}

interface Membership {
  readonly user: string;
  readonly channel: string;
}

/** Says hello where the robot comes in, keeps what is known of channels up to date, and tells plain Hubot scripts who comes and goes. */
export function listensToChannels(parts: ChannelParts): Listens {
  return (app, context) => {
    app.event('member_joined_channel', async ({ event }) => await joined(event, parts, context));
    app.event('member_left_channel', async ({ event }) => await left(event, parts, context));
    listenToRooms(app, parts);
    app.event('team_rename', async () => await parts.renew());
    app.event('team_domain_change', async () => await parts.renew());
  };
}

function listenToRooms(app: App, { rooms }: ChannelParts): void {
  app.event('channel_rename', async ({ event }) => await rooms.renamed(event.channel.id, event.channel.name));
  app.event('group_rename', async ({ event }) => await rooms.renamed(event.channel.id, event.channel.name));
  app.event('channel_archive', async ({ event }) => rooms.forget(event.channel));
  app.event('channel_unarchive', async ({ event }) => rooms.forget(event.channel));
  app.event('channel_deleted', async ({ event }) => rooms.forget(event.channel));
  app.event('channel_left', async ({ event }) => rooms.forget(event.channel));
  app.event('channel_shared', async ({ event }) => rooms.forget(event.channel));
  app.event('channel_unshared', async ({ event }) => rooms.forget(event.channel));
  app.event('group_archive', async ({ event }) => rooms.forget(event.channel));
  app.event('group_unarchive', async ({ event }) => rooms.forget(event.channel));
  app.event('group_deleted', async ({ event }) => rooms.forget(event.channel));
  app.event('group_left', async ({ event }) => rooms.forget(event.channel));
  app.event('im_created', async ({ event }) => rooms.forget(event.channel.id));
}

async function joined(
  { user, channel }: Membership,
  { history, rooms }: ChannelParts,
  context: SlackContext,
): Promise<void> {
  if (user === context.self().userId) {
    rooms.forget(channel);
    await rooms.room(channel);
    await context.post({ room: channel }, hello(context), { key: 'hello' });
    return;
  }
  // Known before somebody is in it.
  const room = await rooms.room(channel);
  if (room) await history.join(context.chat, channel, `${context.chat}:${user}`);
  await notice({ userId: user, channel }, context, (person) => new EnterMessage(person));
}

async function left(
  { user, channel }: Membership,
  { history, rooms }: ChannelParts,
  context: SlackContext,
): Promise<void> {
  if (user === context.self().userId) {
    rooms.forget(channel);
    return;
  }
  await history.leave(context.chat, channel, `${context.chat}:${user}`);
  await notice({ userId: user, channel }, context, (person) => new LeaveMessage(person));
}

function hello({ robot }: SlackContext): ReturnType<typeof card> {
  return card({
    title: `Hello, I am ${robot.name}`,
    text: `I listen here to what begins with my name: ${codeSpan(`@${robot.name} help`)} says what I can do. In a thread that began so, my name is not needed again.`,
    actions: [{ label: 'What can you do?', command: 'help' }],
    isGuide: true,
  });
}
