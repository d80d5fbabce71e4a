/** What counts when the turn of a deployment comes: why rules were set aside, who approved it, whether it goes back. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table deployments
    add column overrides text, add column approved_by jsonb, add column is_rollback boolean not null default false`.execute(
    db,
  );
}
