/** Pipelines elsewhere, as their hooks tell of them. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table pipeline_runs (
    source text not null,
    run text not null,
    kind text not null check (kind in ('pipeline', 'deployment')),
    repository text not null,
    name text not null,
    number text,
    branch text,
    "commit" text,
    title text,
    version text,
    environment text,
    started_by text,
    state text not null
      check (state in ('queued', 'waiting', 'running', 'succeeded', 'failed', 'cancelled', 'skipped')),
    url text,
    problem text,
    round integer not null,
    at timestamptz not null,
    rank smallint not null,
    started_at timestamptz,
    finished_at timestamptz,
    heard_at timestamptz not null,
    primary key (source, run)
  )`.execute(db);
  await sql`create index pipeline_runs_latest on pipeline_runs (coalesce(started_at, heard_at) desc)`.execute(db);
  await sql`create index pipeline_runs_repository
    on pipeline_runs (lower(repository), coalesce(started_at, heard_at) desc)`.execute(db);
  await sql`create index pipeline_runs_heard on pipeline_runs (heard_at)`.execute(db);
  await sql`create table pipeline_jobs (
    source text not null,
    run text not null,
    job text not null,
    name text not null,
    stage text,
    state text not null
      check (state in ('queued', 'waiting', 'running', 'succeeded', 'failed', 'cancelled', 'skipped', 'tolerated')),
    url text,
    step text,
    round integer not null,
    at timestamptz not null,
    rank smallint not null,
    primary key (source, run, job),
    foreign key (source, run) references pipeline_runs (source, run) on delete cascade
  )`.execute(db);
}
