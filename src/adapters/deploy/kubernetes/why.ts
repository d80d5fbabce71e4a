/** Why pods do not become ready, in words. Pure. */

import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { brief } from './failure.ts';

/** Most telling first. */
const ORDER = ['image', 'crash', 'container', 'quota', 'unschedulable', 'probe', 'unready'] as const;

export interface Trouble {
  readonly code: (typeof ORDER)[number];
  /** A clause: `the image r/web:v2 cannot be pulled (ImagePullBackOff)`. */
  readonly text: string;
  /** Pods seldom get over it by themselves. */
  readonly lasting: boolean;
  readonly pod?: string;
  readonly container?: string;
  /** The log that tells more is that of the run before. */
  readonly previous?: boolean;
}

/** Reasons of the kubelet: https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff and pkg/kubelet/images. */
const IMAGE =
  /^(ImagePullBackOff|ErrImagePull|ErrImageNeverPull|InvalidImageName|ImageInspectError|RegistryUnavailable)$/;
const CONTAINER =
  /^(CreateContainerConfigError|CreateContainerError|RunContainerError|PostStartHookError|PreCreateHookError|PreStartHookError)$/;

/** The most telling trouble of these pods; undefined if there is none. */
export function troubleOf(pods: readonly V1Pod[]): Trouble | undefined {
  const all = pods.flatMap(podTroubles);
  return all.sort((a, b) => ORDER.indexOf(a.code) - ORDER.indexOf(b.code) || Number(b.lasting) - Number(a.lasting))[0];
}

/** A ReplicaSet that cannot make pods: a quota, a limit, an admission rule. */
export function blockedTrouble(message: string): Trouble {
  const quota =
    /exceeded quota: (?<quota>[\w.-]+), requested: (?<requested>[^,]+(?:,[^ ,]+)*), used: (?<used>\S+), limited: (?<limited>\S+)/.exec(
      message,
    )?.groups;
  const text = quota
    ? `the quota ${quota['quota']} is used up: ${quota['requested']} more was asked for, ${quota['used']} of ${quota['limited']} is in use`
    : `its pods are refused: ${brief(message)}`;
  return { code: 'quota', text, lasting: true };
}

function podTroubles(pod: V1Pod): Trouble[] {
  const { metadata, status, spec } = pod;
  if (metadata?.deletionTimestamp !== undefined) return [];
  const name = metadata?.name ?? '';
  const found = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].flatMap((one) =>
    containerTroubles(one, name, specImage(pod, one.name)),
  );
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') {
    const text = `no node takes the pod ${name}: ${brief(scheduled.message ?? scheduled.reason ?? 'no reason given')}`;
    found.push({ code: 'unschedulable', text, lasting: false, pod: name });
  }
  if (status?.phase === 'Failed') {
    const text = `the pod ${name} failed (${brief(status.reason ?? 'no reason given')})${status.message === undefined ? '' : `: ${brief(status.message)}`}`;
    found.push({ code: 'crash', text, lasting: false, pod: name });
  }
  const pending = (spec?.readinessGates ?? []).filter(
    ({ conditionType }) => status?.conditions?.find(({ type }) => type === conditionType)?.status !== 'True',
  );
  if (pending.length > 0 && found.length === 0) {
    const gates = pending.map(({ conditionType }) => conditionType).join(', ');
    found.push({ code: 'unready', text: `the pod ${name} waits for ${gates}`, lasting: false, pod: name });
  }
  return found;
}

function containerTroubles(status: V1ContainerStatus, pod: string, image: string): Trouble[] {
  const { name: container, state, lastState, restartCount } = status;
  const here = { pod, container };
  const waiting = state?.waiting;
  const reason = waiting?.reason ?? '';
  const ended = state?.terminated ?? lastState?.terminated;
  if (IMAGE.test(reason)) {
    const said = waiting?.message === undefined ? '' : `: ${brief(waiting.message)}`;
    return [{ code: 'image', text: `the image ${image} cannot be pulled (${reason}${said})`, lasting: true, ...here }];
  }
  if (
    reason === 'CrashLoopBackOff' ||
    (!status.ready && restartCount >= 2 && ended !== undefined && ended.exitCode !== 0)
  ) {
    const times = restartCount === 0 ? '' : `, restarted ${restartCount === 1 ? 'once' : `${restartCount} times`}`;
    const text = `the container ${container} crashes again and again: ${ending(ended)}${times}`;
    return [{ code: 'crash', text, lasting: true, previous: state?.running !== undefined, ...here }];
  }
  if (CONTAINER.test(reason)) {
    const text = `the container ${container} cannot be started (${reason}): ${brief(waiting?.message ?? 'no reason given')}`;
    return [{ code: 'container', text, lasting: true, ...here }];
  }
  if (state?.terminated && state.terminated.exitCode !== 0) {
    const text = `the container ${container} ended: ${ending(state.terminated)}`;
    return [{ code: 'crash', text, lasting: false, previous: false, ...here }];
  }
  if (state?.running && !status.ready) {
    return [{ code: 'unready', text: `the container ${container} runs, but is not ready`, lasting: false, ...here }];
  }
  return [];
}

function ending(ended: { exitCode: number; reason?: string; signal?: number; message?: string } | undefined): string {
  if (!ended) return 'its exit code is not known';
  const { exitCode, reason, signal, message } = ended;
  const how =
    signal === undefined || signal === 0 ? `exit code ${exitCode}` : `signal ${signal}, exit code ${exitCode}`;
  const said = message === undefined || message === '' ? '' : `: ${brief(message, 150)}`;
  if (reason === 'OOMKilled') return `it ran out of memory (OOMKilled, ${how})${said}`;
  return `${how}${reason === undefined || reason === 'Error' ? '' : ` (${reason})`}${said}`;
}

/** The image that was asked for; the status may name another one. */
function specImage(pod: V1Pod, container: string): string {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return all.find(({ name }) => name === container)?.image ?? '';
}

/** What a failed probe said, from an event of the kubelet with the reason Unhealthy. */
export function probeTrouble(container: string, pod: string, message: string): Trouble {
  const { kind = 'readiness', said = message } =
    /^(?<kind>Readiness|Liveness|Startup) probe (?:failed|errored): (?<said>[\s\S]*)$/.exec(message)?.groups ?? {};
  const text = `the ${kind.toLowerCase()} probe of the container ${container} fails: ${brief(said)}`;
  return { code: 'probe', text, lasting: false, pod, container };
}

/** Takes requests: all its containers are ready. */
export function isReady(pod: V1Pod): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined) return false;
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}
