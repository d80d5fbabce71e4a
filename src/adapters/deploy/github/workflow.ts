/**
 * A workflow of GitHub Actions: dispatched once, found again, followed to its end.
 * docs.github.com/rest/actions/workflows, /workflow-runs, /workflow-jobs
 */

import type { Clock } from '../../../domain/deploy/ports.ts';
import type { TargetOutcome, TargetRequest, TargetRun } from '../../../domain/deploy/target.ts';
import type { GithubTargetConfig, GithubWorkflow } from '../../../domain/deploy/targets/github.ts';
import { oneLine } from '../../one-line.ts';
import { path, type Rest } from '../../rest/client.ts';
import { RestProblem } from '../../rest/problem.ts';
import { unlessCancelled } from '../http/failure.ts';
import { fill, fillAll, markerOf, valuesOf } from '../http/fill.ts';
import { follow, type Look } from '../http/follow.ts';
import { once } from '../http/once.ts';
import { showTail } from '../http/tail.ts';
import {
  parseDispatched,
  parseJobs,
  parseRun,
  parseRuns,
  type WorkflowHandle,
  type WorkflowJob,
  type WorkflowRun,
} from './schema.ts';

export interface WorkflowOptions {
  readonly rest: Rest;
  readonly config: GithubTargetConfig;
  readonly how: GithubWorkflow;
  readonly clock: Clock;
  readonly firstWaitMs?: number;
}

const PATIENCE_MS = 10 * 60_000;
/** A list of runs may lag behind what was dispatched. */
const LOOKS_MS = [1_000, 2_000, 4_000, 8_000, 15_000];
const LOG_LINES = 80;
const LOGS = 3;
const BAD = ['failure', 'timed_out', 'startup_failure'];

export async function runWorkflow(
  options: WorkflowOptions,
  request: TargetRequest,
  run: TargetRun,
): Promise<TargetOutcome> {
  const { rest, config, how, clock } = options;
  const startedAt = clock.now();
  const marker = markerOf(request, startedAt);
  const values = valuesOf(request, marker);
  const ref = fill(how.ref, values);
  const inputs = fillAll(how.inputs, values);
  const where = path`/repos/${config.owner}/${config.repository}/actions/workflows/${how.workflow}`;
  const after = Math.max(0, ...(await newestRuns(options, run.signal)).map(({ id }) => id));
  const handle: WorkflowHandle = { mode: 'workflow', marker, ref, after, startedAt };
  await run.remember(handle);
  run.progress({ text: `Starting ${how.workflow} on ${ref}` });

  /** Older servers of an enterprise do not know `return_run_details` (3.20 and before). */
  async function dispatch(details: boolean): Promise<number | undefined> {
    try {
      const answer = await rest.ask({
        method: 'POST',
        path: `${where}/dispatches`,
        body: { ref, inputs, ...(details ? { return_run_details: true } : {}) },
        patienceMs: PATIENCE_MS,
        signal: run.signal,
        advice: {
          403: `the token needs the permission “Actions: write” for ${config.owner}/${config.repository}`,
          404: `check repository and workflow in config/services.yaml, and that the token has the permission “Actions: write”`,
          422: `check that ${ref} is a branch or tag, that the workflow there has “on: workflow_dispatch”, and the names of its inputs`,
        },
      });
      return parseDispatched(answer.data)?.workflow_run_id;
    } catch (error) {
      const unknown = error instanceof RestProblem && error.kind === 'invalid' && /return_run_details/.test(error.said);
      if (details && unknown) return await dispatch(false);
      throw error;
    }
  }

  const begun = await once({
    send: async () => ({ id: await dispatch(true) }),
    async find(signal) {
      const id = await find(options, handle, signal);
      return id === undefined ? undefined : { id };
    },
    clock,
    signal: run.signal,
  });
  const id = begun.id ?? (await found(options, handle, unlessCancelled(run.signal)));
  if (id === undefined) {
    return {
      kind: 'interrupted',
      text: `GitHub took the request, but no run of ${how.workflow} has begun; look at the workflow on GitHub`,
    };
  }
  await run.remember({ ...handle, run: id });
  return await followRun(options, id, handle, run);
}

/** Takes up what another process began. */
export async function resumeWorkflow(
  options: WorkflowOptions,
  handle: WorkflowHandle,
  run: TargetRun,
): Promise<TargetOutcome> {
  const id = handle.run ?? (await found(options, handle, unlessCancelled(run.signal)));
  if (id === undefined) {
    return {
      kind: 'interrupted',
      text: `the robot was stopped before GitHub had begun a run of ${options.how.workflow}`,
    };
  }
  if (handle.run === undefined) await run.remember({ ...handle, run: id });
  return await followRun(options, id, handle, run);
}

async function newestRuns(
  { rest, config, how }: WorkflowOptions,
  signal: AbortSignal,
): Promise<readonly WorkflowRun[]> {
  const answer = await rest.ask({
    path: path`/repos/${config.owner}/${config.repository}/actions/workflows/${how.workflow}/runs`,
    query: { event: 'workflow_dispatch', per_page: 50 },
    patienceMs: PATIENCE_MS,
    signal,
    advice: {
      404: `check repository and workflow in config/services.yaml, and that the token in ${config.tokenFrom} may see them`,
    },
  });
  return parseRuns(answer.data);
}

/** The run of this deployment, looked for several times. */
async function found(
  options: WorkflowOptions,
  handle: WorkflowHandle,
  signal: AbortSignal,
): Promise<number | undefined> {
  for (const wait of [0, ...LOOKS_MS]) {
    await options.clock.sleep(wait, signal);
    const id = await find(options, handle, signal);
    if (id !== undefined) return id;
  }
  return undefined;
}

/**
 * By the marker in the name of the run, where the workflow shows it (`run-name`); else the only new run on that branch or tag.
 * @throws RestProblem when there are several
 */
async function find(
  options: WorkflowOptions,
  handle: WorkflowHandle,
  signal: AbortSignal,
): Promise<number | undefined> {
  const fresh = (await newestRuns(options, signal)).filter(({ id }) => id > handle.after);
  const marked = fresh.find((run) => run.display_title.includes(handle.marker));
  if (marked !== undefined) return marked.id;
  const [one, another] = fresh.filter(
    (run) => run.head_branch === handle.ref && !/\bshipmate-\d+-[0-9a-z]+/.test(run.display_title),
  );
  if (another === undefined) return one?.id;
  throw new RestProblem(
    'conflict',
    `several runs of ${options.how.workflow} began on ${handle.ref} at that time, and GitHub does not say which one is this; let an input hold {marker} and show it in “run-name”`,
  );
}

async function followRun(
  options: WorkflowOptions,
  id: number,
  handle: WorkflowHandle,
  run: TargetRun,
): Promise<TargetOutcome> {
  const { rest, config, clock } = options;
  const where = path`/repos/${config.owner}/${config.repository}/actions/runs/${id}`;
  const lookAtRun = rest.watch({ path: where, patienceMs: 60_000 });
  const lookAtJobs = rest.watch({
    path: `${where}/jobs`,
    query: { filter: 'latest', per_page: 100 },
    patienceMs: 60_000,
  });
  let linked = false;
  let shown = '';

  async function look(signal: AbortSignal): Promise<Look> {
    const state = parseRun((await lookAtRun(signal)).data);
    if (!linked) {
      linked = true;
      run.progress({ text: `Run ${id}: ${oneLine(state.html_url)}` });
    }
    const jobs = parseJobs((await lookAtJobs(signal)).data);
    const steps = jobs.flatMap((job) => job.steps);
    const done = steps.filter(({ status }) => status === 'completed').length;
    const text = stateInWords(state, jobs);
    const changed = `${text} ${done}` !== shown;
    if (changed) {
      const percent = steps.length === 0 ? {} : { percent: Math.floor((done / steps.length) * 100) };
      run.progress(shown.startsWith(`${text} `) ? percent : { text, ...percent });
      shown = `${text} ${done}`;
    }
    if (state.status !== 'completed') return { changed };
    return { changed, outcome: await ended(options, state, jobs, run, signal) };
  }

  return await follow({
    name: 'GitHub',
    look,
    async stop() {
      try {
        // 409: it has ended already.
        await rest.ask({ method: 'POST', path: `${where}/cancel`, repeatable: true, patienceMs: 60_000 });
      } catch (error) {
        if (!(error instanceof RestProblem && error.kind === 'conflict')) throw error;
      }
      return 'stopping';
    },
    run,
    clock,
    startedAt: handle.startedAt,
    timeoutMs: config.timeoutMs,
    ...(options.firstWaitMs === undefined ? {} : { firstWaitMs: options.firstWaitMs }),
  });
}

function stateInWords(run: WorkflowRun, jobs: readonly WorkflowJob[]): string {
  if (run.status === 'waiting') return 'Waiting on GitHub: the environment wants an approval, or a time to pass';
  const working = jobs.filter(({ status }) => status === 'in_progress');
  if (working.length === 0) return run.status === 'completed' ? 'The run has ended' : 'Waiting for a runner';
  return working
    .slice(0, 3)
    .map((job) => {
      const step = job.steps.find(({ status }) => status === 'in_progress');
      return oneLine(step === undefined ? job.name : `${job.name}: ${step.name}`);
    })
    .join(', ');
}

/** How the run ended, with the ends of the logs of what failed. */
async function ended(
  { rest, config }: WorkflowOptions,
  state: WorkflowRun,
  jobs: readonly WorkflowJob[],
  run: TargetRun,
  signal: AbortSignal,
): Promise<TargetOutcome> {
  const link = oneLine(state.html_url);
  if (state.conclusion === 'success') return { kind: 'succeeded' };
  const failed = jobs.filter((job) => BAD.includes(job.conclusion ?? ''));
  for (const job of failed.slice(0, LOGS)) {
    await showTail(
      rest,
      {
        path: path`/repos/${config.owner}/${config.repository}/actions/jobs/${job.id}/logs`,
        patienceMs: 30_000,
        signal,
      },
      `The log of the job ${oneLine(job.name)}`,
      LOG_LINES,
      (line) => run.output(line.replace(/^\uFEFF?\d{4}-\d\d-\d\dT[\d:.]+Z /, '')),
    );
  }
  const text = `${whyNot(state, failed)}: ${link}`;
  return { kind: 'failed', code: state.conclusion ?? 'unknown', text };
}

function whyNot(state: WorkflowRun, failed: readonly WorkflowJob[]): string {
  const [job] = failed;
  if (job !== undefined) {
    const step = job.steps.find(({ conclusion }) => BAD.includes(conclusion ?? ''));
    const more = failed.length > 1 ? `, and ${failed.length - 1} more` : '';
    const how = job.conclusion === 'timed_out' ? 'took too long' : 'failed';
    return `the job “${oneLine(job.name)}” ${how}${step === undefined ? '' : ` at the step “${oneLine(step.name)}”`}${more}`;
  }
  switch (state.conclusion) {
    case 'cancelled':
      return 'the run was cancelled on GitHub';
    case 'timed_out':
      return 'the run took longer than GitHub allows';
    case 'action_required':
      return 'somebody must approve the run on GitHub';
    case 'startup_failure':
      return 'GitHub could not start the run; the workflow may be wrong';
    case 'skipped':
      return 'all jobs of the run were skipped';
    default:
      return `the run ended as ${oneLine(state.conclusion ?? 'unknown')}`;
  }
}
