import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { renderMarkdown } from '../../src/adapters/chat/web/markdown.ts';
import { arg } from '../../src/bot/args.ts';
import { command, fallback } from '../../src/bot/command.ts';
import type { Robot } from '../../src/bot/robot.ts';
import { type CommandOptions, type InMemoryCommands, inMemoryCommands, memoryAudit } from '../support/commands.ts';
import { account, type MemoryPeople, memoryPeople } from '../support/people.ts';
import { Helper, type Room } from '../support/room.ts';

const EMPTY = 'test/support/no-commands.ts';

describe('dispatch', () => {
  let room: Room;
  let commands: InMemoryCommands;
  let ran: string[];

  async function open(options: CommandOptions = {}, more: (robot: Robot) => void = () => undefined): Promise<void> {
    ran = [];
    commands = inMemoryCommands({
      policy: {
        roles: { deployer: ['deploy:*'], lead: ['approve:deploy', 'access:grant'] },
        people: { 'test:alice': ['deployer'], 'test:carol': ['lead'] },
      },
      names: { services: () => ['api', 'web'], environments: () => ['staging', 'production'] },
      ...options,
    });
    room = await new Helper(['scripts/proposals.ts', EMPTY]).createRoom({
      prepare(robot, chat) {
        commands.prepare(robot, chat);
        command(robot, {
          id: 'deploy.start',
          usage: 'deploy <service> [version] to <environment> [--force]',
          aliases: ['ship <service> to <environment>'],
          summary: 'Roll out',
          examples: ['deploy api v2 to staging'],
          args: { service: arg.service(), version: arg.word(), environment: arg.environment(), force: arg.flag() },
          effect: 'change',
          needs: ({ environment }) => `deploy:${environment}`,
          confirm: ({ force }) => (force ? 'It is forced.' : undefined),
          approval: ({ version }) => (version === 'risky' ? 'approve:deploy' : undefined),
          run({ args, person }) {
            ran.push(
              `${person.name} ${args.service} ${args.version ?? 'newest'} ${args.environment}${args.force ? ' forced' : ''}`,
            );
            if (args.version === 'broken') throw new Error('secret detail');
            return 'deployed';
          },
        });
        command(robot, {
          id: 'rooms.rename',
          usage: 'rename <words...>',
          summary: 'Rename',
          examples: ['rename a b'],
          args: { words: arg.text() },
          effect: 'read',
          needs: 'public',
          run: ({ args }) => `renamed ${args.words}`,
        });
        more(robot);
      },
    });
  }

  async function say(who: string, text: string): Promise<string> {
    const before = room.messages.length;
    await room.user.say(who, text);
    return room.messages
      .slice(before + 1)
      .map(([, said]) => said)
      .join('\n')
      .replaceAll('\\', '');
  }

  afterEach(() => room.destroy());

  it('runs a command typed in any of the ways people type', async () => {
    await open();
    for (const text of [
      'hubot deploy api v2 to staging',
      '@Hubot: deploy api v2 to staging',
      'HUBOT, Deploy “api” v2 TO Staging',
      'hubot `deploy api v2 to staging`',
    ]) {
      expect(await say('alice', text), text).to.equal('deployed');
    }
    expect(ran).to.deep.equal(Array.from({ length: 4 }, () => 'alice api v2 staging'));
  });

  it('leaves alone what is not addressed to it', async () => {
    await open();
    for (const text of ['deploy api to staging', 'hubots deploy api to staging', 'the hubot deploys']) {
      expect(await say('alice', text), text).to.equal('');
    }
    expect(ran).to.deep.equal([]);
  });

  it('writes an audit row before and after a change, none for a read', async () => {
    await open();
    await say('alice', 'hubot deploy api v2 to staging');
    await say('alice', 'hubot rename a b');
    expect(commands.audit).to.have.length(1);
    expect(commands.audit[0]).to.deep.include({
      commandId: 'deploy.start',
      text: 'deploy api v2 to staging',
      outcome: 'succeeded',
    });
    expect(commands.audit[0]?.args).to.deep.equal({
      service: 'api',
      version: 'v2',
      environment: 'staging',
      force: false,
    });
  });

  it('refuses without the permission, names it and who can give it, and audits the refusal', async () => {
    await open();
    const answer = await say('mallory', 'hubot deploy api to production');
    expect(answer).to.contain('`deploy:production`').and.contain('`deployer`').and.contain('test:carol');
    expect(ran).to.deep.equal([]);
    expect(commands.audit[0]).to.deep.include({ outcome: 'refused', detail: 'access.denied' });
  });

  it('refuses when the permission check itself fails', async () => {
    await open({
      ports: {
        access: {
          ...inMemoryAccessThatFails(),
        },
      },
    });
    expect(await say('alice', 'hubot deploy api to staging')).to.contain('reference');
    expect(ran).to.deep.equal([]);
  });

  it('refuses when the audit row cannot be written', async () => {
    await open({ ports: { audit: brokenAudit() } });
    expect(await say('alice', 'hubot deploy api to staging')).to.contain('reference');
    expect(ran).to.deep.equal([]);
  });

  it('names the allowed values of a wrong one, and says what is missing', async () => {
    await open();
    expect(await say('alice', 'hubot deploy api to prod'))
      .to.contain('there is no environment `prod`')
      .and.contain('`production`');
    expect(await say('alice', 'hubot deploy mail to staging')).to.contain('`api` or `web`');
    expect(await say('alice', 'hubot deploy api')).to.contain('`to` `<environment>`');
    expect(await say('alice', 'hubot deploy api to staging --froce')).to.contain('`--force`');
    expect(await say('alice', 'hubot deploy api v1 v2 to staging')).to.contain('`v2`');
  });

  it('asks whether a misspelt command was meant', async () => {
    await open();
    expect(await say('alice', 'hubot depoly api to staging')).to.contain('Did you mean `deploy api to staging`?');
    expect(await say('alice', 'hubot frobnicate'))
      .to.contain('I know no command')
      .and.contain('`help`');
  });

  it('says what is missing of the longer command, not that its word is no value of the shorter one', async () => {
    await open({}, withListings);
    expect(await say('alice', 'hubot rollouts log'))
      .to.contain('Something is missing: `<number>`')
      .and.contain('for example `rollouts log 3`');
    expect(await say('alice', 'hubot rollouts lgo')).to.contain('Did you mean `rollouts log`?');
    expect(await say('alice', 'hubot rollouts lgo 3')).to.contain('Did you mean `rollouts log 3`?');
    expect(await say('alice', 'hubot rollouts mail')).to.contain('there is no service `mail`');
    expect(await say('alice', 'hubot rollouts api')).to.equal('listed api');
  });

  it('lets plain Hubot listeners take what is no command, before it complains', async () => {
    await open({}, (robot) =>
      robot.respond(/deployy (.*)/i, async (res) => void (await res.send(`script: ${res.match[1]}`))),
    );
    expect(await say('alice', 'hubot deploy api to staging')).to.equal('deployed');
    expect(await say('alice', 'hubot deployy me')).to.equal('script: me');
  });

  it('tells an unexpected error by a reference and keeps the detail in the log', async () => {
    await open();
    const answer = await say('alice', 'hubot deploy api broken to staging');
    expect(answer).to.contain('`reference`').and.not.contain('secret detail');
    expect(commands.audit[0]).to.deep.include({ outcome: 'failed' });
    expect(commands.logged.map((line) => line.message)).to.include('command failed');
  });

  it('asks first where a command says so, and runs it once for the person who asked', async () => {
    await open();
    expect(await say('alice', 'hubot deploy api to staging --force'))
      .to.contain('Are you sure?')
      .and.contain('It is forced.');
    expect(ran).to.deep.equal([]);
    const code = /confirm (c\d+)/.exec(room.messages.at(-1)?.[1] ?? '')?.[1] ?? '';
    expect(await say('mallory', `hubot confirm ${code}`)).to.contain('Only alice');
    await room.press('alice', 'Yes, run it');
    expect(ran).to.deep.equal(['alice api newest staging forced']);
    expect(await say('alice', `hubot confirm ${code}`)).to.contain('nothing to confirm');
    expect(ran).to.have.length(1);
  });

  it('the question is one message: once answered, it shows the answer and has no buttons', async () => {
    await open();
    await say('alice', 'hubot deploy api to staging --force');
    expect(room.cards.at(-1)?.actions).to.have.length(2);
    await room.press('alice', 'Yes, run it');
    expect(room.cards.map((shown) => shown.title)).to.deep.equal(['Confirmed by alice']);
    expect(room.cards[0]?.actions ?? []).to.deep.equal([]);
    await say('alice', 'hubot deploy api risky to staging');
    await room.press('carol', 'Refuse');
    expect(room.cards.at(-1)?.title).to.equal('Refused by carol, asked for by alice');
    expect(room.messages.at(-1)?.[1]).to.match(/@alice.* carol refused `deploy api risky to staging`\./);
  });

  it('a confirmation that is handled again after a crash runs what had not begun, and nothing twice', async () => {
    let crash = false;
    const trail = memoryAudit([]);
    const begin: typeof trail.begin = (start) => (crash ? Promise.reject(new Error('killed')) : trail.begin(start));
    await open({ ports: { audit: { ...trail, begin } } });
    await say('alice', 'hubot deploy api to staging --force');
    // Killed after the decision: the press comes again, and nothing has run yet.
    crash = true;
    await room.user.say('alice', 'hubot confirm c1', { id: 'press-1' });
    expect(ran).to.deep.equal([]);
    crash = false;
    await room.user.say('alice', 'hubot confirm c1', { id: 'press-1' });
    expect(ran).to.deep.equal(['alice api newest staging forced']);
    // Killed while it ran: it is told, and not run again.
    await room.user.say('alice', 'hubot confirm c1', { id: 'press-1' });
    expect(ran).to.have.length(1);
    expect(room.messages.at(-1)?.[1]).to.contain('succeeded');
    // Another press is another message.
    await room.user.say('alice', 'hubot confirm c1', { id: 'press-2' });
    expect(room.messages.at(-1)?.[1]).to.contain('nothing to confirm');
    expect(ran).to.have.length(1);
  });

  it('does not ask for approval where nobody else can see it', async () => {
    await open({ ports: { isAlone: async () => true } });
    expect(await say('alice', 'hubot deploy api risky to staging'))
      .to.contain('nobody else sees')
      .and.contain('in a room');
    expect(ran).to.deep.equal([]);
  });

  it('what was asked for is not counted again when it is approved', async () => {
    const limited = new Set<string>();
    await open({ ports: { rate: { perMinute: 5, take: async (id) => (limited.has(id) ? 12 : 0) } } });
    await say('alice', 'hubot deploy api risky to staging');
    limited.add('test:alice');
    await say('carol', 'hubot approve c1');
    expect(ran).to.deep.equal(['alice api risky staging']);
  });

  it('checks the permission again when it is confirmed', async () => {
    await open();
    await say('alice', 'hubot deploy api to staging --force');
    await commands
      .access()
      .grant({ id: 'test:dora', chat: 'test', name: 'dora' }, 'lead', { id: 'x', chat: 'x', name: 'x' });
    expect(await say('mallory', 'hubot deploy api to staging --force')).to.contain('You may not do that');
    expect(ran).to.deep.equal([]);
  });

  it('repeats what it does not understand as text of one line, whatever it is', async () => {
    await open();
    for (const typed of [
      'deploi\n\n[Sign in](https://evil.example)',
      'deploy `x`\n\n# y to nowhere',
      'confirm "a\n\n**b**"',
    ]) {
      const html = renderMarkdown(await say('alice', `hubot ${typed}`));
      expect(html, typed).to.not.match(/<a |<h1|<strong>b/);
    }
  });

  it('runs what was approved, not what it would mean when it is read once more', async () => {
    await open({}, (robot) => {
      command(robot, {
        id: 'say.aloud',
        usage: 'say <words...>',
        summary: 'Say',
        examples: ['say hello'],
        args: { words: arg.text() },
        effect: 'change',
        needs: 'public',
        confirm: () => 'Sure?',
        run: ({ args }) => args.words,
      });
    });
    await say('alice', 'hubot say &lt;drop|keep&gt; &amp;amp;');
    expect(await say('alice', 'hubot confirm c1')).to.equal('<drop|keep> &amp;');
  });

  it('lets somebody else approve, never the asker, never without the permission, never twice', async () => {
    await open();
    expect(await say('alice', 'hubot deploy api risky to staging')).to.contain('alice asks for approval');
    expect(await say('alice', 'hubot approve c1')).to.contain('Somebody else must approve');
    expect(await say('mallory', 'hubot approve c1')).to.contain('`approve:deploy`');
    expect(ran).to.deep.equal([]);
    expect(await say('carol', 'hubot approve c1')).to.equal('deployed');
    expect(await say('carol', 'hubot approve c1')).to.contain('nothing to confirm');
    expect(ran).to.deep.equal(['alice api risky staging']);
    expect(commands.audit.find((row) => row.outcome === 'succeeded')?.approvedBy).to.equal('carol (test:carol)');
  });

  it('a refused proposal never runs', async () => {
    await open();
    await say('alice', 'hubot deploy api risky to staging');
    await room.press('carol', 'Refuse');
    expect(room.messages.map(([, text]) => text).join(), 'the card says it').not.to.contain('nothing was done');
    expect(await say('carol', 'hubot approve c1')).to.contain('nothing to confirm');
    expect(ran).to.deep.equal([]);
  });

  it('a proposal is answered only where it was made', async () => {
    await open();
    await say('alice', 'hubot deploy api to staging --force');
    room.chat.privateRooms.set('elsewhere', ['test:alice']);
    await room.user.say('alice', 'hubot confirm c1', { room: 'elsewhere' });
    expect(ran).to.deep.equal([]);
  });

  it('who may approve does so from anywhere, if they can see where it was asked for', async () => {
    await open();
    await say('alice', 'hubot deploy api risky to staging');
    room.chat.privateRooms.set('direct', ['test:carol']);
    await room.user.say('carol', 'hubot approve c1', { room: 'direct' });
    expect(ran).to.deep.equal(['alice api risky staging']);
    expect(room.messages.at(-1)?.[1]).to.equal('deployed');
    expect(room.chat.posts.at(-1)?.text).to.contain('Approved').and.contain('where alice asked for it (succeeded)');

    await say('alice', 'hubot deploy api risky to staging');
    room.chat.privateRooms.set('room1', ['test:alice']);
    await room.user.say('carol', 'hubot approve c2', { room: 'direct' });
    expect(room.chat.posts.at(-1)?.text).to.contain('nothing to confirm');
    expect(ran).to.have.length(1);
  });

  it('runs a change once for one message, however often the message comes', async () => {
    await open();
    await room.user.say('alice', 'hubot deploy api to staging', { id: 'm1' });
    await room.user.say('alice', 'hubot deploy api to staging', { id: 'm1' });
    expect(ran).to.have.length(1);
    expect(room.messages.at(-1)?.[1]).to.contain('run before (succeeded)');
  });

  it('limits how many commands a person may run', async () => {
    await open({ ports: { rate: { perMinute: 5, take: async (id) => (id === 'test:alice' ? 12 : 0) } } });
    expect(await say('alice', 'hubot deploy api to staging')).to.contain('12 s');
    expect(ran).to.deep.equal([]);
  });

  it('the AI never runs a change', async () => {
    await open();
    const replies: unknown[] = [];
    const person = { id: 'test:alice', chat: 'test', name: 'alice' };
    const here = { chat: 'test', room: 'room1', private: false };
    const reply = async (content: unknown) => void replies.push(content);
    await commands.dispatch().run({ text: 'deploy api to staging', person, room: here, via: 'ai', reply });
    await commands.dispatch().run({ text: 'rename a b', person, room: here, via: 'ai', reply });
    expect(ran).to.deep.equal([]);
    expect(replies[0]).to.contain('only a person can ask for a change');
    expect(replies[1]).to.equal('renamed a b');
  });

  it('keeps secrets out of audit and proposals', async () => {
    await open();
    const token = `ghp_${randomBytes(40).toString('hex').slice(0, 36)}`;
    await say('alice', `hubot deploy api ${token} to staging`);
    expect(JSON.stringify(commands.audit)).to.not.contain(token);
    expect(await say('alice', `hubot deploy api ${token} to staging --force`)).to.contain('do not keep secrets');
  });

  it('gives sentences to the fallback, slips to the error', async () => {
    const sentences: string[] = [];
    await open({}, (robot) =>
      fallback(robot, async ({ text, nearCommand, reply }) => {
        sentences.push(`${text} | ${nearCommand ?? ''}`);
        await reply('answered');
      }),
    );
    expect(await say('alice', 'hubot why is the sky blue?')).to.equal('answered');
    expect(await say('alice', 'hubot deploy is stuck, what do I do?')).to.equal('answered');
    expect(await say('alice', 'hubot deploy api')).to.contain('Something is missing');
    expect(sentences).to.deep.equal([
      'why is the sky blue? | ',
      'deploy is stuck, what do I do? | deploy <service> [version] to <environment> [--force]',
    ]);
  });

  it('answers short sentences, and offers to where it may be one', async () => {
    const sentences: string[] = [];
    await open({}, (robot) => {
      withListings(robot);
      fallback(
        robot,
        async ({ text, reply }) => {
          sentences.push(text);
          await reply('answered');
        },
        (text) => ({ label: 'Ask', command: `rename ${text}` }),
      );
    });
    const spoken = ['deploy is stuck', 'deploy failed', 'rollouts keep hanging', 'rollouts never end'];
    for (const text of spoken) expect(await say('alice', `hubot ${text}`), text).to.equal('answered');
    expect(sentences).to.deep.equal(spoken);

    expect(await say('alice', 'hubot rollouts quiet tonight'))
      .to.contain('I do not understand `tonight` here')
      .and.contain('rename rollouts quiet tonight`');
    await room.press('alice', 'Ask');
    expect(room.messages.at(-1)?.[1]).to.equal('renamed rollouts quiet tonight');
    for (const text of ['deploy api to prod', 'rollouts aip', 'deploy api', 'depoly api to staging']) {
      expect(await say('alice', `hubot ${text}`), text)
        .to.not.contain('Ask')
        .and.not.contain('answered');
    }
  });

  it('suggests lines that run, of commands that the person may run', async () => {
    await open({}, (robot) => {
      withListings(robot);
      command(robot, {
        id: 'deploy.list',
        usage: 'deploys [service]',
        summary: 'List',
        examples: ['deploys'],
        args: { service: arg.service() },
        effect: 'read',
        needs: 'public',
        run: () => 'listed',
      });
    });
    const meant = async (who: string, text: string) => /Did you mean (.*)\?/.exec(await say(who, `hubot ${text}`))?.[1];
    expect(await meant('alice', 'deploi api v2 to production')).to.equal('`deploy api v2 to production`');
    expect(await meant('alice', 'deploi api')).to.equal('`deploys api`');
    expect(await meant('alice', 'deploi api v2 to')).to.equal('`deploy api v2 to` or `deploys api v2 to`');
    expect(await meant('mallory', 'deploi api v2 to production')).to.equal('`deploys api v2 to production`');
    expect(await say('mallory', 'hubot shp api to staging'))
      .to.contain('I know no command')
      .and.not.contain('ship');
  });

  it('takes a slash before a command, in what is for it', async () => {
    await open();
    expect(await say('alice', 'hubot /rename a b')).to.equal('renamed a b');
    expect(await say('alice', 'hubot /depoly api to staging')).to.contain('Did you mean `deploy api to staging`?');
    expect(await say('alice', '/rename a b')).to.equal('');
    const before = room.messages.length;
    await room.user.say('alice', '/rename c d', { addressed: true });
    expect(room.messages.slice(before + 1)).to.deep.equal([['hubot', 'renamed c d']]);
  });

  it('takes very long and very odd lines', async () => {
    await open();
    expect(await say('alice', `hubot ${'x '.repeat(6000)}`)).to.contain('longer than 8000');
    expect(await say('alice', 'hubot')).to.contain('I know no command');
    expect(await say('alice', 'hubot __proto__ constructor')).to.contain('I know no command');
    expect(await say('alice', 'hubot toString')).to.contain('I know no command');
  });

  describe('people from outside', () => {
    const email = 'alice@example.com';
    let people: MemoryPeople;
    let listened: string[];

    beforeEach(async () => {
      people = memoryPeople({ chats: new Map([['test', 'directory']]) });
      await people.save(account('test:alice', { email }), account('test:carol'));
      await people.save(account('test:guest', { outside: true, email }), account('test:gone', { active: false }));
      listened = [];
      await open({ people }, (robot) => {
        fallback(robot, async ({ reply }) => await reply('an answer'));
        robot.hear(/.*/, (response) => void listened.push(`${response.message.text}`));
        robot.respond(/tell/i, async (response) => void (await response.reply('told')));
        robot.receiveMiddleware(async ({ response }) => {
          listened.push(`middleware ${response.message.user.name}`);
          return true;
        });
      });
    });

    it('run nothing, not even what is public, and are told why', async () => {
      for (const who of ['guest', 'unknown']) {
        const answer = await say(who, 'hubot rename a b');
        expect(answer).to.contain(`test:${who}`).and.contain('can give it a role').and.contain('test:carol');
      }
      expect(await say('gone', 'hubot rename a b')).to.contain('deactivated');
      expect(await say('guest', 'hubot deploy api to staging')).to.contain('test:guest');
      expect(commands.audit.map((row) => [row.outcome, row.detail])).to.deep.equal([['refused', 'access.outside']]);
      expect(ran).to.deep.equal([]);
    });

    it('get no answer from the fallback, no hint what a line may have meant, and no listener hears them', async () => {
      for (const text of ['what is the api?', 'deploy', 'deploy api to stagin', 'tell me', 'renam a b', 'approve c1']) {
        const answer = await say('guest', `hubot ${text}`);
        expect(answer, text).to.contain('can give it a role').and.not.contain('usage').and.not.contain('Did you mean');
      }
      expect(await say('guest', 'they talk to each other')).to.equal('');
      expect(listened).to.deep.equal([]);
      expect(await say('alice', 'hubot tell me')).to.equal('@alice told');
      expect(listened).to.deep.equal(['middleware alice', 'hubot tell me']);
    });

    it('are kept in the history all the same', async () => {
      await say('guest', 'hubot what is the api?');
      await say('guest', 'they talk to each other');
      expect(commands.heard.filter(({ fromRobot }) => !fromRobot).map(({ text }) => text)).to.deep.equal([
        'hubot what is the api?',
        'they talk to each other',
      ]);
    });

    it('may do what was given to their account, and what is public then', async () => {
      await commands.access().grant({ id: 'test:guest', chat: 'test', name: 'guest' }, 'deployer', {
        id: 'test:carol',
        chat: 'test',
        name: 'carol',
      });
      expect(await say('guest', 'hubot deploy api v2 to staging')).to.equal('deployed');
      expect(await say('guest', 'hubot rename a b')).to.equal('renamed a b');
      expect(await say('guest', 'hubot tell me')).to.equal('@guest told');
    });

    it('confirm and approve nothing', async () => {
      expect(await say('alice', 'hubot deploy api v2 to staging --force')).to.contain('forced');
      await say('alice', 'hubot deploy api risky to staging');
      for (const line of ['confirm c1', 'cancel c1', 'approve c2', 'refuse c2']) {
        expect(await say('guest', `hubot ${line}`), line).to.contain('can give it a role');
      }
      expect(ran).to.deep.equal([]);
    });

    it('what waits for a word does not run once its asker is deactivated', async () => {
      await say('alice', 'hubot deploy api risky to staging');
      await people.save(account('test:alice', { active: false }));
      expect(await say('carol', 'hubot approve c1')).to.contain('deactivated');
      expect(ran).to.deep.equal([]);
    });

    it('nobody is heard while it cannot be found out who they are', async () => {
      people.fail();
      expect(await say('alice', 'hubot rename a b')).to.contain('cannot check who may do that');
      expect(await say('alice', 'hubot tell me')).to.contain('cannot check who may do that');
      expect(await say('alice', 'good morning')).to.equal('');
      expect(listened).to.deep.equal([]);
    });
  });

  describe('several accounts of one person', () => {
    it('never approve what another one of them asked for, also after the address was changed', async () => {
      const people = memoryPeople({ chats: new Map([['test', 'by hand']]) });
      const email = 'alice@example.com';
      await people.save(account('test:alice', { email }), account('test:carol', { email }), account('test:dora'));
      await open({
        people,
        policy: {
          roles: { deployer: ['deploy:*'], lead: ['approve:deploy'] },
          people: { 'test:alice': ['deployer'], 'test:carol': ['lead'], 'test:dora': ['lead'] },
        },
      });
      await say('alice', 'hubot deploy api risky to staging');
      expect(await say('carol', 'hubot approve c1')).to.contain('Somebody else must approve');
      await people.save(account('test:carol', { email: 'carol@example.com' }));
      expect(await say('carol', 'hubot approve c1')).to.contain('Somebody else must approve');
      expect(await say('carol', 'hubot refuse c1')).to.contain('Somebody else must approve');
      expect(ran).to.deep.equal([]);
      expect(await say('dora', 'hubot approve c1')).to.equal('deployed');
      expect(commands.audit.at(-1)?.approvedBy).to.equal('dora (test:dora)');
    });
  });
});

function inMemoryAccessThatFails() {
  const failing = async (): Promise<never> => {
    throw new Error('the policy cannot be read');
  };
  return {
    policy: { roles: {}, everyone: [], people: {}, groups: {} },
    admit: failing,
    admits: failing,
    samePerson: failing,
    isStill: failing,
    rightsOf: failing,
    require: failing,
    can: failing,
    mayHold: failing,
    rolesOf: failing,
    permissionsOf: failing,
    holders: failing,
    grants: failing,
    grant: failing,
    revoke: failing,
    forget: () => undefined,
  };
}

function brokenAudit() {
  const failing = async (): Promise<never> => {
    throw new Error('disk full');
  };
  return { begin: failing, end: failing, refuse: failing, list: failing };
}

/** A list and one of its entries: both begin with the same word. */
function withListings(robot: Robot): void {
  command(robot, {
    id: 'rollouts.list',
    usage: 'rollouts [service]',
    summary: 'List',
    examples: ['rollouts'],
    args: { service: arg.service() },
    effect: 'read',
    needs: 'public',
    run: ({ args }) => `listed ${args.service ?? 'all'}`,
  });
  command(robot, {
    id: 'rollouts.log',
    usage: 'rollouts log <number>',
    summary: 'Log',
    examples: ['rollouts log 3'],
    args: { number: arg.integer() },
    effect: 'read',
    needs: 'public',
    run: ({ args }) => `log ${args.number}`,
  });
}
