import { expect } from 'chai';
import fc from 'fast-check';
import { createPipelines } from '../../src/domain/pipelines/pipelines.ts';
import type { PipelineReport, PipelineStore } from '../../src/domain/pipelines/ports.ts';
import type { Database } from '../../src/storage/database.ts';
import { createPipelineStore } from '../../src/storage/pipelines.ts';
import { eachDatabase } from '../support/database.ts';

const minute = (minutes: number): Date => new Date(Date.UTC(2026, 0, 1) + minutes * 60_000);

const NOW = minute(100);

function report(
  run: string,
  more: Partial<PipelineReport['run']> = {},
  jobs: PipelineReport['jobs'] = [],
): PipelineReport {
  return {
    run: {
      source: 'github',
      run,
      kind: 'pipeline',
      repository: 'acme/shop',
      name: 'build',
      state: 'running',
      round: 1,
      at: minute(1),
      startedAt: minute(0),
      ...more,
    },
    jobs,
  };
}

const job = (id: string, more: Partial<PipelineReport['jobs'][number]> = {}): PipelineReport['jobs'][number] => ({
  id,
  name: `job ${id}`,
  state: 'running',
  round: 1,
  at: minute(1),
  ...more,
});

describe('storage: pipelines', () => {
  eachDatabase((open) => {
    let db: Database;
    let store: PipelineStore;

    before(async function () {
      this.timeout(60_000);
      db = await open();
      store = createPipelineStore(db);
    });
    beforeEach(() => db.pool.query('truncate pipeline_runs, pipeline_jobs'));

    const shown = async () =>
      (await store.runs({ limit: 50 })).map(({ run, state, jobs }) => [run, state, ...jobs.map((one) => one.state)]);

    it('gives back what it was given', async () => {
      const full = report(
        '7',
        {
          number: '3',
          branch: 'main',
          commit: 'f95f852',
          title: 'Pay',
          version: 'v1',
          environment: 'production',
          by: 'alice',
          state: 'failed',
          url: 'https://example.com/7',
          problem: 'it took too long',
          finishedAt: minute(2),
        },
        [job('a', { state: 'failed', stage: 'test', step: 'npm test', url: 'https://example.com/a' })],
      );
      await store.save(full, minute(3));
      const [found, ...others] = await store.runs({ limit: 5 });
      expect(others).to.deep.equal([]);
      const [only] = full.jobs;
      expect({ ...found, round: 1, at: minute(1) }).to.deep.equal({
        ...full.run,
        id: found?.id,
        heardAt: minute(3),
        jobs: found?.jobs,
      });
      expect(found?.jobs.map((one) => ({ ...one, round: 1, at: minute(1) }))).to.deep.equal([only]);
      expect(await store.run(found?.id ?? 0)).to.deep.equal(found);
      expect(await store.run(999_999)).to.equal(undefined);
    });

    it('lets one at a time run it again, until something newer is heard of it', async () => {
      const failed = report('7', { state: 'failed' });
      await store.save(failed, minute(3));
      const [{ id } = { id: 0 }] = await store.runs({ limit: 1 });
      const names = Array.from({ length: 20 }, (_, at) => `person ${at}`);
      const claims = await Promise.all(names.map((by) => store.claim(id, { by, at: minute(4) }, minute(2))));
      const first = names[claims.indexOf(undefined)];
      expect(claims.filter((other) => other === undefined)).to.have.lengthOf(1);
      for (const other of claims) if (other) expect(other).to.deep.equal({ by: first, at: minute(4) });
      // What was known before takes nothing back.
      await store.save(failed, minute(5));
      expect((await store.run(id))?.rerun).to.deep.equal({ by: first, at: minute(4) });
      expect(await store.claim(id, { by: 'late', at: minute(8) }, minute(5))).to.equal(undefined);
      await store.release(id);
      expect((await store.run(id))?.rerun).to.equal(undefined);
      await store.claim(id, { by: 'again', at: minute(9) }, minute(7));
      await store.save(report('7', { state: 'running', round: 2 }), minute(10));
      expect((await store.run(id))?.rerun).to.equal(undefined);
    });

    it('comes to the same, whatever order reports come in and however often', async function () {
      this.timeout(60_000);
      const said: PipelineReport[] = [
        report('7', { state: 'queued', at: minute(0) }),
        report('7', { state: 'running', at: minute(1), by: 'alice' }, [job('a', { state: 'queued', at: minute(1) })]),
        report('7', { state: 'running', at: new Date(0) }, [
          job('a', { state: 'failed', at: minute(2), step: 'npm test' }),
        ]),
        report('7', { state: 'failed', at: minute(2), by: 'alice' }),
        report('7', { state: 'running', at: minute(3), round: 2, by: 'bob' }, [job('b', { round: 2, at: minute(3) })]),
        report('7', { state: 'succeeded', at: minute(4), round: 2, by: 'bob' }, [
          job('b', { round: 2, state: 'succeeded', at: minute(4) }),
        ]),
      ];
      const order = fc.shuffledSubarray([...said, ...said], { minLength: said.length * 2, maxLength: said.length * 2 });
      await fc.assert(
        fc.asyncProperty(order, async (reports) => {
          await db.pool.query('truncate pipeline_runs, pipeline_jobs');
          for (const each of reports) await store.save(each, minute(9));
          const [run, ...others] = await store.runs({ limit: 5 });
          expect(others).to.deep.equal([]);
          expect(run).to.include({ state: 'succeeded', by: 'bob' });
          expect(run?.jobs).to.deep.equal([{ id: 'b', name: 'job b', state: 'succeeded' }]);
        }),
        { numRuns: 25 },
      );
    });

    it('stays right when many say something at once', async () => {
      await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          store.save(report('7', { at: minute(at), name: `build ${at}` }), minute(50)),
        ),
      );
      const runs = await store.runs({ limit: 5 });
      expect(runs.map(({ name }) => name)).to.deep.equal(['build 39']);
    });

    it('keeps what a later report leaves out, but not the end of a run that goes on', async () => {
      await store.save(
        report('7', { by: 'alice', branch: 'main', state: 'failed', at: minute(2), finishedAt: minute(2) }),
        NOW,
      );
      await store.save(report('7', { state: 'running', at: minute(3) }), NOW);
      const [run] = await store.runs({ limit: 1 });
      expect(run).to.include({ by: 'alice', branch: 'main', state: 'running' }).and.to.not.have.property('finishedAt');
    });

    it('finds by repository, kind and environment, latest first, and no more than asked for', async () => {
      await store.save(report('1', { startedAt: minute(1) }), NOW);
      await store.save(report('2', { repository: 'Acme/Shop', startedAt: minute(3) }), NOW);
      await store.save(report('3', { repository: 'acme/other', startedAt: minute(2) }), NOW);
      const deployment = { kind: 'deployment', environment: 'production', startedAt: minute(0) } as const;
      await store.save(report('4', deployment), NOW);
      const ids = async (filter: Parameters<PipelineStore['runs']>[0]) =>
        (await store.runs(filter)).map(({ run }) => run);
      expect(await ids({ limit: 9 })).to.deep.equal(['2', '3', '1', '4']);
      expect(await ids({ limit: 2 })).to.deep.equal(['2', '3']);
      expect(await ids({ repositories: ['ACME/shop'], limit: 9 })).to.deep.equal(['2', '1', '4']);
      expect(await ids({ kind: 'deployment', environment: 'production', limit: 9 })).to.deep.equal(['4']);
      expect(await ids({ kind: 'deployment', environment: 'staging', limit: 9 })).to.deep.equal([]);
      expect(await store.repositories(9)).to.have.members(['acme/shop', 'Acme/Shop', 'acme/other']);
    });

    it('takes large reports, in bounds, and forgets with time', async () => {
      const pipelines = createPipelines({
        services: [{ name: 'shop', repository: 'acme/shop' }],
        store,
        repeat: async () => ({ kind: 'passed' }),
      });
      const jobs = Array.from({ length: 3000 }, (_, at) => job(String(at % 1500), { name: 'x'.repeat(900) }));
      await pipelines.record(report('1', { title: `${'long '.repeat(999)}\nmore`, state: 'failed' }, jobs), minute(0));
      await pipelines.record(report('2'), minute(24 * 60));
      expect((await shown()).map(([run]) => run)).to.have.members(['1', '2']);
      const [big] = (await store.runs({ limit: 9 })).filter(({ run }) => run === '1');
      expect(big?.jobs).to.have.lengthOf(500);
      expect(big?.jobs[0]?.name).to.have.lengthOf(200);
      expect(big?.title).to.have.lengthOf(200);
      await pipelines.expire(minute(90 * 24 * 60 + 1));
      expect(await shown()).to.deep.equal([['2', 'running']]);
      expect((await db.pool.query('select 1 from pipeline_jobs')).rowCount).to.equal(0);
    });
  });
});
