/** What an envelope is about: the names by which it is known when it comes again. https://docs.slack.dev/apis/events-api */

import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from './json.ts';
import type { Envelope, Self } from './ports.ts';

/**
 * The event's own id, and what it is about: the same post comes as `message` and as `app_mention`. What stands in for Slack in tests
 * may leave the id out; then the event's words are its name. Empty if the envelope is nothing that Slack sends.
 */
export function namesOf({ kind, body }: Pick<Envelope, 'kind' | 'body'>): readonly string[] {
  switch (kind) {
    case 'event':
      return eventNames(body);
    case 'command':
      return named('command', text(body, 'trigger_id') ?? digest(body));
    case 'interactive':
      return interactiveNames(body);
  }
}

/** Events about the robot itself that somebody wants to hear of. */
const KEPT = new Set(['member_joined_channel', 'member_left_channel']);

/** What the robot did itself: Bolt gives it to no listener, so it need not be stored (`ignoreSelf` of Bolt). */
export function isOwn({ kind, body }: Pick<Envelope, 'kind' | 'body'>, self: Pick<Self, 'userId' | 'botId'>): boolean {
  const event = kind === 'event' ? part(body, 'event') : undefined;
  if (!event) return false;
  const type = text(event, 'type') ?? '';
  if (type === 'message' && event['subtype'] === 'bot_message' && text(event, 'bot_id') === self.botId) return true;
  return text(event, 'user') === self.userId && !KEPT.has(type);
}

/** Answered at once, with what Bolt's listener says: there is nothing to be done afterwards. */
export function isAsked({ kind, body }: Pick<Envelope, 'kind' | 'body'>): boolean {
  return kind === 'interactive' && (body['type'] === 'view_submission' || body['type'] === 'block_suggestion');
}

function eventNames(body: JsonObject): readonly string[] {
  const event = part(body, 'event');
  const id = text(body, 'event_id');
  if (!event || text(event, 'type') === undefined) return [];
  const subject = subjectOf(event);
  return [`event:${id ?? digest(body)}`, ...(subject === undefined ? [] : [subject])];
}

function subjectOf(event: JsonObject): string | undefined {
  const type = text(event, 'type');
  const channel = text(event, 'channel');
  const ts = text(event, 'ts');
  if ((type !== 'message' && type !== 'app_mention') || channel === undefined || ts === undefined) return undefined;
  switch (text(event, 'subtype')) {
    case 'message_changed': {
      const message = part(event, 'message');
      return `edit:${channel}:${(message && text(message, 'ts')) ?? ''}:${ts}`;
    }
    case 'message_deleted':
      return `delete:${channel}:${text(event, 'deleted_ts') ?? ts}`;
    case 'message_replied':
      return undefined;
    default:
      return `message:${channel}:${ts}`;
  }
}

function interactiveNames(body: JsonObject): readonly string[] {
  const type = text(body, 'type');
  if (type === undefined) return [];
  const view = part(body, 'view');
  if (type === 'block_actions') {
    const container = part(body, 'container');
    const where = (container && text(container, 'message_ts')) ?? (view && text(view, 'id')) ?? '';
    const [action]: unknown[] = Array.isArray(body['actions']) ? body['actions'] : [];
    if (!isObject(action)) return [];
    const user = part(body, 'user');
    return [
      `action:${where}:${(user && text(user, 'id')) ?? ''}:${text(action, 'action_ts') ?? digest(body)}:${text(action, 'action_id') ?? ''}`,
    ];
  }
  return named(type.replaceAll('_', '-'), text(body, 'trigger_id') ?? digest(body));
}

function named(what: string, id: string): readonly string[] {
  return [`${what}:${id}`];
}

function digest(body: JsonObject): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 32);
}

function part(of: JsonObject, name: string): JsonObject | undefined {
  const value = of[name];
  return isObject(value) ? value : undefined;
}

function text(of: JsonObject, name: string): string | undefined {
  const value = of[name];
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined;
}
