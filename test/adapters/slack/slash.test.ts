import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import { type SlackSurfacesRobot, startSurfaces } from '../../support/slack-surfaces.ts';

describe('Slack slash commands', function () {
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
    slack.addPerson({ name: 'bob' });
    slack.addChannel({ name: 'ops', members: ['alice', 'bob'] });
    slack.addChannel({ name: 'random', members: ['alice'], bot: false });
    slack.addChannel({ name: 'secret', kind: 'private', members: ['alice'], bot: false });
    bot = await startSurfaces(slack, db, { services: ['api'] });
    await slack.connected();
  });
  afterEach(async () => {
    await bot.close();
    slack.assertNoProblems();
    await slack.close();
  });

  const ephemeral = (who: string, text: string) => slack.ephemeral(who, (message) => message.text.includes(text));

  it('answer what only reads to whoever typed it, through the address that came with it', async () => {
    expect(await slack.slash('alice', 'ops', '/shipmate', 'echo hello &amp; more')).to.include({
      kind: 'acknowledged',
    });
    const answer = await ephemeral('alice', 'hello');
    expect(answer).to.include({ by: 'response_url', channel: slack.channel('ops').id });
    expect(bot.ran[0]).to.include({ what: 'hello & more', person: `slack:${slack.person('alice').id}`, via: 'typed' });
    expect(slack.posts('ops')).to.have.length(0);
  });

  it('tell errors to whoever typed it', async () => {
    await slack.slash('alice', 'ops', '/shipmate', 'ship api to nowhere');
    expect((await ephemeral('alice', 'environment')).text).to.contain('staging');
    expect(slack.posts('ops')).to.have.length(0);
  });

  it('answer a change where everybody sees it', async () => {
    await slack.slash('bob', 'ops', '/anything', 'ship api to staging');
    const answer = await slack.message('ops', (message) => message.text.includes('Shipped api'));
    expect(answer.threadTs).to.equal(undefined);
    expect(bot.deployed).to.deep.equal([`bob ${slack.channel('ops').id} typed: ship api to staging`]);
  });

  it('alone mean help', async () => {
    await slack.slash('alice', 'ops', '/shipmate');
    await ephemeral('alice', 'help');
    expect(bot.heard.some(({ text }) => text === 'help') || bot.sentences.includes('help')).to.equal(true);
  });

  it('go on in the direct conversation where the robot cannot post', async () => {
    await slack.slash('alice', 'secret', '/shipmate', 'echo psst');
    await slack.message(slack.dm('alice'), (message) => message.text.includes('psst'));
    expect((await ephemeral('alice', 'I cannot post here')).channel).to.equal(slack.channel('secret').id);
  });

  it('that change something are answered there too, also in a public channel where the app may not post', async () => {
    await slack.slash('alice', 'random', '/shipmate', 'ship api to staging');
    await slack.message(slack.dm('alice'), (message) => message.text.includes('Shipped'));
    expect((await ephemeral('alice', 'I cannot post here')).channel).to.equal(slack.channel('random').id);
  });

  it('are ordinary lines in the direct conversation', async () => {
    await slack.slash('alice', slack.dm('alice'), '/shipmate', 'echo hello');
    await slack.message(slack.dm('alice'), (message) => message.text.includes('hello'));
    expect(slack.ephemerals).to.have.length(0);
  });

  it('run once, however often they are delivered', async () => {
    await slack.slash('alice', 'ops', '/shipmate', 'ship api to staging');
    expect(await slack.dispatcher.again()).to.include({ kind: 'acknowledged' });
    await slack.message('ops', (message) => message.text.includes('Shipped'));
    await slack.slash('alice', slack.dm('alice'), '/shipmate', 'echo done');
    await slack.message(slack.dm('alice'), (message) => message.text.includes('done'));
    expect(bot.deployed).to.have.length(1);
  });
});
