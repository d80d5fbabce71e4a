/** Slack and the web chat together, with the real program: one person with two accounts. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { endAll, Guest, launch, type Program, ready } from '../support/program.ts';
import { type SlackServer, startSlack } from '../support/slack/server.ts';
import type { Message } from '../support/slack/workspace.ts';
import { enter, openLink } from '../support/web-client.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SCRIPT = `
// Description:
//   Commands for a test
import { command } from '${ROOT}/src/bot/command.ts';
export default function launch(robot) {
  command(robot, {
    id: 'launch.start', usage: 'launch', summary: 'Launch', examples: ['launch'],
    effect: 'change', needs: 'public', approval: () => 'launch:approve',
    run: () => 'it flies',
  });
}
`;

describe('Slack and the web chat', function () {
  this.timeout(90_000);
  let folder: string;
  let slack: SlackServer;
  let program: Program;
  const alice = new Guest('alice');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-people-'));
    slack = await startSlack();
    slack.addPerson({ name: 'alice', email: 'alice@example.com' });
    slack.addPerson({ name: 'bob', email: 'bob@example.com' });
    slack.addGroup({ handle: 'approvers', users: ['alice', 'bob'] });
    slack.addChannel({ name: 'ops', members: ['alice', 'bob'] });
    await mkdir(join(folder, 'scripts'));
    await mkdir(join(folder, 'config'));
    await writeFile(join(folder, 'scripts/launch.mjs'), SCRIPT);
    await writeFile(
      join(folder, 'config/access.yaml'),
      "roles: {approver: ['launch:approve']}\neveryone: ['web:join']\ngroups: {'slack:@approvers': [approver]}\n",
    );
    program = await launch({
      data: join(folder, 'data'),
      args: ['--adapter', 'slack,web'],
      env: {
        SHIPMATE_CONFIG: join(folder, 'config'),
        HUBOT_SCRIPTS: join(folder, 'scripts'),
        SLACK_API_URL: slack.apiUrl,
        SLACK_BOT_TOKEN: slack.botToken,
        SLACK_APP_TOKEN: slack.appToken,
      },
    });
    await ready(program);
    await slack.connected(2);
  });
  after(async () => {
    await endAll();
    await slack.close();
    await rm(folder, { recursive: true, force: true });
  });

  const shown = (message: Message): string => JSON.stringify([message.text, message.blocks]);
  const answers = (where: string, text: string) =>
    slack.message(where, (message) => shown(message).includes(text), 20_000);

  it('somebody of Slack comes into the web chat as who they are', async () => {
    slack.tell('alice', 'invite me');
    const [link] =
      /http[^\s|>"\\]*\/web\/join\/[\w-]+/.exec(shown(await answers(slack.dm('alice').id, '/web/join/'))) ?? [];
    alice.cookie = (await openLink(program, link ?? '')) ?? '';
    expect((await enter(program, alice.cookie, 'alice')).status).to.equal(200);
    const client = await alice.connect(program);
    const said = (): string => JSON.stringify(client.frames);
    await alice.say('general', 'shipmate whoami');
    await eventually(() => said().includes(`slack:${slack.person('alice').id}`));
    expect(said()).to.contain('slack:@approvers').and.contain('launch:approve').and.contain('alice@example.com');
    expect(said(), 'the first one here, but not by the link of the machine').to.not.contain('access:grant');
  });

  it('what they ask for in Slack, somebody else approves, and not they in the web chat', async () => {
    slack.say('alice', 'ops', 'launch', { mention: true });
    const [, code = ''] = /approve ([0-9a-f]{4})/.exec(shown(await answers('ops', 'approve '))) ?? [];
    await alice.say('general', `shipmate approve ${code}`);
    await eventually(() => JSON.stringify(alice.client?.frames).includes('Somebody else must approve'));
    slack.say('bob', 'ops', `approve ${code}`, { mention: true });
    await answers('ops', 'it flies');
  });

  it('who is deactivated in Slack keeps nothing that came from there', async () => {
    slack.changePerson('alice', { deleted: true });
    const client = await alice.back();
    await eventually(async () => {
      const from = client.frames.length;
      await alice.say('general', 'shipmate whoami');
      const mine = () => JSON.stringify(client.frames.slice(from));
      await eventually(() => mine().includes('You are alice'));
      return !mine().includes('approver');
    });
  });
});
