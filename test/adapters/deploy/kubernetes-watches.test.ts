/** What `deploys` shows of many services comes from watches, through whatever happens to them. */

import { expect } from 'chai';
import { createKubernetesTarget } from '../../../src/adapters/deploy/kubernetes/client.ts';
import { type Cluster, openCluster } from '../../../src/adapters/deploy/kubernetes/cluster.ts';
import { watchDeployments } from '../../../src/adapters/deploy/kubernetes/watched.ts';
import type { Live, Target } from '../../../src/domain/deploy/target.ts';
import { eventually } from '../../support/eventually.ts';
import { type FakeKubernetes, fakeKubernetes } from '../../support/kubernetes-api.ts';

const forbidden = (verb: string) => ({
  code: 403,
  reason: 'Forbidden',
  message: `deployments.apps is forbidden: User "robot" cannot ${verb} resource "deployments" in API group "apps" in the namespace "web-0"`,
});
const BACKOFF = { first: 5, last: 20 };

describe('kubernetes watches', function () {
  this.timeout(30_000);
  let server: FakeKubernetes;
  let closing: AbortController;

  beforeEach(async () => {
    server = await fakeKubernetes();
    closing = new AbortController();
    for (let at = 0; at < 6; at += 1) server.set(`web-${at}`, 'web', 'r/web:v1');
  });
  afterEach(async () => {
    closing.abort();
    await eventually(() => server.watches() === 0);
    await server.stop();
  });

  /** A service in six environments, each with a namespace of its own. */
  function target(): Target {
    return createKubernetesTarget({
      service: 'web',
      config: {
        kind: 'kubernetes',
        kubeconfig: server.kubeconfig,
        place: { namespace: 'web-{environment}', image: 'r/web:{version}' },
        environments: {},
        timeoutMs: 5_000,
        patienceMs: 1_000,
      },
      root: '/',
      dataFolder: 'data',
      environment: {},
      closing: closing.signal,
    });
  }

  async function glance(at = '0', on = target()): Promise<Live> {
    const live = await on.glance?.('web', at);
    if (live === undefined || live === 'unsupported') throw new Error('nothing is live');
    return live;
  }

  const open = (): Promise<Cluster> => openCluster({ root: '/', environment: {}, kubeconfig: server.kubeconfig });

  it('ask once, and hear of everything after that', async () => {
    expect(await glance()).to.deep.equal({ version: 'v1', since: new Date('2026-11-20T08:00:00Z') });
    await eventually(() => server.watches() === 1);
    server.set('web-0', 'web', 'r/web:v2');
    await eventually(
      () => glance(),
      ({ version }) => version === 'v2',
    );
    server.remove('web-0', 'web');
    const gone = await eventually(
      () => glance().then(String, String),
      (text) => /there is no deployment/.test(text),
    );
    expect(gone).to.include('there is no deployment web in the namespace web-0 (the API server of context fake)');
    expect(server.calls).to.deep.equal(['list web-0', 'watch web-0']);
  });

  it('are one for the whole cluster where namespaces are many', async () => {
    for (const at of ['0', '1', '2', '3', '4', '5']) expect(await glance(at)).to.include({ version: 'v1' });
    await eventually(() => server.watches() === 1);
    expect(server.calls.filter((call) => call.startsWith('list'))).to.deep.equal([
      'list web-0',
      'list web-1',
      'list web-2',
      'list web-3',
      'list *',
    ]);
    server.set('web-0', 'web', 'r/web:v3');
    await eventually(
      () => glance('0'),
      ({ version }) => version === 'v3',
    );
    expect(server.calls.filter((call) => call.startsWith('list'))).to.have.length(5);
  });

  it('are one for each namespace where the cluster is nobody’s business', async () => {
    for (const at of ['0', '1', '2', '3']) await glance(at);
    server.fault('list', forbidden('list'));
    for (const at of ['4', '5']) expect(await glance(at)).to.include({ version: 'v1' });
    await eventually(() => server.watches() === 6);
    expect(server.calls.filter((call) => call === 'list *')).to.have.length(1);
  });

  it('are done without where the robot may read Deployments, but not list them', async () => {
    server.fault('list', forbidden('list'));
    expect(await glance()).to.include({ version: 'v1' });
    expect(await glance()).to.include({ version: 'v1' });
    expect(server.calls).to.deep.equal(['list web-0', 'get web-0', 'get web-0']);
  });

  it('go on where they were when the connection is cut', async () => {
    await glance();
    await eventually(() => server.watches() === 1);
    server.endWatches('cut');
    server.set('web-0', 'web', 'r/web:v2');
    const live = await eventually(
      () => glance(),
      ({ version }) => version === 'v2',
    );
    expect(live.stale).to.equal(undefined);
    expect(server.calls).to.deep.equal(['list web-0', 'watch web-0', 'watch web-0']);
  });

  it('begin anew when the server no longer knows where they were', async () => {
    await glance();
    await eventually(() => server.watches() === 1);
    server.endWatches('expire');
    server.set('web-0', 'web', 'r/web:v2');
    await eventually(
      () => glance(),
      ({ version }) => version === 'v2',
    );
    await eventually(() => server.watches() === 1);
    expect(server.calls).to.deep.equal(['list web-0', 'watch web-0', 'list web-0', 'watch web-0']);
  });

  it('say how old it is what they know while the server is away', async () => {
    await glance();
    await eventually(() => server.watches() === 1);
    const asked = Date.now();
    await server.pause();
    const { version, stale } = await eventually(
      () => glance(),
      (live) => live.stale !== undefined,
    );
    expect(version).to.equal('v1');
    expect(stale?.text).to.equal('the API server of context fake does not answer (ECONNREFUSED)');
    expect(stale?.since.getTime()).to.be.within(asked, Date.now());
    expect(await target().current('web', '0').then(String, String)).to.include('does not answer (ECONNREFUSED)');
    await server.resume();
    server.set('web-0', 'web', 'r/web:v2');
    const back = await eventually(
      () => glance(),
      (live) => live.version === 'v2',
    );
    expect(back.stale).to.equal(undefined);
  });

  it('know nothing where the server never answered', async () => {
    await server.pause();
    expect(await glance().then(String, String)).to.include('does not answer (ECONNREFUSED)');
    await server.resume();
    await eventually(() => glance());
  });

  it('list now and then where the robot may list, but not watch', async () => {
    server.fault('watch', forbidden('watch'));
    const watched = watchDeployments(await open(), 'web-0', { backoff: BACKOFF, listAgainMs: 1 });
    closing.signal.addEventListener('abort', () => watched.close());
    await watched.look();
    await eventually(() => server.calls.includes('watch web-0'));
    server.set('web-0', 'web', 'r/web:v2');
    await eventually(async () => {
      const seen = await watched.look();
      if (seen.kind !== 'seen') throw new Error(seen.kind);
      expect(seen.stale).to.equal(undefined);
      return seen.deployment('web-0', 'web')?.spec.template.spec.containers[0]?.image === 'r/web:v2';
    });
  });

  it('keep no more than they may', async () => {
    server.set('web-0', 'other', 'r/other:v1');
    const watched = watchDeployments(await open(), 'web-0', { most: 1 });
    expect(await watched.look()).to.deep.equal({ kind: 'unlisted' });
    const growing = watchDeployments(await open(), 'web-1', { most: 1, backoff: BACKOFF });
    closing.signal.addEventListener('abort', () => growing.close());
    expect(await growing.look()).to.include({ kind: 'seen' });
    await eventually(() => server.watches() === 1);
    server.set('web-1', 'other', 'r/other:v1');
    await eventually(
      () => growing.look(),
      ({ kind }) => kind === 'unlisted',
    );
  });

  it('read long lists page by page', async () => {
    for (let at = 0; at < 1_100; at += 1) server.set('web-0', `other-${at}`, 'r/other:v1');
    expect(await glance()).to.include({ version: 'v1' });
    expect(server.calls.filter((call) => call === 'list web-0')).to.have.length(3);
  });

  it('end when the robot closes', async () => {
    await glance();
    await eventually(() => server.watches() === 1);
    closing.abort();
    await eventually(() => server.watches() === 0);
    expect(await glance()).to.include({ version: 'v1' });
    expect(server.calls.at(-1)).to.equal('get web-0');
  });
});
