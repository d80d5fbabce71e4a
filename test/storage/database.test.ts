import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sql as raw } from 'kysely';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import * as storage from '../../src/storage/migrations/0001-storage.ts';
import { databaseTrouble } from '../../src/storage/trouble.ts';
import { type Child, startChild } from '../support/child.ts';
import { eachDatabase, quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { collectingLog } from '../support/log.ts';
import { needs, needsMount } from '../support/missing.ts';
import { freePort, POSTGRES_INSTALL, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.ts';

const CHILD = join(import.meta.dirname, '../support/storage-child.ts');

async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it did not fail');
}

describe('database', () => {
  eachDatabase(
    (open) => {
      it('gives bigint and count as numbers, time in UTC', async () => {
        const { rows } = await (await open()).pool.query(
          `select 9007199254740991::bigint as id, count(*) as count, current_setting('timezone') as zone from setting`,
        );
        expect(rows[0].id).to.equal(Number.MAX_SAFE_INTEGER);
        expect(rows[0].count).to.be.a('number');
      });

      it('goes on after a query that fails, also inside a transaction', async () => {
        const db = await open();
        await failure(db.pool.query('select nonsense'));
        await failure(
          db.sql.transaction().execute(async () => {
            throw new Error('mine');
          }),
        );
        expect((await db.pool.query('select 1 as one')).rows).to.deep.equal([{ one: 1 }]);
      });

      it('gives each query its own answer after one that failed', async () => {
        const { pool, sql } = await open();
        await pool.query('create table once (id int primary key deferrable initially deferred)');
        await pool.query('insert into once values (1)');
        const bad: (() => Promise<unknown>)[] = [
          () => pool.query('select 1 / $1::int', [0]),
          () => pool.query('insert into once values ($1)', [1]),
          () => raw`select 1 / ${0}::int`.execute(sql),
          () => pool.query('select nonsense'),
        ];
        for (const fails of bad) {
          const answers = await Promise.all([
            failure(fails()),
            ...[1, 2, 3].map(async (n) => (await pool.query('select $1::int as n', [n])).rows),
          ]);
          expect(answers.slice(1)).to.deep.equal([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]]);
          for (const n of [4, 5, 6]) expect((await pool.query('select $1::int as n', [n])).rows).to.deep.equal([{ n }]);
        }
        await pool.query('drop table once');
      });

      it('refuses a database that is newer than the program', async () => {
        const db = await open();
        await db.pool.query(`insert into migration (name, timestamp) values ('9999-future', now()::text)`);
        try {
          expect((await failure(migrate(db, { storage }))).message).to.match(
            /newer than this program: it has 9999-future/,
          );
        } finally {
          await db.pool.query(`delete from migration where name = '9999-future'`);
        }
        expect(await migrate(db, { storage })).to.deep.equal([]);
      });

      it('names the migration that fails and changes nothing', async () => {
        const db = await open();
        const broken = {
          storage,
          't-good': { up: (sql: Database['sql']) => sql.schema.createTable('half').execute() },
          'u-bad': { up: () => Promise.reject(new Error('no such thing')) },
        };
        expect((await failure(migrate(db, broken))).message).to.match(/\(u-bad\): no such thing/);
        const { rows } = await db.pool.query(`select to_regclass('half') as half`);
        expect(rows).to.deep.equal([{ half: null }]);
      });
    },
    { storage },
  );

  describe('in a folder', function () {
    this.timeout(30_000);
    let folder: string;
    const children: Child[] = [];
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'shipmate-data-'));
    });
    afterEach(async () => {
      for (const child of children.splice(0)) await child.kill();
      rmSync(folder, { recursive: true, force: true });
    });
    function child(...args: string[]): Child {
      const started = startChild(CHILD, [folder, ...args]);
      children.push(started);
      return started;
    }

    it('keeps what was stored, and lets the folder go when closed', async () => {
      const first = await openDatabase({ folder, log: quiet });
      await migrate(first, { storage });
      await first.pool.query(`insert into setting (name, value) values ('a', '1')`);
      await first.close();
      expect(existsSync(join(folder, 'lock'))).to.equal(false);
      const second = await openDatabase({ folder, log: quiet });
      expect((await second.pool.query('select name from setting')).rows).to.deep.equal([{ name: 'a' }]);
      await second.close();
      expect(process.exitCode ?? 0).to.equal(0);
    });

    it('refuses a folder that another process uses, and takes it over when that one was killed', async () => {
      const other = child();
      await other.said('open');
      const refusal = await failure(openDatabase({ folder, log: quiet }));
      expect(refusal.message).to.match(/is in use by another Shipmate \(process \d+ on .+\)\. .*SHIPMATE_DATA/);
      await other.kill();
      expect(existsSync(join(folder, 'lock'))).to.equal(true);
      const db = await openDatabase({ folder, log: quiet });
      await db.close();
    });

    it('refuses the second opening in the same process too', async () => {
      const db = await openDatabase({ folder, log: quiet });
      expect((await failure(openDatabase({ folder, log: quiet }))).message).to.match(/is in use/);
      await db.close();
    });

    it('takes over the lock of another machine once it is silent', async () => {
      writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: 1, host: 'elsewhere', space: '', born: 'x' }));
      execFileSync('touch', ['-d', '1 hour ago', join(folder, 'lock')]);
      const db = await openDatabase({ folder, log: quiet });
      expect(readFileSync(join(folder, 'lock'), 'utf8')).to.contain(`"pid":${process.pid}`);
      await db.close();
    });

    it('begins again when it was killed while the database was being made', async () => {
      mkdirSync(join(folder, 'postgres'));
      writeFileSync(join(folder, 'postgres', 'PG_VERSION'), '18\n');
      writeFileSync(join(folder, 'postgres.unfinished'), '');
      const log = collectingLog();
      const db = await openDatabase({ folder, log });
      expect(log.messages()).to.deep.equal(['database creation was cut short, starting again']);
      await db.close();
    });

    it('says that the folder cannot be written', async () => {
      writeFileSync(join(folder, 'file'), '');
      for (const inside of ['file', 'file/deeper']) {
        const error = await failure(openDatabase({ folder: join(folder, inside), log: quiet }));
        expect(error.message).to.match(/cannot be written \(E[A-Z]+\)\. .*SHIPMATE_DATA/);
      }
    });

    it('recovers from being killed at any point of the first start', async () => {
      for (const sign of [
        'postgres.unfinished',
        'postgres/PG_VERSION',
        'postgres/base/5',
        'postgres/global/pg_control',
      ]) {
        const killed = child();
        await eventually(() => existsSync(join(folder, sign)));
        await killed.kill();
        const db = await openDatabase({ folder, log: quiet });
        expect((await db.pool.query('select 1 as one')).rows).to.deep.equal([{ one: 1 }]);
        await db.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });

    it('says that a damaged database cannot be opened', async () => {
      mkdirSync(join(folder, 'postgres'));
      writeFileSync(join(folder, 'postgres', 'PG_VERSION'), '18\n');
      expect((await failure(openDatabase({ folder, log: quiet }))).message).to.match(
        /cannot be opened\. It is damaged/,
      );
      expect(existsSync(join(folder, 'lock'))).to.equal(false);
    });

    it('loses nothing that was acknowledged when killed, again and again', async function () {
      this.timeout(60_000);
      let acknowledged = 0;
      for (let round = 1; round <= 5; round++) {
        const writer = child('write');
        await writer.said(`stored ${20 * round}`);
        await writer.kill();
        acknowledged += writer.lines.filter((line) => line.startsWith('stored')).length;
      }
      const db = await openDatabase({ folder, log: quiet });
      const { rows } = await db.pool.query<{ count: number }>('select count(*) from setting');
      expect(rows[0]?.count).to.be.at.least(acknowledged);
      await db.close();
    });

    it('says that the disk is full, and goes on when there is room again', async function () {
      if (process.getuid?.() !== 0 || !mounts(folder)) {
        return needsMount(this, 'test/storage/database.test.ts');
      }
      try {
        const db = await openDatabase({ folder, log: quiet });
        await db.pool.query('create table filler (text text)');
        const error = await failure(
          (async () => {
            for (;;)
              await db.pool.query(
                `insert into filler select repeat(md5(n::text), 100) from generate_series(1, 1000) n`,
              );
          })(),
        );
        expect(databaseTrouble(error)?.kind, error.message).to.equal('full');
        execFileSync('mount', ['-o', 'remount,size=128m', folder]);
        await db.pool.query(`insert into filler values ('room again')`);
        await db.close();
      } finally {
        execFileSync('umount', ['-l', folder]);
      }
    });
  });

  describe('on a disk without room for the log', function () {
    this.timeout(60_000);

    it('fails every query, and opens the database again when there is room, with all that was stored', async function () {
      const folder = mkdtempSync(join(tmpdir(), 'shipmate-data-'));
      if (process.getuid?.() !== 0 || !mounts(folder, '160m')) {
        return needsMount(this, 'test/storage/database.test.ts');
      }
      try {
        const log = collectingLog();
        const db = await openDatabase({ folder, log });
        await db.pool.query('create table t (id int, n int, text text)');
        await db.pool.query('insert into t select id, -1 from generate_series(0, 9) id');
        const filler = join(folder, 'filler');
        // Room for the pages of the table, none for another segment of the log.
        writeFileSync(filler, Buffer.alloc(free(folder) - 6_000_000));
        let stored = 0;
        const error = await failure(
          (async () => {
            for (; ; stored++) {
              await db.pool.query(
                `update t set n = $1, text = (select string_agg(md5(random()::text || $1::int), '') from generate_series(1, 40))
                 where id = $2`,
                [stored, stored % 10],
              );
              if (stored % 50 === 0) await db.pool.query('vacuum t');
            }
          })(),
        );
        expect(databaseTrouble(error)?.kind, error.message).to.equal('full');
        for (let n = 0; n < 3; n++) {
          expect(databaseTrouble(await failure(db.pool.query('select 1')))?.kind).to.equal('full');
        }
        rmSync(filler);
        await eventually(() => db.pool.query('select 1').then(() => true));
        expect(log.messages()).to.include('embedded database is open again');
        const { rows } = await db.pool.query<{ n: number }>('select max(n) as n from t');
        expect(rows[0]?.n).to.be.at.least(stored - 1);
        await db.pool.query('update t set n = 0');
        await db.close();
        const next = await openDatabase({ folder, log: quiet });
        expect((await next.pool.query('select distinct n from t')).rows).to.deep.equal([{ n: 0 }]);
        await next.close();
      } finally {
        execFileSync('umount', ['-l', folder]);
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });

  describe('on a server that goes away', function () {
    this.timeout(30_000);
    let postgres: Postgres;
    before(async function () {
      if (!postgresPrograms()) needs(this, 'PostgreSQL', POSTGRES_INSTALL);
      postgres = await startPostgres();
    });
    after(async () => {
      await postgres?.remove();
    });

    it('says so meanwhile, works when it is back, and hears the bus again', async () => {
      const log = collectingLog();
      const url = await postgres.database();
      const db = await openDatabase({ url, log });
      const other = await openDatabase({ url, log: quiet });
      const heard: unknown[] = [];
      let gaps = 0;
      db.bus.subscribe('news', (payload) => void heard.push(payload));
      db.bus.onGap(() => void gaps++);
      await other.bus.publish('news', 1);
      await eventually(() => heard.length === 1);
      const held = await db.pool.connect();
      await held.query('begin');
      await postgres.stop();
      const error = await failure(db.pool.query('select 1'));
      await failure(held.query('select 1'));
      held.release(true);
      expect(databaseTrouble(error)?.kind, String(error)).to.equal('unreachable');
      await postgres.start();
      await eventually(() => db.pool.query('select 1').then(() => true));
      await eventually(() => gaps === 1);
      await eventually(() => other.bus.publish('news', 2).then(() => true));
      await eventually(() => heard.length === 2);
      expect(log.messages()).to.include('bus connection lost');
      await db.close();
      await other.close();
    });

    it('waits for a server that comes up late', async () => {
      const url = await postgres.database();
      await postgres.stop();
      const opening = openDatabase({ url, log: quiet, waitMs: 20_000 });
      await postgres.start();
      await (await opening).close();
    });

    it('lets two replicas migrate at once', async () => {
      const url = await postgres.database();
      const replicas = await Promise.all([1, 2, 3].map(() => openDatabase({ url, log: quiet })));
      const applied = await Promise.all(replicas.map((db) => migrate(db, { storage })));
      expect(applied.flat()).to.deep.equal(['storage']);
      await Promise.all(replicas.map((db) => db.close()));
    });

    it('says what is wrong with the address', async () => {
      const nobody = await failure(
        openDatabase({ url: `postgres://127.0.0.1:${await freePort()}/x`, log: quiet, waitMs: 0 }),
      );
      expect(nobody.message).to.match(/cannot be reached.*DATABASE_URL/);
      const unknown = `postgres://postgres@127.0.0.1:${postgres.port}/nothing`;
      const refused = await failure(openDatabase({ url: unknown, log: quiet, waitMs: 0 }));
      expect(refused.message).to.match(/database "nothing" does not exist.*DATABASE_URL/);
    });
  });
});

/** True if a small file system could be put there. */
function mounts(folder: string, size = '64m'): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function free(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
