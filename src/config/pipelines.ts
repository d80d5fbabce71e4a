/** `pipelines` of a service in `config/services.yaml`: with which token its pipelines are run again. */

import { z } from 'zod';
import type { PipelineAccess } from '../domain/pipelines/access.ts';
import { strict, variable } from './fields.ts';
import { serverUrl } from './targets/forge.ts';

const knownAs = z
  .string()
  .regex(/^[\w.-]+(:\d+)?$/, 'a host is expected, such as ci.example.com')
  .optional()
  .describe('The host in the links of its hooks, where that is another one than in `url`');

const github = strict({
  kind: z.literal('github').describe('Its workflows run in GitHub Actions'),
  url: serverUrl
    .default('https://api.github.com')
    .describe('The REST API; of an Enterprise Server `https://HOST/api/v3`'),
  token_from: variable.default('GITHUB_TOKEN').describe('The variable that holds the token'),
  known_as: knownAs,
}).transform(
  ({ kind, url, token_from: tokenFrom, known_as: host }): PipelineAccess => ({ kind, url, tokenFrom, ...named(host) }),
);

const gitlab = strict({
  kind: z.literal('gitlab').describe('Its pipelines run in GitLab'),
  url: serverUrl.default('https://gitlab.com').describe('Where GitLab is'),
  token_from: variable.default('GITLAB_TOKEN').describe('The variable that holds the access token'),
  project: z
    .union([z.string().regex(/^[\w.-]+(?:\/[\w.-]+)+$/, 'a project looks like group/name'), z.int().positive()])
    .transform(String)
    .optional()
    .describe('The path of the project or its number; `repository` unless given'),
  known_as: knownAs,
}).transform(
  ({ kind, url, token_from: tokenFrom, project, known_as: host }): PipelineAccess => ({
    kind,
    url,
    tokenFrom,
    ...(project === undefined ? {} : { project }),
    ...named(host),
  }),
);

const jenkins = strict({
  kind: z.literal('jenkins').describe('Jobs of Jenkins build it'),
  url: serverUrl.describe('Where Jenkins is, for example `https://ci.example.com/jenkins`'),
  user: z
    .string()
    .regex(/^[^:\p{Cc}]+$/u, 'the name of a user is expected')
    .describe('Whom the token belongs to'),
  token_from: variable.default('JENKINS_TOKEN').describe('The variable that holds the API token'),
  jobs: z
    .array(z.string().regex(/^[^/\s](?:[^\p{Cc}]*[^/\s])?$/u, 'the path of a job looks like folder/job'))
    .min(1)
    .describe('The jobs that may be built again, with their folders: `platform/build-web`'),
  known_as: knownAs,
}).transform(
  ({ kind, url, user, token_from: tokenFrom, jobs, known_as: host }): PipelineAccess => ({
    kind,
    url,
    user,
    tokenFrom,
    jobs,
    ...named(host),
  }),
);

/** See docs/guide/pipelines.md. */
export const pipelineAccess = z.discriminatedUnion('kind', [github, gitlab, jenkins]);

function named(host: string | undefined): { readonly knownAs?: string } {
  return host === undefined ? {} : { knownAs: host };
}
