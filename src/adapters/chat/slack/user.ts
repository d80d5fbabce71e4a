/** Who somebody is, from what Slack says of an account. https://docs.slack.dev/reference/objects/user-object */

import { normaliseEmail } from '../../../domain/people/email.ts';
import type { SlackPerson } from './ports.ts';

/** What is read of Slack's user object; none of it is always there. */
export interface SlackUser {
  readonly id?: string;
  /** The workspace, or the organisation of a grid, that the account belongs to. */
  readonly team_id?: string;
  /** Workspaces of a grid that the account is in. */
  readonly teams?: readonly string[];
  readonly enterprise_user?: { readonly teams?: readonly string[] };
  /** The handle. */
  readonly name?: string;
  readonly real_name?: string;
  readonly deleted?: boolean;
  readonly is_bot?: boolean;
  readonly is_workflow_bot?: boolean;
  readonly is_connector_bot?: boolean;
  readonly is_restricted?: boolean;
  readonly is_ultra_restricted?: boolean;
  readonly is_stranger?: boolean;
  /** Asked to come, and has not come yet. */
  readonly is_invited_user?: boolean;
  readonly is_email_confirmed?: boolean;
  readonly tz?: string;
  /** Seconds. */
  readonly updated?: number;
  readonly profile?: {
    readonly display_name?: string;
    readonly real_name?: string;
    readonly email?: string;
    readonly image_72?: string;
  };
}

/** Slack's own account, which is no bot to the API. https://docs.slack.dev/reference/events/message */
const SLACKBOT = 'USLACKBOT';
const LONGEST_NAME = 80;
/** What shows nothing, or turns the text around it. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The person behind an account. Outside are guests, strangers of Slack Connect, and whoever is in no workspace of ours; what Slack
 * does not say counts against them. A name is what people have chosen to be called, else their full name, else the handle
 * (https://docs.slack.dev/reference/objects/user-object#profile). An address counts only if Slack has it confirmed and it is an
 * account of this workspace: what another organisation says of its people's addresses is nothing to build on.
 */
export function personOf(user: SlackUser & { readonly id: string }, chat: string, ownTeam: string): SlackPerson {
  const ours =
    user.team_id === ownTeam ||
    user.teams?.includes(ownTeam) === true ||
    user.enterprise_user?.teams?.includes(ownTeam) === true;
  const foreign = !ours || user.is_stranger === true;
  const guest = user.is_restricted === true || user.is_ultra_restricted === true;
  const bot =
    user.id === SLACKBOT || user.is_bot === true || user.is_workflow_bot === true || user.is_connector_bot === true;
  const confirmed = user.is_email_confirmed !== false && user.is_invited_user !== true && !foreign && !bot;
  const email = confirmed && user.profile?.email !== undefined ? normaliseEmail(user.profile.email) : undefined;
  const avatar = user.profile?.image_72;
  return {
    id: `${chat}:${user.id}`,
    chat,
    userId: user.id,
    name: nameOf(user),
    active: user.deleted !== true,
    outside: foreign || guest,
    bot,
    ...(user.tz === undefined ? {} : { timeZone: user.tz }),
    ...(email === undefined ? {} : { email }),
    ...(avatar === undefined || !avatar.startsWith('https://') ? {} : { avatar }),
  };
}

function nameOf(user: SlackUser & { readonly id: string }): string {
  const names = [user.profile?.display_name, user.profile?.real_name, user.real_name, user.name];
  const shown = names.map((name) => tidy(name ?? '')).find((name) => name !== '');
  return shown ?? user.id;
}

function tidy(name: string): string {
  return [...name.toWellFormed().replace(UNSEEN, '').trim().replace(/\s+/g, ' ')].slice(0, LONGEST_NAME).join('');
}
