/** PostgreSQL inside this process (PGlite): created from a ready-made cluster, guarded by a lock, kept small. */

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
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
    return embedded(await create('memory://', log), undefined, () => undefined, log);
  }
  try {
    const lock = await lockFolder(folder);
    try {
      return embedded(await openIn(folder, log), folder, lock.release, log);
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

async function embedded(
  pglite: PGlite,
  folder: string | undefined,
  release: () => void,
  log: Logger,
): Promise<Embedded> {
  const { createPgConfig } = await import('@electric-sql/pglite/node-postgres');
  const survivor = surviving(pglite, folder, log);
  return {
    config: createPgConfig(survivor.pglite),
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
        await survivor.close();
      } catch (error) {
        log.warn({ err: error }, 'embedded database did not close cleanly');
      } finally {
        release();
      }
    },
  };
}

const REOPEN_MS = 1_000;
/** What PostgreSQL may need to come up again: its log, in segments of 16 MB. */
const ROOM_TO_OPEN = 48 * 1024 * 1024;

/**
 * PostgreSQL panics when it cannot write its log because the disk is full. A server would be started again; here a query
 * to what is left of it never ends and stops the whole process. So it gets none: it is opened again, as after a crash,
 * when there is room. Until then every query fails with the code for a full disk.
 */
function surviving(
  first: PGlite,
  folder: string | undefined,
  log: Logger,
): { readonly pglite: PGlite; close(): Promise<void> } {
  let current = first;
  let execute: PGlite['execProtocolStream'] = first.execProtocolStream.bind(first);
  let lost: Error | undefined;
  let closed = false;

  async function exec(...call: Parameters<PGlite['execProtocolStream']>): ReturnType<PGlite['execProtocolStream']> {
    if (lost) throw failed(lost.message);
    const answers = await execute(...call);
    const panic = answers.find((answer) => answer.name === 'error' && 'severity' in answer && isEnd(answer.severity));
    if (!panic) return answers;
    lost = failed('message' in panic ? String(panic.message) : 'the database ended');
    log.error({ folder, problem: lost.message }, 'embedded database ended, opening it again when there is room');
    if (folder !== undefined) void reopen(folder);
    throw lost;
  }

  async function reopen(where: string): Promise<void> {
    while (!closed) {
      await delay(REOPEN_MS, undefined, { ref: false });
      try {
        const { bavail, bsize } = await statfs(where);
        if (bavail * bsize < ROOM_TO_OPEN || closed) continue;
        current = await start({ dataDir: join(where, 'postgres') });
        execute = current.execProtocolStream.bind(current);
        lost = undefined;
        log.warn({ folder: where }, 'embedded database is open again');
        return;
      } catch (error) {
        log.error({ err: error, folder: where }, 'embedded database could not be opened again');
      }
    }
  }

  return {
    pglite: Object.assign(first, { execProtocolStream: exec }),
    async close() {
      closed = true;
      // What has panicked cannot be closed; the next start recovers it.
      if (!lost) await current.close();
    },
  };
}

function isEnd(severity: unknown): boolean {
  return severity === 'PANIC' || severity === 'FATAL';
}

function failed(message: string): Error {
  return Object.assign(new Error(message), { code: '53100' });
}
