/** What was said: rooms, who was in them and when, messages and their search index. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rooms (
      chat text not null,
      id text not null,
      name text not null,
      folded_name text not null,
      private boolean not null,
      created_at timestamptz not null default now(),
      primary key (chat, id)
    )`.execute(db);
  // One row for each stay: who left and came back has two. Measured in message ids, not in time, because the clocks of
  // chats, replicas and the database differ: a stay reaches from after `after_id` to `until_id`, or goes on.
  await sql`
    create table room_members (
      id bigint generated always as identity primary key,
      chat text not null,
      room text not null,
      person_id text not null,
      after_id bigint not null,
      until_id bigint,
      foreign key (chat, room) references rooms (chat, id) on delete cascade
    )`.execute(db);
  await sql`create unique index room_members_now on room_members (chat, room, person_id) where until_id is null`.execute(
    db,
  );
  await sql`create index room_members_person on room_members (person_id, chat, room)`.execute(db);
  // Every name under which somebody spoke, so that `from:` need not read the messages.
  await sql`
    create table speakers (
      person_id text not null,
      name text not null,
      folded_name text not null,
      primary key (person_id, name)
    )`.execute(db);
  await sql`
    create table messages (
      id bigint generated always as identity primary key,
      chat text not null,
      room text not null,
      thread text,
      message_id text not null,
      person_id text not null,
      person_name text not null,
      at timestamptz not null,
      edited_at timestamptz,
      text text not null,
      content jsonb,
      from_robot boolean not null,
      addressed boolean not null,
      private boolean not null,
      only_to text,
      nonce text,
      client_id text,
      owner text,
      handled_at timestamptz,
      search_text text not null,
      lexemes tsvector not null,
      unique (chat, room, message_id),
      foreign key (chat, room) references rooms (chat, id)
    )`.execute(db);
  await sql`create unique index messages_nonce on messages (chat, nonce) where nonce is not null`.execute(db);
  await sql`create unique index messages_client on messages (person_id, client_id) where client_id is not null`.execute(
    db,
  );
  await sql`create index messages_room on messages (chat, room, id)`.execute(db);
  await sql`create index messages_thread on messages (chat, room, thread, id) where thread is not null`.execute(db);
  await sql`create index messages_person on messages (person_id, id)`.execute(db);
  await sql`create index messages_at on messages (at)`.execute(db);
  await sql`create index messages_unhandled on messages (owner) where handled_at is null and owner is not null`.execute(
    db,
  );
  // Without a pending list: nothing cleans it up in the embedded database, and a search would read all of it.
  await sql`create index messages_lexemes on messages using gin (lexemes) with (fastupdate = off)`.execute(db);
}
