/** PostgreSQL inside this process (PGlite): created from a ready-made cluster, guarded by a lock, kept small. */

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';
import type { Pool, PoolConfig } from 'pg';
import type { Logger } from '../bot/log.ts';
import { lockFolder } from './folder-lock.ts';
import { DatabaseUnavailable, databaseTrouble } from './trouble.ts';
import { unpack } from './unpack.ts';

export interface Embedded {
  /** For `new pg.Pool`; one connection. */
  readonly config: PoolConfig;
  /** Does from time to time what a server does in the background; returns what ends it. */
  care(pool: Pool): () => void;
  close(): Promise<void>;
}

/** Small, since one robot is its only user; in UTC, since a cluster made elsewhere carries that machine's zone. */
const SETTINGS = ['shared_buffers=16MB', 'timezone=UTC', 'max_wal_size=64MB', 'min_wal_size=32MB'];

/**
 * Opens the database in `<folder>/postgres`, or one that is gone afterwards for `memory`. A creation that was cut short
 * is started again from nothing: nobody has stored anything in it yet.
 */
export async function openEmbedded(folder: string, log: Logger): Promise<Embedded> {
  if (folder === 'memory') {
    return embedded(await create('memory://', log), () => undefined, log);
  }
  try {
    const lock = await lockFolder(folder);
    try {
      return embedded(await openIn(folder, log), lock.release, log);
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    const trouble = databaseTrouble(error);
    if (trouble?.kind === 'full') throw new DatabaseUnavailable(`${folder}: ${trouble.text}`, error);
    if (isFolderProblem(error)) {
      throw new DatabaseUnavailable(
        `The data folder ${folder} cannot be written (${error.code}). Make it writable, or name another one with SHIPMATE_DATA.`,
        error,
      );
    }
    throw error;
  }
}

function isFolderProblem(error: unknown): error is { code: string } {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENAMETOOLONG', 'ELOOP'].includes(error.code)
  );
}

async function openIn(folder: string, log: Logger): Promise<PGlite> {
  const files = join(folder, 'postgres');
  // Exists only while the cluster is being made.
  const unfinished = join(folder, 'postgres.unfinished');
  if (existsSync(unfinished)) {
    log.warn({ folder }, 'database creation was cut short, starting again');
    rmSync(files, { recursive: true, force: true });
  }
  if (existsSync(join(files, 'PG_VERSION'))) {
    try {
      return await start({ dataDir: files });
    } catch (error) {
      throw new DatabaseUnavailable(
        databaseTrouble(error)?.text ??
          `The database in ${files} cannot be opened. It is damaged or was made by another version of the embedded database.`,
        error,
      );
    }
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(unfinished, '');
  const pglite = await create(files, log);
  rmSync(unfinished);
  return pglite;
}

/** From the ready-made cluster; if that does not fit this PGlite, the slow way (initdb, four seconds). */
async function create(dataDir: string, log: Logger): Promise<PGlite> {
  try {
    const { dataDir: readyMade } = await import('@electric-sql/pglite-prepopulatedfs');
    if (dataDir === 'memory://') return await start({ dataDir, loadDataDir: await readyMade() });
    // PGlite would hold the archive in memory three times: 100 MB that stay.
    await unpack(await readyMade(), dataDir);
    return await start({ dataDir });
  } catch (error) {
    if (databaseTrouble(error)?.kind === 'full') throw error;
    log.warn({ err: error }, 'ready-made database does not fit, creating one');
    if (dataDir !== 'memory://') rmSync(dataDir, { recursive: true, force: true });
    return await start({ dataDir });
  }
}

async function start(options: PGliteOptions): Promise<PGlite> {
  // V8 would compile the SQL parser of PGlite, one function, a second time, with 600 MB: docs/decisions/0010.
  setFlagsFromString('--wasm-tier-up-filter=1');
  const { PGlite } = await import('@electric-sql/pglite');
  const params = [...PGlite.defaultStartParams, ...SETTINGS.flatMap((setting) => ['-c', setting])];
  return await PGlite.create({ ...options, startParams: params });
}

const CARE_MS = 60_000;
const CHECKPOINT_BYTES = 32 * 1024 * 1024;
const VACUUM_MS = 60 * 60_000;

async function embedded(pglite: PGlite, release: () => void, log: Logger): Promise<Embedded> {
  const { createPgConfig } = await import('@electric-sql/pglite/node-postgres');
  const config = createPgConfig(pglite);
  return {
    config,
    care(pool) {
      // Without a background writer and autovacuum, the log and the dead rows would grow for ever.
      let vacuumed = Date.now();
      const timer = setInterval(() => {
        void (async () => {
          try {
            const { rows } = await pool.query<{ bytes: string }>(
              'select pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)::text as bytes from pg_control_checkpoint()',
            );
            if (Number(rows[0]?.bytes) > CHECKPOINT_BYTES) await pool.query('checkpoint');
            if (Date.now() - vacuumed < VACUUM_MS) return;
            vacuumed = Date.now();
            await pool.query('vacuum (analyze)');
          } catch (error) {
            log.warn({ err: error }, 'database care failed');
          }
        })();
      }, CARE_MS);
      timer.unref();
      return () => clearInterval(timer);
    },
    async close() {
      try {
        await pglite.close();
      } catch (error) {
        log.warn({ err: error }, 'embedded database did not close cleanly');
      } finally {
        release();
      }
    },
  };
}
