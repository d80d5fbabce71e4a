/** Numbers of runs, to name one by, and who had one run again; the keys under which programs ask for something once. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table pipeline_runs
    add column id bigint generated always as identity unique,
    add column rerun_by text,
    add column rerun_at timestamptz`.execute(db);
  // Of the command only its SHA-256, to know it again.
  await sql`alter table api_requests
    add column key text,
    add column command_hash text`.execute(db);
  await sql`create unique index api_requests_key on api_requests (person_id, key) where key is not null`.execute(db);
}
