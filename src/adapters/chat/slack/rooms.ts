/** What is known of the workspace's channels: names, who is in the private ones, and how people write them. */

import type { Room } from '../../../bot/chat.ts';
import type { Logger } from '../../../bot/log.ts';
import { keepNewest } from './newest.ts';
import type { SlackApi, SlackRooms } from './ports.ts';
import { isAbsent, problemOf, slackCode } from './refusal.ts';

/** Events keep what is known up to date; one of them may get lost. */
const KNOWN_MS = 10 * 60_000;
const UNKNOWN_MS = 30_000;
/** What was known counts that long while Slack does not say what is: a public channel that is taken for a private one once stays one in the history. */
const TRUST_MS = 3_600_000;
const NAMES_MS = 5 * 60_000;
/** A name that is not there is not looked for again and again. */
const NAMES_AGAIN_MS = 20_000;
const MOST_ROOMS = 2_000;
const MOST_NAMES = 50_000;
const PAGE = 200;
const NAMES_PAGE = 1_000;
/** A channel of more people than this is taken for one whose members are not known. */
const MOST_MEMBERS = 20_000;

/** https://docs.slack.dev/reference/objects/conversation-object */
interface Conversation {
  readonly id?: string;
  readonly name?: string;
  readonly is_im?: boolean;
  readonly is_mpim?: boolean;
  readonly is_group?: boolean;
  readonly is_private?: boolean;
  readonly is_member?: boolean;
  readonly is_archived?: boolean;
  readonly is_ext_shared?: boolean;
  readonly is_pending_ext_shared?: boolean;
}

interface Known {
  readonly at: number;
  readonly name: string;
  readonly private: boolean;
  readonly direct: boolean;
  readonly reachable: boolean;
  /** Person ids, as Slack said then; undefined for public ones, and if Slack does not say. */
  readonly members: readonly string[] | undefined;
}

export interface RoomsOptions {
  /** `slack`: what person ids begin with. */
  readonly chat: string;
  readonly api: Pick<SlackApi, 'web'>;
  /** The robot's own user id: it is no member that counts. */
  ownId(): string;
  /** Whether it can post in public channels without being in them. */
  postsAnywhere(): boolean;
  personName(userId: string): Promise<string>;
  now(): Date;
  readonly log: Pick<Logger, 'warn'>;
  /** Told of every room as Slack describes it. */
  saved(room: Room): Promise<void>;
  /** Who is in it now: what was saved, and who has come and gone since, whichever replica was told so. */
  members(channel: string): Promise<readonly string[] | undefined>;
}

/** {@link SlackRooms}, and what events say about them. */
export interface KnownRooms extends SlackRooms {
  /** The id of what {@link SlackRooms.resolve} has found before. */
  resolved(room: string): string | undefined;
  renamed(channel: string, name: string): Promise<void>;
  /** Something has changed: it is looked up when it is needed next. */
  forget(channel: string): void;
}

/** Names of channels have no capitals. Slack's ids have no underscore; those of what stands in for Slack in tests may. */
const CHANNEL_ID = /^[CGD][A-Z0-9_]+$/;
const USER_ID = /^[UW][A-Z0-9_]+$/;

/** Whether a channel is one person's conversation with the robot, by its id: https://docs.slack.dev/apis/web-api/using-the-conversations-api */
export function isDirect(channel: string): boolean {
  return channel.startsWith('D');
}

/** The rooms of one workspace, asked for when they are needed. What the Web API throws is thrown, but for channels that are not there. */
export function createRooms(options: RoomsOptions): KnownRooms {
  const { chat, api, now, log } = options;
  const rooms = new Map<string, Known>();
  const unknown = new Map<string, number>();
  const asking = new Map<string, Promise<Known | undefined>>();
  const directs = new Map<string, string>();
  const names = new Map<string, { readonly id: string; readonly at: number }>();
  let namesRead = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  /** Nothing can be said about any channel. */
  let blind = false;

  const time = () => now().getTime();
  const personId = (userId: string) => `${chat}:${userId}`;

  async function find(channel: string): Promise<Known | undefined> {
    const known = rooms.get(channel);
    if (known && time() - known.at < KNOWN_MS) return known;
    if (time() - (unknown.get(channel) ?? Number.NEGATIVE_INFINITY) < UNKNOWN_MS) return undefined;
    let work = asking.get(channel);
    if (!work) {
      work = ask(channel).finally(() => asking.delete(channel));
      asking.set(channel, work);
    }
    if (!known || time() - known.at >= TRUST_MS) return await work;
    try {
      return await work;
    } catch (error) {
      log.warn(
        { chat, channel, problem: problemOf(error) },
        'Slack channel could not be looked up: what was known counts',
      );
      return known;
    }
  }

  async function ask(channel: string): Promise<Known | undefined> {
    let found: Conversation | undefined;
    try {
      found = (await api.web.conversations.info({ channel })).channel;
      blind = false;
    } catch (error) {
      const absent = isAbsent(error);
      if (!absent && slackCode(error) !== 'channel_not_found') throw error;
      if (absent && !blind) {
        log.warn(
          { chat, problem: problemOf(error) },
          'Slack says nothing about channels: all count as private ones without a name',
        );
      }
      blind = absent;
    }
    if (!found) {
      rooms.delete(channel);
      keepNewest(unknown, channel, time(), MOST_ROOMS);
      return undefined;
    }
    const direct = found.is_im === true || isDirect(channel);
    const peer = 'user' in found && typeof found.user === 'string' ? found.user : undefined;
    // What Slack does not say to be public is private; so is what another organisation shares.
    const isPrivate =
      direct ||
      found.is_private !== false ||
      found.is_mpim === true ||
      found.is_ext_shared === true ||
      found.is_pending_ext_shared === true;
    const known: Known = {
      at: time(),
      name: direct && peer !== undefined ? `@${await options.personName(peer)}` : (found.name ?? channel),
      private: isPrivate,
      direct,
      reachable: found.is_archived !== true && (found.is_member === true || direct || isOpen(found)),
      members: isPrivate ? await membersOf(channel, direct ? peer : undefined) : undefined,
    };
    unknown.delete(channel);
    keepNewest(rooms, channel, known, MOST_ROOMS);
    if (!direct) keepNewest(names, known.name, { id: channel, at: time() }, MOST_NAMES);
    await options.saved(asRoom(channel, known));
    return known;
  }

  function isOpen(found: { readonly is_private?: boolean }): boolean {
    return found.is_private === false && options.postsAnywhere();
  }

  async function membersOf(channel: string, peer: string | undefined): Promise<readonly string[] | undefined> {
    if (peer !== undefined) return [personId(peer)];
    const members = new Set<string>();
    let cursor = '';
    try {
      do {
        const page = await api.web.conversations.members({ channel, limit: PAGE, ...(cursor ? { cursor } : {}) });
        for (const user of page.members ?? []) if (user !== options.ownId()) members.add(personId(user));
        cursor = page.response_metadata?.next_cursor ?? '';
      } while (cursor && members.size < MOST_MEMBERS);
    } catch (error) {
      // Without the right to ask, it stays a private room of which nobody is known to be in it.
      if (slackCode(error) === undefined) throw error;
      return undefined;
    }
    return cursor ? undefined : [...members];
  }

  function asRoom(channel: string, known: Known, members = known.members): Room {
    return {
      chat,
      id: channel,
      name: known.name,
      private: known.private,
      ...(known.private && members ? { members } : {}),
      ...(known.direct ? { direct: true } : {}),
    };
  }

  async function byName(name: string): Promise<string | undefined> {
    const known = names.get(name);
    if (known && time() - known.at < NAMES_MS) return known.id;
    if (time() - namesRead > NAMES_AGAIN_MS) {
      reading ??= readNames().finally(() => {
        reading = undefined;
      });
      await reading;
    }
    return names.get(name)?.id;
  }

  async function readNames(): Promise<void> {
    const found = new Map<string, string>();
    let cursor = '';
    do {
      const page = await api.web.conversations.list({
        types: 'public_channel,private_channel',
        exclude_archived: true,
        limit: NAMES_PAGE,
        ...(cursor ? { cursor } : {}),
      });
      for (const { id, name } of page.channels ?? []) if (id && name) found.set(name, id);
      cursor = page.response_metadata?.next_cursor ?? '';
    } while (cursor && found.size < MOST_NAMES);
    names.clear();
    const at = time();
    for (const [name, id] of found) names.set(name, { id, at });
    namesRead = at;
  }

  async function direct(userId: string): Promise<string> {
    const known = directs.get(userId);
    if (known !== undefined) return known;
    const { channel } = await api.web.conversations.open({ users: userId });
    if (channel?.id === undefined) throw new Error('Slack opened a conversation without an id');
    keepNewest(directs, userId, channel.id, MOST_ROOMS);
    return channel.id;
  }

  /** How a room is written, without signs and without the chat's name. */
  function bare(room: string): string {
    const inner = /^<#([A-Z0-9]+)(?:\|[^>]*)?>$/.exec(room)?.[1] ?? room;
    return (inner.startsWith(`${chat}:`) ? inner.slice(chat.length + 1) : inner).replace(/^[#@]/, '');
  }

  return {
    async room(channel) {
      const known = await find(channel);
      if (!known) return undefined;
      const changes = known.members !== undefined && !known.direct;
      return asRoom(channel, known, changes ? ((await options.members(channel)) ?? known.members) : known.members);
    },
    async reachable(channel) {
      return (await find(channel))?.reachable ?? blind;
    },
    direct,
    async resolve(room) {
      const plain = bare(room);
      if (CHANNEL_ID.test(plain)) return plain;
      return USER_ID.test(plain) ? await direct(plain) : await byName(plain.toLowerCase());
    },
    resolved(room) {
      const plain = bare(room);
      if (CHANNEL_ID.test(plain)) return plain;
      return directs.get(plain) ?? names.get(plain.toLowerCase())?.id;
    },
    async renamed(channel, name) {
      for (const [old, { id }] of names) if (id === channel) names.delete(old);
      names.set(name, { id: channel, at: time() });
      const known = rooms.get(channel);
      if (!known) return void (await find(channel));
      rooms.set(channel, { ...known, name });
      const { members: _, ...room } = asRoom(channel, { ...known, name });
      return await options.saved(room);
    },
    forget(channel) {
      rooms.delete(channel);
      unknown.delete(channel);
      for (const [name, { id }] of names) if (id === channel) names.delete(name);
    },
  };
}
