/** Brings the tables up to the version that this program needs. */

import type { Migration } from 'kysely/migration';
import type { Database } from './database.ts';
import { migrations as shipped } from './migrations/index.ts';

/** The tables could not be brought up to date; the message says why and what to do. */
export class MigrationFailed extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'MigrationFailed';
  }
}

/**
 * Applies what is missing, in order, all or nothing. Several replicas may do it at once: one works, the others wait.
 *
 * @returns the names of the migrations applied now
 * @throws MigrationFailed also when the database was written by a newer program
 */
export async function migrate(
  db: Database,
  migrations: Readonly<Record<string, Migration>> = shipped,
): Promise<readonly string[]> {
  const applied = await appliedIn(db);
  const unknown = applied.filter((name) => !Object.hasOwn(migrations, name));
  if (unknown.length > 0) throw newer(unknown);
  // Nothing to do, found out in a millisecond instead of the quarter of a second that the migrator takes to look.
  if (Object.keys(migrations).every((name) => applied.includes(name))) return [];
  const { Migrator } = await import('kysely/migration');
  const migrator = new Migrator({
    db: db.sql,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error) {
    const failed = results?.find((result) => result.status === 'Error')?.migrationName;
    // Another replica, of a newer version, may have been first.
    const late = (await appliedIn(db).catch(() => [])).filter((name) => !Object.hasOwn(migrations, name));
    if (late.length > 0) throw newer(late);
    const reason = error instanceof Error ? error.message : 'unknown reason';
    throw new MigrationFailed(
      `The tables could not be brought up to date${failed ? ` (${failed})` : ''}: ${reason}. Nothing was changed.`,
      error,
    );
  }
  return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName);
}

function newer(unknown: readonly string[]): MigrationFailed {
  return new MigrationFailed(
    `The database is newer than this program: it has ${unknown.join(', ')}. Start the newer version of Shipmate, or use another database.`,
  );
}

/** Names of the migrations that the database has; none for a new one. */
async function appliedIn(db: Database): Promise<readonly string[]> {
  const { rows: tables } = await db.pool.query<{ there: boolean }>(
    `select to_regclass('migration') is not null as there`,
  );
  if (!tables[0]?.there) return [];
  const { rows } = await db.pool.query<{ name: string }>('select name from migration order by name');
  return rows.map((row) => row.name);
}
