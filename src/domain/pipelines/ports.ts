/** What hearing of pipelines needs from outside, and the service that scripts use. */

import type { PipelineService, RerunPlace } from './access.ts';
import type { Repeated, Rerun, RerunWish } from './rerun.ts';

/** `waiting`: for a person, or for its turn in an environment. The last four have ended. */
export type RunState = 'queued' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'skipped';

/** `tolerated`: failed, and it was said beforehand that this does not matter. */
export type JobState = RunState | 'tolerated';

/** `pipeline`: a workflow run of GitHub, a pipeline of GitLab, a build of Jenkins. `deployment`: somebody deployed elsewhere. */
export type RunKind = 'pipeline' | 'deployment';

export type PipelineSource = 'github' | 'gitlab' | 'jenkins';

/** One job of a run. */
export interface PipelineJob {
  /** Unique within its run. */
  readonly id: string;
  readonly name: string;
  readonly stage?: string;
  readonly state: JobState;
  /** Where people look at it; not yet checked. */
  readonly url?: string;
  /** The step that failed, or why it did, as far as the sender says. */
  readonly step?: string;
}

/** One run as recorded. Names and texts come from outside: trimmed in size, otherwise as they came. */
export interface PipelineRun {
  readonly source: PipelineSource;
  /** Unique within its source. */
  readonly run: string;
  readonly kind: RunKind;
  /** `owner/name`; of a Jenkins job without a repository, the path of the job. */
  readonly repository: string;
  /** What runs: the name of the workflow, pipeline or job. */
  readonly name: string;
  readonly number?: string;
  readonly branch?: string;
  readonly commit?: string;
  /** First line of the commit message. */
  readonly title?: string;
  /** A tag, or what was asked to be deployed. */
  readonly version?: string;
  readonly environment?: string;
  /** Who began it. */
  readonly by?: string;
  readonly state: RunState;
  /** Where people look at it; not yet checked. */
  readonly url?: string;
  /** Why it failed, where that is no matter of a job. */
  readonly problem?: string;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
}

/** Which of two reports about the same thing is the newer one: a later round, in it a later moment, at that the later state. */
export interface Order {
  /** Wins whatever the moment: the attempt of a run that is repeated, the phase of a sender that has no better clock. */
  readonly round: number;
  /** By the clock of the sender, taken from the report itself, so that a repeated report is never newer than the first. */
  readonly at: Date;
}

/** What one hook said. */
export interface PipelineReport {
  readonly run: PipelineRun & Order;
  readonly jobs: readonly (PipelineJob & Order)[];
}

/** A run with its jobs of the latest round. */
export interface RecordedRun extends PipelineRun {
  /** The robot's own number of it. */
  readonly id: number;
  readonly jobs: readonly PipelineJob[];
  /** When it was first heard of. */
  readonly heardAt: Date;
  /** Who asked the robot last to run it again, and when; nothing was heard of it since. */
  readonly rerun?: RerunBy;
}

export interface RerunBy {
  /** A name. */
  readonly by: string;
  readonly at: Date;
}

export interface RunFilter {
  readonly kind?: RunKind;
  /** Capitals do not matter. */
  readonly repositories?: readonly string[];
  readonly environment?: string;
  /** All of its digits. */
  readonly commit?: string;
  /** Whose reports; everybody's unless given. */
  readonly sources?: readonly PipelineSource[];
  readonly limit: number;
}

export interface PipelineStore {
  /** Keeps what is newer than what is known, of the run and of each of its jobs; nothing of the rest. */
  save(report: PipelineReport, heardAt: Date): Promise<void>;
  /** Latest first. */
  runs(filter: RunFilter): Promise<readonly RecordedRun[]>;
  run(id: number): Promise<RecordedRun | undefined>;
  /** Notes who runs it again; returns who did so after `since`, if anybody: then nothing is noted. */
  claim(id: number, by: RerunBy, since: Date): Promise<RerunBy | undefined>;
  /** It did not come to that. */
  release(id: number): Promise<void>;
  /** Each once, in order. */
  repositories(limit: number): Promise<readonly string[]>;
  /** Deletes what was first heard of before that. */
  expire(before: Date): Promise<void>;
}

export interface PipelinePorts {
  readonly services: readonly PipelineService[];
  readonly store: PipelineStore;
  /** Asks a server to run something again. */
  repeat(place: RerunPlace, all: boolean): Promise<Repeated>;
}

/** A run, with the services whose repository it belongs to. */
export interface ShownRun extends RecordedRun {
  readonly services: readonly string[];
  /** Whether a button that runs it again makes sense. */
  readonly canRerun: boolean;
}

export type RunsFound =
  | { readonly kind: 'found'; readonly runs: readonly ShownRun[] }
  | { readonly kind: 'unknown'; readonly known: readonly string[] }
  /** There is such a service, and nobody said which repository is its own. */
  | { readonly kind: 'no-repository' };

export interface Pipelines {
  /** Told of each hook; may be told again, and in any order. */
  record(report: PipelineReport, heardAt: Date): Promise<void>;
  /** The last runs: of everything, of a service, or of a repository by its name. */
  runs(of: string | undefined, limit: number): Promise<RunsFound>;
  /** What was deployed elsewhere, latest first. */
  deployments(filter: {
    readonly service?: string;
    readonly environment?: string;
    readonly limit: number;
  }): Promise<readonly ShownRun[]>;
  /**
   * Runs a run again, once.
   *
   * @param of its number, or a service or repository whose last failed one is meant; undefined if there is only one that failed
   */
  rerun(of: string | undefined, wish: RerunWish): Promise<Rerun | Exclude<RunsFound, { kind: 'found' }>>;
  /** Names that {@link Pipelines.runs} takes. */
  names(): Promise<readonly string[]>;
  expire(now: Date): Promise<void>;
}
