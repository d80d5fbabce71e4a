/** What is remembered of conversations, and what the rules of history need from outside. */

import type { Card } from '../../bot/card.ts';

export interface NewMessage {
  readonly chat: string;
  /** The chat's own id of the room. A room that is not known yet is created. */
  readonly room: string;
  /** Shown in results; taken over when the room is new or its name changed. */
  readonly roomName?: string;
  /** Id of the message that the thread hangs on. */
  readonly thread?: string;
  /** The chat's own id of the message. Left out by the web chat: then the row's id is the message's id. */
  readonly messageId?: string;
  /** As in `Person.id`: `web:7`. */
  readonly personId: string;
  readonly personName: string;
  readonly at: Date;
  /** Markdown. Secrets in it are redacted before it is stored. May be empty when there is a card. */
  readonly text: string;
  readonly content?: Card;
  readonly fromRobot: boolean;
  /** Said to the robot; of what the robot says: an answer. */
  readonly addressed: boolean;
  /** Said in a conversation of named people. */
  readonly private: boolean;
  /** Person ids of those who are in a private conversation; the speaker always counts as one. */
  readonly members?: readonly string[];
  /** Same on every attempt of one robot post: unique within the chat. */
  readonly nonce?: string;
  /** Chosen by the sender's client, same on every attempt: unique for the person. */
  readonly clientId?: string;
  /** Shown to this person alone; nobody else finds it. */
  readonly onlyTo?: string;
  /** The replica that must handle it. It stays unhandled until {@link MessageStore.markHandled}. */
  readonly owner?: string;
}

export interface StoredMessage {
  /** Grows in the order in which messages of a chat became visible. */
  readonly id: number;
  readonly chat: string;
  readonly room: string;
  readonly thread: string | null;
  readonly messageId: string;
  readonly personId: string;
  readonly personName: string;
  readonly at: Date;
  readonly editedAt: Date | null;
  readonly text: string;
  readonly content: Card | null;
  readonly fromRobot: boolean;
  readonly addressed: boolean;
  readonly private: boolean;
  readonly nonce: string | null;
  readonly clientId: string | null;
  readonly onlyTo: string | null;
  readonly owner: string | null;
  readonly handledAt: Date | null;
}

export interface StoredRoom {
  readonly chat: string;
  readonly id: string;
  readonly name: string;
  readonly private: boolean;
  /** Person ids of those who are in it now. Public rooms list those who joined, if the chat has joining. */
  readonly members: readonly string[];
}

export interface RoomActivity {
  readonly room: string;
  /** Id of the newest message that the viewer may read. */
  readonly lastId: number;
  /** Messages of others after the viewer's mark; counted up to 1,000. */
  readonly unread: number;
}

export interface ThreadSummary {
  /** Message id of the root. */
  readonly thread: string;
  readonly replies: number;
  readonly lastId: number;
  readonly lastAt: Date;
}

export interface PageRequest {
  readonly chat: string;
  readonly room: string;
  /** Only what this person may read (private rooms: what was said while they were in it). Left out: everything. */
  readonly viewer?: string;
  /** A thread's replies with its root; `null`: only what is not in a thread; left out: both. */
  readonly thread?: string | null;
  /** Older than this row id: the newest of them. */
  readonly before?: number;
  /** Newer than this row id: the oldest of them. */
  readonly after?: number;
  readonly limit: number;
}

/** What is stored of a message besides what is shown: made by `prepareMessage`. */
export interface PreparedMessage {
  /** Redacted. For a card without text: the card's text. */
  readonly text: string;
  readonly content: Card | null;
  /** Lower case, without Markdown escapes, single spaces: what phrases are looked up in. */
  readonly searchText: string;
  /** What the index holds. */
  readonly lexemes: readonly string[];
}

export type PrepareMessage = (message: {
  readonly text: string;
  readonly content?: Card;
  readonly addressed: boolean;
  readonly fromRobot: boolean;
}) => PreparedMessage;

/** One word, identifier or phrase that is looked for. */
export interface SearchTerm {
  /** All of these begin a lexeme of the message. */
  readonly prefixes: readonly string[];
  /** Stands in the message's search text; left out where the prefixes say it all. */
  readonly contains?: string;
}

export interface ShownIn {
  readonly chat: string;
  readonly room: string;
  readonly private: boolean;
}

/** A query made ready for the store: which messages, not in which order. */
export interface SearchPlan {
  /** Only what this person may read. */
  readonly viewer: string;
  /** Only what everybody in this room may read: there the answer is shown. Left out: only the viewer sees it. */
  readonly shownIn?: ShownIn;
  readonly all: readonly SearchTerm[];
  /** Excluded: whole lexemes, or text. */
  readonly none: readonly { readonly lexeme?: string; readonly contains?: string }[];
  /** Folded name or id of the speaker: any of these. */
  readonly from: readonly string[];
  /** Folded name or id of the room: any of these. */
  readonly rooms: readonly string[];
  readonly since?: Date;
  readonly until?: Date;
  /** The newest so many that fit. */
  readonly limit: number;
}

/** A message that fits, before ranking. */
export interface Candidate {
  readonly message: StoredMessage;
  readonly roomName: string;
  readonly searchText: string;
}

/** A message that fits, best first. */
export interface Hit {
  readonly message: StoredMessage;
  readonly roomName: string;
  /** Markdown on one line: the words around the first match, matches in bold. */
  readonly snippet: string;
  readonly link?: string;
}

/** `isNew` is false when it was stored before; `id` is then the earlier row's. */
export type Recorded =
  | { readonly isNew: true; readonly id: number; readonly message: StoredMessage }
  | { readonly isNew: false; readonly id: number };

export interface MessageStore {
  /**
   * Stores a message and makes its room and members known. It is not new when there is one with the same message id in the
   * room, the same nonce in the chat, or the same client id of the person.
   */
  record(message: NewMessage): Promise<Recorded>;
  /** Changes text and card in place; false if the message is gone. */
  update(chat: string, room: string, messageId: string, text: string, content?: Card): Promise<boolean>;
  /** False if the message is gone. */
  remove(chat: string, room: string, messageId: string): Promise<boolean>;
  get(id: number): Promise<StoredMessage | undefined>;
  find(chat: string, room: string, messageId: string): Promise<StoredMessage | undefined>;
  findByNonce(chat: string, nonce: string): Promise<StoredMessage | undefined>;
  findByClientId(personId: string, clientId: string): Promise<StoredMessage | undefined>;
  /** A page of one room, oldest first. */
  page(request: PageRequest): Promise<StoredMessage[]>;
  /** Replies of the threads that hang on these messages. */
  threads(chat: string, room: string, roots: readonly string[], viewer?: string): Promise<ThreadSummary[]>;

  markHandled(id: number): Promise<void>;
  /** Messages that a lost replica did not handle, oldest first; the new owner handles them. */
  claimUnhandledOf(lostReplica: string, newOwner: string): Promise<StoredMessage[]>;

  /** Makes a room known, or changes its name; makes a public room private, never the other way round. */
  saveRoom(room: {
    readonly chat: string;
    readonly id: string;
    readonly name: string;
    readonly private: boolean;
    readonly members?: readonly string[];
  }): Promise<StoredRoom>;
  room(chat: string, id: string): Promise<StoredRoom | undefined>;
  /** Public rooms and the private ones that the person is in now, by name. */
  roomsOf(chat: string, personId: string): Promise<StoredRoom[]>;
  join(chat: string, room: string, personId: string): Promise<void>;
  leave(chat: string, room: string, personId: string): Promise<void>;
  /** Newest and unread messages in every room that the viewer may read; a room without a mark counts from its start. */
  activity(chat: string, viewer: string, marks: ReadonlyMap<string, number>): Promise<RoomActivity[]>;

  /** The newest messages that fit the plan and that its viewer may read, newest first. */
  search(plan: SearchPlan): Promise<Candidate[]>;
  /** Deletes what was said before; returns how many messages. */
  removeBefore(at: Date): Promise<number>;
}

/** What people and scripts use. */
export interface History {
  /** Records what was said. Secrets are redacted. */
  record(message: NewMessage): Promise<Recorded>;
  search(request: SearchRequest): Promise<SearchResult>;
  /** The newest messages of a room that the viewer may read, oldest first, by the room's name or id. */
  last(request: {
    readonly viewer: string;
    readonly chat: string;
    readonly room: string;
    readonly shownIn?: ShownIn;
    readonly limit: number;
    readonly before?: number;
  }): Promise<LastResult>;
  /** Deletes what is older than the configured number of days; returns how many messages. */
  removeExpired(now: Date): Promise<number>;
}

export interface SearchRequest {
  /** As typed: words, "phrases", -excluded, from: since: until: in: page: */
  readonly text: string;
  readonly viewer: string;
  /** Where the answer is shown: nothing is found there that others in it may not read. Left out: only the viewer sees it. */
  readonly shownIn?: ShownIn;
  readonly now: Date;
  /** Filters that were understood before; they add to those in the text. */
  readonly filters?: SearchFilters;
}

export interface SearchFilters {
  /** A name, an id, or `me`. */
  readonly from?: string;
  /** A room's name or id. */
  readonly in?: string;
  readonly since?: Date;
  readonly until?: Date;
  /** From 1. */
  readonly page?: number;
}

export type SearchResult =
  | {
      readonly kind: 'found';
      readonly hits: readonly Hit[];
      readonly page: number;
      readonly more: boolean;
      /** Messages that fit; when `capped`, there are older ones that were not looked at. */
      readonly total: number;
      readonly capped: boolean;
    }
  | { readonly kind: 'nothing'; readonly hints: readonly Hint[] }
  | { readonly kind: 'unclear'; readonly problem: QueryProblem };

export type LastResult =
  | { readonly kind: 'messages'; readonly roomName: string; readonly hits: readonly Hit[]; readonly before?: number }
  | { readonly kind: 'unknown-room'; readonly room: string }
  /** Others would see what they may not read. */
  | { readonly kind: 'private-room'; readonly room: string };

/** What would have found something; `word` is the one to leave out. */
export type Hint =
  | { readonly kind: 'page' | 'time' | 'from' | 'in' | 'minus' | 'private' | 'filters' }
  | { readonly kind: 'word'; readonly word: string }
  /** A word that is in no message at all. */
  | { readonly kind: 'nowhere'; readonly word: string };

/** Why a query cannot be run. */
export type QueryProblem =
  | { readonly kind: 'empty' }
  | { readonly kind: 'bad-time'; readonly filter: 'since' | 'until'; readonly value: string };
