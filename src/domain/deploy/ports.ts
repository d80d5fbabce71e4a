/** What deploying needs from outside, and the service that scripts use. */

import type { Content } from '../../bot/card.ts';
import type { Address } from '../../bot/chat.ts';
import type { CommitsFact } from './commits.ts';
import type { ApprovalRule, ServicesConfig } from './config.ts';
import type { Lock } from './locks.ts';
import type { Refusal } from './refusal.ts';
import type { RuleCheck } from './rules.ts';
import type { Source } from './source.ts';
import type { Live, Target } from './target.ts';

export interface Requester {
  readonly id: string;
  readonly name: string;
}

/** A service in an environment: where one deployment at a time may run. */
export interface Place {
  readonly service: string;
  readonly environment: string;
}

/** `waiting`: in line; `queued`: its turn, about to start. `queued` and `running` hold their place. */
export type DeploymentState = 'waiting' | 'queued' | 'running' | 'succeeded' | 'failed' | 'interrupted' | 'cancelled';

/** One deployment as recorded. */
export interface Deployment {
  readonly id: number;
  readonly service: string;
  readonly environment: string;
  readonly version: string;
  /** The branch or other name that it was asked for by, where that is not the version. */
  readonly asked?: string;
  /** Its commit in Git, where that is known. */
  readonly commit?: string;
  /** What was live before; undefined if nothing was, or nobody knows. */
  readonly previous?: string;
  readonly by: Requester;
  /** Where it was asked for, and where its outcome is told. */
  readonly origin: Address;
  /** Number of the audit row that this deployment ends. */
  readonly audit?: number;
  readonly state: DeploymentState;
  readonly requestedAt: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  /** Why it failed or was interrupted, in words. Redacted, but untrusted: it may quote a program. */
  readonly reason?: string;
  /** What was live when it ended, as far as the target could say. */
  readonly live?: string;
  /** Who cancelled it. A running one with this is being stopped. */
  readonly cancelledBy?: Requester;
  /** Numbers of those that it took the place of. */
  readonly supersedes?: readonly number[];
  /** Why the rules of the environment do not count for it. Redacted, but untrusted. */
  readonly override?: string;
  /** Who approved it, where somebody must. */
  readonly approvedBy?: readonly Requester[];
  /** It was asked for as a way back. */
  readonly isRollback?: boolean;
  /** Number of the deployment that the robot rolls back with it, by itself. */
  readonly rollsBack?: number;
}

/** A deployment as it is asked for. */
export interface NewDeployment
  extends Pick<
    Deployment,
    | 'service'
    | 'environment'
    | 'version'
    | 'asked'
    | 'commit'
    | 'previous'
    | 'by'
    | 'origin'
    | 'audit'
    | 'override'
    | 'approvedBy'
    | 'isRollback'
    | 'rollsBack'
  > {
  readonly at: Date;
}

export interface Finish {
  readonly state: 'succeeded' | 'failed' | 'interrupted' | 'cancelled';
  readonly reason?: string;
  readonly live?: string;
  /** Left as it was if undefined. */
  readonly output?: string;
  /** Who cancelled it; left as it was if undefined. */
  readonly by?: Requester;
  readonly at: Date;
}

export interface DeploymentFilter {
  readonly service?: string;
  readonly environment?: string;
  readonly version?: string;
  readonly state?: DeploymentState;
  readonly limit: number;
}

/** The record. Everything that must happen once is decided here, by compare-and-set. */
export interface DeployStore {
  /**
   * Puts it into the line of its place, unless a lock keeps it out at that time. One deployment is rolled back by the robot
   * once: of a second wish, the first one is given.
   */
  start(
    deployment: NewDeployment,
  ): Promise<{ kind: 'waiting'; deployment: Deployment } | { kind: 'locked'; lock: Lock }>;
  /**
   * The first in line becomes queued and holds the place. Undefined if nobody waits, somebody holds it, or a lock keeps
   * everybody out at that time.
   */
  next(place: Place, at: Date): Promise<Deployment | undefined>;
  /** Ends those that wait in the same line, were asked for before, and have one of these versions; gives and notes them. */
  supersede(
    by: Deployment,
    versions: readonly string[] | 'any other',
    owner: string,
    finish: Finish,
  ): Promise<readonly Deployment[]>;
  /**
   * From queued to running, owned by a replica. Undefined if somebody else did that already: then it must not run. One that a
   * lock keeps out at that time goes back into the line.
   */
  claim(id: number, owner: string, at: Date, previous: string | undefined): Promise<Deployment | undefined>;
  /** Ends one that has not begun; `owner` tells of it. Undefined if it has begun or ended. */
  drop(id: number, owner: string, finish: Finish): Promise<Deployment | undefined>;
  /** Says that a running one is to be stopped. Undefined if it does not run. */
  cancel(id: number, by: Requester): Promise<Deployment | undefined>;
  /** Keeps what the program said so far. */
  saveOutput(id: number, owner: string, output: string): Promise<void>;
  /** Ends a running one and frees its place. False if it is no longer that owner's to end. */
  finish(id: number, owner: string, finish: Finish): Promise<boolean>;
  /** The room knows how it ended. */
  announced(id: number): Promise<void>;
  get(id: number): Promise<Deployment | undefined>;
  output(id: number): Promise<string>;
  /** Queued or running. */
  open(): Promise<readonly Deployment[]>;
  /** All that wait, in the order they were asked for. */
  waiting(): Promise<readonly Deployment[]>;
  /** Keeps what it takes to find the rollout again. Throws if it is no longer that owner's. */
  remember(id: number, owner: string, handle: object): Promise<void>;
  /** What was remembered last; undefined if nothing was. */
  handle(id: number): Promise<unknown>;
  /** Leaves a running one to whoever takes it up, with what its program said so far. False if it is not that owner's. */
  leave(id: number, owner: string, output?: string): Promise<boolean>;
  /** Takes up a running one that was left. Undefined if somebody else did, or it has ended. */
  takeUp(id: number, owner: string): Promise<Deployment | undefined>;
  /** Running, and owned by that replica. */
  runningOf(owner: string): Promise<readonly Deployment[]>;
  /** Ended, owned by that replica, and the room was not told. */
  unannouncedOf(owner: string): Promise<readonly Deployment[]>;
  /** The latest success of each service and environment. */
  lastGood(): Promise<readonly Deployment[]>;
  /** Newest first. */
  history(filter: DeploymentFilter): Promise<readonly Deployment[]>;
}

export interface Clock {
  now(): Date;
  /** Resolves after that time, or at once when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

interface DeployLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface DeployPorts {
  readonly config: ServicesConfig;
  readonly store: DeployStore;
  /** Locks that hold at that time. */
  locks(at: Date): Promise<readonly Lock[]>;
  /** The target of a service of the configuration. */
  target(service: string): Target;
  /** Where the versions of a service are in Git; undefined if nobody said. */
  readonly source?: (service: string) => Source | undefined;
  readonly clock: Clock;
  /** Id of this replica. */
  readonly replica: string;
  /** Stores the job that calls {@link Deploys.run}. May be called twice for one deployment. */
  enqueue(id: number): Promise<void>;
  /** Has {@link Deploys.stop} called on every replica. May be lost: whoever runs a deployment also looks by itself. */
  tellCancelled(id: number): Promise<void>;
  /** Durable; the same key updates in place. */
  post(origin: Address, content: Content, key: string): Promise<void>;
  /** Told of each deployment that has ended, before its room is; for audit and metrics. May be told twice. */
  ended(deployment: Deployment, state: Finish['state'], reason: string | undefined): Promise<void>;
  /** Told of each deployment that has ended, once its card says so. May be told twice; told again if it throws. */
  told?(id: number): Promise<void>;
  /** Blots out secrets. */
  redact(text: string): string;
  /** Whether whoever asked holds the permission now. */
  may(by: Requester, permission: string): Promise<boolean>;
  readonly log: DeployLog;
}

export interface StartRequest {
  readonly service: string;
  readonly environment: string;
  readonly version?: string;
  /** The name that the version was asked for by, and its commit: found out before it begins. */
  readonly asked?: string;
  readonly commit?: string;
  readonly by: Requester;
  readonly origin: Address;
  /** Number of the audit row to end when the deployment has ended. */
  readonly audit?: number;
  /** Back to what was live here before. */
  readonly isRollback?: boolean;
  /** Why the rules of the environment shall not count. Whoever says so was checked for it. */
  readonly override?: string;
  /** What was approved by as many as the environment asks for. */
  readonly approved?: Change;
  /** By whom: different people, none of them whoever asks. */
  readonly approvedBy?: readonly Requester[];
}

/** A way back that the robot takes by itself. */
export interface RevertRequest extends Pick<StartRequest, 'service' | 'environment' | 'by' | 'origin' | 'audit'> {
  readonly version: string;
  /** Number of the deployment that is rolled back. */
  readonly rollsBack: number;
}

export type PreviewRequest = Pick<StartRequest, 'service' | 'environment' | 'version' | 'isRollback'>;

/** What a deployment changes. */
export interface Change {
  readonly version: string;
  readonly asked?: string;
  readonly commit?: string;
  readonly previous?: string;
}

/** What a deployment would do, and what stands in its way. */
export interface Preview extends Change {
  readonly kind: 'preview';
  readonly service: string;
  readonly environment: string;
  readonly checks: readonly RuleCheck[];
  /** The commits between what is live and what would be; undefined where nothing is known of either. */
  readonly commits?: CommitsFact;
  /** What runs there, or else who waits there first. */
  readonly holder?: Deployment;
  readonly approval?: ApprovalRule;
}

/** `started`: it is its turn; `waiting`: it stands in line. */
export type StartResult = { readonly kind: 'started' | 'waiting'; readonly deployment: Deployment } | Refusal;

/** What became of a wish to cancel: it left the line, it is being stopped, or there was nothing to cancel. */
export type CancelResult =
  | { readonly kind: 'removed' | 'stopping' | 'ended'; readonly deployment: Deployment }
  | { readonly kind: 'unknown' };

/** What runs and waits in one place. */
export interface Line extends Place {
  readonly holder?: Deployment;
  /** In the order in which they will run. */
  readonly waiting: readonly Deployment[];
  /** What keeps them from going on. */
  readonly lock?: Lock;
}

/** What was deployed last with success, and no longer runs there. */
export type Drift = Pick<Deployment, 'id' | 'version' | 'by'> & { readonly finishedAt: Date };

/** What runs in one place. */
export interface Placement {
  readonly service: string;
  readonly environment: string;
  readonly live:
    | (Live & {
        readonly kind: 'live';
        readonly by?: string;
        /** There if it is not what was deployed last with success. */
        readonly drift?: Drift;
        /** Until then, an alert is tied to the deployment that brought it. */
        readonly watchedUntil?: Date;
      })
    | { readonly kind: 'nothing' }
    /** `recorded` is what was deployed last, which may no longer be so. */
    | { readonly kind: 'unclear'; readonly text: string; readonly recorded?: string };
  readonly open?: Deployment;
}

export interface Deploys {
  /** Begins a deployment or puts it in line, and posts its card; or says why not. Rules and approval count. */
  start(request: StartRequest): Promise<StartResult>;
  /**
   * Begins a rollback for the robot itself. Locks and the line count; rules and approval do not. Once for each deployment
   * that is rolled back.
   */
  revert(request: RevertRequest): Promise<StartResult>;
  /** What {@link Deploys.start} would do; changes nothing. */
  preview(request: PreviewRequest): Promise<Preview | Refusal>;
  /** Who must approve what goes to that environment; undefined if nobody must. */
  approval(environment: string): ApprovalRule | undefined;
  get(id: number): Promise<Deployment | undefined>;
  /** Takes one out of the line, or has a running one stopped. Asks for no permission. */
  cancel(id: number, by: Requester): Promise<CancelResult>;
  /** Somebody cancelled it: stops it if it runs here. */
  stop(id: number): void;
  /** Places in which something runs or waits. */
  lines(filter: { readonly service?: string; readonly environment?: string }): Promise<readonly Line[]>;
  /** Goes on wherever a place has become free without anybody noticing: a lock has expired, a replica was killed. */
  goOn(): Promise<void>;
  /** What runs where, asked of the targets themselves. */
  list(filter: { readonly service?: string; readonly environment?: string }): Promise<readonly Placement[]>;
  history(filter: DeploymentFilter): Promise<readonly Deployment[]>;
  /** Queued or running. */
  running(): Promise<readonly Deployment[]>;
  /** One deployment and all that its program said. */
  log(id: number): Promise<{ readonly deployment: Deployment; readonly output: string } | undefined>;
  /** Versions of a service that its target knows, newest first; none if it does not say. */
  versions(service: string): Promise<readonly string[]>;
  /** The job: runs it once, whoever calls, however often. Never throws for a deployment that fails. */
  run(id: number, signal: AbortSignal): Promise<void>;
  /**
   * A replica is gone: what its targets can resume is taken up; the rest is ended from what is really live, and its rooms are
   * told.
   */
  interrupt(replicaId: string): Promise<void>;
  /** Takes up what was left when the robot was stopped. */
  takeUp(): Promise<void>;
}
