import { expect } from 'chai';
import { createArgoTarget } from '../../../src/adapters/deploy/argocd/client.ts';
import { patchOf, versionOf } from '../../../src/adapters/deploy/argocd/source.ts';
import type { ArgoSet, ArgoTargetConfig } from '../../../src/domain/deploy/targets/argocd.ts';
import { REQUEST, type RecordedRun, recordedRun } from '../../support/recorded-run.ts';
import {
  cut,
  empty,
  hastyClock,
  json,
  longText,
  type RestReply,
  type RestServer,
  restServer,
} from '../../support/rest-server.ts';

const APP = '/api/v1/applications/web-staging';
const MARK = [{ name: 'shipmate-deployment', value: '42' }];

interface Shape {
  readonly revision?: string;
  readonly phase?: string;
  readonly message?: string;
  readonly info?: object[];
  readonly pending?: boolean;
  readonly health?: string;
  readonly healthMessage?: string;
  readonly results?: object[];
  readonly extra?: object;
  readonly finishedAt?: string;
  readonly reconciledAt?: string;
}

/** An application as the server shows it. */
function app(shape: Shape = {}): RestReply {
  const { revision = 'v1', phase, info = MARK, health = 'Healthy' } = shape;
  return json(200, {
    metadata: { name: 'web-staging' },
    spec: { project: 'default', source: { repoURL: 'https://git.example.com/web', targetRevision: revision } },
    ...(shape.pending ? { operation: { info: MARK, sync: {} } } : {}),
    status: {
      sync: { status: 'OutOfSync', revision: 'abc' },
      health: { status: health, message: shape.healthMessage },
      resources: [
        { kind: 'Deployment', name: 'web' },
        { kind: 'Service', name: 'web' },
      ],
      reconciledAt: shape.reconciledAt ?? '2026-01-31T12:00:05Z',
      ...(phase === undefined
        ? {}
        : {
            operationState: {
              phase,
              message: shape.message ?? '',
              operation: { info },
              startedAt: '2026-01-31T12:00:00Z',
              finishedAt: shape.finishedAt ?? '2026-01-31T12:00:04Z',
              syncResult: { resources: shape.results ?? [], revision: 'abc' },
            },
          }),
      ...shape.extra,
    },
  });
}

const denied = json(403, { error: 'permission denied', code: 7, message: 'permission denied' });
const busy = json(400, {
  error: 'another operation is already in progress',
  code: 9,
  message: 'another operation is already in progress',
});

describe('argocd target', function () {
  this.timeout(20_000);
  let server: RestServer;
  let clock: ReturnType<typeof hastyClock>;
  beforeEach(async () => {
    server = await restServer();
    clock = hastyClock();
  });
  afterEach(() => server.finish());

  function target(change: Partial<ArgoTargetConfig> = {}, environment: Record<string, string> = {}) {
    return createArgoTarget({
      service: 'web',
      config: {
        kind: 'argocd',
        url: server.url,
        application: '{service}-{environment}',
        project: 'default',
        tokenFrom: 'ARGOCD_TOKEN',
        set: { kind: 'revision' },
        prune: false,
        timeoutMs: 600_000,
        ...change,
      },
      environment: { ARGOCD_TOKEN: 'sekrit-token', ...environment },
      clock,
    });
  }

  const count = (what: string) => server.calls.filter(({ method, path }) => `${method} ${path}` === what).length;
  const syncs = () => count(`POST ${APP}/sync`);

  /** Everything until the sync is asked for: two looks and a patch. */
  function begin(): void {
    server.on(`GET ${APP}`, app(), app());
    server.on(`PATCH ${APP}`, app({ revision: 'v2' }));
  }

  it('sets the version, syncs, and waits until it is healthy', async () => {
    begin();
    server.on(`POST ${APP}/sync`, app({ revision: 'v2', pending: true }));
    server.on(
      `GET ${APP}`,
      app({ revision: 'v2', pending: true }),
      app({
        revision: 'v2',
        phase: 'Running',
        message: 'waiting for healthy state of apps/Deployment/web',
        results: [{}],
      }),
      app({ revision: 'v2', phase: 'Succeeded', health: 'Healthy', reconciledAt: '2026-01-31T11:59:00Z' }),
      app({ revision: 'v2', phase: 'Succeeded', health: 'Progressing', healthMessage: '1 of 3 updated' }),
      app({ revision: 'v2', phase: 'Succeeded' }),
    );
    const kept = recordedRun();
    expect(await target().deploy(REQUEST, kept)).to.deep.equal({ kind: 'succeeded' });
    expect(kept.texts).to.deep.equal([
      'Setting v2 in web-staging',
      'Waiting for Argo CD to begin',
      'Syncing: waiting for healthy state of apps/Deployment/web',
      'Synced; progressing: 1 of 3 updated',
    ]);
    const patch = server.calls.find(({ method }) => method === 'PATCH');
    expect(patch?.json).to.deep.include({
      name: 'web-staging',
      patchType: 'json',
      project: 'default',
      patch: '[{"op":"add","path":"/spec/source/targetRevision","value":"v2"}]',
    });
    expect(patch?.headers.authorization).to.equal('Bearer sekrit-token');
    const sync = server.calls.find(({ path }) => path.endsWith('/sync'));
    expect(sync?.json).to.deep.equal({ name: 'web-staging', prune: false, infos: MARK, project: 'default' });
    expect(server.calls.map(({ query }) => query['refresh']).filter(Boolean)).to.deep.equal(['normal']);
    expect(kept.handles.at(-1)).to.include({ asked: true, previous: 'v1' });
  });

  const refusals: [RestReply, string][] = [
    [json(401, { message: 'invalid session' }), 'argocd account generate-token'],
    [denied, 'Argo CD says the same of one that is not there'],
    [json(404, { message: 'applications "web-staging" not found' }), 'check `application`'],
    [json(409, { message: 'the object has been modified' }), 'somebody changed the application'],
    [json(422, { message: 'unprocessable' }), 'check the version'],
  ];
  for (const [reply, text] of refusals) {
    it(`says a refusal in words: ${text}`, async () => {
      server.on(`GET ${APP}`, app(), app());
      server.on(`PATCH ${APP}`, reply);
      const outcome = await target().deploy(REQUEST, recordedRun());
      expect(outcome.kind === 'failed' && outcome.text).to.include(text);
    });
  }

  it('waits as long as 429 asks for', async () => {
    begin();
    server.on(`POST ${APP}/sync`, empty(429, { 'retry-after': '45' }), app());
    server.on(`GET ${APP}`, app({ revision: 'v2', phase: 'Succeeded' }));
    expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
    expect(clock.waits).to.include(45_000);
  });

  for (const [what, trouble] of [
    ['500', empty(500)],
    ['a cut connection', cut()],
  ] as const) {
    it(`looks for the sync after ${what}, and does not ask twice for what is there`, async () => {
      begin();
      server.on(`POST ${APP}/sync`, trouble);
      server.on(`GET ${APP}`, app({ revision: 'v2', phase: 'Running' }), app({ revision: 'v2', phase: 'Succeeded' }));
      expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
      expect(syncs()).to.equal(1);
    });

    it(`asks again after ${what} if nothing is there`, async () => {
      begin();
      let sent = 0;
      server.always(`POST ${APP}/sync`, (res, call) => {
        sent += 1;
        (sent === 1 ? trouble : app())(res, call);
      });
      server.always(`GET ${APP}`, (res, call) =>
        app(sent < 2 ? { revision: 'v2' } : { revision: 'v2', phase: 'Succeeded' })(res, call),
      );
      expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
      expect(sent).to.equal(2);
    });

    it(`looks whether the version was set after ${what}`, async () => {
      server.on(`GET ${APP}`, app(), app(), app({ revision: 'v2' }), app({ revision: 'v2', phase: 'Succeeded' }));
      server.on(`PATCH ${APP}`, trouble);
      server.on(`POST ${APP}/sync`, app());
      expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
      expect(count(`PATCH ${APP}`)).to.equal(1);
    });
  }

  it('lives through a server that goes away and comes back', async () => {
    begin();
    server.on(`POST ${APP}/sync`, app());
    server.on(
      `GET ${APP}`,
      ...Array.from({ length: 15 }, () => empty(503)),
      cut(),
      app({ revision: 'v2', phase: 'Succeeded' }),
    );
    const kept = recordedRun();
    expect(await target().deploy(REQUEST, kept)).to.deep.equal({ kind: 'succeeded' });
    expect(kept.texts.join('\n')).to.include('No answer just now, the sync goes on');
  });

  it('waits for the sync of somebody else, before and after it was asked for', async () => {
    const other = [{ name: 'shipmate-deployment', value: '41' }];
    server.on(`GET ${APP}`, app({ phase: 'Running', info: other }), app(), app());
    server.on(`PATCH ${APP}`, app());
    server.on(`POST ${APP}/sync`, busy, app());
    server.on(
      `GET ${APP}`,
      app({ phase: 'Running', info: [] }),
      app({ phase: 'Running', info: [] }),
      app({ phase: 'Succeeded', info: [] }),
      app({ phase: 'Succeeded', info: [] }),
      app({ revision: 'v2', phase: 'Succeeded' }),
    );
    expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
    expect(syncs()).to.equal(2);
  });

  it('says which resources were refused', async () => {
    begin();
    server.on(`POST ${APP}/sync`, app());
    server.on(
      `GET ${APP}`,
      app({
        phase: 'Failed',
        message: 'one or more objects failed to apply',
        results: [
          { kind: 'Service', name: 'web', status: 'Synced' },
          { kind: 'Deployment', name: 'web', status: 'SyncFailed', message: 'spec.replicas: Invalid value: -1' },
        ],
      }),
    );
    expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({
      kind: 'failed',
      code: 'sync',
      text: 'the sync failed: Deployment web: spec.replicas: Invalid value: -1',
    });
  });

  const sickTree = json(200, {
    nodes: [
      { kind: 'Deployment', name: 'web', health: { status: 'Degraded', message: 'exceeded its progress deadline' } },
      {
        kind: 'Pod',
        name: 'web-1',
        namespace: 'shop',
        health: { status: 'Degraded', message: 'back-off 40s restarting failed container=web' },
      },
      { kind: 'Pod', name: 'web-0', namespace: 'shop', health: { status: 'Healthy' } },
    ],
  });

  it('says why it is degraded, and what the pod said last', async () => {
    begin();
    server.on(`POST ${APP}/sync`, app());
    server.always(`GET ${APP}`, app({ revision: 'v2', phase: 'Succeeded', health: 'Degraded' }));
    server.on(`GET ${APP}/resource-tree`, sickTree);
    server.on(`GET ${APP}/logs`, (res) => {
      res.write(`${JSON.stringify({ result: { content: 'no \u001b[31mdatabase', podName: 'web-1' } })}\n`);
      res.end(`${JSON.stringify({ result: { content: 'exit 1' } })}\n{"result":{"last":true}}\n`);
    });
    const kept = recordedRun();
    expect(await target().deploy(REQUEST, kept)).to.deep.equal({
      kind: 'failed',
      code: 'degraded',
      text: 'web-staging is degraded: Pod web-1: back-off 40s restarting failed container=web; Deployment web: exceeded its progress deadline',
    });
    expect(kept.lines).to.deep.equal(['The last lines of web-1:', 'no database', 'exit 1']);
    const log = server.calls.find(({ path }) => path.endsWith('/logs'));
    expect(log?.query).to.include({ podName: 'web-1', namespace: 'shop', tailLines: '20' });
  });

  it('reads no more of a log of 50 MB than it needs', async () => {
    begin();
    server.on(`POST ${APP}/sync`, app());
    server.always(`GET ${APP}`, app({ revision: 'v2', phase: 'Succeeded', health: 'Degraded' }));
    server.on(`GET ${APP}/resource-tree`, sickTree);
    server.on(`GET ${APP}/logs`, longText(JSON.stringify({ result: { content: 'x'.repeat(75) } }), 524_000, ''));
    const kept = recordedRun();
    const before = process.memoryUsage().rss;
    expect(await target().deploy(REQUEST, kept)).to.include({ code: 'degraded' });
    expect(kept.lines).to.have.length(21);
    expect(process.memoryUsage().rss - before).to.be.below(100 * 1024 * 1024);
  });

  it('says what it waits for when its time is over', async () => {
    begin();
    server.on(`POST ${APP}/sync`, app());
    server.always(
      `GET ${APP}`,
      app({ revision: 'v2', phase: 'Succeeded', health: 'Progressing', healthMessage: 'Waiting for rollout' }),
    );
    server.on(`GET ${APP}/resource-tree`, json(200, {}));
    const outcome = await target().deploy(REQUEST, recordedRun());
    expect(outcome.kind === 'failed' && outcome.text).to.equal(
      'web-staging was synced, but after 10 min it is Progressing: Waiting for rollout',
    );
  });

  it('terminates a sync that takes too long', async () => {
    begin();
    server.on(`POST ${APP}/sync`, app());
    server.always(`GET ${APP}`, app({ revision: 'v2', phase: 'Running', message: 'waiting for hook' }));
    server.on(`DELETE ${APP}/operation`, json(200, {}));
    const outcome = await target().deploy(REQUEST, recordedRun());
    expect(outcome.kind === 'failed' && outcome.text).to.equal(
      'the sync of web-staging took longer than 10 min and was terminated: waiting for hook',
    );
  });

  it('terminates the sync when somebody cancels, and goes back', async () => {
    begin();
    server.on(`POST ${APP}/sync`, app(), app());
    server.on(
      `GET ${APP}`,
      app({ revision: 'v2', phase: 'Running', message: 'waiting' }),
      app({ revision: 'v2', phase: 'Running' }),
      app({ revision: 'v2', phase: 'Terminating' }),
      app({ revision: 'v2', phase: 'Failed', message: 'Operation terminated' }),
      app({ revision: 'v2', phase: 'Failed' }),
    );
    server.on(`DELETE ${APP}/operation`, json(200, {}));
    server.on(`PATCH ${APP}`, app());
    const kept: RecordedRun = recordedRun((text) => {
      if (text.startsWith('Syncing')) kept.abort('cancel');
    });
    expect(await target().deploy(REQUEST, kept)).to.deep.equal({
      kind: 'interrupted',
      text: 'it was cancelled; web-staging goes back to v1',
    });
    const patches = server.calls.filter(({ method }) => method === 'PATCH');
    expect(patches.at(-1)?.text).to.include('v1');
    const sync = server.calls.findLast(({ path }) => path.endsWith('/sync'));
    expect(sync?.json).to.deep.include({ infos: [{ name: 'shipmate-deployment', value: '42 cancelled' }] });
  });

  it('leaves the sync running when the robot stops, and takes it up again', async () => {
    begin();
    server.on(`POST ${APP}/sync`, app());
    server.on(`GET ${APP}`, app({ revision: 'v2', phase: 'Running' }));
    const kept: RecordedRun = recordedRun((text) => {
      if (text.startsWith('Syncing')) kept.abort('shutdown');
    });
    expect(await target().deploy(REQUEST, kept)).to.include({ kind: 'interrupted' });
    server.on(`GET ${APP}`, app({ revision: 'v2', phase: 'Running' }), app({ revision: 'v2', phase: 'Succeeded' }));
    expect(await target().resume?.(REQUEST, kept.handles.at(-1), recordedRun())).to.deep.equal({ kind: 'succeeded' });
    expect(syncs()).to.equal(1);
  });

  it('sets the version before again when somebody cancelled what it takes up, and no sync is to be seen', async () => {
    const handle = { kind: 'argocd', startedAt: clock.now().getTime(), asked: true, previous: 'v1' };
    server.always(`GET ${APP}`, app({ revision: 'v2' }));
    server.on(`PATCH ${APP}`, app());
    const run = recordedRun();
    run.abort('cancel');
    expect(await target().resume?.(REQUEST, handle, run)).to.deep.equal({
      kind: 'interrupted',
      text: 'it was cancelled; web-staging names v1 again',
    });
    expect(server.calls.find(({ method }) => method === 'PATCH')?.text).to.include('v1');
    expect(syncs()).to.equal(0);
  });

  it('begins nothing when it takes up what had not begun', async () => {
    const startedAt = clock.now().getTime();
    server.always(`GET ${APP}`, app());
    for (const asked of [false, true]) {
      const outcome = await target().resume?.(REQUEST, { kind: 'argocd', startedAt, asked }, recordedRun());
      expect(outcome).to.include({ kind: 'interrupted' });
    }
  });

  it('says so if another sync took its place', async () => {
    begin();
    server.on(`POST ${APP}/sync`, app());
    server.always(`GET ${APP}`, app({ phase: 'Running', info: [] }));
    expect(await target().deploy(REQUEST, recordedRun())).to.include({ kind: 'failed', code: 'replaced' });
  });

  it('knows what is live', async () => {
    const history = [
      { deployedAt: '2026-01-30T12:00:00Z', source: { targetRevision: 'v1' } },
      { deployedAt: '2026-01-31T12:00:00Z', source: { targetRevision: 'v2' } },
    ];
    server.on(
      `GET ${APP}`,
      app({ extra: { history } }),
      app({ extra: { history, sync: { status: 'Synced', comparedTo: { source: { targetRevision: 'v3' } } } } }),
      app(),
      denied,
    );
    const made = target();
    const current = () => made.current('web', 'staging');
    expect(await current()).to.deep.equal({ version: 'v2', since: new Date('2026-01-31T12:00:00Z') });
    expect(await current()).to.deep.equal({ version: 'v3' });
    expect(await current()).to.equal(undefined);
    expect(String(await current().catch((reason: unknown) => reason))).to.include('does not allow this');
  });
});

describe('version of an Argo CD application', () => {
  const helm: ArgoSet = { kind: 'helm', parameter: 'image.tag' };
  const kustomize: ArgoSet = { kind: 'kustomize', image: 'ghcr.io:443/acme/web' };
  const base = { repoURL: '', targetRevision: 'main' };

  it('is a Helm parameter', () => {
    const source = {
      ...base,
      helm: {
        parameters: [
          { name: 'a', value: '1' },
          { name: 'image.tag', value: 'v1' },
        ],
      },
    };
    expect(versionOf({ source }, { set: helm })).to.equal('v1');
    expect(patchOf(source, { set: helm }, false, 'v2')).to.deep.equal([
      { op: 'test', path: '/spec/source/helm/parameters/1/name', value: 'image.tag' },
      { op: 'add', path: '/spec/source/helm/parameters/1/value', value: 'v2' },
    ]);
    expect(versionOf({ source: base }, { set: helm })).to.equal(undefined);
    expect(patchOf(base, { set: helm }, false, 'v2')).to.deep.equal([
      { op: 'add', path: '/spec/source/helm', value: { parameters: [{ name: 'image.tag', value: 'v2' }] } },
    ]);
    expect(patchOf({ ...base, helm: {} }, { set: helm }, false, 'v2')[0]?.path).to.equal(
      '/spec/source/helm/parameters',
    );
    expect(patchOf({ ...base, helm: { parameters: [] } }, { set: helm }, false, 'v2')[0]?.path).to.equal(
      '/spec/source/helm/parameters/-',
    );
  });

  it('is the tag or digest of a Kustomize image, renamed or not', () => {
    const images: [string, string, string][] = [
      ['ghcr.io:443/acme/web:v1', 'v1', 'ghcr.io:443/acme/web:v2'],
      ['ghcr.io:443/acme/web=mirror:5000/web:v1', 'v1', 'ghcr.io:443/acme/web=mirror:5000/web:v2'],
      ['ghcr.io:443/acme/web@sha256:abc', 'sha256:abc', 'ghcr.io:443/acme/web:v2'],
    ];
    for (const [image, version, next] of images) {
      const source = { ...base, kustomize: { images: ['other:1', image] } };
      expect(versionOf({ source }, { set: kustomize })).to.equal(version);
      expect(patchOf(source, { set: kustomize }, false, 'v2')).to.deep.equal([
        { op: 'test', path: '/spec/source/kustomize/images/1', value: image },
        { op: 'replace', path: '/spec/source/kustomize/images/1', value: next },
      ]);
    }
    expect(patchOf(base, { set: kustomize }, false, 'sha256:def')).to.deep.equal([
      { op: 'add', path: '/spec/source/kustomize', value: { images: ['ghcr.io:443/acme/web@sha256:def'] } },
    ]);
  });

  it('is in one of several sources', () => {
    const sources = [base, { ...base, targetRevision: 'v1' }];
    expect(versionOf({ sources }, { set: { kind: 'revision' }, source: 2 })).to.equal('v1');
    expect(patchOf(base, { set: { kind: 'revision' }, source: 2 }, true, 'v2')).to.deep.equal([
      { op: 'add', path: '/spec/sources/1/targetRevision', value: 'v2' },
    ]);
  });
});
