/** Opens the database: a PostgreSQL server, or PostgreSQL inside this process with its files in a folder. */

import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from '../bot/log.ts';
import { type Bus, listenBus, localBus } from './bus.ts';
import { type Embedded, openEmbedded } from './embedded.ts';
import { DatabaseUnavailable, databaseTrouble } from './trouble.ts';

export interface Database {
  readonly kind: 'server' | 'embedded';
  /** Plain pg. The embedded database has one connection: hold none while awaiting anything else. */
  readonly pool: pg.Pool;
  /** Repositories do `db.sql.withTables<DeployTables>()`. */
  readonly sql: Kysely<object>;
  readonly bus: Bus;
  /** Waits for running queries (ten seconds at most), writes everything to disk, releases the folder. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** A `postgres://` address; without it the embedded database is used. */
  readonly url?: string;
  /** Where the embedded database lives; `memory` keeps nothing. */
  readonly folder?: string;
  /** How long to wait for a server that is not there yet; ten seconds unless said otherwise. */
  readonly waitMs?: number;
  readonly log: Logger;
}

const CLOSE_MS = 10_000;

/**
 * @throws DatabaseUnavailable with a sentence for the operator, FolderLocked when another process uses the folder
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.url ? await openServer(options.url, options) : await openFolder(options.folder ?? 'data', options.log);
}

/** bigint and count(*) come as numbers: no id or count of ours reaches 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (oid === pg.types.builtins.INT8 && format !== 'binary') return Number;
    return pg.types.getTypeParser(oid, format);
  },
};

async function openServer(url: string, options: DatabaseOptions): Promise<Database> {
  const { log } = options;
  const session: pg.ClientConfig = {
    connectionString: url,
    application_name: 'shipmate',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
  };
  const pool = new pg.Pool({
    ...session,
    max: 10,
    idleTimeoutMillis: 30_000,
    statement_timeout: 60_000,
    query_timeout: 90_000,
    idle_in_transaction_session_timeout: 60_000,
  });
  // A broken idle connection: the pool drops it and makes a new one when it is needed.
  // Not the error itself: it carries the whole connection.
  pool.on('error', (error) => log.warn({ problem: error.message }, 'database connection lost'));
  // The pool listens to idle connections only; one that breaks inside a transaction would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  try {
    await reach(pool, options.waitMs ?? 10_000, log);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const bus = await listenBus({ config: session, pool, log });
  return {
    kind: 'server',
    pool,
    sql: new Kysely<object>({ dialect: new PostgresDialect({ pool }) }),
    bus,
    close: once(async () => {
      await bus.close();
      await within(CLOSE_MS, pool.end());
    }),
  };
}

/** Asks until the server answers; a server that starts together with the robot is not there at once. */
async function reach(pool: pg.Pool, waitMs: number, log: Logger): Promise<void> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      await pool.query('select 1');
      return;
    } catch (error) {
      const trouble = databaseTrouble(error);
      const { host, port } = pool.options;
      if (trouble?.kind !== 'unreachable' || Date.now() >= deadline) {
        throw new DatabaseUnavailable(trouble?.text ?? `The database cannot be used: ${textOf(error)}`, error);
      }
      log.info({ host, port, err: error }, 'waiting for the database');
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

async function openFolder(folder: string, log: Logger): Promise<Database> {
  const embedded: Embedded = await openEmbedded(folder, log);
  const pool = keepingItsConnection(
    new pg.Pool({
      ...embedded.config,
      types,
      max: 1,
      idleTimeoutMillis: 0,
      // A transaction that waits for a query outside itself would wait for ever.
      connectionTimeoutMillis: 30_000,
    }),
  );
  pool.on('error', (error) => log.error({ problem: error.message }, 'embedded database failed'));
  pool.on('connect', (client) => client.on('error', () => undefined));
  const bus = localBus(log);
  const stopCare = embedded.care(pool);
  try {
    await pool.query('select 1');
  } catch (error) {
    await embedded.close();
    throw new DatabaseUnavailable(
      databaseTrouble(error)?.text ?? `The database in ${folder} cannot be opened: ${textOf(error)}`,
      error,
    );
  }
  return {
    kind: 'embedded',
    pool,
    sql: new Kysely<object>({ dialect: new PostgresDialect({ pool }) }),
    bus,
    close: once(async () => {
      stopCare();
      await bus.close();
      await within(CLOSE_MS, pool.end());
      await embedded.close();
    }),
  };
}

/**
 * After a query that failed, the pool's own `query` throws the connection away and makes another. Both would be the same
 * PostgreSQL here: the rest of the conversation of the first one would answer the queries of the second one.
 */
function keepingItsConnection(pool: pg.Pool): pg.Pool {
  async function query(text: string, values?: unknown[]): Promise<pg.QueryResult> {
    const client = await pool.connect();
    try {
      return await (values === undefined ? client.query(text) : client.query(text, values));
    } finally {
      client.release();
    }
  }
  return Object.assign(pool, { query });
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}

/** Resolves when the work is done or the time is over. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
