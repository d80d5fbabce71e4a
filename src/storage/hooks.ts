/** What was received on the hooks, in PostgreSQL, until it is handled. */

import { type Generated, type Kysely, type Selectable, sql } from 'kysely';
import type { HookEvent, HookStore } from '../bot/hooks.ts';

type HookTables = {
  hook_events: HookEventTable;
};

interface HookEventTable {
  id: Generated<number>;
  source: string;
  received_at: Date;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  attempts: Generated<number>;
  handled_at: Date | null;
  parked_at: Date | null;
  error: string | null;
}

export function createHookStore(db: { readonly sql: Kysely<object> }): HookStore {
  const tables = db.sql.withTables<HookTables>();
  return {
    async save({ source, receivedAt, headers, body }) {
      const { id } = await tables
        .insertInto('hook_events')
        .values({ source, received_at: receivedAt, headers: sql`${JSON.stringify(headers)}::jsonb`, body })
        .returning('id')
        .executeTakeFirstOrThrow();
      return id;
    },

    async begin(id) {
      const row = await tables
        .updateTable('hook_events')
        .set(({ eb }) => ({ attempts: eb('attempts', '+', 1) }))
        .where('id', '=', id)
        .where('handled_at', 'is', null)
        .where('parked_at', 'is', null)
        .returningAll()
        .executeTakeFirst();
      return row && eventOf(row);
    },

    async handled(id, at) {
      // What was in it is in the record of its domain by now.
      await tables
        .updateTable('hook_events')
        .set({ handled_at: at, body: Buffer.alloc(0), error: null })
        .where('id', '=', id)
        .execute();
    },

    async failed(id, error) {
      await tables.updateTable('hook_events').set({ error }).where('id', '=', id).execute();
    },

    async postponed(id) {
      await tables
        .updateTable('hook_events')
        .set(({ eb }) => ({ attempts: eb('attempts', '-', 1) }))
        .where('id', '=', id)
        .execute();
    },

    async park(id, error, at) {
      await tables
        .updateTable('hook_events')
        .set({ error, parked_at: at })
        .where('id', '=', id)
        .where('handled_at', 'is', null)
        .execute();
    },

    async open(before, limit) {
      const rows = await tables
        .selectFrom('hook_events')
        .select('id')
        .where('handled_at', 'is', null)
        .where('parked_at', 'is', null)
        .where('received_at', '<=', before)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map((row) => row.id);
    },

    async forget(before) {
      await tables.deleteFrom('hook_events').where('handled_at', '<', before).execute();
    },
  };
}

function eventOf(row: Selectable<HookEventTable>): HookEvent {
  return {
    id: row.id,
    source: row.source,
    receivedAt: row.received_at,
    headers: row.headers,
    body: Buffer.from(row.body),
    attempts: row.attempts,
  };
}
