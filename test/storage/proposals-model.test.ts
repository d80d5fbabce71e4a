/** The record of proposals in SQL does what the model in memory does, which the interleavings are tried on. */

import { expect } from 'chai';
import fc from 'fast-check';
import type { Decision, Proposals } from '../../src/bot/proposals.ts';
import type { Database } from '../../src/storage/database.ts';
import { createProposalStore } from '../../src/storage/proposals.ts';
import { eachDatabase } from '../support/database.ts';
import { memoryProposals } from '../support/proposal-memory.ts';

const SECOND = 1_000;
/** Far ahead: codes of proposals that have expired are given again by the clock of the machine. */
const START = Date.UTC(2125, 0, 31);
const WHO = ['alice', 'bob', 'carol'].map((name) => ({ id: `web:${name}`, chat: 'web', name }));
const NOBODY = { id: '', chat: '', name: '' };
const ROOM = { chat: 'web', room: 'ops', private: false };
const DECISIONS: readonly Decision[] = ['approved', 'refused', 'void'];

/** What is done, to which of a few; the same to both. */
type Step = readonly [
  what: 'open' | 'find' | 'approve' | 'decide' | 'shownAt' | 'ended' | 'settled' | 'unanswered',
  which: number,
  other: number,
];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('open', 'open', 'find', 'approve', 'approve', 'decide', 'shownAt', 'ended', 'settled', 'unanswered'),
  fc.nat({ max: 3 }),
  fc.nat({ max: 2 }),
);

async function take(store: Proposals, [what, which, other]: Step, tick: number): Promise<unknown> {
  const at = new Date(START + tick * 10 * SECOND);
  const person = WHO[other] ?? NOBODY;
  const id = which + 1;
  switch (what) {
    case 'open':
      return await store.open({
        kind: 'approve',
        person,
        room: ROOM,
        text: 'deploy hello to production',
        permission: which === 0 ? undefined : 'deploy:approve:production',
        expiresAt: new Date(at.getTime() + which * 60 * SECOND),
        places: other === 0 ? [] : [{ chat: 'web', room: 'ops' }],
        ...(which === 1 ? {} : { terms: { role: 'lead', count: 2, details: '', facts: { version: 'v2' } } }),
      });
    case 'find':
      return await store.find(`c${id}`, other === 0 ? undefined : `web:${other}`, at);
    case 'approve': {
      const found = await store.get(id);
      return found && (await store.approve(found.proposal, person, at));
    }
    case 'decide': {
      const found = await store.get(id);
      const by = {
        person,
        source: other === 0 ? undefined : `web:${other}`,
        ...(other === 1 ? { why: 'v3 is live' } : {}),
      };
      return found && (await store.decide(found.proposal, DECISIONS[which % 3] ?? 'void', by, at));
    }
    case 'shownAt':
      return await store.shownAt(id, [{ chat: 'web', room: `dm:${other}` }]);
    case 'ended':
      return (await store.ended(at)).map(ordered);
    case 'settled':
      return await store.settled(id);
    case 'unanswered':
      return (await store.unanswered(at)).map(({ id: number }) => number);
  }
}

/** In which order a proposal keeps its places does not matter. */
function ordered<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (key, each) =>
    key === 'places' ? [...each].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : each,
  );
}

eachDatabase((open) => {
  describe('the record of proposals and its model', function () {
    this.timeout(120_000);
    let db: Database;
    before(async () => {
      db = await open();
    });

    it('agree', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          await db.pool.query('truncate proposals, proposal_approvals restart identity');
          const model = memoryProposals();
          let codes = 0;
          const real = createProposalStore(db, () => `c${++codes}`);
          for (const [tick, one] of steps.entries()) {
            const [expected, found] = [await take(model, one, tick), await take(real, one, tick)];
            expect(ordered({ found }), JSON.stringify(one)).to.deep.equal(ordered({ found: expected }));
          }
          for (let id = 1; id <= codes; id += 1) {
            expect(ordered(await real.get(id))).to.deep.equal(ordered(await model.get(id)));
          }
        }),
        { numRuns: 100 },
      );
    });
  });
});
