/** The source `github`: commits, comparisons and checks by its REST API. See docs/guide/source.md. */

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
import { githubRest } from '../../servers.ts';
import {
  clearSource,
  type HostedSourceOptions,
  ifThere,
  MOST_BYTES,
  mustBeThere,
  PAGES,
  titleOf,
  tooMany,
} from '../hosted.ts';
import {
  type CheckRun,
  type CommitStatus,
  type Compared,
  type HostCommit,
  parseCheckRuns,
  parseCommits,
  parseComparison,
  parseSha,
  parseStatuses,
} from './schema.ts';

const PER_PAGE = 100;
const CONTENTS = { 403: 'the token needs the permission “Contents: read”' };
const CHECKS = { 403: 'the token needs the permissions “Checks: read” and “Commit statuses: read”' };

export function createGithubSource({ config, environment, clock }: HostedSourceOptions): Source {
  const rest = githubRest(config, { environment, clock });
  const [owner = '', name = ''] = config.name.split('/');
  const repository = path`/repos/${owner}/${name}`;

  /** A reference such as `heads/main`, or a commit. Only its digits are asked for: a whole commit can be large. */
  function commitAt(reference: string): Promise<string | undefined> {
    const where = reference.split('/').map(encodeURIComponent).join('/');
    return ifThere(async () => {
      const headers = { accept: 'application/vnd.github.sha' };
      return parseSha((await rest.ask({ path: `${repository}/commits/${where}`, headers, advice: CONTENTS })).data);
    });
  }

  async function resolve(asked: string): Promise<Resolved> {
    if (asked.includes('..')) return { kind: 'unknown' };
    for (const what of ['tag', 'branch'] as const) {
      const commit = await commitAt(`${what === 'tag' ? 'tags' : 'heads'}/${asked}`);
      if (commit !== undefined) return { kind: 'found', what, commit };
    }
    const commit = isCommit(asked) ? await commitAt(asked) : undefined;
    if (commit?.startsWith(asked)) return { kind: 'found', what: 'commit', commit };
    await mustBeThere(rest, repository);
    return { kind: 'unknown' };
  }

  async function compared(from: string, to: string, page: number): Promise<Compared> {
    const answer = await rest.ask({
      path: `${repository}/compare/${from}...${to}`,
      query: { per_page: PER_PAGE, page },
      mostBytes: MOST_BYTES,
      advice: CONTENTS,
    });
    return parseComparison(answer.data);
  }

  /** The last of them, newest first; the API begins with the oldest. */
  async function side(from: string, to: string, first: Compared, most: number): Promise<Side> {
    const count = first.total_commits;
    const last = Math.ceil(count / PER_PAGE);
    let commits = last <= 1 ? first.commits : (await compared(from, to, last)).commits;
    if (last > 1 && commits.length < most) {
      const before = last === 2 ? first : await compared(from, to, last - 1);
      commits = [...before.commits, ...commits];
    }
    return { count, isAtLeast: false, commits: commits.toReversed().slice(0, most).map(commitOf) };
  }

  async function checkRuns(commit: string): Promise<readonly Check[]> {
    const found: Check[] = [];
    for (let page = 1; page <= PAGES; page += 1) {
      const answer = await rest.ask({
        path: path`/repos/${owner}/${name}/commits/${commit}/check-runs`,
        query: { filter: 'latest', per_page: PER_PAGE, page },
        advice: CHECKS,
      });
      const { total, items } = parseCheckRuns(answer.data);
      found.push(...items.map(ofRun));
      if (items.length === 0 || found.length >= total) return found;
    }
    throw tooMany('GitHub');
  }

  async function statuses(commit: string): Promise<readonly Check[]> {
    const found: Check[] = [];
    for (let page = 1; page <= PAGES; page += 1) {
      const answer = await rest.ask({
        path: path`/repos/${owner}/${name}/commits/${commit}/status`,
        query: { per_page: PER_PAGE, page },
        advice: CHECKS,
      });
      const { total, items } = parseStatuses(answer.data);
      found.push(...items.map(ofStatus));
      if (items.length === 0 || found.length >= total) return found;
    }
    throw tooMany('GitHub');
  }

  return clearSource({
    config,
    resolve,
    async compare(from, to, most) {
      const first = await compared(from, to, 1);
      const come = await side(from, to, first, most);
      const url = first.html_url;
      if (first.behind_by === 0) return { come, go: { count: 0, isAtLeast: false, commits: [] }, url };
      return { come, go: await side(to, from, await compared(to, from, 1), most), url };
    },
    async newest(most) {
      const { branch } = config;
      const query = { per_page: most, ...(branch === undefined ? {} : { sha: branch }) };
      const answer = await rest.ask({ path: `${repository}/commits`, query, advice: CONTENTS });
      return parseCommits(answer.data).map(commitOf);
    },
    async checks(commit) {
      const [runs, others] = await Promise.all([checkRuns(commit), statuses(commit)]);
      return [...runs, ...others];
    },
  });
}

function commitOf({ sha, commit }: HostCommit): Commit {
  return { id: sha, author: commit.author?.name ?? 'somebody', title: titleOf(commit.message) };
}

/** docs.github.com/rest/checks/runs: conclusions; `neutral` is for what does not matter. */
const CONCLUSIONS: Readonly<Record<string, CheckState>> = {
  success: 'passed',
  neutral: 'tolerated',
  skipped: 'skipped',
};

function ofRun({ name, status, conclusion, html_url: url }: CheckRun): Check {
  const state = status === 'completed' ? (CONCLUSIONS[conclusion ?? ''] ?? 'failed') : 'running';
  return { name, state, ...(url ? { url } : {}) };
}

const STATES: Readonly<Record<string, CheckState>> = { success: 'passed', pending: 'running' };

function ofStatus({ context, state, target_url: url }: CommitStatus): Check {
  return { name: context, state: STATES[state] ?? 'failed', ...(url ? { url } : {}) };
}
