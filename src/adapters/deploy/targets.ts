/** The target of each service, by the kind that config/services.yaml names. A new kind is one folder and one line here. */

import type { TargetConfig } from '../../domain/deploy/config.ts';
import type { Target } from '../../domain/deploy/target.ts';
import { createArgoTarget } from './argocd/client.ts';
import { createCommandTarget } from './command/client.ts';
import { createDockerTarget } from './docker/client.ts';
import { createGithubTarget } from './github/client.ts';
import { createGitlabTarget } from './gitlab/client.ts';
import { createJenkinsTarget } from './jenkins/client.ts';
import { createKubernetesTarget } from './kubernetes/client.ts';
import { createWebhookTarget } from './webhook/client.ts';

/** What every kind of target is made of. */
export interface TargetOptions<Config extends TargetConfig> {
  readonly service: string;
  readonly config: Config;
  /** Relative folders of the configuration start here. */
  readonly root: string;
  /** The robot's data folder; each service gets one of its own in it. */
  readonly dataFolder: string;
  /** The robot's environment: where secrets are that the configuration names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted when the robot closes: connections that are kept open end. Without it, none is kept. */
  readonly closing?: AbortSignal;
}

type Kinds = {
  readonly [K in TargetConfig['kind']]: (options: TargetOptions<Extract<TargetConfig, { kind: K }>>) => Target;
};

const kinds: Kinds = {
  argocd: createArgoTarget,
  command: createCommandTarget,
  docker: createDockerTarget,
  jenkins: createJenkinsTarget,
  webhook: createWebhookTarget,
  github: createGithubTarget,
  gitlab: createGitlabTarget,
  kubernetes: createKubernetesTarget,
};

export interface TargetsOptions extends Omit<TargetOptions<TargetConfig>, 'service' | 'config'> {
  readonly services: readonly { readonly name: string; readonly target: TargetConfig }[];
}

/** Gives a service its target; the same one each time. */
export function createTargets({ services, ...options }: TargetsOptions): (service: string) => Target {
  const made = new Map<string, Target>();
  return (name) => {
    const known = made.get(name);
    if (known) return known;
    const service = services.find((each) => each.name === name);
    if (!service) throw new Error(`no service ${name}`);
    const target = targetOf(service.target.kind, { ...options, service: name, config: service.target });
    made.set(name, target);
    return target;
  };
}

function targetOf<K extends TargetConfig['kind']>(
  kind: K,
  options: TargetOptions<Extract<TargetConfig, { kind: K }>>,
): Target {
  return kinds[kind](options);
}
