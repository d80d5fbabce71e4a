/** Deployments that wait in line, who cancelled one, and the locks that people set. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table deployments drop constraint deployments_state_check`.execute(db);
  await sql`alter table deployments add constraint deployments_state_check
    check (state in ('waiting', 'queued', 'running', 'succeeded', 'failed', 'interrupted', 'cancelled'))`.execute(db);
  await sql`alter table deployments
    add column cancelled_by text, add column cancelled_by_name text, add column supersedes jsonb`.execute(db);
  await sql`create index deployments_line on deployments (service, environment, id) where state = 'waiting'`.execute(
    db,
  );
  await sql`create table deploy_locks (
    id bigint generated always as identity primary key,
    service text check (service <> ''),
    environment text check (environment <> ''),
    reason text not null,
    owner text not null,
    owner_name text not null,
    locked_at timestamptz not null,
    until timestamptz
  )`.execute(db);
  // One lock for each thing that can be locked; no service or no environment means every one.
  await sql`create unique index deploy_locks_one on deploy_locks
    (coalesce(service, ''), coalesce(environment, ''))`.execute(db);
}
