/** Durable work: it survives the death of the process and runs once, on one replica. */

export interface JobOptions {
  /** How many run at once on one replica; 1 unless said otherwise. */
  readonly concurrency?: number;
  /** Seconds after which a run counts as failed. */
  readonly expireSeconds?: number;
  /** How often a failed run is tried again. */
  readonly retries?: number;
  readonly retryDelaySeconds?: number;
}

export interface JobRun {
  readonly id: string;
  /** 1 for the first run, 2 for the first retry. */
  readonly attempt: number;
  /** Aborted when the robot shuts down or the run expires. */
  readonly signal: AbortSignal;
}

export interface Jobs {
  /** Says what a job of this name does. All jobs are defined before the robot starts to work on them. */
  define<T extends object>(name: string, options: JobOptions, handler: (data: T, run: JobRun) => Promise<void>): void;
  /** Stores a job; it is durable when this resolves. With `key`, only one job of that key waits at a time. */
  send<T extends object>(
    name: string,
    data: T,
    options?: { readonly startAfterSeconds?: number; readonly key?: string },
  ): Promise<void>;
  /** Repeats a job by a cron expression in UTC. */
  schedule(name: string, cron: string): Promise<void>;
}
