/** What people say of answers, with the question and the answer as they were. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table ask_feedback (
      turn bigint not null,
      person_id text not null,
      person_name text not null,
      helpful boolean not null,
      note text,
      question text not null,
      answer text not null,
      at timestamptz not null,
      primary key (turn, person_id)
    )`.execute(db);
  await sql`create index ask_feedback_at on ask_feedback (at)`.execute(db);
}
