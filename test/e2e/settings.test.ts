/** Every setting does what the reference says, in the real program: what src/app.ts hands on to its parts. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openDatabase } from '../../src/storage/database.ts';
import { quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/missing.ts';
import { modelServer, says } from '../support/openai.ts';
import { freePort } from '../support/postgres.ts';
import { BIN, endAll, Guest, launch, type Program, run, send, start, status } from '../support/program.ts';

const ADAPTER = `
const { Adapter, TextMessage, User } = require(${JSON.stringify(fileURLToPath(import.meta.resolve('hubot')))});
const { appendFileSync } = require('node:fs');
class Plain extends Adapter {
  async send(envelope, ...strings) { appendFileSync(process.env.SAID, strings.join('\\n') + '\\n'); }
  async reply(envelope, ...strings) { return this.send(envelope, ...strings); }
  async run() {
    this.robot.on('running', () => this.receive(new TextMessage(new User('U1', { name: 'alice', room: 'ops' }), 'shipmate whoami', '1')));
    this.emit('connected');
  }
}
exports.use = (robot) => new Plain(robot);
`;

const ROUTES = `export default function (robot) {
  robot.router.post('/echo', (request, response) => response.json(request.body));
}
`;

describe('settings', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-settings-'));
  });
  afterEach(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  async function write(path: string, text: string): Promise<string> {
    const file = join(folder, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, text);
    return file;
  }

  /** Starts what has no link, because the web chat is off. */
  async function startPlain(
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
    port?: number,
  ): Promise<Program> {
    const program = await launch({ data: join(folder, 'data'), env, args, ...(port !== undefined && { port }) });
    await eventually(() => program.log().includes('Stop it with'), Boolean, 30_000).catch(() => {
      throw new Error(`not ready: ${program.log()}`);
    });
    return program;
  }

  it('HUBOT_NAME and HUBOT_ALIAS: what it listens to', async () => {
    const program = await start({ data: join(folder, 'data'), env: { HUBOT_NAME: 'bosun', HUBOT_ALIAS: '!' } });
    const guest = new Guest('alice');
    const client = await guest.connect(program);
    await guest.say('general', 'shipmate roles');
    await guest.say('general', 'bosun whoami');
    await client.message('web:1');
    await guest.say('general', '!roles');
    await client.message('deployer');
    const roles = (await guest.read('general', 0)).filter(({ html }) => html.includes('deploy:staging'));
    expect(roles).to.have.length(1);
  });

  for (const how of ['HUBOT_FILE', '--file']) {
    it(`${how}: the chat is the adapter in that file`, async () => {
      const file = await write('plain.cjs', ADAPTER);
      const SAID = join(folder, 'said');
      const [env, args] = how === '--file' ? [{ SAID }, ['--file', file]] : [{ SAID, HUBOT_FILE: file }, []];
      const program = await startPlain(env, args);
      const said = await eventually(() => readFile(SAID, 'utf8').catch(() => ''), Boolean);
      expect(said).to.include('plain:U1');
      expect(program.log()).to.not.include('web chat');
      expect((await program.end('SIGTERM')).code).to.equal(0);
    });
  }

  it('OPENAI_*, SHIPMATE_RUNBOOKS and SHIPMATE_PUBLIC_URL: a model words what stands in the runbooks', async () => {
    const server = await modelServer();
    await write('books/teapot.md', '# The teapot is cold\n\n## Warm it up\n\nPress the copper button twice.\n');
    server.prepare(says('Press the copper button twice [1].'));
    const env = {
      OPENAI_API_KEY: 'sk-settings',
      OPENAI_BASE_URL: server.url,
      OPENAI_MODEL: 'teapot-mini',
      SHIPMATE_RUNBOOKS: join(folder, 'books'),
      SHIPMATE_PUBLIC_URL: 'https://shipmate.example.com',
    };
    const { out, code } = await run(['--adapter', 'shell'], {
      data: join(folder, 'data'),
      env,
      input: 'ask what do I do when the teapot is cold?\n',
    });
    expect(code).to.equal(0);
    expect(out).to.include('copper button twice');
    expect(out).to.include('https://shipmate.example.com/runbooks/teapot.md#warm-it-up');
    expect(server.seen[0]?.headers.authorization).to.equal('Bearer sk-settings');
    expect(server.seen[0]?.body.model).to.equal('teapot-mini');
    expect(server.seen[0]?.text).to.include('copper button');
    await server.finish();
  });

  it('EXPRESS_*: password, files, sizes and port of HTTP', async () => {
    await write('files/hello.txt', 'hello from a file');
    const port = await freePort();
    const env = {
      EXPRESS_PORT: String(port),
      EXPRESS_USER: 'alice',
      EXPRESS_PASSWORD: 'wonder land',
      EXPRESS_STATIC: join(folder, 'files'),
      EXPRESS_LIMIT: '1kb',
      EXPRESS_PARAMETER_LIMIT: '3',
      HUBOT_SCRIPTS: await write('scripts/echo.mjs', ROUTES),
    };
    const program = await startPlain(env);
    const authorization = `Basic ${Buffer.from('alice:wonder land').toString('base64')}`;
    const at = { port };
    expect(await status(program, '/healthz'), 'PORT').to.equal(0);
    expect(await status(at, '/healthz'), 'EXPRESS_PORT').to.equal(200);
    expect(await status(at, '/hello.txt')).to.equal(401);
    const wrong = { authorization: `Basic ${Buffer.from('alice:wonder').toString('base64')}` };
    expect((await send(at, 'GET', '/hello.txt', { headers: wrong })).status).to.equal(401);
    expect((await send(at, 'GET', '/hello.txt', { headers: { authorization } })).body).to.equal('hello from a file');
    async function echo(type: string, body: string): Promise<number> {
      return (await send(at, 'POST', '/echo', { headers: { authorization, 'content-type': type }, body })).status;
    }
    expect(await echo('application/json', JSON.stringify({ a: 1 }))).to.equal(200);
    expect(await echo('application/json', JSON.stringify({ a: 'x'.repeat(1100) }))).to.equal(413);
    expect(await echo('application/x-www-form-urlencoded', 'a=1&b=2&c=3')).to.equal(200);
    expect(await echo('application/x-www-form-urlencoded', 'a=1&b=2&c=3&d=4')).to.equal(413);
  });

  it('BIND_ADDRESS: says where it listens, that the chat is off, and how to switch it on', async () => {
    const program = await startPlain({ BIND_ADDRESS: '0.0.0.0' });
    expect(program.log()).to.include(`Listening on 0.0.0.0:${program.port}\n`);
    expect(program.log()).to.match(
      /Warning: nobody can talk to the robot\. The web chat is off: .*SHIPMATE_WEB=true, SHIPMATE_WEB_TOKEN and SHIPMATE_PUBLIC_URL/,
    );
    expect(await status(program, '/readyz')).to.equal(200);
    await program.end('SIGTERM');
    const on = await startPlain({
      BIND_ADDRESS: '0.0.0.0',
      EXPRESS_BIND_ADDRESS: '127.0.0.1',
      SHIPMATE_WEB: 'false',
      HUBOT_ADAPTER: 'web',
    });
    expect(on.log()).to.include('HTTP:  http://127.0.0.1:').and.include('switch it on with SHIPMATE_WEB=true');
    await on.end('SIGTERM');
    const env = {
      BIND_ADDRESS: '0.0.0.0',
      SHIPMATE_WEB: 'true',
      SHIPMATE_WEB_TOKEN: 'token-of-the-web-chat',
      SHIPMATE_PUBLIC_URL: 'https://chat.example.com',
    };
    const open = await startPlain(env);
    expect(open.log()).to.include(`Listening on 0.0.0.0:${open.port}, https://chat.example.com; the web chat is on`);
    expect(open.log()).to.not.include('token-of-the-web-chat');
  });

  it('SHIPMATE_HISTORY_DAYS: a start deletes what is older', async () => {
    const data = join(folder, 'data');
    const first = await start({ data });
    const guest = new Guest('alice');
    await guest.connect(first);
    await guest.say('general', 'an old story');
    await guest.say('general', 'a new story');
    await first.end('SIGTERM');
    const database = await openDatabase({ folder: data, log: quiet });
    await database.pool.query("update messages set at = now() - interval '8 days' where text = 'an old story'");
    await database.close();
    const kept = await start({ data, port: first.port, env: { SHIPMATE_HISTORY_DAYS: '9' } });
    await guest.connect(kept);
    await eventually(() => kept.log().includes('ready after'));
    expect(JSON.stringify(await guest.read('general', 0))).to.include('an old story');
    await kept.end('SIGTERM');
    const second = await start({ data, port: first.port, env: { SHIPMATE_HISTORY_DAYS: '7' } });
    await guest.connect(second);
    await eventually(async () => !JSON.stringify(await guest.read('general', 0)).includes('an old story'));
    expect(JSON.stringify(await guest.read('general', 0))).to.include('a new story');
  });

  it('HUBOT_SHELL_USER_ID and HUBOT_SHELL_USER_NAME: who sits at the terminal', async () => {
    const env = { HUBOT_SHELL_USER_ID: '42', HUBOT_SHELL_USER_NAME: 'Dora', HUBOT_HTTPD: 'false' };
    const { code, out } = await run(['-a', 'Shell'], { data: join(folder, 'data'), env, input: 'whoami\n' });
    expect(code).to.equal(0);
    expect(out).to.include('shell:42').and.include('Dora').and.include('admin');
  });

  it('HUBOT_SHELL_HISTSIZE: what it remembers of what was typed', async function () {
    if (!existsSync('/usr/bin/script')) return needs(this, 'script', 'apt-get install bsdutils');
    const typed = await write('data/shell-history', 'one\ntwo\nthree\nfour\nfive\n');
    const env = {
      PATH: process.env['PATH'],
      TERM: 'xterm',
      SHIPMATE_DATA: join(folder, 'data'),
      HUBOT_HTTPD: 'false',
      HUBOT_SHELL_HISTSIZE: '2',
    };
    const command = `${process.execPath} ${BIN} --adapter shell`;
    const child = spawn('/usr/bin/script', ['-qec', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    let seen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    await eventually(() => seen.includes('shipmate> '), Boolean, 30_000);
    child.stdin.write('exit\r');
    expect(await ended).to.equal(0);
    expect(await readFile(typed, 'utf8')).to.equal('four\nfive\nexit\n');
  });

  it('-r and -d: more scripts, no HTTP', async () => {
    const one = await write(
      'one/a.mjs',
      "export default (robot) => robot.respond(/one/, (res) => res.send('first'));\n",
    );
    const two = await write(
      'two.mjs',
      "export default (robot) => robot.respond(/two/, (res) => res.send('second'));\n",
    );
    const args = ['-a', 'shell', '-d', '-r', join(one, '..'), '--require', two];
    const port = await freePort();
    const { code, out, err } = await run(args, { data: join(folder, 'data'), port, input: 'one\ntwo\n' });
    expect([code, out], err).to.deep.equal([0, 'first\nsecond\n']);
  });

  for (const [args, sentence] of [
    [['-e', 'help'], /^There is no --execute: pipe the line in, as in: echo help \| shipmate --adapter shell\n/],
    [['--create', 'bot'], /^There is no --create: copy this project; npm run new/],
  ] as const) {
    it(`${args[0]}: is not there, and says what to do instead`, async () => {
      const { code, err } = await run(args, { data: join(folder, 'data') });
      expect([code, err]).to.satisfy(() => code === 2 && sentence.test(err), err);
    });
  }

  it('what cannot work is told all together, by --check and by a start, before anything is opened', async () => {
    const config = join(folder, 'config');
    await write('config/service.yaml', 'services: {}\n');
    await write('config/alerts.yaml', '# comment\nroom: slack:ops\n');
    await write(
      'config/services.yaml',
      'environments: {staging: }\nservices:\n  web:\n    target: {kind: command, folder: /nowhere, deploy: [node, x]}\n',
    );
    const data = join(folder, 'data');
    const env = {
      EXPRESS_LIMIT: 'banana',
      HUBOT_ADAPTER: 'web,nope',
      SHIPMATE_CONFIG: config,
      SHIPMATE_RUNBOOKS: '/nope',
      HUBOT_SCRIPTS: await write('bad.mjs', 'export default 3;\n'),
    };
    const checked = await run(['--check'], { data, env });
    expect(checked.code).to.equal(1);
    for (const expected of [
      /^7 problems:/,
      /EXPRESS_LIMIT: must be a size such as 100kb, .* \(it is "banana"\)/,
      /SHIPMATE_RUNBOOKS: there is no folder \/nope/,
      /config\/service\.yaml: nothing reads this file; did you mean services\.yaml\?/,
      /config\/services\.yaml:4: services\.web\.target\.folder: there is no folder \/nowhere/,
      /config\/alerts\.yaml:2: room: there is no chat called slack; HUBOT_ADAPTER names web, nope/,
      /HUBOT_ADAPTER: there is no adapter nope; npm install hubot-nope/,
      /bad\.mjs: it does not export a function/,
    ]) {
      expect(checked.err).to.match(expected);
    }
    const started = await run([], { data, env });
    expect(started.err).to.equal(`Shipmate cannot start: ${checked.err}`);
    // With nothing wrong but the adapter.
    const only = await run([], { data, env: { HUBOT_ADAPTER: 'nope' } });
    expect([only.code, only.err.replace(/^Shipmate \d.*\n/, '')]).to.deep.equal([
      1,
      'Shipmate cannot start: 1 problem:\n\nenvironment: HUBOT_ADAPTER: there is no adapter nope; npm install hubot-nope\n',
    ]);
    const file = await run(['--check', '-f', '/nope'], { data });
    expect(file.err).to.equal(
      '1 problem:\n\nenvironment: HUBOT_FILE: there is no file /nope; name the file of an adapter\n',
    );
    expect(existsSync(data), 'a data folder').to.equal(false);
  });
});
