/** How far a rollout is, by its replicas; the rules of `kubectl rollout status`. */

import type { V1Deployment } from '@kubernetes/client-node';

export interface RolloutStatus {
  readonly kind: 'complete' | 'going_on' | 'deadline';
  /** Replicas that there should be. */
  readonly wanted: number;
  /** Words for people, as a clause. */
  readonly text: string;
  /** Why its ReplicaSet cannot make pods, in the server's words. */
  readonly blocked?: string;
}

/**
 * See https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go
 * and https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status.
 */
export function rolloutStatus(deployment: V1Deployment): RolloutStatus {
  const { metadata, spec, status } = deployment;
  const wanted = spec?.replicas ?? 1;
  const conditions = status?.conditions ?? [];
  const failure = conditions.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True');
  const base = { wanted, ...(failure === undefined ? {} : { blocked: failure.message ?? failure.reason ?? '' }) };
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) {
    return { wanted, kind: 'going_on', text: 'the cluster has not seen the change yet' };
  }
  const updated = status?.updatedReplicas ?? 0;
  const available = status?.availableReplicas ?? 0;
  const all = status?.replicas ?? 0;
  const progressing = conditions.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    return { ...base, kind: 'deadline', text: `it made no progress for ${spec?.progressDeadlineSeconds ?? 600} s` };
  }
  if (updated < wanted) return { ...base, kind: 'going_on', text: `${updated} of ${wanted} replicas are new` };
  if (all > updated) return { ...base, kind: 'going_on', text: `${all - updated} old replicas are still ending` };
  if (available < updated) return { ...base, kind: 'going_on', text: `${available} of ${updated} replicas are ready` };
  return { ...base, kind: 'complete', text: `${available} of ${wanted} replicas are ready` };
}

/** Since when it is as it is: the end of its last rollout. */
export function completeSince(deployment: V1Deployment): Date | undefined {
  const progressing = deployment.status?.conditions?.find(({ type }) => type === 'Progressing');
  return progressing?.reason === 'NewReplicaSetAvailable' ? progressing.lastUpdateTime : undefined;
}

/** Every pod that there is has the images that are set, ready or not. */
export function isAllNew({ metadata, status }: V1Deployment): boolean {
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return false;
  return (status?.replicas ?? 0) > 0 && status?.replicas === status?.updatedReplicas;
}

/** Whether a pod with these labels is one of the Deployment’s, as {@link selectorOf} would have the server say. */
export function selects(deployment: V1Deployment, labels: Readonly<Record<string, string>>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = deployment.spec?.selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isIn = value !== undefined && values.includes(value);
      return operator === 'In' ? isIn : !isIn;
    })
  );
}

/** A selector of labels as the API takes it in a query; empty if it selects nothing in particular. */
export function selectorOf(deployment: V1Deployment): string {
  const { matchLabels = {}, matchExpressions = [] } = deployment.spec?.selector ?? {};
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [...labels, ...expressions].join(',');
}
