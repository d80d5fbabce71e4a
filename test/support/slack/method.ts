/** What a method of the Web API is here: its arguments, and what it does with them. */

import type { z } from 'zod';
import { checkBlocks } from './check-blocks.ts';
import type { Dispatcher } from './delivery.ts';
import type { Events } from './events.ts';
import type { Block } from './schema.ts';
import type { Sockets } from './socket.ts';
import { type Channel, type Fields, type Message, SlackError, type Workspace } from './workspace.ts';

export interface Context {
  readonly workspace: Workspace;
  readonly events: Events;
  readonly dispatcher: Dispatcher;
  readonly sockets: Sockets;
  /** `http://127.0.0.1:PORT` */
  url(): string;
  problem(text: string): void;
  /** Milliseconds after which Slack ends a stream. */
  readonly streamMs: number;
  /** Milliseconds that a trigger_id lives. */
  readonly triggerMs: number;
  /** Whether the bot may post into public channels that it is not in (scope chat:write.public). */
  readonly postsAnywhere: boolean;
}

export type Checked =
  | { readonly kind: 'fine'; run(context: Context): Fields | Promise<Fields> }
  | { readonly kind: 'wrong'; readonly code: string; readonly messages: readonly string[] };

/** Checks what was sent, and can then do it. */
export type Method = (sent: Fields) => Checked;

/** Joins a schema with what is done with what it lets through. */
export function method<S extends z.ZodType>(
  schema: S,
  run: (args: z.output<S>, context: Context) => Fields | Promise<Fields>,
): Method {
  return (sent) => {
    const read = schema.safeParse(sent);
    if (read.success) return { kind: 'fine', run: (context) => run(read.data, context) };
    const messages = read.error.issues.map(
      (issue) => `[ERROR] ${issue.message} [json-pointer:/${issue.path.map(String).join('/')}]`,
    );
    const inBlocks = read.error.issues.some((issue) => issue.path[0] === 'blocks');
    return { kind: 'wrong', code: inBlocks ? 'invalid_blocks_format' : 'invalid_arguments', messages };
  };
}

/** A channel that the bot can see, by id, or a person's id for their direct conversation; throws `channel_not_found`. */
export function seen(context: Context, id: string): Channel {
  const { workspace } = context;
  const person = workspace.people.get(id);
  if (person) {
    if (person.kind === 'bot') throw new SlackError('cannot_dm_bot');
    return workspace.dm(person);
  }
  const channel = workspace.channels.get(id);
  if (!channel || (channel.kind !== 'public' && !channel.members.has(workspace.bot.id)))
    throw new SlackError('channel_not_found');
  return channel;
}

/** A channel that the bot may write to; throws `channel_not_found`, `not_in_channel` or `is_archived`. */
export function writable(context: Context, id: string): Channel {
  const channel = seen(context, id);
  if (channel.archived) throw new SlackError('is_archived');
  if (!channel.members.has(context.workspace.bot.id) && !context.postsAnywhere) throw new SlackError('not_in_channel');
  return channel;
}

/** Throws `message_not_found`. */
export function existing(context: Context, channel: string, ts: string): Message {
  const message = context.workspace.message(channel, ts);
  if (!message) throw new SlackError('message_not_found');
  return message;
}

/** Throws `invalid_blocks` with Slack's messages; gives ids to blocks and elements that have none. */
export function checkedBlocks(
  context: Context,
  blocks: readonly Block[],
  where: 'message' | 'view' = 'message',
): Block[] {
  const problems = checkBlocks(blocks, where);
  if (problems.length > 0) {
    context.problem(`invalid_blocks: ${problems.join('; ')}`);
    throw new SlackError('invalid_blocks', { errors: problems, response_metadata: { messages: problems } });
  }
  return blocks.map((block, index) => named(block, index));
}

function shortId(index: number): string {
  return `${Math.random().toString(36).slice(2, 6)}${index}`;
}

function named(block: Block, index: number): Block {
  return identified({ ...block, block_id: block.block_id ?? shortId(index) });
}

function identified(block: Block): Block {
  const withId = (value: unknown, at: number) => {
    const element = record(value);
    const interactive =
      element && typeof element['type'] === 'string' && !['image', 'mrkdwn', 'plain_text'].includes(element['type']);
    return interactive ? { ...element, action_id: element['action_id'] ?? shortId(at) } : value;
  };
  const { elements, accessory, element } = block;
  return {
    ...block,
    ...(Array.isArray(elements) && block.type !== 'rich_text' ? { elements: elements.map(withId) } : {}),
    ...(accessory === undefined ? {} : { accessory: withId(accessory, 0) }),
    ...(element === undefined ? {} : { element: withId(element, 0) }),
  };
}

/** An object, or undefined. */
export function record(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined;
}

/** A list, or an empty one. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The objects in a list. */
export function records(value: unknown): Fields[] {
  return list(value)
    .map(record)
    .filter((one) => one !== undefined);
}

/** A text, or an empty one. */
export function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A piece of a list, and the cursor for the next; throws `invalid_cursor`. */
export function paged<T>(
  list: readonly T[],
  cursor: string | undefined,
  limit: number | undefined,
  most = 1000,
): { items: T[]; next: string } {
  const place = /^next:(\d+)$/.exec(Buffer.from(cursor ?? '', 'base64').toString())?.[1];
  const from = cursor === undefined || cursor === '' ? 0 : Number(place);
  if (!Number.isInteger(from) || from < 0 || from > list.length) throw new SlackError('invalid_cursor');
  const size = Math.min(limit || 100, most);
  const end = from + size;
  return { items: list.slice(from, end), next: end < list.length ? Buffer.from(`next:${end}`).toString('base64') : '' };
}
