import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import pino from 'pino';
import { brainLoaded } from '../../src/bot/brain-loaded.ts';
import {
  type LoadProblem,
  loadExternalScripts,
  loadHubotScripts,
  loadScript,
  loadScripts,
} from '../../src/bot/load.ts';
import { Robot } from '../../src/bot/robot.ts';
import { Helper, MemoryChat, Room } from '../support/room.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const packages = join(project, 'node_modules');

let folder: string;
let robot: Robot;
let chat: MemoryChat;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shipmate-load-'));
  robot = new Robot(null, false, 'hubot', false, { logger: pino({ level: 'silent' }) });
  chat = new MemoryChat(robot, 'room1');
  robot.addChat(chat);
  await robot.prepare();
});

afterEach(async () => {
  robot.shutdown();
  await rm(folder, { recursive: true });
});

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

/** What the robot answers. */
async function say(text: string): Promise<string[]> {
  const before = chat.posts.length + 1;
  await new Room(robot, chat, 'room1').user.say('alice', text);
  return chat.posts.slice(before).map((post) => post.text);
}

describe('loadScripts', () => {
  it('loads every kind of script in name order, and skips tests', async () => {
    const says = (name: string) => `(robot) => { robot.order = (robot.order ?? '') + '${name}' }`;
    await write('c.mjs', `export default ${says('c')}`);
    await write('a.cjs', `module.exports = ${says('a')}`);
    await write(
      'b.ts',
      `const script = (robot: { order?: string }): void => { robot.order = (robot.order ?? '') + 'b' };\nexport default script;`,
    );
    await write('d.js', `exports.default = ${says('d')}`);
    await write('e.coffee', "# Commands:\n#   hubot e - E\nmodule.exports = (robot) -> robot.order += 'e'");
    await write('a.test.ts', 'throw new Error("a test was loaded")');
    await write('README.md', 'text');
    await write('inner/x.mjs', 'throw new Error("a subfolder was loaded")');
    const loaded = await loadScripts(robot, folder);
    expect(loaded.problems).to.deep.equal([]);
    expect(loaded.scripts.map((file) => file.slice(folder.length + 1))).to.deep.equal([
      'a.cjs',
      'b.ts',
      'c.mjs',
      'd.js',
      'e.coffee',
    ]);
    expect(robot).to.have.property('order', 'abcde');
    expect(loaded.notes).to.deep.equal([`${join(folder, 'inner')} is a folder: scripts in it are not loaded`]);
    expect(robot.helpCommands()).to.deep.equal(['hubot e - E']);
  });

  it('says of every script that does not load where, why and what next', async () => {
    await write('1.mjs', 'export default (robot) => {\n  robot.hear(/x/ => {})\n}\n');
    await write('2.cjs', 'module.exports = (robot) => {\n\n  robot.hear(/x/ => {})\n}\n');
    await write('3.ts', 'export default function (robot: object) {\n  enum Kind { A }\n}\n');
    await write('4.mjs', 'export const robot = 1;\n');
    await write('5.mjs', 'export default (robot) => {\n  robot.nothing.there();\n}\n');
    await write('6.mjs', 'export default async () => {\n  throw new Error("late");\n}\n');
    await write('7.cjs', 'const x = require("no-such-package/part");\nmodule.exports = () => {}\n');
    await write('8.coffee', 'module.exports = (robot) ->\n  x = (\n    1 2\n');
    await write('9.mjs', 'export default (robot) => {\n  robot.commands.register({ id: "x" });\n}\n');
    await write('fine.mjs', 'export default (robot) => { robot.fine = true }');
    const { problems, scripts } = await loadScripts(robot, folder);
    const seen = problems.map(({ file, line, cause, next }) => [file.slice(folder.length + 1), line, cause, next]);
    expect(seen.map(([file, line]) => [file, line])).to.deep.equal([
      ['1.mjs', 2],
      ['2.cjs', 3],
      ['3.ts', 2],
      ['4.mjs', undefined],
      ['5.mjs', 2],
      ['6.mjs', 2],
      ['7.cjs', 1],
      ['8.coffee', 3],
      ['9.mjs', 2],
    ]);
    expect(seen[2]?.[2]).to.match(/enum/);
    expect(seen[3]?.[2]).to.equal('it does not export a function');
    expect(seen[3]?.[3]).to.match(/export default function/);
    expect(seen[5]?.[2]).to.equal('late');
    expect(seen[6]?.[3]).to.equal('npm install no-such-package');
    expect(seen[8]?.[2]).to.match(/command\(robot, …\)/);
    expect(scripts).to.have.length(1);
    expect(robot).to.have.property('fine', true);
  });

  it('says what to install for CoffeeScript', async () => {
    const file = await write('x.coffee', 'module.exports = ->');
    // A process of its own: this one has CoffeeScript loaded already.
    const program = `
      import { registerHooks } from 'node:module';
      import { loadScript } from ${JSON.stringify(new URL('../../src/bot/load.ts', import.meta.url).href)};
      registerHooks({
        resolve(specifier, context, next) {
          if (specifier.startsWith('coffeescript')) throw new Error('Cannot find module ' + specifier);
          return next(specifier, context);
        },
      });
      console.log(JSON.stringify((await loadScript({ pendingLoads: [] }, ${JSON.stringify(file)})).problems));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    const problems: LoadProblem[] = JSON.parse(stdout);
    expect(problems.map(({ cause, next }) => [cause.split(',')[0], next])).to.deep.equal([
      ['it is written in CoffeeScript', 'npm install coffeescript@2.7.0'],
    ]);
  });

  it('says that a folder is not there', async () => {
    const { problems } = await loadScripts(robot, join(folder, 'none'));
    expect(problems.map(({ file }) => file)).to.deep.equal([join(folder, 'none')]);
  });
});

describe('loadExternalScripts', () => {
  async function external(list: unknown): Promise<LoadProblem[]> {
    const file = await write('external-scripts.json', JSON.stringify(list));
    return [...(await loadExternalScripts(robot, file)).problems];
  }

  async function installed(name: string, manifest: object, files: Record<string, string>): Promise<void> {
    await write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', ...manifest }));
    for (const [file, text] of Object.entries(files)) await write(`node_modules/${name}/${file}`, text);
  }

  it('is content without a file', async () => {
    const loaded = await loadExternalScripts(robot, join(folder, 'external-scripts.json'));
    expect(loaded).to.deep.equal({ scripts: [], problems: [], notes: [] });
  });

  it('loads hubot-help, hubot-rules and hubot-diagnostics, which answer and appear in the help', async () => {
    await symlink(packages, join(folder, 'node_modules'));
    expect(await external(['hubot-help', 'hubot-rules', 'hubot-diagnostics'])).to.deep.equal([]);
    expect(await say('hubot ping')).to.deep.equal(['PONG']);
    expect(await say('hubot echo a b')).to.deep.equal(['a b']);
    expect((await say('hubot the rules'))[0]).to.match(/^0\. A robot may not harm humanity/);
    const help = (await say('hubot help'))[0] ?? '';
    expect(help)
      .to.include('hubot help - Displays all')
      .and.include('hubot ping - Reply')
      .and.include('hubot the rules');
    expect(robot.helpCommands()).to.include('hubot echo <text> - Reply back with <text>');
  });

  it('lets our own help win over that of hubot-help', async () => {
    await symlink(packages, join(folder, 'node_modules'));
    expect(await external(['hubot-help'])).to.deep.equal([]);
    robot.pipeline.dispatch = async (_message, text) => (text === 'help' ? 'handled' : 'not a command');
    expect(await say('hubot help')).to.deep.equal([]);
  });

  it('loads ES modules, CommonJS and CoffeeScript, awaits them, and hands over options', async () => {
    await installed(
      'esm-pack',
      { type: 'module', exports: './main.js' },
      {
        'main.js':
          'export default async (robot, options) => { await new Promise(setImmediate); robot.esm = options.colour }',
      },
    );
    await installed('cjs-pack', {}, { 'index.js': 'module.exports = (robot, scripts) => { robot.cjs = scripts }' });
    await installed(
      'coffee-pack',
      { main: 'index.coffee' },
      {
        'index.coffee': "part = require './part'\nmodule.exports = (robot, options) -> robot.coffee = part options",
        'part.coffee': 'module.exports = (options) -> options.length',
      },
    );
    expect(await external({ 'esm-pack': { colour: 'red' }, 'cjs-pack': '*', 'coffee-pack': [1, 2] })).to.deep.equal([]);
    expect(robot).to.include({ esm: 'red', cjs: '*', coffee: 2 });
  });

  it('waits for a package of the old kind, which loads its files in a callback', async () => {
    await installed(
      'old-pack',
      { main: 'index.coffee' },
      {
        'index.coffee': [
          "fs = require 'fs'",
          "path = require 'path'",
          'module.exports = (robot, scripts) ->',
          "  folder = path.resolve __dirname, 'src'",
          '  fs.exists folder, (exists) ->',
          '    robot.loadFile folder, file for file in fs.readdirSync(folder) if exists',
        ].join('\n'),
        'src/a.coffee': '# Commands:\n#   hubot old - Old\nmodule.exports = (robot) -> robot.old = true',
        'src/b.coffee': "module.exports = (robot) ->\n  throw new Error 'no key'",
      },
    );
    const problems = await external(['old-pack']);
    expect(robot).to.have.property('old', true);
    expect(robot.helpCommands()).to.deep.equal(['hubot old - Old']);
    expect(problems.map(({ file, cause }) => [file.slice(-8), cause])).to.deep.equal([['b.coffee', 'no key']]);
  });

  it('waits for a package that loads a folder and does not wait itself', async () => {
    await installed(
      'folder-pack',
      {},
      {
        'index.js': "module.exports = (robot) => { robot.load(require('path').join(__dirname, 'src')) }",
        'src/a.js': 'module.exports = async (robot) => { await new Promise(setImmediate); robot.folder = true }',
        'src/b.js': 'module.exports = () => { throw new Error("b broke") }',
      },
    );
    const problems = await external(['folder-pack']);
    expect(robot).to.have.property('folder', true);
    expect(problems.map(({ cause }) => cause)).to.deep.equal(['b broke']);
  });

  it('collects what is wrong: not installed, no function, throws, not JSON, not a list', async () => {
    await installed('no-function', {}, { 'index.js': 'module.exports = { a: 1 }' });
    await installed('throws', {}, { 'index.js': 'module.exports = () => { throw new Error("set THROWS_KEY") }' });
    const problems = await external(['no-such-pack', 'no-function', 'throws']);
    expect(problems.map(({ file, next }) => [file, next])).to.deep.equal([
      ['no-such-pack', 'npm install no-such-pack'],
      [
        'no-function',
        'write `export default function (robot) { … }` (or `module.exports = (robot) => { … }` in a .cjs file)',
      ],
      ['throws', 'correct the script, or take it out'],
    ]);
    expect(problems[2]?.cause).to.equal('set THROWS_KEY');
    expect((await external('x'))[0]?.cause).to.match(/neither a list/);
    expect((await external([1]))[0]?.cause).to.match(/neither a list/);
    const broken = await write('broken.json', '["a",\n');
    expect((await loadExternalScripts(robot, broken)).problems[0]?.cause).to.match(/not valid JSON/);
  });
});

describe('loadHubotScripts', () => {
  async function load(list: unknown): Promise<LoadProblem[]> {
    await symlink(packages, join(folder, 'node_modules')).catch(() => undefined);
    return [...(await loadHubotScripts(robot, await write('hubot-scripts.json', JSON.stringify(list)))).problems];
  }

  it('loads scripts by file name, unmodified, and they work', async () => {
    expect(await load(['ping.coffee', 'factoid.coffee'])).to.deep.equal([]);
    expect(await brainLoaded(robot)).to.deep.equal([]);
    expect(await say('hubot?')).to.have.length(1);
    expect((await say('~deploy is a command'))[0]).to.equal('@alice OK. deploy is a command ');
    expect((await say('~deploy'))[0]).to.equal('@alice a command');
    expect((await say('hubot factoids list'))[0]).to.equal('deploy');
    expect(robot.helpCommands()).to.include('hubot factoids list - List all factoids');
  });

  it('keeps classes, the brain, roles and CommonJS of old working', async () => {
    expect(await load(['karma.coffee', 'tasks.coffee', 'xmas.js'])).to.deep.equal([]);
    expect(await brainLoaded(robot)).to.deep.equal([]);
    expect((await say('hubot++'))[0]).to.match(/hubot \S.*\(Karma: 1\)|karma/i);
    expect((await say('hubot task add write tests'))[0]).to.match(/Task added: #1 - write tests/);
  });

  it('names what is not there, and looks in no other folder', async () => {
    const problems = await load(['nope.coffee', '../../package.json']);
    expect(problems.map(({ cause }) => cause)).to.deep.equal([
      'hubot-scripts has no script nope.coffee',
      'hubot-scripts has no script ../../package.json',
    ]);
    expect((await load({ a: 1 }))[0]?.cause).to.match(/not a list/);
  });

  it('says that the package is not installed', async () => {
    const list = await write('hubot-scripts.json', '["ping.coffee"]');
    expect((await loadHubotScripts(robot, list)).problems[0]?.next).to.equal('npm install hubot-scripts');
  });
});

describe('what scripts of old do', () => {
  it('lets them call HTTP with callbacks, survives what those throw, and waits for the answer', async () => {
    const server = createServer((_request, response) => response.end('body'));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
    const file = await write(
      'web.coffee',
      [
        'module.exports = (robot) ->',
        '  robot.respond /fetch/, (msg) ->',
        `    msg.http('${url}').query(a: 1).get() (err, res, body) ->`,
        '      msg.send "#{res.statusCode} #{body}"',
        '  robot.respond /fail/, (msg) ->',
        `    msg.http('${url}').get() (err, res, body) ->`,
        "      throw new Error 'in callback'",
      ].join('\n'),
    );
    const errors: string[] = [];
    robot.pipeline.failed = async (error, message) =>
      void errors.push(`${error instanceof Error ? error.message : ''} ${message?.user.name}`);
    expect((await loadScript(robot, file)).problems).to.deep.equal([]);
    expect(await say('hubot fetch')).to.deep.equal(['200 body']);
    await say('hubot fail');
    expect(errors).to.deep.equal(['in callback alice']);
    server.closeAllConnections();
    server.close();
  });

  it('lets them require hubot, use classes, and wait for the brain', async () => {
    const file = await write(
      'old.coffee',
      [
        "{TextMessage} = require 'hubot'",
        'class Counter',
        '  constructor: (@robot) ->',
        '    @count = 0',
        "    @robot.brain.on 'loaded', => @count = @robot.brain.get('count') or 0",
        '    @robot.respond /count/i, @tell',
        '    @robot.hear /again/, (msg) => @robot.receive new TextMessage(msg.message.user, "#{@robot.name} count", "x")',
        '  tell: (msg) =>',
        '    @robot.logger.warning "counted"',
        '    msg.reply "#{++@count}"',
        'module.exports = (robot) -> new Counter robot',
      ].join('\n'),
    );
    await symlink(packages, join(folder, 'node_modules'));
    expect((await loadScript(robot, file)).problems).to.deep.equal([]);
    robot.brain.set('count', 4);
    expect(await say('hubot count')).to.deep.equal(['@alice 5']);
    expect(await say('again')).to.deep.equal(['@alice 6']);
  });

  it('tells them once that the brain is there, and names the script that cannot use it', async () => {
    const counts = await write(
      'counts.coffee',
      "module.exports = (robot) -> robot.brain.on 'loaded', -> robot.times = (robot.times or 0) + 1",
    );
    const breaks = await write(
      'breaks.mjs',
      "export default (robot) => {\n  robot.brain.on('loaded', () => {\n    throw new Error('no data');\n  });\n};\n",
    );
    const { scripts } = await loadScripts(robot, folder);
    expect(scripts).to.have.members([counts, breaks]);
    expect(robot).to.not.have.property('times');
    const problems = await brainLoaded(robot, scripts);
    expect(problems.map(({ file, line, cause }) => [file, line, cause])).to.deep.equal([[breaks, 3, 'no data']]);
    robot.brain.removeAllListeners();
    await loadScript(robot, counts);
    expect(await brainLoaded(robot, [counts])).to.deep.equal([]);
    expect(robot).to.have.property('times', 1);
  });

  it('refuses a room whose script does not load', async () => {
    const file = await write('bad.mjs', 'export default () => { throw new Error("no") }');
    const outcome = await new Helper(file).createRoom().catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(Error).with.property('message').that.includes('bad.mjs:1 no');
  });
});
