/** Two programs on one PostgreSQL and one Redis: each thing is done once, and one takes over from the other. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/missing.ts';
import { POSTGRES_INSTALL, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.ts';
import { alert, endAll, Guest, notification, type Program, start } from '../support/program.ts';
import { REDIS_INSTALL, type Redis, redisProgram, startRedis } from '../support/redis.ts';

const COMMAND = pathToFileURL(resolve(import.meta.dirname, '../../src/bot/command.ts')).href;
const ARGS = pathToFileURL(resolve(import.meta.dirname, '../../src/bot/args.ts')).href;

/** Commands that leave a trace of each run, and brain keys. */
const SCRIPT = `import { appendFileSync } from 'node:fs';
import { command } from '${COMMAND}';
import { arg } from '${ARGS}';
export default function (robot) {
  command(robot, {
    id: 'test.mark', usage: 'mark <word>', summary: 'Leaves a mark', examples: ['mark x'], args: { word: arg.word() },
    effect: 'change', needs: 'public',
    async run({ args }) {
      appendFileSync(process.env.MARKS, args.word + '\\n');
      return 'marked ' + args.word;
    },
  });
  command(robot, {
    id: 'test.linger', usage: 'linger <word>', summary: 'Never ends on the first', examples: ['linger x'], args: { word: arg.word() },
    effect: 'read', needs: 'public',
    async run({ args }) {
      if (process.env.REPLICA === 'first') await new Promise(() => setInterval(() => undefined, 1000));
      return 'lingered ' + args.word;
    },
  });
  robot.respond(/keep (\\S+) (\\S+)$/, (res) => {
    robot.brain.set(res.match[1], { value: res.match[2] });
    return res.send('kept ' + res.match[1]);
  });
  robot.respond(/recall (\\S+)$/, (res) => res.send('recalled ' + res.match[1] + '=' + robot.brain.get(res.match[1])?.value + ';'));
}
`;

const SERVICES = (folder: string) => `environments: {staging: {}}
services:
  slow:
    target: {kind: command, folder: ${folder}, deploy: [node, deploy.mjs]}
`;

describe('two replicas', function () {
  this.timeout(90_000);
  let folder: string;
  let postgres: Postgres | undefined;
  let redis: Redis | undefined;
  let url: string;
  let db: Database | undefined;
  let first: Program;
  let second: Program;
  let alice: Guest;
  let bob: Guest;

  async function replica(name: 'first' | 'second', port?: number): Promise<Program> {
    return await start({
      data: join(folder, name),
      ...(port !== undefined && { port }),
      env: {
        DATABASE_URL: url,
        REDIS_URL: redis?.url ?? '',
        HUBOT_SCRIPTS: join(folder, 'scripts'),
        SHIPMATE_CONFIG: join(folder, 'config'),
        SHIPMATE_WEB_TOKEN: 'the-same-token-for-both-replicas',
        MARKS: join(folder, 'marks'),
        REPLICA: name,
      },
    });
  }

  before(async function () {
    if (!postgresPrograms()) return needs(this, 'PostgreSQL', POSTGRES_INSTALL);
    if (!redisProgram()) return needs(this, 'Redis', REDIS_INSTALL);
    folder = await mkdtemp(join(tmpdir(), 'shipmate-replicas-'));
    for (const name of ['scripts', 'config', 'slow']) await mkdir(join(folder, name));
    await writeFile(join(folder, 'scripts/marks.mjs'), SCRIPT);
    await writeFile(join(folder, 'marks'), '');
    await writeFile(join(folder, 'slow/deploy.mjs'), 'console.log("on my way"); setInterval(() => {}, 1000);\n');
    await writeFile(join(folder, 'config/services.yaml'), SERVICES(join(folder, 'slow')));
    await writeFile(join(folder, 'config/access.yaml'), "everyone: ['deploy:*']\n");
    [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    url = await postgres.database();
    [first, second] = await Promise.all([replica('first'), replica('second')]);
    [alice, bob] = [new Guest('alice'), new Guest('bob')];
    await alice.connect(first);
    await bob.connect(second);
    db = await openDatabase({ url, log: quiet });
  });
  after(async () => {
    await endAll();
    await db?.close();
    await Promise.all([postgres?.remove(), redis?.remove()]);
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function shown(guest: Guest, room: string, text: string, ms = 15_000): Promise<number> {
    return await eventually(
      async () => (await guest.read(room, 0)).filter(({ html }) => html.includes(text)).length,
      (count) => count > 0,
      ms,
    );
  }

  it('started at once on an empty database', () => {
    expect(first.log()).to.not.match(/"level":50/);
    expect(second.log()).to.not.match(/"level":50/);
  });

  it("show what is said on one in the other's browser", async () => {
    await alice.say('general', 'hello from the first');
    await bob.client?.message('hello from the first');
    await bob.say('general', 'hello from the second');
    await alice.client?.message('hello from the second');
    await bob.say('general', 'shipmate whoami');
    await alice.client?.message('web:2');
  });

  it('run every command once, also one that is sent to both at once', async () => {
    const words = Array.from({ length: 12 }, (_, n) => `m${n}`);
    const alsoAlice = new Guest('alice');
    await alsoAlice.connect(second);
    await Promise.all(
      words.map(async (word) => {
        // A browser that changes the replica says again what was not acknowledged.
        const said = await Promise.all(
          [alice, alsoAlice].map((guest) => guest.say('general', `shipmate mark ${word}`, { id: `twice-${word}-x` })),
        );
        expect(said[0]).to.deep.equal(said[1]);
        expect(said[0]?.kind).to.equal('stored');
      }),
    );
    await bob.say('general', 'shipmate mark alone');
    for (const word of [...words, 'alone']) expect(await shown(alice, 'general', `marked ${word}<`)).to.equal(1);
    const marks = (await readFile(join(folder, 'marks'), 'utf8')).trim().split('\n');
    expect(marks.sort()).to.deep.equal([...words, 'alone'].sort());
  });

  it('keep the brain keys of both', async () => {
    const keys = Array.from({ length: 10 }, (_, n) => n);
    await Promise.all(
      keys.flatMap((n) => [
        alice.say('general', `shipmate keep a${n} one${n}`),
        bob.say('ops', `shipmate keep b${n} two${n}`),
      ]),
    );
    await shown(alice, 'general', 'kept a9');
    await shown(bob, 'ops', 'kept b9');
    await alice.say('general', 'shipmate recall b9');
    await bob.say('ops', 'shipmate recall a9');
    await shown(alice, 'general', 'recalled b9=two9;');
    await shown(bob, 'ops', 'recalled a9=one9;');
    // And for who comes later.
    expect((await second.end('SIGTERM')).code).to.equal(0);
    second = await replica('second', second.port);
    await bob.connect(second);
    for (const n of keys) await bob.say('ops', `shipmate recall a${n}`);
    for (const n of keys) await shown(bob, 'ops', `recalled a${n}=one${n};`);
  });

  it('show one card for an alert that both are told of at once', async () => {
    const startsAt = new Date();
    const names = Array.from({ length: 10 }, (_, n) => `BothHear${n}`);
    for (const state of ['firing', 'resolved'] as const) {
      const answers = await Promise.all(
        names.flatMap((name) => [first, second, first].map((to) => alert(to, notification(name, state, startsAt)))),
      );
      expect(new Set(answers)).to.deep.equal(new Set([202]));
    }
    for (const name of names) {
      expect(await shown(alice, 'ops', `${name}: `)).to.equal(1);
      await eventually(async () => (await alice.read('ops', 0)).some(({ html }) => html.includes(`${name}: resolved`)));
    }
    const { rows } = (await db?.pool.query('select number from alerts')) ?? { rows: [] };
    expect(rows).to.have.length(names.length);
  });

  it('one of them is killed: within 25 s the other has taken over what it was at', async () => {
    await alice.say('general', 'shipmate deploy slow v1 to staging');
    await shown(bob, 'general', 'on my way');
    const lingering = await alice.say('ops', 'shipmate linger w1');
    expect(lingering.kind).to.equal('stored');
    await first.end('SIGKILL');
    const killed = Date.now();
    await Promise.all([shown(bob, 'general', 'interrupted', 25_000), shown(bob, 'ops', 'lingered w1', 25_000)]);
    console.log(`      taken over after ${((Date.now() - killed) / 1000).toFixed(1)} s`);
    // No lock stays behind: the next deploy starts.
    await eventually(async () => {
      await bob.say('general', 'shipmate deploy slow v2 to staging');
      return (await shown(bob, 'general', 'Deploying slow v2')) > 0;
    });
    const { rows } = (await db?.pool.query(`select state, version from deployments order by id`)) ?? { rows: [] };
    expect(rows.map(({ state, version }) => `${version} ${state}`)).to.deep.equal(['v1 interrupted', 'v2 running']);
    // Every command that was begun has an end in the audit trail, but for the deploy that runs.
    await eventually(async () => {
      const open = await db?.pool.query(
        'select source from audit_begun where not exists (select from audit_ended where begun = id)',
      );
      return open?.rowCount === 1;
    });
  });

  it('one that stops hands over at once', async () => {
    first = await replica('first', first.port);
    await alice.connect(first);
    expect((await second.end('SIGTERM')).code).to.equal(0);
    await shown(alice, 'general', 'slow v2 to staging was', 15_000);
    await eventually(
      async () =>
        (await db?.pool.query(`select 1 from deployments where state in ('queued', 'running')`))?.rowCount === 0,
      Boolean,
      15_000,
    );
    await alice.say('general', 'shipmate whoami');
    await shown(alice, 'general', 'web:1');
    expect((await first.end('SIGTERM')).code).to.equal(0);
  });
});
