/** The program deploys to a real cluster and is killed in the middle: it takes up the same rollout, and deploys nothing twice. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { needsTestbed, type TestCluster, testCluster } from '../support/kubernetes.ts';
import { endAll, Guest, type Program, start } from '../support/program.ts';

const IMAGE = 'registry.example/web';

describe('deploying to Kubernetes', function () {
  this.timeout(180_000);
  let cluster: TestCluster;
  let folder: string;
  let namespace: string;
  let program: Program;
  let alice: Guest;

  before(async function () {
    cluster = await testCluster(this);
  });
  after(() => cluster?.stop());

  beforeEach(async () => {
    namespace = await cluster.namespace();
    folder = await mkdtemp(join(tmpdir(), 'shipmate-kubernetes-'));
    const config = join(folder, 'config');
    await mkdir(config);
    await writeFile(
      join(config, 'services.yaml'),
      `environments: { staging: }
services:
  web:
    target:
      kind: kubernetes
      kubeconfig: ${cluster.kubeconfig}
      context: admin
      namespace: ${namespace}
      image: ${IMAGE}:{version}
      patience: 3s
`,
    );
    await writeFile(join(config, 'access.yaml'), "everyone: ['deploy:staging', 'kubernetes:read:staging']\n");
    await cluster.deployment(namespace, 'web', `${IMAGE}:v1`, 2);
    await eventually(
      async () => {
        const { status } = await cluster.apps.readNamespacedDeployment({ namespace, name: 'web' });
        return status?.availableReplicas === 2;
      },
      Boolean,
      30_000,
    );
    program = await launched();
    alice = new Guest('alice');
    await alice.connect(program);
  });
  afterEach(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  const launched = (port?: number): Promise<Program> =>
    start({
      data: join(folder, 'data'),
      env: { SHIPMATE_CONFIG: join(folder, 'config') },
      ...(port === undefined ? {} : { port }),
    });

  /** Everything that alice has seen since she came in last. */
  const seen = (): string => JSON.stringify(alice.client?.frames ?? []);

  async function says(text: string, ms = 90_000): Promise<void> {
    await eventually(seen, (all) => all.includes(text), ms);
  }

  async function generation(): Promise<number | undefined> {
    return (await cluster.apps.readNamespacedDeployment({ namespace, name: 'web' })).metadata?.generation;
  }

  async function isSet(version: string): Promise<void> {
    await eventually(
      () => cluster.image(namespace, 'web'),
      (image) => image === `${IMAGE}:${version}`,
      60_000,
    );
  }

  async function again(): Promise<void> {
    program = await launched(program.port);
    await alice.connect(program);
  }

  it('deploys, and tells why it failed and what runs', async () => {
    await alice.say('general', 'shipmate deploy web v2 to staging');
    await says('web v2 is live in staging');
    await alice.say('general', 'shipmate deploy web v3-nopull to staging');
    await says('web v3-nopull to staging failed');
    expect(seen())
      .to.match(/is still live/)
      .and.match(/cannot be pulled/);
    await alice.say('general', 'shipmate kubernetes pods web in staging');
    await says('2 of 2 pods of web in staging are ready');
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`the robot ends by ${signal} in the middle and takes up the same rollout`, async () => {
      const before = (await generation()) ?? 0;
      await alice.say('general', 'shipmate deploy web v2-slow to staging');
      await isSet('v2-slow');
      await program.end(signal);
      await again();
      await says('web v2-slow is live in staging');
      expect(await generation()).to.equal(before + 1);
      expect(await cluster.revisions(namespace, 'web')).to.deep.equal([`${IMAGE}:v1`, `${IMAGE}:v2-slow`]);
    });
  }

  it('the robot is killed while a bad version rolls out, and undoes it when it is back', async () => {
    await alice.say('general', 'shipmate deploy web v2-crash to staging');
    await isSet('v2-crash');
    await program.end('SIGKILL');
    await again();
    await says('web v2-crash to staging failed');
    expect(seen()).to.match(/crashes again and again/);
    await isSet('v1');
  });

  it('robot and API server are both killed, and both come back', async function () {
    if (!cluster.killServer) return needsTestbed(this);
    const before = (await generation()) ?? 0;
    await alice.say('general', 'shipmate deploy web v2-slow to staging');
    await isSet('v2-slow');
    const back = await cluster.killServer();
    await program.end('SIGKILL');
    await again();
    await says('does not answer');
    await back();
    await says('web v2-slow is live in staging');
    expect(await generation()).to.equal(before + 1);
  });
});
