/** The target `argocd`: sets the version of an application, syncs it and follows it until it is healthy. See docs/guide/targets/argocd.md. */

import { duration } from '../../../domain/deploy/duration.ts';
import {
  isCancelled,
  type Live,
  type Target,
  type TargetOutcome,
  type TargetRequest,
  type TargetRun,
} from '../../../domain/deploy/target.ts';
import type { ArgoTargetConfig } from '../../../domain/deploy/targets/argocd.ts';
import { systemClock } from '../../clock.ts';
import { createRest } from '../../rest/client.ts';
import { isPassing, RestProblem } from '../../rest/problem.ts';
import { failureOf, lostSightOf, never } from '../http/failure.ts';
import { fill } from '../http/fill.ts';
import { once } from '../http/once.ts';
import type { HttpTargetOptions } from '../http/options.ts';
import { clearly } from '../http/outcome.ts';
import { createPace } from '../http/pace.ts';
import { type Patience, patiently } from '../http/patience.ts';
import { createLines } from '../lines.ts';
import { type Argo, createArgo, isBusy, stateOf } from './api.ts';
import { type Application, type Handle, parseHandle } from './schema.ts';
import { patchOf, sourceOf, versionOf } from './source.ts';
import { conditionOf, healthReason, sick, syncFailure } from './words.ts';

const FIRST_POLL_MS = 1_000;
const LAST_POLL_MS = 5_000;
/** Something may be degraded for a moment while it is replaced. */
const DEGRADED_MS = 30_000;
/** How long the server may show what was before. */
const LAG_MS = 20_000;
const STOP_MS = 60_000;
const LOG_LINES = 20;

export function createArgoTarget(options: HttpTargetOptions<ArgoTargetConfig>): Target {
  const { config } = options;
  const clock = options.clock ?? systemClock;
  const now = () => clock.now().getTime();
  const rest = createRest({
    name: 'Argo CD',
    baseUrl: config.url,
    token: { from: config.tokenFrom, value: options.environment[config.tokenFrom] },
    headers: (token) => ({ authorization: `Bearer ${token}` }),
    clock,
  });

  const nameOf = (service: string, environment: string) => fill(config.application, { service, environment });

  interface Rollout {
    readonly name: string;
    readonly argo: Argo;
    readonly version: string;
    /** Carried by the sync, so that it is known again. */
    readonly mark: string;
    readonly run: TargetRun;
    handle: Handle;
  }

  function rolloutOf(request: TargetRequest, run: TargetRun, handle: Handle): Rollout {
    const name = nameOf(request.service, request.environment);
    const argo = createArgo(rest, config, name);
    return { name, argo, version: request.version, mark: String(request.deployment), run, handle };
  }

  async function remember(rollout: Rollout, more: Partial<Handle>): Promise<void> {
    rollout.handle = { ...rollout.handle, ...more };
    await rollout.run.remember(rollout.handle);
  }

  const left = ({ handle }: Rollout) => Math.max(handle.startedAt + config.timeoutMs - now(), 0);
  const patienceOf = (rollout: Rollout): Patience => ({
    run: rollout.run,
    what: 'the sync',
    left: () => left(rollout),
  });

  async function deploy(request: TargetRequest, run: TargetRun): Promise<TargetOutcome> {
    const rollout = rolloutOf(request, run, { kind: 'argocd', startedAt: now(), asked: false });
    try {
      const before = await untilFree(rollout);
      if (before === undefined) return await halted(rollout, 'while another sync was under way');
      const previous = versionOf(before.spec, config);
      await remember(rollout, previous === undefined ? {} : { previous });
      run.progress({ text: `Setting ${request.version} in ${rollout.name}` });
      await set(rollout, request.version);
      return await askAndFollow(rollout);
    } catch (error) {
      return await endedBy(error, rollout);
    }
  }

  async function resume(request: TargetRequest, remembered: unknown, run: TargetRun): Promise<TargetOutcome> {
    const handle = parseHandle(remembered);
    if (handle === undefined) return { kind: 'interrupted', text: 'what was remembered of the sync cannot be read' };
    const rollout = rolloutOf(request, run, handle);
    try {
      const found = await patiently(patienceOf(rollout), () => rollout.argo.application());
      if (handle.asked) {
        const seen =
          found.kind !== 'answer' || stateOf(found.value, rollout.mark) !== undefined || (await appears(rollout));
        // Who cancels has the version before set again all the same.
        if (!seen && !isCancelled(run.signal)) {
          const text = 'the robot was stopped while it asked for the sync, and Argo CD has none of it';
          return { kind: 'interrupted', text };
        }
        return await follow(rollout);
      }
      // The version was set and no sync asked for: then half of it was done, and the other half follows.
      const application = found.kind === 'answer' ? found.value : await rollout.argo.application();
      if (versionOf(application.spec, config) === request.version) return await askAndFollow(rollout);
      return { kind: 'interrupted', text: 'the robot was stopped before it had changed anything in Argo CD' };
    } catch (error) {
      return await endedBy(error, rollout);
    }
  }

  /** Waits for the sync of somebody else to end. Undefined if this was stopped meanwhile. @throws RestProblem */
  async function untilFree(rollout: Rollout): Promise<Application | undefined> {
    const { run, argo } = rollout;
    const pace = createPace(FIRST_POLL_MS, LAST_POLL_MS);
    for (let told = false; ; told = true) {
      const application = await argo.application();
      if (!isBusy(application)) return application;
      if (run.signal.aborted) return undefined;
      if (left(rollout) === 0) {
        throw new RestProblem('conflict', `another sync of ${rollout.name} did not end in time; look at it in Argo CD`);
      }
      if (!told) run.progress({ text: `Waiting for another sync of ${rollout.name} to end` });
      await clock.sleep(pace.next(), run.signal);
    }
  }

  /** Names the version in the application. What may have arrived is looked for first. @throws RestProblem */
  async function set({ argo, name }: Rollout, version: string, signal: AbortSignal = never): Promise<void> {
    const isSet = ({ spec }: Application) => versionOf(spec, config) === version;
    const application = await argo.application();
    if (isSet(application)) return;
    const { spec } = application;
    const source = sourceOf(spec, config.source);
    if (source === undefined) {
      throw new RestProblem('invalid', `the application ${name} has no source ${config.source ?? 1}; check \`source\``);
    }
    await once<unknown>({
      send: () => argo.patch(patchOf(source, config, (spec.sources ?? []).length > 0, version)),
      find: async () => (isSet(await argo.application()) ? true : undefined),
      clock,
      signal,
    });
  }

  async function askAndFollow(rollout: Rollout): Promise<TargetOutcome> {
    const { run, argo, mark } = rollout;
    if (run.signal.aborted && !isCancelled(run.signal)) return await halted(rollout, 'before the sync');
    await remember(rollout, { asked: true });
    await askForSync(rollout, run.signal, () => argo.sync(mark, config.prune, left(rollout), run.signal));
    return await follow(rollout);
  }

  /** A sync of somebody else, or of Argo CD itself, may have come first: then this one is asked for again when that has ended. */
  async function askForSync(rollout: Rollout, signal: AbortSignal, send: () => Promise<void>): Promise<void> {
    const { argo, mark } = rollout;
    const isThere = async () => (stateOf(await argo.application(), mark) === undefined ? undefined : true);
    for (;;) {
      try {
        await once<unknown>({ send, find: isThere, clock, signal });
        return;
      } catch (error) {
        const busy = error instanceof RestProblem && /operation is already in progress/i.test(error.said);
        if (!busy || left(rollout) === 0 || signal.aborted) throw error;
        if (await isThere()) return;
        if ((await untilFree(rollout)) === undefined) throw error;
      }
    }
  }

  /** The server may lag: looks for the sync for a while. */
  async function appears({ argo, mark, run }: Rollout): Promise<boolean> {
    for (const until = now() + LAG_MS; now() < until && !run.signal.aborted; ) {
      await clock.sleep(2_000, run.signal);
      if (stateOf(await argo.application(), mark) !== undefined) return true;
    }
    return false;
  }

  async function follow(rollout: Rollout): Promise<TargetOutcome> {
    try {
      return await toItsEnd(rollout);
    } catch (error) {
      return await endedBy(error, rollout, lostSightOf);
    }
  }

  async function toItsEnd(rollout: Rollout): Promise<TargetOutcome> {
    const { argo, run, name, mark } = rollout;
    const pace = createPace(FIRST_POLL_MS, LAST_POLL_MS);
    let told = '';
    let unseenSince: number | undefined;
    let degradedSince: number | undefined;
    let refresh = false;
    const tell = (text: string, percent?: number) => {
      if (text !== told) run.progress({ text, ...(percent === undefined ? {} : { percent }) });
      told = text;
    };
    for (;;) {
      if (run.signal.aborted) return await halted(rollout, 'while Argo CD was at work');
      const asked = refresh;
      const looked = await patiently(patienceOf(rollout), () => argo.application(asked));
      if (looked.kind === 'answer') {
        const application = looked.value;
        const { status } = application;
        const state = status.operationState;
        const seen = stateOf(application, mark);
        if (seen === undefined) unseenSince ??= now();
        if (unseenSince !== undefined && seen === undefined && now() - unseenSince > LAG_MS) {
          const text = `another sync took the place of this one in ${name}; look at its history in Argo CD`;
          return { kind: 'failed', code: 'replaced', text };
        }
        if (seen !== undefined) unseenSince = undefined;
        if (seen === 'asked') tell(`Waiting for Argo CD to begin${reason(conditionOf(application))}`);
        if (seen === 'taken' && state) {
          if (state.phase === 'Failed' || state.phase === 'Error') {
            return { kind: 'failed', code: 'sync', text: syncFailure(state) };
          }
          if (state.phase !== 'Succeeded') {
            const done = state.syncResult?.resources?.length ?? 0;
            const all = Math.max(status.resources?.length ?? 0, done, 1);
            tell(`Syncing${reason(state.message)}`, Math.min(60, Math.round((done / all) * 60)));
          } else if (Date.parse(status.reconciledAt) < Date.parse(state.finishedAt ?? '')) {
            // What is said of the health is older than the sync.
            refresh = true;
          } else {
            refresh = false;
            const health = status.health?.status ?? '';
            if (health === 'Healthy') {
              if (status.sync?.status === 'OutOfSync') run.output('Healthy, but Argo CD still calls it OutOfSync.');
              return { kind: 'succeeded' };
            }
            degradedSince = health === 'Degraded' ? (degradedSince ?? now()) : undefined;
            if (degradedSince !== undefined && now() - degradedSince >= DEGRADED_MS) {
              return {
                kind: 'failed',
                code: 'degraded',
                text: `${name} is degraded: ${await why(rollout, application, 'Degraded')}`,
              };
            }
            tell(
              `Synced; ${health.toLowerCase() || 'its health is not known yet'}${reason(status.health?.message)}`,
              80,
            );
          }
        }
        if (left(rollout) === 0) return await tooLong(rollout, application);
      }
      await clock.sleep(pace.next(), run.signal);
    }
  }

  async function tooLong(rollout: Rollout, application: Application): Promise<TargetOutcome> {
    const { argo, name } = rollout;
    const time = duration(config.timeoutMs);
    if (isBusy(application)) {
      await argo.terminate();
      const message = application.status.operationState?.message;
      return {
        kind: 'failed',
        code: 'timeout',
        text: `the sync of ${name} took longer than ${time} and was terminated${reason(message)}`,
      };
    }
    const health = application.status.health?.status ?? 'Unknown';
    const text = `${name} was synced, but after ${time} it is ${health}: ${await why(rollout, application, health)}`;
    return { kind: 'failed', code: 'timeout', text };
  }

  /** Why it is not healthy; the last lines of a pod that is at fault go to the output. */
  async function why({ argo, run }: Rollout, application: Application, status: string): Promise<string> {
    const nodes = await argo.tree().catch(() => []);
    const pod = sick(nodes, status).find(({ kind }) => kind === 'Pod');
    if (pod !== undefined) {
      const lines = await argo.logs(pod, LOG_LINES).catch(() => []);
      if (lines.length > 0) run.output(`The last lines of ${pod.name}:`);
      const out = createLines(run.output);
      for (const line of lines) out.write(Buffer.from(`${line}\n`));
    }
    return healthReason(application, nodes, status);
  }

  /** The robot stops: Argo CD goes on by itself. Somebody cancelled: the sync is ended, and the version before is set and synced. */
  async function halted(rollout: Rollout, when: string): Promise<TargetOutcome> {
    const { argo, run, handle, name } = rollout;
    if (!isCancelled(run.signal)) return { kind: 'interrupted', text: `the robot was stopped ${when}` };
    run.progress({ text: `Stopping the sync of ${name}` });
    try {
      let application = await argo.application();
      const ours = stateOf(application, rollout.mark) !== undefined;
      if (ours && isBusy(application)) {
        await argo.terminate();
        for (const until = now() + STOP_MS; isBusy(application) && now() < until; ) {
          await clock.sleep(FIRST_POLL_MS, never);
          application = await argo.application();
        }
      }
      if (versionOf(application.spec, config) !== rollout.version || handle.previous === undefined) {
        return {
          kind: 'interrupted',
          text: ours ? 'it was cancelled; the sync was terminated' : 'it was cancelled; nothing was changed',
        };
      }
      await set(rollout, handle.previous);
      if (!ours) return { kind: 'interrupted', text: `it was cancelled; ${name} names ${handle.previous} again` };
      const back: Rollout = { ...rollout, mark: `${rollout.mark} cancelled` };
      await askForSync(back, never, () => argo.sync(back.mark, config.prune, STOP_MS, never));
      return { kind: 'interrupted', text: `it was cancelled; ${name} goes back to ${handle.previous}` };
    } catch (error) {
      const failed = failureOf(error);
      const text = failed.kind === 'failed' ? failed.text : '';
      return { kind: 'interrupted', text: `it was cancelled, but not all was put in order: ${text}` };
    }
  }

  /** A robot that is being stopped leaves what may have begun to whoever takes it up. */
  async function endedBy(error: unknown, rollout: Rollout, otherwise = failureOf): Promise<TargetOutcome> {
    const passing = isPassing(error) || (error instanceof RestProblem && error.kind === 'stopped');
    const { signal } = rollout.run;
    return signal.aborted && passing ? await halted(rollout, 'before Argo CD had answered') : otherwise(error);
  }

  /** What the application was compared with when all was as it should be, else what was synced last. */
  async function current(service: string, environment: string): Promise<Live | 'unsupported' | undefined> {
    const { status } = await clearly(() => createArgo(rest, config, nameOf(service, environment)).application());
    const last = status.history?.at(-1);
    const synced = status.sync?.status === 'Synced' ? versionOf(status.sync.comparedTo ?? {}, config) : undefined;
    const recorded = last === undefined ? undefined : versionOf(last, config);
    const version = synced ?? recorded;
    if (version === undefined) return undefined;
    const since = Date.parse(last?.deployedAt ?? '');
    return { version, ...(version === recorded && !Number.isNaN(since) ? { since: new Date(since) } : {}) };
  }

  return {
    kind: 'argocd',
    deploy,
    resume,
    current,
    versions: async () => 'unsupported',
    settle: async () => undefined,
  };
}

function reason(text: string | undefined): string {
  const line = (text ?? '').replace(/\s+/g, ' ').trim();
  return line === '' ? '' : `: ${line.slice(0, 160)}`;
}
