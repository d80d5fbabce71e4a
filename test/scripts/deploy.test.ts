/** The deploy commands in a room: real robot, dispatch, database, command target and sample service. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { auditEnd } from '../../src/domain/deploy/outcome.ts';
import { createAuditStore } from '../../src/storage/audit.ts';
import type { Database } from '../../src/storage/database.ts';
import { createDeployStore } from '../../src/storage/deploys.ts';
import { inMemoryCommands } from '../support/commands.ts';
import { testDatabase } from '../support/database.ts';
import { clock, ROOT, sampleServices, type TestDeploys, testDeploys } from '../support/deploys.ts';
import { eventually } from '../support/eventually.ts';
import { Helper, type Room } from '../support/room.ts';

describe('scripts/deploy.ts', function () {
  this.timeout(30_000);
  let db: Database;
  let data: string;
  let room: Room;
  let ours: TestDeploys;

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  beforeEach(async () => {
    await db.pool.query(
      'truncate deployments, deploy_locks, audit_begun, audit_ended, audit_handed_over restart identity',
    );
    data = await mkdtemp(join(tmpdir(), 'deploy-'));
    const audit = createAuditStore(db, 'here');
    ours = await testDeploys(db, data, {
      ended: async (deployment, state, reason) => {
        const { outcome, detail } = auditEnd(deployment, state, reason);
        if (deployment.audit !== undefined) await audit.end(deployment.audit, outcome, detail, new Date());
      },
    });
    const { services, environments } = await sampleServices();
    const commands = inMemoryCommands({
      policy: { everyone: ['deploy:staging'], people: { 'test:alice': ['admin'] } },
      services: { deploys: ours.deploys, audit },
      ports: { audit },
      names: {
        services: () => services.map(({ name }) => name),
        environments: () => environments.map(({ name }) => name),
      },
    });
    const scripts = [`${ROOT}scripts/deploy.ts`, `${ROOT}scripts/audit.ts`];
    room = await new Helper(scripts).createRoom({ name: 'ops', prepare: commands.prepare });
  });
  afterEach(async () => {
    await ours.idle();
    await room.destroy();
    await rm(data, { recursive: true, force: true });
  });

  /** Everything that the robot answered. */
  function replies(): string[] {
    return room.messages.flatMap(([who, text]) => (who === 'hubot' ? [text] : []));
  }

  /** Says it, waits for what came of it, and gives the answers to it. */
  async function say(who: string, text: string): Promise<string> {
    const before = replies().length;
    await room.user.say(who, `hubot ${text}`);
    await ours.idle();
    return replies().slice(before).join('\n');
  }

  it('deploys, and shows progress and outcome in one message', async () => {
    expect(await say('alice', 'deploy hello v2 to production')).to.equal('');
    expect([...ours.shown.keys()]).to.deep.equal(['deploy:1']);
    expect(ours.history.map(({ tone }) => tone)).to.include('progress');
    const card = ours.shown.get('deploy:1');
    expect(card).to.include({ tone: 'good', title: 'hello v2 is live in production' });
    expect(card?.text).to.match(/^Took \d+\.\d s\.$/);
  });

  it('takes the newest version if none is named, and no pre-release', async () => {
    await say('bob', 'deploy hello to staging');
    expect(ours.shown.get('deploy:1')?.title).to.equal('hello v2 is live in staging');
  });

  it('tells of a failing release: why, the last lines, and that the old one is live', async () => {
    await say('alice', 'deploy hello v1 to production');
    await say('alice', 'deploy hello v3-broken to production');
    const card = ours.shown.get('deploy:2');
    expect(card).to.include({ tone: 'bad', title: 'hello v3-broken to production failed' });
    expect(card?.text).to.match(/^\*\*v1\*\* is still live\. After \d+\.\d s: the program ended with exit code 1\./);
    expect(card?.text).to.include('error: v3-broken is not healthy');
    expect(card?.actions?.map(({ command }) => command)).to.deep.equal([
      'deploys log 2',
      'deploy hello v2 to production',
    ]);
    expect(await say('alice', 'deploys log 2'))
      .to.include('greeting.txt is not part of this release')
      .and.include('live in production: v1');
    expect(await say('alice', 'deploys log 2 page 1')).to.include('greeting.txt is not part of this release');
    expect(await say('alice', 'deploys hello production')).to.match(
      /hello in production: \*\*v1\*\*, since .* by alice/,
    );
  });

  it('lists what runs where and what came before', async () => {
    expect(await say('bob', 'deploys'))
      .to.include('hello in staging: nothing')
      .and.include('Nothing was deployed by me yet.');
    await say('bob', 'deploy hello v1 to staging');
    const list = await say('bob', 'deploys');
    expect(list)
      .to.match(/hello in staging: \*\*v1\*\*, since .*, by bob/)
      .and.include('hello in production: nothing');
    expect(list).to.match(/hello v1 to staging: succeeded after .*, by bob, just now/);
  });

  it('the audit tells how a deployment ended, and which version it was', async () => {
    await say('alice', 'deploy hello v3-broken to staging');
    await say('alice', 'deploy hello to staging');
    await say('alice', 'deploy hello nonsense to staging');
    const [, refused = '', good = '', broken = ''] = (await say('alice', 'audit')).replaceAll('\\', '').split('\n');
    expect(refused).to.include('✗ failed (deploy.version)');
    expect(good).to.include('`deploy hello to staging` ✓ succeeded (deployment 2, v2)');
    expect(broken).to.include('`deploy hello v3-broken to staging` ✗ failed (deployment 1, v3-broken, ');
  });

  it('a deployment that was accepted keeps its audit row open until it has ended, whoever began it', async () => {
    const trail = createAuditStore(db, 'gone');
    const begun = await trail.begin({
      at: new Date(),
      person: { id: 'test:alice', chat: 'test', name: 'alice' },
      room: { chat: 'test', room: 'ops', private: false },
      commandId: 'deploy.start',
      text: 'deploy hello v1 to staging',
      args: {},
      via: 'typed',
      source: undefined,
      approvedBy: undefined,
    });
    if (begun.kind !== 'begun') throw new Error('not begun');
    const by = { id: 'test:alice', name: 'alice' };
    const origin = { chat: 'test', room: 'ops' };
    const at = new Date();
    const place = { service: 'hello', environment: 'staging', version: 'v1', by, origin, at };
    await createDeployStore(db).start({ ...place, audit: begun.id });
    expect(await trail.interrupt('gone', new Date())).to.equal(0);
    await ours.deploys.interrupt('gone');
    await ours.idle();
    const [row] = await trail.list({ limit: 1 });
    expect(row).to.include({ outcome: 'succeeded', detail: 'deployment 1, v1' });
  });

  it('refuses, and says why and what now', async () => {
    await say('alice', 'deploy hello v1 to staging');
    const table: [string, string, RegExp][] = [
      ['alice', 'deploy hello v9 to production', /has no version v9.*`v2`, `v1` or `v3-broken`/],
      ['alice', 'deploy hello v1 to staging', /hello v1 is already live in staging, deployed (?:just now|.* ago)/],
      ['alice', 'deploy helo v1 to staging', /no service.*`hello`/],
      ['alice', 'deploy hello v1 to moon', /no environment.*`staging` or `production`/],
      ['alice', 'deploy hello "--help" to staging', /cannot be a version|no option/],
      ['bob', 'deploy hello v1 to production', /needs the permission `deploy:production`/],
      ['alice', 'deploys log 99', /no deployment 99/],
    ];
    for (const [who, text, answer] of table) expect(await say(who, text), text).to.match(answer);
    expect([...ours.shown.keys()]).to.deep.equal(['deploy:1']);
  });

  it('puts who comes second in line, and tells where', async () => {
    await Promise.all([
      room.user.say('alice', 'hubot deploy hello v2 to production'),
      ...Array.from({ length: 4 }, () => room.user.say('alice', 'hubot deploy hello v1 to production')),
    ]);
    await ours.idle();
    expect(ours.shown.size).to.equal(5);
    expect(replies()).to.deep.equal([]);
    const waited = ours.history.filter(({ title }) => title.endsWith('waits in line'));
    expect(waited.map(({ text }) => text ?? '').join('\n'))
      .to.match(/Next in line\. alice deploys v\d, begun .*, now\./)
      .and.match(/Number 4 in line\./);
  });

  it('runs one of fifty after the other, in order, and never the same twice', async () => {
    const origin = { chat: 'test', room: 'ops' };
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        ours.deploys.start({
          service: 'hello',
          environment: 'production',
          version: 'v2',
          by: { id: `test:${index}`, name: `person ${index}` },
          origin,
        }),
      ),
    );
    await ours.idle();
    expect(results.filter(({ kind }) => kind === 'started')).to.have.length(1);
    expect(results.filter(({ kind }) => kind === 'waiting')).to.have.length(49);
    const cards = [...ours.shown.values()];
    expect(cards).to.have.length(50);
    expect(cards.filter(({ title }) => title === 'hello v2 is live in production')).to.have.length(1);
    const others = cards.filter(({ title }) => title === 'hello v2 to production did not run');
    expect(others).to.have.length(49);
    expect(new Set(others.map(({ text }) => text))).to.deep.equal(
      new Set(['V2 was live already when its turn came. Nothing was changed.']),
    );
  });

  it('shows the line, and cancels for who asked or may deploy there', async () => {
    const origin = { chat: 'test', room: 'ops' };
    const held = await testDeploys(db, data, { enqueue: async () => undefined });
    const place = { service: 'hello', environment: 'production' };
    await held.deploys.start({ ...place, version: 'v1', by: { id: 'test:alice', name: 'alice' }, origin });
    await held.deploys.start({ ...place, version: 'v2', by: { id: 'test:bob', name: 'bob' }, origin });
    await held.deploys.start({ ...place, version: 'v2', by: { id: 'test:alice', name: 'alice' }, origin });
    const line = await say('alice', 'queue hello production');
    expect(line.replaceAll('\\', '')).to.match(/alice deploys v1, .* now \(#1\)/);
    expect(line.replaceAll('\\', ''))
      .to.include('1. #2 v2, asked for by bob')
      .and.include('2. #3 v2, asked for by alice');
    expect(await say('bob', 'cancel 3')).to.match(/needs the permission `deploy:production`/);
    expect(await say('bob', 'cancel 2')).to.equal('Deployment 2 is cancelled.');
    expect(await say('bob', 'cancel 2')).to.match(/nothing to cancel: deployment 2 has ended/);
    expect(await say('bob', 'cancel 99')).to.match(/no deployment 99/);
    expect(ours.shown.get('deploy:2')?.text).to.equal('Bob cancelled it. Nothing was changed.');
    expect(ours.shown.get('deploy:3')?.text).to.match(/^Next in line\./);
    // The holder has not begun: the next one does.
    expect(await say('alice', 'cancel 1')).to.equal('Deployment 1 is cancelled.');
    expect(ours.shown.get('deploy:3')?.title).to.equal('hello v2 is live in production');
    expect(await say('alice', 'queue')).to.match(/Nothing runs or waits/);
  });

  it('stops what runs', async () => {
    const by = { id: 'test:alice', name: 'alice' };
    const origin = { chat: 'test', room: 'ops' };
    const waiting = await testDeploys(db, data, {
      enqueue: async () => undefined,
      tellCancelled: async () => undefined,
    });
    await waiting.deploys.start({ service: 'hello', environment: 'staging', version: 'v2', by, origin });
    await createDeployStore(db).claim(1, 'elsewhere', new Date(), undefined);
    expect(await say('bob', 'cancel 1')).to.equal('Deployment 1 is being stopped.');
    await createDeployStore(db).leave(1, 'elsewhere');
    // Whoever goes on with it sees that it was cancelled.
    await ours.deploys.run(1, new AbortController().signal);
    expect(ours.shown.get('deploy:1')?.title).to.equal('hello v2 to staging was cancelled');
    expect(ours.shown.get('deploy:1')?.text).to.include('bob cancelled it');
    expect(await createDeployStore(db).open()).to.deep.equal([]);
  });

  it('supersedes older versions that wait, where that is wanted', async () => {
    const by = { id: 'test:alice', name: 'alice' };
    const origin = { chat: 'test', room: 'ops' };
    const sample = await sampleServices();
    const environments = sample.environments.map((one) => ({ ...one, supersede: one.name === 'staging' }));
    const eager = await testDeploys(db, data, {
      config: { ...sample, environments },
      enqueue: async () => undefined,
    });
    for (const environment of ['staging', 'production']) {
      for (const version of ['v1', 'v1', 'v2']) {
        await eager.deploys.start({ service: 'hello', environment, version, by, origin });
      }
    }
    expect(eager.shown.get('deploy:2')?.title).to.equal('hello v1 to staging did not run');
    expect(eager.shown.get('deploy:2')?.text).to.equal(
      'Superseded by v2, deployment 3, asked for by alice. Nothing was changed.',
    );
    expect(eager.shown.get('deploy:3')?.text).to.match(/^Next in line\./);
    expect(eager.shown.get('deploy:3')?.footer).to.equal('Deployment 3, asked for by alice, in place of 2');
    expect(eager.shown.get('deploy:5')?.text).to.match(/^Next in line\./);
    expect(eager.shown.get('deploy:6')?.text).to.match(/^Number 2 in line\./);
  });

  it('reports what a killed replica was doing, once, and frees the place', async () => {
    await say('alice', 'deploy hello v1 to staging');
    const store = createDeployStore(db);
    const origin = { chat: 'test', room: 'ops' };
    const by = { id: 'test:alice', name: 'alice' };
    const place = { service: 'hello', environment: 'staging' };
    await store.start({ ...place, version: 'v2', by, origin, at: new Date() });
    const id = (await store.next(place, new Date()))?.id ?? 0;
    await store.claim(id, 'killed', new Date(), 'v1');
    await store.saveOutput(id, 'killed', 'half way');
    const told = ours.history.length;
    await Promise.all([ours.deploys.interrupt('killed'), ours.deploys.interrupt('killed')]);
    await ours.deploys.run(id, new AbortController().signal);
    expect(ours.history.length).to.be.oneOf([told + 1, told + 2]);
    expect(ours.shown.get(`deploy:${id}`)?.title).to.equal('hello v2 to staging was interrupted');
    expect(ours.shown.get(`deploy:${id}`)?.text)
      .to.include('**v1** is still live')
      .and.include('half way');
    await say('alice', 'deploy hello v2 to staging');
    expect(await say('alice', 'deploys hello staging')).to.include('hello in staging: **v2**');
  });

  it('finishes what had gone live before the robot was killed', async () => {
    await say('alice', 'deploy hello v2 to staging');
    await db.pool.query("update deployments set state = 'running', owner = 'killed', announced_at = null");
    await ours.deploys.interrupt('killed');
    expect(ours.shown.get('deploy:1')).to.include({ title: 'hello v2 is live in staging', tone: 'warning' });
  });

  it('begins what a killed replica had accepted', async () => {
    const store = createDeployStore(db);
    const by = { id: 'test:alice', name: 'alice' };
    const origin = { chat: 'test', room: 'ops' };
    await store.start({ service: 'hello', environment: 'staging', version: 'v2', by, origin, at: new Date() });
    await ours.deploys.interrupt('killed');
    await ours.idle();
    expect(ours.shown.get('deploy:1')?.title).to.equal('hello v2 is live in staging');
  });

  it('is interrupted in order when the robot stops', async () => {
    const stop = new AbortController();
    const waiting = await testDeploys(db, data, { enqueue: async () => undefined });
    const by = { id: 'test:alice', name: 'alice' };
    const origin = { chat: 'test', room: 'ops' };
    await waiting.deploys.start({ service: 'hello', environment: 'staging', version: 'v2', by, origin });
    const run = waiting.deploys.run(1, stop.signal);
    await eventually(async () => (await createDeployStore(db).get(1))?.state === 'running');
    stop.abort();
    await run;
    expect(waiting.shown.get('deploy:1')?.title).to.match(/was interrupted$|is live in staging$/);
    expect(await createDeployStore(db).open()).to.deep.equal([]);
  });

  it('says so when it cannot be queued, and holds nothing', async () => {
    const broken = await testDeploys(db, data, { enqueue: () => Promise.reject(new Error('no queue')) });
    const by = { id: 'test:alice', name: 'alice' };
    const origin = { chat: 'test', room: 'ops' };
    const error = await broken.deploys
      .start({ service: 'hello', environment: 'staging', version: 'v2', by, origin })
      .then(String, String);
    expect(error).to.include('no queue');
    expect(broken.shown.get('deploy:1')?.text).to.include('it could not be queued');
    expect(await createDeployStore(db).open()).to.deep.equal([]);
  });

  it('records the outcome when the database is back, and holds nothing', async () => {
    const store = createDeployStore(db);
    let failures = 3;
    const trouble = async () => {
      failures -= 1;
      if (failures >= 0) throw new Error('connection refused');
    };
    const flaky = await testDeploys(db, data, {
      store: {
        ...store,
        finish: async (...args) => (failures > 1 ? (await trouble(), false) : await store.finish(...args)),
        announced: async (id) => {
          await trouble();
          await store.announced(id);
        },
      },
      clock: { now: () => new Date(), sleep: (_, signal) => clock.sleep(20, signal) },
      enqueue: async () => undefined,
    });
    const by = { id: 'test:alice', name: 'alice' };
    const origin = { chat: 'test', room: 'ops' };
    await flaky.deploys.start({ service: 'hello', environment: 'staging', version: 'v2', by, origin });
    await flaky.deploys.run(1, new AbortController().signal);
    expect(failures).to.be.below(0);
    expect(flaky.shown.get('deploy:1')?.title).to.equal('hello v2 is live in staging');
    expect(await store.open()).to.deep.equal([]);
    expect(await store.unannouncedOf('here')).to.deep.equal([]);
  });
});
