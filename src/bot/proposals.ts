/** Commands that wait for a word: of the same person (confirm), or of somebody else (approve). */

import type { Person } from './chat.ts';
import type { Facts, Here } from './command.ts';

export interface Proposal {
  /** Unique for all time, unlike the code. */
  readonly id: number;
  /** Short, for typing: `7f3a`. */
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

/** `void`: what was asked for is no longer what would happen. */
export type Decision = 'confirmed' | 'approved' | 'refused' | 'cancelled' | 'void';

/** Who answers a proposal, and by which message: the same message, handled again after a crash, is the same answer. */
export interface Decider {
  readonly person: Person;
  readonly source: string | undefined;
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
}
