/** The target `command` as plain data. `src/config/targets/command.ts` reads it from `config/services.yaml`. */

/** Runs programs: see `docs/guide/targets/command.md`. Each list is a program and its arguments; no shell is involved. */
export interface CommandTargetConfig {
  readonly kind: 'command';
  readonly folder: string;
  readonly deploy: readonly string[];
  readonly current?: readonly string[];
  readonly versions?: readonly string[];
  readonly timeoutMs: number;
  /** Names of the robot's own environment variables that the programs may see. */
  readonly pass: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}
