/** What is live and which versions there are, as GitHub knows them. */

import type { Live } from '../../../domain/deploy/target.ts';
import type { GithubTargetConfig } from '../../../domain/deploy/targets/github.ts';
import { path, type Rest } from '../../rest/client.ts';
import { newestFirst } from '../http/newest.ts';
import { noteOf, parseDeployments, parseReleases, parseStatuses, parseTags } from './schema.ts';

/** Deployments looked at, newest first, until one that succeeded is found. */
const LOOKED_AT = 10;

/**
 * The newest deployment of the environment whose latest state is `success`. Its version is what the robot noted, else its ref.
 * @throws RestProblem
 */
export async function liveOn(
  rest: Rest,
  config: GithubTargetConfig,
  environment: string,
): Promise<Live | 'unsupported' | undefined> {
  const where = path`/repos/${config.owner}/${config.repository}/deployments`;
  const advice = { 403: 'the token needs the permission “Deployments: read”' };
  const list = await rest.ask({ path: where, query: { environment, per_page: LOOKED_AT }, advice });
  const deployments = parseDeployments(list.data);
  const { how } = config;
  // A workflow whose jobs name no environment leaves no deployments: then GitHub does not know.
  if (deployments.length === 0 && how.mode === 'workflow') return 'unsupported';
  for (const deployment of deployments) {
    const statuses = await rest.ask({ path: `${where}/${deployment.id}/statuses`, query: { per_page: 1 }, advice });
    const [latest] = parseStatuses(statuses.data);
    if (latest?.state !== 'success') continue;
    const note = noteOf(deployment);
    // A run on a fixed branch leaves the name of the branch, which is no version.
    if (note === undefined && how.mode === 'workflow' && how.ref !== '{version}') return 'unsupported';
    return { version: note?.version ?? deployment.ref, since: latest.created_at };
  }
  return undefined;
}

/** Newest first; pre-releases last. @throws RestProblem */
export async function versionsOf(rest: Rest, config: GithubTargetConfig): Promise<readonly string[] | 'unsupported'> {
  const { owner, repository, versions } = config;
  const query = { per_page: 100 };
  const advice = { 403: 'the token needs the permission “Contents: read”' };
  if (versions === 'any') return 'unsupported';
  if (versions === 'tags') {
    const answer = await rest.ask({ path: path`/repos/${owner}/${repository}/tags`, query, advice });
    return newestFirst(parseTags(answer.data).map(({ name }) => name));
  }
  const answer = await rest.ask({ path: path`/repos/${owner}/${repository}/releases`, query, advice });
  const releases = parseReleases(answer.data)
    .filter(({ draft }) => !draft)
    .toSorted((a, b) => (b.published_at?.getTime() ?? 0) - (a.published_at?.getTime() ?? 0));
  return [...releases.filter((one) => !one.prerelease), ...releases.filter((one) => one.prerelease)].map(
    ({ tag_name }) => tag_name,
  );
}
