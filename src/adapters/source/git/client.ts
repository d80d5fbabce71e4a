/** The source `git`: a copy of the repository that the robot keeps. See docs/guide/source.md. */

import {
  type Check,
  type Commit,
  type GitSourceConfig,
  isCommit,
  type Resolved,
  type Side,
  type Source,
  SourceUnclear,
} from '../../../domain/deploy/source.ts';
import { isWholeCommit } from '../names.ts';
import { HEAD, type Mirror } from './mirror.ts';

export interface GitSourceOptions {
  readonly config: GitSourceConfig;
  readonly mirror: Mirror;
  /** What the pipelines of the repository said of a commit. */
  readonly reported: (commit: string) => Promise<readonly Check[]>;
}

/** Commits counted at most. */
const COUNTED = 10_000;
const CANDIDATES = 10;
/** Fields and commits end with these; neither stands in a name or a title. */
const FORMAT = '--format=%H%x00%an%x00%s%x1e';

export function createGitSource({ config, mirror, reported }: GitSourceOptions): Source {
  const { name, branch } = config;

  /** The commit that a full name of Git leads to. */
  async function commitAt(ref: string): Promise<string | undefined> {
    const { code, stdout } = await mirror.git([
      'rev-parse',
      '--verify',
      '--quiet',
      '--end-of-options',
      `${ref}^{commit}`,
    ]);
    return code === 0 ? stdout.trim() : undefined;
  }

  async function startingWith(digits: string): Promise<readonly string[]> {
    const { stdout } = await mirror.git(['rev-parse', `--disambiguate=${digits}`]);
    const ids = stdout.split('\n').filter(Boolean).slice(0, CANDIDATES);
    const checked = await mirror.git(['cat-file', '--batch-check=%(objectname) %(objecttype)'], `${ids.join('\n')}\n`);
    return checked.stdout
      .split('\n')
      .flatMap((line) => (line.endsWith(' commit') ? [line.slice(0, -' commit'.length)] : []));
  }

  async function resolve(asked: string): Promise<Resolved> {
    const stale = await mirror.fresh();
    const old = stale === undefined ? {} : { stale };
    // So written there is no reference; nor would one be looked for.
    if (/\.\.|@\{|[~^:?*[\\\s]|^-/.test(asked)) return { kind: 'unknown', ...old };
    for (const what of ['tag', 'branch'] as const) {
      const commit = await commitAt(`refs/${what === 'tag' ? 'tags' : 'heads'}/${asked}`);
      if (commit !== undefined) return { kind: 'found', what, commit, ...old };
    }
    const commits = isCommit(asked) ? await startingWith(asked) : [];
    const [commit] = commits;
    if (commit === undefined) return { kind: 'unknown', ...old };
    return commits.length === 1 ? { kind: 'found', what: 'commit', commit, ...old } : { kind: 'ambiguous', commits };
  }

  async function listed(range: string, most: number, ...more: readonly string[]): Promise<readonly Commit[]> {
    const ended = await mirror.git([
      'log',
      '--no-color',
      `--max-count=${most}`,
      FORMAT,
      ...more,
      '--end-of-options',
      range,
      '--',
    ]);
    if (ended.code !== 0) throw new SourceUnclear(`the copy of ${name} does not have these commits`);
    return ended.stdout.split('\x1e').flatMap((record) => {
      const [id = '', author = '', title = ''] = record.trimStart().split('\0');
      return id === '' ? [] : [{ id, author, title }];
    });
  }

  async function side(range: string, most: number): Promise<Side> {
    const [commits, counted] = await Promise.all([
      listed(range, most),
      mirror.git(['rev-list', '--count', `--max-count=${COUNTED + 1}`, '--end-of-options', range, '--']),
    ]);
    const count = Number(counted.stdout.trim());
    return { count: Math.min(count, COUNTED), isAtLeast: count > COUNTED, commits };
  }

  return {
    config,
    refresh: () => mirror.refresh(),
    resolve,
    async compare(from, to, most) {
      const stale = await mirror.fresh();
      if (!isWholeCommit(from) || !isWholeCommit(to)) throw new Error('a whole commit was expected');
      const [come, go] = await Promise.all([side(`${from}..${to}`, most), side(`${to}..${from}`, most)]);
      return { come, go, ...(stale === undefined ? {} : { stale }) };
    },
    async newest(most) {
      const stale = await mirror.fresh();
      // The newest of then need not be the newest.
      if (stale !== undefined) throw new SourceUnclear(stale.text);
      const ref = branch === undefined ? HEAD : `refs/heads/${branch}`;
      const commit = await commitAt(ref);
      if (commit !== undefined) return await listed(commit, most, '--first-parent');
      const which = branch === undefined ? 'a default branch' : `the branch ${branch}`;
      throw new SourceUnclear(`${name} has no commit on ${which}; name one with branch in config/services.yaml`);
    },
    checks: (commit) => reported(commit),
  };
}
