/** Alerts in PostgreSQL. A change holds only if nobody changed the group since it was decided; several replicas may try at once. */

import { createHash } from 'node:crypto';
import { type Generated, type Kysely, type Selectable, sql } from 'kysely';
import type {
  Acknowledgement,
  Alert,
  AlertDraft,
  AlertFilter,
  AlertState,
  AlertStore,
  AlertSummary,
  Group,
  GroupRevision,
  Labels,
  Member,
  Saved,
} from '../domain/alerts/ports.ts';

type AlertTables = {
  alert_groups: {
    id: Generated<number>;
    source: string;
    key: string;
    key_hash: Buffer;
    revision: Generated<number>;
  };
  alerts: AlertTable;
  alert_members: MemberTable;
};

interface AlertTable {
  number: Generated<number>;
  group_id: number;
  revision: number;
  posted_revision: Generated<number>;
  state: AlertState;
  title: string;
  severity: string;
  group_labels: Labels;
  truncated: number;
  truncated_at: Date;
  rooms: readonly string[];
  opened_at: Date;
  resolved_at: Date | null;
  acknowledged_at: Date | null;
  acknowledged_by: string | null;
  acknowledged_by_name: string | null;
  acknowledged_note: string | null;
}

interface MemberTable {
  alert: number;
  fingerprint: string;
  status: 'firing' | 'resolved';
  labels: Labels;
  annotations: Labels;
  starts_at: Date;
  ends_at: Date | null;
  source_url: string | null;
  heard_at: Date;
}

type AlertRow = Selectable<AlertTable> & { readonly source: string };
type Work = Kysely<AlertTables>;

/** Rows in one insert: a statement has 65,535 parameters at most. */
const CHUNK = 500;

export function createAlertStore(db: { readonly sql: Kysely<object> }): AlertStore {
  const tables = db.sql.withTables<AlertTables>();

  function alertRows() {
    return tables
      .selectFrom('alerts')
      .innerJoin('alert_groups', 'alert_groups.id', 'alerts.group_id')
      .selectAll('alerts')
      .select('alert_groups.source');
  }

  async function withMembers(row: AlertRow): Promise<Alert> {
    const members = await tables
      .selectFrom('alert_members')
      .selectAll()
      .where('alert', '=', row.number)
      .orderBy('starts_at')
      .orderBy('fingerprint')
      .execute();
    return alertOf(row, members.map(memberOf));
  }

  async function group(source: string, key: string): Promise<Group | undefined> {
    const found = await tables
      .selectFrom('alert_groups')
      .select(['id', 'revision'])
      .where('source', '=', source)
      .where('key_hash', '=', keyHash(key))
      .executeTakeFirst();
    if (!found) return undefined;
    const rows = await alertRows().where('group_id', '=', found.id).orderBy('number', 'desc').limit(2).execute();
    const [current, previous] = await Promise.all(rows.map(withMembers));
    return { ...found, ...(current ? { current } : {}), ...(previous ? { previous } : {}) };
  }

  async function groupOf(number: number): Promise<GroupRevision | undefined> {
    return await tables
      .selectFrom('alert_groups')
      .innerJoin('alerts', 'alerts.group_id', 'alert_groups.id')
      .select(['alert_groups.id', 'alert_groups.revision'])
      .where('alerts.number', '=', number)
      .executeTakeFirst();
  }

  async function open(key: string, known: GroupRevision | undefined, alert: AlertDraft): Promise<Saved> {
    return await tables.transaction().execute(async (work): Promise<Saved> => {
      const owner = known ? await advanced(work, known) : await created(work, alert.source, key);
      if (!owner) return { kind: 'conflict' };
      const { number } = await work
        .insertInto('alerts')
        .values({ group_id: owner.id, ...columnsOf(alert, owner.revision) })
        .returning('number')
        .executeTakeFirstOrThrow();
      await saveMembers(work, number, alert.members);
      return { kind: 'saved', number };
    });
  }

  async function update(
    known: GroupRevision,
    number: number,
    alert: AlertDraft,
    changed: readonly Member[],
  ): Promise<Saved> {
    return await tables.transaction().execute(async (work): Promise<Saved> => {
      const owner = await advanced(work, known);
      if (!owner) return { kind: 'conflict' };
      await work
        .updateTable('alerts')
        .set(columnsOf(alert, owner.revision))
        .where('number', '=', number)
        .where('group_id', '=', owner.id)
        .execute();
      await saveMembers(work, number, changed);
      return { kind: 'saved', number };
    });
  }

  async function get(number: number): Promise<Alert | undefined> {
    const row = await alertRows().where('number', '=', number).executeTakeFirst();
    return row && (await withMembers(row));
  }

  async function list(filter: AlertFilter): Promise<{ alerts: readonly AlertSummary[]; total: number }> {
    const wanted = filter.which === 'open' ? sql<boolean>`alerts.state <> 'resolved'` : sql<boolean>`true`;
    const rows = await tables
      .selectFrom('alerts')
      .selectAll('alerts')
      .select(({ selectFrom, fn }) => [
        selectFrom('alert_members')
          .whereRef('alert', '=', 'alerts.number')
          .select(fn.countAll<number>().as('n'))
          .as('total'),
        selectFrom('alert_members')
          .whereRef('alert', '=', 'alerts.number')
          .where('status', '=', 'firing')
          .select(fn.countAll<number>().as('n'))
          .as('firing'),
      ])
      .where(wanted)
      .orderBy('number', 'desc')
      .limit(filter.limit)
      .execute();
    const { total } = await tables
      .selectFrom('alerts')
      .select(({ fn }) => fn.countAll<number>().as('total'))
      .where(wanted)
      .executeTakeFirstOrThrow();
    return { alerts: rows.map(summaryOf), total };
  }

  async function posted(number: number, revision: number): Promise<void> {
    await tables
      .updateTable('alerts')
      .set({ posted_revision: revision })
      .where('number', '=', number)
      .where('posted_revision', '<', revision)
      .execute();
  }

  async function unposted(limit: number): Promise<readonly number[]> {
    const rows = await tables
      .selectFrom('alerts')
      .select('number')
      .whereRef('posted_revision', '<', 'revision')
      .orderBy('number')
      .limit(limit)
      .execute();
    return rows.map((row) => row.number);
  }

  return { group, groupOf, open, update, get, list, posted, unposted };
}

/** Takes the next revision of the group; undefined if somebody else did. */
async function advanced(work: Work, known: GroupRevision): Promise<GroupRevision | undefined> {
  return await work
    .updateTable('alert_groups')
    .set({ revision: known.revision + 1 })
    .where('id', '=', known.id)
    .where('revision', '=', known.revision)
    .returning(['id', 'revision'])
    .executeTakeFirst();
}

async function created(work: Work, source: string, key: string): Promise<GroupRevision | undefined> {
  return await work
    .insertInto('alert_groups')
    .values({ source, key, key_hash: keyHash(key) })
    .onConflict((conflict) => conflict.columns(['source', 'key_hash']).doNothing())
    .returning(['id', 'revision'])
    .executeTakeFirst();
}

/** A key may be longer than an index takes. */
function keyHash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

async function saveMembers(work: Work, number: number, members: readonly Member[]): Promise<void> {
  for (let start = 0; start < members.length; start += CHUNK) {
    await work
      .insertInto('alert_members')
      .values(
        members.slice(start, start + CHUNK).map((member) => ({
          alert: number,
          fingerprint: member.fingerprint,
          status: member.status,
          labels: json(member.labels),
          annotations: json(member.annotations),
          starts_at: member.startsAt,
          ends_at: member.endsAt ?? null,
          source_url: member.sourceUrl ?? null,
          heard_at: member.heardAt,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['alert', 'fingerprint']).doUpdateSet(({ ref }) => ({
          status: ref('excluded.status'),
          labels: ref('excluded.labels'),
          annotations: ref('excluded.annotations'),
          starts_at: ref('excluded.starts_at'),
          ends_at: ref('excluded.ends_at'),
          source_url: ref('excluded.source_url'),
          heard_at: ref('excluded.heard_at'),
        })),
      )
      .execute();
  }
}

/** pg would send an array as a PostgreSQL array. */
function json<T>(value: T) {
  return sql<T>`${JSON.stringify(value)}::jsonb`;
}

function columnsOf(alert: AlertDraft, revision: number) {
  return {
    revision,
    state: alert.state,
    title: alert.title,
    severity: alert.severity,
    group_labels: json(alert.groupLabels),
    truncated: alert.truncated,
    truncated_at: alert.truncatedAt,
    rooms: json(alert.rooms),
    opened_at: alert.openedAt,
    resolved_at: alert.resolvedAt ?? null,
    acknowledged_at: alert.acknowledged?.at ?? null,
    acknowledged_by: alert.acknowledged?.by.id ?? null,
    acknowledged_by_name: alert.acknowledged?.by.name ?? null,
    acknowledged_note: alert.acknowledged?.note ?? null,
  };
}

function memberOf(row: Selectable<MemberTable>): Member {
  return {
    fingerprint: row.fingerprint,
    status: row.status,
    labels: row.labels,
    annotations: row.annotations,
    startsAt: row.starts_at,
    heardAt: row.heard_at,
    ...(row.ends_at ? { endsAt: row.ends_at } : {}),
    ...(row.source_url === null ? {} : { sourceUrl: row.source_url }),
  };
}

function acknowledgementOf(row: Selectable<AlertTable>): { acknowledged?: Acknowledgement } {
  if (!row.acknowledged_at || row.acknowledged_by === null) return {};
  const by = { id: row.acknowledged_by, name: row.acknowledged_by_name ?? row.acknowledged_by };
  return {
    acknowledged: {
      by,
      at: row.acknowledged_at,
      ...(row.acknowledged_note === null ? {} : { note: row.acknowledged_note }),
    },
  };
}

function alertOf(row: AlertRow, members: readonly Member[]): Alert {
  return {
    number: row.number,
    revision: row.revision,
    source: row.source,
    state: row.state,
    title: row.title,
    severity: row.severity,
    groupLabels: row.group_labels,
    members,
    truncated: row.truncated,
    truncatedAt: row.truncated_at,
    rooms: row.rooms,
    openedAt: row.opened_at,
    ...(row.resolved_at ? { resolvedAt: row.resolved_at } : {}),
    ...acknowledgementOf(row),
  };
}

function summaryOf(row: Selectable<AlertTable> & { total: number | null; firing: number | null }): AlertSummary {
  return {
    number: row.number,
    state: row.state,
    title: row.title,
    severity: row.severity,
    firing: row.firing ?? 0,
    total: row.total ?? 0,
    openedAt: row.opened_at,
    ...(row.resolved_at ? { resolvedAt: row.resolved_at } : {}),
    ...acknowledgementOf(row),
  };
}
