/** Databases for tests: each test runs on the embedded one and on a real server. */

import type { Migration } from 'kysely/migration';
import type { Logger } from '../../src/bot/log.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { needs } from './missing.ts';
import { POSTGRES_INSTALL, postgresPrograms, sharedPostgres, stopSharedPostgres } from './postgres.ts';

export const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** What a describe-block gets to work on its database. Call it inside `before`, `beforeEach` or `it`. */
export interface OpenDatabase {
  /** A migrated database, the same for the whole block; opened at the first call, closed after the block. */
  (): Promise<Database>;
  /** A second connection to the same database, as another replica has one. Only on a server. */
  another(): Promise<Database>;
  /** Address of the server's database. */
  url(): Promise<string>;
}

/** For each test at least: whichever comes first opens the database, which takes seconds on a machine that has other work. */
const OPENING_MS = 30_000;

/** Which tables a block needs; all of them unless said otherwise. */
export type Migrations = Readonly<Record<string, Migration>>;

/** Runs a describe-block twice: on PGlite in memory and on a real PostgreSQL, with a fresh database each. */
export function eachDatabase(block: (open: OpenDatabase) => void, migrations?: Migrations): void {
  onEmbedded(block, migrations);
  onServer(block, migrations);
}

/** Runs a describe-block on a real PostgreSQL only: for what only several replicas can show. */
export function onServer(block: (open: OpenDatabase) => void, migrations?: Migrations): void {
  describe('PostgreSQL server', function () {
    this.timeout(Math.max(this.timeout(), OPENING_MS));
    block(opener('server', migrations));
  });
}

/** Runs a describe-block on the embedded database only: for what holds when there can be one process only. */
export function onEmbedded(block: (open: OpenDatabase) => void, migrations?: Migrations): void {
  describe('embedded database', function () {
    this.timeout(Math.max(this.timeout(), OPENING_MS));
    block(opener('embedded', migrations));
  });
}

function opener(kind: 'server' | 'embedded', migrations?: Migrations): OpenDatabase {
  const opened: Database[] = [];
  let url: Promise<string> | undefined;
  let main: Promise<Database> | undefined;

  async function address(): Promise<string> {
    url ??= sharedPostgres().then((postgres) => postgres.database());
    return await url;
  }

  async function open(): Promise<Database> {
    const where = kind === 'server' ? { url: await address() } : { folder: 'memory' };
    const db = await openDatabase({ ...where, log: quiet });
    opened.push(db);
    await migrate(db, migrations);
    return db;
  }

  before(function () {
    this.timeout(60_000);
    if (kind === 'server' && !postgresPrograms()) needs(this, 'PostgreSQL', POSTGRES_INSTALL);
  });
  after(async function () {
    this.timeout(20_000);
    await Promise.all(opened.splice(0).map((db) => db.close()));
    main = undefined;
  });

  return Object.assign(
    () => {
      main ??= open();
      return main;
    },
    {
      another: () => {
        if (kind === 'embedded') throw new Error('the embedded database has one process only');
        return open();
      },
      url: address,
    },
  );
}

/** One migrated embedded database in memory; the caller closes it. */
export async function testDatabase(): Promise<Database> {
  const db = await openDatabase({ folder: 'memory', log: quiet });
  await migrate(db);
  return db;
}

// The shared cluster ends with the run, whichever file asked for it.
after(async function () {
  this.timeout(20_000);
  await stopSharedPostgres();
});
