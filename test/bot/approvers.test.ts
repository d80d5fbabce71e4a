/** Who is written to when something must be approved. */

import { expect } from 'chai';
import { createAccess } from '../../src/bot/access.ts';
import { approversOf } from '../../src/bot/approvers.ts';
import type { Address, Room } from '../../src/bot/chat.ts';
import type { Proposal } from '../../src/bot/proposals.ts';
import type { AccessPolicy } from '../../src/domain/access/policy.ts';
import { account, memoryPeople } from '../support/people.ts';

const NEEDED = 'deploy:approve:production';

describe('approvers', () => {
  const people = memoryPeople();

  /** Ids of those who are written to. */
  async function found(
    policy: Partial<AccessPolicy>,
    proposal: Partial<Proposal> = {},
    room: Partial<Room> = {},
    given: readonly (readonly [id: string, role: string])[] = [],
  ): Promise<string[]> {
    const access = createAccess({
      policy: { everyone: [], people: {}, groups: {}, ...policy, roles: { lead: [NEEDED], other: ['alerts:*'] } },
      store: {
        all: async () =>
          given.map(([personId, role]) => ({
            personId,
            personName: personId,
            role,
            grantedBy: 'web:1',
            grantedAt: new Date(0),
          })),
        add: async () => true,
        remove: async () => true,
      },
      people,
      changed: async () => undefined,
      now: () => new Date(),
    });
    const where = async ({ chat, room: id }: Address): Promise<Room> => ({
      chat,
      id,
      name: id,
      private: false,
      ...room,
    });
    const asked: Proposal = {
      id: 1,
      code: 'c1',
      kind: 'approve',
      person: { id: 'slack:U1', chat: 'slack', name: 'alice' },
      room: { chat: 'slack', room: 'C1', private: false },
      text: 'deploy hello to production',
      permission: NEEDED,
      expiresAt: new Date(0),
      places: [],
      ...proposal,
    };
    return (await approversOf({ access, room: where }, asked)).map(({ id }) => id);
  }

  before(async () => {
    const inside = ['slack:U1', 'slack:U2', 'slack:U3', 'slack:U4', 'web:1', 'web:2'].map((id) => account(id));
    await people.save(...inside, account('slack:U5', { active: false }), account('slack:U6', { outside: true }));
    // bob has two accounts, and so has alice.
    await people.save(
      account('slack:U2', { email: 'bob@example.com' }),
      account('web:2', { email: 'bob@example.com' }),
    );
    await people.save(account('slack:U1', { email: 'al@example.com' }), account('web:1', { email: 'al@example.com' }));
    await people.saveGroups('slack', [
      { id: 'slack:S1', handle: 'slack:@oncall', members: ['slack:U1', 'slack:U3', 'slack:U5'] },
    ]);
  });

  it('have a role by name, by a group, or given in chat; whoever asked has none, by whatever account', async () => {
    const lead = { people: { 'slack:U2': ['lead'], 'web:1': ['lead'], 'slack:U4': ['other'] } };
    expect(await found(lead)).to.deep.equal(['slack:U2']);
    expect(await found({ groups: { 'slack:S1': ['lead'] } })).to.deep.equal(['slack:U3']);
    expect(await found({ groups: { 'slack:@oncall': ['lead'] } })).to.deep.equal(['slack:U3']);
    expect(await found({}, {}, {}, [['slack:U4', 'lead']])).to.deep.equal(['slack:U4']);
    expect(await found({}, {}, {}, [['slack:U5', 'lead']])).to.deep.equal([]);
    expect(await found({ everyone: [NEEDED] })).to.deep.equal([]);
  });

  it('are asked once, in the chat where it was asked for if they are there', async () => {
    const both = { people: { 'web:2': ['lead'], 'slack:U2': ['lead'] } };
    expect(await found(both)).to.deep.equal(['slack:U2']);
    expect(await found(both, { room: { chat: 'web', room: 'ops', private: false } })).to.deep.equal(['web:2']);
  });

  it('have the role where a role is asked for, and see the room', async () => {
    const policy = { people: { 'slack:U2': ['lead'], 'slack:U3': ['other'] } };
    const terms = { role: 'other', count: 1, details: '', facts: {} };
    expect(await found(policy, { permission: undefined, terms })).to.deep.equal(['slack:U3']);
    expect(await found(policy, {}, { private: true, members: ['slack:U1', 'slack:U3'] })).to.deep.equal([]);
    // By another account of theirs.
    expect(await found(policy, {}, { private: true, members: ['web:2'] })).to.deep.equal(['slack:U2']);
  });

  it('are guests only where they were let in: an open room is open to the team', async () => {
    const guest = { people: { 'slack:U6': ['lead'] } };
    expect(await found(guest)).to.deep.equal([]);
    expect(await found(guest, {}, { private: true, members: ['slack:U1', 'slack:U6'] })).to.deep.equal(['slack:U6']);
  });

  it('are ten at most', async () => {
    const many = Array.from({ length: 30 }, (_, n) => [`web:${n + 100}`, 'lead'] as const);
    expect(await found({}, {}, {}, many)).to.have.length(10);
  });
});
