/** What the target does with an API server that refuses, is busy, fails, or breaks off: in words, and changing nothing twice. */

import { expect } from 'chai';
import { createKubernetesTarget } from '../../../src/adapters/deploy/kubernetes/client.ts';
import type { Target, TargetOutcome } from '../../../src/domain/deploy/target.ts';
import { eventually } from '../../support/eventually.ts';
import { type FakeKubernetes, type Fault, fakeKubernetes } from '../../support/kubernetes-api.ts';

const SERVER = 'the API server of context fake';
const CONFLICT: Fault = {
  code: 409,
  reason: 'Conflict',
  message: 'Operation cannot be fulfilled on deployments.apps "web": the object has been modified',
};

describe('kubernetes target and a troubled API server', function () {
  this.timeout(30_000);
  let server: FakeKubernetes;
  let steps: string[];

  beforeEach(async () => {
    server = await fakeKubernetes();
    server.set('shop', 'web', 'r/web:v1');
    steps = [];
  });
  afterEach(() => server.stop());

  function target(timeoutMs = 20_000): Target {
    return createKubernetesTarget({
      service: 'web',
      config: {
        kind: 'kubernetes',
        kubeconfig: server.kubeconfig,
        place: { namespace: 'shop', image: 'r/web:{version}' },
        environments: {},
        timeoutMs,
        patienceMs: 1_000,
      },
      root: '/',
      dataFolder: 'data',
      environment: {},
    });
  }

  const deploy = (timeoutMs?: number): Promise<TargetOutcome> =>
    target(timeoutMs).deploy(
      { deployment: 7, service: 'web', environment: 'staging', version: 'v2' },
      {
        signal: new AbortController().signal,
        remember: async () => undefined,
        progress: ({ text = '' }) => void steps.push(text),
        output: () => undefined,
      },
    );

  const patches = (): number => server.calls.filter((call) => call === 'patch shop').length;
  const live = () => target().current('web', 'staging').then(JSON.stringify, String);

  /** How it ends, what it says, and what is live then. */
  const refused: [string, 'get' | 'patch', Fault, string, string][] = [
    [
      '401',
      'get',
      { code: 401, reason: 'Unauthorized', message: 'Unauthorized' },
      'credentials',
      `${SERVER} does not accept the robot’s credentials (401); renew the token or certificate in its kubeconfig; nothing was changed`,
    ],
    [
      '403',
      'get',
      {
        code: 403,
        reason: 'Forbidden',
        message:
          'deployments.apps "web" is forbidden: User "robot" cannot get resource "deployments" in API group "apps" in the namespace "shop"',
      },
      'forbidden',
      'robot may not get deployments in the namespace shop; its Role lacks the verb get on deployments (API group apps), see docs/guide/targets/kubernetes.md; nothing was changed',
    ],
    [
      '404',
      'get',
      { code: 404, reason: 'NotFound', message: 'deployments.apps "web" not found' },
      'missing',
      `there is no deployment web in the namespace shop (${SERVER}); nothing was changed`,
    ],
    [
      '403 of an admission webhook',
      'patch',
      { code: 403, reason: 'Forbidden', message: 'admission webhook "policy" denied the request: no tag :v2' },
      'forbidden',
      `${SERVER} refused it (403): admission webhook "policy" denied the request: no tag :v2; the images from before run again`,
    ],
    [
      '422',
      'patch',
      { code: 422, reason: 'Invalid', message: 'Deployment.apps "web" is invalid: spec.template: Invalid value' },
      'invalid',
      `${SERVER} refused it (422): Deployment.apps "web" is invalid: spec.template: Invalid value; the images from before run again`,
    ],
  ];
  for (const [title, kind, fault, code, text] of refused) {
    it(`${title}: ends, and says what to do`, async () => {
      server.fault(kind, fault);
      expect(await deploy()).to.deep.equal({ kind: 'failed', code, text });
      expect(await live()).to.include('"version":"v1"');
    });
  }

  it('409: makes the change for what is there by now', async () => {
    server.fault('patch', CONFLICT, 3);
    expect(await deploy()).to.deep.equal({ kind: 'succeeded' });
    expect(patches()).to.equal(4);
  });

  it('409 again and again: gives up', async () => {
    server.fault('patch', CONFLICT, 9);
    const outcome = await deploy();
    expect(outcome).to.include({ kind: 'failed', code: 'conflict' });
    expect(JSON.stringify(outcome)).to.include('see what else changes it (a pipeline, an operator), then try again');
    expect(await live()).to.include('"version":"v1"');
  });

  it('429: waits as long as the server asks', async () => {
    server.fault('get', { code: 429, reason: 'TooManyRequests', message: 'busy', headers: { 'retry-after': '1' } });
    server.fault('patch', { code: 429, reason: 'TooManyRequests', message: 'busy', headers: { 'retry-after': '1' } });
    const begun = Date.now();
    expect(await deploy()).to.deep.equal({ kind: 'succeeded' });
    expect(Date.now() - begun).to.be.above(1_950);
    expect(patches()).to.equal(2);
  });

  it('500: tries again, and not without a pause', async () => {
    const broken: Fault = { code: 500, reason: 'InternalError', message: 'etcdserver: request timed out' };
    server.fault('get', broken, 2);
    server.fault('patch', broken, 2);
    const begun = Date.now();
    expect(await deploy()).to.deep.equal({ kind: 'succeeded' });
    // Half a second and a second, for each of both.
    expect(Date.now() - begun).to.be.above(2_900);
    expect(steps.join('\n')).to.include(`${SERVER} failed (500): etcdserver: request timed out; I try again`);
    expect(patches()).to.equal(3);
  });

  it('a connection that is cut before the change: makes it again', async () => {
    server.fault('patch', 'cut');
    expect(await deploy()).to.deep.equal({ kind: 'succeeded' });
    expect(patches()).to.equal(2);
  });

  it('a connection that is cut after the change: does not make it twice', async () => {
    server.fault('patch', 'lost');
    expect(await deploy()).to.deep.equal({ kind: 'succeeded' });
    expect(patches()).to.equal(1);
    expect(await live()).to.include('"version":"v2"');
  });

  it('a watch that is cut in the middle: sees the end all the same', async () => {
    server.hold();
    const going = deploy();
    await eventually(() => server.watches() === 2);
    server.endWatches('cut');
    await eventually(() => server.watches() === 2);
    server.release();
    expect(await going).to.deep.equal({ kind: 'succeeded' });
    expect(patches()).to.equal(1);
  });

  it('an API server that is away: says so, waits, and goes on', async () => {
    server.hold();
    const going = deploy();
    await eventually(() => patches() === 1 && server.watches() === 2);
    await server.pause();
    await eventually(() => steps.some((text) => text.includes('does not answer (ECONNREFUSED); the rollout goes on')));
    await server.resume();
    server.release();
    expect(await going).to.deep.equal({ kind: 'succeeded' });
    expect(patches()).to.equal(1);
  });

  it('an API server that stays busy: what runs is not known, and what to do', async () => {
    server.fault('get', {
      code: 503,
      reason: 'ServiceUnavailable',
      message: 'overloaded',
      headers: { 'retry-after': '60' },
    });
    expect(await live()).to.include(`${SERVER} is too busy (503); try again when it has less to do`);
  });
});
