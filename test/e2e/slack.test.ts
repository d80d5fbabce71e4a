/** The whole conversation in Slack, with the real program: by Socket Mode and by signed HTTP. */

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { alert, endAll, launch, notification, type Program, ready } from '../support/program.ts';
import { type SlackServer, startSlack } from '../support/slack/server.ts';
import type { Message } from '../support/slack/workspace.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** A change that somebody else must approve. */
const SCRIPT = `
// Description:
//   Commands for a test
import { appendFileSync } from 'node:fs';
import { arg } from '${ROOT}/src/bot/args.ts';
import { command } from '${ROOT}/src/bot/command.ts';
export default function launch(robot) {
  command(robot, {
    id: 'launch.start', usage: 'launch <what>', summary: 'Launch', examples: ['launch it'], args: { what: arg.word() },
    effect: 'change', needs: 'public', approval: () => 'launch:approve',
    run({ args, person }) {
      appendFileSync(process.env.LAUNCHED, args.what + ' for ' + person.name + '\\n');
      return 'launched ' + args.what;
    },
  });
  command(robot, {
    id: 'echo.say', usage: 'echo <what>', summary: 'Say it again', examples: ['echo it'], args: { what: arg.word() },
    effect: 'read', needs: 'public',
    async run({ args }) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return 'heard ' + args.what;
    },
  });
}
`;

for (const way of ['socket', 'http'] as const) {
  describe(`Slack by ${way === 'socket' ? 'Socket Mode' : 'signed HTTP'}`, function () {
    this.timeout(90_000);
    let folder: string;
    let slack: SlackServer;
    let program: Program;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'shipmate-slack-'));
      slack = await startSlack({ delivery: way, limits: { postsPerSecondPerChannel: 1 } });
      for (const name of ['alice', 'bob']) slack.addPerson({ name });
      slack.addPerson({ name: 'eve', kind: 'guest' });
      slack.addChannel({ name: 'ops', members: ['alice', 'bob', 'eve'] });
      slack.addChannel({ name: 'war-room', kind: 'private', members: ['alice', 'bob'] });
      await mkdir(join(folder, 'scripts'));
      await mkdir(join(folder, 'config'));
      await writeFile(join(folder, 'scripts/launch.mjs'), SCRIPT);
      await writeFile(join(folder, 'deploy.mjs'), "console.log('on my way');\n");
      await writeFile(
        join(folder, 'config/services.yaml'),
        `environments: {staging: {}}
services:
  api:
    environments: [staging]
    target: {kind: command, folder: ${folder}, deploy: [node, deploy.mjs]}
`,
      );
      await writeFile(join(folder, 'config/alerts.yaml'), 'room: ops\nroutes: []\n');
      await writeFile(join(folder, 'config/slack.yaml'), 'reactions: {white_check_mark: approve}\n');
      await writeFile(
        join(folder, 'config/access.yaml'),
        `roles: {approver: ['launch:approve'], deployer: ['deploy:*', 'alerts:*']}
people: {'slack:${slack.person('alice').id}': [deployer], 'slack:${slack.person('bob').id}': [approver, deployer]}
`,
      );
      program = await launch({
        data: join(folder, 'data'),
        args: ['--adapter', 'slack'],
        env: {
          SHIPMATE_CONFIG: join(folder, 'config'),
          HUBOT_SCRIPTS: join(folder, 'scripts'),
          LAUNCHED: join(folder, 'launched'),
          SLACK_API_URL: slack.apiUrl,
          SLACK_BOT_TOKEN: slack.botToken,
          ...(way === 'socket' ? { SLACK_APP_TOKEN: slack.appToken } : { SLACK_SIGNING_SECRET: slack.signingSecret }),
        },
      });
      await ready(program);
      if (way === 'http') {
        slack.deliverTo(program.url);
        expect(await slack.verifyUrl()).to.equal(true);
      } else await slack.connected(2);
    });
    after(async () => {
      await endAll();
      await slack.close();
      await rm(folder, { recursive: true, force: true });
    });

    const shown = (message: Message): string => JSON.stringify([message.text, message.blocks]);
    const answers = (where: string, text: string | RegExp) =>
      slack.message(
        where,
        (message) => (typeof text === 'string' ? shown(message).includes(text) : text.test(shown(message))),
        20_000,
      );

    it('deploys, in one message that shows how it goes', async () => {
      slack.say('alice', 'ops', 'deploy api v2 to staging', { mention: true });
      await answers('ops', 'api v2 is live in staging');
      expect(slack.posts('ops').filter((message) => shown(message).includes('api v2'))).to.have.length(1);
    });

    it('lets nobody deploy who comes from outside', async () => {
      slack.say('eve', 'ops', 'deploy api v3 to staging', { mention: true });
      await answers('ops', 'guest');
      expect(slack.posts('ops').some((message) => shown(message).includes('api v3 is live'))).to.equal(false);
    });

    it('tells of an alert, and of who looks after it', async () => {
      const started = new Date();
      expect(await alert(program, notification('DiskFillingUp', 'firing', started))).to.be.within(200, 299);
      const card = await answers('ops', 'DiskFillingUp');
      await slack.press('bob', card, 'Acknowledge');
      await eventually(() => shown(card).includes('Acknowledged: bob'));
      expect(await alert(program, notification('DiskFillingUp', 'resolved', started))).to.be.within(200, 299);
      await eventually(() => /resolved/i.test(shown(card)));
    });

    it('answers from the runbooks, in a thread that stays a conversation', async () => {
      const question = slack.say('alice', 'war-room', 'what do I do when a disk is filling up?', { mention: true });
      const answer = await answers('war-room', /disk/i);
      expect(answer.threadTs).to.equal(undefined);
      slack.say('bob', 'war-room', 'and how do I check the certificates?', { thread: question });
      const second = await answers('war-room', /certificate/i);
      expect(second.threadTs).to.equal(question.ts);
    });

    it('finds what was said, with a link, and what was said in private only for those who heard it', async () => {
      const said = slack.say('bob', 'war-room', 'the pager said kumquat at three');
      // Two requests of HTTP at the same moment overtake each other; two messages of a person do not.
      await slack.settled();
      slack.say('bob', 'war-room', 'history search kumquat', { mention: true });
      const found = await answers('war-room', `p${said.ts.replace('.', '')}`);
      expect(shown(found)).to.include('https://example.slack.com/archives/');
      slack.say('bob', 'ops', 'history search kumquat', { mention: true });
      const nothing = await answers('ops', /kumquat|[Nn]othing/);
      expect(shown(nothing)).not.to.include('the pager said');
    });

    it('waits for the approval of a second person', async () => {
      slack.say('alice', 'ops', 'launch rocket', { mention: true });
      const card = await answers('ops', /approve [0-9a-f]{4}/);
      await slack.press('alice', card, 'Approve');
      await slack.ephemeral('alice', ({ text }) => text.includes('Somebody else must approve'));
      await slack.press('eve', card, 'Approve');
      await slack.ephemeral('eve', ({ text }) => text.includes('guest'));
      expect(existsSync(join(folder, 'launched'))).to.equal(false);
      slack.react('bob', card, 'white_check_mark');
      await eventually(() => shown(card).includes('Approved by bob'));
      await eventually(async () => (await readFile(join(folder, 'launched'), 'utf8')) === 'rocket for alice\n');
    });

    it('reads a corrected question again, in the same answer', async () => {
      const said = slack.say('alice', 'war-room', 'deplyos api', { mention: true });
      const answer = await answers('war-room', 'deplyos');
      slack.edit(said, `<@${slack.bot.id}> deploys api`);
      await eventually(() => !shown(answer).includes('deplyos') && shown(answer).includes('v2'));
    });

    it('kept to the rules of Slack, told nobody a secret, and ends as it should', async () => {
      expect((await program.end('SIGTERM')).code).to.equal(0);
      slack.assertNoProblems();
      expect(slack.rateLimited).to.equal(0);
      for (const secret of [slack.botToken, slack.appToken, slack.signingSecret, 'kumquat']) {
        expect(program.log()).not.to.include(secret);
      }
    });
  });
}

describe('Slack and a robot that is killed', function () {
  this.timeout(90_000);
  let folder: string;
  let slack: SlackServer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-slack-'));
    slack = await startSlack({ limits: { postsPerSecondPerChannel: 1 }, retryDelaysMs: [100, 100, 100] });
    slack.addPerson({ name: 'alice' });
    await mkdir(join(folder, 'scripts'));
    await writeFile(join(folder, 'scripts/launch.mjs'), SCRIPT);
  });
  after(async () => {
    await endAll();
    await slack.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('answers everything that was acknowledged, once', async () => {
    const options = {
      data: join(folder, 'data'),
      args: ['--adapter', 'slack'],
      env: {
        HUBOT_SCRIPTS: join(folder, 'scripts'),
        SLACK_API_URL: slack.apiUrl,
        SLACK_BOT_TOKEN: slack.botToken,
        SLACK_APP_TOKEN: slack.appToken,
      },
    };
    const killed = await launch(options);
    await ready(killed);
    await slack.connected(2);
    const words = Array.from({ length: 12 }, (_, n) => `word${n}`);
    for (const [n, word] of words.entries()) {
      slack.addChannel({ name: `c${n}`, members: ['alice'] });
      slack.say('alice', `c${n}`, `echo ${word}`, { mention: true });
    }
    await slack.settled();
    await killed.end('SIGKILL');
    const before = words.filter((_, n) => slack.posts(`c${n}`).length > 0);
    expect(before.length, 'answers before the kill').to.be.lessThan(words.length);
    const program = await launch({ ...options, port: killed.port });
    await ready(program);
    for (const [n, word] of words.entries()) {
      await slack.message(`c${n}`, (message) => message.text.includes(`heard ${word}`), 30_000);
    }
    expect((await program.end('SIGTERM')).code).to.equal(0);
    for (const [n, word] of words.entries()) {
      expect(slack.posts(`c${n}`).map(({ text }) => text)).to.deep.equal([`heard ${word}`]);
    }
    slack.assertNoProblems();
  });
});
