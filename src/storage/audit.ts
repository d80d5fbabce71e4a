/** The audit trail in PostgreSQL. Rows are only added. */

import { type Generated, sql as raw } from 'kysely';
import type { AuditOutcome, AuditStart, AuditTrail } from '../bot/audit.ts';
import { storable, storableJson } from '../bot/storable.ts';
import type { Database } from './database.ts';

export type AuditTables = {
  audit_begun: {
    id: Generated<number>;
    at: Date;
    person_id: string;
    person_name: string;
    chat: string;
    room: string;
    private: boolean;
    command_id: string;
    text: string;
    args: string;
    via: string;
    source: string | null;
    approved_by: string | null;
    owner: string;
  };
  audit_ended: { begun: number; at: Date; outcome: AuditOutcome; detail: string | null };
  /** Whoever inserts a row here ends what was begun, whatever becomes of the replica that began it. */
  audit_handed_over: { begun: number };
};

export interface AuditStore extends AuditTrail {
  /** Closes what a lost replica had begun and not handed over, as interrupted. Returns how many rows. */
  interrupt(owner: string, at: Date): Promise<number>;
}

/** @param owner the id of this replica */
export function createAuditStore(db: Database, owner: string): AuditStore {
  const sql = db.sql.withTables<AuditTables>();

  function row(start: AuditStart): Omit<AuditTables['audit_begun'], 'id'> {
    return {
      at: start.at,
      person_id: start.person.id,
      person_name: start.person.name,
      chat: start.room.chat,
      room: start.room.room,
      private: start.room.private,
      command_id: start.commandId,
      text: storable(start.text),
      args: storableJson(start.args),
      via: start.via,
      source: start.source ?? null,
      approved_by: start.approvedBy ?? null,
      owner,
    };
  }

  const end: AuditTrail['end'] = async (id, outcome, detail, at) => {
    await sql
      .insertInto('audit_ended')
      .values({ begun: id, at, outcome, detail: detail === undefined ? null : storable(detail) })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  };

  return {
    end,
    async begin(start) {
      const begun = await sql
        .insertInto('audit_begun')
        .values(row(start))
        .onConflict((conflict) => conflict.doNothing())
        .returning('id')
        .executeTakeFirst();
      if (begun) return { kind: 'begun', id: begun.id };
      const earlier = await sql
        .selectFrom('audit_begun')
        .leftJoin('audit_ended', 'audit_ended.begun', 'audit_begun.id')
        .where('source', '=', start.source ?? null)
        .where('command_id', '=', start.commandId)
        .select('audit_ended.outcome')
        .executeTakeFirst();
      return { kind: 'repeated', outcome: earlier?.outcome ?? undefined };
    },
    async refuse(start, reason) {
      const begun = await sql
        .insertInto('audit_begun')
        .values({ ...row(start), source: null })
        .returning('id')
        .executeTakeFirstOrThrow();
      await end(begun.id, 'refused', reason, start.at);
    },
    async list({ personId, since, command, limit }) {
      let query = sql
        .selectFrom('audit_begun')
        .leftJoin('audit_ended', 'audit_ended.begun', 'audit_begun.id')
        .select([
          'audit_begun.id',
          'audit_begun.at',
          'person_id',
          'person_name',
          'chat',
          'room',
          'private',
          'command_id',
          'text',
          'via',
          'approved_by',
          'outcome',
          'detail',
          'audit_ended.at as finished_at',
        ])
        .orderBy('audit_begun.id', 'desc')
        .limit(limit);
      if (personId !== undefined) query = query.where('person_id', '=', personId);
      if (since !== undefined) query = query.where('audit_begun.at', '>=', since);
      if (command !== undefined) {
        query = query.where((where) =>
          where.or([
            where('command_id', '=', command),
            where(raw<boolean>`starts_with(command_id, ${`${command}.`})`, '=', true),
          ]),
        );
      }
      const rows = await query.execute();
      return rows.map((each) => ({
        id: each.id,
        at: each.at,
        finishedAt: each.finished_at ?? undefined,
        personId: each.person_id,
        personName: each.person_name,
        chat: each.chat,
        room: each.room,
        private: each.private,
        commandId: each.command_id,
        text: each.text,
        via: each.via,
        approvedBy: each.approved_by ?? undefined,
        outcome: each.outcome ?? undefined,
        detail: each.detail ?? undefined,
      }));
    },
    async interrupt(lost, at) {
      const result = await raw`insert into audit_ended (begun, at, outcome, detail)
        select id, ${at}, 'interrupted', 'the robot was stopped' from audit_begun
        where owner = ${lost} and not exists (select 1 from audit_ended where begun = audit_begun.id)
          and not exists (select 1 from audit_handed_over where begun = audit_begun.id)
        on conflict do nothing`.execute(db.sql);
      return Number(result.numAffectedRows ?? 0n);
    },
  };
}
