/** Tokens of programs, and what their requests are told. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Of a secret and of the code that it is fetched with, only the SHA-256 is kept.
  await sql`create table api_tokens (
    id bigint generated always as identity primary key,
    name text not null,
    permissions text[] not null,
    made_by text not null,
    made_by_name text not null,
    made_at timestamptz not null,
    expires_at timestamptz not null,
    room jsonb,
    claim_hash text not null,
    claim_until timestamptz not null,
    secret_hash text,
    last_used_at timestamptz,
    revoked_at timestamptz
  )`.execute(db);
  await sql`create unique index api_tokens_name on api_tokens (name) where revoked_at is null`.execute(db);
  await sql`create unique index api_tokens_secret on api_tokens (secret_hash) where secret_hash is not null`.execute(
    db,
  );
  await sql`create unique index api_tokens_claim on api_tokens (claim_hash)`.execute(db);

  await sql`create table api_requests (
    id text primary key,
    person_id text not null,
    room jsonb,
    at timestamptz not null
  )`.execute(db);
  await sql`create index api_requests_at on api_requests (at)`.execute(db);
  await sql`create sequence api_revisions`.execute(db);
  await sql`create table api_messages (
    request text not null references api_requests (id) on delete cascade,
    key text not null,
    content jsonb not null,
    revision bigint not null default nextval('api_revisions'),
    primary key (request, key)
  )`.execute(db);
  // Each request is a room of its own: by that its audit rows and its proposals are found.
  await sql`create index audit_api on audit_begun (room) where chat = 'api'`.execute(db);
  await sql`create index proposals_api on proposals ((room->>'room')) where room->>'chat' = 'api'`.execute(db);
}
