/**
 * What runs in a cluster, for lists of many services: kept up to date by watches instead of being asked for each time. See
 * docs/decisions/0055-kubernetes-watches.md.
 */

import type { V1Pod } from '@kubernetes/client-node';
import type { Cluster } from './cluster.ts';
import { passes } from './failure.ts';
import type { ClusterReader } from './live.ts';
import { selectorOf, selects } from './rollout.ts';
import { type Stale, type WatchedDeployments, watchDeployments } from './watched.ts';

/** A namespace as it was seen last. */
export interface Glimpse extends ClusterReader {
  readonly stale?: Stale;
}

export interface DeploymentCache {
  /** Undefined if the robot may not list there. @throws ApiFailure if nothing was ever seen, and the server does not answer */
  at(namespace: string): Promise<Glimpse | undefined>;
  close(): void;
}

/** A watch of the whole cluster is tried when more namespaces than this are in use. */
const FEW_NAMESPACES = 4;
/** A watch that nobody has asked anything of for so long ends. */
const IDLE_MS = 15 * 60_000;
const LOOK_FOR_IDLE_MS = 60_000;
/** Rollouts of one namespace that are looked at one by one; where there are more, all its pods are read at once. */
const FEW_ROLLOUTS = 4;
/** So long, pods are not asked for again. */
const PODS_MS = 2_000;
/** The selector of every pod. */
const EVERY = '';

const known = new WeakMap<Cluster, DeploymentCache>();

/** The one of that cluster in this process. @param closing ends it, and all its connections, when it is aborted */
export function deploymentCache(cluster: Cluster, closing: AbortSignal): DeploymentCache {
  const before = known.get(cluster);
  if (before) return before;
  const cache = createDeploymentCache(cluster);
  known.set(cluster, cache);
  const close = () => {
    cache.close();
    if (known.get(cluster) === cache) known.delete(cluster);
  };
  if (closing.aborted) close();
  else closing.addEventListener('abort', close, { once: true });
  return cache;
}

function createDeploymentCache(cluster: Cluster): DeploymentCache {
  const namespaces = new Map<string, WatchedDeployments>();
  const pods = createPodReader(cluster);
  /** Of the whole cluster; undefined until it is tried, and after a time without use. */
  let wide: WatchedDeployments | undefined;
  let isClosed = false;

  const idle = setInterval(() => {
    const before = Date.now() - IDLE_MS;
    for (const [name, watched] of namespaces) {
      if (watched.usedAt() > before) continue;
      watched.close();
      namespaces.delete(name);
    }
    if (wide === undefined || wide.usedAt() > before) return;
    wide.close();
    wide = undefined;
  }, LOOK_FOR_IDLE_MS);
  idle.unref();

  function one(namespace: string): WatchedDeployments {
    const watched = namespaces.get(namespace) ?? watchDeployments(cluster, namespace);
    namespaces.set(namespace, watched);
    return watched;
  }

  async function look(namespace: string): Promise<Awaited<ReturnType<WatchedDeployments['look']>>> {
    const isFew = wide === undefined && namespaces.size < FEW_NAMESPACES;
    if (isFew || namespaces.has(namespace)) return await one(namespace).look();
    wide ??= watchDeployments(cluster, undefined);
    const seen = await wide.look();
    if (seen.kind === 'unlisted') return await one(namespace).look();
    for (const watched of namespaces.values()) watched.close();
    namespaces.clear();
    return seen;
  }

  return {
    async at(namespace) {
      if (isClosed) return undefined;
      const seen = await look(namespace);
      if (seen.kind === 'unlisted') return undefined;
      const { stale } = seen;
      return {
        name: cluster.name,
        deployment: async (where, name) => seen.deployment(where, name),
        async podsOf(where, deployment) {
          try {
            return await pods(where, deployment);
          } catch (error) {
            // The Deployments were seen before the server went away.
            if (stale === undefined || !passes(error)) throw error;
            return [];
          }
        },
        ...(stale === undefined ? {} : { stale }),
      };
    },
    close() {
      isClosed = true;
      clearInterval(idle);
      wide?.close();
      for (const watched of namespaces.values()) watched.close();
      namespaces.clear();
    },
  };
}

/** Asks for the pods of few rollouts one by one, and of many at once; for all of them at most so often. */
function createPodReader(cluster: Cluster): ClusterReader['podsOf'] {
  const rounds = new Map<string, Map<string, Promise<readonly V1Pod[]>>>();
  return async (namespace, deployment) => {
    let round = rounds.get(namespace);
    if (round === undefined) {
      round = new Map();
      rounds.set(namespace, round);
      setTimeout(() => rounds.delete(namespace), PODS_MS).unref();
    }
    const selector = selectorOf(deployment);
    const wanted = round.has(selector) || round.size < FEW_ROLLOUTS ? selector : EVERY;
    const answer = round.get(wanted) ?? cluster.pods(namespace, wanted);
    round.set(wanted, answer);
    const found = await answer;
    return wanted === selector ? found : found.filter(({ metadata }) => selects(deployment, metadata?.labels ?? {}));
  };
}
