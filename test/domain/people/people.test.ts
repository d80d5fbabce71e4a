/** Which accounts are one person, and what that gives nobody. */

import { expect } from 'chai';
import fc from 'fast-check';
import { normaliseEmail } from '../../../src/domain/people/email.ts';
import { identityOf } from '../../../src/domain/people/identity.ts';
import type { Account, KnownAccount, KnownChats, KnownGroup } from '../../../src/domain/people/ports.ts';
import { account, memoryPeople } from '../../support/people.ts';

const NOW = new Date('2026-05-01T10:00:00Z');
const HOUR = 3_600_000;
const CHATS: KnownChats = new Map([
  ['slack', 'directory'],
  ['slack-emea', 'directory'],
  ['web', 'by hand'],
]);
const email = 'bob@example.com';

function known(id: string, more: Partial<Account> = {}, hoursAgo = 0): KnownAccount {
  return { ...account(id, more), checkedAt: new Date(NOW.getTime() - hoursAgo * HOUR) };
}

function group(id: string, members: readonly string[], more: Partial<KnownGroup> = {}): KnownGroup {
  return { id, chat: 'slack', members, readAt: NOW, ...more };
}

function who(id: string, accounts: readonly KnownAccount[], groups: readonly KnownGroup[] = [], chats = CHATS) {
  return identityOf(id, { accounts, groups }, chats, NOW);
}

describe('e-mail addresses', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    [' Bob@Example.COM ', 'bob@example.com'],
    ['bob+x@example.com', 'bob+x@example.com'],
    ['böb@example.com', 'böb@example.com'],
    // Both fold to letters of an address that is somebody else's.
    ['\u212Aim@example.com', '\u212Aim@example.com'],
    ['ｂob@example.com', 'ｂob@example.com'],
    ['bob', undefined],
    ['bob@example', undefined],
    ['bob@x@example.com', undefined],
    ['bob@example.com,alice@example.com', undefined],
    ['Bob <bob@example.com>', undefined],
    [`${'b'.repeat(250)}@example.com`, undefined],
    ['', undefined],
  ];
  for (const [typed, expected] of cases) {
    it(`${JSON.stringify(typed.slice(0, 40))} is ${expected ?? 'none'}`, () => {
      expect(normaliseEmail(typed)).to.equal(expected);
    });
  }

  it('are the same when they are read again', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (address) => {
        const once = normaliseEmail(address);
        if (once !== undefined) expect(normaliseEmail(once)).to.equal(once);
      }),
    );
  });
});

describe('identity', () => {
  const both = [known('slack:U1', { email }), known('web:2', { email })];

  it('accounts of different chats with the same address are one person, whichever is asked for', () => {
    expect(who('slack:U1', both)).to.deep.equal({ standing: 'inside', linked: ['slack:U1', 'web:2'], groups: [] });
    expect(who('web:2', both).linked).to.deep.equal(['web:2', 'slack:U1']);
  });

  it('accounts without an address are linked with nobody', () => {
    expect(who('slack:U1', [known('slack:U1'), known('web:2')]).linked).to.deep.equal(['slack:U1']);
  });

  const harmless: readonly (readonly [string, KnownAccount])[] = [
    ['a guest with an address of the team', known('slack:U1', { email, outside: true })],
    ['a deactivated account', known('slack:U1', { email, active: false })],
    ['an account that its chat has not confirmed for more than a day', known('slack:U1', { email }, 25)],
    ['an account of a chat that is not there any more', known('teams:9', { email })],
  ];
  for (const [what, other] of harmless) {
    it(`${what} is linked with nobody, in neither direction`, () => {
      const accounts = [known('web:2', { email }), other];
      expect(who('web:2', accounts).linked).to.deep.equal(['web:2']);
      expect(who(other.id, accounts).linked).to.deep.equal([other.id]);
    });
  }

  it('two accounts of one chat with the same address: nobody can tell whose it is', () => {
    const accounts = [known('slack:U1', { email }), known('web:2', { email }), known('web:3', { email })];
    expect(who('slack:U1', accounts).linked).to.deep.equal(['slack:U1']);
    expect(who('web:2', accounts).linked).to.deep.equal(['web:2']);
    // A deactivated one does not count.
    const left = [known('slack:U1', { email }), known('slack:U9', { email, active: false }), known('web:2', { email })];
    expect(who('web:2', left).linked).to.deep.equal(['web:2', 'slack:U1']);
  });

  it('says who is outside and who is deactivated', () => {
    expect(who('slack:U1', [known('slack:U1', { outside: true })]).standing).to.equal('outside');
    expect(who('slack:U1', [known('slack:U1', { active: false, outside: true })]).standing).to.equal('inactive');
    expect(who('slack:U1', []).standing, 'nobody its list knows').to.equal('outside');
    expect(who('slack:U1', [known('slack:U1', {}, 25)]).standing, 'not confirmed for a day').to.equal('outside');
    expect(who('web:7', []).standing, 'a chat without a list').to.equal('inside');
    expect(who('web:7', [known('web:7', {}, 999)]).standing).to.equal('inside');
    expect(who('irc:bob', []).standing).to.equal('inside');
    expect(who('slackish', []).standing).to.equal('inside');
  });

  it('groups are those of all linked accounts, by id and by handle', () => {
    const groups = [
      group('slack:S1', ['slack:U1'], { handle: 'slack:@oncall' }),
      group('slack:S2', ['slack:U2']),
      group('slack-emea:S3', ['slack-emea:U1'], { chat: 'slack-emea' }),
    ];
    const accounts = [...both, known('slack-emea:U1', { email })];
    expect(who('web:2', accounts, groups).groups).to.deep.equal(['slack-emea:S3', 'slack:@oncall', 'slack:S1']);
  });

  it('groups give nothing when they are old, to who is outside, in another chat, or after the chat is gone', () => {
    const old = group('slack:S1', ['slack:U1'], { readAt: new Date(NOW.getTime() - 2 * HOUR - 1) });
    expect(who('slack:U1', both, [old]).groups).to.deep.equal([]);
    const now = group('slack:S1', ['slack:U1', 'web:2']);
    expect(who('slack:U1', [known('slack:U1', { outside: true })], [now]).groups).to.deep.equal([]);
    expect(who('web:2', [known('web:2')], [now]).groups, 'a group names its own chat only').to.deep.equal([]);
    expect(who('slack:U1', [known('slack:U1')], [now], new Map()).groups).to.deep.equal([]);
  });

  it('linking goes both ways, and never leads out of the team', () => {
    const ids = ['slack:U1', 'slack:U2', 'slack-emea:U1', 'web:1', 'web:2', 'irc:1'];
    const accounts = fc.tuple(
      ...ids.map((id) =>
        fc
          .record({
            email: fc.constantFrom('a@example.com', 'b@example.com'),
            active: fc.boolean(),
            outside: fc.boolean(),
          })
          .map((more) => known(id, more)),
      ),
    );
    fc.assert(
      fc.property(accounts, (all) => {
        for (const id of ids) {
          const mine = who(id, all);
          for (const other of mine.linked.slice(1)) {
            expect(who(other, all).linked).to.include(id);
            expect(who(other, all).standing).to.equal('inside');
          }
          if (mine.standing !== 'inside') expect(mine.linked).to.deep.equal([id]);
        }
      }),
    );
  });
});

describe('people', () => {
  it('asks the database once in five seconds, and at once after news', async () => {
    let time = 0;
    const people = memoryPeople({ now: () => new Date(time) });
    await people.save(account('web:2', { email }));
    for (let n = 0; n < 10; n++) await people.identity('web:2');
    expect(people.asked()).to.equal(1);
    await people.save(account('slack:U1', { email }));
    expect((await people.identity('web:2')).linked).to.deep.equal(['web:2', 'slack:U1']);
    time += 5_000;
    await people.identity('web:2');
    expect(people.asked()).to.equal(3);
  });

  it('does not remember a failure', async () => {
    const people = memoryPeople();
    await people.save(account('slack:U1'));
    people.fail();
    expect(await people.identity('slack:U1').catch((error: unknown) => error)).to.be.instanceOf(Error);
  });

  it('who has just changed their address is still the one who had it', async () => {
    let time = NOW.getTime();
    const people = memoryPeople({ now: () => new Date(time) });
    await people.save(account('slack:U1', { email }), account('web:2', { email }));
    await people.save(account('slack:U1', { email: 'other@example.com' }));
    expect((await people.identity('slack:U1')).linked).to.deep.equal(['slack:U1']);
    expect(await people.samePerson('slack:U1', 'web:2')).to.equal(true);
    time += 24 * HOUR;
    expect(await people.samePerson('slack:U1', 'web:2')).to.equal(false);
  });

  it('a handle that is given to another group gives that one nothing', async () => {
    const people = memoryPeople({ used: ['slack:@oncall'] });
    await people.save(account('slack:U1'), account('slack:U2'));
    const oncall = { id: 'slack:S1', handle: 'slack:@oncall', members: ['slack:U1'] };
    await people.saveGroups('slack', [oncall, { id: 'slack:S3', handle: 'slack:@other', members: ['slack:U2'] }]);
    expect((await people.identity('slack:U1')).groups).to.deep.equal(['slack:@oncall', 'slack:S1']);
    // The old one is renamed, disabled, or gone; somebody makes another one of that handle.
    await people.saveGroups('slack', [{ id: 'slack:S2', handle: 'slack:@oncall', members: ['slack:U2'] }]);
    expect((await people.identity('slack:U2')).groups).to.deep.equal(['slack:S2']);
    expect((await people.identity('slack:U1')).groups).to.deep.equal([]);
    await people.saveGroups('slack', [oncall]);
    expect((await people.identity('slack:U1')).groups).to.deep.equal(['slack:@oncall', 'slack:S1']);
    // Nothing is given to this handle: it may move.
    await people.saveGroups('slack', [{ id: 'slack:S4', handle: 'slack:@other', members: ['slack:U2'] }]);
    expect((await people.identity('slack:U2')).groups).to.deep.equal(['slack:@other', 'slack:S4']);
  });
});
