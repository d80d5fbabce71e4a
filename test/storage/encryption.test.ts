/** Encryption to a server whose certificate nobody can check, as Heroku's are: `DATABASE_URL` cannot be changed there, `PGSSLMODE` can. */

import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { createJobs } from '../../src/storage/jobs.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { createReplicas } from '../../src/storage/replicas.ts';
import { quiet } from '../support/database.ts';
import { needs } from '../support/missing.ts';
import { POSTGRES_INSTALL, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.ts';

describe('encryption to the database', function () {
  this.timeout(60_000);
  let postgres: Postgres | undefined;
  let url = '';
  let database: Database | undefined;
  const outside = process.env['PGSSLMODE'];

  before(async function () {
    if (!postgresPrograms()) return needs(this, 'PostgreSQL', POSTGRES_INSTALL);
    try {
      execFileSync('openssl', ['version']);
    } catch {
      return needs(this, 'OpenSSL', 'apt-get install openssl');
    }
    postgres = await startPostgres({ encrypted: true });
    url = await postgres.database();
  });
  afterEach(async () => {
    await database?.close();
    database = undefined;
    if (outside === undefined) delete process.env['PGSSLMODE'];
    else process.env['PGSSLMODE'] = outside;
  });
  after(() => postgres?.remove());

  /** Of every connection of ours: the pool's, the bus's, the jobs'. */
  async function encrypted(): Promise<boolean[]> {
    const found = await database?.pool.query<{ ssl: boolean }>(
      'select ssl from pg_stat_ssl join pg_stat_activity using (pid) where datname = current_database()',
    );
    return found?.rows.map(({ ssl }) => ssl) ?? [];
  }

  it('PGSSLMODE=no-verify encrypts every connection', async () => {
    process.env['PGSSLMODE'] = 'no-verify';
    database = await openDatabase({ url, log: quiet });
    await migrate(database);
    const replicas = createReplicas(database, { log: quiet });
    const jobs = createJobs(database, { log: quiet, replicas });
    await jobs.start();
    try {
      const all = await encrypted();
      expect(all.length).to.be.above(1);
      expect(new Set(all)).to.deep.equal(new Set([true]));
    } finally {
      await jobs.stop();
    }
  });

  it('PGSSLMODE=require checks the certificate, and the refusal says what to set', async () => {
    process.env['PGSSLMODE'] = 'require';
    const outcome = await openDatabase({ url, log: quiet }).catch((error: unknown) => error);
    expect(outcome).to.have.property('message').that.includes('self-signed').and.includes('PGSSLMODE=no-verify');
  });

  it('sslmode in the address wins', async () => {
    process.env['PGSSLMODE'] = 'require';
    database = await openDatabase({ url: `${url}?sslmode=no-verify`, log: quiet });
    expect(new Set(await encrypted())).to.deep.equal(new Set([true]));
    await database.close();
    database = await openDatabase({ url: `${url}?sslmode=disable`, log: quiet });
    expect(new Set(await encrypted())).to.deep.equal(new Set([false]));
  });

  it('the embedded database does not care', async () => {
    process.env['PGSSLMODE'] = 'no-verify';
    database = await openDatabase({ folder: 'memory', log: quiet });
    expect((await database.pool.query('select 1 as one')).rows).to.deep.equal([{ one: 1 }]);
  });
});
