import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { testDatabase } from '../../support/database.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import type { View } from '../../support/slack/workspace.ts';
import { type SlackSurfacesRobot, startSurfaces } from '../../support/slack-surfaces.ts';

describe('Slack forms', function () {
  this.timeout(20_000);
  let db: Database;
  let slack: SlackServer;
  let bot: SlackSurfacesRobot;
  const services: string[] = [];

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    services.splice(0, services.length, 'api', 'web');
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addChannel({ name: 'ops', members: ['alice'] });
    slack.addChannel({ name: 'secret', kind: 'private', members: ['alice'], bot: false });
    bot = await startSurfaces(slack, db, { services });
    await slack.connected();
  });
  afterEach(async () => {
    await bot.close();
    slack.assertNoProblems();
    await slack.close();
  });

  async function open(text: string, channel = 'ops'): Promise<View> {
    const before = new Set(slack.views.keys());
    await slack.slash('alice', channel, '/shipmate', text);
    return await slack.view('alice', ({ id }) => !before.has(id));
  }

  it('ask for what a command lacks, and keep what was given', async () => {
    const view = await open('ship api v2');
    expect(view.body['title']).to.include({ text: 'Ship' });
    expect(view.blocks.map((block) => [block.type, block.block_id, block['optional']])).to.deep.equal([
      ['section', view.blocks[0]?.block_id, undefined],
      ['input', 'service', false],
      ['input', 'version', true],
      ['input', 'environment', false],
      ['input', 'note', true],
      ['input', 'dryRun', true],
    ]);
    expect(view.state['service']?.['fill:service']).to.nested.include({
      type: 'external_select',
      'selected_option.value': 'api',
    });
    expect(view.state['version']?.['fill:version']).to.include({ value: 'v2' });
    expect(bot.deployed).to.have.length(0);
  });

  it('run the command as whoever fills them in, where it was asked for', async () => {
    const { errors } = await slack.submit(await open('ship'), {
      Service: 'api',
      Environment: 'production',
      Note: 'because it "must"\nbe',
      'Dry run': 'true',
    });
    expect(errors).to.deep.equal({});
    await slack.message('ops', (message) => message.text.includes('Shipped api'));
    expect(bot.deployed).to.deep.equal([
      `alice ${slack.channel('ops').id} button: ship api to production because it "must"\nbe --dry-run`,
    ]);
    expect((await slack.view('alice', () => true, 50).catch(() => undefined))?.open).to.equal(undefined);
  });

  it('show beside a field what is wrong with it, and take it the next time', async () => {
    const view = await open('ship api');
    const wrong = await slack.submit(view, { Version: 'x'.repeat(300), Environment: 'staging' });
    expect(wrong.errors).to.have.keys('version');
    expect(wrong.errors['version']).to.contain('longer than 200 characters');
    const right = await slack.submit(view, { Service: 'web', Version: 'v2' });
    expect(right.errors).to.deep.equal({});
    await slack.message('ops', (message) => message.text.includes('Shipped web'));
    expect(bot.deployed).to.have.length(1);
  });

  it('answer what only reads to that person', async () => {
    await slack.submit(await open('show'), { Environment: 'staging' });
    await slack.ephemeral('alice', (message) => message.text.includes('Here is staging of all'));
    expect(slack.posts('ops')).to.have.length(0);
  });

  it('offer real values, found by what is typed where there are many', async () => {
    const few = await open('show --of web');
    expect(few.state['of']?.['fill:of']).to.deep.include({ type: 'static_select' });
    services.push(...Array.from({ length: 200 }, (_, index) => `service-${index}`));
    const many = await open('show --of web');
    expect(many.state['of']?.['fill:of']).to.deep.include({ type: 'external_select' });
    expect(await slack.options('alice', many, 'Of', '')).to.have.length(100);
    expect(await slack.options('alice', many, 'Of', 'SERVICE-19')).to.deep.include({
      text: 'service-199',
      value: 'service-199',
    });
    await slack.submit(many, { Of: 'service-199', Environment: 'production' });
    await slack.ephemeral('alice', (message) => message.text.includes('Here is production of service-199'));
  });

  it('offer what there is, and take what is typed where something else may be given', async () => {
    const view = await open('ship');
    expect(await slack.options('alice', view, 'Service', '')).to.deep.equal([
      { text: 'api', value: 'api' },
      { text: 'web', value: 'web' },
    ]);
    expect(await slack.options('alice', view, 'Service', 'we')).to.deep.equal([
      { text: 'web', value: 'web' },
      { text: 'we', value: 'we' },
    ]);
    await slack.submit(view, { Service: 'new', Environment: 'staging' });
    await slack.message('ops', (message) => message.text.includes('Shipped new'));
  });

  it('go on in the direct conversation where the robot cannot post', async () => {
    await slack.submit(await open('ship api', 'secret'), { Environment: 'staging' });
    await slack.message(slack.dm('alice'), (message) => message.text.includes('Shipped api'));
  });

  it('are not opened too late: the text says what is missing', async () => {
    slack.fail('views.open', { as: 'expired_trigger_id' });
    await slack.slash('alice', 'ops', '/shipmate', 'ship api');
    await slack.ephemeral('alice', (message) => message.text.includes('missing'));
  });
});
