import { expect } from 'chai';
import type { WebStore } from '../../src/adapters/chat/web/ports.ts';
import { createWebStore } from '../../src/storage/web.ts';
import { eachDatabase } from '../support/database.ts';

const now = new Date('2026-11-20T08:00:00Z');
const later = (hours: number) => new Date(now.getTime() + hours * 3_600_000);

describe('accounts and sessions of the web chat', () => {
  eachDatabase((open) => {
    let store: WebStore;
    let sessions = 0;
    before(async function () {
      this.timeout(60_000);
      store = createWebStore(await open());
    });

    async function session(invite?: string): Promise<string> {
      const hash = `session ${++sessions}`;
      await store.openSession({ hash, now, until: later(24), ...(invite !== undefined && { invite }) });
      return hash;
    }

    it('has nobody for the first who was invited', async () => {
      await store.invite({ hash: 'early', name: 'zoe', by: 'slack:U1', now, until: later(24) });
      const zoe = await store.enter({ session: await session('early'), name: 'zoe', now });
      expect(zoe).to.have.nested.property('account.first', false);
    });

    it('has one first account, however many come at once, and each name once', async () => {
      const names = ['ann', 'ben', 'cat', 'Ben', 'ＡＮＮ'];
      const entered = await Promise.all(
        names.map(async (name) => store.enter({ session: await session(), name, now })),
      );
      const accounts = await store.accounts();
      expect(accounts.map(({ name }) => name.normalize('NFKC').toLowerCase())).to.deep.equal([
        'ann',
        'ben',
        'cat',
        'zoe',
      ]);
      expect(accounts.filter(({ first }) => first)).to.have.length(1);
      expect(entered.filter((one) => one.kind === 'entered' && one.isNew)).to.have.length(3);
    });

    it('ends sessions on time, and for good when closed', async () => {
      const hash = await session();
      expect(await store.session(hash, later(23))).to.deep.equal({});
      expect(await store.session(hash, later(24))).to.equal(undefined);
      await store.closeSession(hash);
      expect(await store.session(hash, now)).to.equal(undefined);
    });

    it('lets an invitation be used once, by one of many at once', async () => {
      await store.invite({ hash: 'invite', name: 'dora', by: 'web:1', now, until: later(24) });
      const both = [await session('invite'), await session('invite')];
      const entered = await Promise.all(both.map((one) => store.enter({ session: one, name: 'dora', now })));
      expect(entered.filter(({ kind }) => kind === 'entered')).to.have.length(1);
      expect(await store.openInvite('invite', now)).to.equal(undefined);
    });

    it('keeps the session of an invitation that has expired, and sweeps the rest', async () => {
      await store.invite({ hash: 'unused', name: 'emil', by: 'web:1', now, until: later(1) });
      await store.invite({ hash: 'used', name: 'fred', by: 'web:1', now, until: later(1) });
      const hash = await session('used');
      await store.enter({ session: hash, name: 'fred', now });
      await store.sweep(later(2));
      expect((await store.session(hash, later(2)))?.account?.name).to.equal('fred');
      expect(await store.openInvite('unused', now)).to.equal(undefined);
    });

    it('gives the address of an invitation to the new account, to one only, and to none that is there', async () => {
      const email = 'gina@example.com';
      const invited = { by: 'web:1', now, until: later(24) };
      await store.invite({ ...invited, hash: 'gina', name: 'gina', email });
      await store.invite({ ...invited, hash: 'gina again', name: 'gina2', email });
      const gina = await store.enter({ session: await session('gina'), name: 'gina', now });
      expect(gina).to.have.nested.property('account.email', email);
      const second = await store.enter({ session: await session('gina again'), name: 'gina2', now });
      expect(second).to.have.property('kind', 'entered');
      expect(second).to.not.have.nested.property('account.email');
      expect(await store.accountOfEmail(email)).to.have.property('name', 'gina');
      await store.invite({ ...invited, hash: 'other', name: 'gina', email: 'other@example.com' });
      const again = await store.enter({ session: await session('other'), name: 'gina', now });
      expect(again, 'as she was').to.have.nested.property('account.email', email);
    });

    it('changes an address, unless somebody has it', async () => {
      const [ann, ben] = await store.accounts();
      expect(await store.setEmail(ann?.id ?? 0, 'ann@example.com')).to.equal(true);
      expect(await store.setEmail(ben?.id ?? 0, 'ann@example.com')).to.equal(false);
      expect(await store.setEmail(ann?.id ?? 0, 'ann@example.com')).to.equal(true);
      expect(await store.setEmail(ann?.id ?? 0, 'anna@example.com')).to.equal(true);
      expect(await store.accountOfEmail('ann@example.com')).to.equal(undefined);
    });

    it('moves read marks forward only', async () => {
      const account = (await store.accounts())[0]?.id ?? 0;
      expect(await store.markRead(account, 'ops', 5)).to.equal(5);
      expect(await store.markRead(account, 'ops', 3)).to.equal(5);
      expect(await store.reads(account)).to.deep.equal(new Map([['ops', 5]]));
    });

    it('makes a room common once', async () => {
      expect([await store.addCommonRoom('ops'), await store.addCommonRoom('ops')]).to.deep.equal([true, false]);
      expect(await store.commonRooms()).to.deep.equal(['ops']);
    });
  });
});
