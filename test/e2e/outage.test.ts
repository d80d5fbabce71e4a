/** The database goes away and comes back, the disk is full and gets room again, under the running program. */

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { needs, needsMount } from '../support/missing.ts';
import { POSTGRES_INSTALL, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.ts';
import {
  alert,
  endAll,
  Guest,
  HOOK_TOKEN,
  notification,
  type Program,
  run,
  send,
  start,
  status,
} from '../support/program.ts';
import { REDIS_INSTALL, type Redis, redisProgram, startRedis } from '../support/redis.ts';

const KEEP = `export default function (robot) {
  robot.respond(/keep (\\S+) (\\S+)$/, (res) => {
    robot.brain.set(res.match[1], Number(res.match[2]));
    return res.send('kept ' + res.match[1]);
  });
  robot.respond(/recall (\\S+)$/, (res) => res.send('recalled ' + res.match[1] + '=' + robot.brain.get(res.match[1]) + ';'));
}
`;

describe('an outage', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-outage-'));
  });
  afterEach(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  describe('of the database server', () => {
    let postgres: Postgres | undefined;
    let url = '';

    before(async function () {
      if (!postgresPrograms()) return needs(this, 'PostgreSQL', POSTGRES_INSTALL);
      postgres = await startPostgres();
    });
    beforeEach(async () => {
      guest = new Guest('alice');
      url = (await postgres?.database()) ?? '';
    });
    afterEach(async () => {
      await postgres?.stop();
      await postgres?.start();
    });
    after(() => postgres?.remove());

    let guest: Guest;

    /** Says it, again until it is stored. */
    async function command(text: string): Promise<void> {
      await eventually(async () => {
        await guest.back();
        return (await guest.say('general', text)).kind === 'stored';
      });
    }

    /** Waits until a message of the room has one of these texts. */
    async function shown(room: string, ...texts: readonly string[]): Promise<string[]> {
      return await eventually(
        async () => {
          const all = (await guest.read(room, 0)).map(({ html }) => html);
          return all.filter((html) => texts.some((text) => html.includes(text)));
        },
        (found) => found.length > 0,
        30_000,
      );
    }

    it('is told to who asks, and everything works again afterwards, without a restart', async () => {
      const program = await start({ data: folder, env: { DATABASE_URL: url } });
      const before = await guest.connect(program);
      const first = await guest.say('general', 'before the outage');
      expect(first.kind).to.equal('stored');
      expect(await alert(program, notification('Before', 'firing', new Date()))).to.equal(202);
      await before.message('Before');

      await postgres?.stop();
      await eventually(async () => (await status(program, '/readyz')) === 503);
      expect(await status(program, '/healthz')).to.equal(200);
      expect((await send(program, 'GET', '/readyz')).body).to.include('database');
      // Alertmanager sends it again after a 503.
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${HOOK_TOKEN}` };
      const body = JSON.stringify(notification('Meanwhile', 'firing', new Date()));
      const refused = await send(program, 'POST', '/hooks/alertmanager', { headers, body });
      expect(refused.status).to.equal(503);
      expect(refused.headers['retry-after']).to.match(/^\d+$/);
      const said = await guest.say('general', 'shipmate whoami');
      expect(said).to.deep.include({ kind: 'refused' });
      expect(JSON.stringify(said)).to.match(/could not be stored/);
      expect((await send(program, 'GET', '/web/me', { headers: { cookie: guest.cookie } })).status).to.equal(503);

      await postgres?.start();
      await eventually(async () => (await status(program, '/readyz')) === 200, Boolean, 30_000);
      expect((await send(program, 'POST', '/hooks/alertmanager', { headers, body })).status).to.equal(202);
      expect(JSON.stringify(await guest.read('general', 0))).to.include('before the outage');
      await command('shipmate help deploy');
      await shown('general', 'deploy hello v2 to production');
      await shown('ops', 'Meanwhile');
      await command('shipmate deploy hello v1 to staging');
      await shown('general', 'hello v1 is live in staging');
      await command('shipmate alerts test');
      await shown('ops', 'ShipmateTest');
      expect(program.log()).to.not.match(/nobody caught/);
      expect((await program.end('SIGTERM')).code).to.equal(0);
    });

    it('loses no command that was acknowledged before it, and no lock stays behind a deploy that ran through it', async () => {
      const program = await start({ data: folder, env: { DATABASE_URL: url } });
      const client = await guest.connect(program);
      await guest.say('general', 'shipmate deploy hello v2 to production');
      await client.message('Deploying hello v2');
      const acknowledged: number[] = [];
      let stopping: Promise<void> | undefined;
      for (let n = 0; n < 15; n++) {
        const said = await guest.say('general', `shipmate help outage${n}x`);
        if (said.kind !== 'stored') break;
        acknowledged.push(n);
        // While what was acknowledged is being answered.
        if (n === 4) stopping = postgres?.stop();
      }
      await stopping;
      await eventually(async () => (await status(program, '/readyz')) === 503);
      await postgres?.start();
      await eventually(async () => (await status(program, '/readyz')) === 200, Boolean, 30_000);
      for (const n of acknowledged) {
        await shown('general', `outage${n}x</code>`);
        const found = (await guest.read('general', 0)).filter(({ html }) => html.includes(`outage${n}x</code>`));
        expect(found, `answers to ${n}`).to.have.length(1);
      }
      const [how = ''] = await shown('general', 'hello v2 is live in production', 'hello v2 to production failed');
      const next = how.includes('is live') ? 'v1' : 'v2';
      await command(`shipmate deploy hello ${next} to production`);
      await shown('general', `hello ${next} is live in production`);
      expect((await program.end('SIGTERM')).code).to.equal(0);
    });

    it('keeps the program from no end: it stops with exit code 0 while the server is away', async () => {
      const program = await start({ data: folder, env: { DATABASE_URL: url } });
      await new Guest('alice').connect(program);
      await postgres?.stop();
      const began = Date.now();
      expect((await program.end('SIGTERM')).code).to.equal(0);
      expect(Date.now() - began).to.be.below(30_000);
    });

    it('keeps it from starting, with a sentence', async () => {
      await postgres?.stop();
      const { code, err } = await run([], { data: folder, env: { DATABASE_URL: url } });
      expect(code).to.equal(1);
      expect(err).to.match(/The database cannot be reached.*DATABASE_URL/);
      expect(err).to.not.match(/^\s+at /m);
    });
  });

  describe('of Redis', () => {
    let redis: Redis | undefined;

    before(async function () {
      if (!redisProgram()) return needs(this, 'Redis', REDIS_INSTALL);
      redis = await startRedis();
    });
    after(() => redis?.remove());

    it('keeps nobody from working, and the brain is stored when it is back', async () => {
      const scripts = join(folder, 'scripts');
      await mkdir(scripts);
      await writeFile(join(scripts, 'keep.mjs'), KEEP);
      const options = { data: join(folder, 'data'), env: { REDIS_URL: redis?.url ?? '', HUBOT_SCRIPTS: scripts } };
      let program = await start(options);
      const guest = new Guest('alice');
      let client = await guest.connect(program);
      await guest.say('general', 'shipmate keep early 1');
      await client.message('kept early');
      await redis?.stop();
      await guest.say('general', 'shipmate keep late 2');
      await client.message('kept late');
      await guest.say('general', 'shipmate recall early');
      await client.message('early=1;');
      await guest.say('general', 'shipmate deploy hello v2 to staging');
      await eventually(() => JSON.stringify(client.frames).includes('hello v2 is live in staging'), Boolean, 20_000);
      expect(await status(program, '/readyz')).to.equal(200);
      await redis?.start();
      await eventually(() => /Redis connected[\s\S]*Redis is away[\s\S]*Redis connected/.test(program.log()));
      expect((await program.end('SIGTERM')).code).to.equal(0);
      program = await start({ ...options, port: program.port });
      client = await guest.connect(program);
      for (const [name, value] of [
        ['early', 1],
        ['late', 2],
      ] as const) {
        await guest.say('general', `shipmate recall ${name}`);
        await client.message(`${name}=${value};`);
      }
      expect((await program.end('SIGTERM')).code).to.equal(0);
    });

    it('keeps it from starting, with a sentence', async () => {
      await redis?.stop();
      const { code, err } = await run([], { data: folder, env: { REDIS_URL: redis?.url ?? '' } });
      expect(code).to.equal(1);
      expect(err).to.match(/Redis cannot be reached: .*REDIS_URL/);
    });
  });

  describe('of the disk', () => {
    let disk: string;

    beforeEach(async function () {
      disk = await mkdtemp(join(tmpdir(), 'shipmate-disk-'));
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', disk], { stdio: 'ignore' });
      } catch {
        await rm(disk, { recursive: true });
        needsMount(this, 'test/e2e/outage.test.ts');
      }
    });
    afterEach(async () => {
      await endAll();
      try {
        execFileSync('umount', ['-l', disk], { stdio: 'ignore' });
        await rm(disk, { recursive: true, force: true });
      } catch {}
    });

    async function fill(leave = 0): Promise<void> {
      const block = Buffer.alloc(64 * 1024);
      const file = await open(join(disk, 'filler'), 'w');
      try {
        for (;;) await file.write(block);
      } catch (error) {
        expect(error).to.have.property('code', 'ENOSPC');
        await file.truncate((await file.stat()).size - leave);
      } finally {
        await file.close();
      }
    }

    async function until(program: Program, guest: Guest): Promise<{ stored: string[]; refused: string }> {
      const stored: string[] = [];
      for (let n = 0; ; n++) {
        const text = `line ${n} ${randomBytes(5_000)
          .toString('hex')
          .match(/.{1,9}/g)
          ?.join(' ')}`;
        const said = await guest.say('general', text);
        if (said.kind === 'stored') stored.push(`line ${n} `);
        else if (said.kind === 'lost') throw new Error(`the connection was lost: ${program.log().slice(-3_000)}`);
        else if (!/at once/.test(said.problem)) return { stored, refused: said.problem };
      }
    }

    for (const leave of [0, 7_000_000]) {
      it(`is told, loses nothing that was acknowledged, and is over when there is room again (${leave} bytes left)`, () =>
        outage(leave));
    }

    async function outage(leave: number): Promise<void> {
      const data = join(disk, 'data');
      let program = await start({ data });
      const guest = new Guest('alice');
      await guest.connect(program);
      await guest.say('general', 'while there was room');
      await fill(leave);
      const { stored, refused } = await until(program, guest);
      expect(refused).to.match(/could not be stored/);
      expect(await status(program, '/healthz')).to.equal(200);
      const meanwhile = await alert(program, notification('Full', 'firing', new Date()));
      expect(meanwhile).to.be.oneOf([202, 503]);
      expect(program.log()).to.match(/disk|space/i);

      await unlink(join(disk, 'filler'));
      await eventually(
        async () => (await guest.say('general', 'there is room again')).kind === 'stored',
        Boolean,
        60_000,
      );
      expect(await status(program, '/readyz')).to.equal(200);
      expect(await alert(program, notification('Full', 'firing', new Date()))).to.equal(202);
      const client = await guest.connect(program);
      await guest.say('general', 'shipmate alerts');
      await client.message('Full');
      const found = JSON.stringify(await guest.read('general', 0));
      for (const text of stored) expect(found).to.include(text);

      await program.end('SIGKILL');
      program = await start({ data, port: program.port });
      await guest.connect(program);
      const after = JSON.stringify(await guest.read('general', 0));
      for (const text of [...stored, 'while there was room', 'there is room again']) expect(after).to.include(text);
      expect((await program.end('SIGTERM')).code).to.equal(0);
    }

    it('keeps it from its first start, with a sentence, and not from the next one', async () => {
      await fill();
      const { code, err } = await run([], { data: join(disk, 'data') });
      expect(code).to.equal(1);
      expect(err).to.match(/disk.*full/i);
      expect(err).to.not.match(/^\s+at /m);
      await unlink(join(disk, 'filler'));
      await writeFile(join(disk, 'room'), '');
      const program = await start({ data: join(disk, 'data') });
      expect((await program.end('SIGTERM')).code).to.equal(0);
    });
  });
});
