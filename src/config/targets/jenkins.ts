/** A target that starts a job of Jenkins and follows it. */

import { z } from 'zod';
import type { JenkinsTargetConfig } from '../../domain/deploy/targets/jenkins.ts';
import { duration, strict, variable } from '../fields.ts';
import { address, placeholders } from './address.ts';

const KNOWN = ['service', 'environment', 'version', 'deployment'] as const;

/** See docs/guide/targets/jenkins.md. */
export const jenkinsTarget = strict({
  kind: z.literal('jenkins').describe('Starts a job of Jenkins'),
  url: address.describe('Where Jenkins is, for example `https://ci.example.com/jenkins`'),
  job: placeholders(['service', 'environment'])
    .regex(/^[^/\s](?:[^\p{Cc}]*[^/\s])?$/u, 'the path of a job looks like folder/job, without “/” at the ends')
    .describe('The job, with its folders: `platform/deploy-web`; may hold `{service}` and `{environment}`'),
  user: z
    .string()
    .regex(/^[^:\p{Cc}]+$/u, 'the name of a user is expected')
    .describe('Whom the token belongs to'),
  token_from: variable.describe('The variable that holds the API token'),
  parameters: z
    .record(z.string().min(1), placeholders(KNOWN))
    .default({ SERVICE: '{service}', ENVIRONMENT: '{environment}', VERSION: '{version}', DEPLOYMENT: '{deployment}' })
    .describe('Parameters of the job; `{service}`, `{environment}`, `{version}`, `{deployment}` are filled in'),
  timeout: duration
    .default(30 * 60_000)
    .describe('A build that takes longer, its wait included, is stopped; thirty minutes unless said otherwise'),
}).transform(
  (target): JenkinsTargetConfig => ({
    kind: 'jenkins',
    url: target.url,
    job: target.job,
    user: target.user,
    tokenFrom: target.token_from,
    parameters: target.parameters,
    timeoutMs: target.timeout,
  }),
);
