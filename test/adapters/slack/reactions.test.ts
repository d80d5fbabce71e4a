import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import { type SlackRobot, startSlackRobot } from '../../support/slack-robot.ts';

describe('Slack reactions', function () {
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
    slack.addPerson({ name: 'deploybot', kind: 'bot' });
    slack.addChannel({ name: 'ops', members: ['alice', 'bob', 'deploybot'] });
    const reactions = new Map([
      ['white_check_mark', 'paint'],
      ['+1', 'paint'],
      ['wave', 'nothing'],
    ]);
    bot = await startSlackRobot({ slack, db, workspace: { reactions } });
  });
  afterEach(async () => {
    await bot.close();
    slack.assertNoProblems();
    await slack.close();
  });

  const answers = (where: string, text: string) => slack.message(where, (message) => message.text.includes(text));
  async function shown() {
    slack.say('alice', 'ops', 'card', { mention: true });
    return await slack.message('ops', (message) => message.text.includes('Choose'));
  }
  /** Everything before has been handled. */
  async function quiet(): Promise<void> {
    await slack.settled();
    slack.tell('bob', 'echo is it quiet?');
    await slack.message(slack.dm('bob'), (message) => message.text.includes('is it quiet?'));
  }

  it('press the button whose command begins so, as who reacts', async () => {
    slack.react('bob', await shown(), 'white_check_mark');
    await answers('ops', 'red now');
    expect(bot.ran).to.have.length(1);
    expect(bot.ran[0]).to.include({ what: 'paint red', person: `slack:${slack.person('bob').id}`, via: 'button' });
  });

  for (const as of ['unknown_method', 'missing_scope', 404] as const) {
    it(`press it where reactions cannot be read (${as})`, async () => {
      slack.fail('reactions.get', { as });
      const root = slack.say('bob', 'ops', 'the wall');
      slack.say('alice', 'ops', 'card', { mention: true, thread: root });
      slack.react('bob', await answers('ops', 'Choose'), 'white_check_mark');
      expect((await answers('ops', 'red now')).threadTs).to.equal(root.ts);
    });
  }

  it('mean nothing where the message cannot be read at all', async () => {
    const message = await shown();
    slack.fail('reactions.get', { as: 'unknown_method' });
    slack.fail('conversations.replies', { as: 'unknown_method' });
    slack.react('bob', message, 'white_check_mark');
    await quiet();
    expect(bot.ran.map(({ what }) => what)).to.not.include('paint red');
  });

  it('of every colour of skin', async () => {
    slack.react('bob', await shown(), '+1::skin-tone-3');
    await answers('ops', 'red now');
  });

  it('press again when they are made again', async () => {
    const message = await shown();
    slack.react('bob', message, 'white_check_mark');
    await eventually(() => bot.ran.length === 1);
    slack.unreact('bob', message, 'white_check_mark');
    slack.react('bob', message, 'white_check_mark');
    await eventually(() => bot.ran.length === 2);
  });

  it('in a thread are answered there', async () => {
    const root = slack.say('bob', 'ops', 'the wall');
    slack.say('alice', 'ops', 'card', { mention: true, thread: root });
    slack.react('bob', await answers('ops', 'Choose'), 'white_check_mark');
    expect((await answers('ops', 'red now')).threadTs).to.equal(root.ts);
  });

  it('that nobody configured mean nothing', async () => {
    const message = await shown();
    slack.react('bob', message, 'heart');
    slack.react('bob', message, 'wave');
    await quiet();
    expect(bot.ran.map(({ what }) => what)).to.deep.equal(['is it quiet?']);
  });

  it('of robots mean nothing', async () => {
    const message = await shown();
    slack.react('deploybot', message, 'white_check_mark');
    slack.react(slack.bot, message, 'white_check_mark');
    await quiet();
    expect(bot.ran.map(({ what }) => what)).to.deep.equal(['is it quiet?']);
  });

  it("on other people's messages mean nothing, whatever buttons those show", async () => {
    const own = await shown();
    const said = slack.say('deploybot', 'ops', 'paint it?');
    said.blocks = own.blocks;
    slack.react('bob', said, 'white_check_mark');
    slack.react('bob', slack.say('alice', 'ops', 'paint red'), 'white_check_mark');
    await quiet();
    expect(bot.ran.map(({ what }) => what)).to.deep.equal(['is it quiet?']);
  });

  it('of people from outside give them nothing', async () => {
    slack.addPerson({ name: 'eve', kind: 'guest' });
    slack.channel('ops').members.add(slack.person('eve').id);
    slack.react('eve', await shown(), 'white_check_mark');
    await slack.ephemeral('eve', ({ text }) => text.includes('guest, of another organisation'));
    expect(bot.ran).to.deep.equal([]);
  });
});
