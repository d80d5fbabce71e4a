/** The target `kubernetes` against a real API server with real controllers. */

import { expect } from 'chai';
import { createKubernetesTarget } from '../../../src/adapters/deploy/kubernetes/client.ts';
import type { Target, TargetOutcome } from '../../../src/domain/deploy/target.ts';
import type { KubernetesPlace, KubernetesTargetConfig } from '../../../src/domain/deploy/targets/kubernetes.ts';
import { eventually } from '../../support/eventually.ts';
import { needsTestbed, type TestCluster, testCluster } from '../../support/kubernetes.ts';
import { recordedRun } from '../../support/recorded-run.ts';

const IMAGE = 'registry.example/web';

describe('kubernetes target', function () {
  this.timeout(60_000);
  let cluster: TestCluster;
  let namespace: string;

  before(async function () {
    cluster = await testCluster(this);
  });
  after(() => cluster?.stop());
  beforeEach(async () => {
    namespace = await cluster.namespace();
  });

  function target(place: KubernetesPlace = {}, change: Partial<KubernetesTargetConfig> = {}): Target {
    const config: KubernetesTargetConfig = {
      kind: 'kubernetes',
      kubeconfig: cluster.kubeconfig,
      place: { context: 'admin', namespace, image: `${IMAGE}:{version}`, ...place },
      environments: {},
      timeoutMs: 40_000,
      patienceMs: 2_000,
      ...change,
    };
    return createKubernetesTarget({ service: 'web', config, root: '/', dataFolder: 'data', environment: {} });
  }

  const request = (version: string) => ({ deployment: 7, service: 'web', environment: 'staging', version });
  const deploy = (version: string, seen = recordedRun(), on = target()) => on.deploy(request(version), seen);

  function failure(outcome: TargetOutcome): string {
    if (outcome.kind !== 'failed') throw new Error(`it ${outcome.kind}`);
    return outcome.text;
  }

  /** A Deployment that runs v1. */
  async function running(name = 'web', replicas = 2): Promise<void> {
    await cluster.running(namespace, name, `${IMAGE}:v1`, replicas);
  }

  it('rolls out, shows how far it is, and says what runs', async () => {
    await running('web', 3);
    expect(await target().current('web', 'staging')).to.include({ version: 'v1' });
    const seen = recordedRun();
    expect(await deploy('v2', seen)).to.deep.equal({ kind: 'succeeded' });
    expect(await target().current('web', 'staging')).to.include({ version: 'v2' });
    expect(seen.lines).to.deep.equal([`web: web from ${IMAGE}:v1 to ${IMAGE}:v2`]);
    expect(seen.steps.at(-1)).to.deep.equal({ text: '3 of 3 replicas ready', percent: 100 });
    expect(seen.handles).to.have.length(1);
    const { metadata } = await cluster.apps.readNamespacedDeployment({ namespace, name: 'web' });
    expect(metadata?.annotations?.['kubernetes.io/change-cause']).to.equal('Shipmate: deployment 7, web v2');
    expect(await target().versions('web')).to.equal('unsupported');
  });

  it('waits for what starts slowly', async () => {
    await running();
    const seen = recordedRun();
    const begun = Date.now();
    expect(await deploy('v2-slow', seen)).to.deep.equal({ kind: 'succeeded' });
    expect(Date.now() - begun).to.be.above(4_000);
    expect(seen.steps[0]?.percent).to.equal(0);
  });

  it('says why a container crashes, with its last words, and undoes it', async () => {
    await running();
    const seen = recordedRun();
    const outcome = await deploy('v2-crash', seen);
    expect(failure(outcome)).to.match(
      /^the container web crashes again and again: exit code 1(, restarted .*)?; its last line was “.*ERROR connection to db-0:5432 refused”; the images from before run again$/,
    );
    expect(outcome).to.include({ code: 'crash' });
    expect(seen.lines.join('\n')).to.match(/WARN heap at 91%/);
    expect(await cluster.image(namespace, 'web')).to.equal(`${IMAGE}:v1`);
    expect(await target().current('web', 'staging')).to.include({ version: 'v1' });
  });

  it('says that it ran out of memory', async () => {
    await running();
    expect(failure(await deploy('v2-oom'))).to.match(/it ran out of memory \(OOMKilled, exit code 137\)/);
  });

  it('says that an image cannot be pulled, and undoes it', async () => {
    await running();
    const outcome = await deploy('v2-nopull');
    expect(failure(outcome)).to.match(
      /^the image registry\.example\/web:v2-nopull cannot be pulled \(ImagePullBackOff.*\); the images from before run again$/,
    );
    expect(await cluster.image(namespace, 'web')).to.equal(`${IMAGE}:v1`);
  });

  it('says that a quota is used up, when its time is over', async () => {
    // A pod that is made while the quota is counted first may be missing in it until the next count, minutes later.
    await running('web', 1);
    await cluster.core.createNamespacedResourceQuota({
      namespace,
      body: { metadata: { name: 'few' }, spec: { hard: { pods: '1' } } },
    });
    await eventually(async () => {
      const { status } = await cluster.core.readNamespacedResourceQuota({ namespace, name: 'few' });
      return status?.used?.['pods'] === '1';
    });
    const outcome = await deploy('v2');
    expect(failure(outcome)).to.match(
      /the quota few is used up: pods=1 more was asked for, pods=1 of pods=1 is in use/,
    );
    expect(outcome).to.include({ code: 'quota' });
  });

  /** The first pod of a version, with the node paused: the test says what becomes of it. */
  async function podOf(version: string): Promise<string> {
    const pod = await eventually(async () => {
      const { items } = await cluster.core.listNamespacedPod({ namespace });
      return items.find(({ spec }) => spec?.containers[0]?.image === `${IMAGE}:${version}`)?.metadata?.name;
    });
    return pod ?? '';
  }

  const becomes = (pod: string, status: object) =>
    cluster.core.patchNamespacedPodStatus({
      namespace,
      name: pod,
      body: Object.entries(status).map(([key, value]) => ({ op: 'add', path: `/status/${key}`, value })),
    });

  it('says that no node takes it, when its time is over', async function () {
    if (!cluster.pauseNode) return needsTestbed(this);
    await running();
    const goOn = await cluster.pauseNode();
    try {
      const going = deploy('v2', recordedRun(), target({}, { timeoutMs: 6_000 }));
      const message = '0/3 nodes are available: 3 Insufficient cpu.';
      const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
      const pod = await podOf('v2');
      await becomes(pod, { conditions });
      const outcome = await going;
      expect(failure(outcome)).to.equal(
        `it was not ready after 6.0 s: no node takes the pod ${pod}: ${message}; the images from before run again`,
      );
      expect(outcome).to.include({ code: 'unschedulable' });
    } finally {
      goOn();
    }
  });

  it('says which probe fails, and how, when its time is over', async function () {
    if (!cluster.pauseNode) return needsTestbed(this);
    await running();
    const goOn = await cluster.pauseNode();
    try {
      const going = deploy('v2', recordedRun(), target({}, { timeoutMs: 6_000 }));
      const pod = await podOf('v2');
      await cluster.core.createNamespacedEvent({
        namespace,
        body: {
          metadata: { name: `${pod}.1` },
          involvedObject: { kind: 'Pod', name: pod, namespace },
          type: 'Warning',
          reason: 'Unhealthy',
          message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
        },
      });
      const startedAt = new Date().toISOString();
      const container = { name: 'web', image: `${IMAGE}:v2`, imageID: '', ready: false, restartCount: 0 };
      await becomes(pod, {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }],
        containerStatuses: [{ ...container, state: { running: { startedAt } } }],
      });
      const outcome = await going;
      expect(failure(outcome)).to.equal(
        'it was not ready after 6.0 s: the readiness probe of the container web fails: HTTP probe failed with statuscode: 503; the images from before run again',
      );
      expect(outcome).to.include({ code: 'probe' });
    } finally {
      goOn();
    }
  });

  it('sets several Deployments as one, and undoes them as one', async () => {
    await running('web');
    await running('worker');
    const both = target({
      deployments: [{ name: 'web' }, { name: 'worker', image: 'registry.example/worker:{version}' }],
    });
    expect(await both.deploy(request('v2'), recordedRun())).to.deep.equal({ kind: 'succeeded' });
    expect(await both.current('web', 'staging')).to.include({ version: 'v2' });
    const worse = target({
      deployments: [{ name: 'web' }, { name: 'worker', image: 'registry.example/worker:{version}-crash' }],
    });
    expect(failure(await worse.deploy(request('v3'), recordedRun()))).to.match(/^worker: the container worker crashes/);
    expect(await cluster.image(namespace, 'web')).to.equal(`${IMAGE}:v2`);
    expect(await cluster.image(namespace, 'worker')).to.equal('registry.example/worker:v2');
  });

  it('undoes what is cancelled', async () => {
    await running();
    const seen = recordedRun();
    const going = deploy('v2-slow', seen);
    await eventually(() => seen.steps.length > 0);
    seen.abort('cancel');
    expect(await going).to.deep.equal({
      kind: 'interrupted',
      text: 'it was cancelled; the images from before run again',
    });
    expect(await cluster.image(namespace, 'web')).to.equal(`${IMAGE}:v1`);
  });

  it('leaves the rollout going when the robot stops, and takes up the same one', async () => {
    await running();
    const seen = recordedRun();
    const going = deploy('v2-slow', seen);
    await eventually(() => seen.steps.length > 0);
    seen.abort('shutdown');
    expect(await going).to.deep.equal({ kind: 'interrupted', text: 'the robot was stopped; the rollout goes on' });
    expect(await cluster.image(namespace, 'web')).to.equal(`${IMAGE}:v2-slow`);
    const handle: unknown = JSON.parse(JSON.stringify(seen.handles.at(-1)));
    const before = await cluster.apps.readNamespacedDeployment({ namespace, name: 'web' });
    expect(await target().resume?.(request('v2-slow'), handle, recordedRun())).to.deep.equal({ kind: 'succeeded' });
    const after = await cluster.apps.readNamespacedDeployment({ namespace, name: 'web' });
    expect(after.metadata?.generation).to.equal(before.metadata?.generation);
    expect(await cluster.revisions(namespace, 'web')).to.deep.equal([`${IMAGE}:v1`, `${IMAGE}:v2-slow`]);
  });

  it('does not touch what somebody else has set meanwhile', async () => {
    await running();
    const seen = recordedRun();
    const going = deploy('v2-slow', seen);
    await eventually(() => seen.steps.length > 0);
    await cluster.apps.patchNamespacedDeployment({
      namespace,
      name: 'web',
      body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'other:v9' }],
    });
    expect(failure(await going)).to.equal(
      'somebody else set web to other:v9 meanwhile; web is left as somebody else set it',
    );
    expect(await cluster.image(namespace, 'web')).to.equal('other:v9');
    await eventually(async () => (await target().current('web', 'staging')) !== 'unsupported');
  });

  it('names the verb that is missing', async () => {
    await running();
    const bot = target({ context: 'bot' });
    const unclear = await bot.current('web', 'staging').then(String, String);
    expect(unclear).to.include(
      `bot may not get deployments in the namespace ${namespace}; its Role lacks the verb get on deployments (API group apps)`,
    );
    await cluster.allow(namespace, 'viewer', [
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list'] },
    ]);
    const viewer = target({ context: 'viewer' });
    const outcome = await eventually(
      () => viewer.deploy(request('v2'), recordedRun()),
      (found) => /patch/.test(failure(found)),
    );
    expect(failure(outcome)).to.include('its Role lacks the verb patch on deployments (API group apps)');
    expect(await cluster.image(namespace, 'web')).to.equal(`${IMAGE}:v1`);
  });

  it('says what is not there', async () => {
    expect(failure(await deploy('v2'))).to.equal(
      `there is no deployment web in the namespace ${namespace} (the API server of context admin); nothing was changed`,
    );
    await running();
    expect(failure(await target({ container: 'app' }).deploy(request('v2'), recordedRun()))).to.equal(
      'the deployment web has no container app; it has web; nothing was changed',
    );
    expect(failure(await deploy('feature/x'))).to.equal(
      'registry.example/web:feature/x cannot be the name of an image; nothing was changed',
    );
    const nowhere = await target({ context: 'moon' }).current('web', 'staging').then(String, String);
    expect(nowhere).to.match(/has no context moon; it has admin, bot, viewer/);
  });

  it('waits for an API server that is killed in the middle, and ends well', async function () {
    if (!cluster.killServer) return needsTestbed(this);
    await running();
    const seen = recordedRun();
    const going = deploy('v2-slow', seen);
    await eventually(() => seen.steps.length > 0);
    const start = await cluster.killServer();
    await eventually(() => seen.steps.some(({ text = '' }) => /does not answer \(ECONNREFUSED\)/.test(text)));
    const unclear = await target().current('web', 'staging').then(String, String);
    expect(unclear).to.match(/the API server of context admin does not answer \(ECONNREFUSED\)/);
    await start();
    expect(await going).to.deep.equal({ kind: 'succeeded' });
    expect(await cluster.revisions(namespace, 'web')).to.deep.equal([`${IMAGE}:v1`, `${IMAGE}:v2-slow`]);
  });
});
