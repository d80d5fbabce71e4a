/** One cluster: the few calls that are needed of its API, with words for what goes wrong. */

import { access, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CoreV1Event, KubeConfig, Middleware, V1Deployment, V1Pod } from '@kubernetes/client-node';
import { ApiFailure, brief, failureOf } from './failure.ts';
import { parseSeen, parseWatchError, type Seen } from './schema.ts';

export interface LogQuery {
  readonly container: string;
  readonly lines: number;
  /** Of the run before the present one. */
  readonly previous?: boolean;
}

export interface Cluster {
  /** How people call it: `the API server of context production`. */
  readonly name: string;
  /** Undefined if there is none. All of these throw {@link ApiFailure}. */
  deployment(namespace: string, name: string): Promise<V1Deployment | undefined>;
  /** All Deployments of a namespace, or of the whole cluster. Gives up when there are more than `most`. */
  list(namespace: string | undefined, most: number): Promise<DeploymentList | 'too many'>;
  /** A strategic merge: lists of containers are merged by name. */
  patch(namespace: string, name: string, body: object): Promise<V1Deployment>;
  pods(namespace: string, selector: string): Promise<readonly V1Pod[]>;
  events(namespace: string, fields?: string): Promise<readonly CoreV1Event[]>;
  /** The last lines that a container wrote. */
  log(namespace: string, pod: string, query: LogQuery): Promise<string>;
  /** Calls back for each change until the connection ends or the signal is aborted; gives why it ended, never throws. */
  watch(watched: Watched, on: WatchEvents, signal: AbortSignal): Promise<ApiFailure | undefined>;
}

/** At one moment, which `version` names: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
export interface DeploymentList {
  readonly items: readonly Seen[];
  readonly version: string;
}

export interface Watched {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

export interface WatchEvents {
  /** `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`, and what it is about as it came. */
  event(type: string, object: unknown): void;
  /** The server has accepted the watch. */
  opened?(): void;
}

export interface ClusterOptions {
  /** Path of a kubeconfig, seen from `root`. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A call that takes longer has no answer. */
const CALL_MS = 10_000;
const TRIES = 5;
const LONGEST_WAIT_MS = 10_000;
const PAGE = 500;
/** A watch on which nothing comes for so long, not even a bookmark (about one a minute), is begun anew. */
const QUIET_MS = 100_000;
/** More than this of a log is not read. */
const LOG_BYTES = 500_000;

interface Known {
  readonly source: string;
  readonly cluster: Promise<Cluster>;
}

/** One connection to each cluster, whoever asks in this process. */
const known = new Map<string, Known>();

/** The cluster of a kubeconfig and context; a kubeconfig that was written anew is read anew. @throws ApiFailure */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const file = await kubeconfigOf(options);
  const source = file === undefined ? '' : await readConfig(file);
  const key = `${file ?? ''}\n${options.context ?? ''}`;
  const before = known.get(key);
  if (before?.source === source) return await before.cluster;
  const cluster = connect(file, source, options.context);
  known.set(key, { source, cluster });
  return await cluster.catch((error: unknown) => {
    known.delete(key);
    throw error;
  });
}

/** Path of the kubeconfig; undefined for the cluster that the robot itself runs in. */
async function kubeconfigOf({ kubeconfig, root, environment }: ClusterOptions): Promise<string | undefined> {
  const home = environment['HOME'] ?? '/';
  const named = kubeconfig ?? environment['KUBECONFIG']?.split(':')[0];
  if (named) return resolve(root, named.replace(/^~(?=\/)/, home));
  if (environment['KUBERNETES_SERVICE_HOST']) return undefined;
  const usual = join(home, '.kube/config');
  const there = await access(usual).then(
    () => true,
    () => false,
  );
  if (there) return usual;
  throw new ApiFailure(
    'configuration',
    'there is no kubeconfig; name one with kubeconfig: in config/services.yaml, or set KUBECONFIG',
  );
}

async function readConfig(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ApiFailure('configuration', `the kubeconfig ${file} cannot be read`, { cause: error });
  }
}

async function connect(file: string | undefined, source: string, context: string | undefined): Promise<Cluster> {
  const { AppsV1Api, CoreV1Api, createConfiguration, HttpMethod, KubeConfig, ServerConfiguration, Watch } =
    await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromCluster();
    else {
      config.loadFromString(source);
      config.makePathsAbsolute(resolve(file, '..'));
    }
  } catch (error) {
    const why = error instanceof Error ? brief(error.message) : 'it is not understood';
    throw new ApiFailure('configuration', `the kubeconfig ${file ?? 'of the cluster'} is no good: ${why}`, {
      cause: error,
    });
  }
  const address = serverOf(config, file, context);
  const name = `the API server of ${file === undefined ? 'this cluster' : `context ${config.getCurrentContext()}`}`;

  const middleware: Middleware = {
    async pre(request) {
      if (request.getHttpMethod() === HttpMethod.PATCH) {
        request.setHeaderParam('Content-Type', 'application/strategic-merge-patch+json');
      }
      request.setSignal(AbortSignal.timeout(CALL_MS));
      return request;
    },
    post: async (response) => response,
  };
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(address, {}),
    authMethods: { default: config },
    promiseMiddleware: [middleware],
  });
  const apps = new AppsV1Api(configuration);
  const core = new CoreV1Api(configuration);

  /** Waits where the server asks to wait; a connection that was cut gets a second try if that does no harm. */
  async function call<T>(action: () => Promise<T>, repeatable = true): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await action();
      } catch (error) {
        const failure = failureOf(error, name);
        const wait = failure.kind === 'busy' ? (failure.retryAfterMs ?? 500 * 2 ** attempt) : 100;
        const again = failure.kind === 'busy' ? attempt < TRIES : repeatable && failure.kind === 'gone' && attempt < 2;
        if (!again || wait > LONGEST_WAIT_MS) throw failure;
        await sleep(wait);
      }
    }
  }

  return {
    name,
    async deployment(namespace, name) {
      try {
        return await call(() => apps.readNamespacedDeployment({ namespace, name }));
      } catch (error) {
        if (error instanceof ApiFailure && error.kind === 'missing') return undefined;
        throw error;
      }
    },
    async list(namespace, most) {
      const items: Seen[] = [];
      for (let from: string | undefined; ; ) {
        const page = { limit: PAGE, ...(from === undefined ? {} : { _continue: from }) };
        const found = await call(() =>
          namespace === undefined
            ? apps.listDeploymentForAllNamespaces(page)
            : apps.listNamespacedDeployment({ namespace, ...page }),
        );
        items.push(...found.items.flatMap((one) => parseSeen(one) ?? []));
        if (items.length > most) return 'too many';
        from = found.metadata?._continue;
        if (from === undefined || from === '') return { items, version: found.metadata?.resourceVersion ?? '' };
      }
    },
    patch: (namespace, name, body) =>
      call(() => apps.patchNamespacedDeployment({ namespace, name, body, fieldManager: 'shipmate' }), false),
    pods: async (namespace, labelSelector) =>
      (await call(() => core.listNamespacedPod({ namespace, ...(labelSelector === '' ? {} : { labelSelector }) })))
        .items,
    events: async (namespace, fieldSelector) =>
      (
        await call(() =>
          core.listNamespacedEvent({ namespace, ...(fieldSelector === undefined ? {} : { fieldSelector }) }),
        )
      ).items,
    log: (namespace, name, { container, lines, previous = false }) =>
      call(() =>
        core.readNamespacedPodLog({ namespace, name, container, tailLines: lines, previous, limitBytes: LOG_BYTES }),
      ),
    async watch({ path, query }, { event, opened }, signal) {
      const { promise: ended, resolve: end } = Promise.withResolvers<unknown>();
      const watch = new Watch(config);
      // Without it a quiet connection is cut every 30 s. The vendor has no option for it.
      Object.assign(watch, { requestTimeoutMs: QUIET_MS });
      let over = false;
      const done = (error: unknown) => {
        over = true;
        end(error);
      };
      const controller = await watch.watch(path, { ...query }, event, done).catch(done);
      const abort = () => controller?.abort();
      if (!over) opened?.();
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      const error = await ended;
      signal.removeEventListener('abort', abort);
      if (!error || signal.aborted || (error instanceof Error && error.name === 'TimeoutError')) return undefined;
      return failureOf(parseWatchError(error) ?? error, name);
    },
  };
}

/** Address of the API server; chooses the context. */
function serverOf(config: KubeConfig, file: string | undefined, context: string | undefined): string {
  if (file !== undefined && context !== undefined) {
    if (config.getContextObject(context) === null) {
      const names = config.getContexts().map(({ name }) => name);
      throw new ApiFailure(
        'configuration',
        `the kubeconfig ${file} has no context ${context}; it has ${names.join(', ')}`,
      );
    }
    config.setCurrentContext(context);
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || server === '') {
    throw new ApiFailure(
      'configuration',
      `the kubeconfig ${file ?? 'of the cluster'} names no server for its current context`,
    );
  }
  return server;
}
