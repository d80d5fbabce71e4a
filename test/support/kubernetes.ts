/** A real Kubernetes API server for tests: the one of TEST_KUBECONFIG, or the testbed of ../shared, started for this file. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { AppsV1Api, CoreV1Api, RbacAuthorizationV1Api, V1Deployment, V1PolicyRule } from '@kubernetes/client-node';
import { eventually } from './eventually.ts';
import { needs } from './missing.ts';

const TESTBED = resolve(import.meta.dirname, '../../../shared/kubernetes');

export interface TestCluster {
  readonly kubeconfig: string;
  readonly apps: AppsV1Api;
  readonly core: CoreV1Api;
  /** A namespace of its own, with a name nobody else has. */
  namespace(): Promise<string>;
  /** A Deployment with one container of the same name; resolves when it is there, not when it is ready. */
  deployment(namespace: string, name: string, image: string, replicas?: number): Promise<V1Deployment>;
  /** As `deployment`; resolves when all its replicas are available. */
  running(namespace: string, name: string, image: string, replicas?: number): Promise<void>;
  /** Lets a user of the testbed do something in a namespace. */
  allow(namespace: string, user: string, rules: V1PolicyRule[]): Promise<void>;
  image(namespace: string, name: string): Promise<string | undefined>;
  /** Every image that the Deployment has had, by its ReplicaSets. */
  revisions(namespace: string, name: string): Promise<readonly string[]>;
  /** Kills the API server (SIGKILL) and gives what starts it again; undefined where it is not the test's own. */
  readonly killServer: (() => Promise<() => Promise<void>>) | undefined;
  /** Has nothing done about pods until the function that it gives is called; undefined where it is not the test's own. */
  readonly pauseNode: (() => Promise<() => void>) | undefined;
  /** Makes everything of a YAML text. */
  apply(yaml: string): Promise<void>;
  /** A kubeconfig, beside its own, with which one is that service account. */
  serviceAccount(namespace: string, name: string): Promise<string>;
  stop(): Promise<void>;
}

/** How a cluster for tests comes onto this machine. */
export const KUBERNETES_INSTALL = `${TESTBED}/build, or set TEST_KUBECONFIG`;

/** Skips the running test where there is no cluster; under CI that is a failure. */
export async function testCluster(context: Mocha.Context): Promise<TestCluster> {
  return (await openTestCluster()) ?? needs(context, 'A Kubernetes API server', KUBERNETES_INSTALL);
}

/** Undefined where there is none. */
export async function openTestCluster(): Promise<TestCluster | undefined> {
  const given = process.env['TEST_KUBECONFIG'];
  if (given) return await clusterOf(given, undefined, async () => undefined);
  const built = join(process.env['KUBE_HOME'] ?? join(homedir(), '.cache/kube-testbed'), 'bin');
  if (!existsSync(TESTBED) || !existsSync(join(built, 'kube-apiserver'))) {
    return undefined;
  }
  const home = await mkdtemp(join(tmpdir(), 'kube-'));
  await symlink(built, join(home, 'bin'));
  const env = { ...process.env, KUBE_HOME: home, PORT_BASE: String(await portBase()) };
  const run = (program: string) =>
    new Promise<string>((done, failed) => {
      const child = spawn(join(TESTBED, program), { env, stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      child.once('exit', (code) =>
        code === 0 ? done(said.trim()) : failed(new Error(`${program} ended with ${code}`)),
      );
    });
  const stop = async () => {
    await run('down');
    await rm(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  try {
    return await clusterOf(await run('up'), join(home, 'run'), stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Five free ports in a row, apart from what the system gives out by itself. */
async function portBase(): Promise<number> {
  for (;;) {
    const base = 17_000 + 5 * Math.floor(Math.random() * 2_000);
    const free = await Promise.all([0, 1, 2, 3, 4].map((at) => isFree(base + at)));
    if (free.every(Boolean)) return base;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

async function clusterOf(
  kubeconfig: string,
  folder: string | undefined,
  stop: () => Promise<void>,
): Promise<TestCluster> {
  const { AppsV1Api, CoreV1Api, KubeConfig, KubernetesObjectApi, loadAllYaml, RbacAuthorizationV1Api } = await import(
    '@kubernetes/client-node'
  );
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const rbac = config.makeApiClient(RbacAuthorizationV1Api);
  const made: string[] = [];
  const folders: string[] = [];
  const deployment: TestCluster['deployment'] = (namespace, name, image, replicas = 2) =>
    apps.createNamespacedDeployment({ namespace, body: deploymentOf(name, image, replicas) });
  return {
    kubeconfig,
    apps,
    core,
    async namespace() {
      const name = `test-${randomBytes(4).toString('hex')}`;
      await core.createNamespace({ body: { metadata: { name } } });
      made.push(name);
      return name;
    },
    deployment,
    async running(namespace, name, image, replicas = 2) {
      await deployment(namespace, name, image, replicas);
      await eventually(
        async () => (await apps.readNamespacedDeployment({ namespace, name })).status?.availableReplicas === replicas,
        Boolean,
        30_000,
      );
    },
    allow: (namespace, user, rules) => allow(rbac, namespace, user, rules),
    async image(namespace, name) {
      const { spec } = await apps.readNamespacedDeployment({ namespace, name });
      return spec?.template.spec?.containers[0]?.image;
    },
    async revisions(namespace, name) {
      const { items } = await apps.listNamespacedReplicaSet({ namespace, labelSelector: `app=${name}` });
      return items.map(({ spec }) => spec?.template?.spec?.containers[0]?.image ?? '').sort();
    },
    killServer: folder === undefined ? undefined : () => killServer(folder, core),
    pauseNode: folder === undefined ? undefined : () => pauseNode(folder),
    async apply(yaml) {
      for (const one of loadAllYaml(yaml)) await KubernetesObjectApi.makeApiClient(config).create(one);
    },
    async serviceAccount(namespace, name) {
      const body = { spec: { audiences: [], expirationSeconds: 3600 } };
      const { status } = await core.createNamespacedServiceAccountToken({ namespace, name, body });
      const cluster = config.getCurrentCluster();
      const token = status?.token;
      if (!cluster || token === undefined) throw new Error('no token');
      const own = new KubeConfig();
      own.loadFromClusterAndUser(cluster, { name, token });
      const file = join(await mkdtemp(join(tmpdir(), 'kubeconfig-')), 'kubeconfig');
      folders.push(dirname(file));
      await writeFile(file, own.exportConfig());
      return file;
    },
    async stop() {
      if (folder === undefined) await Promise.all(made.map((name) => core.deleteNamespace({ name })));
      for (const one of folders) await rm(one, { recursive: true });
      await stop();
    },
  };
}

function deploymentOf(name: string, image: string, replicas: number): V1Deployment {
  const labels = { app: name };
  return {
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name, image }] } },
    },
  };
}

async function allow(
  rbac: RbacAuthorizationV1Api,
  namespace: string,
  user: string,
  rules: V1PolicyRule[],
): Promise<void> {
  const metadata = { name: `test-${user}` };
  await rbac.createNamespacedRole({ namespace, body: { metadata, rules } });
  await rbac.createNamespacedRoleBinding({
    namespace,
    body: {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    },
  });
}

/**
 * The command lines are read first, so that all is started again just as the testbed did. Its kubelet ends when the server is
 * away for long.
 */
async function killServer(folder: string, core: CoreV1Api): Promise<() => Promise<void>> {
  const server = await programOf(folder, 'apiserver');
  const kubelet = await programOf(folder, 'kubelet');
  process.kill(server.pid, 'SIGKILL');
  await eventually(async () => !(await runs(server.pid)));
  return async () => {
    await startAgain(folder, 'apiserver', server.line);
    await eventually(
      async () => {
        const found = await core.listNamespace().catch(() => undefined);
        return found !== undefined;
      },
      Boolean,
      30_000,
    );
    if (!(await runs(kubelet.pid))) await startAgain(folder, 'kubelet', kubelet.line);
  };
}

async function pauseNode(folder: string): Promise<() => void> {
  const { pid } = await programOf(folder, 'kubelet');
  process.kill(pid, 'SIGSTOP');
  return () => void process.kill(pid, 'SIGCONT');
}

async function programOf(folder: string, name: string): Promise<{ pid: number; line: readonly string[] }> {
  const pid = Number(await readFile(join(folder, `${name}.pid`), 'utf8'));
  return { pid, line: (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1) };
}

async function runs(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== '';
}

async function startAgain(folder: string, name: string, [program = '', ...args]: readonly string[]): Promise<void> {
  const child = spawn(program, args, { cwd: folder, stdio: 'ignore', detached: true });
  child.unref();
  await writeFile(join(folder, `${name}.pid`), String(child.pid));
}

/** Skips the running test because it kills the API server, which is not done to somebody's own. */
export function needsTestbed(context: Mocha.Context): never {
  return needs(
    context,
    'A Kubernetes API server that may be killed',
    `${TESTBED}/build, and leave TEST_KUBECONFIG unset`,
  );
}
