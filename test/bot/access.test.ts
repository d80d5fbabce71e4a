import { expect } from 'chai';
import fc from 'fast-check';
import { type Access, createAccess } from '../../src/bot/access.ts';
import { Failure, failureText } from '../../src/bot/errors.ts';
import { covers, overlaps } from '../../src/domain/access/policy.ts';
import type { Grant } from '../../src/domain/access/ports.ts';
import { account, everybodyInside, type MemoryPeople, memoryPeople } from '../support/people.ts';

describe('permissions', () => {
  const cases: readonly (readonly [string, string, boolean, boolean])[] = [
    ['*', 'deploy:production', true, true],
    ['deploy:*', 'deploy:production', true, true],
    ['deploy:*', 'deploy', false, false],
    ['deploy:*', 'deployment:x', false, false],
    ['deploy:production', 'deploy:production', true, true],
    ['deploy:production', 'deploy:staging', false, false],
    ['deploy', 'deploy:staging', false, false],
    ['deploy:*:api', 'deploy:production:api', true, true],
    ['deploy:*:api', 'deploy:production:web', false, false],
    ['deploy:staging', 'deploy:*', false, true],
    ['alerts:*', 'deploy:*', false, false],
  ];
  for (const [held, needed, covered, overlapping] of cases) {
    it(`${held} and ${needed}`, () => {
      expect(covers(held, needed)).to.equal(covered);
      expect(overlaps(held, needed)).to.equal(overlapping);
    });
  }

  it('what covers also overlaps, and nothing without a star covers anything else', () => {
    const part = fc.constantFrom('a', 'b', '*');
    const permission = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':'));
    fc.assert(
      fc.property(permission, permission, (held, needed) => {
        if (covers(held, needed)) expect(overlaps(held, needed)).to.equal(true);
        if (!held.includes('*')) expect(covers(held, needed)).to.equal(held === needed);
      }),
    );
  });

  it('roles that the policy no longer has, and names of Object, give nothing', async () => {
    const grants: Grant[] = ['gone', 'constructor', '__proto__'].map((role) => ({
      personId: 'web:1',
      personName: 'a',
      role,
      grantedBy: 'x',
      grantedAt: new Date(0),
    }));
    const access = createAccess({
      policy: { roles: { admin: ['*'] }, everyone: [], people: {}, groups: {} },
      store: { all: async () => grants, add: async () => true, remove: async () => true },
      people: everybodyInside,
      changed: async () => undefined,
      now: () => new Date(),
    });
    const person = { id: 'web:1', chat: 'web', name: 'a' };
    expect(await access.permissionsOf(person)).to.deep.equal([]);
    expect(await access.can({ ...person, id: '__proto__' }, 'deploy:x')).to.equal(false);
  });

  it('a store that fails is a refusal that says so', async () => {
    const access = createAccess({
      policy: { roles: { admin: ['*'] }, everyone: ['*'], people: { 'web:1': ['admin'] }, groups: {} },
      store: {
        all: async () => {
          throw new Error('away');
        },
        add: async () => true,
        remove: async () => true,
      },
      people: everybodyInside,
      changed: async () => undefined,
      now: () => new Date(),
    });
    const refusal = await access.require({ id: 'web:1', chat: 'web', name: 'a' }, 'x').catch((error: unknown) => error);
    expect(refusal).to.have.property('code', 'access.unavailable');
  });

  it('does not trust its copy of the grants for longer than five seconds', async () => {
    let grants: Grant[] = [
      { personId: 'web:1', personName: 'a', role: 'admin', grantedBy: 'x', grantedAt: new Date(0) },
    ];
    let time = 0;
    const access = createAccess({
      policy: { roles: { admin: ['*'] }, everyone: [], people: {}, groups: {} },
      store: { all: async () => grants, add: async () => true, remove: async () => true },
      people: everybodyInside,
      changed: async () => undefined,
      now: () => new Date(time),
    });
    const person = { id: 'web:1', chat: 'web', name: 'a' };
    expect(await access.can(person, 'x')).to.equal(true);
    grants = [];
    time = 4_000;
    expect(await access.can(person, 'x')).to.equal(true);
    access.forget();
    expect(await access.can(person, 'x')).to.equal(false);
  });
});

describe('rights of people', () => {
  const policy = {
    roles: { admin: ['*'], deployer: ['deploy:*'], responder: ['alerts:*'] },
    everyone: ['deploy:staging'],
    people: { 'slack:U1': ['deployer'] },
    groups: { 'slack:S1': ['responder'], 'slack:@ops': ['deployer'] },
  };
  const email = 'bob@example.com';
  const slackBob = { id: 'slack:U1', chat: 'slack', name: 'bob' };
  const webBob = { id: 'web:2', chat: 'web', name: 'bob' };
  const alice = { id: 'web:1', chat: 'web', name: 'alice' };
  let people: MemoryPeople;
  let grants: Grant[];
  let access: Access;

  beforeEach(() => {
    grants = [];
    people = memoryPeople();
    access = createAccess({
      policy,
      people,
      store: {
        all: async () => [...grants],
        add: async (grant) => grants.push(grant) > 0,
        remove: async (personId, role) => {
          const at = grants.findIndex((grant) => grant.personId === personId && grant.role === role);
          return at >= 0 && grants.splice(at, 1).length > 0;
        },
      },
      changed: async () => undefined,
      now: () => new Date(),
    });
  });

  async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
    try {
      await work;
      return undefined;
    } catch (error) {
      return error instanceof Failure ? error.code : String(error);
    }
  }

  it('the roles of all accounts of a person count, and those of their groups', async () => {
    await people.save(account('slack:U1', { email }), account('web:2', { email }));
    await people.saveGroups('slack', [{ id: 'slack:S1', handle: 'slack:@ops', members: ['slack:U1'] }]);
    await access.grant(webBob, 'responder', alice);
    expect(await access.rolesOf(webBob)).to.deep.equal(['deployer', 'responder']);
    expect(await access.rolesOf(slackBob)).to.deep.equal(['deployer', 'responder']);
    await people.saveGroups('slack', []);
    await access.revoke(webBob, 'responder');
    expect(await access.rolesOf(webBob)).to.deep.equal(['deployer']);
  });

  it('who changes the address loses what came by it, and gains nothing by a name', async () => {
    await people.save(account('slack:U1', { email }), account('web:2', { email }));
    expect(await access.can(webBob, 'deploy:production')).to.equal(true);
    await people.save(account('slack:U1', { email: 'other@example.com' }));
    expect(await access.can(webBob, 'deploy:production')).to.equal(false);
    await people.save(account('web:2', { name: 'slack:U1' }), account('slack:U7', { name: 'bob' }));
    expect(await access.rolesOf({ ...webBob, name: 'slack:U1' })).to.deep.equal([]);
    expect(await access.rolesOf({ id: 'slack:U7', chat: 'slack', name: 'bob' })).to.deep.equal([]);
  });

  it('a guest has nothing, with the address of an admin, in a group, and although everybody has something', async () => {
    const guest = { id: 'slack:U9', chat: 'slack', name: 'guest' };
    await people.save(account('slack:U9', { email, outside: true }), account('web:2', { email }));
    await people.saveGroups('slack', [{ id: 'slack:S1', handle: 'slack:@ops', members: ['slack:U9'] }]);
    await access.grant(webBob, 'admin', alice);
    expect(await access.rightsOf(guest)).to.deep.include({ roles: [], permissions: [] });
    expect(await codeOf(access.admit(guest))).to.equal('access.outside');
    expect(await codeOf(access.require(guest, 'deploy:staging'))).to.equal('access.outside');
    expect(await access.admits(guest)).to.equal(false);
    expect(await access.mayHold(guest, 'deploy:*')).to.equal(false);
    const refusal = await access.admit(guest).catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(Failure);
    if (refusal instanceof Failure) expect(failureText(refusal)).to.contain('slack:U9').and.contain('bob');
  });

  it('a refusal names those of the configuration as their chat does, and by their id only if no chat knows them', async () => {
    const named = createAccess({
      policy: { ...policy, people: { 'slack:U5': ['admin'], 'slack:U6': ['admin'] } },
      people,
      store: { all: async () => [], add: async () => true, remove: async () => true },
      changed: async () => undefined,
      now: () => new Date(),
    });
    await people.save(account('slack:U1'), account('slack:U5', { name: 'carol' }));
    const refusal = await named.require(slackBob, 'deploy:production').catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(Failure);
    if (refusal instanceof Failure) expect(failureText(refusal)).to.contain('Ask carol or slack');
  });

  it('a role that is given to a guest gives that role to that account, and nothing else', async () => {
    const guest = { id: 'slack:U9', chat: 'slack', name: 'guest' };
    await people.save(account('slack:U9', { email, outside: true }), account('web:2', { email }));
    await access.grant(guest, 'responder', alice);
    expect(await access.rightsOf(guest)).to.deep.include({ roles: ['responder'], permissions: ['alerts:*'] });
    expect(await codeOf(access.admit(guest))).to.equal(undefined);
    expect(await codeOf(access.require(guest, 'deploy:staging'))).to.equal('access.denied');
    expect(await access.rolesOf(webBob), 'nor to who has the same address').to.deep.equal([]);
    await access.revoke(guest, 'responder');
    expect(await access.admits(guest)).to.equal(false);
  });

  it('a deactivated account has nothing, whatever it was given', async () => {
    await access.grant(webBob, 'admin', alice);
    await people.save(account('slack:U1', { active: false }), account('web:2', { active: false }));
    for (const person of [slackBob, webBob]) {
      expect(await access.rightsOf(person)).to.deep.include({ roles: [], permissions: [] });
      expect(await codeOf(access.require(person, 'deploy:staging'))).to.equal('access.inactive');
      expect(await codeOf(access.admit(person))).to.equal('access.inactive');
      expect(await access.admits(person)).to.equal(false);
    }
    expect(await codeOf(access.grant(webBob, 'responder', alice))).to.equal('access.inactive');
  });

  it('who is not known to the list of a chat is outside; other chats have no list', async () => {
    expect(await access.admits({ id: 'slack:U404', chat: 'slack', name: 'x' })).to.equal(false);
    expect(await access.admits({ id: 'irc:x', chat: 'irc', name: 'x' })).to.equal(true);
    expect(await access.permissionsOf({ id: 'irc:x', chat: 'irc', name: 'x' })).to.deep.equal(['deploy:staging']);
  });

  it('names of Object are no groups', async () => {
    await people.save(account('slack:U5'));
    await people.saveGroups('slack', [{ id: 'constructor', handle: '__proto__', members: ['slack:U5'] }]);
    expect(await access.rolesOf({ id: 'slack:U5', chat: 'slack', name: 'x' })).to.deep.equal([]);
  });

  it('when it cannot be found out who somebody is, nobody has anything', async () => {
    await people.save(account('slack:U1'));
    people.fail();
    expect(await codeOf(access.can(slackBob, 'deploy:staging'))).to.equal('access.unavailable');
    expect(await codeOf(access.admit(slackBob))).to.equal('access.unavailable');
    expect(await codeOf(access.admits(slackBob))).to.equal('access.unavailable');
    expect(await codeOf(access.samePerson(slackBob, webBob))).to.equal('access.unavailable');
    expect(await codeOf(access.grant(webBob, 'admin', alice))).to.equal('access.unavailable');
    expect(grants).to.deep.equal([]);
  });

  it('roles are given and taken by account, also to who has them by another one', async () => {
    await people.save(account('slack:U1', { email }), account('web:2', { email }));
    expect(await access.grant(webBob, 'deployer', alice)).to.equal(true);
    expect(await access.grant(webBob, 'deployer', alice)).to.equal(false);
    expect(await access.revoke(webBob, 'deployer')).to.equal(true);
    expect(await access.rolesOf(webBob), 'by the other account').to.deep.equal(['deployer']);
    expect(await access.revoke(webBob, 'deployer')).to.equal(false);
  });

  it('the last admin stays: another account of the same person will do, a deactivated one or a group will not', async () => {
    await people.save(account('slack:U8', { email }), account('web:2', { email }));
    const other = { id: 'slack:U8', chat: 'slack', name: 'bob' };
    await access.grant(webBob, 'admin', alice);
    expect(await codeOf(access.revoke(webBob, 'admin'))).to.equal('access.last');
    await access.grant(other, 'admin', alice);
    await people.save(account('slack:U8', { email, active: false }));
    expect(await codeOf(access.revoke(webBob, 'admin'))).to.equal('access.last');
    await people.save(account('slack:U8', { email }));
    expect(await access.revoke(webBob, 'admin')).to.equal(true);
    expect(await access.can(webBob, 'access:grant'), 'by the other account').to.equal(true);
    expect(await codeOf(access.revoke(other, 'admin'))).to.equal('access.last');
  });
});

describe('access of tokens', () => {
  const made = new Date('2026-11-20T12:00:00Z');
  const ci = { id: 'api:ci', chat: 'api', name: 'ci' };
  const alice = { id: 'web:1', chat: 'web', name: 'alice' };
  let time: Date;
  let aliceMay: string[];
  let revoked: boolean;
  let granted: string[];
  let people: MemoryPeople;

  function access(): Access {
    return createAccess({
      policy: {
        roles: { admin: ['*'], own: aliceMay },
        everyone: ['web:join'],
        people: { 'web:1': ['own'], 'api:ci': ['admin'], 'api:nobody': ['admin'] },
        groups: {},
      },
      store: {
        all: async () => [
          { personId: 'api:ci', personName: 'ci', role: 'admin', grantedBy: 'x', grantedAt: made } satisfies Grant,
        ],
        add: async () => true,
        remove: async () => true,
      },
      people,
      tokens: {
        get: async (name) =>
          name !== 'ci' || revoked
            ? undefined
            : {
                id: 1,
                name,
                permissions: granted,
                madeBy: { id: 'web:1', name: 'alice' },
                madeAt: made,
                expiresAt: new Date(made.getTime() + 1000),
                isFetched: true,
              },
      },
      changed: async () => undefined,
      now: () => time,
    });
  }

  beforeEach(() => {
    time = made;
    aliceMay = ['deploy:staging', 'alerts:*'];
    revoked = false;
    granted = ['deploy:*'];
    people = memoryPeople({ now: () => time });
  });

  it('hold what they were given and their maker holds still, and nothing that roles or everyone give', async () => {
    expect(await access().permissionsOf(ci)).to.deep.equal(['deploy:staging']);
    expect(await access().rolesOf(ci)).to.deep.equal([]);
    aliceMay = ['alerts:*'];
    expect(await access().permissionsOf(ci)).to.deep.equal([]);
    expect(await access().permissionsOf({ id: 'api:nobody', chat: 'api', name: 'nobody' })).to.deep.equal([]);
  });

  it('are told what they lack', async () => {
    const refused = await access()
      .require(ci, 'deploy:production')
      .catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Failure).with.property('code', 'token.denied');
  });

  it('have no rights at all once they are revoked or have expired, or their maker is deactivated', async () => {
    expect(await access().admits(ci)).to.equal(true);
    await people.save(account('web:1', { active: false }));
    expect(await access().admits(ci)).to.equal(false);
    await people.save(account('web:1'));
    expect(await access().admits(ci)).to.equal(true);
    time = new Date(made.getTime() + 1000);
    expect(await access().admits(ci)).to.equal(false);
    time = made;
    revoked = true;
    expect(await access().admits(ci)).to.equal(false);
  });

  it('are not those that had their name before', async () => {
    const before = new Date(made.getTime() - 1);
    expect(await access().isStill(ci, made)).to.equal(true);
    expect(await access().isStill(ci, before)).to.equal(false);
    expect(await access().isStill(alice, before)).to.equal(true);
    revoked = true;
    expect(await access().isStill(ci, made)).to.equal(false);
  });

  it('count as their maker, whichever account that is', async () => {
    await people.save(account('web:1', { email: 'alice@example.com' }));
    await people.save(account('slack:U1', { email: 'alice@example.com' }));
    const inSlack = { id: 'slack:U1', chat: 'slack', name: 'alice' };
    const bob = { id: 'web:2', chat: 'web', name: 'bob' };
    expect(await access().samePerson(ci, alice)).to.equal(true);
    expect(await access().samePerson(inSlack, ci)).to.equal(true);
    expect(await access().samePerson(ci, ci)).to.equal(true);
    expect(await access().samePerson(ci, bob)).to.equal(false);
    // Nobody knows any more whose it was: nobody may be the other one.
    revoked = true;
    expect(await access().samePerson(ci, alice)).to.equal(true);
    expect(await access().samePerson(bob, ci)).to.equal(true);
  });

  it('hand out no rights, whatever they and their maker hold', async () => {
    aliceMay = ['*'];
    granted = ['*'];
    expect(await access().can(ci, 'deploy:production')).to.equal(true);
    for (const permission of ['access:grant', 'token:manage', 'web:invite', 'web:join']) {
      expect(await access().can(alice, permission)).to.equal(true);
      expect(await access().can(ci, permission), permission).to.equal(false);
      const refused = await access()
        .require(ci, permission)
        .catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(Failure).with.property('code', 'token.people');
    }
  });
});
