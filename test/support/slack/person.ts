/** What people do: each changes the state and sends the events that Slack would. */

import { randomUUID } from 'node:crypto';
import { mimetype } from './file-methods.ts';
import type { Context } from './method.ts';
import type { Block } from './schema.ts';
import { channelObject, groupObject, userObject } from './shapes.ts';
import {
  type Channel,
  type Fields,
  type Message,
  newId,
  type Person,
  type Thread,
  type UserGroup,
} from './workspace.ts';

export type Who = Person | string;
export type Where = Channel | string;

export interface SayOptions {
  /** The first message of the thread, or its ts. */
  readonly thread?: Message | Thread | string;
  /** Puts a mention of the bot in front. */
  readonly mention?: boolean;
  readonly files?: readonly { name: string; content: string | Buffer; mimetype?: string; title?: string }[];
  /** Also to the channel. */
  readonly broadcast?: boolean;
}

/** Typed text as the rich text block that clients send along. */
function richText(text: string): Block {
  const parts = text.split(/(<[@!#][^>]+>)/).filter(Boolean);
  const elements = parts.map((part) => {
    const user = /^<@([UW]\w+)>$/.exec(part)?.[1];
    return user === undefined ? { type: 'text', text: part } : { type: 'user', user_id: user };
  });
  return { type: 'rich_text', block_id: randomUUID().slice(0, 5), elements: [{ type: 'rich_text_section', elements }] };
}

export function personActions(context: Context) {
  const { workspace, events } = context;

  function join(who: Who, where: Where): void {
    const [person, channel] = [workspace.person(who), workspace.channel(where)];
    if (person.id !== workspace.bot.id) channel.members.add(person.id);
    const known = channel.members.has(workspace.bot.id) || person.id === workspace.bot.id;
    channel.members.add(person.id);
    if (!known) return;
    const type = channel.kind === 'public' ? 'C' : 'G';
    const joined = {
      user: person.id,
      channel: channel.id,
      channel_type: type,
      team: person.team,
      event_ts: workspace.newTs(),
    };
    events.send({ type: 'member_joined_channel', ...joined }, channel);
    events.posted(
      workspace.addMessage({
        channel: channel.id,
        user: person.id,
        subtype: channel.kind === 'public' ? 'channel_join' : 'group_join',
        text: `<@${person.id}> has joined the channel`,
      }),
    );
  }

  function leave(who: Who, where: Where): void {
    const [person, channel] = [workspace.person(who), workspace.channel(where)];
    const known = channel.members.has(workspace.bot.id);
    channel.members.delete(person.id);
    if (!known) return;
    if (person.id === workspace.bot.id) {
      events.send(
        {
          type: channel.kind === 'public' ? 'channel_left' : 'group_left',
          channel: channel.id,
          actor_id: channel.creator,
          event_ts: workspace.newTs(),
        },
        channel,
      );
      return;
    }
    const type = channel.kind === 'public' ? 'C' : 'G';
    events.send(
      {
        type: 'member_left_channel',
        user: person.id,
        channel: channel.id,
        channel_type: type,
        team: person.team,
        event_ts: workspace.newTs(),
      },
      channel,
    );
  }

  function say(who: Who, where: Where, text: string, options: SayOptions = {}): Message {
    const [person, channel] = [workspace.person(who), workspace.channel(where)];
    const said = options.mention ? `<@${workspace.bot.id}> ${text}` : text;
    const thread = typeof options.thread === 'object' ? options.thread.ts : options.thread;
    const files = (options.files ?? []).map((file) => {
      const content = Buffer.from(file.content);
      const id = newId('F');
      workspace.files.set(id, {
        id,
        name: file.name,
        title: file.title ?? file.name,
        mimetype: file.mimetype ?? mimetype(file.name),
        altText: undefined,
        user: person.id,
        created: workspace.seconds(),
        declaredLength: content.length,
        content,
        shares: [],
      });
      return id;
    });
    const message = workspace.addMessage({
      channel: channel.id,
      user: person.id,
      botId: person.botId,
      subtype:
        person.kind === 'bot'
          ? 'bot_message'
          : files.length > 0
            ? 'file_share'
            : options.broadcast
              ? 'thread_broadcast'
              : undefined,
      text: said,
      blocks: said === '' ? [] : [richText(said)],
      threadTs: thread,
      files,
      clientMsgId: randomUUID(),
    });
    for (const id of files) workspace.files.get(id)?.shares.push({ channel: channel.id, ts: message.ts });
    events.posted(message);
    return message;
  }

  /** Text of the same person, in a direct conversation with the bot. */
  function tell(who: Who, text: string, options: SayOptions = {}): Message {
    return say(who, workspace.dm(who), text, options);
  }

  function edit(message: Message, text: string): void {
    const before = events.before(message);
    message.text = text;
    message.blocks = [richText(text)];
    message.edited = { user: message.user, ts: workspace.newTs() };
    message.revision += 1;
    events.changed(message, before);
  }

  function remove(message: Message): void {
    message.deleted = true;
    message.revision += 1;
    events.deleted(message);
  }

  function react(who: Who, message: Message, name: string): void {
    const person = workspace.person(who);
    message.reactions.set(name, [...(message.reactions.get(name) ?? []), person.id]);
    events.reaction('reaction_added', message, person.id, name);
  }

  function unreact(who: Who, message: Message, name: string): void {
    const person = workspace.person(who);
    const left = (message.reactions.get(name) ?? []).filter((id) => id !== person.id);
    if (left.length > 0) message.reactions.set(name, left);
    else message.reactions.delete(name);
    events.reaction('reaction_removed', message, person.id, name);
  }

  function renameChannel(where: Where, name: string): void {
    const channel = workspace.channel(where);
    channel.previousNames.unshift(channel.name);
    channel.name = name;
    if (channel.kind !== 'public' && !channel.members.has(workspace.bot.id)) return;
    events.send(
      {
        type: channel.kind === 'public' ? 'channel_rename' : 'group_rename',
        channel: {
          id: channel.id,
          name,
          name_normalized: name,
          created: channel.created,
          is_channel: channel.kind === 'public',
          is_mpim: false,
        },
        event_ts: workspace.newTs(),
      },
      channel,
    );
  }

  function createChannel(name: string, by: Who): Channel {
    const channel = workspace.addChannel({ name, members: [by], bot: false });
    events.send({
      type: 'channel_created',
      channel: { ...channelObject(workspace, channel) },
      event_ts: workspace.newTs(),
    });
    return channel;
  }

  function archive(where: Where, archived = true): void {
    const channel = workspace.channel(where);
    channel.archived = archived;
    const type = `${channel.kind === 'public' ? 'channel' : 'group'}_${archived ? 'archive' : 'unarchive'}`;
    events.send(
      { type, channel: channel.id, user: channel.creator, is_moved: 0, event_ts: workspace.newTs() },
      channel,
    );
  }

  /** A changed profile, name, e-mail, or a person that is deactivated or comes back. */
  function changePerson(
    who: Who,
    change: Partial<Pick<Person, 'name' | 'realName' | 'displayName' | 'email' | 'timeZone' | 'deleted'>>,
  ): void {
    const person = workspace.person(who);
    Object.assign(person, change);
    person.updated = workspace.seconds();
    const user = userObject(workspace, person);
    const rest = { user, cache_ts: workspace.seconds(), event_ts: workspace.newTs() };
    events.send({ type: 'user_change', ...rest });
    events.send({ type: 'user_profile_changed', ...rest });
  }

  function joinTeam(options: Parameters<typeof workspace.addPerson>[0]): Person {
    const person = workspace.addPerson(options);
    const user = userObject(workspace, person);
    events.send({ type: 'team_join', user, cache_ts: workspace.seconds(), event_ts: workspace.newTs() });
    return person;
  }

  function openHome(who: Who, tab: 'home' | 'messages' = 'home'): void {
    const person = workspace.person(who);
    const home = workspace.homes.get(person.id);
    events.send({
      type: 'app_home_opened',
      user: person.id,
      channel: workspace.dm(person).id,
      tab,
      ...(home && tab === 'home' ? { view: { id: home.id, type: 'home', blocks: home.blocks, hash: home.hash } } : {}),
      event_ts: workspace.newTs(),
    });
  }

  /** Opens the assistant pane: a new thread in the direct conversation with the bot, seen from `from`. */
  function openAssistant(who: Who, from?: Where): Thread {
    if (workspace.view !== 'assistant') throw new Error(`no pane to open: the app has the view ${workspace.view}`);
    const person = workspace.person(who);
    const channel = workspace.dm(person);
    const root = workspace.addMessage({
      channel: channel.id,
      user: workspace.bot.id,
      botId: workspace.bot.botId,
      subtype: 'assistant_app_thread',
      text: 'New Assistant Thread',
    });
    const thread: Thread = { channel: channel.id, ts: root.ts, user: person.id, status: '', title: '' };
    workspace.threads.push(thread);
    events.send({
      type: 'assistant_thread_started',
      assistant_thread: assistantThread(thread, from),
      event_ts: workspace.newTs(),
    });
    return thread;
  }

  function assistantThread(thread: Thread, from: Where | undefined): Fields {
    return {
      user_id: thread.user,
      context:
        from === undefined
          ? {}
          : { channel_id: workspace.channel(from).id, team_id: workspace.teamId, enterprise_id: null },
      channel_id: thread.channel,
      thread_ts: thread.ts,
    };
  }

  function changeContext(thread: Thread, from: Where): void {
    events.send({
      type: 'assistant_thread_context_changed',
      assistant_thread: assistantThread(thread, from),
      event_ts: workspace.newTs(),
    });
  }

  /** The stream is over although the app did not stop it. */
  function endStream(message: Message): void {
    message.streaming = 'ended';
  }

  /** Presses Stop while the bot is streaming. */
  function stopStream(who: Who, message: Message): void {
    message.streaming = 'stopped by user';
    message.revision += 1;
    events.send({
      type: 'agent_session_stopped',
      channel: message.channel,
      user: workspace.person(who).id,
      thread_ts: message.threadTs ?? message.ts,
      streaming_message_ts: [message.ts],
      event_ts: workspace.newTs(),
    });
  }

  /** Shares a channel with another organisation, or no longer. */
  function shareChannel(where: Where, shared = true): void {
    const channel = workspace.channel(where);
    channel.shared = shared;
    const type = shared ? 'channel_shared' : 'channel_unshared';
    events.send({ type, channel: channel.id, connected_team_id: newId('T'), event_ts: workspace.newTs() }, channel);
  }

  function deleteChannel(where: Where): void {
    const channel = workspace.channel(where);
    workspace.channels.delete(channel.id);
    const type = channel.kind === 'public' ? 'channel_deleted' : 'group_deleted';
    events.send({ type, channel: channel.id, actor_id: channel.creator, event_ts: workspace.newTs() }, channel);
  }

  /** Takes the app out of the workspace: told twice, as Slack does, then every call is refused. */
  function uninstall(): void {
    events.send({ type: 'app_uninstalled', event_ts: workspace.newTs() });
    revokeTokens('account_inactive');
  }

  function createGroup(options: Parameters<typeof workspace.addGroup>[0]): UserGroup {
    const group = workspace.addGroup(options);
    events.send({ type: 'subteam_created', subteam: groupObject(workspace, group, true), event_ts: workspace.newTs() });
    return group;
  }

  /** Who is in a user group now; disabled ones count as gone. */
  function changeGroup(
    which: UserGroup | string,
    change: { users?: readonly Who[]; handle?: string; disabled?: boolean },
  ): void {
    const group = workspace.group(which);
    const before = group.users;
    if (change.users) group.users = change.users.map((who) => workspace.person(who).id);
    if (change.handle !== undefined) group.handle = change.handle;
    if (change.disabled !== undefined) group.disabled = change.disabled;
    group.updated = workspace.seconds();
    if (change.users) {
      const added = group.users.filter((id) => !before.includes(id));
      const removed = before.filter((id) => !group.users.includes(id));
      events.send({
        type: 'subteam_members_changed',
        subteam_id: group.id,
        team_id: workspace.teamId,
        date_previous_update: group.updated,
        date_update: group.updated,
        added_users: added,
        added_users_count: added.length,
        removed_users: removed,
        removed_users_count: removed.length,
        event_ts: workspace.newTs(),
      });
    }
    events.send({ type: 'subteam_updated', subteam: groupObject(workspace, group, true), event_ts: workspace.newTs() });
  }

  function renameWorkspace(change: { name?: string; domain?: string }): void {
    if (change.name !== undefined) {
      workspace.teamName = change.name;
      events.send({ type: 'team_rename', name: change.name, team_id: workspace.teamId, event_ts: workspace.newTs() });
    }
    if (change.domain !== undefined) {
      workspace.domain = change.domain;
      const url = `https://${change.domain}.slack.com/`;
      events.send({
        type: 'team_domain_change',
        url,
        domain: change.domain,
        team_id: workspace.teamId,
        event_ts: workspace.newTs(),
      });
    }
  }

  /** An administrator takes the app's tokens away: told once, then every call is answered with `code`. */
  function revokeTokens(code: 'token_revoked' | 'invalid_auth' | 'account_inactive' = 'token_revoked'): void {
    events.send({
      type: 'tokens_revoked',
      tokens: { oauth: [], bot: [workspace.bot.id] },
      event_ts: workspace.newTs(),
    });
    workspace.revoked = code;
  }

  return {
    say,
    tell,
    edit,
    delete: remove,
    react,
    unreact,
    join,
    leave,
    createChannel,
    renameChannel,
    archive,
    changePerson,
    joinTeam,
    openHome,
    openAssistant,
    changeContext,
    endStream,
    stopStream,
    shareChannel,
    deleteChannel,
    uninstall,
    createGroup,
    changeGroup,
    renameWorkspace,
    revokeTokens,
  };
}
