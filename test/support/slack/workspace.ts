/**
 * What the fake Slack knows: people, channels, messages, files, user groups, views. Plain data with a few look-ups; everything
 * else in this folder reads and changes it.
 */

import { randomUUID } from 'node:crypto';
import type { Block } from './schema.ts';

/** An object of which only Slack knows the shape. */
export type Fields = Record<string, unknown>;

export type PersonKind = 'member' | 'admin' | 'owner' | 'guest' | 'single-channel guest' | 'stranger' | 'bot';

export interface Person {
  readonly id: string;
  /** The workspace of a stranger is another one (Slack Connect). */
  readonly team: string;
  readonly kind: PersonKind;
  /** The handle. */
  name: string;
  realName: string;
  displayName: string;
  email: string | undefined;
  timeZone: string;
  deleted: boolean;
  /** Of people of kind `bot`. */
  readonly botId: string | undefined;
  /** Seconds. */
  updated: number;
}

export type ChannelKind = 'public' | 'private' | 'im' | 'mpim';

export interface Channel {
  readonly id: string;
  name: string;
  readonly kind: ChannelKind;
  /** Shared with another organisation (Slack Connect). */
  shared: boolean;
  archived: boolean;
  readonly members: Set<string>;
  topic: string;
  purpose: string;
  readonly creator: string;
  /** Seconds. */
  readonly created: number;
  readonly previousNames: string[];
}

export interface Message {
  readonly channel: string;
  readonly ts: string;
  readonly threadTs: string | undefined;
  /** The author: a person or the bot. */
  readonly user: string;
  readonly botId: string | undefined;
  readonly subtype: string | undefined;
  readonly clientMsgId: string | undefined;
  readonly username: string | undefined;
  readonly iconEmoji: string | undefined;
  readonly iconUrl: string | undefined;
  metadata: unknown;
  text: string;
  blocks: Block[];
  attachments: Fields[];
  files: string[];
  /** Name of the emoji → who reacted. */
  readonly reactions: Map<string, string[]>;
  edited: { user: string; ts: string } | undefined;
  deleted: boolean;
  /** Messages of `chat.startStream`. */
  streaming: 'open' | 'ended' | 'stopped by user' | undefined;
  /** `block_id` → `action_id` → what a user has chosen there. */
  state: Record<string, Record<string, Fields>>;
  /** The arguments of the call that made it or changed it last, parsed: flags are booleans. */
  args: Fields;
  /** Counts every change: posted, updated, appended. */
  revision: number;
}

export interface Ephemeral {
  readonly channel: string;
  readonly user: string;
  readonly ts: string;
  readonly threadTs: string | undefined;
  /** How it came: `chat.postEphemeral`, an acknowledgement, or a response_url. */
  readonly by: 'call' | 'acknowledgement' | 'response_url';
  text: string;
  blocks: Block[];
  attachments: Fields[];
  deleted: boolean;
  state: Record<string, Record<string, Fields>>;
}

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  title: string;
  readonly mimetype: string;
  readonly altText: string | undefined;
  readonly user: string;
  readonly created: number;
  readonly declaredLength: number;
  content: Buffer | undefined;
  shares: { channel: string; ts: string }[];
}

export interface UserGroup {
  readonly id: string;
  handle: string;
  name: string;
  description: string;
  users: string[];
  disabled: boolean;
  updated: number;
}

export interface View {
  readonly id: string;
  readonly type: 'modal' | 'home';
  readonly user: string;
  readonly rootId: string;
  readonly previousId: string | undefined;
  hash: string;
  callbackId: string;
  externalId: string;
  privateMetadata: string;
  /** As it was sent. */
  body: Fields;
  blocks: Block[];
  state: Record<string, Record<string, Fields>>;
  /** What a submission was answered with: `block_id` → message. */
  errors: Record<string, string>;
  open: boolean;
  revision: number;
}

export interface Status {
  readonly channel: string;
  readonly threadTs: string;
  readonly kind: 'status' | 'title' | 'prompts';
  readonly text: string;
  readonly prompts: readonly { title: string; message: string }[];
  readonly args: Fields;
}

export interface Thread {
  readonly channel: string;
  readonly ts: string;
  readonly user: string;
  status: string;
  title: string;
}

/** Things that are different in each test. */
export interface WorkspaceOptions {
  readonly teamId?: string;
  readonly teamName?: string;
  readonly domain?: string;
  /** The handle of the bot; `shipmate`. */
  readonly botName?: string;
  /** What the manifest of the app has; `agent`. */
  readonly view?: AppView;
}

/**
 * What the direct conversation with the app is: with `agent_view` (threads, each begun by a message), with `assistant_view` (threads that
 * are opened), or with neither. https://docs.slack.dev/ai/migrating-to-agent-messaging
 */
export type AppView = 'agent' | 'assistant' | 'none';

/** Slack's error codes travel as this. */
export class SlackError extends Error {
  readonly code: string;
  readonly details: Fields;
  constructor(code: string, details: Fields = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

let counted = 0;

/** An id as Slack writes them: a letter and ten of `0-9A-Z`, never twice the same in a process. */
export function newId(prefix: string): string {
  counted += 1;
  const random = randomUUID().replaceAll('-', '').slice(0, 4).toUpperCase();
  return `${prefix}0${random}${counted.toString(36).toUpperCase().padStart(5, '0')}`;
}

export class Workspace {
  readonly teamId: string;
  teamName: string;
  domain: string;
  readonly appId = newId('A');
  readonly bot: Person;
  readonly view: AppView;
  readonly people = new Map<string, Person>();
  readonly channels = new Map<string, Channel>();
  /** Channel → its messages, oldest first, deleted ones too. */
  readonly messages = new Map<string, Message[]>();
  readonly ephemerals: Ephemeral[] = [];
  readonly files = new Map<string, StoredFile>();
  readonly groups = new Map<string, UserGroup>();
  readonly views = new Map<string, View>();
  /** Person → their App Home. */
  readonly homes = new Map<string, View>();
  readonly statuses: Status[] = [];
  readonly threads: Thread[] = [];
  readonly tokens = { bot: `xoxb-${randomUUID()}`, app: `xapp-1-${randomUUID()}`, verification: randomUUID() };
  readonly signingSecret = randomUUID().replaceAll('-', '');
  /** Set once the tokens are revoked: the code that every call is answered with. */
  revoked: string | undefined;
  /** Milliseconds that the clock of the server is ahead. */
  ahead = 0;
  #lastTs = 0;

  constructor(options: WorkspaceOptions = {}) {
    this.teamId = options.teamId ?? newId('T');
    this.teamName = options.teamName ?? 'Example';
    this.domain = options.domain ?? 'example';
    this.view = options.view ?? 'agent';
    const name = options.botName ?? 'shipmate';
    this.bot = this.addPerson({ name, kind: 'bot', realName: name });
  }

  /** Milliseconds. */
  now(): number {
    return Date.now() + this.ahead;
  }

  seconds(): number {
    return Math.floor(this.now() / 1000);
  }

  /** A new timestamp, later than all before. */
  newTs(): string {
    this.#lastTs = Math.max(this.#lastTs + 1, this.now() * 1000);
    return `${Math.floor(this.#lastTs / 1e6)}.${String(this.#lastTs % 1e6).padStart(6, '0')}`;
  }

  addPerson(options: {
    name: string;
    kind?: PersonKind;
    realName?: string;
    displayName?: string;
    email?: string | undefined;
    timeZone?: string;
    deleted?: boolean;
  }): Person {
    const kind = options.kind ?? 'member';
    const realName = options.realName ?? options.name.charAt(0).toUpperCase() + options.name.slice(1);
    const person: Person = {
      id: newId('U'),
      team: kind === 'stranger' ? newId('T') : this.teamId,
      kind,
      name: options.name,
      realName,
      displayName: options.displayName ?? options.name,
      email: kind === 'bot' ? undefined : 'email' in options ? options.email : `${options.name}@example.com`,
      timeZone: options.timeZone ?? 'Europe/Amsterdam',
      deleted: options.deleted ?? false,
      botId: kind === 'bot' ? newId('B') : undefined,
      updated: this.seconds(),
    };
    this.people.set(person.id, person);
    return person;
  }

  addChannel(options: {
    name: string;
    kind?: ChannelKind;
    members?: readonly (Person | string)[];
    /** Whether the bot is in it; true. */
    bot?: boolean;
    shared?: boolean;
    archived?: boolean;
    topic?: string;
    purpose?: string;
  }): Channel {
    const kind = options.kind ?? 'public';
    const members = (options.members ?? []).map((who) => this.person(who).id);
    if (options.bot ?? true) members.push(this.bot.id);
    const channel: Channel = {
      id: newId(kind === 'im' ? 'D' : 'C'),
      name: options.name,
      kind,
      shared: options.shared ?? false,
      archived: options.archived ?? false,
      members: new Set(members),
      topic: options.topic ?? '',
      purpose: options.purpose ?? '',
      creator: members[0] ?? this.bot.id,
      created: this.seconds(),
      previousNames: [],
    };
    this.channels.set(channel.id, channel);
    this.messages.set(channel.id, []);
    return channel;
  }

  addGroup(options: {
    handle: string;
    name?: string;
    users?: readonly (Person | string)[];
    disabled?: boolean;
  }): UserGroup {
    const group: UserGroup = {
      id: newId('S'),
      handle: options.handle,
      name: options.name ?? options.handle,
      description: '',
      users: (options.users ?? []).map((who) => this.person(who).id),
      disabled: options.disabled ?? false,
      updated: this.seconds(),
    };
    this.groups.set(group.id, group);
    return group;
  }

  /** By object, id or handle; throws if there is none, as that is a mistake of the test. */
  person(who: Person | string): Person {
    if (typeof who !== 'string') return who;
    const found = this.people.get(who) ?? [...this.people.values()].find((p) => p.name === who);
    if (!found) throw new Error(`the fake Slack has no person «${who}»`);
    return found;
  }

  /** By object, id or name; throws if there is none. */
  channel(where: Channel | string): Channel {
    if (typeof where !== 'string') return where;
    const found = this.channels.get(where) ?? [...this.channels.values()].find((c) => c.name === where);
    if (!found) throw new Error(`the fake Slack has no channel «${where}»`);
    return found;
  }

  group(which: UserGroup | string): UserGroup {
    if (typeof which !== 'string') return which;
    const found = this.groups.get(which) ?? [...this.groups.values()].find((g) => g.handle === which);
    if (!found) throw new Error(`the fake Slack has no user group «${which}»`);
    return found;
  }

  /** The direct conversation of the bot with somebody; opened if there is none. */
  dm(who: Person | string): Channel {
    const person = this.person(who);
    for (const channel of this.channels.values())
      if (channel.kind === 'im' && channel.members.has(person.id)) return channel;
    return this.addChannel({ name: person.id, kind: 'im', members: [person] });
  }

  addMessage(message: Partial<Message> & { channel: string; user: string }): Message {
    const stored: Message = {
      threadTs: undefined,
      botId: undefined,
      subtype: undefined,
      clientMsgId: undefined,
      username: undefined,
      iconEmoji: undefined,
      iconUrl: undefined,
      metadata: undefined,
      text: '',
      blocks: [],
      attachments: [],
      files: [],
      reactions: new Map(),
      edited: undefined,
      deleted: false,
      streaming: undefined,
      state: {},
      args: {},
      revision: 1,
      ts: this.newTs(),
      ...message,
    };
    const list = this.messages.get(stored.channel);
    if (!list) throw new Error(`no channel ${stored.channel}`);
    list.push(stored);
    return stored;
  }

  /** One that is still there. */
  message(channel: string, ts: string): Message | undefined {
    return this.messages.get(channel)?.findLast((m) => m.ts === ts && !m.deleted);
  }

  /** The replies of a thread, without the first message. */
  replies(channel: string, ts: string): Message[] {
    return (this.messages.get(channel) ?? []).filter((m) => m.threadTs === ts && m.ts !== ts && !m.deleted);
  }
}
