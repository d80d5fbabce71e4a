/** Thread memory of the answers: bounded, and gone after a time. */

import type { Generated } from 'kysely';
import type { Jobs } from '../bot/jobs.ts';
import { storable } from '../bot/storable.ts';
import type { AskMemory, Conversation } from '../domain/ask/ports.ts';
import type { Database } from './database.ts';

export type AskTables = {
  ask_turns: {
    id: Generated<number>;
    conversation: string;
    person_id: string;
    person_name: string;
    question: string;
    answer: string;
    at: Date;
  };
};

/** How many turns of one conversation are kept, and how much of each. */
const MOST_TURNS = 20;
const MOST_CHARACTERS = 4_000;

/** Names a conversation: its thread, or its person in that room. JSON, so that no id can pretend to be two. */
function keyOf({ chat, room, thread, personId }: Conversation): string {
  return JSON.stringify(thread === undefined ? [chat, room, 'person', personId] : [chat, room, 'thread', thread]);
}

function bounded(text: string): string {
  return storable(text.slice(0, MOST_CHARACTERS));
}

export function createAskStore(db: Database, options: { readonly retentionMs: number }): AskMemory {
  const turns = db.sql.withTables<AskTables>();
  const oldest = (now: Date): Date => new Date(now.getTime() - options.retentionMs);

  return {
    async recent(conversation, now, limit) {
      const rows = await turns
        .selectFrom('ask_turns')
        .select(['person_id', 'person_name', 'question', 'answer', 'at'])
        .where('conversation', '=', keyOf(conversation))
        .where('at', '>', oldest(now))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.reverse().map((row) => ({
        personId: row.person_id,
        personName: row.person_name,
        question: row.question,
        answer: row.answer,
        at: row.at,
      }));
    },

    async remember(conversation, turn) {
      const key = keyOf(conversation);
      const kept = await turns
        .insertInto('ask_turns')
        .values({
          conversation: key,
          person_id: turn.personId,
          person_name: bounded(turn.personName),
          question: bounded(turn.question),
          answer: bounded(turn.answer),
          at: turn.at,
        })
        .returning('id')
        .executeTakeFirst();
      await turns
        .deleteFrom('ask_turns')
        .where('conversation', '=', key)
        .where('id', '<=', (query) =>
          query
            .selectFrom('ask_turns')
            .select('id')
            .where('conversation', '=', key)
            .orderBy('id', 'desc')
            .offset(MOST_TURNS)
            .limit(1),
        )
        .execute();
      return kept?.id;
    },

    async forget(conversation) {
      const { numDeletedRows } = await turns
        .deleteFrom('ask_turns')
        .where('conversation', '=', keyOf(conversation))
        .executeTakeFirst();
      return Number(numDeletedRows);
    },

    async expire(now) {
      const { numDeletedRows } = await turns.deleteFrom('ask_turns').where('at', '<=', oldest(now)).executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

/** Deletes what has expired every hour. Call it before the jobs start; `schedule` after. */
export function defineAskRetention(
  jobs: Jobs,
  kept: readonly Pick<AskMemory, 'expire'>[],
  now: () => Date,
): { schedule(): Promise<void> } {
  jobs.define('ask.retention', {}, async () => {
    for (const each of kept) await each.expire(now());
  });
  return { schedule: () => jobs.schedule('ask.retention', '23 * * * *') };
}
