/** conversations.* and reactions.*: docs.slack.dev/reference/methods. */

import { type Context, existing, type Method, method, paged, seen } from './method.ts';
import { args } from './schema.ts';
import { channelObject, channelType, messageObject } from './shapes.ts';
import { type Channel, type Message, SlackError } from './workspace.ts';

const kinds: Readonly<Record<string, Channel['kind']>> = {
  public_channel: 'public',
  private_channel: 'private',
  im: 'im',
  mpim: 'mpim',
};

function wantedKinds(types = 'public_channel'): Channel['kind'][] {
  return types.split(',').map((name) => {
    const kind = kinds[name.trim()];
    if (!kind) throw new SlackError('invalid_types');
    return kind;
  });
}

const list = method(args.conversationsList, (sent, context) => {
  const { workspace } = context;
  const wanted = wantedKinds(sent.types);
  const all = [...workspace.channels.values()].filter(
    (channel) =>
      wanted.includes(channel.kind) &&
      (channel.kind === 'public' || channel.members.has(workspace.bot.id)) &&
      !(sent.exclude_archived && channel.archived),
  );
  const { items, next } = paged(all, sent.cursor, sent.limit);
  return {
    channels: items.map((channel) => channelObject(workspace, channel, channel.kind !== 'im')),
    response_metadata: { next_cursor: next },
  };
});

/** The channels that somebody, else the bot, is in. */
const own = method(args.ownChannels, (sent, context) => {
  const { workspace } = context;
  const user = sent.user ?? workspace.bot.id;
  const wanted = wantedKinds(sent.types);
  const all = [...workspace.channels.values()].filter(
    (channel) =>
      wanted.includes(channel.kind) && channel.members.has(user) && !(sent.exclude_archived && channel.archived),
  );
  const { items, next } = paged(all, sent.cursor, sent.limit);
  return {
    channels: items.map((channel) => channelObject(workspace, channel)),
    response_metadata: { next_cursor: next },
  };
});

const setTopic = method(args.setTopic, (sent, context) => {
  const { workspace } = context;
  const channel = seen(context, sent.channel);
  if (channel.archived) throw new SlackError('is_archived');
  if (channel.kind === 'im') throw new SlackError('method_not_supported_for_channel_type');
  if (!channel.members.has(workspace.bot.id)) throw new SlackError('not_in_channel');
  if (sent.topic.length > 250) throw new SlackError('too_long');
  channel.topic = sent.topic;
  context.events.posted(
    workspace.addMessage({
      channel: channel.id,
      user: workspace.bot.id,
      subtype: channel.kind === 'public' ? 'channel_topic' : 'group_topic',
      text: `<@${workspace.bot.id}> set the channel topic: ${sent.topic}`,
    }),
  );
  return { channel: channelObject(workspace, channel) };
});

const info = method(args.conversation, (sent, context) => {
  const channel = context.workspace.channels.get(sent.channel);
  if (!channel) throw new SlackError('channel_not_found');
  return { channel: channelObject(context.workspace, seen(context, channel.id), sent.include_num_members) };
});

const members = method(args.members, (sent, context) => {
  const { items, next } = paged([...seen(context, sent.channel).members], sent.cursor, sent.limit);
  return { members: items, response_metadata: { next_cursor: next } };
});

interface Span {
  readonly oldest?: string | undefined;
  readonly latest?: string | undefined;
  readonly inclusive?: boolean | undefined;
}

function within(message: Message, span: Span): boolean {
  const at = Number(message.ts);
  const oldest = Number(span.oldest ?? 0);
  const latest = span.latest === undefined ? Infinity : Number(span.latest);
  return (at > oldest && at < latest) || (span.inclusive === true && (at === oldest || at === latest));
}

function readable(context: Context, id: string): Channel {
  const channel = seen(context, id);
  if (!channel.members.has(context.workspace.bot.id)) throw new SlackError('not_in_channel');
  return channel;
}

const history = method(args.history, (sent, context) => {
  const { workspace } = context;
  const channel = readable(context, sent.channel);
  const all = (workspace.messages.get(channel.id) ?? [])
    .filter((one) => !one.deleted && (one.threadTs === undefined || one.threadTs === one.ts) && within(one, sent))
    .toReversed();
  const { items, next } = paged(all, sent.cursor, sent.limit, 999);
  return {
    messages: items.map((one) => messageObject(workspace, one, context.url())),
    has_more: next !== '',
    pin_count: 0,
    ...(next === '' ? {} : { response_metadata: { next_cursor: next } }),
  };
});

const replies = method(args.replies, (sent, context) => {
  const { workspace } = context;
  const channel = readable(context, sent.channel);
  const named = workspace.message(channel.id, sent.ts);
  if (!named) throw new SlackError('thread_not_found');
  const root = workspace.message(channel.id, named.threadTs ?? named.ts);
  const found = workspace.replies(channel.id, named.threadTs ?? named.ts).filter((one) => within(one, sent));
  const { items, next } = paged([...(root ? [root] : []), ...found], sent.cursor, sent.limit);
  return {
    messages: items.map((one) => messageObject(workspace, one, context.url())),
    has_more: next !== '',
    ...(next === '' ? {} : { response_metadata: { next_cursor: next } }),
  };
});

const open = method(args.open, (sent, context) => {
  const { workspace } = context;
  if (sent.channel !== undefined) {
    const channel = seen(context, sent.channel);
    if (channel.kind !== 'im' && channel.kind !== 'mpim') throw new SlackError('method_not_supported_for_channel_type');
    return { no_op: true, already_open: true, channel: { id: channel.id } };
  }
  const users = sent.users ?? [];
  if (users.length === 0) throw new SlackError('users_list_not_supplied');
  if (users.length > 8) throw new SlackError('too_many_users');
  const people = users.map((id) => {
    const person = workspace.people.get(id);
    if (!person) throw new SlackError('user_not_found');
    if (person.deleted) throw new SlackError('user_disabled');
    if (person.kind === 'bot') throw new SlackError('cannot_dm_bot');
    return person;
  });
  const [first] = people;
  const same = (channel: Channel) =>
    channel.members.size === people.length + 1 && people.every((one) => channel.members.has(one.id));
  const channel =
    first && people.length === 1
      ? workspace.dm(first)
      : ([...workspace.channels.values()].find((one) => one.kind === 'mpim' && same(one)) ??
        workspace.addChannel({
          name: `mpdm-${people.map((one) => one.name).join('--')}-1`,
          kind: 'mpim',
          members: people,
        }));
  return { channel: sent.return_im ? channelObject(workspace, channel) : { id: channel.id } };
});

const join = method(args.join, (sent, context) => {
  const { workspace } = context;
  const channel = seen(context, sent.channel);
  if (channel.kind !== 'public') throw new SlackError('method_not_supported_for_channel_type');
  if (channel.archived) throw new SlackError('is_archived');
  const already = channel.members.has(workspace.bot.id);
  channel.members.add(workspace.bot.id);
  if (!already)
    context.events.send(
      {
        type: 'member_joined_channel',
        user: workspace.bot.id,
        channel: channel.id,
        channel_type: 'C',
        team: workspace.teamId,
        event_ts: workspace.newTs(),
      },
      channel,
    );
  return {
    channel: channelObject(workspace, channel),
    ...(already ? { warning: 'already_in_channel', response_metadata: { warnings: ['already_in_channel'] } } : {}),
  };
});

const addReaction = method(args.reaction, (sent, context) => {
  const { workspace } = context;
  const channel = seen(context, sent.channel);
  const message = existing(context, channel.id, sent.timestamp);
  if (channel.archived) throw new SlackError('is_archived');
  if (!/^[a-z0-9_+'-]+(::skin-tone-[2-6])?$/.test(sent.name)) throw new SlackError('invalid_name');
  const users = message.reactions.get(sent.name) ?? [];
  if (users.includes(workspace.bot.id)) throw new SlackError('already_reacted');
  message.reactions.set(sent.name, [...users, workspace.bot.id]);
  message.revision += 1;
  context.events.reaction('reaction_added', message, workspace.bot.id, sent.name);
  return {};
});

const removeReaction = method(args.reaction, (sent, context) => {
  const { workspace } = context;
  const channel = seen(context, sent.channel);
  const message = existing(context, channel.id, sent.timestamp);
  const users = message.reactions.get(sent.name) ?? [];
  if (!users.includes(workspace.bot.id)) throw new SlackError('no_reaction');
  const left = users.filter((id) => id !== workspace.bot.id);
  if (left.length > 0) message.reactions.set(sent.name, left);
  else message.reactions.delete(sent.name);
  message.revision += 1;
  context.events.reaction('reaction_removed', message, workspace.bot.id, sent.name);
  return {};
});

const getReactions = method(args.reactionsOf, (sent, context) => {
  const channel = seen(context, sent.channel);
  const message = existing(context, channel.id, sent.timestamp);
  return {
    type: 'message',
    channel: channel.id,
    channel_type: channelType(channel),
    message: messageObject(context.workspace, message, context.url()),
  };
});

export const conversationMethods: Readonly<Record<string, Method>> = {
  'conversations.list': list,
  'conversations.info': info,
  'conversations.members': members,
  'conversations.history': history,
  'conversations.replies': replies,
  'conversations.open': open,
  'conversations.join': join,
  'conversations.setTopic': setTopic,
  'users.conversations': own,
  'reactions.add': addReaction,
  'reactions.remove': removeReaction,
  'reactions.get': getReactions,
};
