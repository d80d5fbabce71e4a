import { expect } from 'chai';
import { type InMemoryCommands, inMemoryCommands } from '../support/commands.ts';
import { Helper, type Room } from '../support/room.ts';

describe('scripts: help, access, audit', () => {
  let room: Room;
  let commands: InMemoryCommands;

  beforeEach(async () => {
    commands = inMemoryCommands({
      policy: {
        roles: { deployer: ['deploy:*'], responder: ['alerts:*'] },
        people: { 'test:alice': ['admin'] },
      },
    });
    room = await new Helper([
      'scripts/help.ts',
      'scripts/access.ts',
      'scripts/audit.ts',
      'scripts/deploy.ts',
    ]).createRoom({
      prepare: commands.prepare,
    });
    await room.user.say('bob', 'good morning');
  });
  afterEach(() => room.destroy());

  async function say(who: string, text: string): Promise<string> {
    await room.user.say(who, `hubot ${text}`);
    return (room.messages.at(-1)?.[1] ?? '').replaceAll('\\', '');
  }

  it('help shows each person what they may run', async () => {
    const admin = await say('alice', 'help');
    expect(admin).to.contain('grant <person> <role>').and.contain('deploy <service>');
    const stranger = await say('bob', 'help');
    expect(stranger)
      .to.contain('whoami')
      .and.not.contain('grant <person>')
      .and.not.contain('deploy <service> [version]');
  });

  it('help begins with what people come for, and shows a line that works', async () => {
    const shown = await say('alice', 'help');
    const places = ['deploy <service>', 'deploys [service]', 'grant <person>', 'help [topic...]'].map((usage) =>
      shown.indexOf(usage),
    );
    expect(places)
      .to.deep.equal([...places].sort((a, b) => a - b))
      .and.not.include(-1);
    for (const line of [
      'deploy hello v2 to production',
      'grant @bob deployer',
      'audit from:bob since:7d',
      'help deploy',
    ]) {
      expect(shown).to.contain(`For example \`${line}\``);
    }
  });

  it('help shows what a grant with a wildcard opens', async () => {
    await say('alice', 'grant @bob deployer');
    expect(await say('bob', 'help')).to.contain('deploy <service> [version] to <environment>');
  });

  it('help on one command, on a word, on nothing', async () => {
    expect(await say('alice', 'help deploy'))
      .to.contain('See also')
      .and.contain('deploys log <number>');
    expect(await say('alice', 'help grant'))
      .to.contain('grant @bob deployer')
      .and.contain('changes something');
    expect(await say('alice', 'help role'))
      .to.contain('revoke')
      .and.contain('grant');
    expect(await say('alice', 'help unicorns')).to.contain('I know nothing about `unicorns`');
    expect(await say('bob', 'help grant')).to.contain('I know nothing about `grant`');
  });

  it('help on a slip of the fingers says what may have been meant, as far as the person may run it', async () => {
    expect(await say('alice', 'help depoly')).to.contain('Did you mean `help deploy`?');
    expect(await say('alice', 'help DEPOLYS lgo')).to.contain('Did you mean `help deploys log`?');
    expect(await say('bob', 'help depoly'))
      .to.contain('I know nothing about `depoly`')
      .and.not.contain('`help deploy`');
    room.robot.helpStrings.push('hubot karma <thing> - Shows the karma of a thing');
    expect(await say('bob', 'help krama')).to.contain('Did you mean `help karma`?');
    expect(await say('bob', 'help unicorns')).to.contain('Type `help` to see everything.');
  });

  it('help shows the lines of plain scripts, without those that a command answers', async () => {
    room.robot.helpStrings.push(
      'hubot help - Displays all of the help commands that this bot knows about.',
      'hubot help <query> - Displays all help commands that match <query>.',
      'hubot deploy me <thing> - a script of old',
      'hubot rules - says the rules',
      'ship it - shows a squirrel',
    );
    const shown = await say('alice', 'help');
    expect(shown).to.contain('says the rules').and.contain('shows a squirrel').and.contain('a script of old');
    expect(shown).to.not.contain('Displays all');
    expect(await say('alice', 'help displays')).to.contain('I know nothing about');
  });

  it('whoami tells id, roles and permissions', async () => {
    expect(await say('alice', 'whoami'))
      .to.contain('test:alice')
      .and.contain('admin')
      .and.contain('*');
    expect(await say('bob', 'whoami'))
      .to.contain('test:bob')
      .and.contain('none')
      .and.contain('looking only');
  });

  it('audit shows what was typed in private to nobody who reads it elsewhere', async () => {
    room.chat.privateRooms.set('room1', ['test:alice']);
    await say('alice', 'grant @bob deployer');
    expect(await say('alice', 'audit')).to.contain('grant @bob deployer');
    room.chat.privateRooms.delete('room1');
    expect(await say('alice', 'audit'))
      .to.contain('`access.grant`')
      .and.not.contain('@bob');
  });

  it('grant and revoke work by name, are audited, and only for those who may', async () => {
    expect(await say('bob', 'grant @bob admin')).to.contain('`access:grant`');
    expect(await say('alice', 'grant @bob DEPLOYER')).to.equal('bob (`test:bob`) is now `deployer`.');
    expect(await say('alice', 'grant bob deployer')).to.equal('bob (`test:bob`) is `deployer` already.');
    expect(await say('bob', 'roles me')).to.contain('`deployer`');
    expect(await say('alice', 'roles'))
      .to.contain('deployer')
      .and.contain('bob');
    expect(await say('alice', 'grant @bob captain'))
      .to.contain('no role `captain`')
      .and.contain('`responder`');
    expect(await say('alice', 'grant @nobody deployer')).to.contain('I know nobody called `@nobody`');
    expect(await say('alice', 'revoke @bob deployer')).to.equal('bob (`test:bob`) is no longer `deployer`.');
    expect(await say('alice', 'revoke @bob deployer')).to.equal('bob (`test:bob`) was not given `deployer`.');
    expect(await say('alice', 'revoke @alice admin')).to.contain('config/access.yaml');
    const audit = await say('alice', 'audit');
    expect(audit).to.contain('grant @bob DEPLOYER').and.contain('⊘ refused').and.contain('✓ succeeded');
    expect(await say('alice', 'audit from:bob'))
      .to.contain('grant @bob admin')
      .and.not.contain('DEPLOYER');
    expect(await say('bob', 'audit')).to.contain('`audit:read`');
  });

  it('nobody can take the last right to grant away', async () => {
    const only = inMemoryCommands();
    const other = await new Helper(['scripts/access.ts']).createRoom({ prepare: only.prepare });
    await only
      .access()
      .grant({ id: 'test:alice', chat: 'test', name: 'alice' }, 'admin', { id: 'x', chat: 'x', name: 'x' });
    await other.user.say('alice', 'hubot revoke me admin');
    expect(other.messages.at(-1)?.[1]).to.contain('nobody who may grant');
    await other.destroy();
  });
});
