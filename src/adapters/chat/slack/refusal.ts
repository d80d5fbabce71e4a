/** What an error of the Web API means for what was asked. https://docs.slack.dev/reference/methods/chat.postMessage#errors */

import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';

export type Trouble =
  /** Slack said when it may be tried again. */
  | { readonly kind: 'limited'; readonly retryAfterMs: number }
  /** The network or Slack is not well. `notSent`: it never got there. */
  | { readonly kind: 'trouble'; readonly text: string; readonly notSent: boolean }
  /** The token is worth nothing any more. */
  | { readonly kind: 'revoked'; readonly code: string }
  /** It will never work like this. */
  | { readonly kind: 'refused'; readonly code: string; readonly text: string }
  | { readonly kind: 'unknown' };

/** https://docs.slack.dev/authentication/tokens */
const REVOKED = new Set([
  'invalid_auth',
  'not_authed',
  'token_revoked',
  'token_expired',
  'account_inactive',
  'app_uninstalled',
  'team_disabled',
  'user_removed_from_team',
  'not_allowed_token_type',
]);
const TROUBLE = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
  'accesslimited',
  'external_channel_migrating',
  'update_failed',
]);
const LIMITED = new Set(['ratelimited', 'rate_limited', 'rate_limited_by_admin', 'message_limit_exceeded']);
const ABSENT = new Set([
  'unknown_method',
  'missing_scope',
  'plan_upgrade_required',
  'paid_teams_only',
  'method_not_supported',
  'status 404',
]);
/** The connection was not even there. */
const NO_CONNECTION = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Slack's own name of the error: `channel_not_found`. Undefined if the error does not come from Slack. */
export function slackCode(error: unknown): string | undefined {
  return error instanceof WebAPIPlatformError ? error.data.error : undefined;
}

/** What a line of the log says of it: Slack's code, or what came instead of one. */
export function problemOf(error: unknown): string {
  const code = slackCode(error);
  if (code !== undefined) return code;
  return error instanceof WebAPIHTTPError ? `status ${error.statusCode}` : 'no answer';
}

/**
 * Whether this Slack will not do it as things are: a method or a scope that is not there, or a plan without it. `status 404` is how
 * what stands in for Slack says that it has no such method.
 */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(problemOf(error));
}

/** What to make of an error. Nothing of a body is in the texts. */
export function troubleOf(error: unknown, robotName: string): Trouble {
  if (error instanceof WebAPIRateLimitedError) return { kind: 'limited', retryAfterMs: pause(error.retryAfter) };
  if (error instanceof WebAPIHTTPError) {
    if (error.statusCode >= 500 || error.statusCode === 408 || error.statusCode === 425) {
      return { kind: 'trouble', text: `Slack answered with status ${error.statusCode}`, notSent: false };
    }
    return { kind: 'unknown' };
  }
  if (error instanceof WebAPIPlatformError) return platformTrouble(error, robotName);
  if (error instanceof WebAPIRequestError) {
    const code = causeOf(error);
    const notSent = code !== undefined && NO_CONNECTION.has(code);
    return { kind: 'trouble', text: `Slack cannot be reached${code === undefined ? '' : ` (${code})`}`, notSent };
  }
  return { kind: 'unknown' };
}

function platformTrouble({ data }: WebAPIPlatformError, robotName: string): Trouble {
  const code = data.error;
  // Something in between answered, with a page instead of JSON.
  if (typeof code !== 'string' || !/^[a-z][\w.-]{0,80}$/i.test(code)) {
    return { kind: 'trouble', text: 'what answered is not Slack', notSent: false };
  }
  if (LIMITED.has(code)) return { kind: 'limited', retryAfterMs: pause(data.response_metadata?.retryAfter ?? 1) };
  if (REVOKED.has(code)) return { kind: 'revoked', code };
  if (TROUBLE.has(code)) return { kind: 'trouble', text: `Slack reports ${code}`, notSent: false };
  const needed = 'needed' in data && typeof data.needed === 'string' ? data.needed : undefined;
  const told = sentence(code, robotName, needed);
  if (told !== undefined) return { kind: 'refused', code, text: `${told} (${code})` };
  if (/^(invalid|missing|restricted|cannot|cant|too_many|not_allowed|ekm|org|team|unsupported|metadata)_/.test(code)) {
    const [detail] = data.response_metadata?.messages ?? [];
    return { kind: 'refused', code, text: `Slack refuses it: ${code}${detail ? `, ${detail.slice(0, 200)}` : ''}` };
  }
  return { kind: 'unknown' };
}

/** What it means and what to do, where that can be said. */
function sentence(code: string, robotName: string, needed: string | undefined): string | undefined {
  const invite = `write \`/invite @${robotName}\` there`;
  switch (code) {
    case 'channel_not_found':
      return `Slack knows no such channel, or it is private and the robot is not in it: ${invite}`;
    case 'not_in_channel':
      return `the robot is not in the channel: ${invite}`;
    case 'user_not_in_channel':
      return 'the person whom it is for is not in the channel';
    case 'is_archived':
      return 'the channel is archived: restore it, or name another one in the configuration';
    case 'msg_too_long':
    case 'msg_blocks_too_long':
      return 'the message is longer than Slack takes';
    case 'no_text':
      return 'there is nothing in the message';
    case 'restricted_action':
    case 'restricted_action_read_only_channel':
    case 'restricted_action_thread_only_channel':
    case 'restricted_action_thread_locked':
    case 'restricted_action_non_threadable_channel':
    case 'thread_locked':
      return 'a setting of the workspace keeps the robot from posting there: ask an administrator of the workspace';
    case 'no_permission':
    case 'access_denied':
    case 'ekm_access_denied':
      return 'the workspace does not let the robot do that: ask an administrator of the workspace';
    case 'missing_scope':
      return `the app lacks a scope: add ${needed ?? 'it'} under "OAuth & Permissions" at https://api.slack.com/apps and install the app again`;
    case 'cannot_reply_to_message':
    case 'thread_not_found':
      return 'the message that it answers cannot be answered';
    case 'message_not_found':
      return 'the message is gone';
    case 'user_not_found':
    case 'users_not_found':
    case 'user_disabled':
    case 'cannot_dm_bot':
      return 'Slack knows nobody of that id whom the robot may write to';
    case 'edit_window_closed':
    case 'cant_update_message':
    case 'cant_delete_message':
      return 'the message can no longer be changed';
    case 'duplicate_message_not_found':
      return 'Slack took it for a message that it has, and cannot find that one';
    case 'messages_tab_disabled':
      return 'direct messages to the app are off: turn on "Messages Tab" under "App Home" at https://api.slack.com/apps';
    case 'method_deprecated':
    case 'unknown_method':
    case 'deprecated_endpoint':
      return 'this Slack does not know the method';
    case 'enterprise_is_restricted':
    case 'not_allowed_for_enterprise':
      return 'the organisation does not let the robot do that: ask its administrator';
    default:
      return undefined;
  }
}

/** Milliseconds; never nothing, or it would be asked again at once. */
function pause(seconds: number): number {
  return Math.max(0.25, Number.isFinite(seconds) ? seconds : 1) * 1_000;
}

/** The system's own name of what went wrong, wherever it is among the causes. */
function causeOf(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 6; depth++) {
    if (each.name === 'TimeoutError' || each.name === 'AbortError') return 'timeout';
    if ('code' in each && typeof each.code === 'string' && !each.code.startsWith('slack_')) return each.code;
    const next: unknown =
      each instanceof AggregateError ? each.errors[0] : 'original' in each ? each.original : each.cause;
    each = next;
  }
  return undefined;
}

/** The error without the answer that it carries: answers are people's words. */
export function bare(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('not an error');
  const { name, stack } = error;
  const message = error instanceof WebAPIPlatformError ? `Slack: ${printable(error.data.error)}` : error.message;
  const copy = new Error(message.slice(0, 500));
  copy.name = name;
  if (stack !== undefined && !(error instanceof WebAPIPlatformError)) copy.stack = stack;
  return copy;
}

function printable(code: unknown): string {
  return typeof code === 'string' && /^[\w.-]{1,80}$/.test(code) ? code : 'no error of its own';
}
