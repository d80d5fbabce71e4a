/** Numbers of runs, to name one by, and who had one run again. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table pipeline_runs
    add column id bigint generated always as identity unique,
    add column rerun_by text,
    add column rerun_at timestamptz`.execute(db);
}
