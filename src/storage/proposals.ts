/** Proposals in PostgreSQL. Of many who answer at once, one counts. */

import { type Generated, sql as raw, type Selectable } from 'kysely';
import type { Person } from '../bot/chat.ts';
import type { Here } from '../bot/command.ts';
import type { Decision, Proposal, Proposals, Terms } from '../bot/proposals.ts';
import type { Database } from './database.ts';

export type ProposalTables = {
  proposals: {
    id: Generated<number>;
    code: string;
    kind: 'confirm' | 'approve';
    person: Person;
    room: Here;
    text: string;
    permission: string | null;
    expires_at: Date;
    decision: Decision | null;
    decided_by: string | null;
    decided_source: string | null;
    decided_at: Date | null;
    terms: Terms | null;
  };
  proposal_approvals: { proposal: number; person_id: string; person: Person; at: Date; place: Generated<number> };
};

const MOST_TRIES = 20;
/** They expire within the hour. */
const MOST_UNANSWERED = 200;

/** @param newCode a short random code; asked again when it is taken */
export function createProposalStore(db: Database, newCode: () => string): Proposals {
  const sql = db.sql.withTables<ProposalTables>();
  return {
    async open({ kind, person, room, text, permission, expiresAt, terms }) {
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const code = newCode();
        const stored = await sql
          .insertInto('proposals')
          .values({
            code,
            kind,
            person,
            room,
            text,
            permission: permission ?? null,
            expires_at: expiresAt,
            terms: terms ?? null,
          })
          .onConflict((conflict) => conflict.doNothing())
          .returning('id')
          .executeTakeFirst();
        if (stored) {
          const proposal = { id: stored.id, code, kind, person, room, text, permission, expiresAt };
          return terms === undefined ? proposal : { ...proposal, terms };
        }
        // A code that nobody answered in time is free again.
        await sql
          .updateTable('proposals')
          .set({ decision: 'cancelled', decided_at: new Date() })
          .where('code', '=', code)
          .where('decision', 'is', null)
          .where('expires_at', '<', new Date())
          .execute();
      }
      throw new Error('no free code for a proposal');
    },
    async unanswered(now) {
      const rows = await sql
        .selectFrom('proposals')
        .selectAll()
        .where('decision', 'is', null)
        .where('expires_at', '>', now)
        .orderBy('id')
        .limit(MOST_UNANSWERED)
        .execute();
      return rows.map(proposalOf);
    },
    async find(code, source, now) {
      const row = await sql
        .selectFrom('proposals')
        .selectAll()
        .where('code', '=', code)
        .where((where) =>
          where.or([
            where.and([where('decision', 'is', null), where('expires_at', '>', now)]),
            ...(source === undefined ? [] : [where('decided_source', '=', source)]),
          ]),
        )
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && proposalOf(row);
    },
    async approve({ id }, person, now) {
      await sql
        .insertInto('proposal_approvals')
        .columns(['proposal', 'person_id', 'person', 'at'])
        .expression((from) =>
          from
            .selectFrom('proposals')
            .select((row) => [
              'id',
              row.val(person.id).as('person_id'),
              raw<Person>`${JSON.stringify(person)}::jsonb`.as('person'),
              raw<Date>`${now}::timestamptz`.as('at'),
            ])
            .where('id', '=', id)
            .where('decision', 'is', null)
            .where('expires_at', '>', now),
        )
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const rows = await sql
        .selectFrom('proposal_approvals')
        .select('person')
        .where('proposal', '=', id)
        .orderBy('place')
        .execute();
      return rows.map((row) => row.person);
    },
    async decide({ id }, decision, { person, source }, now) {
      const { numUpdatedRows } = await sql
        .updateTable('proposals')
        .set({ decision, decided_by: person.id, decided_source: source ?? null, decided_at: now })
        .where('id', '=', id)
        .where('decision', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      if (numUpdatedRows > 0n) return true;
      if (source === undefined) return false;
      const mine = await sql
        .selectFrom('proposals')
        .select('id')
        .where('id', '=', id)
        .where('decision', '=', decision)
        .where('decided_source', '=', source)
        .executeTakeFirst();
      return mine !== undefined;
    },
  };
}

function proposalOf(row: Selectable<ProposalTables['proposals']>): Proposal {
  const { id, code, kind, person, room, text, permission, expires_at: expiresAt, terms } = row;
  const proposal = { id, code, kind, person, room, text, permission: permission ?? undefined, expiresAt };
  return terms === null ? proposal : { ...proposal, terms };
}
