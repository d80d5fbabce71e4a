/** What a cluster really runs of a service. */

import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import type { Live } from '../../../domain/deploy/target.ts';
import type { Cluster } from './cluster.ts';
import { ApiFailure } from './failure.ts';
import { containerOf, versionOf, versionSet } from './images.ts';
import type { Place, Workload } from './places.ts';
import { completeSince, isAllNew, rolloutStatus, selectorOf } from './rollout.ts';
import { isReady } from './why.ts';

/** What is needed of a cluster to say what runs there. */
export interface ClusterReader {
  readonly name: string;
  /** Undefined if there is none. All of these throw {@link ApiFailure}. */
  deployment(namespace: string, name: string): Promise<V1Deployment | undefined>;
  podsOf(namespace: string, deployment: V1Deployment): Promise<readonly V1Pod[]>;
}

/** Asks the cluster itself each time. */
export function readerOf(cluster: Cluster): ClusterReader {
  return {
    name: cluster.name,
    deployment: (namespace, name) => cluster.deployment(namespace, name),
    podsOf: (namespace, deployment) => cluster.pods(namespace, selectorOf(deployment)),
  };
}

/**
 * The version that runs: the one that is set, once its rollout is complete; until then the one that most ready pods have.
 * Where Deployments differ, the first one's comes first and the others' follow in brackets.
 *
 * @throws ApiFailure if one of them is not there, or cannot be read
 */
export async function liveOf(cluster: ClusterReader, place: Place): Promise<Live | undefined> {
  const found = await Promise.all(
    place.workloads.map(async (workload) => {
      const deployment = await cluster.deployment(place.namespace, workload.name);
      if (!deployment) {
        const where = `in the namespace ${place.namespace} (${cluster.name})`;
        throw new ApiFailure('missing', `there is no deployment ${workload.name} ${where}`);
      }
      const version = await runs(cluster, place.namespace, workload, deployment);
      return { name: workload.name, version, since: completeSince(deployment) };
    }),
  );
  const [first] = found;
  if (!first) return undefined;
  const others = found.filter(({ version }) => version !== first.version);
  const differing = others.map(({ name, version }) => `${name}: ${version}`).join(', ');
  const version = differing === '' ? first.version : `${first.version} (${differing})`;
  const times = found.flatMap(({ since }) => (since === undefined ? [] : [since.getTime()]));
  return { version, ...(times.length < found.length ? {} : { since: new Date(Math.max(...times)) }) };
}

async function runs(
  cluster: ClusterReader,
  namespace: string,
  workload: Workload,
  deployment: V1Deployment,
): Promise<string> {
  const set = versionSet(workload, deployment);
  const status = rolloutStatus(deployment);
  if (status.kind === 'complete' || status.wanted === 0 || isAllNew(deployment)) return set;
  const [leading] = workload.images;
  const container = containerOf(deployment, leading?.container);
  if (leading === undefined || 'problem' in container) return set;
  const counts = new Map<string, number>();
  for (const pod of await cluster.podsOf(namespace, deployment)) {
    const image = pod.spec?.containers.find(({ name }) => name === container.name)?.image;
    if (image === undefined || !isReady(pod)) continue;
    const version = versionOf(leading.image, image) ?? image;
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? set;
}
