/** What is live and which versions there are, as GitLab knows them. docs.gitlab.com/api/deployments */

import type { Live } from '../../../domain/deploy/target.ts';
import type { GitlabTargetConfig } from '../../../domain/deploy/targets/gitlab.ts';
import { path, type Rest } from '../../rest/client.ts';
import { type ProjectDeployment, parseDeployments, parseReleases, parseTags, parseVariables } from './schema.ts';

const SHOWN_TO =
  'GitLab shows the variables of a pipeline to whoever began it, and to Maintainers: give the token that role, or deploy without `trigger_from`';

/**
 * The newest successful deployment of the environment. Its version is its ref, or the variable of its pipeline that holds the version.
 * @throws RestProblem
 */
export async function liveOn(
  rest: Rest,
  config: GitlabTargetConfig,
  environment: string,
): Promise<Live | 'unsupported' | undefined> {
  const answer = await rest.ask({
    path: path`/projects/${config.project}/deployments`,
    query: { environment, status: 'success', order_by: 'id', sort: 'desc', per_page: 1 },
    advice: { 403: 'the token needs the scope “read_api” or “api”, and at least the role Reporter' },
  });
  const [latest] = parseDeployments(answer.data);
  // A pipeline whose jobs name no environment leaves no deployments: then GitLab does not know.
  if (latest === undefined) return 'unsupported';
  const version = config.ref === '{version}' ? latest.ref : await versionOfPipeline(rest, config, latest);
  if (version === undefined) return 'unsupported';
  return { version, since: latest.deployable?.finished_at ?? latest.updated_at ?? latest.created_at };
}

async function versionOfPipeline(
  rest: Rest,
  config: GitlabTargetConfig,
  { deployable }: ProjectDeployment,
): Promise<string | undefined> {
  const name = Object.entries(config.variables).find(([, text]) => text === '{version}')?.[0];
  const id = deployable?.pipeline?.id;
  if (name === undefined || id === undefined) return undefined;
  const answer = await rest.ask({
    path: path`/projects/${config.project}/pipelines/${id}/variables`,
    advice: { 403: SHOWN_TO },
  });
  return parseVariables(answer.data).find(({ key }) => key === name)?.value ?? undefined;
}

/** Newest first. @throws RestProblem */
export async function versionsOf(rest: Rest, config: GitlabTargetConfig): Promise<readonly string[] | 'unsupported'> {
  const { project, versions } = config;
  if (versions === 'any') return 'unsupported';
  if (versions === 'tags') {
    const query = { order_by: 'updated', sort: 'desc', per_page: 100 };
    const answer = await rest.ask({ path: path`/projects/${project}/repository/tags`, query });
    return parseTags(answer.data).map(({ name }) => name);
  }
  const query = { order_by: 'released_at', sort: 'desc', per_page: 100 };
  const answer = await rest.ask({ path: path`/projects/${project}/releases`, query });
  return parseReleases(answer.data)
    .filter(({ upcoming_release }) => !upcoming_release)
    .map(({ tag_name }) => tag_name);
}
