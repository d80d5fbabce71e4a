/**
 * A pipeline of GitLab: created once, found again, followed to its end.
 * docs.gitlab.com/api/pipelines, /api/pipeline_triggers, /api/jobs
 */

import type { Clock } from '../../../domain/deploy/ports.ts';
import type { TargetOutcome, TargetRequest, TargetRun } from '../../../domain/deploy/target.ts';
import type { GitlabTargetConfig } from '../../../domain/deploy/targets/gitlab.ts';
import { oneLine } from '../../one-line.ts';
import { path, type Rest } from '../../rest/client.ts';
import { RestProblem } from '../../rest/problem.ts';
import { unlessCancelled } from '../http/failure.ts';
import { fill, fillAll, markerOf, valuesOf } from '../http/fill.ts';
import { follow, type Look } from '../http/follow.ts';
import { once } from '../http/once.ts';
import { showTail } from '../http/tail.ts';
import {
  type Pipeline,
  type PipelineHandle,
  type PipelineJob,
  parseJobs,
  parsePipeline,
  parsePipelines,
  parseVariables,
} from './schema.ts';

export interface PipelineOptions {
  readonly rest: Rest;
  readonly config: GitlabTargetConfig;
  /** The pipeline trigger token, where one is used. */
  readonly trigger: string | undefined;
  readonly clock: Clock;
}

/** The variable by which a pipeline is known to be of one deployment. */
const MARKER = 'SHIPMATE_DEPLOYMENT';
const PATIENCE_MS = 10 * 60_000;
const LOOKS_MS = [1_000, 2_000, 4_000];
const LOG_LINES = 80;
const LOGS = 3;
const ENDED = ['success', 'failed', 'canceled', 'skipped'];

export async function runPipeline(
  options: PipelineOptions,
  request: TargetRequest,
  run: TargetRun,
): Promise<TargetOutcome> {
  const { rest, config, trigger, clock } = options;
  const startedAt = clock.now();
  const marker = markerOf(request, startedAt);
  const values = valuesOf(request, marker);
  const ref = fill(config.ref, values);
  const after = Math.max(0, ...(await newestPipelines(options, run.signal)).map(({ id }) => id));
  const handle: PipelineHandle = { marker, ref, after, startedAt };
  await run.remember(handle);
  run.progress({ text: `Starting a pipeline on ${ref}` });

  // Projects may forbid variables; who sets none of their own shall not fail because of the robot's.
  const own = fillAll(config.variables, values);
  const variables = Object.keys(own).length === 0 ? {} : { ...own, [MARKER]: marker };
  const inputs = fillAll(config.inputs, values);

  const pipeline = await once({
    async send() {
      const answer = await rest.ask({
        method: 'POST',
        path:
          trigger === undefined
            ? path`/projects/${config.project}/pipeline`
            : path`/projects/${config.project}/trigger/pipeline`,
        body:
          trigger === undefined
            ? {
                ref,
                variables: Object.entries(variables).map(([key, value]) => ({ key, value })),
                ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
              }
            : formOf(trigger, ref, variables, inputs),
        // The token for triggers is all that GitLab wants here, and the other one may be for reading only.
        bare: trigger !== undefined,
        patienceMs: PATIENCE_MS,
        signal: run.signal,
        advice: {
          400: `check that ${ref} is a branch or tag of the project, that its pipeline has jobs for it, and who may set variables (Settings, CI/CD, Variables)`,
          403: `the token must be that of somebody who may run pipelines on ${ref}, with the scope “api”`,
          404: `check the project in config/services.yaml, and that the token${trigger === undefined ? '' : ' for triggers'} belongs to it`,
        },
      });
      return parsePipeline(answer.data);
    },
    find: async (signal) => await find(options, handle, signal),
    clock,
    signal: run.signal,
  });
  await run.remember({ ...handle, pipeline: pipeline.id });
  return await followPipeline(options, pipeline, handle, run);
}

/** Takes up what another process began. */
export async function resumePipeline(
  options: PipelineOptions,
  handle: PipelineHandle,
  run: TargetRun,
): Promise<TargetOutcome> {
  const { rest, config, clock } = options;
  const signal = unlessCancelled(run.signal);
  if (handle.pipeline !== undefined) {
    const answer = await rest.ask({
      path: path`/projects/${config.project}/pipelines/${handle.pipeline}`,
      patienceMs: PATIENCE_MS,
      signal,
    });
    return await followPipeline(options, parsePipeline(answer.data), handle, run);
  }
  for (const wait of LOOKS_MS) {
    await clock.sleep(wait, signal);
    const pipeline = await find(options, handle, signal);
    if (pipeline === undefined) continue;
    await run.remember({ ...handle, pipeline: pipeline.id });
    return await followPipeline(options, pipeline, handle, run);
  }
  return { kind: 'interrupted', text: 'the robot was stopped before GitLab had begun a pipeline' };
}

function formOf(
  token: string,
  ref: string,
  variables: Readonly<Record<string, string>>,
  inputs: Readonly<Record<string, string>>,
): URLSearchParams {
  const form = new URLSearchParams({ token, ref });
  for (const [key, value] of Object.entries(variables)) form.set(`variables[${key}]`, value);
  for (const [key, value] of Object.entries(inputs)) form.set(`inputs[${key}]`, value);
  return form;
}

async function newestPipelines(
  { rest, config, trigger }: PipelineOptions,
  signal: AbortSignal,
): Promise<readonly Pipeline[]> {
  const answer = await rest.ask({
    path: path`/projects/${config.project}/pipelines`,
    query: { source: trigger === undefined ? 'api' : 'trigger', order_by: 'id', sort: 'desc', per_page: 20 },
    patienceMs: PATIENCE_MS,
    signal,
  });
  return parsePipelines(answer.data);
}

/**
 * By the marker among its variables; where there are none, or they are not shown, the only new pipeline on that branch or tag.
 * @throws RestProblem when there are several
 */
async function find(
  options: PipelineOptions,
  handle: PipelineHandle,
  signal: AbortSignal,
): Promise<Pipeline | undefined> {
  const { rest, config } = options;
  const fresh = (await newestPipelines(options, signal)).filter(
    ({ id, ref }) => id > handle.after && ref === handle.ref,
  );
  let hidden = false;
  for (const pipeline of Object.keys(config.variables).length > 0 ? fresh : []) {
    try {
      const answer = await rest.ask({
        path: path`/projects/${config.project}/pipelines/${pipeline.id}/variables`,
        patienceMs: PATIENCE_MS,
        signal,
      });
      const found = parseVariables(answer.data).find(({ key }) => key === MARKER);
      if (found?.value === handle.marker) return pipeline;
    } catch (error) {
      // GitLab shows them to whoever began the pipeline, and to Maintainers.
      if (!(error instanceof RestProblem && error.kind === 'forbidden')) throw error;
      hidden = true;
    }
  }
  if (Object.keys(config.variables).length > 0 && !hidden) return undefined;
  const [one, another] = fresh;
  if (another === undefined) return one;
  throw new RestProblem(
    'conflict',
    `several pipelines began on ${handle.ref} at that time, and GitLab does not say which one is this; give the pipeline a variable in config/services.yaml and the token a role that may read it, then it will tell`,
  );
}

async function followPipeline(
  options: PipelineOptions,
  { id, web_url }: Pipeline,
  handle: PipelineHandle,
  run: TargetRun,
): Promise<TargetOutcome> {
  const { rest, config, clock } = options;
  const where = path`/projects/${config.project}/pipelines/${id}`;
  const lookAtPipeline = rest.watch({ path: where, patienceMs: 60_000 });
  const lookAtJobs = rest.watch({ path: `${where}/jobs`, query: { per_page: 100 }, patienceMs: 60_000 });
  const lookAtBridges = rest.watch({ path: `${where}/bridges`, query: { per_page: 100 } });
  let shown = '';
  run.progress({ text: `Pipeline ${id}: ${oneLine(web_url)}` });

  /** Jobs of pipelines further down are in none of the lists; a bridge stands for them. It is shown, and no more. */
  async function bridges(signal: AbortSignal): Promise<readonly PipelineJob[]> {
    try {
      return parseJobs((await lookAtBridges(signal)).data);
    } catch (error) {
      if (!(error instanceof RestProblem) || error.kind === 'stopped') throw error;
      return [];
    }
  }

  async function look(signal: AbortSignal): Promise<Look> {
    const pipeline = parsePipeline((await lookAtPipeline(signal)).data);
    const jobs = parseJobs((await lookAtJobs(signal)).data);
    const done = jobs.filter(({ status }) => ENDED.includes(status)).length;
    const working = jobs.some(({ status }) => status === 'running');
    const further = pipeline.status === 'running' && !working ? await bridges(signal) : [];
    const text = stateInWords(pipeline, [...jobs, ...further]);
    const changed = `${text} ${done}` !== shown;
    if (changed) {
      const percent = jobs.length === 0 ? {} : { percent: Math.floor((done / jobs.length) * 100) };
      run.progress(shown.startsWith(`${text} `) ? percent : { text, ...percent });
      shown = `${text} ${done}`;
    }
    if (!ENDED.includes(pipeline.status)) return { changed };
    return { changed, outcome: await ended(options, pipeline, jobs, run, signal) };
  }

  return await follow({
    name: 'GitLab',
    look,
    // Cancelling what has ended changes nothing.
    async stop() {
      await rest.ask({ method: 'POST', path: `${where}/cancel`, repeatable: true, patienceMs: 60_000 });
      return 'stopping';
    },
    run,
    clock,
    startedAt: handle.startedAt,
    timeoutMs: config.timeoutMs,
  });
}

function stateInWords(pipeline: Pipeline, jobs: readonly PipelineJob[]): string {
  const names = (status: string) =>
    jobs
      .filter((job) => job.status === status)
      .slice(0, 3)
      .map(({ name }) => oneLine(name))
      .join(', ');
  if (pipeline.status === 'manual') return `Waiting on GitLab for somebody to start ${names('manual') || 'a job'}`;
  if (pipeline.status === 'waiting_for_resource') return 'Waiting on GitLab for another deployment to end';
  if (ENDED.includes(pipeline.status)) return 'The pipeline has ended';
  return names('running') || 'Waiting for a runner';
}

/** How the pipeline ended, with the ends of the logs of what failed. */
async function ended(
  { rest, config }: PipelineOptions,
  pipeline: Pipeline,
  jobs: readonly PipelineJob[],
  run: TargetRun,
  signal: AbortSignal,
): Promise<TargetOutcome> {
  if (pipeline.status === 'success') return { kind: 'succeeded' };
  const failed = jobs.filter(({ status, allow_failure }) => status === 'failed' && !allow_failure);
  for (const job of failed.slice(0, LOGS)) {
    await showTail(
      rest,
      { path: path`/projects/${config.project}/jobs/${job.id}/trace`, patienceMs: 30_000, signal },
      `The log of the job ${oneLine(job.name)}`,
      LOG_LINES,
      (line) => run.output(line.replace(/^section_(?:start|end):\d+:\S*\s?/, '')),
    );
  }
  const text = await whyNot(rest, config, pipeline, failed, signal);
  return { kind: 'failed', code: pipeline.status, text: `${text}: ${oneLine(pipeline.web_url)}` };
}

/** docs.gitlab.com/api/jobs: `failure_reason` */
const REASONS: Readonly<Record<string, string>> = {
  script_failure: 'its script failed',
  job_execution_timeout: 'it took too long',
  stuck_or_timeout_failure: 'no runner took it, or it took too long',
  runner_system_failure: 'the runner failed',
  runner_unsupported: 'the runner cannot run it',
  missing_dependency_failure: 'an artifact that it needs is missing',
  stale_schedule: 'it was planned too long ago',
  unmet_prerequisites: 'what it needs was not met',
  protected_environment_failure: 'the token may not deploy to this protected environment',
  failed_outdated_deployment_job: 'a newer deployment was made in the meantime',
  ci_quota_exceeded: 'no compute minutes are left',
};

async function whyNot(
  rest: Rest,
  config: GitlabTargetConfig,
  pipeline: Pipeline,
  failed: readonly PipelineJob[],
  signal: AbortSignal,
): Promise<string> {
  const [job] = failed;
  if (job !== undefined) {
    const reason = job.failure_reason ?? '';
    const because = reason === '' ? '' : `, because ${REASONS[reason] ?? oneLine(reason)}`;
    const more = failed.length > 1 ? `, and ${failed.length - 1} more` : '';
    const stage = job.stage === '' ? '' : ` of the stage ${oneLine(job.stage)}`;
    return `the job “${oneLine(job.name)}”${stage} failed${because}${more}`;
  }
  if (pipeline.status === 'canceled') return 'the pipeline was cancelled on GitLab';
  if (pipeline.status === 'skipped') return 'the pipeline was skipped';
  try {
    const answer = await rest.ask({
      path: path`/projects/${config.project}/pipelines/${pipeline.id}/bridges`,
      query: { per_page: 100 },
      signal,
    });
    const bridge = parseJobs(answer.data).find(({ status, allow_failure }) => status === 'failed' && !allow_failure);
    if (bridge !== undefined) {
      const url = bridge.downstream_pipeline?.web_url ?? '';
      const link = url === '' ? '' : ` (${oneLine(url)})`;
      return `the pipeline that “${oneLine(bridge.name)}” starts failed${link}`;
    }
  } catch (error) {
    if (!(error instanceof RestProblem)) throw error;
  }
  return 'the pipeline failed';
}
