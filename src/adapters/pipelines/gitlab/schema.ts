/**
 * Webhook events of GitLab. Strict in what is used, indifferent to everything else.
 * https://docs.gitlab.com/user/project/integrations/webhook_events/
 */

import { z } from 'zod';
import type { JobState, PipelineReport, RunState } from '../../../domain/pipelines/ports.ts';

const id = z.number().int().nonnegative();
const optionalText = z.string().nullish();

/** `2016-08-12 15:23:28 UTC`, `2021-04-28 21:50:00 +0200`, or ISO 8601: GitLab writes all of them. */
const time = z.string().transform((text, context): Date => {
  const iso = text
    .replace(/^(\d{4}-\d\d-\d\d) (?=\d)/, '$1T')
    .replace(/ ?UTC$/, 'Z')
    .replace(/ ?([+-]\d\d):?(\d\d)$/, '$1:$2');
  const at = new Date(/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(iso) ? iso : Number.NaN);
  if (!Number.isNaN(at.getTime())) return at;
  context.addIssue({ code: 'custom', message: 'not a moment' });
  return z.NEVER;
});

const yes = z
  .boolean()
  .nullish()
  .transform((value) => value === true);

const project = z.object({ path_with_namespace: z.string().min(1), web_url: z.string() });
const user = z.object({ name: optionalText, username: optionalText }).nullish();

const pipeline = z.object({
  object_kind: z.literal('pipeline'),
  project,
  user,
  commit: z.object({ message: optionalText, title: optionalText }).nullish(),
  object_attributes: z.object({
    id,
    name: optionalText,
    ref: z.string(),
    tag: yes,
    sha: z.string(),
    status: z.string(),
    url: optionalText,
    created_at: time,
    finished_at: time.nullish(),
  }),
  builds: z
    .array(
      z.object({
        id,
        stage: optionalText,
        name: z.string(),
        status: z.string(),
        allow_failure: yes,
        failure_reason: optionalText,
        created_at: time.nullish(),
        started_at: time.nullish(),
        finished_at: time.nullish(),
      }),
    )
    .nullish()
    .transform((builds) => builds ?? []),
});

const build = z.object({
  object_kind: z.literal('build'),
  project: project.nullish(),
  repository: z.object({ homepage: z.string() }),
  pipeline_id: id,
  build_id: id,
  build_name: z.string(),
  build_stage: optionalText,
  build_status: z.string(),
  build_allow_failure: yes,
  build_failure_reason: optionalText,
  build_created_at: time.nullish(),
  build_started_at: time.nullish(),
  build_finished_at: time.nullish(),
  ref: z.string(),
  tag: yes,
  sha: z.string(),
});

const deployment = z.object({
  object_kind: z.literal('deployment'),
  project,
  user,
  deployment_id: id,
  status: z.string(),
  status_changed_at: time.nullish(),
  environment: z.string(),
  ref: optionalText,
  short_sha: z.string(),
  commit_title: optionalText,
  deployable_url: optionalText,
});

/** Before every time that a report may name: whatever is said of the thing itself is newer. */
const BEFORE_ALL = new Date(0);

/** One line a kind that is used; every other kind is taken and nothing comes of it. */
const KINDS: Readonly<Record<string, z.ZodType<PipelineReport>>> = {
  pipeline: pipeline.transform(ofPipeline),
  build: build.transform(ofBuild),
  deployment: deployment.transform(ofDeployment),
};

const any = z.object({ object_kind: z.string() });

/** A sentence that says what is wrong with an event; undefined if it can be taken. */
export function eventProblem(content: unknown): string | undefined {
  const kind = any.safeParse(content);
  if (!kind.success) return 'This is no event of GitLab: object_kind is missing.';
  const parsed = schemaOf(kind.data.object_kind)?.safeParse(content);
  if (!parsed || parsed.success) return undefined;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'the body';
  return `This is no ${kind.data.object_kind} event of GitLab: ${where}: ${issue?.message ?? 'not understood'}.`;
}

/**
 * What an event says; undefined if it is not about pipelines.
 *
 * @throws Error if it is not what it says it is
 */
export function reportOf(content: unknown): PipelineReport | undefined {
  return schemaOf(any.parse(content).object_kind)?.parse(content);
}

/** Whether anything comes of events of that kind. */
export function isUsed(content: unknown): boolean {
  const kind = any.safeParse(content).data?.object_kind;
  return kind !== undefined && schemaOf(kind) !== undefined;
}

function schemaOf(kind: string): z.ZodType<PipelineReport> | undefined {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
}

function ofPipeline(event: z.infer<typeof pipeline>): PipelineReport {
  const { project, user, commit, builds, object_attributes: of } = event;
  const by = user?.username || user?.name;
  const title = commit?.title || commit?.message;
  const state = stateOf(of.status);
  const started = builds.flatMap(({ started_at: at }) => at ?? []);
  return {
    run: {
      source: 'gitlab',
      run: keyOf(project.web_url, 'pipeline', of.id),
      kind: 'pipeline',
      repository: project.path_with_namespace,
      name: of.name || 'pipeline',
      number: String(of.id),
      branch: of.ref,
      commit: of.sha,
      state,
      url: of.url || `${project.web_url}/-/pipelines/${of.id}`,
      round: 1,
      // GitLab does not say when it says it; the latest of all that has happened does.
      at: latest([of.created_at, of.finished_at, ...builds.map(momentOf)]),
      startedAt: started.reduce((first, at) => (at < first ? at : first), started[0] ?? of.created_at),
      ...(of.tag ? { version: of.ref } : {}),
      ...(title ? { title } : {}),
      ...(by ? { by } : {}),
      ...(of.finished_at && ended(state) ? { finishedAt: of.finished_at } : {}),
    },
    jobs: builds.map((job) => ({
      id: String(job.id),
      name: job.name,
      state: jobState(job.status, job.allow_failure),
      url: `${project.web_url}/-/jobs/${job.id}`,
      round: 1,
      at: momentOf(job),
      ...(job.stage ? { stage: job.stage } : {}),
      ...failure(job.status, job.failure_reason),
    })),
  };
}

function ofBuild(event: z.infer<typeof build>): PipelineReport {
  const address = event.project?.web_url ?? event.repository.homepage;
  const path = URL.parse(event.repository.homepage)?.pathname.replace(/^\/+|\/+$/g, '');
  return {
    run: {
      source: 'gitlab',
      run: keyOf(address, 'pipeline', event.pipeline_id),
      kind: 'pipeline',
      repository: event.project?.path_with_namespace ?? (path || event.repository.homepage),
      name: 'pipeline',
      number: String(event.pipeline_id),
      branch: event.ref,
      commit: event.sha,
      state: 'running',
      url: `${address}/-/pipelines/${event.pipeline_id}`,
      round: 1,
      at: BEFORE_ALL,
      ...(event.tag ? { version: event.ref } : {}),
    },
    jobs: [
      {
        id: String(event.build_id),
        name: event.build_name,
        state: jobState(event.build_status, event.build_allow_failure),
        url: `${address}/-/jobs/${event.build_id}`,
        round: 1,
        at: latest([event.build_created_at, event.build_started_at, event.build_finished_at]),
        ...(event.build_stage ? { stage: event.build_stage } : {}),
        ...failure(event.build_status, event.build_failure_reason),
      },
    ],
  };
}

function ofDeployment(event: z.infer<typeof deployment>): PipelineReport {
  const { project, user } = event;
  const by = user?.username || user?.name;
  const state = stateOf(event.status);
  return {
    run: {
      source: 'gitlab',
      run: keyOf(project.web_url, 'deployment', event.deployment_id),
      kind: 'deployment',
      repository: project.path_with_namespace,
      name: 'deploy',
      commit: event.short_sha,
      environment: event.environment,
      state,
      url: event.deployable_url || `${project.web_url}/-/environments`,
      round: 1,
      at: event.status_changed_at ?? BEFORE_ALL,
      ...(event.ref ? { version: event.ref } : {}),
      ...(event.commit_title ? { title: event.commit_title } : {}),
      ...(by ? { by } : {}),
      ...changed(ended(state), event.status_changed_at),
    },
    jobs: [],
  };
}

/** Of pipelines, jobs and deployments. One that is not known yet is under way. */
const STATE: Readonly<Record<string, RunState>> = {
  created: 'queued',
  waiting_for_resource: 'waiting',
  waiting_for_callback: 'waiting',
  preparing: 'queued',
  pending: 'queued',
  scheduled: 'waiting',
  manual: 'waiting',
  blocked: 'waiting',
  running: 'running',
  success: 'succeeded',
  failed: 'failed',
  canceling: 'running',
  canceled: 'cancelled',
  skipped: 'skipped',
};

function stateOf(status: string): RunState {
  return (Object.hasOwn(STATE, status) ? STATE[status] : undefined) ?? 'running';
}

function jobState(status: string, mayFail: boolean): JobState {
  const state = stateOf(status);
  return state === 'failed' && mayFail ? 'tolerated' : state;
}

/** `script_failure` as `script failure`. */
function failure(status: string, reason: string | null | undefined): { readonly step?: string } {
  return status === 'failed' && reason ? { step: reason.replaceAll('_', ' ') } : {};
}

function changed(
  over: boolean,
  at: Date | null | undefined,
): { readonly startedAt?: Date; readonly finishedAt?: Date } {
  if (!at) return {};
  return over ? { finishedAt: at } : { startedAt: at };
}

function ended(state: RunState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled' || state === 'skipped';
}

function momentOf(job: z.infer<typeof pipeline>['builds'][number]): Date {
  return latest([job.created_at, job.started_at, job.finished_at]);
}

function latest(moments: readonly (Date | null | undefined)[]): Date {
  return moments.reduce<Date>((last, at) => (at && at > last ? at : last), BEFORE_ALL);
}

/** Ids are unique on one host only. */
function keyOf(projectUrl: string, kind: 'pipeline' | 'deployment', id: number): string {
  return `${URL.parse(projectUrl)?.host ?? 'gitlab'}/${kind}/${id}`;
}
