/** Bad bodies, bad configuration, bad scripts, and the wrong way to start: a clear outcome each, from the real program. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/postgres.ts';
import {
  alert,
  endAll,
  Guest,
  HOOK_TOKEN,
  launch,
  notification,
  type Program,
  run,
  send,
  start,
  status,
} from '../support/program.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const COMMAND = pathToFileURL(join(ROOT, 'src/bot/command.ts')).href;

describe('bad input', function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-bad-'));
  });
  after(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  describe('on the hooks', () => {
    let program: Program;
    const json = { 'content-type': 'application/json', authorization: `Bearer ${HOOK_TOKEN}` };
    const body = JSON.stringify(notification('Fine', 'firing', new Date()));

    before(async () => {
      program = await start({ data: join(folder, 'hooks') });
    });
    afterEach(async () => {
      expect(await status(program, '/healthz'), 'alive').to.equal(200);
      expect(await status(program, '/readyz'), 'ready').to.equal(200);
    });
    after(async () => {
      expect(program.log()).to.not.match(/uncaught|unhandled|nobody caught/i);
      expect((await program.end('SIGTERM')).code).to.equal(0);
    });

    async function post(
      content: string | Buffer,
      headers: Record<string, string> = json,
      path = '/hooks/alertmanager',
    ) {
      return (await send(program, 'POST', path, { headers, body: content })).status;
    }

    it('takes a good one', async () => {
      expect(await post(body)).to.equal(202);
      expect(await post(gzipSync(body), { ...json, 'content-encoding': 'gzip' })).to.equal(202);
    });

    it('refuses bodies that are malformed, empty, of the wrong shape or not UTF-8', async () => {
      const bad: (string | Buffer)[] = ['{', '', 'null', '[]', '{}', '"text"', body.slice(0, -1), '{"alerts": 7}'];
      bad.push(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), Buffer.from(body, 'utf16le'));
      for (const content of bad) expect(await post(content), String(content).slice(0, 20)).to.equal(400);
      expect(await post('no gzip', { ...json, 'content-encoding': 'gzip' })).to.equal(400);
    });

    it('refuses what is nested very deep, and what is huge, sent plainly, in chunks or packed', async () => {
      expect(await post('['.repeat(200_000) + ']'.repeat(200_000))).to.equal(400);
      expect(await post(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`)).to.equal(400);
      const huge = Buffer.alloc(20_000_000, 0x20);
      expect(await post(huge)).to.equal(413);
      expect(await post(huge, { ...json, 'transfer-encoding': 'chunked' })).to.equal(413);
      expect(await post(gzipSync(huge), { ...json, 'content-encoding': 'gzip' })).to.equal(413);
    });

    it('refuses unknown content types, character sets, encodings, methods and sources', async () => {
      for (const type of ['text/plain', 'application/xml', 'application/json; charset=latin1', 'x', '']) {
        expect(await post(body, { ...json, 'content-type': type }), type).to.equal(415);
      }
      expect(await post(body, { ...json, 'content-encoding': 'br' })).to.equal(415);
      expect((await send(program, 'GET', '/hooks/alertmanager', { headers: json })).status).to.equal(405);
      expect(await post(body, json, '/hooks/nothing')).to.equal(404);
      expect(await post(body, json, '/hooks/')).to.equal(404);
    });

    it('keeps what a hostile notification says harmless', async () => {
      const odd = `{"__proto__":{"polluted":1},${body.slice(1).replace('Fine on web-1', '\\\\u0000\\\\ud800 <!channel> @all')}`;
      expect(await post(odd)).to.equal(202);
      expect(
        await post(JSON.stringify({ ...notification('Odd', 'firing', new Date()), groupKey: 'x'.repeat(5000) })),
      ).to.be.oneOf([202, 400]);
    });

    it('refuses wrong tokens, tells who goes on to wait, and lets the right one in nevertheless', async () => {
      for (const headers of [
        { 'content-type': 'application/json' },
        { ...json, authorization: 'Bearer wrong' },
        { ...json, authorization: `Basic ${Buffer.from('x:wrong').toString('base64')}` },
        { ...json, authorization: 'Bearer' },
        { ...json, authorization: `Bearer ${HOOK_TOKEN}x` },
      ]) {
        expect(await post(body, headers)).to.equal(401);
      }
      const codes: number[] = [];
      for (let n = 0; n < 30; n++) codes.push(await post(body, { ...json, authorization: 'Bearer wrong' }));
      expect(codes.at(-1)).to.equal(429);
      expect(await post(body)).to.equal(202);
    });

    it('refuses malformed frames and pages of strangers in the web chat', async () => {
      const guest = new Guest('alice');
      const client = await guest.connect(program);
      for (const frame of ['{', 'null', '{"t":"say"}', `{"t":"say","id":"${'x'.repeat(70)}"}`]) client.ws.send(frame);
      const long = await guest.say('general', 'x'.repeat(20_000));
      expect(long).to.deep.include({ kind: 'refused' });
      const nowhere = await guest.say('nowhere', 'hello');
      expect(nowhere).to.deep.include({ kind: 'refused' });
      expect((await guest.say('general', 'still here \u0000 \ud800')).kind).to.equal('stored');
      client.ws.send('x'.repeat(200_000));
      await eventually(() => client.closed !== undefined);
      const foreign = await send(program, 'GET', '/web/me', { headers: { host: 'evil.example.com' } });
      expect(foreign.status).to.equal(403);
    });
  });

  describe('in configuration and scripts', () => {
    async function configuration(name: string, files: Readonly<Record<string, string>>): Promise<string> {
      const config = join(folder, name);
      await cp(join(ROOT, 'test/fixtures/config'), config, { recursive: true });
      for (const [file, content] of Object.entries(files)) await writeFile(join(config, file), content);
      return config;
    }

    async function scripts(name: string, files: Readonly<Record<string, string>>): Promise<string> {
      const made = join(folder, name);
      await mkdir(made);
      for (const [file, content] of Object.entries(files)) await writeFile(join(made, file), content);
      return made;
    }

    it('reports everything at once, with file and line, with --check and with a plain start', async () => {
      const config = await configuration('broken', {
        'services.yaml': 'environments:\n  staging: {}\nservices:\n  hello:\n    target: {kind: rocket}\n',
        'alerts.yaml': 'room: ops\nroutes:\n  - matchers: [severity="critical\n',
        'access.yaml': "everyone: ['deploy:*']\npeople:\n  'web:1': [captain]\n",
      });
      const folderOfScripts = await scripts('bad-scripts', {
        'throws.ts': "export default function () {\n  throw new Error('no ticket server');\n}\n",
        'syntax.ts': 'export default function (robot) {\n  const = 1;\n}\n',
        'needless.ts': `import { command } from '${COMMAND}';
export default function (robot) {
  command(robot, {
    id: 'x.y', usage: 'x y', summary: 'nobody said who may', examples: [], effect: 'read', async run() {} });
}
`,
        'nothing.ts': 'export const answer = 42;\n',
      });
      const data = join(folder, 'data-of-broken');
      const env = {
        SHIPMATE_CONFIG: config,
        HUBOT_SCRIPTS: folderOfScripts,
        PORT: 'eighty',
        SHIPMATE_DATUM: 'x',
        DATABASE_URL: 'mysql://user:secret-password@host/db',
      };
      const checked = await run(['--check'], { data, env });
      expect(checked.code).to.equal(1);
      for (const expected of [
        /services\.yaml:\d+: /,
        /alerts\.yaml:\d+: /,
        /access\.yaml:\d+: .*captain/,
        /PORT: must be a whole number/,
        /SHIPMATE_DATUM: there is no such variable; did you mean SHIPMATE_DATA\?/,
        /DATABASE_URL: must be an address/,
        /throws\.ts:2: no ticket server/,
        /syntax\.ts:2: /,
        /needless\.ts:\d+: .*say who may run it/,
        /nothing\.ts: it does not export a function/,
      ]) {
        expect(checked.err).to.match(expected);
      }
      expect(checked.err).to.not.include('secret-password');
      const started = await run([], { data, env });
      expect(started.code).to.equal(1);
      expect(started.err.replace(/^.*problems:/s, '')).to.equal(checked.err.replace(/^.*problems:/s, ''));
      expect(existsSync(data), 'a data folder').to.equal(false);
    });

    for (const [name, content, expected] of [
      ['services.yaml', 'services: [', /services\.yaml:1: /],
      ['alerts.yaml', 'room: ops\nroom: other\n', /alerts\.yaml:2: /],
      ['access.yaml', '\tx: y', /access\.yaml:1: /],
      ['services.yaml', 'services:\n  hello:\n    envronments: [staging]\n', /services\.yaml:3: .*envronments/],
      ['alerts.yaml', 'rooms: ops\n', /alerts\.yaml:1: .*rooms/],
      ['access.yaml', '- 1\n- 2\n', /access\.yaml:1: /],
      ['alerts.yaml', Buffer.from([0x72, 0xff, 0xfe]).toString('latin1'), /alerts\.yaml:1: /],
    ] as const) {
      it(`says where ${name} is wrong: ${JSON.stringify(content)}`, async () => {
        const config = await configuration(`one-${Math.random()}`, { [name]: content });
        const { code, err } = await run(['--check'], {
          data: join(folder, 'unused'),
          env: { SHIPMATE_CONFIG: config },
        });
        expect([code, err]).to.satisfy(() => code === 1 && expected.test(err), err);
      });
    }

    it('finds nothing wrong with what is delivered', async () => {
      const { code, out, err } = await run(['--check'], {
        data: join(folder, 'unused'),
        env: { SHIPMATE_CONFIG: 'config' },
      });
      expect([code, err]).to.deep.equal([0, '']);
      expect(out).to.match(/^OK: the configuration and \d+ scripts\n$/);
    });

    it('does not start with one bad script, and says which', async () => {
      const bad = await scripts('one-bad', {
        'late.ts': "export default async () => {\n  await null;\n  throw new Error('late');\n};\n",
      });
      const { code, err } = await run([], { data: join(folder, 'late'), env: { HUBOT_SCRIPTS: bad } });
      expect(code).to.equal(1);
      expect(err).to.match(/Shipmate cannot start: 1 problem:\n\n\S+late\.ts:3: late; /);
    });

    it('lives on when a script fails at work, and says so to who asked', async () => {
      const bad = await scripts('fails-at-work', {
        'fails.ts': `export default function (robot) {
  robot.respond(/explode now/, () => { throw new Error('boom'); });
  robot.respond(/explode later/, (res) => { setTimeout(() => { throw new Error('later'); }, 1); return res.reply('soon'); });
  robot.respond(/explode unheard/, () => { Promise.reject(new Error('unheard')); });
  robot.router.get('/explode', () => { throw new Error('route'); });
}
`,
      });
      const program = await start({ data: join(folder, 'at-work'), env: { HUBOT_SCRIPTS: bad } });
      const guest = new Guest('alice');
      const client = await guest.connect(program);
      await guest.say('general', 'shipmate explode now');
      await client.message('reference');
      for (const what of ['later', 'unheard']) await guest.say('general', `shipmate explode ${what}`);
      expect(await status(program, '/explode')).to.equal(500);
      await eventually(() => /"unheard"/.test(program.log()) && /"later"/.test(program.log()));
      expect(await status(program, '/readyz')).to.equal(200);
      await guest.say('general', 'shipmate whoami');
      await client.message('web:1');
      expect((await program.end('SIGTERM')).code).to.equal(0);
    });
  });

  describe('at the start', () => {
    it('says in one sentence that Node is too old', async function () {
      const old = ['/usr/bin/node', '/usr/local/bin/node', '/usr/bin/nodejs'].find((path) => {
        try {
          const [major = 99] = execFileSync(path, ['-p', 'process.versions.node']).toString().split('.').map(Number);
          return major < 22;
        } catch {
          return false;
        }
      });
      if (old === undefined) {
        console.warn('skipped: there is no Node older than 22 on this machine; the next test says that it is one');
        return this.skip();
      }
      const { code, out, err } = await run([], { data: join(folder, 'old'), node: old });
      expect([code, out]).to.deep.equal([1, '']);
      expect(err).to.match(/^Shipmate needs Node 22\.19 or newer; this is Node \d[^\n]*\n$/);
    });

    it('says in one sentence that Node is too old, to a Node that says that it is', async () => {
      const before = join(folder, 'old-node.mjs');
      for (const version of ['20.20.2', '22.18.0']) {
        await writeFile(
          before,
          `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });\n`,
        );
        const env = { NODE_OPTIONS: `--import=${pathToFileURL(before).href}` };
        const { code, out, err } = await run([], { data: join(folder, 'old'), env });
        expect([code, out]).to.deep.equal([1, '']);
        expect(err).to.match(/^Shipmate needs Node 22\.19 or newer; this is Node [^\n]*\n$/);
        expect(err).to.include(`this is Node ${version}.`);
      }
    });

    it('shows help and version, and says what it does not know with exit code 2', async () => {
      const options = { data: join(folder, 'unused') };
      const help = await run(['--help'], options);
      expect([help.code, help.err]).to.deep.equal([0, '']);
      expect(help.out).to.match(/--adapter[\s\S]*--check/);
      const version = await run(['--version'], options);
      expect([version.code, version.err]).to.deep.equal([0, '']);
      expect(version.out).to.match(/^\d+\.\d+\.\d+\n$/);
      for (const args of [['--adaptor', 'web'], ['begin'], ['migrate', 'now'], ['--adapter'], ['--version=3']]) {
        const wrong = await run(args, options);
        expect([wrong.code, wrong.out], args.join(' ')).to.deep.equal([2, '']);
        expect(wrong.err, args.join(' ')).to.match(/Usage: shipmate/);
      }
      const adapter = await run(['--adapter', 'hubot-carrier-pigeon'], options);
      expect(adapter.code).to.equal(1);
      expect(adapter.err).to.match(/hubot-carrier-pigeon.*npm install/s);
    });

    it('says that the port is in use', async () => {
      const port = await freePort();
      const other = createServer();
      await new Promise<void>((done) => other.listen(port, '127.0.0.1', done));
      try {
        const { code, err } = await run([], { data: join(folder, 'port'), port });
        expect(code).to.equal(1);
        expect(err).to.match(new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use; .*PORT`));
      } finally {
        other.close();
      }
    });

    it('refuses a second process on the same data folder, and the first goes on', async () => {
      const data = join(folder, 'shared');
      const first = await start({ data });
      const { code, err } = await run([], { data });
      expect(code).to.equal(1);
      expect(err).to.match(/shared.*(in use|used by)/i);
      expect(err).to.include(String(first.pid));
      expect(await status(first, '/readyz')).to.equal(200);
      expect((await first.end('SIGTERM')).code).to.equal(0);
    });
  });

  describe('at the end', () => {
    it('finishes a deploy that runs when it is told to stop, with exit code 0', async () => {
      const data = join(folder, 'stop');
      const first = await start({ data });
      const guest = new Guest('alice');
      const client = await guest.connect(first);
      await guest.say('general', 'shipmate deploy hello v2 to production');
      await client.message('Deploying hello v2');
      expect(await first.end('SIGTERM')).to.deep.equal({ code: 0, signal: null });
      const second = await start({ data, port: first.port });
      await guest.connect(second);
      const said = JSON.stringify(await guest.read('general', 0));
      expect(said).to.include('hello v2 is live in production');
      expect(await second.end('SIGINT')).to.deep.equal({ code: 0, signal: null });
    });

    it('reports a deploy that takes too long to wait for', async () => {
      const config = join(folder, 'slow-config');
      await mkdir(config);
      const slow = join(folder, 'slow');
      await mkdir(slow);
      await writeFile(join(slow, 'deploy.mjs'), 'console.log("on my way"); setInterval(() => {}, 1000);\n');
      await writeFile(
        join(config, 'services.yaml'),
        `environments: {staging: {}}
services:
  slow:
    environments: [staging]
    target: {kind: command, folder: ${slow}, deploy: [node, deploy.mjs]}
`,
      );
      const data = join(folder, 'slow-data');
      const env = { SHIPMATE_CONFIG: config };
      const first = await start({ data, env });
      const guest = new Guest('alice');
      const client = await guest.connect(first);
      await guest.say('general', 'shipmate deploy slow v1 to staging');
      await eventually(() => JSON.stringify(client.frames).includes('on my way'));
      const began = Date.now();
      expect(await first.end('SIGTERM')).to.deep.equal({ code: 0, signal: null });
      expect(Date.now() - began).to.be.below(25_000);
      const second = await start({ data, env, port: first.port });
      await guest.connect(second);
      await eventually(async () => JSON.stringify(await guest.read('general', 0)).includes('interrupted'));
      await guest.say('general', 'shipmate deploys slow');
      expect((await second.end('SIGTERM')).code).to.equal(0);
    });

    it('ends at once, cleanly, when it is told to stop while it starts', async () => {
      const program = await launch({ data: join(folder, 'early') });
      await eventually(() => program.log().includes('opening the database'));
      const { code } = await program.end('SIGTERM');
      expect(code).to.equal(0);
      const again = await start({ data: join(folder, 'early') });
      expect(await alert(again, notification('AfterEarly', 'firing', new Date()))).to.equal(202);
      expect((await again.end('SIGTERM')).code).to.equal(0);
    });

    it('ends when it is told to stop while a chat does not come up', async () => {
      const adapter = join(folder, 'hanging.mjs');
      await writeFile(
        adapter,
        `import { Adapter } from ${JSON.stringify(import.meta.resolve('hubot'))};
         class Hanging extends Adapter { async run() { setInterval(() => {}, 1000); await new Promise(() => {}); } }
         export default { use: (robot) => new Hanging(robot) };`,
      );
      const program = await launch({
        data: join(folder, 'hanging'),
        env: { HUBOT_FILE: adapter, HUBOT_ADAPTER: 'hanging' },
      });
      await eventually(async () => (await status(program, '/healthz')) === 200);
      expect((await program.end('SIGTERM')).code).to.equal(1);
    });
  });
});
