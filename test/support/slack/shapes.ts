/** How Slack writes people, channels, messages, files, groups and views in its answers and events. */

import type { Channel, Fields, Message, Person, StoredFile, UserGroup, View, Workspace } from './workspace.ts';

/** docs.slack.dev/reference/objects/user-object. A stranger has less. */
export function userObject(workspace: Workspace, person: Person): Fields {
  const stranger = person.kind === 'stranger';
  const guest = person.kind === 'guest' || person.kind === 'single-channel guest';
  return {
    id: person.id,
    team_id: person.team,
    name: person.name,
    deleted: person.deleted,
    ...(person.deleted
      ? {}
      : {
          color: '9f69e7',
          real_name: person.realName,
          tz: person.timeZone,
          tz_label: person.timeZone,
          tz_offset: 3600,
        }),
    profile: {
      title: '',
      phone: '',
      skype: '',
      real_name: person.realName,
      real_name_normalized: person.realName,
      display_name: person.displayName,
      display_name_normalized: person.displayName,
      status_text: '',
      status_emoji: '',
      status_expiration: 0,
      avatar_hash: 'g0',
      ...(person.email !== undefined && !stranger ? { email: person.email } : {}),
      image_24: avatar(person, 24),
      image_48: avatar(person, 48),
      image_72: avatar(person, 72),
      image_192: avatar(person, 192),
      image_512: avatar(person, 512),
      ...(person.botId ? { bot_id: person.botId, api_app_id: workspace.appId } : {}),
      team: person.team,
    },
    ...(stranger ? { is_stranger: true } : {}),
    ...(person.deleted
      ? {}
      : {
          is_admin: person.kind === 'admin' || person.kind === 'owner',
          is_owner: person.kind === 'owner',
          is_primary_owner: person.kind === 'owner',
          is_restricted: guest,
          is_ultra_restricted: person.kind === 'single-channel guest',
          has_2fa: false,
        }),
    is_bot: person.kind === 'bot',
    is_app_user: false,
    updated: person.updated,
    is_email_confirmed: !stranger && person.kind !== 'bot',
    who_can_share_contact_card: 'EVERYONE',
  };
}

function avatar(person: Person, size: number): string {
  return `https://avatars.slack-edge.com/${person.id}_${size}.png`;
}

/** docs.slack.dev/reference/objects/conversation-object. */
export function channelObject(workspace: Workspace, channel: Channel, count = false): Fields {
  const member = channel.members.has(workspace.bot.id);
  const common = {
    id: channel.id,
    created: channel.created,
    updated: channel.created * 1000,
    is_archived: channel.archived,
    context_team_id: workspace.teamId,
    ...(count ? { num_members: channel.members.size } : {}),
  };
  if (channel.kind === 'im') {
    const user = [...channel.members].find((id) => id !== workspace.bot.id) ?? workspace.bot.id;
    return { ...common, is_im: true, is_org_shared: false, user, is_user_deleted: false, priority: 0 };
  }
  return {
    ...common,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: channel.kind === 'public' || channel.kind === 'private',
    is_group: channel.kind !== 'public',
    is_im: false,
    is_mpim: channel.kind === 'mpim',
    is_private: channel.kind !== 'public',
    is_general: channel.name === 'general',
    is_member: member,
    is_shared: channel.shared,
    is_ext_shared: channel.shared,
    is_org_shared: false,
    is_pending_ext_shared: false,
    pending_shared: [],
    pending_connected_team_ids: [],
    shared_team_ids: [workspace.teamId],
    unlinked: 0,
    creator: channel.creator,
    topic: { value: channel.topic, creator: '', last_set: 0 },
    purpose: { value: channel.purpose, creator: '', last_set: 0 },
    previous_names: channel.previousNames,
  };
}

/** What events call the kind of a channel. */
export function channelType(channel: Channel): 'channel' | 'group' | 'im' | 'mpim' {
  return channel.kind === 'public' ? 'channel' : channel.kind === 'private' ? 'group' : channel.kind;
}

/** docs.slack.dev/reference/objects/file-object. */
export function fileObject(file: StoredFile, url: string): Fields {
  const type = file.name.includes('.') ? (file.name.split('.').at(-1) ?? 'text') : 'text';
  return {
    id: file.id,
    created: file.created,
    timestamp: file.created,
    name: file.name,
    title: file.title,
    mimetype: file.mimetype,
    filetype: type,
    pretty_type: type.toUpperCase(),
    user: file.user,
    editable: false,
    size: file.content?.length ?? file.declaredLength,
    mode: 'hosted',
    is_external: false,
    is_public: file.shares.length > 0,
    ...(file.altText !== undefined ? { alt_txt: file.altText } : {}),
    url_private: `${url}/files-pri/${file.id}/${encodeURIComponent(file.name)}`,
    url_private_download: `${url}/files-pri/${file.id}/download/${encodeURIComponent(file.name)}`,
    permalink: `${url}/files/${file.user}/${file.id}/${encodeURIComponent(file.name)}`,
    channels: file.shares.map((share) => share.channel),
    shares: {
      public: Object.fromEntries(file.shares.map((share) => [share.channel, [{ ts: share.ts }]])),
    },
  };
}

/** docs.slack.dev/reference/objects/usergroup-object. */
export function groupObject(workspace: Workspace, group: UserGroup, users = false): Fields {
  return {
    id: group.id,
    team_id: workspace.teamId,
    is_usergroup: true,
    is_subteam: true,
    name: group.name,
    description: group.description,
    handle: group.handle,
    is_external: false,
    date_create: group.updated,
    date_update: group.updated,
    date_delete: group.disabled ? group.updated : 0,
    auto_type: null,
    created_by: workspace.bot.id,
    updated_by: workspace.bot.id,
    deleted_by: null,
    prefs: { channels: [], groups: [] },
    ...(users ? { users: group.users } : {}),
    user_count: group.users.length,
  };
}

export function botProfile(workspace: Workspace, bot: Person): Fields {
  return {
    id: bot.botId,
    app_id: workspace.appId,
    user_id: bot.id,
    name: bot.name,
    icons: { image_36: avatar(bot, 36), image_48: avatar(bot, 48), image_72: avatar(bot, 72) },
    deleted: bot.deleted,
    updated: bot.updated,
    team_id: workspace.teamId,
  };
}

/** A message as `conversations.history` gives it, and without `channel` as events do. */
export function messageObject(workspace: Workspace, message: Message, url: string): Fields {
  const person = workspace.people.get(message.user);
  const replies =
    message.threadTs === message.ts || message.threadTs === undefined
      ? workspace.replies(message.channel, message.ts)
      : [];
  const parent =
    message.threadTs !== undefined && message.threadTs !== message.ts
      ? workspace.message(message.channel, message.threadTs)
      : undefined;
  const stranger = person?.kind === 'stranger';
  return {
    type: 'message',
    ...(message.subtype !== undefined ? { subtype: message.subtype } : {}),
    ...(message.subtype === 'bot_message' ? {} : { user: message.user }),
    ...(message.clientMsgId !== undefined && message.botId === undefined ? { client_msg_id: message.clientMsgId } : {}),
    text: message.text,
    ts: message.ts,
    team: person?.team ?? workspace.teamId,
    ...(stranger
      ? {
          user_team: person.team,
          source_team: person.team,
          user_profile: {
            avatar_hash: 'g0',
            image_72: avatar(person, 72),
            real_name: person.realName,
            display_name: person.displayName,
            name: person.name,
            team: person.team,
            is_restricted: false,
            is_ultra_restricted: false,
          },
        }
      : {}),
    ...(message.botId !== undefined
      ? {
          bot_id: message.botId,
          ...(message.botId === workspace.bot.botId ? { app_id: workspace.appId } : {}),
          ...(person ? { bot_profile: botProfile(workspace, person) } : {}),
        }
      : {}),
    ...(message.username !== undefined ? { username: message.username } : {}),
    ...(message.iconEmoji !== undefined ? { icons: { emoji: message.iconEmoji } } : {}),
    ...(message.iconUrl !== undefined ? { icons: { image_64: message.iconUrl } } : {}),
    ...(message.metadata !== undefined ? { metadata: message.metadata } : {}),
    ...(message.blocks.length > 0 ? { blocks: message.blocks } : {}),
    ...(message.attachments.length > 0 ? { attachments: message.attachments } : {}),
    ...(message.files.length > 0
      ? {
          files: message.files.flatMap((id) => workspace.files.get(id) ?? []).map((file) => fileObject(file, url)),
          upload: false,
        }
      : {}),
    ...(message.edited ? { edited: message.edited } : {}),
    ...(message.threadTs !== undefined ? { thread_ts: message.threadTs } : {}),
    ...(parent ? { parent_user_id: parent.user } : {}),
    ...(replies.length > 0
      ? {
          thread_ts: message.ts,
          reply_count: replies.length,
          reply_users_count: new Set(replies.map((one) => one.user)).size,
          reply_users: [...new Set(replies.map((one) => one.user))],
          latest_reply: replies.at(-1)?.ts,
          is_locked: false,
          subscribed: false,
        }
      : {}),
    ...(message.reactions.size > 0
      ? { reactions: [...message.reactions].map(([name, users]) => ({ name, users, count: users.length })) }
      : {}),
    ...(message.streaming !== undefined
      ? { streaming_state: message.streaming === 'open' ? 'in_progress' : 'completed' }
      : {}),
  };
}

/** docs.slack.dev/reference/views, as answers and payloads carry it. */
export function viewObject(workspace: Workspace, view: View): Fields {
  return {
    close: null,
    submit: null,
    clear_on_close: false,
    notify_on_close: false,
    ...view.body,
    id: view.id,
    team_id: workspace.teamId,
    type: view.type,
    blocks: view.blocks,
    private_metadata: view.privateMetadata,
    callback_id: view.callbackId,
    external_id: view.externalId,
    state: { values: view.state },
    hash: view.hash,
    root_view_id: view.rootId,
    previous_view_id: view.previousId ?? null,
    app_id: workspace.appId,
    app_installed_team_id: workspace.teamId,
    bot_id: workspace.bot.botId,
  };
}
