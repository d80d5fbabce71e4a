/** Commands over HTTP with two programs on one PostgreSQL: asked on one, approved and followed on the other. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/missing.ts';
import { POSTGRES_INSTALL, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.ts';
import { type Answer, endAll, Guest, type Program, send, start } from '../support/program.ts';

const COMMAND = pathToFileURL(resolve(import.meta.dirname, '../../src/bot/command.ts')).href;
const ARGS = pathToFileURL(resolve(import.meta.dirname, '../../src/bot/args.ts')).href;

const SCRIPT = `import { command } from '${COMMAND}';
import { arg } from '${ARGS}';
export default function (robot) {
  command(robot, {
    id: 'test.risky', usage: 'risky <word>', summary: 'Needs somebody else', examples: ['risky x'], args: { word: arg.word() },
    effect: 'change', needs: 'test:run', approval: () => 'test:approve',
    run: ({ args }) => 'did ' + args.word,
  });
  command(robot, {
    id: 'test.sure', usage: 'sure <word>', summary: 'Asks first', examples: ['sure x'], args: { word: arg.word() },
    effect: 'change', needs: 'test:run', confirm: () => 'Really?',
    run: ({ args }) => 'was sure of ' + args.word,
  });
}
`;

const SERVICES = (folder: string) => `environments: {staging: {}}
services:
  slow:
    target: {kind: command, folder: ${folder}, deploy: [node, slow.mjs]}
`;

describe('commands over HTTP, two replicas', function () {
  this.timeout(90_000);
  let folder: string;
  let postgres: Postgres | undefined;
  let first: Program;
  let second: Program;
  let alice: Guest;
  let bob: Guest;
  let token: string;

  async function replica(name: string): Promise<Program> {
    return await start({
      data: join(folder, name),
      env: {
        DATABASE_URL: await url,
        HUBOT_SCRIPTS: join(folder, 'scripts'),
        SHIPMATE_CONFIG: join(folder, 'config'),
        SHIPMATE_WEB_TOKEN: 'the-same-token-for-both-replicas',
      },
    });
  }
  let url: Promise<string>;

  before(async function () {
    if (!postgresPrograms()) return needs(this, 'PostgreSQL', POSTGRES_INSTALL);
    folder = await mkdtemp(join(tmpdir(), 'shipmate-api-replicas-'));
    for (const name of ['scripts', 'config']) await mkdir(join(folder, name));
    await writeFile(join(folder, 'scripts/risky.mjs'), SCRIPT);
    await writeFile(
      join(folder, 'slow.mjs'),
      `import { existsSync } from 'node:fs';
console.log('on my way');
setInterval(() => existsSync(${JSON.stringify(join(folder, 'go'))}) && process.exit(0), 10);
`,
    );
    await writeFile(join(folder, 'config/services.yaml'), SERVICES(folder));
    await writeFile(
      join(folder, 'config/access.yaml'),
      "roles: {approver: ['test:approve']}\npeople: {'web:2': [approver]}\n",
    );
    postgres = await startPostgres();
    url = postgres.database();
    [first, second] = await Promise.all([replica('first'), replica('second')]);
    [alice, bob] = [new Guest('alice'), new Guest('bob')];
    await alice.connect(first);
    await bob.connect(second);
    await alice.say('general', 'shipmate token new ci test:run test:approve deploy:*');
    const [, path = ''] = await eventually(
      () => /http:\/\/127\.0\.0\.1:\d+(\/token\/[\w-]+)/.exec(JSON.stringify(alice.client?.frames)) ?? [],
      (match) => match.length > 0,
    );
    token = (await send(second, 'POST', path)).body.trim();
  });
  after(async () => {
    await endAll();
    await postgres?.remove();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const headers = (): Record<string, string> => ({ authorization: `Bearer ${token}` });

  function call(program: Program, command: string, query = ''): Promise<Answer> {
    return send(program, 'POST', `/api/commands${query}`, { headers: headers(), body: command, ms: 60_000 });
  }

  function follow(program: Program, answer: Answer): Promise<Answer> {
    return send(program, 'GET', String(answer.headers['location']), { headers: headers(), ms: 60_000 });
  }

  /** The code under which it waits, as everybody in the room sees it. */
  async function codeOf(text: string): Promise<string> {
    const frames = (): string => JSON.stringify(bob.client?.frames);
    const found = await eventually(
      () => new RegExp(`${text}.{0,2000}?approve ([0-9a-f]{4})`, 's').exec(frames()) ?? [],
      (match) => match.length > 0,
    );
    return found[1] ?? '';
  }

  it('says that it waits for approval; asks in the room of the token', async () => {
    const answer = await call(first, 'risky one');
    expect(answer.status).to.equal(200);
    expect(answer.body)
      .to.include('token ci asks for approval')
      .and.match(/\noutcome: pending\n$/);
    const code = await codeOf('risky one');

    await alice.say('general', `shipmate approve ${code}`);
    await alice.client?.message('Somebody else must approve this; you asked for it');
    const own = await call(second, `approve ${code}`);
    expect(own.body).to.include('(proposal.person)');

    await bob.say('general', `shipmate approve ${code}`);
    await alice.client?.message('did one');
    const told = await eventually(
      () => follow(first, answer),
      ({ body }) => body.includes('did one'),
    );
    expect(told.body).to.match(/Approved by bob, asked for by token ci[\s\S]*did one\noutcome: succeeded\n$/);
  });

  it('waits for the approval if it is told to, and tells what became of it', async () => {
    const answer = call(first, 'risky two', '?wait=1m');
    const code = await codeOf('risky two');
    await bob.say('general', `shipmate approve ${code}`);
    expect((await answer).body).to.match(/did two\noutcome: succeeded\n$/);

    const refused = call(first, 'risky three', '?wait=1m');
    const other = await codeOf('risky three');
    await bob.say('general', `shipmate refuse ${other}`);
    expect((await refused).body).to.match(/Refused by bob[\s\S]*\noutcome: refused\n$/);

    const late = await call(first, 'risky four', '?wait=1s');
    expect(late.body).to.match(/\noutcome: pending\n$/);
  });

  it('asks no question of a program: it is refused, unless it says that it is sure', async () => {
    const asked = await call(first, 'sure one');
    expect(asked.status).to.equal(409);
    expect(asked.body).to.include('Really?').and.include('(api.confirm)');
    const sure = await call(first, 'sure one', '?confirm=yes');
    expect(sure.body).to.equal('was sure of one\noutcome: succeeded\n');
  });

  it('a deploy is shown in the room, followed on the other replica, and survives a restart of the first', async () => {
    const answer = call(first, 'deploy slow v1 to staging');
    const seen = (): string => JSON.stringify(bob.client?.frames);
    await eventually(() => seen().includes('on my way'));
    const stopped = first.end('SIGTERM');
    // Whether it is run here or there: the answer says that it ends, and where the rest is.
    const told = await answer;
    expect(told.body)
      .to.include('(api.stopping)')
      .and.match(/\noutcome: unknown\n$/);
    await writeFile(join(folder, 'go'), '');
    await stopped;
    const rest = await follow(second, told);
    expect(rest.body).to.match(/\noutcome: (?:succeeded|interrupted)\n$/);
    await eventually(() => /slow v1 (?:is live in|to) staging/.test(seen()));
  });

  it('a token that is revoked on one opens nothing on the other', async () => {
    const bobs = new Guest('alice');
    await bobs.connect(second);
    await bobs.say('general', 'shipmate token revoke ci');
    await bob.client?.message('counts no longer');
    expect((await call(second, 'deploys')).status).to.equal(401);
  });
});
