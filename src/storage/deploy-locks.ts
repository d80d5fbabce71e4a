/** Locks in PostgreSQL. One that has expired counts for nothing and gives way to the next. */

import { type Generated, type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import type { Lock, LockStore } from '../domain/deploy/locks.ts';
import type { Place } from '../domain/deploy/ports.ts';

/** For `withTables`, which asks for a type with an index signature: an interface has none. */
type LockTables = {
  deploy_locks: LockTable;
};

interface LockTable {
  id: Generated<number>;
  service: string | null;
  environment: string | null;
  reason: string;
  owner: string;
  owner_name: string;
  locked_at: Date;
  until: Date | null;
}

/** How often setting a lock tries again when the one in its way goes before it is looked up. */
const ATTEMPTS = 5;

/** Whether a lock holds there at that time; for use inside the statement that must not happen under one. */
export function isLocked(place: Readonly<Record<keyof Place, RawBuilder<unknown>>>, at: Date): RawBuilder<boolean> {
  return sql`exists (select from deploy_locks lock
    where (lock.service is null or lock.service = ${place.service})
      and (lock.environment is null or lock.environment = ${place.environment})
      and (lock.until is null or lock.until > ${at}::timestamptz))`;
}

/** The lock that holds there at that time, the oldest if there are several. */
export async function lockOn(db: { readonly sql: Kysely<object> }, place: Place, at: Date): Promise<Lock | undefined> {
  const row = await db.sql
    .withTables<LockTables>()
    .selectFrom('deploy_locks')
    .selectAll()
    .where((of) => of.or([of('service', 'is', null), of('service', '=', place.service)]))
    .where((of) => of.or([of('environment', 'is', null), of('environment', '=', place.environment)]))
    .where((of) => of.or([of('until', 'is', null), of('until', '>', at)]))
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return row && fromRow(row);
}

export function createLockStore(db: { readonly sql: Kysely<object> }): LockStore {
  const tables = db.sql.withTables<LockTables>();

  async function lock(wanted: Omit<Lock, 'id'>): ReturnType<LockStore['lock']> {
    const values = {
      service: wanted.service ?? null,
      environment: wanted.environment ?? null,
      reason: wanted.reason,
      owner: wanted.owner.id,
      owner_name: wanted.owner.name,
      locked_at: wanted.at,
      until: wanted.until ?? null,
    };
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const row = await tables
        .insertInto('deploy_locks')
        .values(values)
        .onConflict((conflict) =>
          conflict
            .expression(sql`coalesce(service, ''), coalesce(environment, '')`)
            .doUpdateSet(values)
            .where((of) =>
              of.or([
                of.and([
                  of('deploy_locks.owner', '=', values.owner),
                  of('deploy_locks.locked_at', '<', values.locked_at),
                ]),
                of('deploy_locks.until', '<=', wanted.at),
              ]),
            ),
        )
        .returningAll()
        .executeTakeFirst();
      if (row) return { kind: 'locked', lock: fromRow(row) };
      const holder = await tables
        .selectFrom('deploy_locks')
        .selectAll()
        .where('service', 'is not distinct from', values.service)
        .where('environment', 'is not distinct from', values.environment)
        .executeTakeFirst();
      if (holder) return { kind: 'held', lock: fromRow(holder) };
    }
    throw new Error('the lock changed hands at every attempt');
  }

  return {
    lock,
    async unlock({ id, owner }) {
      const row = await tables
        .deleteFrom('deploy_locks')
        .where('id', '=', id)
        .where('owner', '=', owner.id)
        .returning('id')
        .executeTakeFirst();
      return row !== undefined;
    },
    async get(id) {
      const row = await tables.selectFrom('deploy_locks').selectAll().where('id', '=', id).executeTakeFirst();
      return row && fromRow(row);
    },
    async all(at) {
      const rows = await tables
        .selectFrom('deploy_locks')
        .selectAll()
        .where((of) => of.or([of('until', 'is', null), of('until', '>', at)]))
        .orderBy('id')
        .execute();
      return rows.map(fromRow);
    },
  };
}

function fromRow(row: Selectable<LockTable>): Lock {
  return {
    id: row.id,
    ...(row.service === null ? {} : { service: row.service }),
    ...(row.environment === null ? {} : { environment: row.environment }),
    reason: row.reason,
    owner: { id: row.owner, name: row.owner_name },
    at: row.locked_at,
    ...(row.until === null ? {} : { until: row.until }),
  };
}
