/** What a team brings from Hubot: packages and scripts of the catalogue, unchanged, beside our own commands, in the real program. */

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { endAll, run } from '../support/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** All of these hear everything, or nearly so. */
const LISTENS = ['ambush.coffee', 'emoji.coffee', 'factoid.coffee', 'history.coffee', 'karma.coffee'];

describe('bin/shipmate with scripts of Hubot', function () {
  this.timeout(90_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-hubot-'));
    for (const part of ['src', 'scripts', 'node_modules', 'package.json', 'types', 'examples']) {
      await symlink(join(root, part), join(folder, part));
    }
    await symlink(join(root, 'test/fixtures/config'), join(folder, 'config'));
    await symlink(join(root, 'test/fixtures/runbooks'), join(folder, 'runbooks'));
    await mkdir(join(folder, 'data'));
    await list('external-scripts.json', ['hubot-help', 'hubot-rules', 'hubot-diagnostics']);
    await list('hubot-scripts.json', [...LISTENS, 'tasks.coffee']);
  });
  afterEach(async () => {
    await endAll();
    await rm(folder, { recursive: true });
  });

  function list(name: string, names: readonly string[]): Promise<void> {
    return writeFile(join(folder, name), JSON.stringify(names));
  }

  /** What one run prints for these lines. */
  async function say(...lines: string[]): Promise<string> {
    const { code, out, err } = await run(['--adapter', 'shell'], {
      root: folder,
      data: join(folder, 'data'),
      env: { HUBOT_HTTPD: 'false', HUBOT_LOG_LEVEL: 'warn' },
      input: lines.map((line) => `${line}\n`).join(''),
    });
    expect(code, err).to.equal(0);
    expect(err).to.not.match(/"level":[56]0/);
    return out;
  }

  it('answers their commands, shows them in the help, and still answers from the runbooks', async () => {
    const out = await say(
      'ping',
      'the rules',
      'echo as it was',
      'task add write tests',
      'coffee++',
      'what do I do when a disk is filling up?',
      'depoly hello v2 to production',
      'whoami',
    );
    expect(out).to.match(/PONG[\s\S]*A robot may not harm humanity[\s\S]*as it was[\s\S]*Task added: #1 - write tests/);
    expect(out).to.match(/coffee .*\(Karma: 1\)[\s\S]*Disk filling up[\s\S]*[Dd]id you mean[\s\S]*shell:1/);
    const help = await say('help');
    for (const line of ['the rules', 'ping', 'ambush <user name>: <message>', 'task list', 'deploy <service>']) {
      expect(help).to.contain(line);
    }
    expect(help).to.not.contain('Displays all of the help commands');
  });

  it('lets them find in the brain what they kept before a restart', async () => {
    const before = await say('task add write tests', 'coffee++', '~deploy is a command', 'ambush Shell: look up');
    expect(before).to.contain('Ambush prepared').and.contain('while you were out, Shell said: look up');
    const out = await say('task list', 'karma coffee', '~deploy', 'show history');
    expect(out).to.contain('#1 - write tests').and.contain('"coffee" has 1 karma');
    expect(out).to.contain('a command');
    expect(out).to.match(/lines of history:[\s\S]*coffee\+\+/);
  });

  it('tells a script once that the brain is there, with what is in it', async () => {
    const script = join(folder, 'counts.mjs');
    await writeFile(
      script,
      `export default (robot) => {
        const heard = [];
        robot.brain.on('loaded', (data) => heard.push(data.starts ?? 0));
        robot.respond(/starts$/, (res) => {
          const answer = 'heard ' + JSON.stringify(heard);
          robot.brain.data.starts = (robot.brain.data.starts ?? 0) + 1;
          return res.send(answer);
        });
      };\n`,
    );
    await list('hubot-scripts.json', []);
    await list('external-scripts.json', []);
    const { out } = await startsOf(script);
    expect(out).to.contain('heard [0]');
    expect((await startsOf(script)).out).to.contain('heard [1]');
  });

  function startsOf(script: string) {
    return run(['--adapter', 'shell'], {
      root: folder,
      data: join(folder, 'data'),
      env: { HUBOT_HTTPD: 'false', HUBOT_SCRIPTS: script },
      input: 'starts\n',
    });
  }
});
