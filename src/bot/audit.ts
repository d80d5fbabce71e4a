/** The audit trail: who changed what, one row before and one after. */

import type { Person } from './chat.ts';
import type { Here, Via } from './command.ts';

export interface AuditStart {
  readonly at: Date;
  readonly person: Person;
  readonly room: Here;
  readonly commandId: string;
  /** The line, with secrets redacted. */
  readonly text: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly via: Via;
  /** The message that asked for it: `web:812`. A change is run once for one message. */
  readonly source: string | undefined;
  readonly approvedBy: string | undefined;
}

export type AuditOutcome = 'succeeded' | 'failed' | 'refused' | 'interrupted';

export interface AuditRow {
  readonly id: number;
  readonly at: Date;
  readonly finishedAt: Date | undefined;
  readonly personId: string;
  readonly personName: string;
  readonly chat: string;
  readonly room: string;
  readonly private: boolean;
  readonly commandId: string;
  readonly text: string;
  readonly via: string;
  readonly approvedBy: string | undefined;
  /** Undefined while it runs. */
  readonly outcome: AuditOutcome | undefined;
  readonly detail: string | undefined;
}

export type Begun =
  | { readonly kind: 'begun'; readonly id: number }
  | { readonly kind: 'repeated'; readonly outcome: AuditOutcome | undefined };

export interface AuditTrail {
  /** Writes the first row. `repeated` if the same command was begun for the same message before. */
  begin(start: AuditStart): Promise<Begun>;
  /** Writes the second row. */
  end(id: number, outcome: AuditOutcome, detail: string | undefined, at: Date): Promise<void>;
  /** Writes both rows of a change that was refused. */
  refuse(start: AuditStart, reason: string): Promise<void>;
  /** Newest first. */
  list(filter: {
    readonly personId?: string;
    readonly since?: Date;
    readonly command?: string;
    readonly limit: number;
  }): Promise<readonly AuditRow[]>;
}
