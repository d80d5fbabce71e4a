/** What tokens must not do, and what must not happen to them: the real program over real HTTP. */

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, connect as dial, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { type Answer, endAll, Guest, HOOK_TOKEN, type Program, send, start } from '../support/program.ts';

const GUIDE = resolve(import.meta.dirname, '../../docs/guide/api.md');
/** Of the form of a token of GitHub. */
const LEAKED = ['ghp', 'x7Qm2RkT9vLc4WzP1nHs8BdY6uFj3GaEo5Ki'].join('_');

const SERVICES = (folder: string) => `environments:
  staging: {}
  production: {approval: {count: 1, expires: 5m}}
services:
  slow:
    target: {kind: command, folder: ${folder}, deploy: [node, slow.mjs]}
`;

/** Says the word itself, and takes until it is let go. */
const SLOW = (go: string) => `import { existsSync } from 'node:fs';
console.log('::step outcome: succeeded');
console.log('outcome: succeeded');
setInterval(() => existsSync(${JSON.stringify(go)}) && process.exit(0), 10);
`;

describe('tokens, kept in their bounds', function () {
  this.timeout(90_000);
  let folder: string;
  let program: Program;
  let alice: Guest;
  let bob: Guest;

  async function ask(who: Guest, text: string, answer: RegExp): Promise<RegExpExecArray> {
    const from = who.client?.frames.length ?? 0;
    await who.say('general', `shipmate ${text}`);
    const seen = (): RegExpExecArray | null => answer.exec(JSON.stringify(who.client?.frames.slice(from)));
    const found = await eventually(seen, (match) => match !== null);
    if (!found) throw new Error('no answer');
    return found;
  }

  async function newToken(who: Guest, wish: string): Promise<string> {
    const [, path = ''] = await ask(who, `token new ${wish}`, /http:\/\/127\.0\.0\.1:\d+(\/token\/[\w-]+)/);
    return (await send(program, 'POST', path)).body.trim();
  }

  const call = (secret: string, command: string, headers: Record<string, string> = {}): Promise<Answer> =>
    send(program, 'POST', '/api/commands', {
      headers: { authorization: `Bearer ${secret}`, ...headers },
      body: command,
      ms: 60_000,
    });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-api-safety-'));
    await mkdir(join(folder, 'config'));
    await writeFile(join(folder, 'slow.mjs'), SLOW(join(folder, 'go')));
    await writeFile(join(folder, 'config/services.yaml'), SERVICES(folder));
    await writeFile(
      join(folder, 'config/access.yaml'),
      "roles: {keeper: ['token:manage', 'deploy:staging'], approver: ['deploy:approve:production']}\npeople: {}\n",
    );
    program = await start({ data: join(folder, 'data'), env: { SHIPMATE_CONFIG: join(folder, 'config') } });
    [alice, bob] = [new Guest('alice'), new Guest('bob')];
    await alice.connect(program);
    await bob.connect(program);
  });
  after(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  it('the shell line of the guide fails where the connection is cut, whatever stood in the last line', async () => {
    const token = await newToken(alice, 'cut deploy:staging');
    const proxy = await cutAfter(program.port, 'outcome: succeeded');
    const guide = await readFile(GUIDE, 'utf8');
    const [, line = ''] = /## Deploying from a pipeline\n\n```sh\n([\s\S]*?)```/.exec(guide) ?? [];
    const child = spawn('sh', ['-c', line.replace('hello v2', 'slow v1')], {
      env: { PATH: process.env['PATH'] ?? '', ROBOT_URL: `http://127.0.0.1:${proxy.port}`, ROBOT_TOKEN: token },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    const code = await new Promise((done) => child.once('close', done));
    proxy.server.close();
    expect(out).to.match(/ outcome: succeeded\s*$/);
    expect(code).to.equal(1);
    await writeFile(join(folder, 'go'), '');
    await eventually(
      async () => (await call(token, 'deploys')).body,
      (text) => /slow v1 to staging: succeeded/.test(text),
      20_000,
    );
    await rm(join(folder, 'go'));
  });

  it('an open answer ends when its token is revoked; what was asked for goes on', async () => {
    const token = await newToken(alice, 'gone deploy:staging');
    const other = await newToken(alice, 'stays deploy:staging');
    const answer = call(token, 'deploy slow v2 to staging');
    await eventually(() => JSON.stringify(bob.client?.frames).includes('Deploying slow v2'));
    await ask(alice, 'token revoke gone', /counts no longer/);
    const { body } = await answer;
    expect(body)
      .to.include('(api.unauthorized)')
      .and.match(/\noutcome: unknown\n$/);
    await writeFile(join(folder, 'go'), '');
    await eventually(
      async () => (await call(other, 'deploys')).body,
      (text) => /slow v2 to staging: succeeded/.test(text),
      20_000,
    );
  });

  it('a token loses what its maker loses', async () => {
    await ask(alice, 'grant @bob keeper', /keeper/);
    const token = await newToken(bob, 'bobs deploy:staging');
    expect((await call(token, 'deploy slow v3 to staging')).body).to.match(/outcome: succeeded\n$/);
    await ask(alice, 'revoke @bob keeper', /no longer|keeper/);
    const refused = await call(token, 'deploy slow v4 to staging');
    expect(refused.status).to.equal(403);
    expect(refused.body).to.include('(token.denied)');
  });

  it('a deploy that somebody must approve waits for that, says so, and is approved by neither token nor maker', async () => {
    const token = await newToken(alice, 'waits deploy:production deploy:approve:production');
    await writeFile(join(folder, 'go'), '');
    const answer = send(program, 'POST', '/api/commands?wait=1m', {
      headers: { authorization: `Bearer ${token}`, accept: 'application/jsonl' },
      body: 'deploy slow v5 to production',
      ms: 80_000,
    });
    const frames = (): string => JSON.stringify(bob.client?.frames);
    const [, code = ''] = await eventually(
      () => /slow v5 to production.{0,2000}?approve ([0-9a-f]{4})/s.exec(frames()) ?? [],
      (match) => match.length > 0,
    );
    expect((await call(token, `approve ${code}`)).body).to.include('(proposal.person)');
    await ask(alice, `approve ${code}`, /Somebody else must approve this/);
    await ask(bob, `approve ${code}`, /deploy:approve:production/);
    await ask(alice, 'grant @bob approver', /approver/);
    await bob.say('general', `shipmate approve ${code}`);
    const events: { type: string; text?: string; outcome?: string }[] = (await answer).body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const said = events.map(({ text }) => text ?? '').join('\n');
    expect(said).to.include('asks for approval').and.include('Approved by bob').and.include('is live in production');
    expect(events.at(-1)).to.include({ type: 'end', outcome: 'succeeded' });
    const documented = await eventFields();
    expect([...documented.keys()]).to.have.members(['progress', 'answer', 'error', 'end']);
    for (const { type, ...fields } of events) {
      expect(documented.get(type), type).to.include.members(Object.keys(fields));
      for (const value of Object.values(fields)) expect(value).to.be.a('string');
    }
    await ask(
      alice,
      'audit token:waits',
      /token waits.{1,80}deploy slow v5 to production.{1,60}succeeded.{1,200}approved by bob/,
    );
  });

  it('hands out no rights, though it holds everything', async () => {
    const all = await newToken(alice, 'all *');
    for (const command of [
      'grant @bob admin',
      'revoke @alice admin',
      'token new more deploy:staging',
      'token revoke all',
      'token list',
      'invite mallory',
      'invite me',
    ]) {
      const answer = await call(all, command);
      expect(answer.status, command).to.equal(403);
      expect(answer.body, command).to.include('(token.people)');
    }
    expect((await call(all, 'deploys')).status).to.equal(200);
    await ask(alice, 'token new wider deploy:staging access:grant', /Only a person can do that/);
  });

  it('reads nothing that people say, unless it may; and never what they say in private', async () => {
    await alice.say('general', 'the word of the room is heliotrope');
    await alice.say('web:1', 'the word between us is chartreuse');
    const blind = await newToken(alice, 'blind deploy:staging');
    for (const command of ['history', 'history search heliotrope', 'history find heliotrope', 'history in:general']) {
      expect((await call(blind, command)).status, command).to.equal(403);
    }
    const reader = await newToken(alice, 'reader history:read');
    expect((await call(reader, 'history search heliotrope')).body).to.include('heliotrope');
    expect((await call(reader, 'history search chartreuse')).body).to.not.include('between us');
    expect((await call(reader, 'history in:web:1')).body).to.not.include('chartreuse');
  });

  it('is shown in its header and nowhere else; no page of another site gets anything', async () => {
    const token = await newToken(alice, 'header deploy:staging');
    const cookie = alice.cookie;
    const tries: readonly (readonly [string, string, Record<string, string>])[] = [
      ['POST', `/api/commands?token=${token}&access_token=${token}`, {}],
      ['POST', `/api/commands/${token}`, {}],
      ['POST', '/api/commands', { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` }],
      ['POST', '/api/commands', { cookie, origin: program.url }],
      ['POST', '/api/commands', { 'x-api-key': token }],
      ['OPTIONS', '/api/commands', { origin: 'https://evil.example', 'access-control-request-method': 'POST' }],
    ];
    for (const [method, path, headers] of tries) {
      const answer = await send(program, method, path, { headers, body: method === 'POST' ? 'deploys' : '' });
      expect(answer.status, path).to.equal(401);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).to.deep.equal([]);
    }
    expect(program.log()).to.not.include(token);
  });

  it('the page with the secret is kept by nobody and framed by nobody', async () => {
    const [, path = ''] = await ask(
      alice,
      'token new page deploy:staging',
      /http:\/\/127\.0\.0\.1:\d+(\/token\/[\w-]+)/,
    );
    for (const method of ['GET', 'POST']) {
      const { headers } = await send(program, method, path, { headers: { accept: 'text/html' } });
      expect(headers['cache-control']).to.equal('no-store');
      expect(headers['referrer-policy']).to.equal('no-referrer');
      expect(headers['content-security-policy']).to.include("default-src 'none'").and.include("frame-ancestors 'none'");
    }
    expect(program.log()).to.not.include(path.split('/').at(-1));
  });

  it('who knows no token is not read to the end', async () => {
    const socket = dial(program.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.write('POST /api/commands HTTP/1.1\r\nHost: robot\r\nContent-Length: 1000000000\r\n\r\nabc');
    await new Promise((done) => socket.once('close', done));
    expect(answer)
      .to.match(/^HTTP\/1\.1 401 /)
      .and.match(/\r\nConnection: close\r\n/i);
  });

  it('says no secret again, and counts what came', async () => {
    const token = await newToken(alice, 'echo deploy:staging');
    const answer = await call(token, `fly with ${LEAKED}`);
    expect(answer.status).to.equal(404);
    expect(answer.body).to.not.include(LEAKED);
    const { body } = await send(program, 'GET', '/metrics', { headers: { Authorization: `Bearer ${HOOK_TOKEN}` } });
    expect(body).to.match(/shipmate_api_requests_total\{outcome="succeeded",status="200"\} [1-9]/);
    expect(body).to.match(/shipmate_api_requests_total\{outcome="refused",status="401"\} [1-9]/);
    expect(body).to.match(/shipmate_api_requests_total\{outcome="unknown",status="200"\} 1\n/);
    expect(body).to.include('shipmate_api_requests_open 0\n');
    expect(body).to.match(/shipmate_api_tokens_total\{event="fetched"\} [1-9]/);
    expect(body).to.match(/shipmate_api_tokens_total\{event="wrong"\} [1-9]/);
    await ask(alice, 'audit token:gone', /token gone.{1,20}deploy slow v2 to staging/);
    await ask(alice, 'token list', /echo.{1,400}last used/);
  });

  it('a token sends no more in a minute than a person, and is told when', async () => {
    const token = await newToken(alice, 'fast deploy:staging');
    await program.end('SIGTERM');
    const env = { SHIPMATE_CONFIG: join(folder, 'config'), SHIPMATE_RATE_LIMIT: '3' };
    program = await start({ data: join(folder, 'data'), env, port: program.port });
    const statuses: number[] = [];
    for (let at = 0; at < 5; at++) statuses.push((await call(token, 'deploys')).status);
    expect(statuses).to.deep.equal([200, 200, 200, 429, 429]);
    expect((await call(token, 'deploys')).body)
      .to.include('(command.rate)')
      .and.include('outcome: refused');
  });
});

/** Fields of each type of event, by the table of the guide. */
async function eventFields(): Promise<ReadonlyMap<string, readonly string[]>> {
  const [, table = ''] = /\n\| `type` \|[^\n]*\n\|[-|]+\n([\s\S]*?)\n\n/.exec(await readFile(GUIDE, 'utf8')) ?? [];
  const rows = table
    .split('\n')
    .map((row) => row.split('|').map((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)));
  return new Map(rows.map(([, type, fields]) => [type?.[0] ?? '', fields ?? []]));
}

/** A proxy that ends both connections as soon as that has passed through it. */
async function cutAfter(port: number, text: string): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((client) => {
    const robot = dial(port, '127.0.0.1');
    client.pipe(robot);
    let seen = '';
    robot.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      const at = seen.lastIndexOf(text);
      if (at === -1) return void client.write(chunk);
      const rest = chunk.toString();
      const upTo = rest.lastIndexOf(text);
      client.end(`${rest.slice(0, upTo + text.length)}\n`, () => robot.destroy());
    });
    for (const end of [client, robot]) end.on('error', () => undefined);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}
