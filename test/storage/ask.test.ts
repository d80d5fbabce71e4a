import { expect } from 'chai';
import type { AskMemory, Conversation, Turn } from '../../src/domain/ask/ports.ts';
import { createAskStore } from '../../src/storage/ask.ts';
import { createFeedbackStore } from '../../src/storage/feedback.ts';
import { eachDatabase } from '../support/database.ts';

const HOUR = 3_600_000;
const start = new Date('2026-11-20T08:00:00Z');
const later = (hours: number): Date => new Date(start.getTime() + hours * HOUR);

function turn(question: string, at = start): Turn {
  return { personId: 'web:1', personName: 'alice', question, answer: `answer to ${question}`, at };
}

describe('ask memory', () => {
  eachDatabase((open) => {
    let store: AskMemory;
    let count = 0;
    let here: Conversation;
    before(async function () {
      this.timeout(30_000);
      store = createAskStore(await open(), { retentionMs: 24 * HOUR });
    });
    beforeEach(() => {
      count += 1;
      here = { chat: 'web', room: `room${count}`, personId: 'web:1' };
    });

    it('gives back the latest turns, oldest first', async () => {
      for (const question of ['one', 'two', 'three']) await store.remember(here, turn(question));
      const turns = await store.recent(here, start, 2);
      expect(turns).to.deep.equal([turn('two'), turn('three')]);
    });

    it('keeps people apart outside of a thread, and together in one', async () => {
      await store.remember(here, turn('mine'));
      await store.remember({ ...here, thread: '7' }, turn('ours'));
      const bob = { ...here, personId: 'web:2' };
      expect(await store.recent(bob, start, 5)).to.deep.equal([]);
      expect(await store.recent({ ...bob, thread: '7' }, start, 5)).to.have.length(1);
      expect(await store.recent({ ...here, chat: 'slack' }, start, 5)).to.deep.equal([]);
      expect(await store.recent({ ...here, thread: '8' }, start, 5)).to.deep.equal([]);
    });

    it('does not let one id pretend to be another', async () => {
      await store.remember({ chat: 'web', room: 'a', thread: 'b","c', personId: 'x' }, turn('mine'));
      expect(
        await store.recent({ chat: 'web', room: 'a","thread","b', thread: 'c', personId: 'x' }, start, 5),
      ).to.deep.equal([]);
    });

    it('keeps a bounded number of bounded turns', async () => {
      for (let at = 0; at < 25; at++) await store.remember(here, turn(`q${at}`));
      const turns = await store.recent(here, start, 100);
      expect(turns).to.have.length(20);
      expect(turns[0]?.question).to.equal('q5');
      await store.remember(here, turn(`${'x'.repeat(9_000)}\0`));
      expect((await store.recent(here, start, 1))[0]?.question).to.have.length(4_000);
    });

    it('forgets on request, only there', async () => {
      const there = { ...here, room: `${here.room}-other` };
      await store.remember(here, turn('a'));
      await store.remember(here, turn('b'));
      await store.remember(there, turn('c'));
      expect(await store.forget(here)).to.equal(2);
      expect(await store.forget(here)).to.equal(0);
      expect(await store.recent(there, start, 5)).to.have.length(1);
    });

    it('does not show what has expired, and deletes it', async () => {
      await store.remember(here, turn('old', later(-25)));
      await store.remember(here, turn('new'));
      expect((await store.recent(here, start, 5)).map(({ question }) => question)).to.deep.equal(['new']);
      expect(await store.expire(start)).to.equal(1);
      expect(await store.expire(start)).to.equal(0);
    });

    it('keeps what was said of an answer given in that room, until that expires', async () => {
      const feedback = createFeedbackStore(await open(), { retentionMs: 24 * HOUR });
      const answer = (await store.remember({ ...here, thread: '7' }, turn('rated'))) ?? 0;
      const rating = { answer, person: { id: 'web:2', name: 'bob' }, helpful: true, at: start };
      expect(await feedback.rate(rating, { chat: 'web', room: 'elsewhere' })).to.equal('unknown');
      expect(await feedback.rate(rating, here)).to.equal('rated');
      await store.forget({ ...here, thread: '7' });
      expect(await feedback.rate({ ...rating, helpful: false, note: 'old' }, here)).to.equal('changed');
      const kept = { ...rating, helpful: false, note: 'old', question: 'rated', text: 'answer to rated' };
      expect(await feedback.ratings(5)).to.deep.equal([kept]);
      expect(await feedback.expire(later(23))).to.equal(0);
      expect(await feedback.expire(later(24))).to.equal(1);
    });
  });
});
