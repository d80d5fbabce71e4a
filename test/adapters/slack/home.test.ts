import { expect } from 'chai';
import { card } from '../../../src/bot/card.ts';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import type { View } from '../../support/slack/workspace.ts';
import { type SlackSurfacesRobot, startSurfaces } from '../../support/slack-surfaces.ts';

describe('Slack App Home', function () {
  this.timeout(20_000);
  let db: Database;
  let slack: SlackServer;
  let bot: SlackSurfacesRobot;
  let title = 'first';

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    title = 'first';
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addPerson({ name: 'bob' });
    slack.addChannel({ name: 'ops', members: ['alice'] });
    bot = await startSurfaces(slack, db, {
      services: [],
      overview: ({ name }) => [
        card({ title: `For ${name}: ${title}`, actions: [{ label: 'Say hello', command: 'echo hello' }] }),
        card({ title: 'More' }),
      ],
    });
    await slack.connected();
  });
  afterEach(async () => {
    await bot.close();
    slack.assertNoProblems();
    await slack.close();
  });

  const shows = (text: string) => (view: View) => JSON.stringify(view.blocks).includes(text);

  it('shows each person what concerns them, anew whenever they come', async () => {
    slack.openHome('alice');
    slack.openHome('bob');
    await slack.home('alice', shows('For alice: first'));
    await slack.home('bob', shows('For bob: first'));
    title = 'second';
    slack.openHome('alice');
    await slack.home('alice', shows('For alice: second'));
  });

  it('is left alone while somebody reads messages', async () => {
    slack.openHome('alice', 'messages');
    slack.tell('alice', 'echo done');
    await slack.message(slack.dm('alice'), (message) => message.text.includes('done'));
    expect(slack.homes.size).to.equal(0);
  });

  it('runs what is pressed there, answers in the direct conversation, and shows what is so now', async () => {
    slack.openHome('alice');
    const home = await slack.home('alice', shows('first'));
    title = 'second';
    await slack.press('alice', home, 'Say hello');
    await slack.message(slack.dm('alice'), (message) => message.text.includes('hello'));
    await slack.home('alice', shows('For alice: second'));
    expect(JSON.stringify(slack.homes.get(slack.person('alice').id)?.blocks)).to.contain('echo hello');
    expect(bot.ran).to.have.length(1);
    expect(bot.ran[0]).to.include({ what: 'hello', via: 'button', room: slack.dm('alice').id, private: true });
  });

  it('does without where Slack does not take it', async () => {
    slack.fail('views.publish', { as: 'not_enabled' });
    slack.openHome('alice');
    await slack.call('views.publish');
    slack.openHome('alice');
    await slack.home('alice', shows('first'));
  });
});
