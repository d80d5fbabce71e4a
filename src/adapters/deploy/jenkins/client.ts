/** The target `jenkins`: starts a job with parameters and follows its build. See docs/guide/targets/jenkins.md. */

import { duration } from '../../../domain/deploy/duration.ts';
import {
  isCancelled,
  type Live,
  type Target,
  type TargetOutcome,
  type TargetRequest,
  type TargetRun,
  TargetUnclear,
} from '../../../domain/deploy/target.ts';
import type { JenkinsTargetConfig } from '../../../domain/deploy/targets/jenkins.ts';
import { systemClock } from '../../clock.ts';
import { isPassing, RestProblem } from '../../rest/problem.ts';
import { jenkinsRest } from '../../servers.ts';
import { failureOf, lostSightOf, never, unlessCancelled } from '../http/failure.ts';
import { fill, fillAll } from '../http/fill.ts';
import { once } from '../http/once.ts';
import type { HttpTargetOptions } from '../http/options.ts';
import { clearly } from '../http/outcome.ts';
import { createPace } from '../http/pace.ts';
import { type Patience, patiently } from '../http/patience.ts';
import { createJenkins, type Found, type Jenkins, jobPath } from './api.ts';
import { createConsole } from './log.ts';
import { outcomeOf } from './result.ts';
import { type Build, type Handle, parseHandle } from './schema.ts';

const FIRST_POLL_MS = 1_000;
const LAST_POLL_MS = 5_000;
/** How long a build that was stopped may take to end. */
const STOP_MS = 60_000;
const REMEMBER_EVERY_MS = 10_000;
/** Builds among which the one is looked for that is live. */
const LOOKED_AT = 100;

export function createJenkinsTarget(options: HttpTargetOptions<JenkinsTargetConfig>): Target {
  const { config } = options;
  const clock = options.clock ?? systemClock;
  const now = () => clock.now().getTime();
  const rest = jenkinsRest(config, { environment: options.environment, clock });

  const jobOf = (values: Readonly<Record<string, string>>) => fill(config.job, values);
  const filled = (values: Readonly<Record<string, string>>) => fillAll(config.parameters, values);
  const valuesOf = ({ service, environment, version, deployment }: TargetRequest) => ({
    service,
    environment,
    version,
    deployment: String(deployment),
  });
  const versionParameter = Object.entries(config.parameters).find(([, text]) => text === '{version}')?.[0];

  interface Rollout {
    readonly job: string;
    readonly jenkins: Jenkins;
    /** Those of the configuration that the job has. */
    readonly parameters: Readonly<Record<string, string>>;
    readonly run: TargetRun;
    handle: Handle;
  }

  async function deploy(request: TargetRequest, run: TargetRun): Promise<TargetOutcome> {
    const job = jobOf(valuesOf(request));
    const jenkins = createJenkins(rest, job);
    try {
      const facts = await jenkins.job();
      const sendable = sendableOf(job, facts.parameters, filled(valuesOf(request)), run);
      if ('kind' in sendable) return sendable;
      const handle: Handle = { kind: 'jenkins', from: facts.next, startedAt: now(), told: 0 };
      const rollout: Rollout = { job, jenkins, parameters: sendable.parameters, run, handle };
      await remember(rollout, {});
      run.progress({ text: `Asking Jenkins for a build of ${job}` });
      return await follow(rollout, await start(rollout));
    } catch (error) {
      return endedBy(error, run);
    }
  }

  /** Jenkins ignores parameters that a job does not declare. What would lose the version is refused. */
  function sendableOf(
    job: string,
    declared: ReadonlyMap<string, unknown>,
    wanted: Readonly<Record<string, string>>,
    run: TargetRun,
  ): { readonly parameters: Readonly<Record<string, string>> } | TargetOutcome {
    const missing = Object.keys(wanted).filter((name) => !declared.has(name));
    const needed = missing.filter((name) => /\{(version|environment)\}/.test(config.parameters[name] ?? ''));
    if (needed.length > 0) {
      const has = declared.size === 0 ? 'it has none' : `it has ${[...declared.keys()].join(', ')}`;
      const text = `the job ${job} has no parameter ${needed.join(', ')} (${has}); add it in Jenkins, or change \`parameters\` in config/services.yaml`;
      return { kind: 'failed', code: 'parameters', text };
    }
    if (missing.length > 0) run.output(`The job has no parameter ${missing.join(', ')}: not sent.`);
    return { parameters: Object.fromEntries(Object.entries(wanted).filter(([name]) => declared.has(name))) };
  }

  async function start({ jenkins, parameters, handle, run }: Rollout): Promise<Found> {
    let made: Found | undefined;
    try {
      made = await once({
        async send() {
          const found = await jenkins.start(parameters, left(handle), run.signal);
          return found ?? (await search(jenkins, parameters, handle.from, run.signal));
        },
        find: () => jenkins.find(parameters, handle.from),
        clock,
        signal: run.signal,
      });
    } catch (error) {
      // Who cancels just now must not leave a build behind that nobody follows.
      if (isCancelled(run.signal)) made = await search(jenkins, parameters, handle.from, never);
      if (made === undefined) throw error;
    }
    if (made !== undefined) return made;
    throw new RestProblem('unreadable', 'Jenkins took the request, but no build of it is to be found; look there');
  }

  /** Looks a few times: the queue shows an item at once, a build after a moment. */
  async function search(
    jenkins: Jenkins,
    parameters: Readonly<Record<string, string>>,
    from: number,
    signal: AbortSignal,
  ): Promise<Found | undefined> {
    for (const wait of [0, 2_000, 4_000, 8_000]) {
      await clock.sleep(wait, signal);
      const found = await jenkins.find(parameters, from);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async function resume(request: TargetRequest, remembered: unknown, run: TargetRun): Promise<TargetOutcome> {
    const handle = parseHandle(remembered);
    if (handle === undefined) return { kind: 'interrupted', text: 'what was remembered of the build cannot be read' };
    const job = jobOf(valuesOf(request));
    const jenkins = createJenkins(rest, job);
    const wanted = filled(valuesOf(request));
    try {
      if (handle.build !== undefined)
        return await follow({ job, jenkins, parameters: wanted, run, handle }, { build: handle.build });
      const declared = (await jenkins.job()).parameters;
      const parameters = Object.fromEntries(Object.entries(wanted).filter(([name]) => declared.has(name)));
      const rollout: Rollout = { job, jenkins, parameters, run, handle };
      if (handle.item !== undefined) return await follow(rollout, { item: handle.item });
      const found = await search(jenkins, parameters, handle.from, unlessCancelled(run.signal));
      if (found !== undefined) return await follow(rollout, found);
      return {
        kind: 'interrupted',
        text: 'the robot was stopped before Jenkins had taken the build; nothing was started',
      };
    } catch (error) {
      return endedBy(error, run);
    }
  }

  async function remember(rollout: Rollout, more: Partial<Handle>): Promise<void> {
    rollout.handle = { ...rollout.handle, ...more };
    await rollout.run.remember(rollout.handle);
  }

  const left = ({ startedAt }: Handle) => Math.max(startedAt + config.timeoutMs - now(), 0);
  const patienceOf = ({ run, handle }: Rollout): Patience => ({ run, what: 'the build', left: () => left(handle) });

  async function toItsEnd(rollout: Rollout, found: Found): Promise<TargetOutcome> {
    if ('build' in found) return await followBuild(rollout, found.build);
    const waited = await followItem(rollout, found.item);
    return 'build' in waited ? await followBuild(rollout, waited.build) : waited;
  }

  async function follow(rollout: Rollout, found: Found): Promise<TargetOutcome> {
    try {
      return await toItsEnd(rollout, found);
    } catch (error) {
      return endedBy(error, rollout.run, lostSightOf);
    }
  }

  /** Waits in the queue. */
  async function followItem(rollout: Rollout, id: number): Promise<{ readonly build: number } | TargetOutcome> {
    const { jenkins, run, parameters } = rollout;
    const pace = createPace(FIRST_POLL_MS, LAST_POLL_MS);
    await remember(rollout, { item: id });
    let told = '';
    for (;;) {
      const item = await patiently(patienceOf(rollout), () => jenkins.item(id));
      if (item.kind === 'answer') {
        if (item.value === undefined) {
          const found = await jenkins.find(parameters, rollout.handle.from);
          if (found !== undefined && 'build' in found) return found;
          const text = 'Jenkins has forgotten the item of its queue, and has no such build; look there whether one ran';
          return { kind: 'failed', code: 'forgotten', text };
        }
        if (item.value.executable) return { build: item.value.executable.number };
        if (item.value.cancelled) {
          return {
            kind: 'failed',
            code: 'cancelled',
            text: 'the build was taken out of the queue in Jenkins before it began',
          };
        }
        const why = `Waiting in the queue of Jenkins${item.value.why ? `: ${item.value.why}` : ''}`;
        if (why !== told) run.progress({ text: why });
        told = why;
      }
      const cancelled = isCancelled(run.signal);
      if (run.signal.aborted && !cancelled) return stoppedOutcome(run, 'while it waited in the queue of Jenkins');
      if (cancelled || left(rollout.handle) === 0) {
        const after = await patiently(patienceOf(rollout), async () => {
          await jenkins.cancelItem(id);
          return await jenkins.item(id);
        });
        // It may have begun in the meantime.
        if (after.kind === 'answer' && after.value?.executable) return { build: after.value.executable.number };
        if (after.kind === 'answer' && cancelled) {
          return { kind: 'interrupted', text: 'it was cancelled; Jenkins had not begun' };
        }
        if (after.kind === 'answer') {
          const text = `the build waited longer than ${duration(config.timeoutMs)} in the queue and was taken out of it`;
          return { kind: 'failed', code: 'timeout', text };
        }
      }
      await clock.sleep(pace.next(), cancelled ? never : run.signal);
    }
  }

  async function followBuild(rollout: Rollout, number: number): Promise<TargetOutcome> {
    const { job, jenkins, run } = rollout;
    const name = `build ${number} of ${job} (${config.url}${jobPath(job)}/${number}/)`;
    const console = createConsole(jenkins, number, rollout.handle.told, run);
    const pace = createPace(FIRST_POLL_MS, LAST_POLL_MS);
    if (rollout.handle.build === undefined) run.progress({ text: `Build ${number} runs` });
    await remember(rollout, { build: number });
    let rememberedAt = now();
    let stopping: { readonly why: 'cancel' | 'timeout'; readonly until: number } | undefined;
    for (;;) {
      const build = await patiently(patienceOf(rollout), () => jenkins.build(number));
      if (build.kind === 'answer') {
        const { value } = build;
        await console.read();
        run.progress(progressOf(value, now()));
        if (!value.building && value.result) {
          for (let tries = 0; tries < 5; tries += 1) {
            const { more, trouble } = await console.read();
            if (!more && !trouble) break;
            await clock.sleep(FIRST_POLL_MS, never);
          }
          await console.end().catch(() => undefined);
          await remember(rollout, { told: console.told() });
          if (stopping === undefined || value.result === 'SUCCESS') return outcomeOf(value.result, name);
          if (stopping.why === 'cancel') return { kind: 'interrupted', text: `it was cancelled; ${name} was stopped` };
          return {
            kind: 'failed',
            code: 'timeout',
            text: `${name} took longer than ${duration(config.timeoutMs)} and was stopped`,
          };
        }
      }
      if (now() - rememberedAt > REMEMBER_EVERY_MS) {
        rememberedAt = now();
        await remember(rollout, { told: console.told() });
      }
      if (stopping === undefined) {
        if (run.signal.aborted && !isCancelled(run.signal)) {
          await remember(rollout, { told: console.told() });
          return stoppedOutcome(run, `while ${name} ran`);
        }
        const why = isCancelled(run.signal) ? 'cancel' : left(rollout.handle) === 0 ? 'timeout' : undefined;
        if (why !== undefined) {
          run.progress({ text: `Stopping build ${number}` });
          const stopped = await patiently(patienceOf(rollout), () => jenkins.stopBuild(number));
          if (stopped.kind === 'answer') stopping = { why, until: now() + STOP_MS };
          pace.hurry();
        }
      } else if (now() > stopping.until) {
        const text = `${name} was told to stop and did not end; look there`;
        return stopping.why === 'cancel' ? { kind: 'interrupted', text } : { kind: 'failed', code: 'timeout', text };
      }
      await clock.sleep(pace.next(), run.signal.aborted ? never : run.signal);
    }
  }

  async function current(service: string, environment: string): Promise<Live | 'unsupported' | undefined> {
    if (versionParameter === undefined) return 'unsupported';
    const values = { service, environment };
    const fixed = Object.entries(filled(values)).filter(([, text]) => !/\{(version|deployment)\}/.test(text));
    const jenkins = createJenkins(rest, jobOf(values));
    const builds = await clearly(() => jenkins.builds(LOOKED_AT));
    const here = builds.filter(
      (build) =>
        build.actions.has(versionParameter) &&
        // A parameter that the job does not have says nothing.
        fixed.every(([name, text]) => (build.actions.get(name) ?? text) === text),
    );
    const good = here.find(({ result, building }) => result === 'SUCCESS' && !building);
    const version = good?.actions.get(versionParameter);
    if (good !== undefined && version !== undefined && version !== '') {
      return { version, since: new Date(good.timestamp + good.duration) };
    }
    if (builds.length < LOOKED_AT) return undefined;
    throw new TargetUnclear(`none of the last ${LOOKED_AT} builds in Jenkins deployed ${service} to ${environment}`);
  }

  /** The choices of the parameter that takes the version, if they are the same everywhere. */
  async function versions(): Promise<readonly string[] | 'unsupported'> {
    if (versionParameter === undefined || config.job.includes('{environment}')) return 'unsupported';
    const jenkins = createJenkins(rest, jobOf({ service: options.service }));
    return (await clearly(() => jenkins.job())).parameters.get(versionParameter) ?? 'unsupported';
  }

  return { kind: 'jenkins', deploy, resume, current, versions, settle: async () => undefined };
}

/** A robot that is being stopped leaves what may have begun to whoever takes it up. */
function endedBy(error: unknown, run: TargetRun, otherwise = failureOf): TargetOutcome {
  const passing = isPassing(error) || (error instanceof RestProblem && error.kind === 'stopped');
  return run.signal.aborted && passing ? stoppedOutcome(run, 'before Jenkins had answered') : otherwise(error);
}

function stoppedOutcome({ signal }: TargetRun, when: string): TargetOutcome {
  const text = isCancelled(signal) ? `it was cancelled ${when}` : `the robot was stopped ${when}`;
  return { kind: 'interrupted', text };
}

/** By the time that Jenkins expects; the last percent is for the end. */
function progressOf({ timestamp, estimatedDuration }: Build, at: number): { percent?: number } {
  if (estimatedDuration <= 0 || timestamp <= 0) return {};
  return { percent: Math.max(0, Math.min(99, Math.round(((at - timestamp) / estimatedDuration) * 100))) };
}
