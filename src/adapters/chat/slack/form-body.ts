/** From the bytes of a request to what Slack sent. https://docs.slack.dev/apis/events-api/using-http-request-urls */

import { isObject, type JsonObject, objectIn } from './json.ts';
import type { Envelope } from './ports.ts';

/** Undefined if it is not what belongs to this address. */
export function readBodyOf(kind: Envelope['kind'], bytes: Buffer): JsonObject | undefined {
  const text = utf8(bytes);
  if (text === undefined) return undefined;
  if (kind === 'event') return objectIn(text);
  const form = Object.fromEntries(new URLSearchParams(text));
  if (kind === 'command' || form['ssl_check'] === '1') return form;
  return form['payload'] === undefined ? undefined : objectIn(form['payload']);
}

/** What a form is: slash commands are the fields themselves, all else is in `payload`. */
export function formKind(bytes: Buffer): 'interactive' | 'command' {
  return new URLSearchParams(bytes.toString()).has('payload') ? 'interactive' : 'command';
}

/** The workspaces that it is about: in a shared channel it may be another one than the one that the app is in. */
export function teamsOf(body: JsonObject): readonly string[] {
  const authorizations: unknown[] = Array.isArray(body['authorizations']) ? body['authorizations'] : [];
  const [team, view, user] = [body['team'], body['view'], body['user']].map((each) => (isObject(each) ? each : {}));
  const ids = [
    view?.['app_installed_team_id'],
    ...authorizations.map((each) => (isObject(each) ? each['team_id'] : undefined)),
    body['team_id'],
    team?.['id'],
    user?.['team_id'],
  ];
  return ids.filter((id) => typeof id === 'string');
}

function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
