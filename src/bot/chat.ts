/** Who speaks, where, and what a chat must be able to do. */

import type { Adapter } from 'hubot';
import type { Content } from './card.ts';

export interface Person {
  /** The chat and the chat's own id: `web:7`. Stable for as long as the account exists. */
  readonly id: string;
  readonly chat: string;
  /** As shown in the chat; may change, may be chosen by the person: never trust it for a decision. */
  readonly name: string;
}

/** A place where something can be posted. */
export interface Address {
  readonly chat: string;
  /** The chat's own id of the room. */
  readonly room: string;
  /** Id of the message that the thread hangs on. */
  readonly thread?: string;
}

/** Only the place, of something that says more than that. */
export function addressOf({ chat, room, thread }: Address): Address {
  return { chat, room, ...(thread === undefined ? {} : { thread }) };
}

/** Whether it is one room; threads of it are. */
export function isSameRoom(one: Pick<Address, 'chat' | 'room'>, other: Pick<Address, 'chat' | 'room'>): boolean {
  return one.chat === other.chat && one.room === other.room;
}

export interface Room {
  readonly chat: string;
  readonly id: string;
  readonly name: string;
  /** A conversation of named people: only they may find what was said in it. */
  readonly private: boolean;
  /** Person ids; given for private rooms. */
  readonly members?: readonly string[];
  /** A conversation of one person with the robot: nobody else sees what is said there. */
  readonly direct?: boolean;
}

/** One message to be shown. `nonce` is the same on every attempt, so that a chat can recognise a repeated one. */
export interface Delivery {
  readonly nonce: string;
  readonly address: Address;
  readonly content: Content;
  /** Shown to this person alone where the chat can do that. */
  readonly onlyTo?: string;
  /** It answers what somebody said: a thread below it is a conversation with the robot. */
  readonly answer?: boolean;
  /** An earlier attempt may have arrived although nobody heard so: look before it is posted again. */
  readonly repeated?: boolean;
}

/** One message that is written in front of the reader's eyes. What it shows in the end is given by {@link ChatAdapter.update}. */
export interface LiveStream {
  readonly messageId: string;
  /** The whole text so far, as Markdown; what is shown already is not sent again. */
  show(markdown: string): Promise<void>;
  /** Nothing more comes: it looks like any other message from now on. Never throws. */
  end(): Promise<void>;
}

/** The user groups of a chat that the robot keeps up to date: of those who are on call. */
export interface UserGroups {
  /**
   * Makes exactly these people the members of a group. `unchanged`: they are already, nothing was asked of the chat but who is in
   * it. `empty`: nobody was named; a chat like Slack knows no empty groups, so whoever was in it last stays in it.
   * Throws {@link DeliveryDelayed} or {@link DeliveryRefused}: no such group, not allowed, or an id of another chat.
   *
   * @param group by id or handle, as in config/access.yaml: `slack:S0123`, `slack:@oncall`
   * @param people person ids of that chat
   */
  setMembers(group: string, people: readonly string[]): Promise<'changed' | 'unchanged' | 'empty'>;
}

/**
 * A chat adapter of ours: a Hubot adapter that also renders cards and updates messages in place.
 * `deliver` and `update` throw {@link DeliveryDelayed} when trying later may help, {@link DeliveryRefused} when it cannot.
 */
export interface ChatAdapter extends Adapter {
  readonly chat: string;
  /** Hubot's adapter, where the chat is a wrapper around one: what scripts find at `robot.adapter`. */
  readonly hubotAdapter?: Adapter;
  /**
   * Answers, too, are stored before they are posted: the chat takes them only so fast, and they must keep their order with
   * everything else that is posted there.
   */
  readonly queued?: boolean;
  deliver(delivery: Delivery): Promise<{ readonly messageId: string }>;
  update(delivery: Delivery, messageId: string): Promise<'updated' | 'gone'>;
  /** Link to one message, if the chat has such links. */
  permalink(address: Address, messageId: string): string | undefined;
  /** What keeps the chat from working until somebody acts, in a few words; undefined if nothing does. */
  readonly trouble?: string | undefined;
  /**
   * Begins a message that is written while it is read; undefined where the chat cannot do that here. Throws
   * {@link DeliveryDelayed} where it can in a moment.
   */
  openStream?(address: Address, reader: Person): Promise<LiveStream | undefined>;
  /** Its user groups, if the robot can change them. */
  readonly userGroups?: UserGroups;
  /** Where a person and the robot talk alone; undefined for who is not of this chat. Left out where a chat has no such place. */
  direct?(person: Person): Promise<Address | undefined>;
  /** What is known of a room; undefined if the chat does not know it. */
  room(id: string): Promise<Room | undefined>;
}

/** The chat cannot take the message now: it is down, or asks for patience (`Retry-After`). */
export class DeliveryDelayed extends Error {
  readonly retryAfterMs: number | undefined;
  /** The chat was not asked, or said that it did not take it: nothing can have arrived. */
  readonly notSent: boolean;
  constructor(message: string, options: { retryAfterMs?: number; notSent?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'DeliveryDelayed';
    this.retryAfterMs = options.retryAfterMs;
    this.notSent = options.notSent ?? false;
  }
}

/** The chat will never take this message: no such room, not a member, content refused. */
export class DeliveryRefused extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'DeliveryRefused';
  }
}

/** What a chat is called whose adapter is named so: `slack` for `@hubot-friends/hubot-slack`. */
export function chatName(adapter: string): string {
  return adapter
    .replace(/^.*\//, '')
    .replace(/^hubot-/, '')
    .toLowerCase();
}
