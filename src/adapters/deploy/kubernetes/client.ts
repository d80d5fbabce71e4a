/** The target `kubernetes`: sets images and sees the rollout to its end. See docs/guide/targets/kubernetes.md. */

import { randomBytes } from 'node:crypto';
import {
  type Live,
  type Target,
  type TargetOutcome,
  type TargetRequest,
  type TargetRun,
  TargetUnclear,
} from '../../../domain/deploy/target.ts';
import type { KubernetesTargetConfig } from '../../../domain/deploy/targets/kubernetes.ts';
import type { TargetOptions } from '../targets.ts';
import { deploymentCache } from './cache.ts';
import { changeImages, existing } from './change.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { ApiFailure, failureText } from './failure.ts';
import { follow } from './follow.ts';
import { containerOf, imageOf, isImage } from './images.ts';
import { type ClusterReader, liveOf, readerOf } from './live.ts';
import { Cut, type Limits, persist } from './patience.ts';
import { type Place, placeOf } from './places.ts';
import { type Handle, type Part, parseHandle } from './schema.ts';

/** The cluster is asked for so long before a rollout is begun. */
const PREPARE_MS = 30_000;
/** A rollout that is taken up is looked at for at least this long. */
const TAKEN_UP_MS = 30_000;
const UNDO_MS = 120_000;

type Problem = NonNullable<Handle['undoing']>;

export function createKubernetesTarget(options: TargetOptions<KubernetesTargetConfig>): Target {
  const { config, root, environment, service, closing } = options;

  const open = (context: string | undefined): Promise<Cluster> =>
    openCluster({
      root,
      environment,
      ...(config.kubeconfig === undefined ? {} : { kubeconfig: config.kubeconfig }),
      ...(context === undefined ? {} : { context }),
    });

  async function deploy(request: TargetRequest, run: TargetRun): Promise<TargetOutcome> {
    const place = placeOf(config, service, request.environment);
    let parts: readonly Part[];
    try {
      const limits: Limits = { signal: run.signal, undoing: false, deadline: Date.now() + PREPARE_MS };
      const cluster = await open(place.context);
      parts = await persist(() => prepare(cluster, place, request.version), limits, waiting(run));
    } catch (error) {
      if (error instanceof Cut) return { kind: 'interrupted', text: 'it was stopped before anything was changed' };
      return failedBy(error, '; nothing was changed');
    }
    const handle: Handle = {
      token: `${request.deployment}-${randomBytes(8).toString('hex')}`,
      ...(place.context === undefined ? {} : { context: place.context }),
      namespace: place.namespace,
      startedAt: new Date().toISOString(),
      parts: [...parts],
    };
    await run.remember(handle);
    for (const { name, containers } of parts) {
      for (const one of containers) run.output(`${name}: ${one.name} from ${one.before} to ${one.image}`);
    }
    return await roll(request, handle, run, Date.now() + config.timeoutMs);
  }

  async function resume(request: TargetRequest, remembered: unknown, run: TargetRun): Promise<TargetOutcome> {
    const handle = parseHandle(remembered);
    if (!handle) return { kind: 'interrupted', text: 'what was remembered of its rollout is not understood' };
    if (handle.undoing) return await undo(request, handle, handle.undoing, run);
    const deadline = Math.max(Date.parse(handle.startedAt) + config.timeoutMs, Date.now() + TAKEN_UP_MS);
    return await roll(request, handle, run, deadline);
  }

  /** Sets what is not set yet, and follows it; undoes it if it fails. */
  async function roll(
    request: TargetRequest,
    handle: Handle,
    run: TargetRun,
    deadline: number,
  ): Promise<TargetOutcome> {
    const limits: Limits = { signal: run.signal, undoing: false, deadline };
    const { namespace, token, parts } = handle;
    try {
      const cluster = await persist(() => open(handle.context), limits, waiting(run));
      const cause = `Shipmate: deployment ${request.deployment}, ${service} ${request.version}`;
      for (const part of parts) {
        const changed = await changeImages(
          cluster,
          part,
          { namespace, to: 'image', token, cause },
          limits,
          waiting(run),
        );
        if (changed.kind === 'changed') return await undo(request, handle, problem('changed', changed.text), run);
      }
      const { timeoutMs, patienceMs } = config;
      const followed = await follow({ cluster, namespace, parts, to: 'image', run, limits, timeoutMs, patienceMs });
      if (followed.kind === 'complete') return { kind: 'succeeded' };
      const { text } = followed;
      return await undo(request, handle, problem(followed.kind === 'failed' ? followed.code : 'changed', text), run);
    } catch (error) {
      if (error instanceof ApiFailure) return await undo(request, handle, problem(error.kind, failureText(error)), run);
      if (!(error instanceof Cut)) throw error;
      if (error.by === 'stop') return { kind: 'interrupted', text: 'the robot was stopped; the rollout goes on' };
      return await undo(request, handle, { outcome: 'interrupted', code: 'cancelled', text: 'it was cancelled' }, run);
    }
  }

  /** Puts back the images that this rollout set; what somebody else set meanwhile is left alone. */
  async function undo(request: TargetRequest, handle: Handle, why: Problem, run: TargetRun): Promise<TargetOutcome> {
    await run.remember({ ...handle, undoing: why });
    run.progress({ text: `Undoing it: ${why.text}` });
    const limits: Limits = { signal: run.signal, undoing: true, deadline: Date.now() + UNDO_MS };
    const { namespace, parts } = handle;
    const token = `${handle.token}-undone`;
    const cause = `Shipmate: deployment ${request.deployment} undone`;
    let end: string;
    try {
      const cluster = await open(handle.context);
      const back: Part[] = [];
      const left: string[] = [];
      for (const part of parts) {
        const changed = await changeImages(
          cluster,
          part,
          { namespace, to: 'before', token, cause },
          limits,
          waiting(run),
        );
        if (changed.kind === 'done') back.push(part);
        else left.push(part.name);
      }
      const followed =
        back.length === 0
          ? undefined
          : await follow({ cluster, namespace, parts: back, to: 'before', run, limits, timeoutMs: UNDO_MS });
      const kept = left.length === 0 ? '' : `${left.join(', ')} is left as somebody else set it`;
      end = [undoneWords(followed?.kind), kept].filter(Boolean).join('; ');
    } catch (error) {
      if (error instanceof Cut)
        return { kind: 'interrupted', text: `${why.text}; the robot was stopped while it undid that` };
      if (!(error instanceof ApiFailure)) throw error;
      end = `it could not be undone: ${failureText(error)}`;
    }
    const text = end === '' ? why.text : `${why.text}; ${end}`;
    return why.outcome === 'failed' ? { kind: 'failed', code: why.code, text } : { kind: 'interrupted', text };
  }

  const current: Target['current'] = (_service, where) => live(where, async (cluster) => readerOf(cluster));

  const glance: Target['glance'] = (_service, where) =>
    live(where, async (cluster, { namespace }) => {
      const seen = closing === undefined ? undefined : await deploymentCache(cluster, closing).at(namespace);
      return seen ?? readerOf(cluster);
    });

  async function live(
    where: string,
    reading: (cluster: Cluster, place: Place) => Promise<ClusterReader & Pick<Live, 'stale'>>,
  ): Promise<Live | undefined> {
    const place = placeOf(config, service, where);
    try {
      const reader = await reading(await open(place.context), place);
      const found = await liveOf(reader, place);
      return found === undefined || reader.stale === undefined ? found : { ...found, stale: reader.stale };
    } catch (error) {
      if (error instanceof ApiFailure) throw new TargetUnclear(failureText(error), { cause: error });
      throw error;
    }
  }

  return {
    kind: 'kubernetes',
    deploy,
    resume,
    current,
    glance,
    // Which images there are is the registry's to know.
    versions: async () => 'unsupported',
    // The cluster rolls out by itself; nothing of the robot's own is left at work.
    settle: async () => undefined,
  };
}

/** What a version changes. @throws ApiFailure */
async function prepare(cluster: Cluster, place: Place, version: string): Promise<readonly Part[]> {
  return await Promise.all(
    place.workloads.map(async ({ name, images }): Promise<Part> => {
      const deployment = await existing(cluster, place.namespace, name);
      const containers = images.map(({ container, image: template }) => {
        const image = imageOf(template, version);
        if (!isImage(image)) throw new ApiFailure('invalid', `${image} cannot be the name of an image`);
        const one = containerOf(deployment, container);
        if ('problem' in one) throw new ApiFailure('invalid', one.problem);
        return { name: one.name, init: one.init, before: one.image, image };
      });
      const { generation } = deployment.metadata ?? {};
      return { name, containers, ...(generation === undefined ? {} : { generation }) };
    }),
  );
}

function waiting(run: TargetRun): (why: string) => void {
  let said = '';
  return (why) => {
    if (why !== said) run.progress({ text: `${why}; I try again` });
    said = why;
  };
}

function problem(code: string, text: string): Problem {
  return { outcome: 'failed', code, text };
}

function failedBy(error: unknown, more: string): TargetOutcome {
  if (!(error instanceof ApiFailure)) throw error;
  return { kind: 'failed', code: error.kind, text: `${failureText(error)}${more}` };
}

function undoneWords(kind: 'complete' | 'changed' | 'failed' | undefined): string {
  if (kind === 'complete') return 'the images from before run again';
  if (kind === 'failed') return 'the images from before are set again, but not everything is ready yet';
  return kind === 'changed' ? 'somebody else set other images while it was undone' : '';
}
