import { expect } from 'chai';
import fc from 'fast-check';
import { createAccess } from '../../src/bot/access.ts';
import { covers, overlaps } from '../../src/domain/access/policy.ts';
import type { Grant } from '../../src/domain/access/ports.ts';
import { everybodyInside } from '../support/people.ts';

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
