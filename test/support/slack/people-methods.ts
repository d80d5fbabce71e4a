/** api.test, auth.test, apps.connections.open, bots.*, users.*, usergroups.*: docs.slack.dev/reference/methods. */

import { type Context, type Method, method, paged } from './method.ts';
import { args } from './schema.ts';
import { groupObject, userObject } from './shapes.ts';
import { type Person, SlackError, type UserGroup } from './workspace.ts';

const apiTest = method(args.any, (sent) => {
  if (typeof sent['error'] === 'string') throw new SlackError(sent['error'], { args: sent });
  return { args: sent };
});

const authTest = method(args.none, (_, { workspace }) => ({
  url: `https://${workspace.domain}.slack.com/`,
  team: workspace.teamName,
  user: workspace.bot.name,
  team_id: workspace.teamId,
  user_id: workspace.bot.id,
  bot_id: workspace.bot.botId,
  is_enterprise_install: false,
}));

const teamInfo = method(args.team, (_, { workspace }) => ({
  team: {
    id: workspace.teamId,
    name: workspace.teamName,
    url: `https://${workspace.domain}.slack.com/`,
    domain: workspace.domain,
    email_domain: '',
    icon: { image_default: true },
  },
}));

const openConnection = method(args.none, (_, context) => ({ url: context.sockets.ticket(context.url()) }));

const botInfo = method(args.bot, (sent, { workspace }) => {
  const bot = [...workspace.people.values()].find(
    (one) => one.botId !== undefined && (sent.bot === undefined || one.botId === sent.bot),
  );
  if (!bot) throw new SlackError('bot_not_found');
  return {
    bot: {
      id: bot.botId,
      deleted: bot.deleted,
      name: bot.name,
      updated: bot.updated,
      app_id: workspace.appId,
      user_id: bot.id,
      icons: { image_36: '', image_48: '', image_72: '' },
    },
  };
});

const usersList = method(args.usersList, (sent, { workspace }) => {
  const own = [...workspace.people.values()].filter((one) => one.kind !== 'stranger');
  const { items, next } = paged(own, sent.cursor, sent.limit);
  return {
    members: items.map((one) => userObject(workspace, one)),
    cache_ts: workspace.seconds(),
    response_metadata: { next_cursor: next },
  };
});

function person(context: Context, id: string): Person {
  const found = context.workspace.people.get(id);
  if (!found) throw new SlackError('user_not_found');
  return found;
}

const usersInfo = method(args.usersInfo, (sent, context) => ({
  user: userObject(context.workspace, person(context, sent.user)),
}));

const byEmail = method(args.byEmail, (sent, { workspace }) => {
  const wanted = sent.email.toLowerCase();
  const found = [...workspace.people.values()].find(
    (one) => one.email?.toLowerCase() === wanted && !one.deleted && one.kind !== 'stranger',
  );
  if (!found) throw new SlackError('users_not_found');
  return { user: userObject(workspace, found) };
});

const groupsList = method(args.groupsList, (sent, { workspace }) => ({
  usergroups: [...workspace.groups.values()]
    .filter((one) => sent.include_disabled || !one.disabled)
    .map((one) => groupObject(workspace, one, sent.include_users)),
}));

function group(context: Context, id: string, disabledToo = true): UserGroup {
  const found = context.workspace.groups.get(id);
  if (!found || (found.disabled && !disabledToo)) throw new SlackError('no_such_subteam');
  return found;
}

const groupUsers = method(args.groupUsers, (sent, context) => ({
  users: group(context, sent.usergroup, sent.include_disabled ?? false).users,
}));

const groupUpdate = method(args.groupUpdate, (sent, context) => {
  const { workspace } = context;
  const found = group(context, sent.usergroup);
  if (sent.users.length === 0) throw new SlackError('no_users_provided');
  if (!sent.users.every((id) => workspace.people.has(id))) throw new SlackError('invalid_users');
  const before = found.users;
  found.users = [...sent.users];
  found.updated = workspace.seconds();
  context.events.send({
    type: 'subteam_members_changed',
    subteam_id: found.id,
    team_id: workspace.teamId,
    date_previous_update: found.updated,
    date_update: found.updated,
    added_users: found.users.filter((id) => !before.includes(id)),
    added_users_count: found.users.filter((id) => !before.includes(id)).length,
    removed_users: before.filter((id) => !found.users.includes(id)),
    removed_users_count: before.filter((id) => !found.users.includes(id)).length,
    event_ts: workspace.newTs(),
  });
  return { usergroup: groupObject(workspace, found, true) };
});

export const peopleMethods: Readonly<Record<string, Method>> = {
  'api.test': apiTest,
  'auth.test': authTest,
  'apps.connections.open': openConnection,
  'team.info': teamInfo,
  'bots.info': botInfo,
  'users.list': usersList,
  'users.info': usersInfo,
  'users.lookupByEmail': byEmail,
  'usergroups.list': groupsList,
  'usergroups.users.list': groupUsers,
  'usergroups.users.update': groupUpdate,
};
