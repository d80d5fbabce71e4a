/** What answering needs from outside, and what it gives. */

import type { Address } from '../../bot/chat.ts';
import type { Fit } from './answerable.ts';
import type { Source } from './cite.ts';
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

/** Where a conversation takes place: in a thread, of perhaps several people, or in a room. What is said in one is never seen in another. */
export interface Conversation extends Address {
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
  /** Gives the number of the turn; undefined if it was not kept. */
  remember(conversation: Conversation, turn: Turn): Promise<number | undefined>;
  /** Deletes all turns of the conversation; how many there were. */
  forget(conversation: Conversation): Promise<number>;
  /** Deletes what is older than the retention; how many turns that were. */
  expire(now: Date): Promise<number>;
}

export interface Rating {
  /** Number of the answer: {@link Answer.number}. */
  readonly answer: number;
  readonly person: { readonly id: string; readonly name: string };
  readonly helpful: boolean;
  readonly note?: string;
  readonly at: Date;
}

/** A rating with what it is about. */
export interface RatedAnswer extends Rating {
  readonly question: string;
  readonly text: string;
}

/** What people say of answers: one word of each person on each answer, the latest counts. */
export interface AskFeedback {
  /** `unknown`: nothing of that number was answered in that room, or it is forgotten. */
  rate(rating: Rating, room: Address): Promise<'rated' | 'changed' | 'unknown'>;
  /** The latest, newest first. */
  ratings(limit: number): Promise<readonly RatedAnswer[]>;
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
  readonly feedback: AskFeedback;
  /** Takes secrets out of a text before it is stored or sent. */
  redact(text: string): string;
  now(): Date;
  readonly log: AskLog;
}

export interface Question {
  readonly question: string;
  readonly person: { readonly id: string; readonly name: string };
  readonly room: Address;
}

/**
 * `model`: a model's words, citing passages. `model-alone`: a model's words that cite none. `passages`: the files' own words.
 * `nothing`: no file fits and no model is there to say more.
 */
export type Origin = 'model' | 'model-alone' | 'passages' | 'nothing';

export interface Answer {
  /** To speak of it later; undefined if it was not remembered. */
  readonly number?: number;
  readonly origin: Origin;
  /** Safe Markdown: nobody is mentioned by it, and its links lead to our own passages only (or, in a file's own words, where the file links to). */
  readonly text: string;
  readonly cut: boolean;
  /** Where the text is from. */
  readonly sources: readonly Source[];
  /** Other places that may answer, best first. */
  readonly others: readonly Source[];
  readonly fit: Fit;
  /** Name of the model, if one is configured. */
  readonly model?: string;
  /** The model was asked and failed; the passages are shown instead. */
  readonly trouble?: ModelTrouble;
  readonly retryAfterSeconds?: number;
  /** How many files there are to answer from. */
  readonly files: number;
}

export type Progress =
  | { readonly kind: 'reading'; readonly sources: readonly Source[] }
  /** The answer so far, made safe to show when it is asked for: pieces come faster than anybody reads. */
  | { readonly kind: 'writing'; text(): string };

export interface SearchHit {
  readonly source: Source;
  readonly score: number;
  readonly fit: Fit;
}

export interface Knowledge extends AskFeedback {
  ask(
    question: Question,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void },
  ): Promise<Answer>;
  /** The files that fit a text, best first. */
  search(query: string, limit?: number): Promise<SearchHit[]>;
  /** Deletes what is remembered of a conversation; how many questions that were. */
  forget(conversation: Conversation): Promise<number>;
}
