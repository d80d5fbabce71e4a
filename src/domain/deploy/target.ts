/** The port behind which a service runs: what is asked of a target, what it tells meanwhile, and how it ends. */

export interface TargetRequest {
  readonly deployment: number;
  readonly service: string;
  readonly environment: string;
  readonly version: string;
}

/** The reason of an aborted {@link TargetRun.signal} when somebody cancelled. */
export const CANCEL = 'cancel';

/** Somebody cancelled; otherwise an aborted signal means that the robot stops. */
export function isCancelled(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason === CANCEL;
}

export interface TargetRun {
  /**
   * Aborted with the reason {@link CANCEL} when somebody cancels: stop the rollout and put things in order. Aborted with another
   * reason when the robot shuts down: end soon, leave things in order; a rollout that can be resumed goes on by itself.
   */
  readonly signal: AbortSignal;
  /** Stores durably what it takes to find this rollout again, should this process end before it does. */
  remember(handle: object): Promise<void>;
  progress(step: ProgressStep): void;
  /** One line, without its end, free of control characters. */
  output(line: string): void;
}

export interface ProgressStep {
  readonly text?: string;
  /** 0 to 100. */
  readonly percent?: number;
}

/** `text` says what went wrong in words, as a clause: `the program ended with exit code 1`. */
export type TargetOutcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string }
  | { readonly kind: 'interrupted'; readonly text: string };

/** How a rollout ends for the robot when the robot itself was stopped: it may go on by itself. */
export const CUT_OFF: TargetOutcome = { kind: 'interrupted', text: 'the robot was stopped while it ran' };

export interface Live {
  readonly version: string;
  readonly since?: Date;
  /** There if it may be otherwise by now: when it was so, and why nothing newer is known, as a clause. */
  readonly stale?: { readonly since: Date; readonly text: string };
}

/** Where a service runs. One folder in `src/adapters/deploy` each. `current` and `versions` throw {@link TargetUnclear}. */
export interface Target {
  readonly kind: string;
  deploy(request: TargetRequest, run: TargetRun): Promise<TargetOutcome>;
  /** Follows a rollout that another process began, by what that remembered last; never begins another one. */
  resume?(request: TargetRequest, handle: unknown, run: TargetRun): Promise<TargetOutcome>;
  /** What is really live; undefined if nothing is. `unsupported` if the target has no way to know. */
  current(service: string, environment: string): Promise<Live | 'unsupported' | undefined>;
  /** As `current`, but cheap: for lists of many, not for decisions. May be some moments old, and says so if it is older. */
  glance?(service: string, environment: string): Promise<Live | 'unsupported' | undefined>;
  /** Newest first; `unsupported` if the target has no list: then any version may be named. */
  versions(service: string): Promise<readonly string[] | 'unsupported'>;
  /** Resolves when nothing is at work any more that a killed robot had started. */
  settle(service: string, environment: string): Promise<void>;
}

/** The target could not say; the message is a sentence for people. */
export class TargetUnclear extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'TargetUnclear';
  }
}
