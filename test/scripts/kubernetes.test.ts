/** The Kubernetes commands in a room, against a real API server. */

import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { createKubernetes } from '../../src/adapters/deploy/kubernetes/inspect.ts';
import { createLocks, type Locks } from '../../src/domain/deploy/locking.ts';
import { redact } from '../../src/domain/privacy/redact.ts';
import type { Database } from '../../src/storage/database.ts';
import { createLockStore } from '../../src/storage/deploy-locks.ts';
import { createDeployStore } from '../../src/storage/deploys.ts';
import { type InMemoryCommands, inMemoryCommands } from '../support/commands.ts';
import { testDatabase } from '../support/database.ts';
import { ROOT, testDeploys } from '../support/deploys.ts';
import { eventually } from '../support/eventually.ts';
import { type TestCluster, testCluster } from '../support/kubernetes.ts';
import { Helper, type Room } from '../support/room.ts';

const IMAGE = 'registry.example/web';

describe('scripts/kubernetes.ts', function () {
  this.timeout(60_000);
  let cluster: TestCluster;
  let namespace: string;
  let room: Room;
  let db: Database;
  let locks: Locks;
  let commands: InMemoryCommands;

  before(async function () {
    cluster = await testCluster(this);
    db = await testDatabase();
  });
  after(async () => {
    await db?.close();
    await cluster?.stop();
  });

  beforeEach(async () => {
    namespace = await cluster.namespace();
    await db.pool.query('truncate deployments, deploy_locks restart identity');
    const kubernetes = createKubernetes({
      services: ['admin', 'bot'].map((context) => ({
        name: context === 'admin' ? 'web' : 'forbidden',
        environments: ['staging'],
        target: {
          kind: 'kubernetes',
          kubeconfig: cluster.kubeconfig,
          place: { context, namespace, deployments: [{ name: 'web' }], image: `${IMAGE}:{version}` },
          environments: {},
          timeoutMs: 1,
          patienceMs: 1,
        },
      })),
      root: '/',
      environment: {},
      redact,
    });
    const { deploys } = await testDeploys(db, tmpdir());
    locks = createLocks({
      store: createLockStore(db),
      now: () => new Date(),
      redact,
      changed: async () => undefined,
      endLater: async () => undefined,
      post: async () => undefined,
    });
    commands = inMemoryCommands({
      policy: {
        roles: { reader: ['kubernetes:read:staging'], deployer: ['kubernetes:read:*', 'deploy:staging'] },
        people: { 'test:alice': ['deployer'], 'test:bob': ['reader'] },
      },
      services: { kubernetes, deploys, locks },
      names: { services: () => ['web', 'forbidden', 'hello'], environments: () => ['staging', 'production'] },
    });
    room = await new Helper(`${ROOT}scripts/kubernetes.ts`).createRoom({ name: 'ops', prepare: commands.prepare });
  });
  afterEach(() => room?.destroy());

  /** The answers to it, without the signs that keep Markdown from being taken for such. */
  async function say(who: string, text: string): Promise<string> {
    const before = room.messages.length;
    await room.user.say(who, `hubot ${text}`);
    return room.messages
      .slice(before)
      .flatMap(([from, said]) => (from === 'hubot' ? [said] : []))
      .join('\n')
      .replaceAll('\\', '');
  }

  const ready = () => cluster.running(namespace, 'web', `${IMAGE}:v1`);

  it('shows pods, events and Deployments', async () => {
    await ready();
    const pods = await say('bob', 'kubernetes pods web in staging');
    expect(pods).to.match(/2 of 2 pods of web in staging are ready/);
    expect(pods).to.match(/`web-[a-z0-9]+-[a-z0-9]{5}`: \*\*v1\*\*, ready, begun .* on node-1/);
    expect(await say('bob', 'kubernetes events web in staging')).to.match(
      /deployment web: ScalingReplicaSet: Scaled up replica set web-[a-z0-9]+ to 2/,
    );
    const described = await say('bob', 'kubernetes describe web in staging');
    expect(described).to.match(/\*\*web\*\* in the namespace test-[a-z0-9]+: 2 of 2 ready; rolled out/);
    expect(described).to.match(/web: `registry\.example\/web:v1`, requests none, limits none, no probes/);
  });

  it('shows the log of the pod in most trouble, and no other service’s', async () => {
    await cluster.deployment(namespace, 'web', `${IMAGE}:v1-crash`, 1);
    const pods = await eventually(
      () => say('bob', 'kubernetes pods web in staging'),
      (text) => text.includes('crashes again and again'),
    );
    expect(pods).to.match(/0 of 1 pods of web in staging are ready/);
    expect(await say('bob', 'kubernetes logs web in staging')).to.match(/ERROR connection to db-0:5432 refused/);
    const one = await say('bob', 'kubernetes logs web in staging --lines 1 --previous');
    expect(one)
      .to.match(/refused/)
      .and.not.match(/WARN/);
    await cluster.deployment(namespace, 'other', `${IMAGE}:v1`, 1);
    const { items } = await eventually(
      () => cluster.core.listNamespacedPod({ namespace, labelSelector: 'app=other' }),
      ({ items: found }) => found.length > 0,
    );
    const other = items[0]?.metadata?.name ?? '';
    expect(await say('bob', `kubernetes logs web in staging --pod ${other}`)).to.match(
      /There is no pod `other-.*` of this service.*Give `web-/s,
    );
  });

  it('restarts and scales', async () => {
    await ready();
    const before = (await cluster.core.listNamespacedPod({ namespace })).items.map(({ metadata }) => metadata?.name);
    expect(await say('alice', 'kubernetes restart web in staging')).to.match(/web in staging is being restarted/);
    await eventually(
      async () => (await cluster.core.listNamespacedPod({ namespace })).items,
      (items) => items.length === 2 && items.every(({ metadata }) => !before.includes(metadata?.name)),
      20_000,
    );
    expect(await say('alice', 'kubernetes scale web to 3 in staging')).to.match(
      /web in staging: from 2 to 3.*Back to 2: `.*kubernetes scale web to 2 in staging`/s,
    );
    expect((await cluster.apps.readNamespacedDeployment({ namespace, name: 'web' })).spec?.replicas).to.equal(3);
    expect(await say('alice', 'kubernetes scale web to 0 in staging')).to.match(/That stops web in staging altogether/);
    expect((await cluster.apps.readNamespacedDeployment({ namespace, name: 'web' })).spec?.replicas).to.equal(3);
  });

  it('asks for a permission of the environment', async () => {
    expect(await say('carol', 'kubernetes pods web in staging')).to.match(
      /needs the permission `kubernetes:read:staging`/,
    );
    expect(await say('bob', 'kubernetes restart web in staging')).to.match(/needs the permission `deploy:staging`/);
    expect(await say('alice', 'kubernetes scale web to 2 in production')).to.match(/`deploy:production`/);
  });

  it('changes nothing under a deployment that is going on', async () => {
    const store = createDeployStore(db);
    await store.start({
      service: 'web',
      environment: 'staging',
      version: 'v2',
      by: { id: 'test:bob', name: 'bob' },
      origin: { chat: 'test', room: 'ops' },
      at: new Date(),
    });
    await store.next({ service: 'web', environment: 'staging' }, new Date());
    expect(await say('alice', 'kubernetes restart web in staging')).to.match(/bob is deploying web v2 to staging/);
  });

  it('changes nothing behind a lock, and lets people look', async () => {
    await ready();
    const generation = async () =>
      (await cluster.apps.readNamespacedDeployment({ namespace, name: 'web' })).metadata?.generation;
    const before = await generation();
    await locks.lock({
      environment: 'staging',
      reason: 'the fair',
      owner: { id: 'test:bob', name: 'bob' },
      origin: { chat: 'test', room: 'ops' },
    });
    for (const what of ['restart web', 'scale web to 1']) {
      expect(await say('alice', `kubernetes ${what} in staging`)).to.match(
        /bob has locked everything in staging until somebody unlocks it: the fair.*`unlock everything in staging` opens it/s,
      );
    }
    expect(await generation()).to.equal(before);
    expect(await say('alice', 'kubernetes pods web in staging')).to.match(/2 of 2 pods/);
    const [lock] = await locks.all();
    if (!lock) throw new Error('no lock');
    await locks.unlock(lock);
    expect(await say('alice', 'kubernetes scale web to 1 in staging')).to.match(/from 2 to 1/);
  });

  it('leaves an audit row of each change, and of each refusal', async () => {
    await ready();
    await say('alice', 'kubernetes scale web to 1 in staging');
    await say('bob', 'kubernetes restart web in staging');
    await say('bob', 'kubernetes pods web in staging');
    expect(commands.audit.map(({ text, outcome }) => [text, outcome])).to.deep.equal([
      ['kubernetes scale web to 1 in staging', 'succeeded'],
      ['kubernetes restart web in staging', 'refused'],
    ]);
  });

  it('says what is wrong', async () => {
    expect(await say('bob', 'kubernetes pods hello in staging')).to.match(
      /hello is not deployed to Kubernetes.*Give `web` or `forbidden`/s,
    );
    expect(await say('bob', 'kubernetes pods web in staging')).to.match(/there is no deployment web in the namespace/);
    expect(await say('bob', 'kubernetes pods forbidden in staging')).to.match(
      /its Role lacks the verb get on deployments \(API group apps\)/,
    );
    expect(await say('alice', 'kubernetes pods web in production')).to.match(
      /web does not run in production.*`staging`/s,
    );
  });
});
