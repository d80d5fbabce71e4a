/** What the Slack chat needs from outside, and what its parts give each other. */

import type { App } from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import type { Router } from 'express';
import type { Content } from '../../../bot/card.ts';
import type { Address, Person, Room } from '../../../bot/chat.ts';
import type { Logger } from '../../../bot/log.ts';
import type { SlackMetrics } from '../../../bot/metrics.ts';
import type { ReadOwnFile } from '../../../bot/own-files.ts';
import type { PostOptions } from '../../../bot/post.ts';
import type { Robot } from '../../../bot/robot.ts';
import type { Surfaces } from '../../../bot/surfaces.ts';
import type { MessageStore } from '../../../domain/history/ports.ts';
import type { People } from '../../../domain/people/ports.ts';
import type { SlackUser } from './user.ts';

/** One workspace, as configured. */
export interface SlackWorkspace {
  /** `slack`, or `slack-<name>`. */
  readonly chat: string;
  readonly botToken: string;
  /** Socket Mode. */
  readonly appToken?: string;
  /** HTTP. */
  readonly signingSecret?: string;
  /** Another address of the Web API, ending in `/api/`. */
  readonly apiUrl?: string;
  /** What shows on a message that the robot works on. */
  readonly working: 'reaction' | 'none';
  /** Emoji, without colons → how the command of a button begins. */
  readonly reactions: ReadonlyMap<string, string>;
}

// ── in ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What Slack sends, whichever way: the three kinds of payload. https://docs.slack.dev/apis/events-api */
export interface Envelope {
  readonly kind: 'event' | 'interactive' | 'command';
  readonly body: Readonly<Record<string, unknown>>;
  readonly via: 'socket' | 'http';
}

/** An envelope that is to be handled once, whoever of the replicas gets it, and also if that one is killed. */
export interface InboxEvent {
  readonly id: number;
  readonly chat: string;
  readonly kind: Envelope['kind'];
  readonly body: Readonly<Record<string, unknown>>;
}

/** Events of chats that are not handled yet. */
export interface Inbox {
  /**
   * Stores an event under its names. Undefined if one of the names is known already: somebody handles or has handled it.
   *
   * @param names the event's own id, and what it is about (`message:C1:1700000000.000100`)
   */
  save(event: Omit<InboxEvent, 'id'> & { readonly names: readonly string[] }): Promise<InboxEvent | undefined>;
  /** Empties it; the names are remembered for a day. */
  handled(id: number): Promise<void>;
  /** What a lost replica has not handled of a chat, oldest first; from now on ours. */
  claimOf(lostReplica: string, chat: string): Promise<readonly InboxEvent[]>;
  /** Forgets the names of what was handled more than a day ago. */
  purge(): Promise<void>;
}

// ── what the chat is made of ───────────────────────────────────────────────────────────────────────────────────────────

/** Who the robot is in the workspace: `auth.test`. */
export interface Self {
  readonly teamId: string;
  readonly teamName: string;
  /** `https://example.slack.com/` */
  readonly url: string;
  readonly userId: string;
  readonly botId: string;
  /**
   * The app is an agent (`agent_view`; before July 2026, an assistant): every message of a person in the direct conversation begins a
   * thread.
   */
  readonly agent: boolean;
  /** The app may post in public channels that nobody invited it to. */
  readonly postsAnywhere: boolean;
}

/** The Web API, with its limits and its errors. */
export interface SlackApi {
  /** Calls that exceed a method's limit wait for a while as Slack asks; other errors are the SDK's. */
  readonly web: WebClient;
  /**
   * Runs the calls of a delivery. Throws DeliveryDelayed (a limit, a trouble of the network or of Slack) or
   * DeliveryRefused (what will never work).
   */
  delivering<T>(work: (web: WebClient) => Promise<T>): Promise<T>;
  /** Waits for the turn of this channel, one message a second: throws DeliveryDelayed with the time if it is not now. */
  turn(channel: string): void;
  /** Told when Slack refuses the token, with a sentence for the operator; with undefined if it takes it again. */
  onRevoked(told: (problem: string | undefined) => void): void;
  /** Slack said by an event that the token is worth nothing any more: `app_uninstalled`, `tokens_revoked`. */
  revoked(code: string): void;
}

export interface SlackPerson extends Person {
  readonly userId: string;
  readonly timeZone?: string;
  readonly email?: string;
  readonly avatar?: string;
  /** False for deactivated accounts. */
  readonly active: boolean;
  /** A guest, or somebody of another organisation. */
  readonly outside: boolean;
  readonly bot: boolean;
}

export interface SlackPeople {
  /** By Slack's id; known ones from memory, others asked for. Saved in the directory before it is returned. */
  person(userId: string): Promise<SlackPerson>;
  /** Slack says something new of an account. */
  heard(user: SlackUser): Promise<void>;
}

export interface SlackRooms {
  /** Undefined if Slack does not know the channel, or not for this robot. */
  room(channel: string): Promise<Room | undefined>;
  /** Whether the robot can post there: it is in the channel, or may post to public ones. */
  reachable(channel: string): Promise<boolean>;
  /** The direct conversation with somebody; opened if there is none. */
  direct(userId: string): Promise<string>;
  /** A channel by what people call it: `ops`, `#ops`, an id, or a person's id (`slack:U1`, the direct conversation). */
  resolve(room: string): Promise<string | undefined>;
}

/** Something that a person says to the room or to the robot, however it came in. */
export interface Said {
  readonly userId: string;
  readonly channel: string;
  readonly thread?: string;
  /** Readable: names for ids, no escapes. */
  readonly text: string;
  /** As Slack sent it, without the robot's mention: what a command reads, so that `<@U2>` is U2 whatever that person is called. */
  readonly exact?: string;
  /** Unique in the channel: the `ts`, or the id of the press. */
  readonly messageId: string;
  readonly via: 'typed' | 'button';
  readonly addressed: boolean;
  /** As Message.follows. */
  readonly follows?: 'own thread' | "another's thread";
  readonly quiet?: boolean;
  readonly edited?: boolean;
  /** The history has it already. */
  readonly stored?: boolean;
  readonly at?: Date;
  readonly files?: readonly {
    readonly name: string;
    readonly type: string;
    readonly size: number;
    readonly url: string;
  }[];
}

/** What every part of the chat may use. */
export interface SlackContext {
  readonly workspace: SlackWorkspace;
  readonly chat: string;
  readonly robot: Robot;
  readonly api: SlackApi;
  readonly people: SlackPeople;
  readonly rooms: SlackRooms;
  readonly log: Logger;
  self(): Self;
  now(): Date;
  /** Gives it to the robot and resolves when it is handled. */
  hear(said: Said): Promise<void>;
  /** Durable, in order. */
  post(address: Omit<Address, 'chat'>, content: Content, options?: PostOptions): Promise<void>;
  /** Where an ephemeral answer to this person in this channel can be sent for the next 30 minutes. */
  answerUrl(channel: string, userId: string, url: string): void;
  readonly surfaces: Surfaces;
}

/** A part that listens to some of what Slack sends. */
export type Listens = (app: App, context: SlackContext) => void;

// ── from outside ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Everything that people of a chat are known by. */
export type PeopleDirectory = Pick<People, 'save' | 'get'>;

/** Who is in which user group of the workspace; ids as in config/access.yaml. */
export type GroupDirectory = Pick<People, 'saveGroups'>;

/** Messages that the history keeps. */
export type SlackHistory = Pick<MessageStore, 'find' | 'update' | 'remove' | 'saveRoom' | 'room' | 'join' | 'leave'>;

export interface SlackParts {
  readonly workspace: SlackWorkspace;
  readonly inbox: Inbox;
  readonly people: PeopleDirectory & GroupDirectory;
  readonly history: SlackHistory;
  readonly surfaces: Surfaces;
  readonly metrics: SlackMetrics;
  readonly log: Logger;
  readonly now: () => Date;
  /** Asked for when the chat starts; undefined if HTTP is off. */
  readonly http: () => { readonly beforeParsers: Router } | undefined;
  readonly post: (address: Address, content: Content, options?: PostOptions) => Promise<void>;
  /** Wakes the outbox: the chat can take messages again. */
  readonly wake: () => void;
  readonly ownFile: ReadOwnFile;
  /** A picture of our own, by its path or data address; undefined if it is none. */
  readonly picture: (
    url: string,
  ) => Promise<{ readonly bytes: Uint8Array; readonly type: string; readonly name: string } | undefined>;
}
