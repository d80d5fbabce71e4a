/** Changes the images of a Deployment, once, and only if nobody else did meanwhile. */

import type { V1Deployment } from '@kubernetes/client-node';
import type { Cluster } from './cluster.ts';
import { ApiFailure, passes } from './failure.ts';
import { containerOf } from './images.ts';
import { checkCut, FIRST_MS, type Limits, later, persist } from './patience.ts';
import type { Part } from './schema.ts';

/** Says which rollout changed a Deployment last. */
const ROLLOUT = 'shipmate/rollout';
/** https://kubernetes.io/docs/reference/labels-annotations-taints/#change-cause */
const CAUSE = 'kubernetes.io/change-cause';
const CONFLICTS = 8;

export interface Change {
  readonly namespace: string;
  /** To the images after, or back to those before. */
  readonly to: 'image' | 'before';
  readonly token: string;
  /** For `kubectl rollout history`. */
  readonly cause: string;
}

/** `changed`: somebody else set another image, so nothing was done. */
export type Changed = { readonly kind: 'done' } | { readonly kind: 'changed'; readonly text: string };

/**
 * Optimistic: the change says which version of the Deployment it was made for, and is made anew if that has moved. Doing it
 * again after it was done does nothing, which the annotation tells.
 *
 * @throws ApiFailure, Cut
 */
export async function changeImages(
  cluster: Cluster,
  part: Part,
  change: Change,
  limits: Limits,
  waiting: (why: string) => void,
): Promise<Changed> {
  const from = change.to === 'image' ? 'before' : 'image';
  let conflicts = 0;
  for (let wait = FIRST_MS; ; ) {
    checkCut(limits);
    const before = await persist(() => existing(cluster, change.namespace, part.name), limits, waiting);
    if (before.metadata?.annotations?.[ROLLOUT] === change.token) return { kind: 'done' };
    const actual = part.containers.map((one) => imageIn(before, one.name));
    if (part.containers.every((one, index) => actual[index] === one[change.to]) && change.to === 'before') {
      return { kind: 'done' };
    }
    const other = part.containers.findIndex(
      (one, index) => actual[index] !== one[from] && actual[index] !== one[change.to],
    );
    if (other >= 0) {
      const text = `somebody else set ${part.name} to ${actual[other] ?? 'another container'} meanwhile`;
      return { kind: 'changed', text };
    }
    if (before.spec?.paused === true) {
      throw new ApiFailure('invalid', `the deployment ${part.name} is paused; kubectl rollout resume ends that`);
    }
    try {
      await cluster.patch(change.namespace, part.name, patchOf(part, change, before));
      return { kind: 'done' };
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.kind === 'conflict' && conflicts < CONFLICTS) {
        conflicts += 1;
        continue;
      }
      if (!passes(error) || Date.now() > limits.deadline) throw error;
      // Whether it was done is seen when the Deployment is read again.
      wait = await later(wait, error, limits, waiting);
    }
  }
}

/** @throws ApiFailure if there is none */
export async function existing(cluster: Cluster, namespace: string, name: string): Promise<V1Deployment> {
  const found = await cluster.deployment(namespace, name);
  if (found) return found;
  throw new ApiFailure('missing', `there is no deployment ${name} in the namespace ${namespace} (${cluster.name})`);
}

export function imageIn(deployment: V1Deployment, container: string): string | undefined {
  const found = containerOf(deployment, container);
  return 'problem' in found ? undefined : found.image;
}

function patchOf(part: Part, { to, token, cause }: Change, before: V1Deployment): object {
  const images = (init: boolean) =>
    part.containers.filter((one) => one.init === init).map((one) => ({ name: one.name, image: one[to] }));
  const initial = images(true);
  return {
    metadata: {
      resourceVersion: before.metadata?.resourceVersion,
      annotations: { [ROLLOUT]: token, [CAUSE]: cause },
    },
    spec: {
      template: {
        spec: { containers: images(false), ...(initial.length === 0 ? {} : { initContainers: initial }) },
      },
    },
  };
}
