/** Locks in a room: real robot, dispatch, database and command target. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { mention } from '../../src/bot/card.ts';
import type { ServicesConfig } from '../../src/domain/deploy/config.ts';
import { createLocks, type LockEnd, type Locks } from '../../src/domain/deploy/locking.ts';
import { createAuditStore } from '../../src/storage/audit.ts';
import type { Database } from '../../src/storage/database.ts';
import { createLockStore } from '../../src/storage/deploy-locks.ts';
import { inMemoryCommands } from '../support/commands.ts';
import { testDatabase } from '../support/database.ts';
import { clock, quickServices, ROOT, type TestDeploys, testDeploys } from '../support/deploys.ts';
import { Helper, type Room } from '../support/room.ts';

describe('scripts/locks.ts', function () {
  this.timeout(30_000);
  let db: Database;
  let data: string;
  let config: ServicesConfig;
  let room: Room;
  let ours: TestDeploys;
  let later: { readonly end: LockEnd; readonly ms: number }[];
  let locks: Locks;
  let told: string[];
  let now: Date;

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  beforeEach(async () => {
    await db.pool.query(
      'truncate deployments, deploy_locks, audit_begun, audit_ended, audit_handed_over restart identity',
    );
    data = await mkdtemp(join(tmpdir(), 'locks-'));
    later = [];
    told = [];
    now = new Date();
    config = await quickServices(data);
    ours = await testDeploys(db, data, { config, clock: { ...clock, now: () => now } });
    const audit = createAuditStore(db, 'here');
    const { services, environments } = config;
    locks = createLocks({
      store: createLockStore(db),
      now: () => now,
      redact: (text) => text.replaceAll('hunter2', '…'),
      changed: () => ours.deploys.goOn(),
      endLater: async (end, ms) => void later.push({ end, ms }),
      post: async ({ room: where }, text, key) => void told.push(`${where} ${key} ${text}`),
    });
    const commands = inMemoryCommands({
      policy: {
        everyone: ['deploy:staging'],
        people: { 'test:alice': ['admin'], 'test:carol': ['locker'] },
        roles: { locker: ['deploy:lock'] },
      },
      ports: { audit },
      services: {
        audit,
        deploys: ours.deploys,
        locks,
      },
      names: {
        services: () => services.map(({ name }) => name),
        environments: () => environments.map(({ name }) => name),
      },
    });
    const scripts = [`${ROOT}scripts/deploy.ts`, `${ROOT}scripts/locks.ts`];
    room = await new Helper(scripts).createRoom({ name: 'ops', prepare: commands.prepare });
  });
  afterEach(async () => {
    await ours.idle();
    await room.destroy();
    await rm(data, { recursive: true, force: true });
  });

  /** Says it, waits for what came of it, and gives the answers to it, without escapes. */
  async function say(who: string, text: string): Promise<string> {
    const before = room.messages.length;
    await room.user.say(who, `hubot ${text}`);
    await ours.idle();
    const answers = room.messages.slice(before).flatMap(([from, answer]) => (from === 'hubot' ? [answer] : []));
    return answers.join('\n').replaceAll('\\', '');
  }

  it('keeps everybody out, its owner included, and says who, why, until when and how to open it', async () => {
    expect(await say('bob', 'lock hello in staging trying hunter2 for a fix for 2h'))
      .to.include('hello in staging is locked')
      .and.match(/Locked by bob until \d{4}-.* UTC: trying … for a fix\./);
    expect(later.map(({ ms }) => ms)).to.deep.equal([7_200_000]);
    for (const who of ['bob', 'alice']) {
      expect(await say(who, 'deploy hello v1 to staging')).to.match(
        /^bob has locked hello in staging until .* UTC: trying … for a fix\. Nothing is deployed to hello in staging\. `unlock hello in staging` opens it; only bob, or who has the permission `deploy:lock`/,
      );
    }
    await say('alice', 'deploy hello v1 to production');
    expect([...ours.shown.values()].map(({ title }) => title)).to.deep.equal(['hello v1 is live in production']);
    expect(await say('bob', 'locks')).to.match(/hello in staging.*: Locked by bob until/);
    expect(await say('bob', 'unlock hello in staging')).to.equal('hello in staging is unlocked.');
    expect(await say('bob', 'locks')).to.include('Nothing is locked');
    expect(await say('bob', 'deploy hello v1 to staging')).to.equal('');
  });

  it('ends by itself, and its owner is told where it was set', async () => {
    await say('bob', 'lock hello in staging a short while for 30s');
    const until = now.getTime() + 30_000;
    now = new Date(now.getTime() + 31_000);
    for (const { end } of later) await locks.ended(end);
    expect(told).to.deep.equal([
      `ops lock:${later[0]?.end.id}:${until} ${mention({ id: 'test:bob', name: 'bob' })}: the time of your lock on **hello in staging** is over (a short while). It keeps nothing out any more; \`lock hello in staging <reason>\` sets it again.`,
    ]);
    expect(await say('bob', 'locks')).to.include('Nothing is locked');
    expect(await say('bob', 'deploy hello v1 to staging')).to.equal('');
    expect(await say('alice', 'lock hello in staging mine now')).to.match(/Locked by alice until somebody unlocks it/);
  });

  it('nobody is told of the end of a lock that was opened or set anew', async () => {
    await say('bob', 'lock hello in staging opened soon for 30s');
    await say('bob', 'unlock hello in staging');
    await say('bob', 'lock hello in staging first for 30s');
    now = new Date(now.getTime() + 1_000);
    await say('bob', 'lock hello in staging longer for 1h');
    now = new Date(now.getTime() + 31_000);
    const [opened, first, longer] = later;
    for (const { end } of [opened, first].flatMap((one) => one ?? [])) await locks.ended(end);
    expect(told).to.deep.equal([]);
    now = new Date(now.getTime() + 3_600_000);
    if (longer) await locks.ended(longer.end);
    expect(told).to.have.length(1);
    expect(told[0]).to.include('(longer)');
  });

  it('only its owner and who has the permission may open it', async () => {
    await say('bob', 'lock hello in staging mine');
    expect(await say('dave', 'lock hello in staging no, mine')).to.match(/bob has locked hello in staging already/);
    expect(await say('dave', 'unlock hello in staging')).to.match(/only who has the permission `deploy:lock`/);
    expect(await say('dave', 'unlock hello')).to.match(/no lock on hello\. Type `unlock hello in staging`/);
    now = new Date(now.getTime() + 1_000);
    expect(await say('bob', 'lock hello in staging mine for longer')).to.match(/Locked by bob/);
    expect(await say('carol', 'unlock hello staging')).to.equal(
      'hello in staging is unlocked. @bob had locked it: mine for longer',
    );
    expect(await say('carol', 'unlock hello in staging')).to.match(/no lock on hello in staging\. Nothing is locked/);
  });

  it('what is in the configuration no longer can be unlocked all the same', async () => {
    const owner = { id: 'test:bob', name: 'bob' };
    for (const scope of [{ service: 'gone' }, { service: 'gone', environment: 'old' }, { environment: 'old' }]) {
      await createLockStore(db).lock({ ...scope, reason: 'moved away', owner, at: now });
    }
    for (const scope of ['gone', 'gone in old', 'everything in old']) {
      expect(await say('bob', `unlock ${scope}`)).to.equal(`${scope} is unlocked.`);
    }
    expect(await say('bob', 'locks')).to.include('Nothing is locked');
  });

  it('a whole service and everything take the permission', async () => {
    expect(await say('bob', 'lock hello no reason')).to.match(/needs the permission `deploy:lock`/);
    expect(await say('bob', 'lock everything no reason')).to.match(/needs the permission `deploy:lock`/);
    expect(await say('bob', 'lock hello in production no')).to.match(/needs the permission `deploy:production`/);
    expect(await say('carol', 'lock everything in production freeze')).to.include('everything in production is locked');
    expect(await say('carol', 'lock everything incident')).to.include('everything is locked');
    expect(await say('bob', 'deploy hello v1 to staging')).to.match(/carol has locked everything until somebody/);
    expect(await say('carol', 'unlock everything')).to.equal('everything is unlocked.');
    expect(await say('bob', 'deploy hello v1 to staging')).to.equal('');
    expect(await say('alice', 'deploy hello v1 to production')).to.match(/carol has locked everything in production/);
  });

  it('asks for a reason, and for a time that people remember', async () => {
    expect(await say('alice', 'lock hello for 2h')).to.match(/A lock needs a reason/);
    expect(await say('alice', 'lock hello too long for 60w')).to.match(/cannot hold for that long/);
    expect(await say('alice', 'lock hello waiting for godot')).to.match(/waiting for godot/);
  });

  it('what waits stays in line, and goes on when it is opened', async () => {
    const held = await testDeploys(db, data, { config, enqueue: async () => undefined });
    const by = { id: 'test:bob', name: 'bob' };
    const origin = { chat: 'test', room: 'ops' };
    const place = { service: 'hello', environment: 'staging', by, origin };
    await held.deploys.start({ ...place, version: 'v1' });
    await held.deploys.start({ ...place, version: 'v2' });
    expect(await say('bob', 'lock hello in staging wait a moment'))
      .to.include('Deployment 1 runs already and goes on.')
      .and.include('What waits in line stays there: 1 deployment.');
    // Accepted, but not begun: it waits as well.
    await ours.deploys.run(1, new AbortController().signal);
    await ours.idle();
    expect(await say('bob', 'queue')).to.match(/nothing runs[\s\S]*Locked by bob[\s\S]*1\. #1 v1[\s\S]*2\. #2 v2/);
    expect(ours.shown.get('deploy:1')?.text).to.match(/^Next in line\. Locked by bob until somebody unlocks it/);
    await say('bob', 'unlock hello in staging');
    expect(ours.shown.get('deploy:1')?.title).to.equal('hello v1 is live in staging');
    expect(ours.shown.get('deploy:2')?.title).to.equal('hello v2 is live in staging');
  });
});
