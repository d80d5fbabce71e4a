/** The web chat's own: who has an account, who is signed in, who is invited, what was read. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // `link`: came in by the link of the machine, may come back by it. `first`: at most one account is the first.
  await sql`
    create table web_accounts (
      id bigint generated always as identity primary key,
      name text not null,
      folded_name text not null unique,
      link boolean not null,
      first boolean not null,
      welcomed_at timestamptz,
      created_at timestamptz not null
    )`.execute(db);
  await sql`create unique index web_accounts_first on web_accounts (first) where first`.execute(db);
  await sql`
    create table web_invites (
      secret_hash text primary key,
      name text not null,
      invited_by text not null,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz
    )`.execute(db);
  // A session without an account belongs to somebody who has opened a link and not said a name yet.
  await sql`
    create table web_sessions (
      secret_hash text primary key,
      account_id bigint references web_accounts (id) on delete cascade,
      invite_hash text references web_invites (secret_hash),
      created_at timestamptz not null,
      expires_at timestamptz not null
    )`.execute(db);
  await sql`create index web_sessions_expires on web_sessions (expires_at)`.execute(db);
  await sql`
    create table web_reads (
      account_id bigint not null references web_accounts (id) on delete cascade,
      room text not null,
      message_id bigint not null,
      primary key (account_id, room)
    )`.execute(db);
  // Rooms that everybody is in from the start; who leaves one stays out.
  await sql`create table web_common_rooms (room text primary key)`.execute(db);
}
