/** What there is to see and to do in a cluster, of services that `config/services.yaml` deploys to Kubernetes. */

export interface Place {
  readonly service: string;
  readonly environment: string;
}

export interface PodFact {
  readonly name: string;
  readonly deployment: string;
  /** The version that its image is, or the whole image if it is of another repository. */
  readonly version: string;
  readonly ready: boolean;
  /** In words: `ready`, `ending`, or why it is not ready. Untrusted. */
  readonly state: string;
  readonly restarts: number;
  readonly startedAt?: Date;
  readonly node?: string;
  readonly containers: readonly string[];
}

export interface LogQuery {
  /** The one in most trouble, else the newest, unless given. */
  readonly pod?: string;
  readonly container?: string;
  readonly lines: number;
  /** Of the run before the last restart. */
  readonly previous: boolean;
}

export interface PodLog {
  readonly pod: string;
  readonly container: string;
  /** Redacted, but untrusted. */
  readonly text: string;
}

export interface EventFact {
  readonly at?: Date;
  readonly warning: boolean;
  readonly reason: string;
  /** `pod web-6d4-x2x9k` */
  readonly object: string;
  readonly message: string;
  readonly count: number;
}

export interface WorkloadFact {
  readonly name: string;
  readonly namespace: string;
  readonly wanted: number;
  readonly ready: number;
  /** Words for how far it is. */
  readonly status: string;
  readonly complete: boolean;
  readonly revision?: string;
  /** Why it was changed last. */
  readonly cause?: string;
  readonly strategy: string;
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly requests: string;
    readonly limits: string;
    readonly probes: readonly string[];
  }[];
  /** What stands against it. Untrusted. */
  readonly problems: readonly string[];
}

export interface Scaled {
  readonly deployment: string;
  readonly before: number;
  readonly after: number;
}

/** All of these throw {@link KubernetesProblem}. */
export interface Kubernetes {
  pods(place: Place): Promise<readonly PodFact[]>;
  log(place: Place, query: LogQuery): Promise<PodLog>;
  /** Newest first. */
  events(place: Place): Promise<readonly EventFact[]>;
  describe(place: Place): Promise<readonly WorkloadFact[]>;
  /** Replaces the pods of all its Deployments, a few at a time. Gives their names. */
  restart(place: Place, by: string, at: Date): Promise<readonly string[]>;
  /** The first Deployment unless one is named. */
  scale(place: Place, replicas: number, deployment?: string): Promise<Scaled>;
}

export type Problem =
  /** The service is not deployed to Kubernetes; `known` are. */
  | { readonly kind: 'elsewhere'; readonly service: string; readonly known: readonly string[] }
  | {
      readonly kind: 'environment';
      readonly service: string;
      readonly environment: string;
      readonly known: readonly string[];
    }
  | { readonly kind: 'unknown'; readonly what: string; readonly name: string; readonly known: readonly string[] }
  /** The cluster could not say or would not do it; a clause. */
  | { readonly kind: 'unclear'; readonly text: string };

export class KubernetesProblem extends Error {
  readonly problem: Problem;
  constructor(problem: Problem, options: { cause?: unknown } = {}) {
    super(problem.kind === 'unclear' ? problem.text : problem.kind, options);
    this.name = 'KubernetesProblem';
    this.problem = problem;
  }
}
