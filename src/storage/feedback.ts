/** What people say of answers. A rated answer is kept with its question; one that nobody rated goes with its conversation. */

import { storable } from '../bot/storable.ts';
import type { AskFeedback } from '../domain/ask/ports.ts';
import type { AskTables } from './ask.ts';
import type { Database } from './database.ts';

type FeedbackTables = AskTables & {
  ask_feedback: {
    turn: number;
    person_id: string;
    person_name: string;
    helpful: boolean;
    note: string | null;
    question: string;
    answer: string;
    at: Date;
  };
};

const LONGEST_NOTE = 1_000;

/** What was said in table `ask_feedback`, for as long as `retentionMs`; `expire` deletes the rest and returns how many. */
export function createFeedbackStore(
  db: Database,
  options: { readonly retentionMs: number },
): AskFeedback & { expire(now: Date): Promise<number> } {
  const sql = db.sql.withTables<FeedbackTables>();
  return {
    async rate({ answer, person, helpful, note, at }, { chat, room }) {
      const said = {
        person_name: storable(person.name),
        helpful,
        note: note === undefined ? null : storable(note.slice(0, LONGEST_NOTE)),
        at,
      };
      const changed = await sql
        .updateTable('ask_feedback')
        .set(said)
        .where('turn', '=', answer)
        .where('person_id', '=', person.id)
        .executeTakeFirst();
      if (changed.numUpdatedRows > 0n) return 'changed';
      const turn = await sql
        .selectFrom('ask_turns')
        .select(['conversation', 'question', 'answer'])
        .where('id', '=', answer)
        .executeTakeFirst();
      const place: unknown = turn === undefined ? undefined : JSON.parse(turn.conversation);
      if (!turn || !Array.isArray(place) || place[0] !== chat || place[1] !== room) return 'unknown';
      await sql
        .insertInto('ask_feedback')
        .values({ turn: answer, person_id: person.id, question: turn.question, answer: turn.answer, ...said })
        .onConflict((conflict) => conflict.columns(['turn', 'person_id']).doUpdateSet(said))
        .execute();
      return 'rated';
    },
    async ratings(limit) {
      const rows = await sql.selectFrom('ask_feedback').selectAll().orderBy('at', 'desc').limit(limit).execute();
      return rows.map((row) => ({
        answer: row.turn,
        person: { id: row.person_id, name: row.person_name },
        helpful: row.helpful,
        ...(row.note === null ? {} : { note: row.note }),
        at: row.at,
        question: row.question,
        text: row.answer,
      }));
    },
    async expire(now) {
      const oldest = new Date(now.getTime() - options.retentionMs);
      const { numDeletedRows } = await sql.deleteFrom('ask_feedback').where('at', '<=', oldest).executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}
