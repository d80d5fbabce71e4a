/** What GitHub answers, parsed once. Only what is used is looked at. docs.github.com/rest */

import { z } from 'zod';
import { readerOf } from '../../rest/schema.ts';

const reader = readerOf('GitHub', 'check that the url in config/services.yaml is that of the API');

const id = z.number().int().positive();
const date = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const run = z.object({
  id,
  status: z.string().nullable(),
  conclusion: z.string().nullable(),
  html_url: z.string(),
  event: z.string(),
  head_branch: z.string().nullable(),
  display_title: z.string().default(''),
});

const step = z.object({ name: z.string(), status: z.string(), conclusion: z.string().nullable(), number: z.number() });

const job = z.object({
  id,
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
  steps: z.array(step).default([]),
});

const deployment = z.object({
  id,
  ref: z.string(),
  created_at: date,
  payload: z.unknown(),
});

const status = z.object({
  state: z.string(),
  description: z.string().nullish(),
  log_url: z.string().nullish(),
  target_url: z.string().nullish(),
  created_at: date,
});

export type WorkflowRun = z.infer<typeof run>;
export type WorkflowJob = z.infer<typeof job>;
export type RepositoryDeployment = z.infer<typeof deployment>;
export type DeploymentStatus = z.infer<typeof status>;

/** What the robot writes into the payload of a deployment. */
const payload = z.object({ shipmate: z.object({ marker: z.string(), version: z.string() }) });

const workflowHandle = z.object({
  mode: z.literal('workflow'),
  marker: z.string(),
  ref: z.string(),
  /** The newest run before. */
  after: z.number().int().min(0),
  startedAt: date,
  run: id.optional(),
});

const deploymentHandle = z.object({
  mode: z.literal('deployment'),
  marker: z.string(),
  startedAt: date,
  deployment: id.optional(),
});

const handle = z.discriminatedUnion('mode', [workflowHandle, deploymentHandle]);

export type WorkflowHandle = z.infer<typeof workflowHandle>;
export type DeploymentHandle = z.infer<typeof deploymentHandle>;

/** What was remembered of a rollout; undefined if this version of the robot did not write it. */
export function parseHandle(value: unknown): WorkflowHandle | DeploymentHandle | undefined {
  return handle.safeParse(value).data;
}

export const parseRun = reader(run);
export const parseRuns = reader(z.object({ workflow_runs: z.array(run) }).transform((page) => page.workflow_runs));
export const parseJobs = reader(z.object({ jobs: z.array(job) }).transform((page) => page.jobs));
/** The answer to a dispatch; undefined where a server answers nothing. */
export const parseDispatched = reader(z.object({ workflow_run_id: id }).optional().catch(undefined));
export const parseDeployment = reader(deployment);
export const parseDeployments = reader(z.array(deployment));
export const parseStatuses = reader(z.array(status));
export const parseTags = reader(z.array(z.object({ name: z.string() })));
export const parseReleases = reader(
  z.array(
    z.object({
      tag_name: z.string(),
      draft: z.boolean(),
      prerelease: z.boolean(),
      published_at: date.nullable(),
    }),
  ),
);

/** What the robot noted when it created the deployment; undefined if somebody else did. */
export function noteOf({ payload: raw }: RepositoryDeployment): { marker: string; version: string } | undefined {
  return payload.safeParse(typeof raw === 'string' ? json(raw) : raw).data?.shipmate;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
