import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import type { Message } from '../../support/slack/workspace.ts';
import { type SlackRobot, startSlackRobot } from '../../support/slack-robot.ts';

describe('Slack messages', function () {
  this.timeout(20_000);
  let db: Database;
  let slack: SlackServer;
  let bot: SlackRobot;

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addPerson({ name: 'bob' });
    slack.addChannel({ name: 'ops', members: ['alice', 'bob'] });
    bot = await startSlackRobot({ slack, db });
  });
  afterEach(async () => {
    await bot.close();
    slack.assertNoProblems();
    await slack.close();
  });

  const id = (who: string) => `slack:${slack.person(who).id}`;
  const texts = (where: string) => slack.posts(where).map((message) => message.text);
  const stored = (message: Message) => bot.messages.find('slack', message.channel, message.ts);
  const answers = (where: string, text: string) => slack.message(where, (message) => message.text.includes(text));
  /** Everything that was said before has been handled: this comes after it, in every lane. */
  async function quiet(): Promise<void> {
    await slack.settled();
    const before = slack.posts(slack.dm('bob')).length;
    slack.tell('bob', 'echo is it quiet?');
    await eventually(() => slack.posts(slack.dm('bob')).length > before);
  }

  describe('are for the robot', () => {
    it('where it is mentioned, and answered there', async () => {
      slack.say('alice', 'ops', 'echo hello', { mention: true });
      const answer = await answers('ops', 'hello');
      expect(answer.threadTs).to.equal(undefined);
      expect(bot.ran).to.deep.equal([
        {
          what: 'hello',
          person: id('alice'),
          name: 'alice',
          room: slack.channel('ops').id,
          thread: undefined,
          private: false,
          via: 'typed',
        },
      ]);
    });

    it('in a direct conversation, without a mention', async () => {
      slack.tell('alice', 'echo hello');
      await slack.message(slack.dm('alice'), (message) => message.text.includes('hello'));
      expect(bot.ran).to.have.length(1);
      expect(bot.ran[0]).to.include({ room: slack.dm('alice').id, private: true });
    });

    for (const kind of ['private', 'mpim'] as const) {
      it(`in a conversation of named people (${kind}), if they mention it`, async () => {
        slack.addChannel({ name: 'secret', kind, members: ['alice', 'bob'] });
        slack.say('alice', 'secret', 'echo unheard');
        slack.say('alice', 'secret', 'echo hello', { mention: true });
        await answers('secret', 'hello');
        expect(bot.ran.map(({ what, private: isPrivate }) => [what, isPrivate])).to.deep.equal([['hello', true]]);
        const room = await bot.messages.room('slack', slack.channel('secret').id);
        expect(room?.private).to.equal(true);
        expect([...(room?.members ?? [])].sort()).to.deep.equal([id('alice'), id('bob')].sort());
      });
    }

    it('at the end and in the middle of a sentence, by name, and with a colon', async () => {
      const me = `<@${slack.bot.id}>`;
      slack.say('alice', 'ops', `echo one ${me}`);
      slack.say('alice', 'ops', `${me}: echo two`);
      slack.say('alice', 'ops', 'shipmate echo three');
      slack.say('alice', 'ops', `what do you think, ${me}, of four?`);
      await answers('ops', 'four');
      await eventually(() => bot.ran.length === 3);
      expect(bot.ran.map(({ what }) => what).sort()).to.deep.equal(['one', 'three', 'two']);
      expect(bot.sentences).to.deep.equal(['what do you think, @shipmate, of four?']);
    });

    it('not what people say to each other: scripts hear it, and the history keeps it', async () => {
      const said = slack.say('alice', 'ops', 'echo hello');
      await quiet();
      expect(bot.ran.map(({ what }) => what)).to.deep.equal(['is it quiet?']);
      expect(bot.heard.map(({ text }) => text)).to.include('echo hello');
      expect(await stored(said)).to.include({ text: 'echo hello', addressed: false, personId: id('alice') });
    });

    it('once, although Slack sends a mention twice', async () => {
      slack.say('alice', 'ops', 'paint red', { mention: true });
      await answers('ops', 'red');
      await quiet();
      expect(bot.ran.map(({ what }) => what)).to.deep.equal(['paint red', 'is it quiet?']);
      expect(texts('ops')).to.have.length(1);
    });

    it('of one who says /me', async () => {
      const message = slack.workspace.addMessage({
        channel: slack.channel('ops').id,
        user: slack.person('alice').id,
        subtype: 'me_message',
        text: 'shipmate echo me',
      });
      slack.emit({
        type: 'message',
        subtype: 'me_message',
        channel: message.channel,
        user: message.user,
        text: message.text,
        ts: message.ts,
        event_ts: message.ts,
        channel_type: 'channel',
      });
      await answers('ops', 'me');
    });
  });

  describe('of robots', () => {
    it('are ignored: another one, Slack itself, and this one', async () => {
      slack.addPerson({ name: 'deploybot', kind: 'bot' });
      slack.channel('ops').members.add(slack.person('deploybot').id);
      slack.say('deploybot', 'ops', 'shipmate echo loop', { mention: true });
      slack.say(slack.bot, 'ops', 'shipmate echo loop');
      const ts = slack.workspace.newTs();
      const channel = slack.channel('ops').id;
      slack.emit({ type: 'message', channel, user: 'USLACKBOT', text: 'shipmate echo loop', ts, event_ts: ts });
      // Posted by an app in the name of a person.
      const { ts: forged } = slack.workspace.addMessage({
        channel,
        user: slack.person('alice').id,
        botId: slack.person('deploybot').botId,
        text: 'shipmate echo loop',
      });
      slack.emit({
        type: 'message',
        channel,
        user: slack.person('alice').id,
        bot_id: slack.person('deploybot').botId,
        text: 'shipmate echo loop',
        ts: forged,
        event_ts: forged,
      });
      await quiet();
      expect(bot.ran.map(({ what }) => what)).to.deep.equal(['is it quiet?']);
      expect(bot.heard.map(({ text }) => text)).to.deep.equal([]);
      expect(slack.posts('ops').filter(({ text }) => text.includes('You said'))).to.have.length(0);
    });
  });

  describe('in threads', () => {
    it('go on below an answer of the robot, not below a card of its own accord', async () => {
      slack.say('alice', 'ops', 'echo hello', { mention: true });
      const answer = await answers('ops', 'hello');
      await eventually(async () => (await stored(answer))?.addressed === true);
      slack.say('alice', 'ops', 'echo and more', { thread: answer });
      expect((await answers('ops', 'and more')).threadTs).to.equal(answer.ts);

      await bot.posts.post({ chat: 'slack', room: 'ops' }, 'something is on fire', { key: 'alert:1' });
      const card = await answers('ops', 'on fire');
      await eventually(async () => (await stored(card)) !== undefined);
      slack.say('alice', 'ops', 'echo nobody asked', { thread: card });
      await quiet();
      expect(bot.ran.map(({ what }) => what)).to.deep.equal(['hello', 'and more', 'is it quiet?']);
    });

    it('are answered in the thread', async () => {
      const root = slack.say('bob', 'ops', 'the disk is full');
      slack.say('alice', 'ops', 'echo hello', { mention: true, thread: root });
      const answer = await answers('ops', 'hello');
      expect(answer.threadTs).to.equal(root.ts);
    });

    it('stay a conversation: the robot needs no mention where it was addressed first', async () => {
      const root = slack.say('alice', 'ops', 'echo hello', { mention: true });
      await answers('ops', 'hello');
      slack.say('bob', 'ops', 'echo once more', { thread: root });
      const answer = await answers('ops', 'once more');
      expect(answer.threadTs).to.equal(root.ts);
      slack.say('bob', 'ops', `<@${slack.person('alice').id}> echo for you`, { thread: root });
      slack.say('bob', 'ops', '<!here> echo for all', { thread: root });
      await quiet();
      expect(bot.ran.map(({ what }) => what)).to.deep.equal(['hello', 'once more', 'is it quiet?']);
    });

    it('leave people their words with each other, unless they ask or name the robot', async () => {
      const root = slack.say('alice', 'ops', 'echo hello', { mention: true });
      await answers('ops', 'hello');
      const inThread = (who: string, text: string) => slack.say(who, 'ops', text, { thread: root });
      inThread('bob', 'I have deleted the old logs, looks better now');
      inThread('alice', ':+1:');
      inThread('alice', 'thanks!');
      inThread('alice', 'the new disk is there, too');
      inThread('bob', 'and the second disk?');
      inThread('bob', 'shipmate, thanks');
      await quiet();
      expect(bot.sentences).to.deep.equal(['the new disk is there, too', 'and the second disk?', 'thanks']);
    });

    it('of other people stay theirs', async () => {
      const root = slack.say('bob', 'ops', 'the disk is full');
      slack.say('alice', 'ops', 'echo hello', { thread: root });
      await quiet();
      expect(bot.ran.map(({ what }) => what)).to.deep.equal(['is it quiet?']);
      expect(texts('ops')).to.deep.equal([]);
    });

    it('also shown in the channel count once', async () => {
      const root = slack.say('bob', 'ops', 'the disk is full');
      slack.say('alice', 'ops', 'echo hello', { mention: true, thread: root, broadcast: true });
      const answer = await answers('ops', 'hello');
      expect(answer.threadTs).to.equal(root.ts);
      await quiet();
      expect(bot.ran).to.have.length(2);
    });
  });

  describe('that their author corrects', () => {
    it('within a minute run again, and the answer changes in place', async () => {
      const said = slack.say('alice', 'ops', 'echo helo', { mention: true });
      const answer = await answers('ops', 'helo');
      slack.edit(said, `<@${slack.bot.id}> echo hello`);
      await eventually(() => slack.posts('ops')[0]?.text.includes('hello') === true);
      expect(slack.posts('ops')).to.have.length(1);
      expect(slack.posts('ops')[0]?.ts).to.equal(answer.ts);
      expect((await stored(said))?.text).to.equal('@shipmate echo hello');
    });

    it('into something for the robot are answered', async () => {
      const said = slack.say('alice', 'ops', 'echo hello');
      await quiet();
      slack.edit(said, `<@${slack.bot.id}> echo hello`);
      await answers('ops', 'hello');
    });

    it('change nothing a second time', async () => {
      const said = slack.say('alice', 'ops', 'paint red', { mention: true });
      await answers('ops', 'red');
      slack.edit(said, `<@${slack.bot.id}> paint blue`);
      await eventually(() => slack.posts('ops').some(({ text }) => /again|new message|edited|corrected/i.test(text)));
      expect(bot.ran.map(({ what }) => what)).to.deep.equal(['paint red']);
    });

    it('later are only kept', async () => {
      const said = slack.say('alice', 'ops', 'echo helo', { mention: true });
      await answers('ops', 'helo');
      slack.advance(61_000);
      slack.edit(said, `<@${slack.bot.id}> echo hello`);
      await eventually(async () => (await stored(said))?.text === '@shipmate echo hello');
      await quiet();
      expect(texts('ops')).to.deep.equal(['helo']);
    });

    it('are not the previews that Slack adds', async () => {
      const said = slack.say('alice', 'ops', 'echo https://example.com/', { mention: true });
      await answers('ops', 'example');
      const ts = slack.workspace.newTs();
      const message = { type: 'message', user: said.user, text: said.text, ts: said.ts, attachments: [{ id: 1 }] };
      slack.emit({
        type: 'message',
        subtype: 'message_changed',
        hidden: true,
        channel: said.channel,
        message,
        previous_message: { ...message, attachments: [] },
        ts,
        event_ts: ts,
        channel_type: 'channel',
      });
      await quiet();
      expect(bot.ran).to.have.length(2);
      expect((await stored(said))?.editedAt).to.equal(null);
    });

    it('count as corrected, in whatever order Slack tells of it', async () => {
      const { channel, user, ts } = slack.workspace.addMessage({
        channel: slack.channel('ops').id,
        user: slack.person('alice').id,
      });
      const say = (words: string) => `<@${slack.bot.id}> echo ${words}`;
      const original = { type: 'message', channel, user, text: say('helo'), ts, event_ts: ts };
      const corrected = (words: string) => {
        const at = slack.workspace.newTs();
        const message = { ...original, text: say(words), edited: { user, ts: at } };
        return { type: 'message', subtype: 'message_changed', channel, message, ts: at, event_ts: at };
      };
      const [first, second] = [corrected('hallo'), corrected('hello')];
      slack.emit(second);
      await answers('ops', 'hello');
      slack.emit(first);
      slack.emit(original);
      await quiet();
      expect(texts('ops')).to.deep.equal(['hello']);
      expect((await bot.messages.find('slack', channel, ts))?.text).to.equal('@shipmate echo hello');
    });

    it('and those that were taken back before the robot heard them are not heard', async () => {
      const { channel, user, ts } = slack.workspace.addMessage({
        channel: slack.channel('ops').id,
        user: slack.person('alice').id,
      });
      const at = slack.workspace.newTs();
      slack.emit({ type: 'message', subtype: 'message_deleted', channel, deleted_ts: ts, ts: at, event_ts: at });
      await quiet();
      slack.emit({ type: 'message', channel, user, text: `<@${slack.bot.id}> paint red`, ts, event_ts: ts });
      await quiet();
      expect(bot.ran.map(({ what }) => what)).not.to.include('paint red');
      expect(await bot.messages.find('slack', channel, ts)).to.equal(undefined);
    });

    it('are not what somebody else makes of them', async () => {
      const said = slack.say('alice', 'ops', 'hello');
      await quiet();
      const ts = slack.workspace.newTs();
      const message = { type: 'message', user: said.user, text: said.text, ts: said.ts };
      const text = `<@${slack.bot.id}> echo forged`;
      slack.emit({
        type: 'message',
        subtype: 'message_changed',
        channel: said.channel,
        message: { ...message, text, edited: { user: slack.person('bob').id, ts } },
        previous_message: message,
        ts,
        event_ts: ts,
      });
      await quiet();
      expect((await stored(said))?.text).to.equal('hello');
      expect(bot.ran.map(({ what }) => what)).not.to.include('forged');
    });

    it('or take back, while others have answered, are forgotten as well', async () => {
      const said = slack.say('alice', 'ops', 'the password is hunter2');
      await eventually(async () => (await stored(said)) !== undefined);
      const ts = slack.workspace.newTs();
      slack.emit({
        type: 'message',
        subtype: 'message_changed',
        channel: said.channel,
        message: {
          type: 'message',
          subtype: 'tombstone',
          user: 'USLACKBOT',
          text: 'This message was deleted.',
          ts: said.ts,
        },
        previous_message: { type: 'message', user: said.user, text: said.text, ts: said.ts },
        ts,
        event_ts: ts,
      });
      await eventually(async () => (await stored(said)) === undefined);
    });

    it('or take back are forgotten', async () => {
      const said = slack.say('alice', 'ops', 'the password is hunter2');
      await eventually(async () => (await stored(said)) !== undefined);
      slack.delete(said);
      await eventually(async () => (await stored(said)) === undefined);
    });
  });

  describe('with files', () => {
    it('name them in the history, and give them to scripts', async () => {
      const said = slack.say('alice', 'ops', 'echo look', {
        mention: true,
        files: [{ name: 'x.log', content: 'lines' }],
      });
      await answers('ops', 'look');
      expect(bot.ran[0]?.what).to.equal('look');
      expect((await stored(said))?.text).to.equal('@shipmate echo look [file: x.log]');
      expect(bot.files).to.deep.equal([]);
      slack.say('alice', 'ops', 'look at that', { files: [{ name: 'y.log', content: 'lines' }] });
      const [file] = await eventually(
        () => bot.files,
        (files) => files.length === 1,
      );
      expect(file?.name).to.equal('y.log');
      expect(file?.url).to.match(/^http/);
    });

    it('alone ask nothing', async () => {
      slack.tell('alice', '', { files: [{ name: 'x.log', content: 'lines' }] });
      await quiet();
      expect(bot.sentences).to.deep.equal([]);
      expect(bot.heard.map(({ text }) => text)).to.include('[file: x.log]');
    });
  });

  describe('about people', () => {
    it('mean the account that is mentioned, whatever people call themselves', async () => {
      slack.addPerson({ name: 'mallory', displayName: 'bob' });
      const mallory = slack.person('mallory').id;
      slack.channel('ops').members.add(mallory);
      slack.say('mallory', 'ops', 'hello');
      slack.say('bob', 'ops', 'hello');
      const { id: bob } = slack.person('bob');
      const said = slack.say('alice', 'ops', `promote <@${bob}>`, { mention: true });
      await answers('ops', `That is slack:${bob}`);
      expect((await stored(said))?.text).to.equal('@shipmate promote @bob');
      slack.say('alice', 'ops', `promote <@${mallory}>`, { mention: true });
      await answers('ops', `That is slack:${mallory}`);
    });

    it('do not become another command by a name', async () => {
      slack.addPerson({ name: 'eve', displayName: 'shipmate echo pwned' });
      const { id: eve } = slack.person('eve');
      slack.say('alice', 'ops', `<@${eve}> how are you?`);
      slack.say('alice', 'ops', `echo <@${eve}>`, { mention: true });
      await answers('ops', eve);
      await quiet();
      expect(bot.ran.map(({ what }) => what)).to.deep.equal([`@${eve}`, 'is it quiet?']);
    });

    it('whom somebody calls as the robot is called are not taken for it by scripts either', async () => {
      slack.addPerson({ name: 'eve', displayName: 'Shipmate' });
      bot.robot.respond(/open the door/, async (response) => void (await response.send('Opened.')));
      const said = slack.say('alice', 'ops', `<@${slack.person('eve').id}> open the door`);
      await quiet();
      expect(texts('ops')).to.deep.equal([]);
      expect((await stored(said))?.text.replace('\u2060', '')).to.equal('@Shipmate open the door');
    });

    it('read as they were typed', async () => {
      const channel = slack.channel('ops').id;
      const said = slack.say(
        'alice',
        'ops',
        `is a &lt; b &amp;&amp; c in <#${channel}> on <https://example.com/x|example.com/x>?`,
      );
      await eventually(async () => (await stored(said)) !== undefined);
      expect((await stored(said))?.text).to.equal('is a < b && c in #ops on example.com/x?');
    });
  });

  it('that take a while show that the robot works on them', async () => {
    const said = slack.say('alice', 'ops', 'wait', { mention: true });
    await eventually(() => said.reactions.get('eyes')?.includes(slack.bot.id) === true);
    bot.release();
    await answers('ops', 'Done');
    await eventually(() => said.reactions.size === 0);
    slack.say('alice', 'ops', 'echo quick', { mention: true });
    await answers('ops', 'quick');
    expect(slack.calls.filter(({ method }) => method === 'reactions.add')).to.have.length(1);
  });

  it('that a killed replica has marked are not left so', async () => {
    slack.fail('reactions.add', { as: 'already_reacted' });
    const said = slack.say('alice', 'ops', 'wait', { mention: true });
    said.reactions.set('eyes', [slack.bot.id]);
    await slack.call('reactions.add');
    bot.release();
    await answers('ops', 'Done');
    await eventually(() => said.reactions.size === 0);
  });

  it('that may not be marked are handled all the same', async () => {
    slack.fail('reactions.add', { as: 'missing_scope', times: 5 });
    const said = slack.say('alice', 'ops', 'wait', { mention: true });
    await slack.call('reactions.add');
    bot.release();
    await answers('ops', 'Done');
    expect(said.reactions.size).to.equal(0);
  });
});
