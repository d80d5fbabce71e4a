import { expect } from 'chai';
import { card } from '../../../src/bot/card.ts';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import type { AppView } from '../../support/slack/workspace.ts';
import { type SlackSurfacesRobot, startSurfaces } from '../../support/slack-surfaces.ts';

describe('Slack conversation with the app', function () {
  this.timeout(20_000);
  let db: Database;
  let slack: SlackServer;
  let bot: SlackSurfacesRobot;

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  afterEach(async () => {
    await bot.close();
    slack.assertNoProblems();
    await slack.close();
  });

  async function start(view: AppView): Promise<void> {
    slack = await startSlack({ view });
    slack.addPerson({ name: 'alice' });
    slack.addChannel({ name: 'ops', members: ['alice'] });
    const titles = ['What is up?', 'What is firing?', 'What runs where?', 'Ask', 'One too many'];
    bot = await startSurfaces(slack, db, {
      services: [],
      suggestions: ({ name }) => titles.map((title) => ({ title, command: `echo ${title} ${name}` })),
    });
    await slack.connected();
  }

  const ofKind = (kind: string) => slack.statuses.filter((status) => status.kind === kind);
  const calls = (name: string) => slack.calls.filter(({ method }) => method.startsWith(name));
  const answer = (part: string) => slack.message(slack.dm('alice'), (message) => message.text.includes(part));

  describe('with an agent_view', () => {
    beforeEach(() => start('agent'));

    it('suggests what that person may use where the conversation is opened', async () => {
      slack.openHome('alice', 'messages');
      const { prompts, threadTs } = await slack.status(({ kind }) => kind === 'prompts');
      expect(prompts).to.have.length(4);
      expect(prompts[0]).to.deep.equal({ title: 'What is up?', message: 'echo What is up? alice' });
      expect(threadTs).to.equal('');
      slack.openHome('alice', 'home');
      await slack.home('alice');
      expect(ofKind('prompts')).to.have.length(1);
    });

    it('answers each message in its thread, which is called by it and goes on as the same conversation', async () => {
      const first = slack.tell('alice', 'echo *hello* &amp; more');
      expect((await answer('hello')).threadTs).to.equal(first.ts);
      const title = await slack.status(({ kind }) => kind === 'title');
      expect(title.threadTs).to.equal(first.ts);
      expect(title.text).to.contain('hello').and.contain('& more');
      slack.tell('alice', 'echo again', { thread: first });
      expect((await answer('again')).threadTs).to.equal(first.ts);
      const second = slack.tell('alice', 'echo elsewhere');
      expect((await answer('elsewhere')).threadTs).to.equal(second.ts);
      await slack.status(({ kind, threadTs }) => kind === 'title' && threadTs === second.ts);
      expect(ofKind('title')).to.have.length(2);
      expect(bot.ran.map(({ thread }) => thread)).to.deep.equal([first.ts, first.ts, second.ts]);
    });

    it('keeps the message as the root of what answers it', async () => {
      const first = slack.tell('alice', 'echo hello');
      await answer('hello');
      const room = slack.dm('alice').id;
      const inThread = await eventually(
        () => bot.messages.page({ chat: 'slack', room, thread: first.ts, limit: 10 }),
        (found) => found.length === 2,
      );
      expect(inThread.map(({ thread }) => thread)).to.deep.equal([null, first.ts]);
    });

    it('says in the thread that it is working, until it has answered', async () => {
      const asked = slack.tell('alice', 'wait');
      await slack.status(({ kind, text, threadTs }) => kind === 'status' && text !== '' && threadTs === asked.ts);
      // A message in a channel gets its sign, and this one none, although it has waited longer.
      const elsewhere = slack.say('alice', 'ops', 'wait', { mention: true });
      await eventually(() => elsewhere.reactions.has('eyes'));
      expect(asked.reactions.size).to.equal(0);
      bot.release();
      await answer('Done waiting');
      await slack.status(() => slack.workspace.threads.find(({ ts }) => ts === asked.ts)?.status === '');
    });

    it('runs a corrected message again in its thread', async () => {
      const asked = slack.tell('alice', 'echo helo');
      await answer('helo');
      slack.edit(asked, 'echo hello');
      expect((await answer('hello')).threadTs).to.equal(asked.ts);
    });

    it('answers who presses a button there in the thread of the message', async () => {
      const room = slack.dm('alice').id;
      const actions = [{ label: 'Say hello', command: 'echo hello' }];
      await bot.posts.post({ chat: 'slack', room }, card({ title: 'By itself', actions }));
      const own = await answer('By itself');
      expect(own.threadTs).to.equal(undefined);
      await slack.press('alice', own, 'Say hello');
      expect((await answer('hello')).threadTs).to.equal(own.ts);
      expect(bot.ran.map(({ thread }) => thread)).to.deep.equal([own.ts]);
    });

    it('leaves channels as they are', async () => {
      slack.say('alice', 'ops', 'echo hello', { mention: true });
      expect((await slack.message('ops', ({ text }) => text.includes('hello'))).threadTs).to.equal(undefined);
      expect(calls('assistant.')).to.have.length(0);
    });

    it('is left alone where the workspace has none', async () => {
      slack.fail('assistant.threads.setSuggestedPrompts', { as: 'feature_not_enabled' });
      slack.openHome('alice', 'messages');
      await slack.call('assistant.threads.setSuggestedPrompts');
      slack.tell('alice', 'echo hello');
      await answer('hello');
      const before = calls('assistant.').length;
      slack.tell('alice', 'echo again');
      await answer('again');
      expect(calls('assistant.')).to.have.length(before);
    });
  });

  describe('with an assistant_view', () => {
    beforeEach(() => start('assistant'));

    it('suggests what that person may use, when it is opened and when they look elsewhere', async () => {
      const thread = slack.openAssistant('alice');
      const { prompts, threadTs } = await slack.status(({ kind }) => kind === 'prompts');
      expect(prompts).to.have.length(4);
      expect(prompts[0]).to.deep.equal({ title: 'What is up?', message: 'echo What is up? alice' });
      expect(threadTs).to.equal(thread.ts);
      slack.changeContext(thread, 'ops');
      await slack.settled();
      await slack.status(() => ofKind('prompts').length === 2);
    });

    it('does without prompts where Slack takes them for threads only', async () => {
      slack.openHome('alice', 'messages');
      await slack.call('assistant.threads.setSuggestedPrompts');
      slack.tell('alice', 'echo done');
      await answer('done');
      slack.openHome('alice', 'messages');
      slack.openAssistant('alice');
      await slack.status(({ kind, threadTs }) => kind === 'prompts' && threadTs !== '');
      expect(calls('assistant.threads.setSuggestedPrompts')).to.have.length(2);
    });

    it('hears what is said there, answers there, and is called by the first question', async () => {
      const thread = slack.openAssistant('alice');
      const first = slack.tell('alice', 'echo *hello* &amp; more', { thread });
      expect((await answer('hello')).threadTs).to.equal(first.threadTs);
      expect((await slack.status(({ kind }) => kind === 'title')).text)
        .to.contain('hello')
        .and.contain('& more');
      slack.tell('alice', 'echo again', { thread });
      await answer('again');
      await slack.settled();
      expect(ofKind('title')).to.have.length(1);
    });

    it('says that it is working, until it has answered', async () => {
      const thread = slack.openAssistant('alice');
      slack.tell('alice', 'wait', { thread });
      await slack.status(({ kind, text }) => kind === 'status' && text !== '');
      bot.release();
      await answer('Done waiting');
      await slack.status(() => thread.status === '');
    });

    it('gives no title to a thread that it has not seen opened, unless the question is its first', async () => {
      const root = slack.workspace.addMessage({
        channel: slack.dm('alice').id,
        user: slack.person('alice').id,
        text: 'of long ago',
      });
      slack.tell('alice', 'echo reply', { thread: root });
      await answer('reply');
      await slack.call('conversations.replies');
      expect(ofKind('title')).to.have.length(0);
    });

    it('is left alone where the workspace has none', async () => {
      slack.fail('assistant.threads.setSuggestedPrompts', { as: 'feature_not_enabled' });
      slack.openAssistant('alice');
      await slack.call('assistant.threads.setSuggestedPrompts');
      slack.tell('alice', 'echo hello', { thread: slack.openAssistant('alice') });
      await answer('hello');
      const before = calls('assistant.').length;
      slack.tell('alice', 'echo again', { thread: slack.openAssistant('alice') });
      await answer('again');
      expect(calls('assistant.')).to.have.length(before);
    });
  });

  describe('with neither', () => {
    beforeEach(() => start('none'));

    it('is flat, but for threads that somebody begins, and asks Slack for nothing', async () => {
      slack.openHome('alice', 'messages');
      const first = slack.tell('alice', 'echo hello');
      expect((await answer('hello')).threadTs).to.equal(undefined);
      slack.tell('alice', 'echo in a thread', { thread: first });
      expect((await answer('in a thread')).threadTs).to.equal(first.ts);
      expect(bot.ran.map(({ thread }) => thread)).to.deep.equal([undefined, first.ts]);
      expect(calls('assistant.')).to.have.length(0);
    });
  });
});
