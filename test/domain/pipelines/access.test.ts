import { expect } from 'chai';
import type { GithubTargetConfig } from '../../../src/domain/deploy/targets/github.ts';
import type { GitlabTargetConfig } from '../../../src/domain/deploy/targets/gitlab.ts';
import type { JenkinsTargetConfig } from '../../../src/domain/deploy/targets/jenkins.ts';
import { type PipelineService, placeOf } from '../../../src/domain/pipelines/access.ts';

const github: GithubTargetConfig = {
  kind: 'github',
  url: 'https://api.github.com',
  owner: 'acme',
  repository: 'shop',
  tokenFrom: 'A',
  environment: '{environment}',
  versions: 'tags',
  timeoutMs: 1,
  how: { mode: 'workflow', workflow: 'deploy.yml', ref: '{version}', inputs: {} },
};
const gitlab: GitlabTargetConfig = {
  kind: 'gitlab',
  url: 'https://gitlab.example.com/sub',
  project: '12',
  tokenFrom: 'B',
  ref: '{version}',
  variables: {},
  inputs: {},
  environment: '{environment}',
  versions: 'tags',
  timeoutMs: 1,
};
const jenkins: JenkinsTargetConfig = {
  kind: 'jenkins',
  url: 'https://ci.example.com',
  job: 'deploy/{environment}/{service}',
  user: 'u',
  tokenFrom: 'C',
  parameters: {},
  timeoutMs: 1,
};
const builds = {
  kind: 'jenkins',
  url: 'https://ci.example.com/jenkins',
  user: 'u',
  tokenFrom: 'C',
  jobs: ['team/a b', 'deploy/staging/shop', 'deploy/x'],
} as const;

type Run = Parameters<typeof placeOf>[0];

function of(source: Run['source'], run: string, repository = 'acme/shop', kind: Run['kind'] = 'pipeline'): Run {
  return { source, run, repository, kind };
}

function told(run: Run, services: readonly PipelineService[]): string {
  const found = placeOf(run, services);
  if (found.kind === 'own') return `own ${found.service}`;
  if (found.kind === 'no-access') return 'none';
  const { place } = found;
  const what = place.kind === 'jenkins' ? place.job : place.kind === 'gitlab' ? place.project : place.repository;
  const deploys =
    place.kind === 'jenkins' ? '' : place.kind === 'gitlab' ? String(place.deploys) : JSON.stringify(place.deploys);
  return `${place.access.tokenFrom} ${what} ${place.run} ${deploys}`.trim();
}

describe('where a pipeline can be run again', () => {
  const shop: PipelineService = { name: 'shop', repository: 'Acme/Shop' };
  const byTarget: PipelineService = { ...shop, target: github };
  const byGitlab: PipelineService = { ...shop, target: gitlab };
  const named: PipelineService = {
    ...shop,
    pipelines: { kind: 'github', url: 'https://git.example.com/api/v3', tokenFrom: 'D' },
  };
  const cases: readonly [string, Run, readonly PipelineService[], string][] = [
    [
      'the target on GitHub',
      of('github', 'github.com/run/7'),
      [byTarget],
      'A acme/shop 7 {"workflows":["deploy.yml"],"deployments":false}',
    ],
    ['another host', of('github', 'git.example.com/run/7'), [byTarget], 'none'],
    [
      'an Enterprise Server',
      of('github', 'git.example.com/run/7'),
      [shop, named],
      'D acme/shop 7 {"workflows":[],"deployments":false}',
    ],
    [
      'a target on the same repository, of another service',
      of('github', 'git.example.com/run/7'),
      [named, { name: 'x', target: { ...github, how: { mode: 'deployment', task: 'deploy' } } }],
      'D acme/shop 7 {"workflows":[],"deployments":true}',
    ],
    ['a service without any', of('github', 'github.com/run/7'), [shop], 'none'],
    ['another repository', of('github', 'github.com/run/7', 'acme/other'), [byTarget, named], 'none'],
    ['a deployment', of('github', 'github.com/deployment/7', 'acme/shop', 'deployment'), [byTarget], 'none'],
    ['what is no number', of('github', 'github.com/run/7/../8'), [byTarget], 'none'],
    ['GitLab by the number of its project', of('gitlab', 'gitlab.example.com/pipeline/9'), [byGitlab], 'B 12 9 true'],
    [
      'GitLab by the name of its project',
      of('gitlab', 'gitlab.com/pipeline/9'),
      [{ ...shop, pipelines: { kind: 'gitlab', url: 'https://gitlab.com', tokenFrom: 'E' } }],
      'E acme/shop 9 false',
    ],
    ['GitHub is not GitLab', of('gitlab', 'github.com/pipeline/9'), [byTarget], 'none'],
    [
      'Jenkins',
      of('jenkins', 'ci.example.com/job/team/job/a%20b/#4'),
      [{ ...shop, pipelines: builds }],
      'C team/a b 4',
    ],
    [
      'a job that is not named',
      of('jenkins', 'ci.example.com/job/team/job/c/#4'),
      [{ ...shop, pipelines: builds }],
      'none',
    ],
    [
      'a Jenkins that does not say where it is',
      of('jenkins', 'jenkins/job/deploy/job/x/#4'),
      [{ ...shop, pipelines: builds }],
      'none',
    ],
    [
      'a job that the robot deploys with',
      of('jenkins', 'ci.example.com/job/deploy/job/staging/job/shop/#4'),
      [{ ...shop, pipelines: builds, target: jenkins }],
      'own shop',
    ],
    [
      'a job beside that',
      of('jenkins', 'ci.example.com/job/deploy/job/x/#4'),
      [{ ...shop, pipelines: builds, target: jenkins }],
      'C deploy/x 4',
    ],
  ];
  for (const [name, run, services, expected] of cases) {
    it(name, () => {
      expect(told(run, services)).to.equal(expected);
    });
  }
});
