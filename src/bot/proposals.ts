/** Commands that wait for a word: of the same person (confirm), or of somebody else (approve). */

import type { Address, Person } from './chat.ts';
import type { Facts, Here } from './command.ts';

export interface Proposal {
  /** Unique for all time, unlike the code. */
  readonly id: number;
  /** Short, for typing: `a7f3`. */
  readonly code: string;
  readonly kind: 'confirm' | 'approve';
  readonly person: Person;
  readonly room: Here;
  /** The command as typed. It is parsed and checked again when it runs. */
  readonly text: string;
  /** What somebody must hold to approve it. */
  readonly permission: string | undefined;
  readonly expiresAt: Date;
  /** What else its approval takes; undefined: one person who holds the permission. */
  readonly terms?: Terms;
  /** Where the cards are that ask for it: where it was typed, and with those who could approve it. */
  readonly places: readonly Address[];
}

export interface Terms {
  /** What somebody must have to approve it, in place of a permission. */
  readonly role?: string;
  /** How many different people must. */
  readonly count: number;
  /** What they should know; Markdown. */
  readonly details: string;
  readonly facts: Facts;
}

/** `void`: what was asked for is no longer what would happen; `expired`: nobody answered in time. */
export type Decision = 'confirmed' | 'approved' | 'refused' | 'cancelled' | 'void' | 'expired';

/** Who answers a proposal, and by which message: the same message, handled again after a crash, is the same answer. */
export interface Decider {
  readonly person: Person;
  readonly source: string | undefined;
  /** All whose answer it is; the person alone unless given. */
  readonly by?: readonly Person[];
  /** Why it is void; Markdown. */
  readonly why?: string;
}

/** A proposal and how it stands. */
export interface Standing {
  readonly proposal: Proposal;
  /** Those who approve it, in order. */
  readonly given: readonly Person[];
  /** Undefined as long as it waits. */
  readonly end?: { readonly decision: Decision; readonly by: readonly Person[]; readonly why?: string };
}

export interface Proposals {
  /** Those that nobody has answered and that have not expired, oldest first. */
  unanswered(now: Date): Promise<readonly Proposal[]>;
  /** Stores a proposal under a new code. */
  open(proposal: Omit<Proposal, 'id' | 'code'>): Promise<Proposal>;
  /** An open one that has not expired, or the one that this very message has answered already. */
  find(code: string, source: string | undefined, now: Date): Promise<Proposal | undefined>;
  /** Keeps that this person approves it, unless it is answered or has expired. Gives all who do, in order. */
  approve(proposal: Proposal, by: Person, now: Date): Promise<readonly Person[]>;
  /**
   * Answers it. False if another message was faster or it has expired: of many who try at once, one gets true. True again
   * for the message that gave this answer before.
   */
  decide(proposal: Proposal, decision: Decision, by: Decider, now: Date): Promise<boolean>;
  get(id: number): Promise<Standing | undefined>;
  /** From now on there are cards at these places, too. */
  shownAt(id: number, places: readonly Address[]): Promise<void>;
  /**
   * Ends those whose time is over. Gives all that have ended and whose cards may not say so yet: those that have expired, and those
   * that were answered half a minute ago or before, by whoever did not come to it.
   */
  ended(now: Date): Promise<readonly Standing[]>;
  /** All its cards say how it ended. */
  settled(id: number): Promise<void>;
}
