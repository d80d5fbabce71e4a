/** chat.*: docs.slack.dev/reference/methods/chat.postMessage and its neighbours. */

import { type Context, checkedBlocks, existing, type Method, method, seen, writable } from './method.ts';
import { args, type Block, type Chunk } from './schema.ts';
import { messageObject } from './shapes.ts';
import { type Fields, type Message, SlackError } from './workspace.ts';

interface Contents {
  readonly text?: string | undefined;
  readonly blocks?: Block[] | undefined;
  readonly attachments?: Fields[] | undefined;
  readonly markdown_text?: string | undefined;
}

/** Text, blocks and attachments as they are stored; throws what Slack would answer. */
export function checkedContents(
  context: Context,
  sent: Contents,
  longest: number,
): { text: string; blocks: Block[]; attachments: Fields[] } {
  const { markdown_text: markdown } = sent;
  if (markdown !== undefined && (sent.text || sent.blocks?.length)) throw new SlackError('markdown_text_conflict');
  if (markdown !== undefined && markdown.length > 12_000) throw tooLong(context, 'markdown_text over 12,000');
  if (!sent.text && !sent.blocks?.length && !sent.attachments?.length && !markdown) throw new SlackError('no_text');
  if ((sent.text ?? '').length > longest) throw tooLong(context, `text over ${longest}`);
  if ((sent.attachments ?? []).length > 100) throw new SlackError('too_many_attachments');
  const attachments = (sent.attachments ?? []).map((attachment, index) => ({ id: index + 1, ...attachment }));
  for (const attachment of sent.attachments ?? []) {
    const blocks = args.postMessage.shape.blocks.safeParse(attachment['blocks']);
    if (blocks.data) checkedBlocks(context, blocks.data);
  }
  const blocks = markdown === undefined ? (sent.blocks ?? []) : [{ type: 'markdown', text: markdown }];
  return { text: escaped(sent.text ?? markdown ?? ''), blocks: checkedBlocks(context, blocks), attachments };
}

function tooLong(context: Context, what: string): SlackError {
  context.problem(`msg_too_long: ${what}`);
  return new SlackError('msg_too_long');
}

/** Slack stores `&`, `<` and `>` escaped unless they are already, or begin a link or a mention. */
function escaped(text: string): string {
  return text.replace(/&(?!amp;|lt;|gt;)/g, '&amp;');
}

function own(context: Context, message: Message, code: string): void {
  if (message.user !== context.workspace.bot.id) throw new SlackError(code);
}

function customised(sent: {
  username?: string | undefined;
  icon_emoji?: string | undefined;
  icon_url?: string | undefined;
}) {
  return { username: sent.username, iconEmoji: sent.icon_emoji, iconUrl: sent.icon_url };
}

/** The thread that a reply belongs to, by its first message even if another one of it was named. */
function threadOf(context: Context, channel: string, ts: string | undefined): string | undefined {
  if (ts === undefined) return undefined;
  const parent = context.workspace.message(channel, ts);
  return parent?.threadTs ?? ts;
}

const postMessage = method(args.postMessage, (sent, context) => {
  const { workspace } = context;
  const channel = writable(context, sent.channel);
  if (sent.client_msg_id !== undefined) {
    for (const [id, messages] of workspace.messages) {
      const first = messages.find((one) => one.clientMsgId === sent.client_msg_id && one.botId !== undefined);
      if (!first) continue;
      if (id !== channel.id) throw new SlackError('duplicate_channel_not_found');
      if (first.deleted) throw new SlackError('duplicate_message_not_found');
      return { channel: channel.id, ts: first.ts, message: messageObject(workspace, first, context.url()) };
    }
  }
  const contents = checkedContents(context, sent, 40_000);
  const look = customised(sent);
  const message = workspace.addMessage({
    channel: channel.id,
    user: workspace.bot.id,
    botId: workspace.bot.botId,
    ...contents,
    ...look,
    subtype:
      look.username !== undefined || look.iconEmoji !== undefined || look.iconUrl !== undefined
        ? 'bot_message'
        : undefined,
    threadTs: threadOf(context, channel.id, sent.thread_ts),
    clientMsgId: sent.client_msg_id,
    metadata: sent.metadata,
    args: sent,
  });
  context.events.posted(message);
  return { channel: channel.id, ts: message.ts, message: messageObject(workspace, message, context.url()) };
});

const update = method(args.update, (sent, context) => {
  const channel = seen(context, sent.channel);
  const message = existing(context, channel.id, sent.ts);
  own(context, message, 'cant_update_message');
  if (message.streaming === 'open') throw new SlackError('streaming_state_conflict');
  if (channel.archived) throw new SlackError('is_inactive');
  const before = context.events.before(message);
  Object.assign(message, updated(checkedContents(context, sent, 4000), sent));
  if (sent.blocks === undefined) message.edited = { user: message.user, ts: context.workspace.newTs() };
  if (sent.metadata) message.metadata = sent.metadata;
  message.args = sent;
  message.revision += 1;
  context.events.changed(message, before);
  return {
    channel: channel.id,
    ts: message.ts,
    text: message.text,
    message: messageObject(context.workspace, message, context.url()),
  };
});

/** What was not sent stays as it is, except that a text alone takes the blocks away; see «chat.update». */
function updated(contents: { text: string; blocks: Block[]; attachments: Fields[] }, sent: Contents) {
  const markdown = sent.markdown_text !== undefined;
  return {
    ...(sent.text !== undefined || markdown ? { text: contents.text } : {}),
    ...(sent.blocks !== undefined || sent.text !== undefined || markdown ? { blocks: contents.blocks } : {}),
    ...(sent.attachments !== undefined || sent.text !== undefined ? { attachments: contents.attachments } : {}),
  };
}

const remove = method(args.deleteMessage, (sent, context) => {
  const channel = seen(context, sent.channel);
  const message = existing(context, channel.id, sent.ts);
  own(context, message, 'cant_delete_message');
  message.deleted = true;
  message.revision += 1;
  context.events.deleted(message);
  return { channel: channel.id, ts: message.ts };
});

const postEphemeral = method(args.postEphemeral, (sent, context) => {
  const channel = writable(context, sent.channel);
  if (!channel.members.has(sent.user)) throw new SlackError('user_not_in_channel');
  const ts = context.workspace.newTs();
  const contents = checkedContents(context, sent, 40_000);
  context.workspace.ephemerals.push({
    channel: channel.id,
    user: sent.user,
    ts,
    threadTs: sent.thread_ts,
    by: 'call',
    ...contents,
    deleted: false,
    state: {},
  });
  return { message_ts: ts };
});

const getPermalink = method(args.permalink, (sent, context) => {
  const channel = seen(context, sent.channel);
  const message = existing(context, channel.id, sent.message_ts);
  const thread =
    message.threadTs !== undefined && message.threadTs !== message.ts
      ? `?thread_ts=${message.threadTs}&cid=${channel.id}`
      : '';
  const permalink = `https://${context.workspace.domain}.slack.com/archives/${channel.id}/p${message.ts.replace('.', '')}${thread}`;
  return { channel: channel.id, permalink };
});

function appended(
  context: Context,
  message: Message,
  sent: { markdown_text?: string | undefined; chunks?: readonly Chunk[] | undefined },
): void {
  const parts = [...(sent.chunks ?? [])];
  if (sent.markdown_text !== undefined) parts.unshift({ type: 'markdown_text', text: sent.markdown_text });
  for (const part of parts) {
    if (part.type === 'markdown_text') message.text += part.text;
    if (part.type === 'blocks') message.blocks.push(...checkedBlocks(context, part.blocks));
    if (part.type === 'plan_update') message.blocks.push({ type: 'plan', title: part.title });
    if (part.type === 'task_update') {
      const { id, type: _, ...task } = part;
      message.blocks = message.blocks.filter((block) => block['task_id'] !== id);
      message.blocks.push({ ...task, type: 'task_card', task_id: id });
    }
  }
}

/** Slack ends a stream by itself after some minutes. */
function stillStreaming(context: Context, channel: string, ts: string): Message {
  const message = existing(context, channel, ts);
  own(context, message, 'message_not_owned_by_app');
  if (message.streaming === 'open' && context.workspace.now() - Number(message.ts) * 1000 > context.streamMs)
    message.streaming = 'ended';
  if (message.streaming === 'stopped by user') throw new SlackError('stopped_by_user');
  if (message.streaming !== 'open') throw new SlackError('message_not_in_streaming_state');
  return message;
}

const startStream = method(args.startStream, (sent, context) => {
  const { workspace } = context;
  const channel = writable(context, sent.channel);
  if (channel.kind !== 'im' && sent.recipient_user_id === undefined) throw new SlackError('missing_recipient_user_id');
  if (channel.kind !== 'im' && sent.recipient_team_id === undefined) throw new SlackError('missing_recipient_team_id');
  if (sent.recipient_user_id !== undefined && !workspace.people.has(sent.recipient_user_id))
    throw new SlackError('user_not_found');
  const message = workspace.addMessage({
    channel: channel.id,
    user: workspace.bot.id,
    botId: workspace.bot.botId,
    ...customised(sent),
    threadTs: threadOf(context, channel.id, sent.thread_ts),
    streaming: 'open',
    args: sent,
  });
  appended(context, message, sent);
  clearStatus(context, channel.id, message.threadTs);
  context.events.posted(message);
  return { channel: channel.id, ts: message.ts };
});

const appendStream = method(args.appendStream, (sent, context) => {
  const channel = writable(context, sent.channel);
  const message = stillStreaming(context, channel.id, sent.ts);
  if (sent.markdown_text === undefined && !sent.chunks?.length) throw new SlackError('no_text');
  appended(context, message, sent);
  message.args = sent;
  message.revision += 1;
  return { channel: channel.id, ts: message.ts };
});

const stopStream = method(args.stopStream, (sent, context) => {
  const channel = writable(context, sent.channel);
  const message = stillStreaming(context, channel.id, sent.ts);
  const before = context.events.before(message);
  appended(context, message, sent);
  if (sent.blocks) message.blocks.push(...checkedBlocks(context, sent.blocks));
  message.streaming = 'ended';
  message.args = sent;
  message.revision += 1;
  context.events.changed(message, before);
  return { channel: channel.id, ts: message.ts, message: messageObject(context.workspace, message, context.url()) };
});

/** A status disappears when the app answers; docs.slack.dev/reference/methods/assistant.threads.setStatus. */
function clearStatus(context: Context, channel: string, ts: string | undefined): void {
  for (const thread of context.workspace.threads)
    if (thread.channel === channel && thread.ts === ts) thread.status = '';
}

export const chatMethods: Readonly<Record<string, Method>> = {
  'chat.postMessage': postMessage,
  'chat.update': update,
  'chat.delete': remove,
  'chat.postEphemeral': postEphemeral,
  'chat.getPermalink': getPermalink,
  'chat.startStream': startStream,
  'chat.appendStream': appendStream,
  'chat.stopStream': stopStream,
};
