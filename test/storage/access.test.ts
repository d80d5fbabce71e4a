/** Grants, the audit trail and proposals, on both kinds of database. */

import { expect } from 'chai';
import type { AuditStart } from '../../src/bot/audit.ts';
import { createGrantStore } from '../../src/storage/access.ts';
import { createAuditStore } from '../../src/storage/audit.ts';
import type { Database } from '../../src/storage/database.ts';
import { createProposalStore } from '../../src/storage/proposals.ts';
import { eachDatabase } from '../support/database.ts';

const alice = { id: 'web:1', chat: 'web', name: 'alice' };
const bob = { id: 'web:2', chat: 'web', name: 'bob' };
const room = { chat: 'web', room: 'ops', private: false };
const at = new Date('2026-05-01T10:00:00Z');

function start(more: Partial<AuditStart> = {}): AuditStart {
  return {
    at,
    person: alice,
    room,
    commandId: 'deploy.start',
    text: 'deploy api to staging',
    args: { service: 'api' },
    via: 'typed',
    source: undefined,
    approvedBy: undefined,
    ...more,
  };
}

eachDatabase((open) => {
  let db: Database;
  before(async function () {
    this.timeout(60_000);
    db = await open();
  });
  beforeEach(async () => {
    await db.pool.query(
      'truncate access_grants, audit_begun, audit_ended, audit_handed_over, proposals, proposal_approvals restart identity',
    );
  });

  describe('grants', () => {
    it('are given and taken once', async () => {
      const store = createGrantStore(db);
      const grant = { personId: 'web:2', personName: 'bob', role: 'deployer', grantedBy: 'alice', grantedAt: at };
      expect(await store.add(grant)).to.equal(true);
      expect(await store.add(grant)).to.equal(false);
      expect(await store.all()).to.deep.equal([grant]);
      expect(await store.remove('web:2', 'deployer')).to.equal(true);
      expect(await store.remove('web:2', 'deployer')).to.equal(false);
      expect(await store.all()).to.deep.equal([]);
    });
  });

  describe('audit', () => {
    it('tells what is running, how it ended, and lists newest first with filters', async () => {
      const store = createAuditStore(db, 'replica-1');
      const first = await store.begin(start());
      await store.begin(start({ person: bob, commandId: 'access.grant', at: new Date(at.getTime() + 1000) }));
      if (first.kind !== 'begun') throw new Error('not begun');
      await store.end(first.id, 'succeeded', undefined, new Date(at.getTime() + 500));
      const all = await store.list({ limit: 10 });
      expect(all.map((row) => [row.personName, row.outcome])).to.deep.equal([
        ['bob', undefined],
        ['alice', 'succeeded'],
      ]);
      expect(all[1]?.finishedAt).to.deep.equal(new Date(at.getTime() + 500));
      expect(await store.list({ limit: 10, personId: 'web:2' })).to.have.length(1);
      expect(await store.list({ limit: 10, command: 'deploy' })).to.have.length(1);
      expect(await store.list({ limit: 10, command: 'dep' })).to.have.length(0);
      expect(await store.list({ limit: 10, since: new Date(at.getTime() + 1) })).to.have.length(1);
      expect(await store.list({ limit: 1 })).to.have.length(1);
    });

    it('keeps what somebody typed and a target said, whatever is in it', async () => {
      const store = createAuditStore(db, 'replica-1');
      const half = '😀'.slice(0, 1);
      const begun = await store.begin(start({ text: `lock hello\0 ${half}`, args: { reason: `\0${half}` } }));
      if (begun.kind !== 'begun') throw new Error('not begun');
      await store.end(begun.id, 'failed', `no\0 answer ${half}`, at);
      const [row] = await store.list({ limit: 1 });
      expect([row?.text, row?.detail]).to.deep.equal(['lock hello \ufffd', 'no answer \ufffd']);
    });

    it('begins a command once for one message, also when many try at once', async () => {
      const store = createAuditStore(db, 'replica-1');
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => store.begin(start({ source: 'web:ops:7' }))));
      expect(outcomes.filter((outcome) => outcome.kind === 'begun')).to.have.length(1);
      const [row] = await store.list({ limit: 5 });
      await store.end(row?.id ?? 0, 'failed', 'x', at);
      expect(await store.begin(start({ source: 'web:ops:7' }))).to.deep.equal({ kind: 'repeated', outcome: 'failed' });
      expect(await store.begin(start({ source: 'web:ops:8' }))).to.have.property('kind', 'begun');
    });

    it('an end is never overwritten, a refusal is begun and ended', async () => {
      const store = createAuditStore(db, 'replica-1');
      const begun = await store.begin(start());
      if (begun.kind !== 'begun') throw new Error('not begun');
      await store.end(begun.id, 'succeeded', undefined, at);
      await store.end(begun.id, 'failed', 'late', at);
      await store.refuse(start({ source: 'web:ops:7' }), 'access.denied');
      await store.refuse(start({ source: 'web:ops:7' }), 'access.denied');
      expect((await store.list({ limit: 9 })).map((row) => [row.outcome, row.detail])).to.deep.equal([
        ['refused', 'access.denied'],
        ['refused', 'access.denied'],
        ['succeeded', undefined],
      ]);
    });

    it('closes what a lost replica had begun, once, and nothing of others', async () => {
      const lost = createAuditStore(db, 'replica-1');
      const living = createAuditStore(db, 'replica-2');
      await lost.begin(start());
      await living.begin(start());
      expect(await living.interrupt('replica-1', at)).to.equal(1);
      expect(await living.interrupt('replica-1', at)).to.equal(0);
      expect((await living.list({ limit: 9 })).map((row) => row.outcome)).to.deep.equal([undefined, 'interrupted']);
    });
  });

  describe('proposals', () => {
    const later = new Date(at.getTime() + 60_000);
    const proposal = {
      kind: 'approve' as const,
      person: alice,
      room,
      text: 'deploy api to production',
      permission: 'approve:deploy',
      expiresAt: later,
      places: [{ chat: 'web', room: 'ops' }],
    };

    it('are found until they are decided or expire', async () => {
      const store = createProposalStore(db, () => '7f3a');
      const opened = await store.open(proposal);
      expect(opened.code).to.equal('7f3a');
      expect(await store.find('7f3a', 'web:1', at)).to.deep.equal(opened);
      expect(await store.find('7f3a', 'web:1', later)).to.equal(undefined);
      expect(await store.decide(opened, 'approved', { person: bob, source: 'web:1' }, later)).to.equal(false);
      expect(await store.decide(opened, 'approved', { person: bob, source: 'web:1' }, at)).to.equal(true);
      expect(await store.find('7f3a', 'web:2', at)).to.equal(undefined);
      expect(await store.find('7f3a', undefined, at)).to.equal(undefined);
    });

    it('are kept with what a commit is called, cut in the middle of a character', async () => {
      const store = createProposalStore(db, () => '7f3b');
      const terms = { count: 1, details: `\0fix ${'😀'.slice(0, 1)} …`, facts: {} };
      const { id } = await store.open({ ...proposal, terms });
      expect((await store.get(id))?.proposal.terms).to.deep.equal({ ...terms, details: 'fix \ufffd …' });
    });

    it('are listed until they are decided or expire', async () => {
      let count = 0;
      const store = createProposalStore(db, () => `c${++count}`);
      const expiring = (expiresAt: Date) =>
        store.open({ kind: 'approve', person: alice, room, text: 'deploy', permission: 'p', expiresAt, places: [] });
      const first = await expiring(new Date('2026-05-01T10:10:00Z'));
      const second = await expiring(new Date('2026-05-01T10:20:00Z'));
      const third = await expiring(new Date('2026-05-01T10:20:00Z'));
      await store.decide(second, 'refused', { person: bob, source: undefined }, at);
      expect(await store.unanswered(at)).to.deep.equal([first, third]);
      expect(await store.unanswered(new Date('2026-05-01T10:15:00Z'))).to.deep.equal([third]);
    });

    it('are still there for the message that decided them, and for the same decision only', async () => {
      const store = createProposalStore(db, () => '7f3a');
      const opened = await store.open(proposal);
      await store.decide(opened, 'approved', { person: bob, source: 'web:1' }, at);
      expect(await store.find('7f3a', 'web:1', later)).to.deep.equal(opened);
      expect(await store.decide(opened, 'approved', { person: bob, source: 'web:1' }, later)).to.equal(true);
      expect(await store.decide(opened, 'refused', { person: bob, source: 'web:1' }, later)).to.equal(false);
      expect(await store.decide(opened, 'approved', { person: bob, source: 'web:2' }, at)).to.equal(false);
    });

    it('are decided once, however many try at once', async () => {
      const store = createProposalStore(db, () => '7f3a');
      const opened = await store.open(proposal);
      const tries = await Promise.all(
        Array.from({ length: 20 }, (_, n) => store.decide(opened, 'approved', { person: bob, source: `web:${n}` }, at)),
      );
      expect(tries.filter(Boolean)).to.have.length(1);
    });

    it('keep what must be approved, and who approves: each once, none after the end', async () => {
      const store = createProposalStore(db, () => '7f3a');
      const terms = { role: 'lead', count: 2, details: 'v1 → v2', facts: { version: 'v2' } };
      const opened = await store.open({ ...proposal, permission: undefined, terms });
      expect(await store.find('7f3a', undefined, at)).to.deep.equal(opened);
      expect(opened.terms).to.deep.equal(terms);
      const carol = { id: 'web:3', chat: 'web', name: 'carol' };
      expect(await store.approve(opened, bob, at)).to.deep.equal([bob]);
      expect(await store.approve(opened, bob, at)).to.deep.equal([bob]);
      expect(await store.approve(opened, carol, later)).to.deep.equal([bob]);
      await Promise.all([carol, bob, carol].map((person) => store.approve(opened, person, at)));
      expect(await store.approve(opened, bob, at)).to.deep.equal([bob, carol]);
      await store.decide(opened, 'approved', { person: carol, source: 'web:1' }, at);
      expect(await store.approve(opened, alice, at)).to.deep.equal([bob, carol]);
      expect(await store.unanswered(at)).to.deep.equal([]);
    });

    it('end when their time is over, and are told of until their cards say so', async () => {
      let count = 0;
      const store = createProposalStore(db, () => `c${++count}`);
      const opened = await store.open(proposal);
      const direct = { chat: 'web', room: 'dm:2' };
      await store.shownAt(opened.id, [direct]);
      await store.shownAt(opened.id, [direct]);
      const found = await store.find('c1', undefined, at);
      expect(found?.places).to.have.deep.members([...opened.places, direct]);
      const other = await store.open({ ...proposal, places: [] });
      await store.decide(other, 'void', { person: bob, source: 'web:1', why: 'v3 is live' }, at);
      expect(await store.ended(at)).to.deep.equal([]);
      expect(await store.get(other.id)).to.deep.equal({
        proposal: other,
        given: [],
        end: { decision: 'void', by: [bob], why: 'v3 is live' },
      });

      const expired = { proposal: found, given: [], end: { decision: 'expired', by: [] } };
      const late = await store.ended(later);
      expect(late.map(({ end }) => end?.decision)).to.deep.equal(['expired', 'void']);
      expect(late[0]).to.deep.equal(expired);
      await store.settled(opened.id);
      await store.settled(other.id);
      expect(await store.ended(later)).to.deep.equal([]);
      expect(await store.decide(opened, 'approved', { person: bob, source: 'web:2' }, at)).to.equal(false);
      expect((await store.get(opened.id))?.end?.decision).to.equal('expired');
    });

    it('get another code when one is taken, and an expired one is free again', async () => {
      const codes = ['aaaa', 'aaaa', 'bbbb'];
      const store = createProposalStore(db, () => codes.shift() ?? 'cccc');
      await store.open({ ...proposal, expiresAt: new Date(Date.now() + 60_000) });
      expect((await store.open({ ...proposal, expiresAt: new Date(Date.now() + 60_000) })).code).to.equal('bbbb');
      const same = createProposalStore(db, () => 'dddd');
      await same.open({ ...proposal, expiresAt: new Date(Date.now() - 1) });
      expect((await same.open({ ...proposal, expiresAt: new Date(Date.now() + 60_000) })).code).to.equal('dddd');
    });
  });
});
