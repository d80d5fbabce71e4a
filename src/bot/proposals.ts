/** Commands that wait for a word: of the same person (confirm), or of somebody else (approve). */

import type { Person } from './chat.ts';
import type { Here } from './command.ts';

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
}

export type Decision = 'confirmed' | 'approved' | 'refused' | 'cancelled';

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
  /**
   * Answers it. False if another message was faster or it has expired: of many who try at once, one gets true. True again
   * for the message that gave this answer before.
   */
  decide(proposal: Proposal, decision: Decision, by: Decider, now: Date): Promise<boolean>;
}
