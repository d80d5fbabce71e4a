/** A target on GitHub. */

import { z } from 'zod';
import type { GithubTargetConfig } from '../../domain/deploy/targets/github.ts';
import { duration, strict, variable } from '../fields.ts';
import { placeholders } from './address.ts';
import { serverUrl, versionsFrom } from './forge.ts';

const text = placeholders(['service', 'environment', 'version', 'marker']);

/** See docs/guide/targets/github.md. */
export const githubTarget = strict({
  kind: z.literal('github').describe('Deploys through GitHub'),
  mode: z
    .enum(['workflow', 'deployment'])
    .describe(
      '`workflow` runs a workflow of Actions; `deployment` creates a Deployment that something else carries out',
    ),
  repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'a repository looks like owner/name'),
  url: serverUrl
    .default('https://api.github.com')
    .describe('The REST API; of an Enterprise Server `https://HOST/api/v3`'),
  token_from: variable.default('GITHUB_TOKEN').describe('The variable that holds the token'),
  environment: placeholders(['service', 'environment'])
    .default('{environment}')
    .describe('The name of the environment on GitHub'),
  versions: versionsFrom,
  timeout: duration
    .default(30 * 60_000)
    .describe('What takes longer is cancelled; thirty minutes unless said otherwise'),
  workflow: z
    .string()
    .regex(/^[\w.-]+$/, 'the name of a file in .github/workflows is expected')
    .optional()
    .describe('With `workflow`: the file, `deploy.yml`'),
  ref: text.default('{version}').describe('With `workflow`: the branch or tag that the workflow runs on'),
  inputs: z
    .record(z.string(), text)
    .default({})
    .describe('With `workflow`: its inputs; `{service}`, `{environment}`, `{version}`, `{marker}` are filled in'),
  task: z.string().min(1).max(100).default('deploy').describe('With `deployment`: its task'),
  required_contexts: z
    .array(z.string())
    .optional()
    .describe('With `deployment`: the checks that must have passed; all of them unless given'),
})
  .check((context) => {
    if (context.value.mode !== 'workflow' || context.value.workflow !== undefined) return;
    context.issues.push({
      code: 'custom',
      message: 'name the workflow, for example deploy.yml',
      path: ['workflow'],
      input: context.value.workflow,
    });
  })
  .transform((target): GithubTargetConfig => {
    const [owner = '', repository = ''] = target.repository.split('/');
    return {
      kind: 'github',
      url: target.url,
      owner,
      repository,
      tokenFrom: target.token_from,
      environment: target.environment,
      versions: target.versions,
      timeoutMs: target.timeout,
      how:
        target.mode === 'workflow'
          ? { mode: 'workflow', workflow: target.workflow ?? '', ref: target.ref, inputs: target.inputs }
          : {
              mode: 'deployment',
              task: target.task,
              ...(target.required_contexts === undefined ? {} : { requiredContexts: target.required_contexts }),
            },
    };
  });
