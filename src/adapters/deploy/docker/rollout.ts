/**
 * One rollout, written so that another process can go on with it: each step looks at what is there before it changes
 * anything, and every container has a name that says which deployment made it.
 */

import { CUT_OFF, isCancelled, type TargetOutcome, type TargetRun } from '../../../domain/deploy/target.ts';
import type { DockerPlace } from '../../../domain/deploy/targets/docker.ts';
import type { Engine } from './engine.ts';
import { judge, probe, probeAddress } from './health.ts';
import { patiently, pause, Stopped } from './patience.ts';
import type { Container, Handle } from './schema.ts';
import { imageOf, LABELS, namesOf, specOf, versionOf, type Wanted, wayOf } from './settings.ts';
import { EngineTrouble } from './trouble.ts';

const LOG_LINES = 20;
const PROBE_MS = 5_000;
/** Putting things in order after a cancel or a failure. */
const ORDER_MS = 60_000;

export interface RolloutOptions {
  readonly engine: Engine;
  readonly place: DockerPlace;
  readonly wanted: Wanted;
  readonly run: TargetRun;
  /** Of another process that began it. */
  readonly handle?: Handle;
  /** The robot's own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The rollout cannot succeed; the message is a clause. */
class Failed extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Rolls out, or puts back what ran before. Never throws for what an engine or a container does. */
export async function rollOut(options: RolloutOptions): Promise<TargetOutcome> {
  const { place, wanted, run, environment } = options;
  const names = namesOf(place, wanted);
  const way = wayOf(place);
  const until = performance.now() + place.timeoutMs;
  let handle: Handle | undefined = options.handle;
  const engine = patient(options.engine, { signal: run.signal, until });

  /** Every call of it waits for an engine that is away. */
  function patient(bare: Engine, { signal, until }: { signal: AbortSignal; until: number }): Engine {
    const told = (state: 'away' | 'back', trouble: EngineTrouble): void => {
      run.output(state === 'away' ? `trying again: ${trouble.message}` : 'the Docker engine is back');
    };
    const ask = <T>(call: () => Promise<T>): Promise<T> => patiently(call, { signal, until, told });
    return {
      inspect: (container) => ask(() => bare.inspect(container)),
      list: (labels) => ask(() => bare.list(labels)),
      create: (spec) => ask(() => bare.create(spec)),
      start: (id) => ask(() => bare.start(id)),
      stop: (id, graceMs) => ask(() => bare.stop(id, graceMs)),
      rename: (id, name) => ask(() => bare.rename(id, name)),
      remove: (id) => ask(() => bare.remove(id)),
      logs: (container, lines) => ask(() => bare.logs(container, lines)),
      stats: (id) => ask(() => bare.stats(id)),
      hasImage: (image) => ask(() => bare.hasImage(image)),
      tags: () => ask(() => bare.tags()),
      pull: (image, auth, said, stop) => ask(() => bare.pull(image, auth, said, stop)),
    };
  }

  function goOn(): void {
    if (run.signal.aborted) throw new Stopped();
  }

  async function remember(next: Handle): Promise<Handle> {
    await run.remember(next);
    handle = next;
    return next;
  }

  async function begin(): Promise<Handle> {
    const named = await engine.inspect(names.live);
    if (named) refuseForeign(named);
    const old = (await runningOf(engine, place, wanted)) ?? named;
    return await remember({
      stage: 'prepare',
      oldRan: old?.running ?? false,
      ...(old === undefined ? {} : { old: old.id }),
    });
  }

  /** A container of something else must not be stopped because of a slip in the configuration. */
  function refuseForeign({ labels, image, name }: Container): void {
    const owner = labels[LABELS.service];
    const ours =
      owner === undefined
        ? versionOf(place, image) !== undefined
        : owner === wanted.service && labels[LABELS.environment] === wanted.environment;
    if (ours) return;
    const whose = owner === undefined ? `the image ${image}` : `the service ${owner}`;
    throw new Failed('name', `the container ${name} belongs to ${whose}; change \`container\`, or remove it`);
  }

  async function bringImage(): Promise<void> {
    const image = imageOf(place, wanted);
    const there = await engine.hasImage(image);
    if (place.pull === 'never' && !there)
      throw new Failed('image', `the image ${image} is not on the engine, and \`pull\` is never`);
    if (there && place.pull !== 'always') return;
    run.progress({ text: `Pulling ${image}`, percent: 10 });
    const { registry } = place;
    const [server = ''] = image.split('/');
    const auth =
      registry === undefined
        ? undefined
        : {
            username: registry.user,
            password: environment[registry.passwordFrom] ?? '',
            serveraddress: /[.:]|^localhost$/.test(server) ? server : 'https://index.docker.io/v1/',
          };
    await engine.pull(image, auth, run.output, run.signal);
  }

  /** The container of that name, made now unless it is there. */
  async function made(name: string, trial: boolean): Promise<Container> {
    const found = await engine.inspect(name);
    if (found) return found;
    let id = name;
    try {
      id = await engine.create(specOf({ place, wanted, name, trial, environment }));
    } catch (error) {
      // An engine that was cut off may have made it all the same.
      if (!(error instanceof EngineTrouble && error.kind === 'conflict')) throw error;
    }
    const container = await engine.inspect(id);
    if (!container) throw new Failed('container', `the container ${name} was removed by somebody`);
    return container;
  }

  function nameOfOld({ id, labels }: Container): string {
    return names.previous(labels[LABELS.deployment] ?? id.slice(0, 12));
  }

  /** Starts it unless it has run before, and waits until it is healthy. @throws Failed with the end of its log told */
  async function prove(container: Container, trial: boolean): Promise<void> {
    if (container.status === 'created' || container.status === 'configured' || container.status === 'initialized')
      await engine.start(container.id);
    const deadline = performance.now() + place.health.withinMs;
    let upSince = performance.now();
    let why = 'it is starting';
    for (;;) {
      goOn();
      const now = await engine.inspect(container.id);
      if (!now?.running) upSince = performance.now();
      const judged = judge(now, place.health, performance.now() - upSince);
      if (judged.kind === 'healthy') return;
      if (judged.kind === 'bad') {
        if (now) await tellLog(engine, now);
        throw new Failed(
          'unhealthy',
          `the new container ${judged.text}${place.health.probe && now?.running ? `; ${why}` : ''}`,
        );
      }
      if (judged.kind === 'waiting') why = judged.text;
      if (judged.kind === 'probe' && now) {
        const asked = await probed(now, trial);
        if (asked === undefined) return;
        why = asked;
      }
      if (performance.now() >= deadline) {
        if (now) await tellLog(engine, now);
        throw new Failed(
          'unhealthy',
          `the new container did not become healthy in ${place.health.withinMs / 1000} s: ${why}`,
        );
      }
      await pause(Math.min(place.health.everyMs, Math.max(deadline - performance.now(), 1)), run.signal);
    }
  }

  /** Something else may answer in place of a container that has just ended: so it is looked at again. */
  async function probed(container: Container, trial: boolean): Promise<string | undefined> {
    const kind = place.health.probe?.kind ?? 'tcp';
    const why = await probe(kind, probeAddress(place, container, trial), PROBE_MS, run.signal);
    if (why !== undefined) return why;
    const after = await engine.inspect(container.id);
    return after?.running && after.restarts === 0 ? undefined : 'it ended';
  }

  async function tellLog(from: Engine, container: Container): Promise<void> {
    try {
      const lines = await from.logs(container, LOG_LINES);
      run.output(lines.length === 0 ? 'the container said nothing' : 'the container said last:');
      for (const line of lines) run.output(line);
    } catch (error) {
      if (!(error instanceof EngineTrouble)) throw error;
      run.output(`the log of the container could not be read: ${error.message}`);
    }
  }

  async function prepare(seen: Handle): Promise<Handle> {
    run.progress({ text: 'Looking for the image', percent: 5 });
    await bringImage();
    goOn();
    if (way === 'trial') {
      run.progress({ text: 'Trying the new version beside the old one', percent: 40 });
      const copy = await made(names.trial(wanted.deployment), true);
      await prove(copy, true);
      await engine.remove(copy.id);
      goOn();
    }
    const fresh = await made(names.fresh(wanted.deployment), false);
    if (way === 'beside') {
      run.progress({ text: 'Waiting until the new container is healthy', percent: 50 });
      await prove(fresh, false);
    }
    return await remember({ ...seen, stage: 'switch', fresh: fresh.id });
  }

  async function change({ old, fresh = '' }: Handle): Promise<void> {
    run.progress({ text: 'Switching', percent: 75 });
    const before = old === undefined ? undefined : await engine.inspect(old);
    if (way !== 'beside') {
      if (before?.running) await engine.stop(before.id, place.stopMs);
      const started = await engine.inspect(fresh);
      if (!started) throw new Failed('container', 'the new container was removed by somebody');
      run.progress({ text: 'Waiting until the new container is healthy', percent: 85 });
      await prove(started, false);
    }
    const named = await engine.inspect(names.live);
    for (const one of [before, named]) if (one && one.id !== fresh) await engine.rename(one.id, nameOfOld(one));
    await engine.rename(fresh, names.live);
    if (way === 'beside' && before) await engine.stop(before.id, place.stopMs);
  }

  /** Keeps as many stopped ones as the place says, the one that ran last among them. Leftovers of others go. */
  async function tidy({ old, fresh }: Handle): Promise<void> {
    run.progress({ text: 'Tidying up', percent: 95 });
    const all = await engine.list(placeLabels(wanted));
    const stopped = all.filter(({ id, state }) => id !== fresh && state !== 'running');
    const trials = all.filter(({ labels }) => labels[LABELS.role] === 'trial');
    const kept = stopped
      .filter(({ name, labels }) => labels[LABELS.role] !== 'trial' && name.startsWith(names.previous('')))
      .toSorted((a, b) => Number(b.id === old) - Number(a.id === old))
      .slice(0, place.keep);
    for (const one of new Set([...trials, ...stopped])) {
      if (kept.includes(one) || one.name === names.live) continue;
      await engine.remove(one.id);
      run.output(`removed ${one.name}`);
    }
  }

  /** After a failure or a cancel: nothing of the new version stays, and what ran before runs. Says what became of it. */
  async function putBack(): Promise<string> {
    const calm = patient(options.engine, { signal: new AbortController().signal, until: performance.now() + ORDER_MS });
    try {
      for (const name of [names.trial(wanted.deployment), names.fresh(wanted.deployment)]) {
        const left = await calm.inspect(name);
        if (left) await calm.remove(left.id);
      }
      if (handle?.old === undefined) return 'nothing ran before';
      const live = await calm.inspect(names.live);
      if (live && live.id === handle.fresh) await calm.remove(live.id);
      const old = await calm.inspect(handle.old);
      if (!old) return 'the old container is gone';
      const version = old.labels[LABELS.version] ?? versionOf(place, old.image) ?? old.image;
      if (live && live.id !== old.id && live.id !== handle.fresh) await calm.rename(live.id, nameOfOld(live));
      if (old.name !== names.live) await calm.rename(old.id, names.live);
      if (old.running || !handle.oldRan) return `${version} was left as it was`;
      await calm.start(old.id);
      run.output(`started ${names.live} again, which is ${version}`);
      return `${version} was put back`;
    } catch (error) {
      if (!(error instanceof EngineTrouble)) throw error;
      return `putting things in order failed: ${error.message}`;
    }
  }

  try {
    handle ??= await begin();
    if (handle.stage === 'prepare') handle = await prepare(handle);
    await change(handle);
  } catch (error) {
    if (error instanceof Stopped) {
      if (!isCancelled(run.signal)) return CUT_OFF;
      return { kind: 'interrupted', text: `it was cancelled; ${await putBack()}` };
    }
    if (error instanceof Failed)
      return { kind: 'failed', code: error.code, text: `${error.message}; ${await putBack()}` };
    if (!(error instanceof EngineTrouble)) throw error;
    if (error.kind === 'away') return { kind: 'failed', code: 'away', text: error.message };
    return { kind: 'failed', code: error.kind, text: `${error.message}; ${await putBack()}` };
  }
  try {
    await tidy(handle);
  } catch (error) {
    if (!(error instanceof EngineTrouble || error instanceof Stopped)) throw error;
    run.output(`older containers stay for now: ${error.message}`);
  }
  run.progress({ percent: 100 });
  return { kind: 'succeeded' };
}

/** What really runs: the container that has the name, or, in the middle of a switch, the one that has not got it yet. */
export async function runningOf(
  engine: Engine,
  place: DockerPlace,
  wanted: Pick<Wanted, 'service' | 'environment'>,
): Promise<Container | undefined> {
  const named = await engine.inspect(namesOf(place, wanted).live);
  if (named?.running) return named;
  const running = (await engine.list(placeLabels(wanted))).find(
    ({ state, labels }) => state === 'running' && labels[LABELS.role] === 'live',
  );
  return running === undefined ? undefined : await engine.inspect(running.id);
}

export function placeLabels({ service, environment }: Pick<Wanted, 'service' | 'environment'>): Record<string, string> {
  return { [LABELS.service]: service, [LABELS.environment]: environment };
}
