/** Deployments. One that is open is the lock of its service and environment. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table deployments (
    id bigint generated always as identity primary key,
    service text not null,
    environment text not null,
    version text not null,
    previous text,
    requested_by text not null,
    requested_by_name text not null,
    chat text not null,
    room text not null,
    thread text,
    audit bigint,
    state text not null default 'queued'
      check (state in ('queued', 'running', 'succeeded', 'failed', 'interrupted', 'cancelled')),
    owner text,
    requested_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    announced_at timestamptz,
    reason text,
    live text,
    output text not null default ''
  )`.execute(db);
  await sql`create unique index deployments_one_open on deployments (service, environment)
    where state in ('queued', 'running')`.execute(db);
  await sql`create index deployments_place on deployments (service, environment, id desc)`.execute(db);
  await sql`create index deployments_untold on deployments (owner) where owner is not null and announced_at is null`.execute(
    db,
  );
}
