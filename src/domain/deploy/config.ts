/** What can be deployed and where, as plain data. `src/config/services.ts` reads it from `config/services.yaml`. */

import type { Matcher } from '../alerts/config.ts';
import type { DockerTargetConfig } from '../docker/config.ts';
import type { PipelineAccess } from '../pipelines/access.ts';
import type { RequiredChecks } from './checks.ts';
import type { SourceConfig } from './source.ts';
import type { ArgoTargetConfig } from './targets/argocd.ts';
import type { GithubTargetConfig } from './targets/github.ts';
import type { GitlabTargetConfig } from './targets/gitlab.ts';
import type { JenkinsTargetConfig } from './targets/jenkins.ts';
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

/** A Deployment of a cluster, and the image that a version sets in it; `{version}` stands in images. */
export interface KubernetesWorkload {
  readonly name: string;
  readonly container?: string;
  readonly image?: string;
  /** Container → image, where a version sets several. */
  readonly images?: Readonly<Record<string, string>>;
}

/** Where a service runs in a cluster; `{environment}` and `{service}` may stand in all names but images. */
export interface KubernetesPlace {
  /** Context of the kubeconfig; its current one unless given. */
  readonly context?: string;
  readonly namespace?: string;
  /** The first says which version is live. One named like the service unless given. */
  readonly deployments?: readonly KubernetesWorkload[];
  /** The container named like the Deployment, or the only one, unless given. */
  readonly container?: string;
  readonly image?: string;
}

/** Sets images in a Kubernetes cluster: see `docs/guide/targets/kubernetes.md`. */
export interface KubernetesTargetConfig {
  readonly kind: 'kubernetes';
  /** Path of a kubeconfig. Without one: `KUBECONFIG`, the cluster that the robot runs in, or `~/.kube/config`. */
  readonly kubeconfig?: string;
  /** Everywhere. */
  readonly place: KubernetesPlace;
  /** What is different in an environment. */
  readonly environments: Readonly<Record<string, KubernetesPlace>>;
  readonly timeoutMs: number;
  /** How long a failure that pods seldom get over is looked at before the rollout is undone. */
  readonly patienceMs: number;
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
