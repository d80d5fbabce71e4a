/** What can be deployed and where, as plain data. `src/config/services.ts` reads it from `config/services.yaml`. */

import type { DockerTargetConfig } from '../docker/config.ts';

interface EnvironmentConfig {
  readonly name: string;
  readonly description?: string;
}

/** Runs programs: see `docs/guide/deploy.md`. Each list is a program and its arguments; no shell is involved. */
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

/** One member for each kind of target. */
export type TargetConfig = CommandTargetConfig | DockerTargetConfig;

export interface ServiceConfig {
  readonly name: string;
  readonly description?: string;
  /** Names of environments, in the order of the file. */
  readonly environments: readonly string[];
  readonly target: TargetConfig;
}

export interface ServicesConfig {
  readonly environments: readonly EnvironmentConfig[];
  readonly services: readonly ServiceConfig[];
}
