/** What the web chat needs from outside. */

import type { Person } from '../../../bot/chat.ts';
import type { Suggestion } from '../../../bot/complete.ts';
import type { History, MessageStore } from '../../../domain/history/ports.ts';

export interface Account {
  readonly id: number;
  readonly name: string;
  /** The first account that was made by the link of the machine. */
  readonly first: boolean;
  /** Given by somebody who may grant roles, or by another chat that has confirmed it; never by the person. */
  readonly email?: string;
}

export interface Session {
  /** Missing until the person has said a name. */
  readonly account?: Account;
  /** The invitation it came from; missing for the link of the machine. */
  readonly invite?: { readonly name: string };
}

export type Entered =
  | { readonly kind: 'entered'; readonly account: Account; readonly isNew: boolean }
  | { readonly kind: 'name taken' }
  /** The session is gone, or its invitation was used or has expired meanwhile. */
  | { readonly kind: 'no session' };

/** Accounts, sessions, invitations and read marks. Secrets come as fingerprints only. */
export interface WebStore {
  openSession(session: {
    readonly hash: string;
    readonly invite?: string;
    readonly now: Date;
    readonly until: Date;
  }): Promise<void>;
  session(hash: string, now: Date): Promise<Session | undefined>;
  closeSession(hash: string): Promise<void>;
  /**
   * Gives a session its account: a new one, or the one of that name, if this way in may use it: by the link of the
   * machine whoever came by it before, by an invitation the person it was made for.
   */
  enter(request: { readonly session: string; readonly name: string; readonly now: Date }): Promise<Entered>;
  invite(invite: {
    readonly hash: string;
    readonly name: string;
    readonly by: string;
    /** What the new account is known by; an account that is there already keeps what it has. */
    readonly email?: string;
    readonly now: Date;
    readonly until: Date;
  }): Promise<void>;
  /** The account that is known by an address; undefined if there is none, or more than one. */
  accountOfEmail(email: string): Promise<Account | undefined>;
  /** Gives an account that address; false if another one has it. */
  setEmail(account: number, email: string): Promise<boolean>;
  /** The invitation, if it is neither used nor expired. */
  openInvite(hash: string, now: Date): Promise<{ readonly name: string } | undefined>;
  account(id: number): Promise<Account | undefined>;
  accountNamed(name: string): Promise<Account | undefined>;
  accounts(): Promise<Account[]>;
  /** Accounts whose arrival was not told to the end: the robot died in between. */
  unwelcomed(): Promise<Account[]>;
  markWelcomed(id: number, now: Date): Promise<void>;
  reads(account: number): Promise<Map<string, number>>;
  /** Moves the mark forward, never back; returns where it is now. */
  markRead(account: number, room: string, message: number): Promise<number>;
  /** Makes a room one that everybody is in; true if it was not before. */
  addCommonRoom(room: string): Promise<boolean>;
  commonRooms(): Promise<string[]>;
  /** Deletes sessions and invitations that have expired. */
  sweep(now: Date): Promise<void>;
}

/** What the web chat uses of the messages. */
export type WebMessages = Pick<
  MessageStore,
  | 'record'
  | 'update'
  | 'get'
  | 'page'
  | 'threads'
  | 'activity'
  | 'markHandled'
  | 'saveRoom'
  | 'room'
  | 'roomsOf'
  | 'join'
  | 'leave'
>;

export type WebSearch = Pick<History, 'search'>;

export interface WebBus {
  publish(
    channel: string,
    payload: { readonly [key: string]: string | number | boolean | null | readonly number[] },
  ): Promise<void>;
  subscribe(channel: string, listener: (payload: unknown) => void | Promise<void>): () => void;
  onGap(listener: () => void | Promise<void>): () => void;
}

/** Where and for whom the web chat is. */
export interface WebOptions {
  /** Off: no page, no socket; whoever looks is told how to switch it on. */
  readonly enabled: boolean;
  /** The address that people use, `https://chat.example.org`; without it the chat is for this machine only. */
  readonly publicUrl?: string;
  /** The secret of the link, at least 16 characters; see token.ts. */
  readonly token: string;
  /** Names of rooms that everybody is in from the start. */
  readonly rooms: readonly string[];
}

export interface WebEvents {
  /** Called until it succeeds once, for the first person of all, before they can do anything. Must be idempotent. */
  onFirstPerson(person: Person): Promise<void>;
  /** Called until it succeeds once for each new person; `direct` is their conversation with the robot. Must be idempotent. */
  onPerson(person: Person, direct: { readonly chat: 'web'; readonly room: string }): Promise<void>;
  /** An account has an address by which its person is known in other chats, too. Told again at every start. Must be idempotent. */
  onEmail(person: Person, email: string): Promise<void>;
  /** How the text may go on, best first; only commands that the person may run. */
  complete(text: string, person: Person): Promise<readonly Suggestion[]>;
}
