/** The record in SQL does what the model in memory does, which the interleavings are tried on. */

import { expect } from 'chai';
import fc from 'fast-check';
import type { Lock, LockStore } from '../../src/domain/deploy/locks.ts';
import type { DeployStore } from '../../src/domain/deploy/ports.ts';
import type { Database } from '../../src/storage/database.ts';
import { createLockStore } from '../../src/storage/deploy-locks.ts';
import { createDeployStore } from '../../src/storage/deploys.ts';
import { eachDatabase } from '../support/database.ts';
import { createMemory, memoryDeploys, memoryLocks } from '../support/deploy-memory.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 31);
const WHO = ['alice', 'bob'].map((name) => ({ id: name, name }));
const WHERE = ['staging', 'production'];

interface Stores {
  readonly store: DeployStore;
  readonly locks: LockStore;
}

/** What is done, to which of a few; the same to both. */
type Step = readonly [
  what:
    | 'start'
    | 'next'
    | 'claim'
    | 'finish'
    | 'drop'
    | 'cancel'
    | 'supersede'
    | 'leave'
    | 'takeUp'
    | 'lock'
    | 'unlock',
  which: number,
  other: number,
];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom(
    'start',
    'start',
    'next',
    'next',
    'claim',
    'claim',
    'finish',
    'drop',
    'cancel',
    'supersede',
    'leave',
    'takeUp',
    'lock',
    'unlock',
  ),
  fc.nat({ max: 3 }),
  fc.nat({ max: 3 }),
);

async function take({ store, locks }: Stores, [what, which, other]: Step, minute: number): Promise<unknown> {
  const at = new Date(START + minute * MINUTE);
  const place = { service: 'hello', environment: WHERE[which % 2] ?? '' };
  const by = WHO[other % 2] ?? { id: '', name: '' };
  const owner = `replica ${other % 2}`;
  const id = which + 1;
  switch (what) {
    case 'start':
      return await store.start({
        ...place,
        version: `v${other}`,
        by,
        origin: { chat: 'test', room: 'ops' },
        ...(other === 1 ? { override: 'the shop is down', approvedBy: WHO } : {}),
        ...(other === 2 ? { isRollback: true } : {}),
        at,
      });
    case 'next':
      return await store.next(place, at);
    case 'claim':
      return await store.claim(id, owner, at, other === 0 ? undefined : 'v0');
    case 'finish':
      return await store.finish(id, owner, { state: 'failed', reason: 'no', at });
    case 'drop':
      return await store.drop(id, owner, { state: 'cancelled', by, at });
    case 'cancel':
      return await store.cancel(id, by);
    case 'leave':
      return await store.leave(id, owner);
    case 'takeUp':
      return await store.takeUp(id, owner);
    case 'supersede': {
      const newer = await store.get(id);
      const versions = other === 0 ? 'any other' : [`v${other}`];
      return newer && (await store.supersede(newer, versions, owner, { state: 'cancelled', reason: 'older', at }));
    }
    case 'lock':
      return unnumbered(
        await locks.lock({
          ...(which % 2 === 0 ? {} : { service: 'hello' }),
          ...(which < 2 ? {} : { environment: WHERE[other % 2] ?? '' }),
          reason: 'because',
          owner: by,
          at,
          ...(other < 2 ? {} : { until: new Date(at.getTime() + 3 * MINUTE) }),
        }),
      );
    case 'unlock': {
      const all = await locks.all(at);
      const lock = all[which % Math.max(1, all.length)];
      return lock && (await locks.unlock(other === 3 ? { ...lock, owner: { id: 'carol', name: 'carol' } } : lock));
    }
  }
}

/** A lock that was not set may use up a number. */
function unnumbered({ kind, lock }: { readonly kind: string; readonly lock: Lock }): unknown {
  return { kind, ...lock, id: 0 };
}

async function picture({ store, locks }: Stores, minute: number): Promise<unknown> {
  const open = await store.open();
  const untold = await Promise.all(['replica 0', 'replica 1'].map((owner) => store.unannouncedOf(owner)));
  return {
    open,
    waiting: await store.waiting(),
    history: await store.history({ limit: 100 }),
    untold,
    locks: (await locks.all(new Date(START + minute * MINUTE))).map((lock) => ({ ...lock, id: 0 })),
  };
}

eachDatabase((open) => {
  describe('the record of deployments and its model', function () {
    this.timeout(120_000);
    let db: Database;
    before(async () => {
      db = await open();
    });

    it('agree', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          await db.pool.query('truncate deployments, deploy_locks restart identity');
          const memory = createMemory();
          const now = () => Promise.resolve();
          const model = { store: memoryDeploys(memory, now), locks: memoryLocks(memory, now) };
          const real = { store: createDeployStore(db), locks: createLockStore(db) };
          for (const [minute, one] of steps.entries()) {
            const [expected, found] = [await take(model, one, minute), await take(real, one, minute)];
            expect(withoutLocks(found), JSON.stringify(one)).to.deep.equal(withoutLocks(expected));
          }
          expect(await picture(real, steps.length)).to.deep.equal(await picture(model, steps.length));
        }),
        { numRuns: 150 },
      );
    });
  });
});

/** The number of the lock that is in the way may differ. */
function withoutLocks(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !('lock' in result)) return result;
  const { lock } = result;
  return { ...result, lock: typeof lock === 'object' ? { ...lock, id: 0 } : lock };
}
