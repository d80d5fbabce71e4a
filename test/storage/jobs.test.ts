import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { JobRun } from '../../src/bot/jobs.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { createJobs, type RunningJobs } from '../../src/storage/jobs.ts';
import * as storage from '../../src/storage/migrations/0001-storage.ts';
import { createReplicas } from '../../src/storage/replicas.ts';
import { startChild } from '../support/child.ts';
import { eachDatabase, onServer, quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

interface Lost {
  readonly jobs: RunningJobs;
  /** Says to these jobs that a replica is gone. */
  lose(id: string): Promise<void>;
}

function jobsOf(db: Database, id: string, options: { orphanSeconds?: number } = {}): Lost {
  const listeners: ((id: string) => Promise<void>)[] = [];
  const replicas = { id, onLost: (listener: (id: string) => Promise<void>) => void listeners.push(listener) };
  return {
    jobs: createJobs(db, { log: quiet, replicas, pollMs: 100, ...options }),
    lose: async (lost) => void (await Promise.all(listeners.map((listener) => listener(lost)))),
  };
}

describe('jobs', function () {
  this.timeout(20_000);

  eachDatabase(
    (open) => {
      const started: RunningJobs[] = [];
      afterEach(async () => {
        for (const jobs of started.splice(0)) await jobs.stop(100);
        await (await open()).pool.query(`delete from pgboss.job; delete from job_owner`);
      });
      async function start({ jobs }: Lost): Promise<RunningJobs> {
        started.push(jobs);
        await jobs.start();
        return jobs;
      }

      it('runs a job at once, with its data', async () => {
        const lost = jobsOf(await open(), 'a');
        const ran: [object, number][] = [];
        const times: number[] = [];
        lost.jobs.define<{ n: number }>('greet', {}, async (data, run) => {
          ran.push([data, run.attempt]);
          times.push(performance.now());
        });
        const jobs = await start(lost);
        const waits: number[] = [];
        for (let n = 0; n < 20; n++) {
          const sent = performance.now();
          await jobs.send('greet', { n });
          await eventually(() => ran.length === n + 1);
          waits.push((times[n] ?? 0) - sent);
        }
        expect(ran[0]).to.deep.equal([{ n: 0 }, 1]);
        expect(waits.sort((a, b) => a - b)[10]).to.be.below(30);
      });

      it('takes what was sent before it started', async () => {
        const lost = jobsOf(await open(), 'a');
        let ran = 0;
        lost.jobs.define('early', {}, async () => void ran++);
        const sending = lost.jobs.send('early', {});
        await start(lost);
        await sending;
        await eventually(() => ran === 1);
      });

      it('tries a failed one again, as often as allowed', async () => {
        const lost = jobsOf(await open(), 'a');
        const attempts: number[] = [];
        lost.jobs.define('shaky', { retries: 2, retryDelaySeconds: 0 }, async (_, run) => {
          attempts.push(run.attempt);
          throw new Error('no');
        });
        const jobs = await start(lost);
        await jobs.send('shaky', {});
        await eventually(() => attempts.length === 3);
        await eventually(async () => (await stateOf(await open(), 'shaky')) === 'failed');
        expect(attempts).to.deep.equal([1, 2, 3]);
      });

      it('lets one of a key wait, and many without a key', async () => {
        const lost = jobsOf(await open(), 'a');
        const hold = Promise.withResolvers<void>();
        const ran: string[] = [];
        lost.jobs.define<{ is: string }>('once', {}, async (data) => {
          ran.push(data.is);
          if (data.is === 'first') await hold.promise;
        });
        const jobs = await start(lost);
        await jobs.send('once', { is: 'first' });
        await eventually(() => ran.length === 1);
        for (let n = 0; n < 3; n++) await jobs.send('once', { is: 'keyed' }, { key: 'k' });
        for (let n = 0; n < 2; n++) await jobs.send('once', { is: 'free' });
        hold.resolve();
        await eventually(() => ran.length === 4);
        await eventually(async () => (await db(open)).every((state) => state === 'completed'));
        expect(ran.sort()).to.deep.equal(['first', 'free', 'free', 'keyed']);
      });

      it('runs as many at once as allowed', async () => {
        const lost = jobsOf(await open(), 'a');
        let now = 0;
        let most = 0;
        let done = 0;
        lost.jobs.define('wide', { concurrency: 3 }, async () => {
          most = Math.max(most, ++now);
          await eventually(() => most === 3);
          now--;
          done++;
        });
        const jobs = await start(lost);
        await Promise.all(Array.from({ length: 9 }, () => jobs.send('wide', {})));
        await eventually(() => done === 9);
        expect(most).to.equal(3);
      });

      it('starts a postponed one when its time has come', async () => {
        const lost = jobsOf(await open(), 'a');
        let at = 0;
        lost.jobs.define('later', {}, async () => void (at = performance.now()));
        const jobs = await start(lost);
        const sent = performance.now();
        await jobs.send('later', {}, { startAfterSeconds: 1 });
        await eventually(() => at > 0);
        expect(at - sent).to.be.within(900, 2_500);
      });

      it('aborts a run that takes longer than allowed', async () => {
        const lost = jobsOf(await open(), 'a');
        let reason = '';
        lost.jobs.define('long', { expireSeconds: 1 }, async (_, run) => {
          await new Promise((resolve) => run.signal.addEventListener('abort', resolve));
          reason = String(run.signal.reason);
        });
        const jobs = await start(lost);
        await jobs.send('long', {});
        await eventually(async () => (await stateOf(await open(), 'long')) === 'failed');
        expect(reason).to.match(/took longer/);
      });

      it('waits for running ones at stop; one that is cut short runs again', async () => {
        const first = jobsOf(await open(), 'a');
        const begun: string[] = [];
        let finished = false;
        const never = async (data: { is: string }, run: JobRun): Promise<void> => {
          begun.push(data.is);
          if (data.is === 'endless') await new Promise(() => undefined);
          await new Promise((resolve) => run.signal.addEventListener('abort', resolve));
          finished = true;
        };
        first.jobs.define('work', { concurrency: 2 }, never);
        const jobs = await start(first);
        await jobs.send('work', { is: 'short' });
        await jobs.send('work', { is: 'endless' });
        await eventually(() => begun.length === 2);
        await jobs.stop(300);
        expect(finished).to.equal(true);
        const second = jobsOf(await open(), 'b');
        const again: [object, number][] = [];
        second.jobs.define('work', {}, async (data, run) => void again.push([data, run.attempt]));
        await start(second);
        await eventually(() => again.length === 1);
        expect(again).to.deep.equal([[{ is: 'endless' }, 2]]);
      });

      it('takes up the job of a lost replica at once, though it may not be retried', async () => {
        const killed = jobsOf(await open(), 'killed');
        let begun = 0;
        killed.jobs.define('precious', { retries: 0 }, async () => {
          begun++;
          await new Promise(() => undefined);
        });
        const jobs = await start(killed);
        await jobs.send('precious', { n: 1 });
        await eventually(() => begun === 1);
        const other = jobsOf(await open(), 'other');
        const ran: object[] = [];
        other.jobs.define('precious', {}, async (data) => void ran.push(data));
        await start(other);
        await other.lose('killed');
        await eventually(() => ran.length === 1);
        expect(ran).to.deep.equal([{ n: 1 }]);
      });

      it('takes up a job whose replica was killed before it could say that it runs it', async () => {
        const database = await open();
        const lost = jobsOf(database, 'a', { orphanSeconds: 1 });
        const hold = Promise.withResolvers<void>();
        let begun = 0;
        lost.jobs.define('lonely', { concurrency: 2 }, async () => {
          begun++;
          await hold.promise;
        });
        const jobs = await start(lost);
        await jobs.send('lonely', {});
        await eventually(() => begun === 1);
        await database.pool.query('delete from job_owner');
        await eventually(() => begun === 2);
        hold.resolve();
      });

      it('refuses unknown names and late definitions', async () => {
        const lost = jobsOf(await open(), 'a');
        const jobs = await start(lost);
        expect(await jobs.send('nobody', {}).catch(String)).to.match(/no job is called nobody/);
        expect(() => jobs.define('late', {}, async () => undefined)).to.throw('too late');
      });
    },
    { storage },
  );

  onServer(
    (open) => {
      it('runs each job once with two replicas', async () => {
        const replicas = [jobsOf(await open(), 'one'), jobsOf(await open.another(), 'two')];
        const ran: number[] = [];
        for (const { jobs } of replicas) {
          jobs.define<{ n: number }>('shared', { concurrency: 4 }, async ({ n }) => {
            ran.push(n);
          });
        }
        await Promise.all(replicas.map(({ jobs }) => jobs.start()));
        await Promise.all(
          Array.from({ length: 30 }, (_, n) =>
            replicas.map(({ jobs }, k) => jobs.send('shared', { n: 2 * n + k })),
          ).flat(),
        );
        await eventually(() => ran.length >= 60);
        expect(ran.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 60 }, (_, n) => n));
        await Promise.all(replicas.map(({ jobs }) => jobs.stop()));
      });

      it('starts on two replicas at the same moment, on a new database', async () => {
        for (let time = 0; time < 5; time++) {
          await (await open()).pool.query('drop schema if exists pgboss cascade');
          const replicas = [jobsOf(await open(), 'one'), jobsOf(await open.another(), 'two')];
          await Promise.all(replicas.map(({ jobs }) => jobs.start()));
          await Promise.all(replicas.map(({ jobs }) => jobs.stop()));
        }
      });
    },
    { storage },
  );

  it('takes up a job of a process that was killed, at the next start', async function () {
    this.timeout(40_000);
    const folder = mkdtempSync(join(tmpdir(), 'shipmate-jobs-'));
    try {
      const child = startChild(join(import.meta.dirname, '../support/storage-child.ts'), [folder, 'job']);
      await child.said('running');
      await child.kill();
      const db = await openDatabase({ folder, log: quiet });
      const replicas = createReplicas(db, { log: quiet });
      const jobs = createJobs(db, { log: quiet, replicas });
      const ran: object[] = [];
      jobs.define('endless', {}, async (data) => void ran.push(data));
      await replicas.start();
      await jobs.start();
      await eventually(() => ran.length === 1);
      expect(ran).to.deep.equal([{ from: 'the killed one' }]);
      await jobs.stop();
      await db.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

async function stateOf(database: Database, name: string): Promise<string | undefined> {
  const { rows } = await database.pool.query<{ state: string }>('select state from pgboss.job where name = $1', [name]);
  return rows[0]?.state;
}

async function db(open: () => Promise<Database>): Promise<string[]> {
  const { rows } = await (await open()).pool.query<{ state: string }>('select state from pgboss.job');
  return rows.map((row) => row.state);
}
