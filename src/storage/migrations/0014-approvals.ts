/** Proposals that several people must approve, and what they approve. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table proposals add column terms jsonb`.execute(db);
  await sql`create table proposal_approvals (
    proposal bigint not null,
    person_id text not null,
    person jsonb not null,
    at timestamptz not null,
    place bigint generated always as identity,
    primary key (proposal, person_id)
  )`.execute(db);
}
