/** Commands that wait for a word: of the same person (confirm), or of somebody else (approve). */

import type { Person } from './chat.ts';
import type { Here } from './command.ts';

export interface Proposal {
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

export interface Proposals {
  /** Stores a proposal under a new code. */
  open(proposal: Omit<Proposal, 'code'>): Promise<Proposal>;
  /** An open one that has not expired. */
  find(code: string, now: Date): Promise<Proposal | undefined>;
  /** Answers it; false if somebody else was faster or it has expired. Of many who try at once, one gets true. */
  decide(code: string, decision: Decision, by: Person, now: Date): Promise<boolean>;
}
