import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import { type SlackSurfacesRobot, startSurfaces } from '../../support/slack-surfaces.ts';

describe('Slack assistant pane', function () {
  this.timeout(20_000);
  let db: Database;
  let slack: SlackServer;
  let bot: SlackSurfacesRobot;

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addChannel({ name: 'ops', members: ['alice'] });
    const titles = ['What is up?', 'What is firing?', 'What runs where?', 'Ask', 'One too many'];
    bot = await startSurfaces(slack, db, {
      services: [],
      suggestions: ({ name }) => titles.map((title) => ({ title, command: `echo ${title} ${name}` })),
    });
    await slack.connected();
  });
  afterEach(async () => {
    await bot.close();
    slack.assertNoProblems();
    await slack.close();
  });

  const ofKind = (kind: string) => slack.statuses.filter((status) => status.kind === kind);

  it('suggests what that person may use, when it is opened and when they look elsewhere', async () => {
    const thread = slack.openAssistant('alice');
    const { prompts } = await slack.status(({ kind }) => kind === 'prompts');
    expect(prompts).to.have.length(4);
    expect(prompts[0]).to.deep.equal({ title: 'What is up?', message: 'echo What is up? alice' });
    slack.changeContext(thread, 'ops');
    await slack.settled();
    await slack.status(() => ofKind('prompts').length === 2);
  });

  it('suggests the same where the conversation is opened, and does without where Slack takes that for threads only', async () => {
    slack.openHome('alice', 'messages');
    const { prompts, threadTs } = await slack.status(({ kind }) => kind === 'prompts');
    expect(prompts).to.have.length(4);
    expect(threadTs).to.equal('');
    slack.fail('assistant.threads.setSuggestedPrompts', { as: 'invalid_arguments' });
    slack.openHome('alice', 'messages');
    const tried = () => slack.calls.filter(({ method }) => method === 'assistant.threads.setSuggestedPrompts').length;
    await eventually(() => tried() === 2);
    slack.tell('alice', 'echo done');
    await slack.message(slack.dm('alice'), (message) => message.text.includes('done'));
    slack.openHome('alice', 'messages');
    slack.openAssistant('alice');
    await slack.status(({ kind, threadTs: thread }) => kind === 'prompts' && thread !== '');
    expect(tried()).to.equal(3);
  });

  it('hears what is said there, answers there, and is called by the first question', async () => {
    const thread = slack.openAssistant('alice');
    const first = slack.tell('alice', 'echo *hello* &amp; more', { thread });
    const answer = await slack.message(slack.dm('alice'), (message) => message.text.includes('hello'));
    expect(answer.threadTs).to.equal(first.threadTs);
    expect((await slack.status(({ kind }) => kind === 'title')).text)
      .to.contain('hello')
      .and.contain('& more');
    slack.tell('alice', 'echo again', { thread });
    await slack.message(slack.dm('alice'), (message) => message.text.includes('again'));
    await slack.settled();
    expect(ofKind('title')).to.have.length(1);
  });

  it('says that it is working, until it has answered', async () => {
    const thread = slack.openAssistant('alice');
    slack.tell('alice', 'wait', { thread });
    await slack.status(({ kind, text }) => kind === 'status' && text !== '');
    bot.release();
    await slack.message(slack.dm('alice'), (message) => message.text.includes('Done waiting'));
    await slack.status(() => thread.status === '');
  });

  it('gives no title to a thread that it has not seen opened, unless the question is its first', async () => {
    const root = slack.tell('alice', 'echo root');
    await slack.message(slack.dm('alice'), (message) => message.text.includes('root'));
    slack.tell('alice', 'echo reply', { thread: root });
    await slack.message(slack.dm('alice'), (message) => message.text.includes('reply'));
    await slack.call('conversations.replies');
    expect(ofKind('title')).to.have.length(0);
  });

  it('is left alone where the app has none', async () => {
    slack.fail('assistant.threads.setSuggestedPrompts', { as: 'missing_scope' });
    const thread = slack.openAssistant('alice');
    await slack.call('assistant.threads.setSuggestedPrompts');
    slack.tell('alice', 'echo hello', { thread });
    await slack.message(slack.dm('alice'), (message) => message.text.includes('hello'));
    const calls = () => slack.calls.filter(({ method }) => method.startsWith('assistant.')).length;
    const before = calls();
    const other = slack.openAssistant('alice');
    slack.tell('alice', 'echo again', { thread: other });
    await slack.message(slack.dm('alice'), (message) => message.text.includes('again'));
    expect(calls()).to.equal(before);
  });
});
