/** The Role on the page of the target is applied as it stands there: it is enough, and gives nothing else. */

import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { createKubernetesTarget } from '../../../src/adapters/deploy/kubernetes/client.ts';
import { createKubernetes } from '../../../src/adapters/deploy/kubernetes/inspect.ts';
import type { Target, TargetOutcome } from '../../../src/domain/deploy/target.ts';
import type { KubernetesTargetConfig } from '../../../src/domain/deploy/targets/kubernetes.ts';
import type { Kubernetes } from '../../../src/domain/kubernetes/ports.ts';
import { ROOT } from '../../support/deploys.ts';
import { eventually } from '../../support/eventually.ts';
import { type TestCluster, testCluster } from '../../support/kubernetes.ts';

const IMAGE = 'registry.example/web';

describe('kubernetes: least rights', function () {
  this.timeout(60_000);
  let cluster: TestCluster;
  let namespace: string;
  let own: string;
  let yaml: string;
  let closing: AbortController;

  before(async function () {
    cluster = await testCluster(this);
  });
  after(() => cluster?.stop());

  beforeEach(async () => {
    closing = new AbortController();
    namespace = await cluster.namespace();
    own = await cluster.namespace();
    const page = await readFile(`${ROOT}docs/guide/targets/kubernetes.md`, 'utf8');
    const block = /```yaml\n(?<yaml>apiVersion: rbac[\s\S]*?)```/.exec(page)?.groups?.['yaml'] ?? '';
    // Namespaces that only this test has.
    yaml = block
      .replaceAll('namespace: web-staging', `namespace: ${namespace}`)
      .replaceAll('namespace: shipmate', `namespace: ${own}`);
    await cluster.running(namespace, 'web', `${IMAGE}:v1`);
  });
  afterEach(() => closing.abort());

  async function robot(rights: string): Promise<{ target: Target; kubernetes: Kubernetes }> {
    await cluster.apply(rights);
    const config: KubernetesTargetConfig = {
      kind: 'kubernetes',
      kubeconfig: await cluster.serviceAccount(own, 'shipmate'),
      place: { namespace, image: `${IMAGE}:{version}` },
      environments: {},
      timeoutMs: 30_000,
      patienceMs: 2_000,
    };
    const options = { root: '/', environment: {} };
    return {
      target: createKubernetesTarget({
        ...options,
        service: 'web',
        config,
        dataFolder: 'data',
        closing: closing.signal,
      }),
      kubernetes: createKubernetes({
        ...options,
        services: [{ name: 'web', environments: ['staging'], target: config }],
        redact: (text) => text,
      }),
    };
  }

  const deploy = (target: Target, version: string, lines: string[] = []): Promise<TargetOutcome> =>
    target.deploy(
      { deployment: 7, service: 'web', environment: 'staging', version },
      {
        signal: new AbortController().signal,
        remember: async () => undefined,
        progress: () => undefined,
        output: (line) => void lines.push(line),
      },
    );

  it('the page’s are enough for everything', async () => {
    const { target, kubernetes } = await robot(yaml);
    const here = { service: 'web', environment: 'staging' };
    expect(await eventually(() => target.current('web', 'staging'))).to.include({ version: 'v1' });
    expect(await target.glance?.('web', 'staging')).to.include({ version: 'v1' });
    expect(await deploy(target, 'v2')).to.deep.equal({ kind: 'succeeded' });
    await eventually(
      async () => target.glance?.('web', 'staging'),
      (live) => typeof live === 'object' && live.version === 'v2' && live.stale === undefined,
    );
    const lines: string[] = [];
    const outcome = await deploy(target, 'v3-crash', lines);
    expect(outcome).to.include({ kind: 'failed', code: 'crash' });
    expect(JSON.stringify(outcome)).to.include('db-0:5432 refused');
    expect(lines.join('\n')).to.include('heap at 91%').and.to.not.include('no log');
    const pods = await kubernetes.pods(here);
    expect(pods.filter(({ ready }) => ready)).to.have.length(2);
    const log = await kubernetes.log(here, { lines: 10, previous: false });
    expect(log.text).to.include('starting');
    expect(await kubernetes.events(here)).to.not.have.length(0);
    expect(await kubernetes.describe(here)).to.have.length(1);
    expect(await kubernetes.restart(here, 'alice', new Date())).to.deep.equal(['web']);
    expect(await kubernetes.scale(here, 1)).to.include({ before: 2, after: 1 });
  });

  it('without patch the robot can only look, as the page says', async () => {
    const { target } = await robot(yaml.replace(', patch]', ']'));
    expect(await eventually(() => target.current('web', 'staging'))).to.include({ version: 'v1' });
    expect(JSON.stringify(await deploy(target, 'v2'))).to.include('its Role lacks the verb patch on deployments');
    expect(await cluster.image(namespace, 'web')).to.equal(`${IMAGE}:v1`);
  });

  it('without watch, events and logs it still deploys, as the page says', async () => {
    const { target } = await robot(
      yaml
        .replaceAll(', watch', '')
        .replace('[pods, events]', '[pods]')
        .replace(/ {2}- apiGroups: \[''\]\n {4}resources: \[pods\/log\]\n {4}verbs: \[get\]\n/, ''),
    );
    await eventually(() => target.current('web', 'staging'));
    expect(await deploy(target, 'v2')).to.deep.equal({ kind: 'succeeded' });
    const lines: string[] = [];
    expect(JSON.stringify(await deploy(target, 'v3-crash', lines))).to.include('exit code 1');
    expect(lines.join('\n')).to.include('lacks the verb get on pods/log');
  });
});
