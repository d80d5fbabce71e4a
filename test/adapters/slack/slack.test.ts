import { expect } from 'chai';
import { CatchAllMessage, EnterMessage, LeaveMessage, TopicMessage } from 'hubot';
import { card, mention } from '../../../src/bot/card.ts';
import { DeliveryRefused } from '../../../src/bot/chat.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createInbox } from '../../../src/storage/inbox.ts';
import { testDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { failure } from '../../support/failure.ts';
import { collectingLog } from '../../support/log.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import { type SlackRobot, startSlackRobot } from '../../support/slack-robot.ts';

describe('Slack chat', function () {
  this.timeout(20_000);
  let db: Database;
  let slack: SlackServer;
  let bot: SlackRobot;
  const closers: (() => Promise<void>)[] = [];

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addPerson({ name: 'bob' });
    slack.addChannel({ name: 'ops', members: ['alice', 'bob'] });
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    slack.assertNoProblems();
    await slack.close();
  });

  async function start(more: Partial<Parameters<typeof startSlackRobot>[0]> = {}): Promise<SlackRobot> {
    bot = await startSlackRobot({ slack, db, ...more });
    closers.push(bot.close);
    return bot;
  }
  const id = (who: string) => `slack:${slack.person(who).id}`;
  const ops = () => ({ chat: 'slack', room: slack.channel('ops').id });
  const answers = (where: string, text: string) => slack.message(where, (message) => message.text.includes(text));
  const delivery = (content: Parameters<SlackRobot['posts']['post']>[1], more: object = {}) => ({
    nonce: `n${Math.random()}`,
    address: ops(),
    content,
    ...more,
  });

  describe('at the start', () => {
    it('says which variable is wrong and what to do when Slack refuses the token', async () => {
      for (const [chat, variable] of [
        ['slack', 'SLACK_BOT_TOKEN'],
        ['slack-emea', 'SLACK_EMEA_BOT_TOKEN'],
      ] as const) {
        const problem = await failure(start({ workspace: { chat, botToken: 'xoxb-wrong' } }));
        expect(problem).to.be.instanceOf(Error);
        expect(String(problem))
          .to.include('invalid_auth')
          .and.include(variable)
          .and.include('https://api.slack.com/apps');
        expect(String(problem)).not.to.include('xoxb-wrong');
      }
    });

    it('comes later if Slack cannot be reached yet', async () => {
      await slack.goDown();
      await start();
      await bot.posts.post(ops(), 'Deployed.');
      expect(slack.posts('ops')).to.have.length(0);
      await slack.comeBack();
      await answers('ops', 'Deployed.');
      await slack.connected();
      slack.say('alice', 'ops', 'echo hello', { mention: true });
      await answers('ops', 'hello');
    });

    it('takes up what a lost replica has not handled, of its own workspace', async () => {
      await start({ replica: 'heir' });
      const lost = createInbox(db, 'lost');
      const said = slack.workspace.addMessage({
        channel: slack.channel('ops').id,
        user: slack.person('alice').id,
        text: `<@${slack.bot.id}> echo left behind`,
      });
      const event = { type: 'app_mention', channel: said.channel, user: said.user, text: said.text, ts: said.ts };
      const body = slack.payload({ ...event, event_ts: said.ts });
      await lost.save({ chat: 'slack', kind: 'event', body, names: ['event:left'] });
      await lost.save({ chat: 'slack-emea', kind: 'event', body, names: ['event:left'] });
      await bot.chat.resume('lost');
      await answers('ops', 'left behind');
      expect(await createInbox(db, 'other').claimOf('lost', 'slack-emea')).to.have.length(1);
    });
  });

  describe('posts', () => {
    it('to a channel by name and by id, to a thread, to a person', async () => {
      await start();
      await bot.posts.post({ chat: 'slack', room: 'ops' }, 'one');
      await bot.posts.post({ chat: 'slack', room: '#ops' }, 'two');
      const root = slack.say('alice', 'ops', 'the disk is full');
      await bot.posts.post({ ...ops(), thread: root.ts }, 'three');
      await bot.posts.post({ chat: 'slack', room: id('bob') }, 'four');
      await answers('ops', 'one');
      await answers('ops', 'two');
      expect((await answers('ops', 'three')).threadTs).to.equal(root.ts);
      await slack.message(slack.dm('bob'), (message) => message.text === 'four');
      // Kept under the channel's id, however it was written.
      const one = slack.posts('ops').find(({ text }) => text === 'one');
      await eventually(async () => (await bot.messages.find('slack', ops().room, one?.ts ?? ''))?.fromRobot === true);
    });

    it('cards as blocks, with nothing unfolded and nobody mentioned by accident', async () => {
      await start();
      const content = card({ title: 'Hi', text: '@channel <!here> <@U1> https://example.com/', tone: 'good' });
      const { messageId } = await bot.chat.deliver(delivery(content));
      const message = await slack.message('ops', ({ ts }) => ts === messageId);
      expect(message.blocks[0]?.type).to.equal('header');
      expect(JSON.stringify(message.blocks)).not.to.match(/<!here|<@U1|@channel/);
      expect(message.args).to.include({ unfurl_links: false, unfurl_media: false });
    });

    it('mentions on purpose', async () => {
      await start();
      const bob = { id: id('bob'), name: 'bob' };
      await bot.chat.deliver(delivery(`Over to ${mention(bob)}.`));
      expect(JSON.stringify((await answers('ops', 'Over to')).blocks)).to.include(`<@${slack.person('bob').id}>`);
    });

    it('under another name and picture, where a role speaks', async () => {
      await start();
      await bot.chat.deliver(delivery(card({ title: 'A finding', speaker: { name: 'Security', icon: ':shield:' } })));
      expect(await answers('ops', 'A finding')).to.include({ username: 'Security', iconEmoji: ':shield:' });
    });

    it('what is too long as a beginning and a file', async () => {
      await start();
      const lines = Array.from({ length: 4_000 }, (_, n) => `line ${n} of the log`).join('\n');
      await bot.chat.deliver(delivery(card({ title: 'Log', text: `\`\`\`\n${lines}\n\`\`\`` })));
      await answers('ops', 'Log');
      const file = await eventually(
        () => [...slack.workspace.files.values()][0],
        (found) => (found?.shares.length ?? 0) > 0,
      );
      expect(file?.content?.toString()).to.include('line 3999 of the log');
    });

    it('and says so below it if Slack does not take the file', async () => {
      slack.fail('files.getUploadURLExternal', { as: 'missing_scope' });
      const log = collectingLog();
      await start({ parts: { log } });
      const lines = Array.from({ length: 4_000 }, (_, n) => `line ${n} of the log`).join('\n');
      const { messageId } = await bot.chat.deliver(delivery(`\`\`\`\n${lines}\n\`\`\``));
      expect((await answers('ops', 'The file is missing')).threadTs).to.equal(messageId);
      expect(log.lines.find(({ level }) => level === 'error')?.fields).to.include({ problem: 'missing_scope' });
      expect(JSON.stringify(log.lines)).to.not.include('of the log');
    });

    it('and changes them in place, until they are gone', async () => {
      await start();
      const { messageId } = await bot.chat.deliver(delivery('one'));
      expect(await bot.chat.update(delivery('two'), messageId)).to.equal('updated');
      const [message] = slack.posts('ops');
      expect(message?.text).to.equal('two');
      if (message) slack.delete(message);
      expect(await bot.chat.update(delivery('three'), messageId)).to.equal('gone');
    });

    it('once, although the answer to a post was lost', async () => {
      await start();
      slack.fail('chat.postMessage', { as: 'cut after' });
      await bot.posts.post(ops(), 'only once');
      await eventually(async () => {
        const [message] = slack.posts('ops');
        return message !== undefined && (await bot.messages.find('slack', message.channel, message.ts)) !== undefined;
      });
      expect(slack.posts('ops').map(({ text }) => text)).to.deep.equal(['only once']);
    });

    it('in order, although Slack asks for patience', async () => {
      await start();
      slack.fail('chat.postMessage', { as: 429, retryAfter: 1 });
      for (const text of ['one', 'two', 'three']) await bot.posts.post(ops(), text);
      await answers('ops', 'three');
      expect(slack.posts('ops').map(({ text }) => text)).to.deep.equal(['one', 'two', 'three']);
    });

    it('not where there is no such channel, and says what to do', async () => {
      await start();
      for (const room of ['nowhere', 'C0NOWHERE']) {
        const problem = await failure(bot.chat.deliver(delivery('x', { address: { chat: 'slack', room } })));
        expect(problem, room).to.be.instanceOf(DeliveryRefused);
        expect(String(problem)).to.include('/invite');
      }
    });

    it('not where the robot may not speak', async () => {
      await start();
      slack.addChannel({ name: 'theirs', bot: false });
      const problem = await failure(bot.chat.deliver(delivery('x', { address: { chat: 'slack', room: 'theirs' } })));
      expect(String(problem)).to.include('not in the channel').and.include('/invite');
    });
  });

  describe('tells one person alone', () => {
    it('what is only for that person', async () => {
      await start();
      slack.say('alice', 'ops', 'whisper the code is 1234', { mention: true });
      const told = await slack.ephemeral('alice', (message) => message.text.includes('1234'));
      expect(told).to.include({ channel: ops().room, by: 'call' });
      expect(slack.posts('ops')).to.have.length(0);
      const kept = await eventually(
        async () => await bot.messages.page({ chat: 'slack', room: ops().room, viewer: id('alice'), limit: 9 }),
        (page) => page.some(({ fromRobot, onlyTo }) => fromRobot && onlyTo === id('alice')),
      );
      const own = kept.find(({ fromRobot }) => fromRobot);
      expect(bot.chat.permalink(ops(), own?.messageId ?? '')).to.equal(undefined);
    });

    it('in the thread where it was asked', async () => {
      await start();
      const root = slack.say('bob', 'ops', 'what is the code?');
      slack.say('alice', 'ops', 'whisper psst', { mention: true, thread: root });
      expect((await slack.ephemeral('alice')).threadTs).to.equal(root.ts);
    });

    it('in a direct conversation as ever', async () => {
      await start();
      slack.tell('alice', 'whisper psst');
      await slack.message(slack.dm('alice'), (message) => message.text.includes('psst'));
      expect(slack.ephemerals).to.have.length(0);
    });

    it('directly, if that person is not in the channel', async () => {
      await start();
      slack.addPerson({ name: 'carol' });
      await bot.posts.post(ops(), 'psst', { onlyTo: id('carol') });
      await slack.message(slack.dm('carol'), (message) => message.text === 'psst');
    });

    it('what is too long as a beginning, and the whole as a file in the direct conversation, once', async () => {
      await start();
      const lines = Array.from({ length: 4_000 }, (_, n) => `line ${n} of the log`).join('\n');
      slack.fail('chat.postEphemeral', { as: 500 });
      await bot.posts.post(ops(), card({ title: 'Log', text: `\`\`\`\n${lines}\n\`\`\`` }), { onlyTo: id('alice') });
      const told = await slack.ephemeral('alice', (message) => message.text.includes('Log'));
      expect(JSON.stringify(told.blocks)).to.contain('The whole is in our direct conversation');
      const direct = slack.dm('alice').id;
      await slack.message(direct, ({ text }) => text.includes('Log'));
      const [file, second] = [...slack.workspace.files.values()];
      expect(file?.content?.toString()).to.include('line 3999 of the log');
      expect(file?.shares.map(({ channel }) => channel)).to.deep.equal([direct]);
      expect(second).to.equal(undefined);
      expect(slack.posts(direct).filter(({ text }) => text.includes('Log'))).to.have.length(1);
      expect(slack.posts('ops')).to.have.length(0);
    });

    it('only the beginning, where there is no direct conversation', async () => {
      await start();
      slack.fail('chat.postMessage', { as: 'messages_tab_disabled' });
      await bot.posts.post(ops(), 'a '.repeat(20_000), { onlyTo: id('alice') });
      const told = await slack.ephemeral('alice');
      expect(JSON.stringify(told.blocks)).to.contain('This is only the beginning');
    });

    it('again, when it is corrected', async () => {
      await start();
      const said = slack.say('alice', 'ops', 'whisper pst', { mention: true });
      await slack.ephemeral('alice', (message) => message.text === 'pst');
      slack.edit(said, `<@${slack.bot.id}> whisper psst`);
      await slack.ephemeral('alice', (message) => message.text === 'psst');
    });
  });

  it('knows where a person and the robot are alone', async () => {
    await start();
    const { id } = slack.person('alice');
    const direct = await bot.chat.direct({ id: `slack:${id}`, chat: 'slack', name: 'alice' });
    expect(direct?.chat).to.equal('slack');
    expect(await bot.chat.room(direct?.room ?? '')).to.deep.include({ direct: true, members: [`slack:${id}`] });
    expect(await bot.chat.direct({ id: 'web:1', chat: 'web', name: 'alice' })).to.equal(undefined);
  });

  describe('links', () => {
    it('lead to messages and into threads', async () => {
      await start();
      const { room } = ops();
      const link = bot.chat.permalink(ops(), '1700000000.000100');
      expect(link).to.equal(`https://example.slack.com/archives/${room}/p1700000000000100`);
      expect(bot.chat.permalink({ ...ops(), thread: '1600000000.000100' }, '1700000000.000100')).to.equal(
        `${link}?thread_ts=1600000000.000100&cid=${room}`,
      );
      expect(bot.chat.permalink({ chat: 'slack', room: 'never-heard-of' }, '1700000000.000100')).to.equal(undefined);
      expect(bot.chat.permalink(ops(), 'no message')).to.equal(undefined);
    });

    it('follow the workspace to its new address', async () => {
      await start();
      slack.renameWorkspace({ name: 'Example 2', domain: 'example-2' });
      await eventually(() => bot.chat.permalink(ops(), '1.2')?.startsWith('https://example-2.slack.com/') === true);
    });
  });

  describe('knows channels', () => {
    it('that it comes into, and says hello there once', async () => {
      await start();
      slack.addChannel({ name: 'dev', bot: false, members: ['alice'] });
      slack.join(slack.bot, 'dev');
      await answers('dev', 'Hello, I am shipmate');
      slack.leave(slack.bot, 'dev');
      slack.join(slack.bot, 'dev');
      slack.say('alice', 'dev', 'echo hello', { mention: true });
      await answers('dev', 'hello');
      expect(slack.posts('dev').filter(({ text }) => text.includes('Hello, I am'))).to.have.length(1);
    });

    it('and who comes and goes, for scripts and for what may be read', async () => {
      await start();
      slack.addChannel({ name: 'secret', kind: 'private', members: ['alice'] });
      const { id: secret } = slack.channel('secret');
      const members = async () => (await bot.messages.room('slack', secret))?.members ?? [];
      slack.say('alice', 'secret', 'echo hello', { mention: true });
      await answers('secret', 'hello');
      expect(await members()).to.deep.equal([id('alice')]);
      slack.join('bob', 'secret');
      await eventually(async () => (await members()).includes(id('bob')));
      slack.leave('bob', 'secret');
      await eventually(async () => !(await members()).includes(id('bob')));
      await eventually(() => bot.heard.some(({ kind }) => kind === LeaveMessage.name));
      const moves = bot.heard.filter(({ kind }) => kind !== CatchAllMessage.name);
      expect(moves.map(({ kind, user, room }) => [kind, user, room])).to.deep.equal([
        [EnterMessage.name, 'bob', secret],
        [LeaveMessage.name, 'bob', secret],
      ]);
    });

    it('by their newest name', async () => {
      await start();
      slack.say('alice', 'ops', 'echo hello', { mention: true });
      await answers('ops', 'hello');
      slack.renameChannel('ops', 'operations');
      const { id: room } = slack.channel('operations');
      await eventually(async () => (await bot.messages.room('slack', room))?.name === 'operations');
      await bot.posts.post({ chat: 'slack', room: 'operations' }, 'renamed');
      await answers('operations', 'renamed');
    });

    it('and their topics', async () => {
      await start();
      const ts = slack.workspace.newTs();
      const { room: channel } = ops();
      const user = slack.person('alice').id;
      const event = { type: 'message', channel, user, text: 'set', topic: 'on fire', ts, event_ts: ts };
      slack.emit({ ...event, subtype: 'channel_topic' });
      const heard = await eventually(
        () => bot.heard.find(({ kind }) => kind === TopicMessage.name),
        (found) => found !== undefined,
      );
      expect(heard).to.include({ text: 'on fire', room: channel });
    });

    it('as private if Slack does not say what they are', async () => {
      await start();
      slack.fail('conversations.info', { as: 'missing_scope', times: Infinity });
      slack.say('alice', 'ops', 'echo hello', { mention: true });
      await answers('ops', 'hello');
      expect(bot.ran[0]?.private).to.equal(true);
    });
  });

  describe('for plain scripts of Hubot', () => {
    it('sends in order, in the thread, and mentions whom it replies to', async () => {
      await start();
      bot.robot.hear(/open the pod bay doors/, async (response) => {
        await response.send('one', 'two');
        await response.reply('three');
        await response.emote('four');
      });
      const root = slack.say('bob', 'ops', 'hello');
      slack.say('alice', 'ops', 'open the pod bay doors', { thread: root });
      await answers('ops', 'four');
      const posts = slack.posts('ops');
      expect(posts.map(({ threadTs }) => threadTs)).to.deep.equal([root.ts, root.ts, root.ts, root.ts]);
      expect(posts.map(({ text }) => text)).to.deep.equal(['one', 'two', '@alice three', 'four']);
      expect(JSON.stringify(posts[2]?.blocks)).to.include(`<@${slack.person('alice').id}> three`);
    });

    it('finds rooms by name, and people', async () => {
      await start();
      await bot.robot.messageRoom('ops', 'to the room');
      await bot.robot.messageRoom(slack.person('alice').id, 'to alice');
      await answers('ops', 'to the room');
      await slack.message(slack.dm('alice'), (message) => message.text === 'to alice');
    });

    it('answers respond listeners in every way that somebody may call the robot', async () => {
      await start();
      bot.robot.respond(/ping$/, async (response) => void (await response.send('PONG')));
      slack.say('alice', 'ops', 'ping', { mention: true });
      await answers('ops', 'PONG');
      slack.tell('alice', 'ping');
      await slack.message(slack.dm('alice'), (message) => message.text === 'PONG');
    });

    it('sets the topic', async () => {
      await start();
      await bot.chat.topic({ room: 'ops' }, 'all is well');
      expect(slack.channel('ops').topic).to.equal('all is well');
    });
  });

  it('is in several workspaces at once, and keeps them apart', async () => {
    const emea = await startSlack({ teamName: 'EMEA', domain: 'emea' });
    closers.unshift(async () => {
      emea.assertNoProblems();
      await emea.close();
    });
    emea.addPerson({ name: 'carol' });
    emea.addChannel({ name: 'ops', members: ['carol'] });
    await start({ others: [{ chat: 'slack-emea', slack: emea }] });
    emea.say('carol', 'ops', 'echo from carol', { mention: true });
    slack.say('alice', 'ops', 'echo from alice', { mention: true });
    await answers('ops', 'from alice');
    await emea.message('ops', (message) => message.text === 'from carol');
    expect(new Map(bot.ran.map(({ what, person }) => [what, person]))).to.deep.equal(
      new Map([
        ['from alice', id('alice')],
        ['from carol', `slack-emea:${emea.person('carol').id}`],
      ]),
    );
    expect([slack.posts('ops').length, emea.posts('ops').length]).to.deep.equal([1, 1]);
    await bot.robot.messageRoom('slack-emea:ops', 'over there');
    await emea.message('ops', (message) => message.text === 'over there');
    const address = { chat: 'slack-emea', room: emea.channel('ops').id };
    expect(bot.robot.chats.get('slack-emea')?.permalink(address, '1.2')).to.match(/^https:\/\/emea\.slack\.com\//);
  });

  it('knows who is in a private channel, whichever replica was told that somebody left', async () => {
    slack.addChannel({ name: 'secret', kind: 'private', members: ['alice', 'bob'] });
    const { id: secret } = slack.channel('secret');
    await start({ replica: 'one' });
    const other = await startSlackRobot({ slack, db, replica: 'two' });
    closers.push(other.close);
    const members = async (robot: SlackRobot) => (await robot.chat.room(secret))?.members ?? [];
    expect(await members(bot)).to.include(id('bob'));
    expect(await members(other)).to.include(id('bob'));
    slack.leave('bob', 'secret');
    await eventually(async () => !(await members(bot)).includes(id('bob')));
    await eventually(async () => !(await members(other)).includes(id('bob')));
    for (const _ of [1, 2, 3, 4]) slack.say('alice', 'secret', 'after bob', { mention: true });
    await slack.settled();
    await eventually(() => bot.sentences.length + other.sentences.length === 4);
    expect((await bot.messages.room('slack', secret))?.members).to.deep.equal([id('alice')]);
  });

  it('by HTTP answers in the private channel where it was said', async () => {
    slack.addChannel({ name: 'secret', kind: 'private', members: ['alice'] });
    await start();
    slack.deliverBy('http');
    slack.say('alice', 'secret', 'echo hello', { mention: true });
    await answers('secret', 'hello');
    expect(bot.ran[0]).to.include({ room: slack.channel('secret').id, private: true });
  });

  it('leaves nobody without an answer whom the database cannot take', async () => {
    const down = async () => {
      throw new Error('the database is away');
    };
    await start({ parts: { people: { save: down, get: down, saveGroups: down } } });
    slack.addPerson({ name: 'carol' });
    slack.channel('ops').members.add(slack.person('carol').id);
    slack.say('carol', 'ops', 'echo hello', { mention: true });
    await answers('ops', 'not known to me');
    expect(bot.ran).to.deep.equal([]);
  });

  it('says what somebody must do when its token is revoked', async () => {
    const log = collectingLog();
    await start({ parts: { log } });
    expect(bot.chat.trouble).to.equal(undefined);
    slack.revokeTokens();
    await eventually(() => bot.chat.trouble !== undefined);
    expect(bot.chat.trouble).to.include('SLACK_BOT_TOKEN');
    expect(log.messages()).to.include('Slack refuses the token');
  });
});
