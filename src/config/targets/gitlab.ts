/** A target on GitLab. */

import { z } from 'zod';
import type { GitlabTargetConfig } from '../../domain/deploy/targets/gitlab.ts';
import { duration, strict, variable } from '../fields.ts';
import { placeholders } from './address.ts';
import { serverUrl, versionsFrom } from './forge.ts';

const text = placeholders(['service', 'environment', 'version']);

/** See docs/guide/targets/gitlab.md. */
export const gitlabTarget = strict({
  kind: z.literal('gitlab').describe('Runs a pipeline of GitLab'),
  project: z
    .union([
      z.string().regex(/^[\w.-]+(?:\/[\w.-]+)+$|^\d+$/, 'a project looks like group/name, or is a number'),
      z.int().positive(),
    ])
    .transform(String)
    .describe('The path of the project with all groups, or its number'),
  url: serverUrl.default('https://gitlab.com').describe('Where GitLab is'),
  token_from: variable.default('GITLAB_TOKEN').describe('The variable that holds the access token'),
  trigger_from: variable
    .optional()
    .describe('The variable that holds a pipeline trigger token; then pipelines are triggered with that'),
  ref: text.default('{version}').describe('The branch or tag that the pipeline runs on'),
  variables: z
    .record(variable, text)
    .default({})
    .describe('Variables of the pipeline; `{service}`, `{environment}`, `{version}` are filled in'),
  inputs: z.record(z.string(), text).default({}).describe('Inputs of the pipeline, filled in likewise'),
  environment: placeholders(['service', 'environment'])
    .default('{environment}')
    .describe('The name of the environment on GitLab'),
  versions: versionsFrom,
  timeout: duration
    .default(30 * 60_000)
    .describe('A pipeline that takes longer is cancelled; thirty minutes unless said otherwise'),
}).transform(
  (target): GitlabTargetConfig => ({
    kind: 'gitlab',
    url: target.url,
    project: target.project,
    tokenFrom: target.token_from,
    ...(target.trigger_from === undefined ? {} : { triggerFrom: target.trigger_from }),
    ref: target.ref,
    variables: target.variables,
    inputs: target.inputs,
    environment: target.environment,
    versions: target.versions,
    timeoutMs: target.timeout,
  }),
);
