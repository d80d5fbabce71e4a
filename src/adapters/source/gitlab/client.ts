/** The source `gitlab`: commits and their statuses by its REST API. See docs/guide/source.md. */

import {
  type Check,
  type CheckState,
  type Commit,
  isCommit,
  type Resolved,
  type Side,
  type Source,
} from '../../../domain/deploy/source.ts';
import { path } from '../../rest/client.ts';
import { gitlabRest } from '../../servers.ts';
import { clearSource, type HostedSourceOptions, ifThere, mustBeThere, PAGES, titleOf, tooMany } from '../hosted.ts';
import {
  type CommitStatus,
  type HostCommit,
  parseCommit,
  parseCommits,
  parseReference,
  parseStatuses,
} from './schema.ts';

const PER_PAGE = 100;
const ADVICE = { 403: 'the token needs the scope “read_api”, and at least the role Reporter' };

export function createGitlabSource({ config, environment, clock }: HostedSourceOptions): Source {
  const { name, branch } = config;
  const rest = gitlabRest(config, { environment, clock });
  const repository = path`/projects/${name}/repository`;

  function reference(kind: 'tags' | 'branches', asked: string): Promise<string | undefined> {
    const where = `${repository}/${kind}/${encodeURIComponent(asked)}`;
    return ifThere(async () => parseReference((await rest.ask({ path: where, advice: ADVICE })).data));
  }

  async function resolve(asked: string): Promise<Resolved> {
    for (const what of ['tag', 'branch'] as const) {
      const commit = await reference(what === 'tag' ? 'tags' : 'branches', asked);
      if (commit !== undefined) return { kind: 'found', what, commit };
    }
    if (isCommit(asked)) {
      const where = `${repository}/commits/${asked}`;
      const found = await ifThere(async () => parseCommit((await rest.ask({ path: where, advice: ADVICE })).data));
      if (found?.id.startsWith(asked)) return { kind: 'found', what: 'commit', commit: found.id };
    }
    await mustBeThere(rest, path`/projects/${name}`);
    return { kind: 'unknown' };
  }

  async function commits(query: Readonly<Record<string, string | number | boolean>>) {
    const answer = await rest.ask({ path: `${repository}/commits`, query, advice: ADVICE });
    return { commits: parseCommits(answer.data).map(commitOf), next: answer.headers['x-next-page'] ?? '' };
  }

  /** A range is a name to this API, newest first. Its comparison has all files in it as well, and no pages. */
  async function side(from: string, to: string, most: number): Promise<Side> {
    const { commits: found, next } = await commits({ ref_name: `${from}..${to}`, per_page: PER_PAGE });
    return { count: found.length, isAtLeast: next !== '', commits: found.slice(0, most) };
  }

  return clearSource({
    config,
    resolve,
    async compare(from, to, most) {
      const [come, go] = await Promise.all([side(from, to, most), side(to, from, most)]);
      const url = `${config.url}/${name}/-/compare/${from}...${to}`;
      return { come, go, ...(/^\d+$/.test(name) ? {} : { url }) };
    },
    async newest(most) {
      const from = branch === undefined ? {} : { ref_name: branch };
      return (await commits({ ...from, first_parent: true, per_page: most })).commits;
    },
    async checks(commit) {
      const found: Check[] = [];
      for (let page = 1; page <= PAGES; page += 1) {
        const answer = await rest.ask({
          path: `${repository}/commits/${commit}/statuses`,
          query: { per_page: PER_PAGE, page },
          advice: ADVICE,
        });
        found.push(...parseStatuses(answer.data).map(checkOf));
        if ((answer.headers['x-next-page'] ?? '') === '') return found;
      }
      throw tooMany('GitLab');
    },
  });
}

function commitOf({ id, title, author_name: author }: HostCommit): Commit {
  return { id, author: author ?? 'somebody', title: titleOf(title) };
}

/** docs.gitlab.com/api/commits: statuses of a commit; all others still run, or are about to. */
const STATES: Readonly<Record<string, CheckState>> = {
  success: 'passed',
  failed: 'failed',
  canceled: 'failed',
  skipped: 'skipped',
};

function checkOf({ name, status, allow_failure: isTolerated, target_url: url }: CommitStatus): Check {
  const link = url ? { url } : {};
  if (isTolerated && ['failed', 'canceled'].includes(status)) return { name, state: 'tolerated', ...link };
  // Nobody has to start such a job.
  if (isTolerated && status === 'manual') return { name, state: 'skipped', ...link };
  return { name, state: STATES[status] ?? 'running', ...link };
}
