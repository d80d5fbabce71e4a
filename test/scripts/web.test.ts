/** Letting people into the web chat, and who counts as whom then. */

import { expect } from 'chai';
import type { Invited } from '../../src/bot/invitations.ts';
import { type InMemoryCommands, inMemoryCommands } from '../support/commands.ts';
import { account, type MemoryPeople, memoryPeople } from '../support/people.ts';
import { Helper, type Room } from '../support/room.ts';

describe('scripts: invitations and accounts', () => {
  let room: Room;
  let commands: InMemoryCommands;
  let people: MemoryPeople;
  let invited: unknown[];
  let address: string;
  const made = (name: string): Invited => ({
    kind: 'invited',
    name,
    link: `${address}/web/join/secret`,
    until: new Date(Date.now() + 24 * 3_600_000),
    known: false,
  });

  beforeEach(async () => {
    invited = [];
    address = 'https://chat.example';
    people = memoryPeople({
      chats: new Map([
        ['test', 'directory'],
        ['web', 'by hand'],
      ]),
    });
    await people.save(
      account('test:alice'),
      account('test:bob', { name: 'Bob B', email: 'bob@example.com' }),
      account('test:carl', { name: 'Carl C' }),
      account('test:guest', { outside: true, email: 'guest@example.com' }),
      account('web:7', { email: 'bob@example.com' }),
    );
    commands = inMemoryCommands({
      people,
      policy: {
        roles: { host: ['web:*'], responder: ['alerts:*'] },
        everyone: ['web:join'],
        people: { 'test:alice': ['admin'], 'test:carl': ['host'], 'test:guest': ['host'], 'web:7': ['responder'] },
        groups: { 'test:@oncall': ['host'] },
      },
      services: {
        invitations: {
          invite: async (name, by, options) => {
            invited.push({ name, by, ...options });
            return made(name);
          },
          inviteSelf: async (person) => {
            invited.push(person);
            return made(person.name);
          },
        },
      },
    });
    room = await new Helper(['scripts/web.ts', 'scripts/access.ts']).createRoom({ prepare: commands.prepare });
    room.chat.privateRooms.set('room1', ['test:alice', 'test:bob', 'test:carl', 'test:guest']);
  });
  afterEach(() => room.destroy());

  async function say(who: string, text: string): Promise<string> {
    await room.user.say(who, `hubot ${text}`);
    return (room.messages.at(-1)?.[1] ?? '').replaceAll('\\', '');
  }

  it('an address is taken only from who may grant roles: it gives the roles of who has it', async () => {
    expect(await say('carl', 'invite dora')).to.contain('web/join');
    expect(await say('carl', 'invite mallory alice@example.com')).to.contain('access:grant');
    expect(await say('alice', 'invite Dora Long Dora@Example.com'))
      .to.contain('web/join')
      .and.contain('same roles');
    expect(await say('bob', 'invite dora dora@example.com')).to.contain('web:invite');
    expect(invited).to.deep.equal([
      { name: 'dora', by: 'test:carl', known: false },
      { name: 'Dora Long', by: 'test:alice', known: true, email: 'dora@example.com' },
    ]);
  });

  it('what is no address is said', async () => {
    expect(await say('alice', 'invite dora dora@x')).to.contain('no e-mail address');
    expect(await say('alice', 'invite @dora')).to.contain('web/join');
    expect(invited).to.deep.equal([{ name: '@dora', by: 'test:alice', known: true }]);
  });

  it('invite me carries the address that the chat knows, and no other', async () => {
    expect(await say('bob', 'invite me'))
      .to.contain('web/join')
      .and.contain('A link for Bob B');
    expect(invited).to.deep.equal([{ id: 'test:bob', name: 'Bob B', email: 'bob@example.com' }]);
    expect(await say('carl', 'invite me'))
      .to.contain('no e-mail address')
      .and.contain('test:carl');
    expect(await say('guest', 'invite me'), 'a role does not make a guest one of the team').to.contain('no e-mail');
    expect(await say('bob', 'invite me alice@example.com')).to.contain('web:invite');
    expect(invited).to.have.length(1);
  });

  it('a link of this machine is said to open there only', async () => {
    expect(await say('bob', 'invite me')).not.to.contain('nowhere else');
    address = 'http://127.0.0.1:8080';
    expect(await say('bob', 'invite me')).to.contain('nowhere else, until `SHIPMATE_PUBLIC_URL` is set');
  });

  it('a link never stands where others read', async () => {
    room.chat.privateRooms.delete('room1');
    expect(await say('bob', 'invite me')).to.equal('The link is in your conversation with me.');
    expect(await say('alice', 'invite dora')).to.contain('is in your conversation with me');
  });

  it('whoami and roles show accounts and groups', async () => {
    await people.saveGroups('test', [{ id: 'test:S1', handle: 'test:@oncall', members: ['test:bob'] }]);
    expect(await say('bob', 'whoami'))
      .to.contain('bob@example.com')
      .and.contain('web:7')
      .and.contain('test:@oncall')
      .and.contain('responder')
      .and.contain('host');
    expect(await say('alice', 'roles @bob'))
      .to.contain('web:7')
      .and.contain('test:S1')
      .and.contain('responder')
      .and.not.contain('bob@example.com');
    await room.user.say('guest', 'hello');
    expect(await say('alice', 'roles @guest')).to.contain('outside');
    expect(await say('alice', 'roles'))
      .to.contain('test:@oncall')
      .and.contain('Carl C (`test:carl`)');
  });

  it('a role that is taken from one account and held by another one is said to be', async () => {
    await say('bob', 'whoami');
    await say('alice', 'grant @bob responder');
    expect(await say('alice', 'revoke @bob responder'))
      .to.contain('bob (`test:bob`) is no longer `responder`.')
      .and.contain('still has that role, by `web:7`');
  });
});
