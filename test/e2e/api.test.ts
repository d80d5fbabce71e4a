/** Commands of pipelines: the real program, real HTTP, and the shell line of the guide as it is written there. */

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { type Answer, endAll, Guest, type Program, send, start } from '../support/program.ts';

const GUIDE = resolve(import.meta.dirname, '../../docs/guide/api.md');
const ROOT = resolve(import.meta.dirname, '../..');

const SERVICES = (folder: string) => `environments: {staging: {}, production: {}}
services:
  hello:
    target:
      kind: command
      folder: ${ROOT}/examples/hello
      deploy: [node, deploy.mjs, '{environment}', '{version}']
      current: [node, status.mjs, '{environment}']
      versions: [node, versions.mjs]
  slow:
    environments: [staging]
    target: {kind: command, folder: ${folder}, deploy: [node, slow.mjs]}
`;

/** Takes until it is let go; says how far it is. */
const SLOW = (go: string) => `import { existsSync } from 'node:fs';
console.log('::step Copying files');
console.log('outcome: succeeded');
setInterval(() => existsSync(${JSON.stringify(go)}) && process.exit(0), 10);
`;

/** The shell line of the guide that deploys. */
async function guideLine(): Promise<string> {
  const guide = await readFile(GUIDE, 'utf8');
  const [, line] = /## Deploying from a pipeline\n\n```sh\n([\s\S]*?)```/.exec(guide) ?? [];
  if (line === undefined) throw new Error('the guide has no shell line');
  return line;
}

/** Runs a line in a shell of the machine. */
function shell(
  line: string,
  env: Record<string, string>,
): { readonly out: () => string; readonly ended: Promise<{ code: number | null; out: string }>; kill(): void } {
  const child = spawn('sh', ['-c', line], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: the programs of the pipe end with it.
    detached: true,
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
  }
  const ended = new Promise<{ code: number | null; out: string }>((done) =>
    child.once('close', (code) => done({ code, out })),
  );
  return { out: () => out, ended, kill: () => void (child.pid && process.kill(-child.pid, 'SIGKILL')) };
}

describe('commands over HTTP', function () {
  this.timeout(90_000);
  let folder: string;
  let program: Program;
  let alice: Guest;
  let bob: Guest;
  let token: string;

  async function ask(who: Guest, text: string, answer: RegExp): Promise<RegExpExecArray> {
    const from = who.client?.frames.length ?? 0;
    await who.say('general', `shipmate ${text}`);
    const seen = (): RegExpExecArray | null => answer.exec(JSON.stringify(who.client?.frames.slice(from)));
    const found = await eventually(seen, (match) => match !== null);
    if (!found) throw new Error('no answer');
    return found;
  }

  /** Makes a token as somebody does, and fetches its secret. */
  async function newToken(who: Guest, wish: string): Promise<string> {
    const [, path = ''] = await ask(who, `token new ${wish}`, /http:\/\/127\.0\.0\.1:\d+(\/token\/[\w-]+)/);
    const page = await send(program, 'GET', path, { headers: { accept: 'text/html' } });
    expect(page.body).to.include('<form method="post">').and.not.include('shp_');
    const fetched = await send(program, 'POST', path);
    expect(fetched.status).to.equal(200);
    expect(fetched.body).to.match(/^shp_[\w-]{40}\n$/);
    const again = await send(program, 'POST', path);
    expect(again.status).to.equal(410);
    return fetched.body.trim();
  }

  async function call(
    command: string,
    options: { readonly secret?: string; readonly headers?: Record<string, string>; readonly query?: string } = {},
  ): Promise<Answer> {
    const headers = { authorization: `Bearer ${options.secret ?? token}`, ...options.headers };
    return await send(program, 'POST', `/api/commands${options.query ?? ''}`, { headers, body: command });
  }

  function outcome(answer: Answer): string | undefined {
    return answer.body.trimEnd().split('\n').at(-1);
  }

  const environment = (): Record<string, string> => ({ ROBOT_URL: program.url, ROBOT_TOKEN: token });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-api-'));
    await mkdir(join(folder, 'config'));
    await writeFile(join(folder, 'slow.mjs'), SLOW(join(folder, 'go')));
    await writeFile(join(folder, 'config/services.yaml'), SERVICES(folder));
    await writeFile(
      join(folder, 'config/access.yaml'),
      "roles: {keeper: ['token:manage', 'deploy:staging']}\npeople: {'web:2': [keeper]}\n",
    );
    program = await start({ data: join(folder, 'data'), env: { SHIPMATE_CONFIG: join(folder, 'config') } });
    [alice, bob] = [new Guest('alice'), new Guest('bob')];
    await alice.connect(program);
    await bob.connect(program);
    token = await newToken(alice, 'ci deploy:staging audit:read for 30d');
  });
  after(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  it('the shell line of the guide deploys and exits by the outcome', async () => {
    const line = await guideLine();
    const good = await shell(line, environment()).ended;
    expect(good.out).to.match(/✓ hello v2 is live in staging\n/);
    expect(good.out.endsWith('outcome: succeeded\n'), good.out).to.equal(true);
    expect(good.code).to.equal(0);

    const broken = await shell(line.replace('v2', 'v3-broken'), environment()).ended;
    expect(broken.out).to.include('✗ hello v3-broken to staging failed').and.include('v3-broken is not healthy');
    expect(broken.out.endsWith('outcome: failed\n'), broken.out).to.equal(true);
    expect(broken.code).to.equal(1);

    const refused = await shell(line.replace('to staging', 'to production'), environment()).ended;
    expect(refused.out).to.include('deploy:production').and.include('outcome: refused');
    expect(refused.code).to.equal(1);
    const nobody = await shell(line, { ...environment(), ROBOT_URL: 'http://127.0.0.1:9' }).ended;
    expect(nobody.code).to.equal(1);
  });

  it('streams progress while it goes on; who hangs up cancels nothing, and can come back', async () => {
    const line = (await guideLine()).replace('hello v2', 'slow v1');
    const running = shell(line, environment());
    await eventually(() => running.out().includes('Copying files'));
    // The program has said the word itself; that is no outcome, and does not stand where one does.
    await eventually(() => running.out().includes('\n outcome: succeeded\n'));
    running.kill();
    await running.ended;
    const { location } = await hangUp('deploy hello v1 to staging');
    await writeFile(join(folder, 'go'), '');
    await eventually(
      async () => (await call('deploys')).body,
      (body) =>
        /slow v1 to staging: succeeded[^\n]*by token ci/.test(body) && body.includes('hello v1 to staging: succeeded'),
      20_000,
    );
    const told = await send(program, 'GET', String(location), { headers: { authorization: `Bearer ${token}` } });
    expect(told.body)
      .to.include('hello v1 is live in staging')
      .and.match(/\noutcome: succeeded\n$/);
    const other = await newToken(alice, 'other deploy:staging');
    const foreign = await send(program, 'GET', String(location), { headers: { authorization: `Bearer ${other}` } });
    expect(foreign.status).to.equal(404);
  });

  /** Sends a command and hangs up as soon as the head of the answer is there. */
  function hangUp(text: string): Promise<{ readonly location: string | undefined }> {
    return new Promise((done, fail) => {
      const sent = request(
        `${program.url}/api/commands`,
        { method: 'POST', headers: { authorization: `Bearer ${token}` }, agent: false },
        (response) => {
          done({ location: response.headers.location });
          response.destroy();
        },
      );
      sent.on('error', fail);
      sent.end(text);
    });
  }

  it('tells JSON lines', async () => {
    const answer = await call(JSON.stringify({ command: 'deploy hello v2 to staging' }), {
      headers: { accept: 'application/jsonl', 'content-type': 'application/json' },
    });
    expect(answer.headers['content-type']).to.equal('application/jsonl; charset=utf-8');
    const events: { type: string; [name: string]: unknown }[] = answer.body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ type }) => type)).to.include.members(['progress', 'answer', 'end']);
    expect(events.at(-1)).to.include({ type: 'end', outcome: 'succeeded' });
    expect(events.find(({ type }) => type === 'answer')?.['text']).to.match(/^✓ hello v2 is live in staging\nTook/);
    const path = answer.headers['location'];
    const again = await send(program, 'GET', String(path), { headers: { authorization: `Bearer ${token}` } });
    expect(outcome(again)).to.equal('outcome: succeeded');
    expect(again.body).to.include('hello v2 is live in staging');
  });

  it('a wrong, a revoked and an expired token open nothing', async () => {
    const nearly = `${token.slice(0, -1)}${token.endsWith('_') ? '-' : '_'}`;
    for (const secret of ['shp_wrong', nearly, 'x'.repeat(5000)]) {
      const answer = await call('deploys', { secret });
      expect(answer.status).to.equal(401);
      expect(answer.headers['www-authenticate']).to.equal('Bearer realm="api"');
      expect(answer.body).to.include('(api.unauthorized)').and.include('outcome: refused');
    }
    expect((await send(program, 'POST', '/api/commands', { body: 'deploys' })).status).to.equal(401);

    const gone = await newToken(alice, 'gone deploy:staging');
    expect((await call('deploys', { secret: gone })).status).to.equal(200);
    await ask(alice, 'token revoke gone', /counts no longer/);
    expect((await call('deploys', { secret: gone })).status).to.equal(401);

    const short = await newToken(alice, 'short deploy:staging for 3s');
    await eventually(async () => (await call('deploys', { secret: short })).status === 401);
    await ask(alice, 'token list', /short.{1,300}expired/);
  });

  it('a token holds no more than its maker, and no longer', async () => {
    const [text] = await ask(
      bob,
      'token new mine deploy:staging deploy:production',
      /cannot do more than who makes it[^"]*/,
    );
    expect(text).to.include('deploy:production').and.not.include('deploy:staging');
    const ofBob = await newToken(bob, 'bobs deploy:staging');
    expect((await call('deploy hello v1 to staging', { secret: ofBob })).status).to.equal(200);
    const maker = await call('token new more deploy:staging');
    expect(maker.status).to.equal(403);
    expect(maker.body).to.include('(token.people)');
    await ask(alice, 'token new maker deploy:staging token:manage', /Only a person can do that/);
    await ask(bob, 'token new ci deploy:staging', /There is a token/);
  });

  it('says what is wrong: command, argument, permission', async () => {
    const unknown = await call('fly to the moon');
    expect(unknown.status).to.equal(404);
    expect(unknown.body).to.include('(command.unknown)').and.include('outcome: failed');
    const wrong = await call('deploy nothing v1 to staging');
    expect(wrong.status).to.equal(400);
    expect(wrong.body).to.match(/service.*there is no service.*hello.*\(command\.value\)/);
    const denied = await call('deploy hello v1 to production');
    expect(denied.status).to.equal(403);
    expect(denied.body).to.include('(token.denied)').and.include('outcome: refused');
    expect((await call('grant alice admin')).status).to.equal(403);
    const empty = await call('  ');
    expect(empty.status).to.equal(400);
    expect((await call('x'.repeat(40_000))).status).to.equal(413);
    expect((await call('deploys', { query: '?wait=soon' })).body).to.include('wait is no length of time');
    expect(
      (await send(program, 'GET', '/api/commands', { headers: { authorization: `Bearer ${token}` } })).status,
    ).to.equal(405);
  });

  it('a change is run once for one idempotency key, and audited under the name of the token', async () => {
    const headers = { 'idempotency-key': 'build-17' };
    const first = await call('deploy hello v2 to staging', { headers });
    expect(outcome(first)).to.equal('outcome: succeeded');
    const second = await call('deploy hello v2 to staging', { headers });
    expect(second.headers['location']).to.equal(first.headers['location']);
    expect(second.body).to.include('hello v2 is live in staging');
    expect(outcome(second)).to.equal('outcome: succeeded');
    const another = await call('deploy hello v1 to staging', { headers });
    expect(another.status).to.equal(409);
    expect(another.body).to.include('(api.key)');
    // What was refused may be sent again; what failed has failed.
    const retry = { 'idempotency-key': 'build-18' };
    for (const _ of [1, 2])
      expect((await call('deploy hello v1 to production', { headers: retry })).status).to.equal(403);
    const broken = { 'idempotency-key': 'build-19' };
    const runs = async (): Promise<number> =>
      (await call('audit token:ci about:deploy')).body.match(/v3-broken to staging/g)?.length ?? 0;
    const before = await runs();
    for (const _ of [1, 2]) {
      expect(outcome(await call('deploy hello v3-broken to staging', { headers: broken }))).to.equal('outcome: failed');
    }
    expect(await runs()).to.equal(before + 1);
    const audit = await call('audit about:deploy limit:20');
    expect(audit.body).to.match(/token ci: .*deploy hello v2 to staging.*succeeded/);
  });

  it('the secret is in no log and no message', async () => {
    expect(program.log()).to.not.include(token);
    await alice.say('general', `look: ${token}`);
    await bob.client?.message('[redacted: Shipmate token]');
    expect(JSON.stringify(bob.client?.frames)).to.not.include(token);
  });
});
