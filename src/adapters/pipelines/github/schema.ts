/**
 * Webhook events of GitHub. Strict in what is used, indifferent to everything else.
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */

import { z } from 'zod';
import type { JobState, PipelineReport, RunState } from '../../../domain/pipelines/ports.ts';

const id = z.number().int().nonnegative();
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
/** Older servers do not count them. */
const attempt = id.nullish().transform((value) => value ?? 1);
const optionalText = z.string().nullish();
const actor = z.object({ login: z.string() }).nullish();
const repository = z.object({ full_name: z.string().min(1), html_url: z.string() });

const workflowRun = z.object({
  repository,
  workflow: z.object({ name: optionalText }).nullish(),
  workflow_run: z.object({
    id,
    name: optionalText,
    path: optionalText,
    run_number: id,
    run_attempt: attempt,
    status: z.string(),
    conclusion: optionalText,
    head_branch: optionalText,
    head_sha: z.string(),
    head_commit: z.object({ message: z.string() }).nullish(),
    display_title: optionalText,
    html_url: z.string(),
    created_at: time,
    updated_at: time,
    run_started_at: time.nullish(),
    actor,
    triggering_actor: actor,
  }),
});

const workflowJob = z.object({
  repository,
  workflow_job: z.object({
    id,
    run_id: id,
    run_attempt: attempt,
    workflow_name: optionalText,
    name: z.string(),
    status: z.string(),
    conclusion: optionalText,
    head_branch: optionalText,
    head_sha: z.string(),
    html_url: optionalText,
    created_at: time.nullish(),
    started_at: time.nullish(),
    completed_at: time.nullish(),
    steps: z
      .array(z.object({ name: z.string(), conclusion: optionalText }))
      .nullish()
      .transform((steps) => steps ?? []),
  }),
});

const deployment = z.object({
  id,
  ref: z.string(),
  sha: z.string(),
  task: optionalText,
  environment: z.string(),
  description: optionalText,
  creator: actor,
  created_at: time,
});

const deploymentCreated = z.object({ repository, deployment });

const deploymentStatus = z.object({
  repository,
  deployment,
  deployment_status: z.object({
    state: z.string(),
    description: optionalText,
    log_url: optionalText,
    target_url: optionalText,
    created_at: time,
    updated_at: time,
  }),
});

/** Before every time that a report may name: whatever is said of the thing itself is newer. */
const BEFORE_ALL = new Date(0);

/** One line an event that is used; every other event is taken and nothing comes of it. */
const EVENTS: Readonly<Record<string, z.ZodType<PipelineReport | undefined>>> = {
  workflow_run: workflowRun.transform(ofRun),
  workflow_job: workflowJob.transform(ofJob),
  deployment: deploymentCreated.transform(ofDeployment),
  deployment_status: deploymentStatus.transform(ofStatus),
};

/** A sentence that says what is wrong with an event; undefined if it can be taken. */
export function eventProblem(event: string, content: unknown): string | undefined {
  if (event === '') return 'The header X-GitHub-Event is missing.';
  const parsed = schemaOf(event)?.safeParse(content);
  if (!parsed || parsed.success) return undefined;
  const [issue] = parsed.error.issues;
  return `This is no ${event} of GitHub: ${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'not understood'}.`;
}

/**
 * What an event says; undefined if it is not about pipelines.
 *
 * @throws Error if it is not what its name says
 */
export function reportOf(event: string, content: unknown): PipelineReport | undefined {
  return schemaOf(event)?.parse(content);
}

/** Whether anything comes of events of that name. */
export function isUsed(event: string): boolean {
  return schemaOf(event) !== undefined;
}

function schemaOf(event: string): z.ZodType<PipelineReport | undefined> | undefined {
  return Object.hasOwn(EVENTS, event) ? EVENTS[event] : undefined;
}

function ofRun({ repository, workflow, workflow_run: run }: z.infer<typeof workflowRun>): PipelineReport {
  const by = run.triggering_actor?.login ?? run.actor?.login;
  const state = stateOf(run.status, run.conclusion);
  const message = run.head_commit?.message || run.display_title;
  return {
    run: {
      source: 'github',
      run: keyOf(repository.html_url, 'run', run.id),
      kind: 'pipeline',
      repository: repository.full_name,
      name: run.name || workflow?.name || run.path || 'workflow',
      number: String(run.run_number),
      commit: run.head_sha,
      state,
      url: run.html_url,
      round: run.run_attempt,
      at: run.updated_at,
      startedAt: run.run_started_at ?? run.created_at,
      ...(run.head_branch ? { branch: run.head_branch } : {}),
      ...(message ? { title: message } : {}),
      ...(by === undefined ? {} : { by }),
      ...(run.status === 'completed' ? { finishedAt: run.updated_at } : {}),
      ...reason(run.conclusion),
    },
    jobs: [],
  };
}

function ofJob({ repository, workflow_job: job }: z.infer<typeof workflowJob>): PipelineReport {
  const step = job.steps.find(({ conclusion }) => isFailure(conclusion));
  return {
    run: {
      source: 'github',
      run: keyOf(repository.html_url, 'run', job.run_id),
      kind: 'pipeline',
      repository: repository.full_name,
      name: job.workflow_name || 'workflow',
      commit: job.head_sha,
      state: 'running',
      url: `${repository.html_url}/actions/runs/${job.run_id}`,
      round: job.run_attempt,
      at: BEFORE_ALL,
      ...(job.head_branch ? { branch: job.head_branch } : {}),
    },
    jobs: [
      {
        id: String(job.id),
        name: job.name,
        state: stateOf(job.status, job.conclusion),
        round: job.run_attempt,
        at: job.completed_at ?? job.started_at ?? job.created_at ?? BEFORE_ALL,
        ...(job.html_url ? { url: job.html_url } : {}),
        ...(step ? { step: step.name } : {}),
      },
    ],
  };
}

function ofDeployment(event: z.infer<typeof deploymentCreated>): PipelineReport {
  const { repository, deployment } = event;
  return {
    run: {
      source: 'github',
      run: keyOf(repository.html_url, 'deployment', deployment.id),
      kind: 'deployment',
      repository: repository.full_name,
      name: deployment.task || 'deploy',
      commit: deployment.sha,
      version: deployment.ref,
      environment: deployment.environment,
      state: 'queued',
      url: `${repository.html_url}/deployments`,
      round: 1,
      at: deployment.created_at,
      startedAt: deployment.created_at,
      ...(deployment.creator ? { by: deployment.creator.login } : {}),
    },
    jobs: [],
  };
}

function ofStatus(event: z.infer<typeof deploymentStatus>): PipelineReport | undefined {
  const { repository, deployment, deployment_status: status } = event;
  const state = DEPLOYMENT[status.state] ?? 'running';
  // Another deployment took its place; how this one ended is known already.
  if (status.state === 'inactive') return undefined;
  const { run } = ofDeployment({ repository, deployment });
  const url = status.log_url || status.target_url;
  const ended = state === 'succeeded' || state === 'failed';
  return {
    run: {
      ...run,
      state,
      at: status.updated_at,
      ...(url ? { url } : {}),
      ...(ended ? { finishedAt: status.updated_at } : {}),
      ...(state === 'failed' && status.description ? { problem: status.description } : {}),
    },
    jobs: [],
  };
}

/** https://docs.github.com/en/rest/deployments/statuses */
const DEPLOYMENT: Readonly<Record<string, RunState>> = {
  pending: 'queued',
  queued: 'queued',
  waiting: 'waiting',
  in_progress: 'running',
  success: 'succeeded',
  failure: 'failed',
  error: 'failed',
};

/** Of runs and jobs: https://docs.github.com/en/rest/actions/workflow-runs */
function stateOf(status: string, conclusion: string | null | undefined): RunState & JobState {
  if (status !== 'completed') {
    if (status === 'waiting' || status === 'action_required') return 'waiting';
    return status === 'queued' || status === 'requested' || status === 'pending' ? 'queued' : 'running';
  }
  if (isFailure(conclusion)) return 'failed';
  if (conclusion === 'cancelled') return 'cancelled';
  if (conclusion === 'action_required') return 'waiting';
  return conclusion === 'skipped' || conclusion === 'neutral' || conclusion === 'stale' ? 'skipped' : 'succeeded';
}

function isFailure(conclusion: string | null | undefined): boolean {
  return conclusion === 'failure' || conclusion === 'timed_out' || conclusion === 'startup_failure';
}

/** What failed that no job will tell of. */
function reason(conclusion: string | null | undefined): { readonly problem?: string } {
  if (conclusion === 'timed_out') return { problem: 'it took too long' };
  if (conclusion === 'startup_failure') return { problem: 'it could not start: look at the workflow file' };
  return {};
}

/** Ids are unique on one host only. */
function keyOf(repositoryUrl: string, kind: 'run' | 'deployment', id: number): string {
  return `${URL.parse(repositoryUrl)?.host ?? 'github'}/${kind}/${id}`;
}
