/** Requests of programs and what they are told, in PostgreSQL. */

import { type Generated, sql as raw, type Selectable } from 'kysely';
import type { ApiRequest, ApiRequestStore } from '../bot/api-requests.ts';
import type { AuditOutcome } from '../bot/audit.ts';
import type { Content } from '../bot/card.ts';
import type { Address } from '../bot/chat.ts';
import type { Decision } from '../bot/proposals.ts';
import { storableJson } from '../bot/storable.ts';
import type { Database } from './database.ts';

type ApiTables = {
  api_requests: {
    id: string;
    person_id: string;
    room: Address | null;
    at: Date;
    key: string | null;
    command_hash: string | null;
  };
  api_messages: { request: string; key: string; content: { said: Content }; revision: Generated<number> };
};

export function createApiRequestStore(db: Pick<Database, 'sql'>): ApiRequestStore {
  const sql = db.sql.withTables<ApiTables>();
  return {
    async open({ id, personId, room, at, once }) {
      const { numInsertedOrUpdatedRows } = await sql
        .insertInto('api_requests')
        .values({
          id,
          person_id: personId,
          room: room ?? null,
          at,
          key: once?.key ?? null,
          command_hash: once?.commandHash ?? null,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      return numInsertedOrUpdatedRows === 1n;
    },
    async get(id) {
      const row = await sql.selectFrom('api_requests').selectAll().where('id', '=', id).executeTakeFirst();
      return row && requestOf(row);
    },
    async withKey(personId, key) {
      const row = await sql
        .selectFrom('api_requests')
        .selectAll()
        .where('person_id', '=', personId)
        .where('key', '=', key)
        .executeTakeFirst();
      return row && requestOf(row);
    },
    async freeKey(id) {
      await sql.updateTable('api_requests').set({ key: null }).where('id', '=', id).execute();
    },
    async say(request, key, content) {
      const said = raw<{ said: Content }>`${storableJson({ said: content })}::jsonb`;
      await sql
        .insertInto('api_messages')
        .values({ request, key, content: said })
        .onConflict((conflict) =>
          conflict
            .columns(['request', 'key'])
            .doUpdateSet({ content: said, revision: raw<number>`nextval('api_revisions')` }),
        )
        .execute();
    },
    async since(request, revision) {
      const rows = await sql
        .selectFrom('api_messages')
        .select(['key', 'content', 'revision'])
        .where('request', '=', request)
        .where('revision', '>', revision)
        .orderBy('revision')
        .execute();
      return rows.map(({ key, content, revision: at }) => ({ key, content: content.said, revision: at }));
    },
    async state(request) {
      const runs = await raw<{ outcome: AuditOutcome | null; detail: string | null }>`
        select e.outcome, e.detail from audit_begun b left join audit_ended e on e.begun = b.id
        where b.chat = 'api' and b.room = ${request} order by b.id desc limit 1`.execute(db.sql);
      const proposals = await raw<{ decision: Decision | null; expires_at: Date }>`
        select decision, expires_at from proposals
        where room->>'chat' = 'api' and room->>'room' = ${request} order by id desc limit 1`.execute(db.sql);
      const [run] = runs.rows;
      const [proposal] = proposals.rows;
      return {
        ...(run ? { run: { outcome: run.outcome ?? undefined, detail: run.detail ?? undefined } } : {}),
        ...(proposal ? { proposal: { decision: proposal.decision ?? undefined, expiresAt: proposal.expires_at } } : {}),
      };
    },
    async purge(before) {
      await sql.deleteFrom('api_requests').where('at', '<', before).execute();
    },
  };
}

function requestOf(row: Selectable<ApiTables['api_requests']>): ApiRequest {
  const { id, person_id: personId, at, room, key, command_hash: commandHash } = row;
  return {
    id,
    personId,
    at,
    ...(room === null ? {} : { room }),
    ...(key === null || commandHash === null ? {} : { once: { key, commandHash } }),
  };
}
