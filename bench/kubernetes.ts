/**
 * What runs where, of 500 deployments across 20 namespaces of a real API server: `node bench/kubernetes.ts`. Beside it, what one
 * would write first: a read of each Deployment, or a list of each namespace, every time somebody asks.
 */

import { subscribe } from 'node:diagnostics_channel';
import { tmpdir } from 'node:os';
import { loadTargets } from '../src/adapters/deploy/targets.ts';
import type { ServiceConfig } from '../src/domain/deploy/config.ts';
import { createDeploys } from '../src/domain/deploy/deploys.ts';
import type { Deploys } from '../src/domain/deploy/ports.ts';
import type { KubernetesTargetConfig } from '../src/domain/deploy/targets/kubernetes.ts';
import { openDatabase } from '../src/storage/database.ts';
import { createDeployStore } from '../src/storage/deploys.ts';
import { migrate } from '../src/storage/migrate.ts';
import { eventually } from '../test/support/eventually.ts';
import { KUBERNETES_INSTALL, openTestCluster, type TestCluster } from '../test/support/kubernetes.ts';
import { judge, markdown, median } from './figures.ts';

const NAMESPACES = 20;
const SERVICES = 25;
const REPEATS = 5;
const GOAL_MS = 2_000;
const CALLS_PER_NAMESPACE = 2;
/** A machine that does something else at the same time takes longer. */
const TOLERANCE = 0.25;
const READER = [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch'] }];
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Measured {
  readonly ms: number;
  readonly calls: number;
}

/** Requests of this process to the API server; the database is asked in another way. */
let calls = 0;
subscribe('undici:request:create', () => {
  calls += 1;
});

async function measure(action: () => Promise<number>): Promise<Measured> {
  const before = calls;
  const begun = performance.now();
  const count = await action();
  const ms = performance.now() - begun;
  if (count !== NAMESPACES * SERVICES) throw new Error(`${count} deployments were seen`);
  return { ms, calls: calls - before };
}

async function repeated(action: () => Promise<number>): Promise<Measured> {
  const all: Measured[] = [];
  for (let round = 0; round < REPEATS; round += 1) all.push(await measure(action));
  return { ms: median(all.map(({ ms }) => ms)), calls: median(all.map((one) => one.calls)) };
}

const names = Array.from({ length: SERVICES }, (_, at) => `web-${at}`);

async function fill(cluster: TestCluster): Promise<readonly string[]> {
  const namespaces = await Promise.all(Array.from({ length: NAMESPACES }, () => cluster.namespace()));
  for (const namespace of namespaces) {
    await cluster.allow(namespace, 'bot', READER);
    await Promise.all(names.map((name) => cluster.deployment(namespace, name, `registry.example/${name}:v1`, 1)));
  }
  const ready = async () => {
    const { items } = await cluster.apps.listDeploymentForAllNamespaces();
    return items.filter(({ status }) => status?.availableReplicas === 1).length;
  };
  await eventually(ready, (count) => count === NAMESPACES * SERVICES, 600_000);
  return namespaces;
}

async function withDeploys(
  kubeconfig: string,
  context: string,
  environments: readonly string[],
  work: (deploys: Deploys) => Promise<void>,
): Promise<void> {
  const target = (name: string): KubernetesTargetConfig => ({
    kind: 'kubernetes',
    kubeconfig,
    place: { context, namespace: '{environment}', image: `registry.example/${name}:{version}` },
    environments: {},
    timeoutMs: 1,
    patienceMs: 1,
  });
  const services = names.map((name): ServiceConfig => ({ name, environments, target: target(name) }));
  const db = await openDatabase({ folder: 'memory', log: quiet });
  const closing = new AbortController();
  try {
    await migrate(db);
    const nothing = async () => undefined;
    const deploys = createDeploys({
      config: { environments: environments.map((name) => ({ name })), services },
      store: createDeployStore(db),
      locks: async () => [],
      target: await loadTargets({
        services,
        root: '/',
        dataFolder: tmpdir(),
        environment: {},
        closing: closing.signal,
      }),
      clock: { now: () => new Date(), sleep: nothing },
      may: async () => true,
      replica: 'bench',
      enqueue: nothing,
      tellCancelled: nothing,
      post: nothing,
      beside: async () => [],
      ended: nothing,
      redact: (text) => text,
      log: quiet,
    });
    await work(deploys);
  } finally {
    closing.abort();
    await db.close();
  }
}

async function seen(deploys: Deploys): Promise<number> {
  const places = await deploys.list({});
  return places.filter(({ live }) => live.kind === 'live' && live.version === 'v1' && live.stale === undefined).length;
}

async function run(cluster: TestCluster): Promise<void> {
  const namespaces = await fill(cluster);
  await compare(cluster, namespaces);
}

/** The stand-in for nodes, which are other machines as a rule, does not take its share of this one meanwhile. */
async function quietly<T>({ pauseNode }: TestCluster, action: () => Promise<T>): Promise<T> {
  const goOn = await pauseNode?.();
  try {
    return await action();
  } finally {
    goOn?.();
  }
}

async function compare(cluster: TestCluster, namespaces: readonly string[]): Promise<void> {
  const rows: [string, Measured][] = [];
  const ours: { cold: Measured; warm: Measured }[] = [];
  for (const [context, rights] of [
    ['bot', 'a Role in each namespace'],
    ['admin', 'rights in the whole cluster'],
  ] as const) {
    await withDeploys(cluster.kubeconfig, context, namespaces, async (deploys) => {
      const cold = await quietly(cluster, () => measure(() => seen(deploys)));
      const warm = await quietly(cluster, () => repeated(() => seen(deploys)));
      ours.push({ cold, warm });
      rows.push([`\`deploys\`, ${rights}: the first time`, cold], [`\`deploys\`, ${rights}: after that`, warm]);
    });
  }
  const { apps } = cluster;
  const each = async () => {
    const all = namespaces.flatMap((namespace) => names.map((name) => ({ namespace, name })));
    let count = 0;
    for (let from = 0; from < all.length; from += 8) {
      const some = await Promise.all(all.slice(from, from + 8).map((one) => apps.readNamespacedDeployment(one)));
      count += some.filter(({ spec }) => spec?.template.spec?.containers[0]?.image?.endsWith(':v1')).length;
    }
    return count;
  };
  const lists = async () => {
    const all = await Promise.all(namespaces.map((namespace) => apps.listNamespacedDeployment({ namespace })));
    return all.flatMap(({ items }) => items).length;
  };
  rows.push([
    '@kubernetes/client-node: each Deployment read, 8 at a time',
    await quietly(cluster, () => repeated(each)),
  ]);
  rows.push(['@kubernetes/client-node: each namespace listed', await quietly(cluster, () => repeated(lists))]);

  console.log(
    markdown({
      title: 'What runs where: 500 deployments across 20 namespaces',
      head: ['', 'ms', 'calls'],
      rows: rows.map(([what, { ms, calls: asked }]) => [what, ms < 10 ? ms.toFixed(1) : ms.toFixed(0), String(asked)]),
      notes: [
        `A real API server on the same machine; ${REPEATS} times, median, but for the first time. Ours is the whole of \`services.deploys.list\`, with what the record knows of each place; the others only ask.`,
      ],
    }),
  );
  judge(
    ours.flatMap(({ cold, warm }) => [
      { what: 'the first list', measured: cold.ms, unit: 'ms', goal: { below: GOAL_MS }, tolerance: TOLERANCE },
      { what: 'a list', measured: warm.ms, unit: 'ms', goal: { below: GOAL_MS }, tolerance: TOLERANCE },
      {
        what: 'the first list',
        measured: cold.calls,
        unit: 'calls',
        goal: { below: NAMESPACES * CALLS_PER_NAMESPACE + 2 },
        tolerance: 0,
      },
      { what: 'a list', measured: warm.calls, unit: 'calls', goal: { below: 1 }, tolerance: 0 },
    ]),
  );
}

const cluster = await openTestCluster();
if (cluster === undefined) {
  console.log(`What runs where: left out, as there is no Kubernetes API server (${KUBERNETES_INSTALL}).\n`);
} else {
  try {
    await run(cluster);
  } finally {
    await cluster.stop();
  }
}
