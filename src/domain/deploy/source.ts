/** What a version is in Git: where that is configured, whom it is asked, and what comes back. */

/** What all kinds have in common. */
interface SourceNames {
  /** `owner/name`, or whatever people call it. */
  readonly name: string;
  /** Where the newest commits are looked for; the default branch of the repository unless given. */
  readonly branch?: string;
  /**
   * What a target is given: `{commit}` or `{short}` stands in it. Undefined: a tag as it is called, a branch or commit as the whole
   * commit.
   */
  readonly deployAs?: string;
  /** Names that Git does not know go to the target as they are. */
  readonly others: boolean;
}

/** A repository that the robot copies. */
export interface GitSourceConfig extends SourceNames {
  readonly kind: 'git';
  /** An address, or the path of a folder. */
  readonly url: string;
  /** The variable that holds the token or password, sent over HTTP only. */
  readonly tokenFrom?: string;
  readonly user: string;
}

/** A repository whose host is asked. */
export interface HostedSourceConfig extends SourceNames {
  readonly kind: 'github' | 'gitlab';
  readonly url: string;
  /** The variable that holds the token. */
  readonly tokenFrom: string;
}

/** One member for each kind of source. */
export type SourceConfig = GitSourceConfig | HostedSourceConfig;

export interface Commit {
  /** All of its digits. */
  readonly id: string;
  readonly author: string;
  /** First line of its message. Untrusted, as the author is. */
  readonly title: string;
}

/** What is said is what was known then, because the source cannot be asked now; `text` says why, as a clause. */
export interface Stale {
  readonly since: Date;
  readonly text: string;
}

export type Resolved =
  | {
      readonly kind: 'found';
      readonly what: 'tag' | 'branch' | 'commit';
      readonly commit: string;
      readonly stale?: Stale;
    }
  | { readonly kind: 'unknown'; readonly stale?: Stale }
  /** The beginning of several commits. */
  | { readonly kind: 'ambiguous'; readonly commits: readonly string[] };

/** Commits that one of two versions has and the other has not. */
export interface Side {
  /** All of them, or at least so many. */
  readonly count: number;
  readonly isAtLeast: boolean;
  /** Newest first; not all of them if there are many. */
  readonly commits: readonly Commit[];
}

export interface Comparison {
  readonly come: Side;
  /** Those that are in what is live and not in what shall be. */
  readonly go: Side;
  /** Where people look at all of it; not yet checked. */
  readonly url?: string;
  readonly stale?: Stale;
}

/** `tolerated`: failed, and it was said beforehand that this does not matter. */
export type CheckState = 'passed' | 'failed' | 'running' | 'skipped' | 'tolerated';

/** What a pipeline or another program says of a commit. */
export interface Check {
  readonly name: string;
  readonly state: CheckState;
  /** Where people look at it; not yet checked. */
  readonly url?: string;
}

/** The repository of a service. Everything here throws {@link SourceUnclear} when it cannot be asked. */
export interface Source {
  readonly config: SourceConfig;
  /** What is asked from now on is answered as of now, or says that it is not; undefined if that is always so. */
  refresh?(): Promise<void>;
  /** The commit of a tag, or else a branch, or else the beginning of a commit of at least seven digits. */
  resolve(name: string): Promise<Resolved>;
  /** @param from a whole commit @param to another @param most commits listed on each side */
  compare(from: string, to: string, most: number): Promise<Comparison>;
  /** The last commits of the branch, newest first. */
  newest(most: number): Promise<readonly Commit[]>;
  /** The latest state of each check of a whole commit; none if none has run. */
  checks(commit: string): Promise<readonly Check[]>;
}

/** The source could not say; the message is a clause for people. */
export class SourceUnclear extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'SourceUnclear';
  }
}

/** Digits of a commit that people are shown, and that `{short}` stands for. */
const SHORT = 7;

export function short(commit: string): string {
  return commit.slice(0, SHORT);
}

/** Whether it looks like a commit, or the beginning of one that is long enough to tell it from others. */
export function isCommit(text: string): boolean {
  return /^[0-9a-f]{7,64}$/.test(text);
}

/** Whether both are the same commit, whichever of them is written shorter. */
export function isSameCommit(one: string, other: string): boolean {
  return isCommit(one) && isCommit(other) && (one.startsWith(other) || other.startsWith(one));
}

/** What a target is given for a commit. @param tag the name of the tag by which it was asked for */
export function versionOf({ deployAs }: Pick<SourceConfig, 'deployAs'>, commit: string, tag?: string): string {
  if (deployAs === undefined) return tag ?? commit;
  return deployAs.replace(/\{(commit|short)\}/g, (_, word: string) => (word === 'commit' ? commit : short(commit)));
}

/** The commit, or its beginning, in what {@link versionOf} made; undefined if it did not make this. */
export function commitIn(
  { deployAs = '{commit}' }: Pick<SourceConfig, 'deployAs'>,
  version: string,
): string | undefined {
  const [before = '', after = ''] = deployAs.split(/\{(?:commit|short)\}/);
  if (version.length < before.length + after.length) return undefined;
  if (!version.startsWith(before) || !version.endsWith(after)) return undefined;
  const found = version.slice(before.length, version.length - after.length);
  return isCommit(found) ? found : undefined;
}
