/**
 * What counts when the turn of a deployment comes: why rules were set aside, who approved it, whether it goes back. Where the
 * cards of a proposal are, how it ended, and whether they all say so.
 */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table deployments
    add column overrides text, add column approved_by jsonb,
    add column if not exists is_rollback boolean not null default false`.execute(db);
  await sql`alter table proposals add column places jsonb not null default '[]', add column outcome jsonb,
    add column settled boolean not null default false`.execute(db);
  // Nobody waits for the cards of what is over.
  await sql`update proposals set settled = decision is not null or expires_at <= now(), places = jsonb_build_array(
    jsonb_strip_nulls(jsonb_build_object('chat', room -> 'chat', 'room', room -> 'room', 'thread', room -> 'thread')))`.execute(
    db,
  );
  await sql`create index proposals_unsettled on proposals (expires_at) where not settled`.execute(db);
}
