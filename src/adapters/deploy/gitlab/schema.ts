/** What GitLab answers, parsed once. Only what is used is looked at. docs.gitlab.com/api */

import { z } from 'zod';
import { readerOf } from '../../rest/schema.ts';

const reader = readerOf('GitLab', 'check the url in config/services.yaml');

const id = z.number().int().positive();
const date = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const pipeline = z.object({ id, status: z.string(), ref: z.string().nullish(), web_url: z.string().default('') });

const job = z.object({
  id,
  name: z.string(),
  stage: z.string().default(''),
  status: z.string(),
  allow_failure: z.boolean().default(false),
  failure_reason: z.string().nullish(),
  /** Of a bridge. */
  downstream_pipeline: z.object({ web_url: z.string().nullish() }).nullish(),
});

const deployment = z.object({
  id,
  ref: z.string(),
  created_at: date,
  updated_at: date.nullish(),
  deployable: z.object({ finished_at: date.nullish(), pipeline: z.object({ id }).nullish() }).nullish(),
});

export type Pipeline = z.infer<typeof pipeline>;
export type PipelineJob = z.infer<typeof job>;
export type ProjectDeployment = z.infer<typeof deployment>;

const handle = z.object({
  marker: z.string(),
  ref: z.string(),
  /** The newest pipeline before. */
  after: z.number().int().min(0),
  startedAt: date,
  pipeline: id.optional(),
});

export type PipelineHandle = z.infer<typeof handle>;

/** What was remembered of a rollout; undefined if this version of the robot did not write it. */
export function parseHandle(value: unknown): PipelineHandle | undefined {
  return handle.safeParse(value).data;
}

export const parsePipeline = reader(pipeline);
export const parsePipelines = reader(z.array(pipeline));
export const parseJobs = reader(z.array(job));
export const parseDeployments = reader(z.array(deployment));
export const parseVariables = reader(z.array(z.object({ key: z.string(), value: z.string().nullish() })));
export const parseTags = reader(z.array(z.object({ name: z.string() })));
export const parseReleases = reader(
  z.array(z.object({ tag_name: z.string(), upcoming_release: z.boolean().default(false) })),
);
