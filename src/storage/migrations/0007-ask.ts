/** What was asked and answered in a conversation, for a limited time. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table ask_turns (
      id bigint generated always as identity primary key,
      conversation text not null,
      person_id text not null,
      person_name text not null,
      question text not null,
      answer text not null,
      at timestamptz not null
    )`.execute(db);
  await sql`create index ask_turns_conversation on ask_turns (conversation, id)`.execute(db);
  await sql`create index ask_turns_at on ask_turns (at)`.execute(db);
}
