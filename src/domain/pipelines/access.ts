/** Where the pipelines of a service can be run again, as the configuration says. Nothing of it comes from a hook. */

import type { TargetConfig } from '../deploy/config.ts';
import type { PipelineRun } from './ports.ts';

/** `pipelines` of a service in `config/services.yaml`. */
export type PipelineAccess = GithubAccess | GitlabAccess | JenkinsAccess;

interface Server {
  /** Where its API is; without a slash at the end. */
  readonly url: string;
  /** The variable that holds the token. */
  readonly tokenFrom: string;
  /** The host by which its hooks know it, where that is another one than in the address. */
  readonly knownAs?: string;
}

export interface GithubAccess extends Server {
  readonly kind: 'github';
}

export interface GitlabAccess extends Server {
  readonly kind: 'gitlab';
  /** Its path or number; the repository of the service unless given. */
  readonly project?: string;
}

export interface JenkinsAccess extends Server {
  readonly kind: 'jenkins';
  readonly user: string;
  /** Jobs that may be built again, with their folders. */
  readonly jobs: readonly string[];
}

/** A service of the configuration, as far as pipelines matter. */
export interface PipelineService {
  readonly name: string;
  /** `owner/name`: whose pipelines are its own. */
  readonly repository?: string;
  readonly pipelines?: PipelineAccess;
  readonly target?: TargetConfig;
}

/** One run on the server where it can be run again. */
export type RerunPlace =
  | {
      readonly kind: 'github';
      readonly access: GithubAccess;
      readonly repository: string;
      readonly run: number;
      /** What the robot deploys with there: its runs have rules that a rerun would pass by. */
      readonly deploys: { readonly workflows: readonly string[]; readonly deployments: boolean };
    }
  | {
      readonly kind: 'gitlab';
      readonly access: GitlabAccess;
      readonly project: string;
      readonly run: number;
      /** Whether the robot deploys with pipelines of that project. */
      readonly deploys: boolean;
    }
  | { readonly kind: 'jenkins'; readonly access: JenkinsAccess; readonly job: string; readonly run: number };

export type PlaceFound =
  | { readonly kind: 'place'; readonly place: RerunPlace }
  /** The configuration does not say where, or not with which token. */
  | { readonly kind: 'no-access' }
  /** It is how the robot deploys that service. */
  | { readonly kind: 'own'; readonly service: string };

/** Where a run can be run again. Fails closed: what is not in the configuration is no place. */
export function placeOf(
  run: Pick<PipelineRun, 'source' | 'run' | 'repository' | 'kind'>,
  services: readonly PipelineService[],
): PlaceFound {
  const key = /^(?<host>[^/]+)\/(?<rest>.+)$/.exec(run.run)?.groups;
  if (!key || run.kind !== 'pipeline') return { kind: 'no-access' };
  const { host = '', rest = '' } = key;
  if (run.source === 'jenkins') return jenkinsPlace(host, rest, services);
  const id = Number(/^(?:run|pipeline)\/(?<id>\d+)$/.exec(rest)?.groups?.['id'] ?? Number.NaN);
  if (!Number.isSafeInteger(id)) return { kind: 'no-access' };
  for (const service of services) {
    const place = run.source === 'github' ? githubPlace(service, run, host, id) : gitlabPlace(service, run, host, id);
    if (place) return { kind: 'place', place: withDeploys(place, services) };
  }
  return { kind: 'no-access' };
}

function githubPlace(
  { repository, pipelines, target }: PipelineService,
  run: Pick<PipelineRun, 'repository'>,
  host: string,
  id: number,
): RerunPlace | undefined {
  const deploys = { workflows: [], deployments: false };
  if (pipelines?.kind === 'github' && same(repository, run.repository) && same(hostOf(pipelines), host)) {
    return { kind: 'github', access: pipelines, repository: run.repository, run: id, deploys };
  }
  if (target?.kind !== 'github' || !same(`${target.owner}/${target.repository}`, run.repository)) return undefined;
  const access: GithubAccess = { kind: 'github', url: target.url, tokenFrom: target.tokenFrom };
  return same(hostOf(access), host)
    ? { kind: 'github', access, repository: run.repository, run: id, deploys }
    : undefined;
}

function gitlabPlace(
  { repository, pipelines, target }: PipelineService,
  run: Pick<PipelineRun, 'repository'>,
  host: string,
  id: number,
): RerunPlace | undefined {
  if (pipelines?.kind === 'gitlab' && same(repository, run.repository) && same(hostOf(pipelines), host)) {
    const { project = run.repository } = pipelines;
    return { kind: 'gitlab', access: pipelines, project, run: id, deploys: false };
  }
  if (target?.kind !== 'gitlab') return undefined;
  // A project that is given by its number is known by the repository of the service.
  const path = /^\d+$/.test(target.project) ? repository : target.project;
  const access: GitlabAccess = { kind: 'gitlab', url: target.url, tokenFrom: target.tokenFrom };
  if (!same(path, run.repository) || !same(hostOf(access), host)) return undefined;
  return { kind: 'gitlab', access, project: target.project, run: id, deploys: false };
}

/** With what the robot deploys with there, for whichever service. */
function withDeploys(place: RerunPlace, services: readonly PipelineService[]): RerunPlace {
  if (place.kind === 'jenkins') return place;
  const targets = services.flatMap(({ target, repository }) => (target ? [{ target, repository }] : []));
  if (place.kind === 'gitlab') {
    const deploys = targets.some(
      ({ target, repository }) =>
        target.kind === 'gitlab' &&
        (same(target.project, place.project) ||
          same(/^\d+$/.test(target.project) ? repository : target.project, repositoryOf(place, services))),
    );
    return { ...place, deploys };
  }
  const here = targets.flatMap(({ target }) =>
    target.kind === 'github' && same(`${target.owner}/${target.repository}`, place.repository) ? [target.how] : [],
  );
  return {
    ...place,
    deploys: {
      workflows: here.flatMap((how) => (how.mode === 'workflow' ? [how.workflow] : [])),
      deployments: here.some((how) => how.mode === 'deployment'),
    },
  };
}

function repositoryOf({ project }: { readonly project: string }, services: readonly PipelineService[]): string {
  const numbered = services.find(({ pipelines }) => pipelines?.kind === 'gitlab' && pipelines.project === project);
  return numbered?.repository ?? project;
}

function jenkinsPlace(host: string, rest: string, services: readonly PipelineService[]): PlaceFound {
  const { address = '', number = '' } = /^(?<address>.+)#(?<number>\d+)$/.exec(rest)?.groups ?? {};
  const job = [...address.matchAll(/(?:^|\/)job\/([^/]+)/g)].map(([, part = '']) => decoded(part)).join('/');
  if (job === '' || !Number.isSafeInteger(Number(number))) return { kind: 'no-access' };
  for (const { pipelines } of services) {
    if (pipelines?.kind !== 'jenkins' || !same(hostOf(pipelines), host) || !pipelines.jobs.includes(job)) continue;
    const own = services.find(({ name, target }) => target?.kind === 'jenkins' && fits(target.job, job, name));
    if (own) return { kind: 'own', service: own.name };
    return { kind: 'place', place: { kind: 'jenkins', access: pipelines, job, run: Number(number) } };
  }
  return { kind: 'no-access' };
}

/** Whether the job of a target, in which `{service}` and `{environment}` may stand, can be this one. */
function fits(pattern: string, job: string, service: string): boolean {
  const parts = pattern.replaceAll('{service}', service).split('{environment}');
  const [first = '', ...others] = parts;
  const last = others.pop();
  if (last === undefined) return job === first;
  return job.length > first.length + last.length && job.startsWith(first) && job.endsWith(last);
}

/** The host that people see: the API of GitHub has one of its own. */
function hostOf({ url, knownAs }: Server): string {
  return (
    knownAs ??
    url
      .replace(/^https?:\/\//, '')
      .replace(/\/.*$/s, '')
      .replace(/^api\./, '')
  );
}

function same(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
