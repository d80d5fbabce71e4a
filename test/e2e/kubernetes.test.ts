/**
 * The program deploys to a real cluster: good, bad and slow versions, without rights, with the API server and the robot itself
 * killed in the middle. It takes up the same rollout, and deploys nothing twice.
 */

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
      `environments: { staging: , production: }
services:
  web:
    target:
      kind: kubernetes
      kubeconfig: ${cluster.kubeconfig}
      context: admin
      namespace: ${namespace}
      image: ${IMAGE}:{version}
      patience: 3s
      environments:
        production: { context: bot }
`,
    );
    await writeFile(join(config, 'access.yaml'), "everyone: ['deploy:*', 'kubernetes:read:staging']\n");
    await cluster.deployment(namespace, 'web', `${IMAGE}:v1`, 2);
    await available(2);
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

  /** All of it is of one version, and ready. */
  async function available(replicas: number): Promise<void> {
    await eventually(
      async () => {
        const { metadata, status } = await cluster.apps.readNamespacedDeployment({ namespace, name: 'web' });
        const seenOf = status?.observedGeneration === metadata?.generation;
        return (
          seenOf && [status?.replicas, status?.updatedReplicas, status?.availableReplicas].every((n) => n === replicas)
        );
      },
      Boolean,
      60_000,
    );
  }

  /** Those of the version before are gone. */
  async function pods(count: number): Promise<void> {
    await eventually(
      async () => (await cluster.core.listNamespacedPod({ namespace })).items.length,
      (found) => found === count,
      60_000,
    );
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

  /** What was said before she came in. */
  async function readsBack(): Promise<void> {
    await alice.read('general', 0);
  }

  it('deploys, says what runs, and what somebody set by hand', async () => {
    await alice.say('general', 'shipmate deploy web v2 to staging');
    await says('web v2 is live in staging');
    await pods(2);
    await alice.say('general', 'shipmate kubernetes pods web in staging');
    await says('2 of 2 pods of web in staging are ready');
    await alice.say('general', 'shipmate deploys in staging');
    await says('web in staging: <strong>v2</strong>, since');
    expect(seen()).to.not.include('drifted');
    await cluster.apps.patchNamespacedDeployment({
      namespace,
      name: 'web',
      body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: `${IMAGE}:v0` }],
    });
    await available(2);
    await alice.say('general', 'shipmate deploys web');
    await says('drifted: v2 was deployed last');
    expect(seen()).to.match(/<strong>v0<.strong>[^<]*drifted: v2 was deployed last \(#1 by alice\)/);
  });

  it('tells that an image cannot be pulled, and undoes it', async () => {
    await alice.say('general', 'shipmate deploy web v3-nopull to staging');
    await says('web v3-nopull to staging failed');
    expect(seen())
      .to.match(/is still live/)
      .and.match(/cannot be pulled/);
    await isSet('v1');
  });

  it('tells how a container crashes, with its last lines, and undoes it', async () => {
    await alice.say('general', 'shipmate deploy web v2-crash to staging');
    await says('web v2-crash to staging failed');
    expect(seen())
      .to.match(/crashes again and again: exit code 1/)
      .and.match(/its last line was “.*ERROR connection to db/)
      .and.match(/WARN heap at 91%/);
    await isSet('v1');
  });

  it('shows how far a slow start is, and waits for it', async () => {
    await alice.say('general', 'shipmate deploy web v2-slow to staging');
    await says('0 of 2 replicas ready');
    await says('web v2-slow is live in staging');
  });

  it('names the right that the cluster does not give it', async () => {
    const before = await generation();
    await alice.say('general', 'shipmate deploy web v2 to production');
    await says('its Role lacks the verb get on deployments');
    expect(await generation()).to.equal(before);
  });

  it('waits for an API server that is killed in the middle', async function () {
    if (!cluster.killServer) return needsTestbed(this);
    const before = (await generation()) ?? 0;
    await alice.say('general', 'shipmate deploy web v2-slow to staging');
    await isSet('v2-slow');
    const back = await cluster.killServer();
    await says('does not answer');
    await back();
    await says('web v2-slow is live in staging');
    expect(await generation()).to.equal(before + 1);
    expect(await cluster.revisions(namespace, 'web')).to.deep.equal([`${IMAGE}:v1`, `${IMAGE}:v2-slow`]);
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`the robot ends by ${signal} in the middle and takes up the same rollout`, async () => {
      const before = (await generation()) ?? 0;
      await alice.say('general', 'shipmate deploy web v2-slow to staging');
      await isSet('v2-slow');
      await program.end(signal);
      await again();
      await readsBack();
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
    await readsBack();
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
