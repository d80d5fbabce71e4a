/** Accounts, addresses and groups, on both kinds of database. */

import { expect } from 'chai';
import { createPeople } from '../../src/domain/people/people.ts';
import type { PeopleStore } from '../../src/domain/people/ports.ts';
import type { Database } from '../../src/storage/database.ts';
import { createPeopleStore } from '../../src/storage/people.ts';
import { eachDatabase, onServer, quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { account } from '../support/people.ts';

const at = new Date('2026-05-01T10:00:00Z');
const later = new Date('2026-05-01T11:00:00Z');
const email = 'bob@example.com';

eachDatabase((open) => {
  let db: Database;
  let store: PeopleStore;
  before(async function () {
    this.timeout(60_000);
    db = await open();
    store = createPeopleStore(db);
  });
  beforeEach(async () => {
    await db.pool.query('truncate people, people_former_emails, people_groups, people_group_handles');
  });

  describe('people', () => {
    it('are stored as their chat says, and news is told from what was known', async () => {
      const bob = account('slack:U1', {
        name: 'bob',
        email,
        timeZone: 'Europe/Paris',
        avatar: 'https://x.example/a.png',
      });
      expect(await store.save([bob], at)).to.equal(true);
      expect(await store.save([bob], later)).to.equal(false);
      expect(await store.kin('slack:U1')).to.deep.equal({ accounts: [{ ...bob, checkedAt: later }], groups: [] });
      expect(await store.save([bob, account('slack:U2')], at)).to.equal(true);
      const changes = [
        { name: 'b' },
        { email: 'b@example.com' },
        { timeZone: 'UTC' },
        { active: false },
        { outside: true },
      ];
      for (const change of changes) expect(await store.save([{ ...bob, ...change }], later)).to.equal(true);
      expect(await store.save([{ ...bob, outside: true }, bob], later), 'the last one counts').to.equal(true);
      expect((await store.kin('slack:U1')).accounts[0]).to.include({ outside: false });
    });

    it('thousands at once', async () => {
      const many = Array.from({ length: 1_234 }, (_, n) => account(`slack:U${n}`, { email: `p${n}@example.com` }));
      expect(await store.save(many, at)).to.equal(true);
      expect(await store.save(many, later)).to.equal(false);
      expect(await store.save([...many.slice(0, -1), account('slack:U1233', { name: 'other' })], later)).to.equal(true);
      expect((await store.kin('slack:U1200')).accounts).to.have.length(1);
      expect(await store.save([], later)).to.equal(false);
    });

    it('come with everybody of the same address, and with nobody for want of one', async () => {
      await store.save([account('slack:U1', { email }), account('web:2', { email }), account('web:3')], at);
      await store.save([account('slack:U4'), account('slack:U5', { email: 'x@example.com' })], at);
      const ids = async (id: string) => (await store.kin(id)).accounts.map((each) => each.id);
      expect(await ids('web:2')).to.deep.equal(['slack:U1', 'web:2']);
      expect(await ids('web:3')).to.deep.equal(['web:3']);
      expect(await ids('nobody')).to.deep.equal([]);
      expect(await ids("' or true --")).to.deep.equal([]);
    });

    it('have met if they share an address, or did since, also by a third account', async () => {
      const since = new Date(at.getTime() - 1);
      await store.save(
        [account('web:2', { email }), account('slack:U1', { email }), account('shell:1', { email: 'x@example.com' })],
        at,
      );
      expect(await store.haveMet('web:2', 'slack:U1', since)).to.equal(true);
      expect(await store.haveMet('web:2', 'shell:1', since)).to.equal(false);
      expect(await store.haveMet('web:2', 'nobody', since)).to.equal(false);
      await store.save([account('slack:U1', { email: 'x@example.com' })], at);
      expect(await store.haveMet('web:2', 'slack:U1', since)).to.equal(true);
      expect(await store.haveMet('slack:U1', 'web:2', since)).to.equal(true);
      expect(await store.haveMet('web:2', 'shell:1', since), 'by way of slack:U1').to.equal(true);
      expect(await store.haveMet('web:2', 'slack:U1', at), 'too long ago').to.equal(false);
      expect(await store.haveMet('shell:1', 'slack:U1', at)).to.equal(true);
    });

    it('share no address for having none', async () => {
      await store.save([account('web:2'), account('web:3')], at);
      expect(await store.haveMet('web:2', 'web:3', new Date(0))).to.equal(false);
    });

    it('saved by several at once are all there', async () => {
      await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          store.save([account('slack:U1', { name: `n${n}` }), account(`slack:U${n + 2}`)], at),
        ),
      );
      expect((await store.kin('slack:U9')).accounts).to.have.length(1);
    });
  });

  describe('groups', () => {
    it('are replaced as a whole, a chat at a time', async () => {
      await store.save([account('slack:U1', { email }), account('web:2', { email })], at);
      const oncall = { id: 'slack:S1', handle: 'slack:@oncall', members: ['slack:U1'] };
      await store.saveGroups('slack', [oncall, { id: 'slack:S2', members: ['slack:U3'] }], at);
      await store.saveGroups('slack-emea', [{ id: 'slack-emea:S1', members: ['slack:U1'] }], at);
      expect((await store.kin('web:2')).groups).to.deep.equal([
        { chat: 'slack-emea', id: 'slack-emea:S1', members: ['slack:U1'], readAt: at },
        { ...oncall, chat: 'slack', readAt: at },
      ]);
      expect(await store.membersOf(['slack:S2', 'slack-emea:S1'])).to.deep.equal(['slack:U1', 'slack:U3']);
      expect(await store.membersOf(['slack:@oncall'])).to.deep.equal([...oncall.members].sort());
      expect(await store.membersOf(['slack:S9'])).to.deep.equal([]);
      await store.saveGroups('slack', [], later);
      expect((await store.kin('web:2')).groups.map(({ id }) => id)).to.deep.equal(['slack-emea:S1']);
    });

    it('saved by two at once are one of both', async () => {
      await store.save([account('slack:U1')], at);
      const groups = ['a', 'b'].map((name) => [{ id: 'slack:S1', handle: `slack:@${name}`, members: ['slack:U1'] }]);
      await Promise.all(Array.from({ length: 10 }, (_, n) => store.saveGroups('slack', groups[n % 2] ?? [], at)));
      expect((await store.kin('slack:U1')).groups).to.have.length(1);
    });

    it('keep the handle that they had first', async () => {
      expect(await store.pin('slack', new Map([['slack:@oncall', 'slack:S1']]))).to.deep.equal(
        new Map([['slack:@oncall', 'slack:S1']]),
      );
      expect(await store.pin('slack', new Map([['slack:@oncall', 'slack:S2']]))).to.deep.equal(
        new Map([['slack:@oncall', 'slack:S1']]),
      );
      expect(await store.pin('slack-emea', new Map([['slack:@oncall', 'slack:S2']]))).to.deep.equal(
        new Map([['slack:@oncall', 'slack:S2']]),
      );
      expect(await store.pin('slack', new Map())).to.deep.equal(new Map());
    });
  });
});

onServer((open) => {
  it('another replica that changes somebody is heard of', async function () {
    this.timeout(60_000);
    const [one, other] = [await open(), await open.another()].map((each) => {
      const people = createPeople({
        store: createPeopleStore(each),
        chats: new Map([['slack', 'directory']]),
        isUsed: () => true,
        changed: () => each.bus.publish('people', {}),
        // Time stands still: nothing is forgotten for being old.
        now: () => at,
        log: quiet,
      });
      each.bus.subscribe('people', () => people.forget());
      return people;
    });
    if (!one || !other) throw new Error('two are made');
    await one.save(account('slack:U1'));
    expect(await other.identity('slack:U1')).to.have.property('standing', 'inside');
    await one.save(account('slack:U1', { active: false }));
    expect(await one.identity('slack:U1')).to.have.property('standing', 'inactive');
    await eventually(async () => (await other.identity('slack:U1')).standing === 'inactive');
    await one.save(account('slack:U1'));
    await one.saveGroups('slack', [{ id: 'slack:S1', members: ['slack:U1'] }]);
    await eventually(async () => (await other.identity('slack:U1')).groups.includes('slack:S1'));
  });
});
