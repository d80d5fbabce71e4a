/** The user groups of a workspace: who is in them, and who shall be. https://docs.slack.dev/reference/objects/usergroup-object */

import { DeliveryRefused, type UserGroups } from '../../../bot/chat.ts';
import type { Logger } from '../../../bot/log.ts';
import type { UserGroup } from '../../../domain/people/ports.ts';
import { type Fresh, keepFresh } from './fresh.ts';
import type { GroupDirectory, Listens, SlackApi } from './ports.ts';
import { problemOf } from './refusal.ts';

/** How often they are read again. */
const EVERY_MS = 3_600_000;

export interface SlackGroupsOptions {
  readonly chat: string;
  readonly api: Pick<SlackApi, 'web' | 'delivering'>;
  readonly directory: GroupDirectory;
  readonly log: Logger;
}

/** The user groups of one workspace; read in the background. */
export interface KnownSlackGroups extends Fresh, UserGroups {}

/** What is read of Slack's object of a user group. */
interface SlackGroup {
  readonly id?: string;
  readonly handle?: string;
  readonly users?: readonly string[];
  /** Seconds; 0 for groups that are in use. */
  readonly date_delete?: number;
  readonly is_external?: boolean;
}

/** Made with the chat; `start()` once Slack is reached, `stop()` when the chat closes. */
export function createSlackGroups(options: SlackGroupsOptions): KnownSlackGroups {
  const { chat, api, directory, log } = options;

  async function readAll(): Promise<void> {
    try {
      const { usergroups = [] } = await api.web.usergroups.list({ include_users: true, include_disabled: false });
      const groups = await Promise.all(usergroups.map(groupOf));
      await directory.saveGroups(chat, groups.flat());
    } catch (error) {
      // Who is in which group is not known now: no group gives anything until it is.
      await directory.saveGroups(chat, []);
      throw error;
    }
  }

  /** Groups that are disabled, or of another organisation, give nothing. */
  async function groupOf({ id, handle, users, date_delete, is_external }: SlackGroup): Promise<UserGroup[]> {
    if (id === undefined || (date_delete ?? 0) > 0 || is_external === true) return [];
    const members = users ?? (await api.web.usergroups.users.list({ usergroup: id })).users ?? [];
    return [
      {
        id: `${chat}:${id}`,
        ...(handle ? { handle: `${chat}:@${handle.toLowerCase()}` } : {}),
        members: members.map((member) => `${chat}:${member}`),
      },
    ];
  }

  /** Slack's id of a group by id or handle. */
  async function idOf(group: string): Promise<string> {
    const own = ownId(group);
    if (!own.startsWith('@')) return own;
    const { usergroups = [] } = await api.delivering((web) => web.usergroups.list({ include_disabled: false }));
    const found = usergroups.find(({ handle }) => handle?.toLowerCase() === own.slice(1).toLowerCase());
    if (found?.id === undefined) throw new DeliveryRefused(`Slack has no user group ${group}`);
    return found.id;
  }

  function ownId(id: string): string {
    if (!id.startsWith(`${chat}:`)) throw new DeliveryRefused(`${id} is not of the chat ${chat}`);
    return id.slice(chat.length + 1);
  }

  const fresh = keepFresh({
    work: readAll,
    failed: (error, retryInMs) =>
      log.warn(
        { chat, problem: problemOf(error), retryInMs },
        'Slack user groups not read: they give no roles until they are',
      ),
    everyMs: EVERY_MS,
  });

  return {
    ...fresh,
    async setMembers(group, people) {
      const wanted = [...new Set(people.map(ownId))].sort();
      // Slack answers no_users_provided: a group cannot be empty. https://docs.slack.dev/reference/methods/usergroups.users.update
      if (wanted.length === 0) return 'empty';
      const usergroup = await idOf(group);
      const { users = [] } = await api.delivering((web) => web.usergroups.users.list({ usergroup }));
      if (wanted.join() === [...users].sort().join()) return 'unchanged';
      await api.delivering((web) => web.usergroups.users.update({ usergroup, users: wanted.join() }));
      await fresh.again();
      return 'changed';
    },
  };
}

/**
 * https://docs.slack.dev/reference/events/subteam_created, subteam_updated (renamed, disabled), subteam_members_changed,
 * subteam_self_added, subteam_self_removed. An event says what has changed, not how things are: the list does.
 */
export function listensToGroups(groups: Pick<Fresh, 'again'>): Listens {
  return (app) => {
    const again = () => groups.again();
    app.event('subteam_created', again);
    app.event('subteam_updated', again);
    app.event('subteam_members_changed', again);
    app.event('subteam_self_added', again);
    app.event('subteam_self_removed', again);
  };
}
