import { expect } from 'chai';
import { card } from '../../../src/bot/card.ts';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import { type SlackRobot, startSlackRobot } from '../../support/slack-robot.ts';

describe('Slack buttons', function () {
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
  const answers = (where: string, text: string) => slack.message(where, (message) => message.text.includes(text));
  const choose = () => slack.message('ops', (message) => message.text.includes('Choose'));

  it('run a command as who presses them, where the card is', async () => {
    slack.say('alice', 'ops', 'card', { mention: true });
    await slack.press('bob', await choose(), 'Paint it red');
    const answer = await answers('ops', 'red now');
    expect(answer.threadTs).to.equal(undefined);
    expect(bot.ran).to.deep.equal([
      {
        what: 'paint red',
        person: id('bob'),
        name: 'bob',
        room: slack.channel('ops').id,
        thread: undefined,
        private: false,
        via: 'button',
      },
    ]);
  });

  it('answer in the thread of their card', async () => {
    const root = slack.say('alice', 'ops', 'card?');
    slack.say('alice', 'ops', 'card', { mention: true, thread: root });
    await slack.press('bob', await choose(), 'Say hello');
    expect((await answers('ops', 'hello')).threadTs).to.equal(root.ts);
  });

  it('work in direct conversations', async () => {
    slack.tell('alice', 'card');
    const shown = await slack.message(slack.dm('alice'), (message) => message.text.includes('Choose'));
    await slack.press('alice', shown, 'Say hello');
    await slack.message(slack.dm('alice'), (message) => message.text.includes('hello'));
    expect(bot.ran[0]).to.include({ person: id('alice'), room: slack.dm('alice').id, private: true });
  });

  it('include selects', async () => {
    slack.say('alice', 'ops', 'card', { mention: true });
    await slack.choose('bob', await choose(), 'Another colour…', 'Green');
    await answers('ops', 'green now');
    expect(bot.ran[0]).to.include({ what: 'paint green', person: id('bob') });
  });

  it('and menus', async () => {
    const actions = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'].map((word) => ({
      label: word,
      command: `echo ${word}`,
    }));
    await bot.posts.post({ chat: 'slack', room: 'ops' }, card({ title: 'Many', actions }));
    const shown = await slack.message('ops', (message) => message.text.includes('Many'));
    const menu = shown.blocks.flatMap((block) => {
      const elements: unknown = block['elements'];
      return Array.isArray(elements) ? elements.filter((one) => one?.type === 'overflow') : [];
    });
    await slack.choose('bob', shown, menu[0]?.action_id, 'seven');
    await answers('ops', 'seven');
  });

  it('run once when Slack delivers a press twice, and twice when somebody presses twice', async () => {
    slack.say('alice', 'ops', 'card', { mention: true });
    const shown = await choose();
    await slack.press('bob', shown, 'Paint it red');
    expect(await slack.dispatcher.again()).to.include({ kind: 'acknowledged' });
    await eventually(() => bot.ran.length === 1);
    await slack.press('bob', shown, 'Paint it red');
    await eventually(() => bot.ran.length === 2);
    await slack.press('bob', shown, 'Say hello');
    await answers('ops', 'hello');
    expect(bot.ran.map(({ what }) => what)).to.deep.equal(['paint red', 'paint red', 'hello']);
  });

  it('of what only one person sees are answered to that person', async () => {
    const actions = [{ label: 'Say hello', command: 'echo hello' }];
    await bot.posts.post({ chat: 'slack', room: 'ops' }, card({ title: 'For you', actions }), { onlyTo: id('bob') });
    const shown = await slack.ephemeral('bob', (message) => message.text.includes('For you'));
    await slack.press('bob', shown, 'Say hello');
    const answer = await slack.ephemeral('bob', (message) => message.text.includes('hello'));
    expect(answer.by).to.equal('response_url');
    expect(slack.posts('ops')).to.have.length(0);
  });

  it('give people from outside nothing, and only they hear so', async () => {
    slack.addPerson({ name: 'eve', kind: 'stranger' });
    slack.channel('ops').members.add(slack.person('eve').id);
    slack.say('alice', 'ops', 'card', { mention: true });
    await slack.press('eve', await choose(), 'Paint it red');
    await slack.ephemeral('eve', ({ text }) => text.includes('guest, of another organisation'));
    expect(bot.ran).to.deep.equal([]);
    expect(slack.posts('ops')).to.have.length(1);
  });

  it('are in the history as what was said', async () => {
    slack.say('alice', 'ops', 'card', { mention: true });
    const shown = await choose();
    await slack.press('bob', shown, 'Say hello');
    await answers('ops', 'hello');
    const { id: room } = slack.channel('ops');
    const page = await bot.messages.page({ chat: 'slack', room, limit: 10 });
    const press = page.find(({ personId }) => personId === id('bob'));
    expect(press?.text).to.equal('echo hello');
    // A link to it leads to the card.
    const link = bot.chat.permalink({ chat: 'slack', room }, press?.messageId ?? '');
    expect(link).to.equal(`https://example.slack.com/archives/${room}/p${shown.ts.replace('.', '')}`);
  });
});
