/** What the target `kubernetes` makes of what the API says, without a cluster. */

import type { V1ContainerStatus, V1Deployment, V1Pod } from '@kubernetes/client-node';
import { expect } from 'chai';
import { failureOf } from '../../../src/adapters/deploy/kubernetes/failure.ts';
import { containerOf, imageOf, isImage, versionOf } from '../../../src/adapters/deploy/kubernetes/images.ts';
import { placeOf } from '../../../src/adapters/deploy/kubernetes/places.ts';
import { rolloutStatus, selectorOf } from '../../../src/adapters/deploy/kubernetes/rollout.ts';
import { blockedTrouble, probeTrouble, troubleOf } from '../../../src/adapters/deploy/kubernetes/why.ts';

function pod(status: Partial<V1ContainerStatus>, more: Partial<NonNullable<V1Pod['status']>> = {}): V1Pod {
  const container = { name: 'web', image: 'r/web:v2', imageID: '', ready: false, restartCount: 0, ...status };
  return {
    metadata: { name: 'web-1' },
    spec: { containers: [{ name: 'web', image: 'r/web:v2' }] },
    status: { phase: 'Running', containerStatuses: [container], ...more },
  };
}

describe('why pods are not ready', () => {
  const cases: [string, V1Pod, string | undefined, boolean?][] = [
    ['is well', pod({ ready: true, state: { running: {} } }), undefined],
    [
      'cannot be pulled',
      pod({ state: { waiting: { reason: 'ErrImagePull', message: 'manifest unknown\nmore' } } }),
      'the image r/web:v2 cannot be pulled (ErrImagePull: manifest unknown more)',
      true,
    ],
    [
      'crashes',
      pod({
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 2, reason: 'Error' } },
      }),
      'the container web crashes again and again: exit code 2, restarted 3 times',
      true,
    ],
    [
      'runs between two crashes',
      pod({
        restartCount: 2,
        state: { running: {} },
        lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
      }),
      'the container web crashes again and again: it ran out of memory (OOMKilled, exit code 137), restarted 2 times',
      true,
    ],
    [
      'lacks a secret',
      pod({ state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "db" not found' } } }),
      'the container web cannot be started (CreateContainerConfigError): secret "db" not found',
      true,
    ],
    [
      'ended once',
      pod({ state: { terminated: { exitCode: 1, message: 'no config' } } }),
      'the container web ended: exit code 1: no config',
      false,
    ],
    [
      'finds no node',
      pod(
        { ready: true },
        {
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'Unschedulable',
              message: '0/3 nodes are available: 3 Insufficient cpu.',
            },
          ],
        },
      ),
      'no node takes the pod web-1: 0/3 nodes are available: 3 Insufficient cpu.',
      false,
    ],
    ['runs only', pod({ state: { running: {} } }), 'the container web runs, but is not ready', false],
    [
      'was evicted',
      pod({ ready: true }, { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' }),
      'the pod web-1 failed (Evicted): The node was low on resource: memory.',
      false,
    ],
    ['is being made', pod({ state: { waiting: { reason: 'ContainerCreating' } } }), undefined],
  ];
  for (const [what, one, text, lasting] of cases) {
    it(what, () => {
      const found = troubleOf([one]);
      expect(found?.text).to.equal(text);
      expect(found?.lasting).to.equal(lasting);
    });
  }

  it('tells the gravest first, and nothing of pods that end', () => {
    const starting = pod({ state: { running: {} } });
    const broken = pod({ state: { waiting: { reason: 'ImagePullBackOff' } } });
    expect(troubleOf([starting, broken])?.code).to.equal('image');
    const ending: V1Pod = { ...broken, metadata: { name: 'web-0', deletionTimestamp: new Date(0) } };
    expect(troubleOf([ending, starting])?.code).to.equal('unready');
  });

  it('reads quotas and probes', () => {
    const quota =
      'pods "web-1" is forbidden: exceeded quota: few, requested: limits.cpu=1,pods=1, used: pods=4, limited: pods=4';
    expect(blockedTrouble(quota).text).to.equal(
      'the quota few is used up: limits.cpu=1,pods=1 more was asked for, pods=4 of pods=4 is in use',
    );
    expect(blockedTrouble('admission webhook "x" denied it').text).to.equal(
      'its pods are refused: admission webhook "x" denied it',
    );
    expect(
      probeTrouble('web', 'web-1', 'Readiness probe failed: HTTP probe failed with statuscode: 503').text,
    ).to.equal('the readiness probe of the container web fails: HTTP probe failed with statuscode: 503');
  });
});

describe('errors of the API server', () => {
  const said = (code: number, message: string, headers = {}) =>
    failureOf({ code, body: JSON.stringify({ kind: 'Status', message }), headers }, 'the API server of context a');

  it('names the missing verb', () => {
    const message =
      'pods "web-1" is forbidden: User "system:serviceaccount:ops:shipmate" cannot get resource "pods/log" in API group "" in the namespace "web"';
    expect(said(403, message)).to.include({
      kind: 'forbidden',
      message:
        'system:serviceaccount:ops:shipmate may not get pods/log in the namespace web; its Role lacks the verb get on pods/log, see docs/guide/targets/kubernetes.md',
    });
  });
  it('keeps the words of an admission rule', () => {
    expect(said(403, 'admission webhook "policy" denied the request: no :latest').message).to.equal(
      'the API server of context a refused it (403): admission webhook "policy" denied the request: no :latest',
    );
  });
  it('says what to do about credentials', () => {
    expect(said(401, 'Unauthorized').message).to.match(/does not accept the robot’s credentials \(401\); renew/);
  });
  it('hears how long to wait', () => {
    expect(said(429, 'slow down', { 'retry-after': '7' })).to.include({ kind: 'busy', retryAfterMs: 7_000 });
  });
  it('says that there is no answer, and why', () => {
    const cause = Object.assign(new Error('connect'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
    expect(failureOf(new TypeError('fetch failed', { cause }), 'the API server of context a').message).to.equal(
      'the API server of context a does not answer (SELF_SIGNED_CERT_IN_CHAIN); its certificate does not fit the authority in the kubeconfig',
    );
  });
});

describe('images and versions', () => {
  it('goes there and back', () => {
    expect(imageOf('r/web:{version}', 'v1$&')).to.equal('r/web:v1$&');
    expect(versionOf('r/web:{version}', 'r/web:v1')).to.equal('v1');
    expect(versionOf('r/web:{version}-slim', 'r/web:v1-slim')).to.equal('v1');
    expect(versionOf('r/web:{version}', 'other/web:v1')).to.equal(undefined);
    expect(versionOf('r/web:{version}', 'r/web:')).to.equal(undefined);
  });
  const images: [string, boolean][] = [
    ['web:v1', true],
    ['registry.example:5000/team/web:v1.2.3_rc', true],
    [`web@sha256:${'a'.repeat(64)}`, true],
    ['web:feature/x', false],
    ['web:v1 x', false],
    [`web:${'v'.repeat(200)}`, false],
  ];
  for (const [image, good] of images) it(image.slice(0, 60), () => expect(isImage(image)).to.equal(good));

  it('finds the container that is meant', () => {
    const deployment = (...names: string[]): V1Deployment => ({
      metadata: { name: 'web' },
      spec: {
        selector: {},
        template: {
          spec: { containers: names.map((name) => ({ name })), initContainers: [{ name: 'migrate', image: 'm:1' }] },
        },
      },
    });
    expect(containerOf(deployment('web', 'proxy'), undefined)).to.include({ name: 'web', init: false });
    expect(containerOf(deployment('app'), undefined)).to.include({ name: 'app' });
    expect(containerOf(deployment('app'), 'migrate')).to.deep.equal({ name: 'migrate', init: true, image: 'm:1' });
    expect(containerOf(deployment('app', 'proxy'), undefined))
      .to.have.property('problem')
      .that.matches(/app, proxy, migrate/);
  });

  it('fills in environments', () => {
    const place = placeOf(
      {
        kind: 'kubernetes',
        place: { context: '{environment}', namespace: '{service}-{environment}', image: 'r/{environment}:{version}' },
        environments: {
          production: { context: 'eu', deployments: [{ name: '{service}-a', images: { app: 'a:{version}' } }] },
        },
        timeoutMs: 1,
        patienceMs: 1,
      },
      'web',
      'production',
    );
    expect(place).to.deep.equal({
      context: 'eu',
      namespace: 'web-production',
      workloads: [{ name: 'web-a', images: [{ container: 'app', image: 'a:{version}' }] }],
    });
  });
});

describe('how far a rollout is', () => {
  function status(part: object, spec: object = {}): string {
    const { kind, text } = rolloutStatus({
      metadata: { generation: 2 },
      spec: { replicas: 3, selector: {}, template: {}, ...spec },
      status: { observedGeneration: 2, ...part },
    });
    return `${kind}: ${text}`;
  }
  const cases: [object, string][] = [
    [{ observedGeneration: 1 }, 'going_on: the cluster has not seen the change yet'],
    [{}, 'going_on: 0 of 3 replicas are new'],
    [{ replicas: 4, updatedReplicas: 3, availableReplicas: 3 }, 'going_on: 1 old replicas are still ending'],
    [{ replicas: 3, updatedReplicas: 3, availableReplicas: 2 }, 'going_on: 2 of 3 replicas are ready'],
    [{ replicas: 3, updatedReplicas: 3, availableReplicas: 3 }, 'complete: 3 of 3 replicas are ready'],
    [
      { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] },
      'deadline: it made no progress for 600 s',
    ],
  ];
  for (const [part, text] of cases) it(text, () => expect(status(part)).to.equal(text));
  it('is over at once for no replicas', () => {
    expect(status({}, { replicas: 0 })).to.equal('complete: 0 of 0 replicas are ready');
  });
  it('writes selectors as queries', () => {
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['a', 'b'] },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    };
    expect(selectorOf({ spec: { selector, template: {} } })).to.equal('app=web,tier in (a,b),!old');
  });
});
