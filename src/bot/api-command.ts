/** What a request to `/api/commands` asks for. Pure. */

import { parseDuration } from './args.ts';
import { fail } from './errors.ts';
import { parseJson } from './hook-body.ts';

export interface ApiCommand {
  readonly text: string;
  /** How long an approval is waited for, in milliseconds. */
  readonly waitMs: number;
  /** No question is needed. */
  readonly isSure: boolean;
}

/** An approval is asked for an hour at most. */
const LONGEST_WAIT_MS = 60 * 60_000;

/**
 * Reads the command from a body of text, or from JSON such as `{"command": "…", "wait": "30m", "confirm": true}`; `wait` and
 * `confirm` may stand in the query as well. Throws `api.body`.
 */
export function readCommand(body: Buffer, contentType: string | undefined, query: URLSearchParams): ApiCommand {
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(contentType ?? '');
  const given = isJson ? fromJson(body) : { command: textOf(body) };
  const wait = given.wait ?? query.get('wait') ?? undefined;
  const waitMs = wait === undefined ? 0 : parseDuration(wait);
  if (waitMs === undefined) throw fail('api.body', { problem: 'wait is no length of time such as 30m' });
  const confirm = given.confirm ?? isYes(query.get('confirm'));
  // A program that reads lines has one at the end.
  const text = given.command.trim();
  if (text === '') throw fail('api.body', { problem: 'there is no command in it' });
  return { text, waitMs: Math.min(waitMs, LONGEST_WAIT_MS), isSure: confirm };
}

interface Given {
  readonly command: string;
  readonly wait?: string;
  readonly confirm?: boolean;
}

function fromJson(body: Buffer): Given {
  // The command goes to the same parser as any; what is stored of it is redacted there.
  const parsed = parseJson(body, (text) => text);
  if (parsed.kind === 'bad') throw fail('api.body', { problem: parsed.problem.replace(/\.$/, '') });
  const { value } = parsed;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail('api.body', { problem: 'it is no JSON object' });
  }
  const fields = new Map(Object.entries(value));
  const unknown = [...fields.keys()].find((name) => !['command', 'wait', 'confirm'].includes(name));
  if (unknown !== undefined)
    throw fail('api.body', { problem: `it has a field ${unknown.slice(0, 40)}, which means nothing` });
  const command = fields.get('command');
  const wait = fields.get('wait');
  const confirm = fields.get('confirm');
  if (typeof command !== 'string') throw fail('api.body', { problem: 'command is no text' });
  if (wait !== undefined && typeof wait !== 'string') throw fail('api.body', { problem: 'wait is no text' });
  if (confirm !== undefined && typeof confirm !== 'boolean') {
    throw fail('api.body', { problem: 'confirm is neither true nor false' });
  }
  return { command, ...(wait === undefined ? {} : { wait }), ...(confirm === undefined ? {} : { confirm }) };
}

function textOf(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw fail('api.body', { problem: 'it is not valid UTF-8' });
  }
}

function isYes(value: string | null): boolean {
  return value !== null && /^(?:true|yes|on|1)$/i.test(value);
}
