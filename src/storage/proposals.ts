/** Proposals in PostgreSQL. Of many who answer at once, one counts. */

import { type Generated, sql as raw, type Selectable } from 'kysely';
import type { Address, Person } from '../bot/chat.ts';
import type { Here } from '../bot/command.ts';
import type { Decision, Proposal, Proposals, Standing, Terms } from '../bot/proposals.ts';
import { storable, storableJson } from '../bot/storable.ts';
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
    places: readonly Address[];
    outcome: { readonly by: readonly Person[]; readonly why?: string } | null;
    settled: Generated<boolean>;
  };
  proposal_approvals: { proposal: number; person_id: string; person: Person; at: Date; place: Generated<number> };
};

const MOST_TRIES = 20;
/** They expire within the hour. */
const MOST_UNANSWERED = 200;
/** Whoever answers one shows that within this time. */
const SHOWN_WITHIN_MS = 30_000;

/** @param newCode a short random code; asked again when it is taken */
export function createProposalStore(db: Database, newCode: () => string): Proposals {
  const sql = db.sql.withTables<ProposalTables>();
  return {
    async open({ kind, person, room, text, permission, expiresAt, terms, places }) {
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const code = newCode();
        const stored = await sql
          .insertInto('proposals')
          .values({
            code,
            kind,
            person,
            room,
            text: storable(text),
            permission: permission ?? null,
            expires_at: expiresAt,
            terms: terms === undefined ? null : raw<Terms>`${storableJson(terms)}::jsonb`,
            places: raw`${JSON.stringify(places)}::jsonb`,
          })
          .onConflict((conflict) => conflict.doNothing())
          .returning('id')
          .executeTakeFirst();
        if (stored) {
          const proposal = { id: stored.id, code, kind, person, room, text, permission, expiresAt, places };
          return terms === undefined ? proposal : { ...proposal, terms };
        }
        // A code that nobody answered in time is free again.
        await sql
          .updateTable('proposals')
          .set({ decision: 'expired', decided_at: new Date() })
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
      return await given(id);
    },
    async decide({ id }, decision, { person, source, by = [person], why }, now) {
      const outcome = storableJson(why === undefined ? { by } : { by, why });
      const { numUpdatedRows } = await sql
        .updateTable('proposals')
        .set({
          decision,
          decided_by: person.id,
          decided_source: source ?? null,
          decided_at: now,
          outcome: raw`${outcome}::jsonb`,
        })
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
    async get(id) {
      const row = await sql.selectFrom('proposals').selectAll().where('id', '=', id).executeTakeFirst();
      return row && (await standingOf(row));
    },
    async shownAt(id, places) {
      await sql
        .updateTable('proposals')
        .set({
          places: raw`(select jsonb_agg(distinct place) from
            jsonb_array_elements(places || ${JSON.stringify(places)}::jsonb) as each_place (place))`,
        })
        .where('id', '=', id)
        .execute();
    },
    async ended(now) {
      await sql
        .updateTable('proposals')
        .set({ decision: 'expired', decided_at: now })
        .where('decision', 'is', null)
        .where('expires_at', '<=', now)
        .execute();
      const rows = await sql
        .selectFrom('proposals')
        .selectAll()
        .where('settled', '=', false)
        .where((where) =>
          where.or([
            where('decision', '=', 'expired'),
            where('decided_at', '<', new Date(now.getTime() - SHOWN_WITHIN_MS)),
          ]),
        )
        .orderBy('id')
        .limit(MOST_UNANSWERED)
        .execute();
      return await Promise.all(rows.map(standingOf));
    },
    async settled(id) {
      await sql.updateTable('proposals').set({ settled: true }).where('id', '=', id).execute();
    },
  };

  async function given(id: number): Promise<readonly Person[]> {
    const rows = await sql
      .selectFrom('proposal_approvals')
      .select('person')
      .where('proposal', '=', id)
      .orderBy('place')
      .execute();
    return rows.map((row) => row.person);
  }

  async function standingOf(row: Selectable<ProposalTables['proposals']>): Promise<Standing> {
    const { decision, outcome } = row;
    const standing = { proposal: proposalOf(row), given: await given(row.id) };
    return decision === null ? standing : { ...standing, end: { decision, by: [], ...outcome } };
  }
}

function proposalOf(row: Selectable<ProposalTables['proposals']>): Proposal {
  const { id, code, kind, person, room, text, permission, expires_at: expiresAt, terms, places } = row;
  const proposal = { id, code, kind, person, room, text, permission: permission ?? undefined, expiresAt, places };
  return terms === null ? proposal : { ...proposal, terms };
}
