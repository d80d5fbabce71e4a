/** What the hooks received, and alerts: one card for a group of alerts from the first that fires to the last that is resolved. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table hook_events (
    id bigint generated always as identity primary key,
    source text not null,
    received_at timestamptz not null,
    headers jsonb not null,
    body bytea not null,
    attempts integer not null default 0,
    handled_at timestamptz,
    parked_at timestamptz,
    error text
  )`.execute(db);
  await sql`create index hook_events_open on hook_events (id) where handled_at is null and parked_at is null`.execute(
    db,
  );
  await sql`create index hook_events_handled on hook_events (handled_at) where handled_at is not null`.execute(db);

  await sql`create table alert_groups (
    id bigint generated always as identity primary key,
    source text not null,
    key text not null,
    key_hash bytea not null,
    revision integer not null default 1,
    unique (source, key_hash)
  )`.execute(db);
  await sql`create table alerts (
    number bigint generated always as identity primary key,
    group_id bigint not null references alert_groups,
    revision integer not null,
    posted_revision integer not null default 0,
    state text not null check (state in ('firing', 'acknowledged', 'resolved')),
    title text not null,
    severity text not null,
    group_labels jsonb not null,
    truncated integer not null,
    truncated_at timestamptz not null,
    rooms jsonb not null,
    opened_at timestamptz not null,
    resolved_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledged_by_name text,
    acknowledged_note text
  )`.execute(db);
  await sql`create unique index alerts_one_open on alerts (group_id) where state <> 'resolved'`.execute(db);
  await sql`create index alerts_of_group on alerts (group_id, number desc)`.execute(db);
  await sql`create index alerts_open on alerts (number) where state <> 'resolved'`.execute(db);
  await sql`create index alerts_unposted on alerts (number) where posted_revision < revision`.execute(db);
  await sql`create table alert_members (
    alert bigint not null references alerts,
    fingerprint text not null,
    status text not null check (status in ('firing', 'resolved')),
    labels jsonb not null,
    annotations jsonb not null,
    starts_at timestamptz not null,
    ends_at timestamptz,
    source_url text,
    heard_at timestamptz not null,
    primary key (alert, fingerprint)
  )`.execute(db);
}
