/** What people see of a cluster and may change in it besides deploying. */

import type { CoreV1Event, V1Deployment, V1Pod, V1Probe } from '@kubernetes/client-node';
import type { ServiceConfig } from '../../../domain/deploy/config.ts';
import {
  type EventFact,
  type Place as Here,
  type Kubernetes,
  KubernetesProblem,
  type PodFact,
  type WorkloadFact,
} from '../../../domain/kubernetes/ports.ts';
import { existing } from './change.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { ApiFailure, brief, failureText } from './failure.ts';
import { containerOf, versionOf } from './images.ts';
import { type Place, placeOf, type Workload } from './places.ts';
import { rolloutStatus, selectorOf } from './rollout.ts';
import { isReady, troubleOf } from './why.ts';

export interface InspectOptions {
  readonly services: readonly ServiceConfig[];
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Blots out secrets. */
  readonly redact: (text: string) => string;
}

interface Opened {
  readonly cluster: Cluster;
  readonly place: Place;
}

export function createKubernetes(options: InspectOptions): Kubernetes {
  const { services, root, environment, redact } = options;

  /** Runs it on the cluster of a service. @throws KubernetesProblem */
  async function at<T>(here: Here, action: (opened: Opened) => Promise<T>): Promise<T> {
    const found = services.find(({ name }) => name === here.service);
    if (found?.target.kind !== 'kubernetes') {
      const known = services.filter(({ target }) => target.kind === 'kubernetes').map(({ name }) => name);
      throw new KubernetesProblem({ kind: 'elsewhere', service: here.service, known });
    }
    if (!found.environments.includes(here.environment)) {
      throw new KubernetesProblem({ kind: 'environment', ...here, known: found.environments });
    }
    const { kubeconfig } = found.target;
    const place = placeOf(found.target, here.service, here.environment);
    try {
      const cluster = await openCluster({
        root,
        environment,
        ...(kubeconfig === undefined ? {} : { kubeconfig }),
        ...(place.context === undefined ? {} : { context: place.context }),
      });
      return await action({ cluster, place });
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      throw new KubernetesProblem({ kind: 'unclear', text: redact(failureText(error)) }, { cause: error });
    }
  }

  async function pods({ cluster, place }: Opened): Promise<readonly PodFact[]> {
    const all = await Promise.all(
      place.workloads.map(async (workload) => {
        const deployment = await existing(cluster, place.namespace, workload.name);
        const found = await cluster.pods(place.namespace, selectorOf(deployment));
        return found.map((pod) => podFact(pod, workload, deployment));
      }),
    );
    return all.flat().map((pod) => ({ ...pod, state: redact(pod.state) }));
  }

  return {
    pods: (here) => at(here, pods),
    log: (here, query) =>
      at(here, async (opened) => {
        const all = await pods(opened);
        const pod =
          query.pod === undefined
            ? [...all].sort(
                (a, b) =>
                  Number(a.ready) - Number(b.ready) || (b.startedAt?.getTime() ?? 0) - (a.startedAt?.getTime() ?? 0),
              )[0]
            : all.find(({ name }) => name === query.pod);
        if (!pod) {
          if (query.pod === undefined)
            throw new KubernetesProblem({ kind: 'unclear', text: 'no pod of it runs there' });
          const known = all.map(({ name }) => name);
          throw new KubernetesProblem({ kind: 'unknown', what: 'pod', name: query.pod, known });
        }
        const container = query.container ?? pod.containers[0] ?? '';
        if (!pod.containers.includes(container)) {
          throw new KubernetesProblem({ kind: 'unknown', what: 'container', name: container, known: pod.containers });
        }
        const { lines, previous } = query;
        const text = await opened.cluster.log(opened.place.namespace, pod.name, { container, lines, previous });
        return { pod: pod.name, container, text: redact(text ?? '') };
      }),
    events: (here) =>
      at(here, async ({ cluster, place }) => {
        const all = await cluster.events(place.namespace);
        return all
          .filter((event) => place.workloads.some(({ name }) => isOf(event, name)))
          .map((event) => eventFact(event, redact))
          .sort((a, b) => (b.at?.getTime() ?? 0) - (a.at?.getTime() ?? 0));
      }),
    describe: (here) =>
      at(here, ({ cluster, place }) =>
        Promise.all(
          place.workloads.map(async ({ name }) => workloadFact(await existing(cluster, place.namespace, name), redact)),
        ),
      ),
    restart: (here, by, moment) =>
      at(here, async ({ cluster, place }) => {
        const names = place.workloads.map(({ name }) => name);
        for (const name of names) {
          const { spec } = await existing(cluster, place.namespace, name);
          if (spec?.paused === true) throw new ApiFailure('invalid', `the deployment ${name} is paused`);
        }
        for (const name of names) await cluster.patch(place.namespace, name, restartPatch(by, moment));
        return names;
      }),
    scale: (here, replicas, wanted) =>
      at(here, async ({ cluster, place }) => {
        const names = place.workloads.map(({ name }) => name);
        const name = wanted ?? names[0] ?? '';
        if (!names.includes(name)) {
          throw new KubernetesProblem({ kind: 'unknown', what: 'deployment', name, known: names });
        }
        const before = (await existing(cluster, place.namespace, name)).spec?.replicas ?? 1;
        const { spec } = await cluster.patch(place.namespace, name, { spec: { replicas } });
        return { deployment: name, before, after: spec?.replicas ?? replicas };
      }),
  };
}

/** What `kubectl rollout restart` does: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_restart/ */
function restartPatch(by: string, moment: Date): object {
  return {
    metadata: { annotations: { 'kubernetes.io/change-cause': `Shipmate: restarted by ${brief(by, 100)}` } },
    spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': moment.toISOString() } } } },
  };
}

function podFact(pod: V1Pod, workload: Workload, deployment: V1Deployment): PodFact {
  const { metadata, spec, status } = pod;
  const [leading] = workload.images;
  const container = containerOf(deployment, leading?.container);
  const main = 'problem' in container ? undefined : container.name;
  const image = spec?.containers.find(({ name }) => name === main)?.image ?? spec?.containers[0]?.image ?? '';
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const names = (spec?.containers ?? []).map(({ name }) => name);
  return {
    name: metadata?.name ?? '',
    deployment: workload.name,
    version: (leading === undefined ? undefined : versionOf(leading.image, image)) ?? image,
    ready: isReady(pod),
    state: stateOf(pod),
    restarts: all.reduce((sum, { restartCount }) => sum + restartCount, 0),
    ...(status?.startTime === undefined ? {} : { startedAt: status.startTime }),
    ...(spec?.nodeName === undefined ? {} : { node: spec.nodeName }),
    containers: [
      ...names.filter((name) => name === main),
      ...names.filter((name) => name !== main),
      ...(spec?.initContainers ?? []).map(({ name }) => name),
    ],
  };
}

function stateOf(pod: V1Pod): string {
  if (pod.metadata?.deletionTimestamp !== undefined) return 'ending';
  const trouble = troubleOf([pod]);
  if (trouble) return trouble.text;
  return isReady(pod) ? 'ready' : `${(pod.status?.phase ?? 'unknown').toLowerCase()}, not ready yet`;
}

/** Events of a Deployment, its ReplicaSets and their pods, also of those that are gone: their names are made of its own. */
function isOf({ involvedObject }: CoreV1Event, name: string): boolean {
  const { kind, name: object = '' } = involvedObject;
  if (kind === 'Deployment') return object === name;
  if (!object.startsWith(`${name}-`)) return false;
  const rest = object.slice(name.length + 1);
  return kind === 'ReplicaSet'
    ? /^[a-z0-9]{1,10}$/.test(rest)
    : kind === 'Pod' && /^[a-z0-9]{1,10}-[a-z0-9]{5}$/.test(rest);
}

function eventFact(event: CoreV1Event, redact: (text: string) => string): EventFact {
  const at =
    event.lastTimestamp ?? event.series?.lastObservedTime ?? event.eventTime ?? event.metadata.creationTimestamp;
  return {
    ...(at ? { at: new Date(at) } : {}),
    warning: event.type === 'Warning',
    reason: brief(event.reason ?? ''),
    object: `${(event.involvedObject.kind ?? '').toLowerCase()} ${event.involvedObject.name ?? ''}`,
    message: brief(redact(event.message ?? '')),
    count: event.series?.count ?? event.count ?? 1,
  };
}

function workloadFact(deployment: V1Deployment, redact: (text: string) => string): WorkloadFact {
  const { metadata, spec, status } = deployment;
  const rollout = rolloutStatus(deployment);
  const { 'deployment.kubernetes.io/revision': revision, 'kubernetes.io/change-cause': cause } =
    metadata?.annotations ?? {};
  const bad = (status?.conditions ?? []).filter(({ type, status: is }) =>
    type === 'ReplicaFailure' ? is === 'True' : is === 'False',
  );
  return {
    name: metadata?.name ?? '',
    namespace: metadata?.namespace ?? '',
    wanted: rollout.wanted,
    ready: status?.readyReplicas ?? 0,
    status: spec?.paused === true ? 'paused' : rollout.kind === 'complete' ? 'rolled out' : rollout.text,
    complete: rollout.kind === 'complete',
    ...(revision === undefined ? {} : { revision }),
    ...(cause === undefined ? {} : { cause: brief(redact(cause)) }),
    strategy: spec?.strategy?.type ?? 'RollingUpdate',
    containers: (spec?.template.spec?.containers ?? []).map((one) => ({
      name: one.name,
      image: one.image ?? '',
      requests: amounts(one.resources?.requests),
      limits: amounts(one.resources?.limits),
      probes: Object.entries({
        startup: one.startupProbe,
        readiness: one.readinessProbe,
        liveness: one.livenessProbe,
      }).flatMap(([kind, probe]) => (probe === undefined ? [] : [`${kind} ${probeWords(probe)}`])),
    })),
    problems: bad.map(({ reason = '', message = '' }) => brief(redact(`${reason}: ${message}`))),
  };
}

function amounts(of: Readonly<Record<string, string>> = {}): string {
  const all = Object.entries(of).map(([name, amount]) => `${name} ${amount}`);
  return all.length === 0 ? 'none' : all.join(' and ');
}

function probeWords({ httpGet, tcpSocket, exec, grpc }: V1Probe): string {
  if (httpGet) return `GET ${httpGet.path ?? '/'} on ${String(httpGet.port)}`;
  if (tcpSocket) return `TCP ${String(tcpSocket.port)}`;
  if (grpc) return `gRPC ${grpc.port}`;
  return exec ? 'by a program' : 'of an unknown kind';
}
