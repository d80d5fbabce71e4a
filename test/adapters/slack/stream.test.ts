import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { card } from '../../../src/bot/card.ts';
import { command } from '../../../src/bot/command.ts';
import type { LiveAnswer } from '../../../src/bot/live.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createPostStore } from '../../../src/storage/posts.ts';
import { testDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import type { Message } from '../../support/slack/workspace.ts';
import { type SlackRobot, startSlackRobot } from '../../support/slack-robot.ts';

describe('Slack streams', function () {
  this.timeout(30_000);
  let db: Database;
  let slack: SlackServer;
  let bot: SlackRobot;
  let lives: LiveAnswer[];
  let over: PromiseWithResolvers<void>;

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    lives = [];
    over = Promise.withResolvers();
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addChannel({ name: 'ops', members: ['alice'] });
    bot = await startSlackRobot({ slack, db });
    command(bot.robot, {
      id: 'novel.write',
      usage: 'write',
      summary: 'Write',
      examples: ['write'],
      effect: 'read',
      needs: 'public',
      async run({ live }) {
        if (live) lives.push(live());
        await over.promise;
      },
    });
    await slack.connected();
  });
  afterEach(async () => {
    // Some tests leave an answer as a killed robot would.
    await Promise.all(lives.map((live) => live.stop()));
    over.resolve();
    await bot.close();
    slack.assertNoProblems();
    await slack.close();
  });

  const calls = (method: string) => slack.calls.filter((call) => call.method === method);
  const appended = () => calls('chat.appendStream').map(({ args }) => args['markdown_text']);
  const draft = (text: string) => ({ content: () => card({ title: 'Draft', text }), text: () => text });
  const posts = () => slack.posts(slack.dm('alice')).filter(({ subtype }) => subtype === undefined);

  /** An answer in a thread of the direct conversation, begun. */
  async function begin(): Promise<{ readonly live: LiveAnswer; readonly thread: Message }> {
    const before = lives.length;
    const thread = slack.tell('alice', 'write');
    const live = await eventually(() => lives[before]);
    if (!live) throw new Error('nothing is live');
    return { live, thread };
  }

  async function only(fits: (message: Message) => boolean): Promise<Message> {
    const found = await slack.message(slack.dm('alice'), fits);
    await eventually(() => posts().length === 1);
    return found;
  }

  it('write on in front of the reader, and become the answer', async () => {
    const { live, thread } = await begin();
    live.show(draft('First **this**'));
    await eventually(() => appended().length === 1);
    live.show(draft('First **this**, then that'));
    await eventually(() => appended().length === 2);
    expect(appended()).to.deep.equal(['First **this**', ', then that']);
    const [started] = calls('chat.startStream');
    expect(started?.args).to.include({ thread_ts: thread.ts, recipient_user_id: slack.person('alice').id });
    expect(started?.args).to.include({ recipient_team_id: slack.workspace.teamId });
    await live.finish(card({ title: 'The answer', text: 'First this, then that. Done.' }));
    const shown = await only(({ text }) => text.includes('Done.'));
    expect(shown).to.include({ streaming: 'ended', threadTs: thread.ts });
    expect(JSON.stringify(shown.blocks)).to.contain('The answer').and.not.contain('First **this**');
    expect(calls('chat.postMessage').filter(({ args }) => args['channel'] === thread.channel)).to.have.length(0);
    const kept = await eventually(() => bot.messages.find('slack', thread.channel, shown.ts));
    expect(kept?.fromRobot).to.equal(true);
  });

  it('are edits outside of threads', async () => {
    slack.say('alice', 'ops', 'write', { mention: true });
    const live = await eventually(() => lives.at(-1));
    live?.show(draft('Some text'));
    await slack.message('ops', ({ text }) => text.includes('Some text'));
    await live?.finish('All of it');
    const { ts } = await slack.message('ops', ({ text }) => text.includes('All of it'));
    expect(slack.posts('ops')).to.have.length(1);
    const kept = () => bot.messages.find('slack', slack.channel('ops').id, ts);
    await eventually(async () => (await kept())?.text === 'All of it');
    expect(calls('chat.startStream')).to.have.length(0);
  });

  it('go on as edits when Slack ends them, and lose no text', async () => {
    const { live } = await begin();
    live.show(draft('One.'));
    await eventually(() => appended().length === 1);
    const [message] = posts();
    if (message) slack.endStream(message);
    live.show(draft('One. Two.'));
    const edited = await only(({ text }) => text.includes('One. Two.'));
    expect(edited.ts).to.equal(message?.ts);
    live.show(draft('One. Two. Three.'));
    await only(({ text }) => text.includes('Three.'));
    await live.finish('One. Two. Three. Four.');
    await only(({ text }) => text.includes('Four.'));
  });

  it('go on as edits when what was shown has changed', async () => {
    const { live } = await begin();
    live.show(draft('See [1]'));
    await eventually(() => appended().length === 1);
    live.show(draft('See the runbook'));
    await only(({ text }) => text.includes('See the runbook'));
    await live.finish('See the runbook. Done.');
    await only(({ text }) => text.includes('Done.'));
  });

  it('are edits where Slack knows none', async () => {
    slack.fail('chat.startStream', { as: 'unknown_method', times: Number.POSITIVE_INFINITY });
    const { live } = await begin();
    live.show(draft('Some text'));
    await only(({ text }) => text.includes('Some text'));
    await live.finish('All of it');
    await only(({ text }) => text.includes('All of it'));
    over.resolve();
    const second = await begin();
    second.live.show(draft('More text'));
    await slack.message(slack.dm('alice'), ({ text }) => text.includes('More text'));
    expect(calls('chat.startStream')).to.have.length(1);
  });

  it('send long texts in pieces that Slack takes', async () => {
    const { live } = await begin();
    live.show(draft('a'.repeat(25_000)));
    await eventually(() => appended().length === 3);
    expect(appended().map((piece) => String(piece).length)).to.deep.equal([12_000, 12_000, 1_000]);
  });

  it('mention nobody', async () => {
    const { live } = await begin();
    live.show(draft('<!channel> [@bob](person:slack:U1)'));
    await eventually(() => appended().length === 1);
    expect(appended()).to.deep.equal(['<\u2060!channel> @bob']);
  });

  it('that a killed robot was writing become the answer when the question is handled again', async () => {
    const asked = slack.tell('alice', 'hello');
    await slack.message(slack.dm('alice'), ({ text }) => text.includes('You said'));
    const left = slack.workspace.addMessage({
      channel: asked.channel,
      user: slack.bot.id,
      botId: slack.bot.botId,
      text: 'Half of',
      threadTs: asked.ts,
      streaming: 'open',
    });
    const address = { chat: 'slack', room: asked.channel, thread: asked.ts };
    const key = `answer:slack:${asked.channel}:${asked.ts}:${randomUUID()}`;
    await createPostStore(db).adopt(address, key, left.ts);
    await bot.posts.post(address, 'All of it', { key, answer: true });
    await eventually(() => left.text.includes('All of it'));
    expect(left.streaming).to.equal('ended');
  });
});
