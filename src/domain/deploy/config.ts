/** What can be deployed and where, as plain data. `src/config/services.ts` reads it from `config/services.yaml`. */

import type { Matcher } from '../alerts/config.ts';
import type { PipelineAccess } from '../pipelines/access.ts';
import type { RequiredChecks } from './checks.ts';
import type { SourceConfig } from './source.ts';
import type { ArgoTargetConfig } from './targets/argocd.ts';
import type { CommandTargetConfig } from './targets/command.ts';
import type { DockerTargetConfig } from './targets/docker.ts';
import type { GithubTargetConfig } from './targets/github.ts';
import type { GitlabTargetConfig } from './targets/gitlab.ts';
import type { JenkinsTargetConfig } from './targets/jenkins.ts';
import type { KubernetesTargetConfig } from './targets/kubernetes.ts';
import type { WebhookTargetConfig } from './targets/webhook.ts';

interface EnvironmentConfig {
  readonly name: string;
  readonly description?: string;
  /** A newer version takes the place of older ones that wait in line. */
  readonly supersede?: boolean;
  readonly rules?: EnvironmentRules;
  readonly approval?: ApprovalRule;
  readonly afterwards?: Afterwards;
}

/** What follows the end of a deployment. */
export interface Afterwards {
  /** Names of rooms that are told how it ended, besides the one where it was asked for. */
  readonly announce: readonly string[];
  /** How long alerts are tied to a deployment that succeeded; 0: not at all. */
  readonly watchMs: number;
  /** What makes the robot roll back by itself. */
  readonly rollbackOn: readonly ('alert' | 'failure')[];
  /** Alerts of these severities do; empty: all. */
  readonly rollbackSeverity: readonly string[];
  /** Which alerts are of this environment; none: those whose labels name it. */
  readonly alerts: readonly Matcher[];
}

/** When deployments may begin. Minutes are counted from midnight on a clock of that zone. */
export interface Window {
  /** 1 is Monday, 7 Sunday. */
  readonly days: readonly number[];
  readonly from: number;
  readonly to: number;
  /** A zone of the IANA database. */
  readonly zone: string;
  /** As it stands in the file. */
  readonly text: string;
}

/** When none may begin. */
interface Freeze {
  readonly from: Date;
  /** The first moment after it. */
  readonly to: Date;
  readonly reason: string;
  readonly zone: string;
}

export interface EnvironmentRules {
  /** The environment where a version must have succeeded first. */
  readonly after?: string;
  readonly windows: readonly Window[];
  readonly freezes: readonly Freeze[];
  /** What must have passed for a commit. */
  readonly checks?: RequiredChecks;
}

/** Who must approve: so many different people who hold the permission, or have the role, and did not ask for it. */
export interface ApprovalRule {
  readonly needs: { readonly permission: string } | { readonly role: string };
  readonly count: number;
  readonly expiresMs: number;
}

/** One member for each kind of target. */
export type TargetConfig =
  | ArgoTargetConfig
  | CommandTargetConfig
  | DockerTargetConfig
  | GithubTargetConfig
  | GitlabTargetConfig
  | JenkinsTargetConfig
  | KubernetesTargetConfig
  | WebhookTargetConfig;

export interface ServiceConfig {
  readonly name: string;
  readonly description?: string;
  /** `owner/name`: whose pipelines are its own. */
  readonly repository?: string;
  /** Which alerts are its own; those whose labels name it unless given. */
  readonly alerts?: readonly Matcher[];
  /** Where its versions are in Git. */
  readonly source?: SourceConfig;
  /** Names of environments, in the order of the file. */
  readonly environments: readonly string[];
  readonly target: TargetConfig;
  /** Where its pipelines can be run again. */
  readonly pipelines?: PipelineAccess;
}

export interface ServicesConfig {
  readonly environments: readonly EnvironmentConfig[];
  readonly services: readonly ServiceConfig[];
}
