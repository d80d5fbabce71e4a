/** Follows a rollout until every Deployment has it, or it is clear that one will not. */

import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { duration } from '../../../domain/deploy/duration.ts';
import type { TargetRun } from '../../../domain/deploy/target.ts';
import { existing, imageIn } from './change.ts';
import type { Cluster } from './cluster.ts';
import { ApiFailure, passes } from './failure.ts';
import { checkCut, type Limits, pause } from './patience.ts';
import { rolloutStatus, selectorOf } from './rollout.ts';
import type { Part } from './schema.ts';
import { createWake, type Wake } from './wake.ts';
import { blockedTrouble, isReady, probeTrouble, type Trouble, troubleOf } from './why.ts';

/** `changed`: somebody else set another image. */
export type Followed =
  | { readonly kind: 'complete' }
  | { readonly kind: 'changed'; readonly text: string }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string };

export interface FollowOptions {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly parts: readonly Part[];
  /** Which images are rolled out. */
  readonly to: 'image' | 'before';
  readonly run: TargetRun;
  readonly limits: Limits;
  /** How long it may take in all, for words. */
  readonly timeoutMs: number;
  /** A lasting trouble ends it after this time; never if undefined. */
  readonly patienceMs?: number;
}

const LOOK_EVERY_MS = 2_000;
const AWAY_MS = 1_000;
const LAST_LINES = 10;
const ASK_PROBE_EVERY_MS = 5_000;

/** One Deployment at one moment. */
interface Sight {
  readonly part: Part;
  readonly kind: 'complete' | 'going_on' | 'deadline' | 'changed';
  readonly wanted: number;
  readonly ready: number;
  readonly text: string;
  readonly trouble?: Trouble | undefined;
}

/** @throws ApiFailure, Cut */
export async function follow(options: FollowOptions): Promise<Followed> {
  const { cluster, namespace, parts, run, limits } = options;
  const troubledSince = new Map<string, number>();
  const probes = createProbes(cluster, namespace);
  let wake: Wake | undefined;
  let shown = '';

  function show(text: string, percent?: number): void {
    if (`${text} ${percent}` === shown) return;
    shown = `${text} ${percent}`;
    run.progress({ text, ...(percent === undefined ? {} : { percent }) });
  }

  /** For how long this part has had a trouble that lasts. */
  function troubledFor({ part, trouble }: Sight): number {
    if (trouble?.lasting !== true) {
      troubledSince.delete(part.name);
      return 0;
    }
    const since = troubledSince.get(part.name) ?? Date.now();
    troubledSince.set(part.name, since);
    return Date.now() - since;
  }

  async function failed(code: string, sight: Sight, text: string): Promise<Followed> {
    const { trouble } = sight;
    const last = trouble?.pod === undefined ? undefined : await quote(options, trouble);
    const who = parts.length === 1 ? '' : `${sight.part.name}: `;
    return { kind: 'failed', code, text: `${who}${text}${last === undefined ? '' : `; its last line was “${last}”`}` };
  }

  try {
    for (;;) {
      checkCut(limits);
      let sights: readonly Sight[];
      try {
        const deployments = await Promise.all(parts.map((part) => existing(cluster, namespace, part.name)));
        wake ??= createWake(cluster, watchedOf(namespace, deployments));
        sights = await Promise.all(parts.map((part, index) => see(options, part, deployments[index] ?? {}, probes)));
      } catch (error) {
        if (!passes(error)) throw error;
        if (Date.now() > limits.deadline) throw gaveUp(error, options.timeoutMs);
        show(`${error.message}; the rollout goes on there, and I try again`);
        await pause(Math.max(AWAY_MS, Math.min(error.retryAfterMs ?? 0, limits.deadline - Date.now())), limits);
        continue;
      }
      const changed = sights.find(({ kind }) => kind === 'changed');
      if (changed) return { kind: 'changed', text: changed.text };
      show(sights.map((sight) => line(sight, parts.length > 1)).join('; '), percentOf(sights));
      if (sights.every(({ kind }) => kind === 'complete')) return { kind: 'complete' };

      const late = Date.now() > limits.deadline;
      for (const sight of sights) {
        const { trouble } = sight;
        const patience = options.patienceMs ?? Number.POSITIVE_INFINITY;
        if (trouble && troubledFor(sight) >= patience) return await failed(trouble.code, sight, trouble.text);
        if (sight.kind === 'deadline' && options.patienceMs !== undefined) {
          return await failed(
            trouble?.code ?? 'deadline',
            sight,
            [sight.text, trouble?.text].filter(Boolean).join(': '),
          );
        }
        if (late && sight.kind !== 'complete') {
          const text = `it was not ready after ${duration(options.timeoutMs)}: ${trouble?.text ?? sight.text}`;
          return await failed(trouble?.code ?? 'timeout', sight, text);
        }
      }
      await wake.next(LOOK_EVERY_MS, limits.signal);
    }
  } finally {
    wake?.close();
  }
}

function gaveUp(error: ApiFailure, timeoutMs: number): ApiFailure {
  return new ApiFailure('invalid', `${error.message}, ${duration(timeoutMs)} after it began`, { cause: error });
}

function watchedOf(namespace: string, deployments: readonly V1Deployment[]) {
  return deployments.flatMap((deployment) => [
    {
      path: `/apis/apps/v1/namespaces/${namespace}/deployments`,
      query: { fieldSelector: `metadata.name=${deployment.metadata?.name ?? ''}` },
    },
    { path: `/api/v1/namespaces/${namespace}/pods`, query: { labelSelector: selectorOf(deployment) } },
  ]);
}

async function see(
  { cluster, namespace, to }: FollowOptions,
  part: Part,
  deployment: V1Deployment,
  probes: Probes,
): Promise<Sight> {
  const { kind, wanted, text, blocked } = rolloutStatus(deployment);
  const other = part.containers.find((one) => imageIn(deployment, one.name) !== one[to]);
  if (other) {
    const now = imageIn(deployment, other.name) ?? 'something else';
    return { part, kind: 'changed', wanted, ready: 0, text: `somebody else set ${part.name} to ${now} meanwhile` };
  }
  if (kind === 'complete') return { part, kind, wanted, ready: wanted, text };
  const pods = (await cluster.pods(namespace, selectorOf(deployment))).filter((pod) => isNew(pod, part, to));
  const found = troubleOf(pods) ?? (blocked === undefined ? undefined : blockedTrouble(blocked));
  const trouble = found?.code === 'unready' ? ((await probes(found)) ?? found) : found;
  return { part, kind, wanted, ready: Math.min(pods.filter(isReady).length, wanted), text, trouble };
}

/** Has the images that are rolled out. */
function isNew(pod: V1Pod, part: Part, to: 'image' | 'before'): boolean {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return part.containers.every((one) => all.some(({ name, image }) => name === one.name && image === one[to]));
}

type Probes = (trouble: Trouble) => Promise<Trouble | undefined>;

/** What the kubelet says of a container that runs and is not ready; asked for now and then. */
function createProbes(cluster: Cluster, namespace: string): Probes {
  const asked = new Map<string, { at: number; found: Trouble | undefined }>();
  return async ({ pod = '', container = '' }) => {
    const before = asked.get(pod);
    if (before && Date.now() - before.at < ASK_PROBE_EVERY_MS) return before.found;
    const events = await cluster.events(namespace, `involvedObject.name=${pod},reason=Unhealthy`).catch(() => []);
    const message = events.findLast((event) => event.message !== undefined)?.message;
    const found = message === undefined ? undefined : probeTrouble(container, pod, message);
    asked.set(pod, { at: Date.now(), found });
    return found;
  };
}

/** Shows the last lines of the log and the last warnings; gives the last line. Not being allowed to read them is no error. */
async function quote({ cluster, namespace, run }: FollowOptions, trouble: Trouble): Promise<string | undefined> {
  const { pod = '', container, previous = false, code } = trouble;
  const events = await cluster.events(namespace, `involvedObject.name=${pod},type=Warning`).catch(() => []);
  for (const { reason, message } of events.slice(-5)) run.output(clean(`${pod}: ${reason ?? ''}: ${message ?? ''}`));
  if (container === undefined || code === 'image' || code === 'container') return undefined;
  const text = await cluster
    .log(namespace, pod, { container, lines: LAST_LINES, previous })
    .catch((error: unknown) =>
      error instanceof ApiFailure ? run.output(`${pod}: no log: ${error.message}`) : undefined,
    );
  const lines = (text ?? '')
    .split('\n')
    .map(clean)
    .filter((each) => each.trim() !== '');
  for (const each of lines) run.output(`${pod}: ${each}`);
  const last = lines.at(-1);
  return code === 'crash' ? last?.slice(0, 300) : undefined;
}

/** One line, as the port wants it. */
function clean(text: string): string {
  return text
    .replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
    .slice(0, 2_000);
}

function line({ part, kind, ready, wanted, text, trouble }: Sight, named: boolean): string {
  const who = named ? `${part.name}: ` : '';
  const count = `${ready} of ${wanted} ${wanted === 1 ? 'replica' : 'replicas'} ready`;
  const why =
    trouble && trouble.code !== 'unready'
      ? `; ${trouble.text}`
      : ready === wanted && kind !== 'complete'
        ? `; ${text}`
        : '';
  return `${who}${count}${why}`;
}

function percentOf(sights: readonly Sight[]): number {
  const wanted = sights.reduce((sum, each) => sum + each.wanted, 0);
  if (wanted === 0) return 100;
  return Math.floor((100 * sights.reduce((sum, each) => sum + each.ready, 0)) / wanted);
}
