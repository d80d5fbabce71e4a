import { expect } from 'chai';
import type { DeployStore, NewDeployment } from '../../src/domain/deploy/ports.ts';
import { createDeployStore } from '../../src/storage/deploys.ts';
import { eachDatabase, onServer } from '../support/database.ts';

const at = new Date('2026-01-31T12:00:00Z');
const later = new Date('2026-01-31T12:00:09Z');

let place = 0;
function request(change: Partial<NewDeployment> = {}): NewDeployment {
  return {
    service: 'hello',
    environment: `place-${place}`,
    version: 'v2',
    by: { id: 'web:1', name: 'alice' },
    origin: { chat: 'web', room: 'ops' },
    at,
    ...change,
  };
}

eachDatabase((open) => {
  describe('deployments', function () {
    this.timeout(30_000);
    let store: DeployStore;
    before(async () => {
      store = createDeployStore(await open());
    });
    beforeEach(() => {
      place += 1;
    });

    async function started(change: Partial<NewDeployment> = {}): Promise<number> {
      const result = await store.start(request(change));
      if (result.kind !== 'started') throw new Error('locked');
      return result.deployment.id;
    }

    it('lets exactly one of fifty begin, and names it to the others', async () => {
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          store.start(request({ by: { id: `web:${index}`, name: `person ${index}` } })),
        ),
      );
      const winners = results.filter((result) => result.kind === 'started');
      expect(winners).to.have.length(1);
      const holders = new Set(
        results.map((result) => (result.kind === 'started' ? result.deployment.id : result.holder.id)),
      );
      expect(holders.size).to.equal(1);
    });

    it('keeps services and environments apart', async () => {
      await started();
      await started({ service: 'other' });
      place += 1;
      await started();
    });

    it('lets exactly one run it', async () => {
      const id = await started();
      const claims = await Promise.all(
        Array.from({ length: 10 }, (_, index) => store.claim(id, `replica-${index}`, later, 'v1')),
      );
      const [only, second] = claims.filter((claim) => claim !== undefined);
      expect(second).to.equal(undefined);
      expect(only).to.deep.include({ id, state: 'running', previous: 'v1', startedAt: later });
    });

    it('is ended once, by its owner, and is free again', async () => {
      const id = await started();
      await store.claim(id, 'a', at, undefined);
      expect(await store.finish(id, 'b', { state: 'failed', at: later })).to.equal(false);
      expect(await store.finish(id, undefined, { state: 'failed', at: later })).to.equal(false);
      const ends = await Promise.all(
        Array.from({ length: 5 }, () =>
          store.finish(id, 'a', { state: 'failed', reason: 'no', live: 'v1', output: 'a\0b', at: later }),
        ),
      );
      expect(ends.filter(Boolean)).to.have.length(1);
      expect(await store.get(id)).to.deep.include({ state: 'failed', reason: 'no', live: 'v1', finishedAt: later });
      expect(await store.output(id)).to.equal('ab');
      await started();
    });

    it('knows what a replica was doing and what it did not tell', async () => {
      const id = await started();
      const owner = `gone-${place}`;
      await store.claim(id, owner, at, undefined);
      expect((await store.runningOf(owner)).map((one) => one.id)).to.deep.equal([id]);
      await store.saveOutput(id, owner, 'so far');
      await store.finish(id, owner, { state: 'interrupted', at: later });
      expect(await store.output(id)).to.equal('so far');
      expect(await store.runningOf(owner)).to.deep.equal([]);
      expect((await store.unannouncedOf(owner)).map((one) => one.id)).to.deep.equal([id]);
      await store.announced(id);
      expect(await store.unannouncedOf(owner)).to.deep.equal([]);
    });

    it('tells what was good last and what came before', async () => {
      const environment = `place-${place}`;
      const ids: number[] = [];
      for (const [version, state] of [
        ['v1', 'succeeded'],
        ['v2', 'succeeded'],
        ['v3', 'failed'],
      ] as const) {
        const id = await started({ version });
        await store.claim(id, 'a', at, undefined);
        await store.finish(id, 'a', { state, at: later });
        ids.unshift(id);
      }
      const good = (await store.lastGood()).filter((one) => one.environment === environment);
      expect(good.map((one) => one.version)).to.deep.equal(['v2']);
      const history = await store.history({ environment, limit: 10 });
      expect(history.map((one) => one.id)).to.deep.equal(ids);
      expect(await store.history({ service: 'hello', environment, limit: 1 })).to.have.length(1);
      expect(await store.history({ service: 'nobody', limit: 5 })).to.deep.equal([]);
    });
  });
});

onServer((open) => {
  it('lets one of two replicas begin', async function () {
    this.timeout(30_000);
    place += 1;
    const stores = [createDeployStore(await open()), createDeployStore(await open.another())];
    const results = await Promise.all(
      stores.flatMap((store) => Array.from({ length: 25 }, () => store.start(request()))),
    );
    expect(results.filter((result) => result.kind === 'started')).to.have.length(1);
  });
});
