/** Who the accounts of the chats are, which groups they are in, and the addresses of the web chat's people. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people (
      id text primary key,
      chat text not null,
      name text not null,
      email text,
      time_zone text,
      avatar text,
      active boolean not null,
      outside boolean not null,
      checked_at timestamptz not null
    )`.execute(db);
  await sql`create index people_email on people (email) where email is not null`.execute(db);
  // Addresses that an account had: for a while, who had one is still the person who has it now.
  await sql`
    create table people_former_emails (
      person_id text not null,
      email text not null,
      until timestamptz not null,
      primary key (person_id, email)
    )`.execute(db);
  await sql`create index people_former_emails_email on people_former_emails (email)`.execute(db);
  await sql`
    create table people_groups (
      chat text not null,
      id text not null,
      handle text,
      members text[] not null,
      read_at timestamptz not null,
      primary key (chat, id)
    )`.execute(db);
  // Which group a handle belongs to that roles are given to.
  await sql`
    create table people_group_handles (
      chat text not null,
      handle text not null,
      group_id text not null,
      primary key (chat, handle)
    )`.execute(db);
  await sql`alter table web_accounts add column email text`.execute(db);
  await sql`alter table web_invites add column email text`.execute(db);
}
