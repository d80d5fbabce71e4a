/** Messages: what is said, corrected and taken back. https://docs.slack.dev/reference/events/message */

import type { App } from '@slack/bolt';
import { TopicMessage } from 'hubot';
import { plain } from '../../../bot/card.ts';
import { addressed } from './addressed.ts';
import { createLately, type Lately } from './lately.ts';
import { notice } from './notice.ts';
import type { Listens, Said, SlackContext, SlackHistory } from './ports.ts';
import { readable } from './readable.ts';
import { isDirect } from './rooms.ts';
import { threadOf } from './threads.ts';

/** What is corrected later than this is a note for the history, not a new question. */
const RERUN_MS = 60_000;
const MOST_FILES = 20;

/** Messages that somebody says; every other subtype tells of something. */
const SAID = new Set<string | undefined>([undefined, 'file_share', 'me_message', 'thread_broadcast']);

/** What is used of a message; `app_mention` is the same but for the subtype. */
interface Post {
  readonly ts: string;
  readonly user?: string;
  readonly bot_id?: string;
  readonly subtype?: string | undefined;
  readonly text?: string;
  readonly thread_ts?: string;
  readonly edited?: { readonly user?: string; readonly ts?: string };
  readonly files?: readonly {
    readonly name?: string | null;
    readonly title?: string | null;
    readonly mimetype?: string;
    readonly size?: number;
    readonly url_private?: string;
    readonly permalink?: string;
  }[];
}

interface Parts {
  readonly context: SlackContext;
  readonly history: SlackHistory;
  readonly lately: Lately;
}

/** What people say reaches the robot; what they correct or take back reaches the history, and the robot if it is soon enough. */
export function listensToMessages(history: SlackHistory): Listens {
  return (app, context) => {
    const parts = { context, history, lately: createLately() };
    app.event('message', async ({ event }) => {
      if (isTopic(event)) return await topic(event, context);
      switch (event.subtype) {
        case 'message_changed':
          return await changed(event.channel, event.message, event.previous_message, parts);
        case 'message_deleted':
          return await removed(event.channel, event.deleted_ts, parts);
        default:
          return await said(event.channel, event, parts);
      }
    });
    listenToMentions(app, parts);
  };
}

/** Where messages of channels are not subscribed to, mentions still come. The same post never comes through both ways: see envelope.ts. */
function listenToMentions(app: App, parts: Parts): void {
  app.event('app_mention', async ({ event }) => await said(event.channel, event, parts));
}

async function said(channel: string, post: Post, parts: Parts): Promise<void> {
  const { context, lately } = parts;
  if (!isSaid(post, context)) return;
  const text = lately.newest(channel, post.ts, post.text ?? '');
  if (text !== undefined) await context.hear(await read(channel, { ...post, text }, parts));
}

async function removed(channel: string, ts: string, { context, history, lately }: Parts): Promise<void> {
  lately.removed(channel, ts);
  await history.remove(context.chat, channel, ts);
}

/** Said by a person: not by this robot, another one, or Slack itself. */
function isSaid(post: Post, context: SlackContext): post is Post & { readonly user: string } {
  if (post.bot_id !== undefined || post.user === undefined || post.user === 'USLACKBOT') return false;
  return SAID.has(post.subtype) && post.user !== context.self().userId;
}

async function read(
  channel: string,
  post: Post & { readonly user: string },
  { context, history }: Parts,
): Promise<Said> {
  const text = post.text ?? '';
  const thread = threadOf(channel, post, context.self());
  const files = (post.files ?? []).slice(0, MOST_FILES).map((file) => ({
    name: file.name || file.title || 'file',
    type: file.mimetype ?? 'application/octet-stream',
    size: file.size ?? 0,
    url: file.url_private ?? file.permalink ?? '',
  }));
  const names = files.map(({ name }) => `[file: ${plain(name)}]`);
  const meant = addressed(text, context.self().userId, isDirect(channel));
  // A file alone asks nothing.
  const silent = meant.exact === '' && files.length > 0;
  const root =
    meant.addressed === 'as its thread' && thread !== undefined
      ? await history.find(context.chat, channel, thread)
      : undefined;
  const isOwn = root?.personId === `${context.chat}:${post.user}`;
  return {
    userId: post.user,
    channel,
    ...(thread === undefined ? {} : { thread }),
    text: [await readable(text, context), ...names].filter((part) => part !== '').join(' '),
    exact: meant.exact,
    messageId: post.ts,
    via: 'typed',
    addressed: !silent && (meant.addressed === 'as its thread' ? root?.addressed === true : meant.addressed),
    ...(root === undefined || context.robot.isCalled(meant.exact)
      ? {}
      : { follows: isOwn ? ('own thread' as const) : ("another's thread" as const) }),
    at: timeOf(post.ts),
    ...(files.length > 0 ? { files } : {}),
  };
}

/** An edit by the author. Slack sends the same event when it adds the preview of a link: then the text is as before. */
async function changed(channel: string, post: Post, before: Post | undefined, parts: Parts): Promise<void> {
  const { context, history, lately } = parts;
  // What is left of a deleted message that has replies.
  if (post.subtype === 'tombstone') return await removed(channel, post.ts, parts);
  if (!isSaid(post, context) || post.edited?.ts === undefined || post.edited.user !== post.user) return;
  if (before?.text === post.text) return;
  if (!lately.corrected(channel, post.ts, post.text ?? '', post.edited.ts)) return;
  const now = await read(channel, post, parts);
  const stored = await history.update(context.chat, channel, post.ts, now.text);
  const late = timeOf(post.edited.ts).getTime() - timeOf(post.ts).getTime() > RERUN_MS;
  if (late || !isForRobot(now, context)) return;
  await context.hear({ ...now, edited: true, ...(stored ? { stored } : {}) });
}

function isForRobot(said: Said, { robot }: SlackContext): boolean {
  return said.addressed || robot.isCalled(said.exact ?? said.text);
}

interface Topic {
  readonly user: string;
  readonly channel: string;
  readonly topic: string;
  readonly ts: string;
}

/** Of private channels it has a name of its own, which the SDK does not know. */
function isTopic<T extends { readonly subtype?: string | undefined }>(event: T): event is T & Topic {
  return (event.subtype === 'channel_topic' || event.subtype === 'group_topic') && 'topic' in event;
}

/** Hubot scripts listen to it as to a message. */
async function topic(event: Topic, context: SlackContext): Promise<void> {
  if (event.user === context.self().userId) return;
  const text = await readable(event.topic, context);
  const { user: userId, channel, ts } = event;
  await notice({ userId, channel }, context, (user) => new TopicMessage(user, text, ts));
}

/** Slack's ids of messages are the seconds in which they were said. */
function timeOf(ts: string): Date {
  return new Date(Math.round(Number(ts) * 1000));
}
