import { expect } from 'chai';
import type { LockStore } from '../../src/domain/deploy/locks.ts';
import type { DeployStore, NewDeployment } from '../../src/domain/deploy/ports.ts';
import { createLockStore } from '../../src/storage/deploy-locks.ts';
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
    let locks: LockStore;
    before(async () => {
      const db = await open();
      store = createDeployStore(db);
      locks = createLockStore(db);
    });
    beforeEach(() => {
      place += 1;
    });

    async function started(change: Partial<NewDeployment> = {}): Promise<number> {
      const wanted = request(change);
      await store.start(wanted);
      const next = await store.next(wanted, at);
      if (next === undefined) throw new Error('not free');
      return next.id;
    }

    async function asked(change: Partial<NewDeployment> = {}): Promise<number> {
      const result = await store.start(request(change));
      if (result.kind === 'locked') throw new Error('locked');
      return result.deployment.id;
    }

    it('lets exactly one of fifty begin, the others wait in order', async () => {
      const place = request();
      const begun = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          await store.start(request({ by: { id: `web:${index}`, name: `person ${index}` } }));
          return await store.next(place, at);
        }),
      );
      const [holder, second] = begun.filter((one) => one !== undefined);
      expect(second).to.equal(undefined);
      expect(holder).to.include({ state: 'queued' });
      const waiting = (await store.waiting()).filter((one) => one.environment === place.environment);
      expect(waiting).to.have.length(49);
      expect(waiting.map(({ id }) => id)).to.deep.equal(waiting.map(({ id }) => id).toSorted((a, b) => a - b));
    });

    it('gives the place to who was first in line', async () => {
      const first = await started();
      const [second, third] = [await asked(), await asked()];
      expect(await store.next(request(), at)).to.equal(undefined);
      await store.claim(first, 'a', at, undefined);
      expect(await store.next(request(), at)).to.equal(undefined);
      await store.finish(first, 'a', { state: 'succeeded', at: later });
      expect(await store.next(request(), later)).to.include({ id: second, state: 'queued' });
      expect(await store.drop(second, 'a', { state: 'cancelled', at: later })).to.include({ state: 'cancelled' });
      expect(await store.drop(second, 'a', { state: 'cancelled', at: later })).to.equal(undefined);
      expect((await store.unannouncedOf('a')).map(({ id }) => id)).to.include(second);
      expect(await store.next(request(), later)).to.include({ id: third });
    });

    it('says who cancelled a running one, and none that does not run', async () => {
      const id = await started();
      const by = { id: 'web:2', name: 'bob' };
      expect(await store.cancel(id, by)).to.equal(undefined);
      await store.claim(id, 'a', at, undefined);
      expect(await store.cancel(id, by)).to.deep.include({ state: 'running', cancelledBy: by });
      expect(await store.drop(id, 'a', { state: 'cancelled', at })).to.equal(undefined);
      await store.finish(id, 'a', { state: 'cancelled', at });
      expect(await store.cancel(id, by)).to.equal(undefined);
    });

    it('supersedes those that wait with an older version, and no other', async () => {
      const holder = await started({ version: 'v1' });
      const old = await asked({ version: 'v1' });
      const other = await asked({ version: 'v3' });
      const newer = await asked({ version: 'v2' });
      const after = await asked({ version: 'v1' });
      const by = await store.get(newer);
      if (by === undefined) throw new Error('not there');
      const end = { state: 'cancelled', reason: 'superseded', at } as const;
      expect((await store.supersede(by, ['v1'], 'a', end)).map(({ id }) => id)).to.deep.equal([old]);
      expect(await store.supersede(by, [], 'a', end)).to.deep.equal([]);
      expect((await store.supersede(by, 'any other', 'a', end)).map(({ id }) => id)).to.deep.equal([other]);
      expect((await store.get(holder))?.state).to.equal('queued');
      expect((await store.get(after))?.state).to.equal('waiting');
    });

    it('a lock keeps everything out that has not begun; it goes on in the same order', async () => {
      const { environment } = request();
      const owner = { id: 'web:1', name: 'alice' };
      const [first, second] = [await started(), await asked()];
      const set = await locks.lock({ environment, reason: 'incident', owner, at });
      expect(await store.start(request())).to.deep.include({ kind: 'locked', lock: set.lock });
      expect(await store.claim(first, 'a', at, undefined)).to.equal(undefined);
      expect(await store.get(first)).to.include({ state: 'waiting' });
      expect(await store.next(request(), at)).to.equal(undefined);
      expect(await locks.get(set.lock.id)).to.deep.equal(set.lock);
      expect(await locks.unlock(set.lock)).to.equal(true);
      expect(await locks.unlock(set.lock)).to.equal(false);
      expect(await locks.get(set.lock.id)).to.equal(undefined);
      expect(await store.next(request(), at)).to.include({ id: first });
      await store.drop(first, 'a', { state: 'cancelled', at });
      expect(await store.next(request(), at)).to.include({ id: second });
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
      stores.flatMap((store) =>
        Array.from({ length: 25 }, async () => {
          await store.start(request());
          return await store.next(request(), at);
        }),
      ),
    );
    expect(results.filter((result) => result !== undefined)).to.have.length(1);
  });
});
