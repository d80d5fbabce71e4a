/** Events of chats in the database, from the moment when they are acknowledged until they are handled. */

import type { Inbox, InboxEvent } from '../adapters/chat/slack/ports.ts';
import { storable } from '../bot/storable.ts';
import type { Database } from './database.ts';

interface Row {
  id: number;
  chat: string;
  kind: InboxEvent['kind'];
  body: string;
}

const UNIQUE_VIOLATION = '23505';

/**
 * The inbox in tables `inbox` and `inbox_name`.
 *
 * @param replica whose work it is; see Replicas
 */
export function createInbox(db: Pick<Database, 'pool'>, replica: string): Inbox {
  const { pool } = db;
  return {
    async save({ chat, kind, body, names }) {
      try {
        const { rows } = await pool.query<{ id: number }>(
          `with event as (
             insert into inbox (chat, kind, body, owner)
             select $1, $3, $4, $5
             where not exists (select 1 from inbox_name where chat = $1 and name = any ($2::text[]))
             returning id
           ), named as (
             insert into inbox_name (chat, name, event) select $1, name, event.id from event, unnest($2::text[]) as name
           )
           select id from event`,
          // In one order everywhere: two that come at the same moment must not wait for each other.
          [chat, [...new Set(names.map(storable))].sort(), kind, JSON.stringify(body), replica],
        );
        const id = rows[0]?.id;
        return id === undefined ? undefined : { id, chat, kind, body };
      } catch (error) {
        // Another replica, or another connection, was a moment earlier.
        if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION) return undefined;
        throw error;
      }
    },

    async handled(id) {
      await pool.query('delete from inbox where id = $1', [id]);
    },

    async claimOf(lostReplica, chat) {
      const { rows } = await pool.query<Row>(
        'update inbox set owner = $1 where owner = $2 and chat = $3 returning id, chat, kind, body',
        [replica, lostReplica, chat],
      );
      return rows.sort((a, b) => a.id - b.id).map(eventOf);
    },

    async purge() {
      // Nobody is in that chat any more.
      await pool.query(`delete from inbox where received_at < now() - interval '7 days'`);
      await pool.query(
        `delete from inbox_name as name
         where at < now() - interval '1 day' and not exists (select 1 from inbox where inbox.id = name.event)`,
      );
    },
  };
}

function eventOf({ id, chat, kind, body }: Row): InboxEvent {
  const parsed: unknown = JSON.parse(body);
  const isObject = typeof parsed === 'object' && parsed !== null;
  return { id, chat, kind, body: isObject ? Object.fromEntries(Object.entries(parsed)) : {} };
}
