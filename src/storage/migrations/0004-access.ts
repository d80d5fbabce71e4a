/** Grants, the audit trail, proposals. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table access_grants (
    person_id text not null,
    person_name text not null,
    role text not null,
    granted_by text not null,
    granted_at timestamptz not null,
    primary key (person_id, role)
  )`.execute(db);

  // Rows are only ever added: what was begun, and how each of them ended.
  await sql`create table audit_begun (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    person_id text not null,
    person_name text not null,
    chat text not null,
    room text not null,
    private boolean not null,
    command_id text not null,
    text text not null,
    args jsonb not null,
    via text not null,
    source text,
    approved_by text,
    owner text not null
  )`.execute(db);
  await sql`create unique index audit_once on audit_begun (source, command_id) where source is not null`.execute(db);
  await sql`create index audit_person on audit_begun (person_id, id desc)`.execute(db);
  await sql`create table audit_ended (
    begun bigint primary key references audit_begun (id),
    at timestamptz not null,
    outcome text not null check (outcome in ('succeeded', 'failed', 'refused', 'interrupted')),
    detail text
  )`.execute(db);

  // What was begun and goes on after its command: something durable ends it, not the replica that began it.
  await sql`create table audit_handed_over (
    begun bigint primary key references audit_begun (id)
  )`.execute(db);

  await sql`create table proposals (
    id bigint generated always as identity primary key,
    code text not null,
    kind text not null check (kind in ('confirm', 'approve')),
    person jsonb not null,
    room jsonb not null,
    text text not null,
    permission text,
    expires_at timestamptz not null,
    decision text,
    decided_by text,
    decided_source text,
    decided_at timestamptz
  )`.execute(db);
  await sql`create unique index proposals_open on proposals (code) where decision is null`.execute(db);
}
