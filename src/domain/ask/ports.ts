/** What answering needs from outside. */

import type { KnowledgeFile } from './index.ts';

/** The team's own files. */
export interface KnowledgeSource {
  /** All files as they are now. `version` changes when any of them does; asking again while none did is cheap. */
  read(): Promise<{ readonly version: string; readonly files: readonly KnowledgeFile[] }>;
  /** The team's description of its systems and words, sent with every question; undefined if it wrote none. */
  context(): Promise<string | undefined>;
  /** Web address of a section; an empty anchor is the start of the file. */
  link(path: string, anchor: string): string;
}

export interface ModelMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** Why a model gave no answer. */
export type ModelTrouble =
  | 'unauthorised'
  | 'unknown-model'
  | 'busy'
  | 'too-long'
  | 'refused'
  | 'slow'
  | 'cut'
  | 'empty'
  | 'malformed'
  | 'unreachable'
  | 'server'
  | 'stopped';

export type ModelOutcome =
  | {
      readonly kind: 'answer';
      readonly text: string;
      /** The model stopped at its length limit. */
      readonly truncated: boolean;
      /** As the server counted them, if it did. */
      readonly tokens?: { readonly sent: number; readonly received: number };
    }
  | {
      readonly kind: 'failed';
      readonly trouble: ModelTrouble;
      /** For the log; never shown to people. */
      readonly detail: string;
      readonly retryAfterSeconds?: number;
    };

/** A chat model. Never throws for what the other side does: the outcome says it. */
export interface Model {
  readonly name: string;
  complete(
    messages: readonly ModelMessage[],
    options: { readonly signal?: AbortSignal | undefined; readonly onText?: ((text: string) => void) | undefined },
  ): Promise<ModelOutcome>;
}

/** Where a conversation takes place. What is said in one is never seen in another. */
export interface Conversation {
  readonly chat: string;
  readonly room: string;
  /** Thread in the room; several people may take part. */
  readonly thread?: string;
  /** Outside of a thread everybody has a conversation of their own, also in a shared room. */
  readonly personId: string;
}

export interface Turn {
  readonly personId: string;
  readonly personName: string;
  readonly question: string;
  readonly answer: string;
  readonly at: Date;
}

/** What was said before in a conversation; kept for a limited time. */
export interface AskMemory {
  /** The latest turns, oldest first; none older than the retention. */
  recent(conversation: Conversation, now: Date, limit: number): Promise<Turn[]>;
  remember(conversation: Conversation, turn: Turn): Promise<void>;
  /** Deletes all turns of the conversation; how many there were. */
  forget(conversation: Conversation): Promise<number>;
  /** Deletes what is older than the retention; how many turns that were. */
  expire(now: Date): Promise<number>;
}

/** A line for the log: constant message, what varies in the fields. */
export interface AskLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface AskPorts {
  readonly source: KnowledgeSource;
  /** None: answers are the passages themselves. */
  readonly model?: Model | undefined;
  readonly memory: AskMemory;
  /** Takes secrets out of a text before it is stored or sent. */
  redact(text: string): string;
  now(): Date;
  readonly log: AskLog;
}
