/** The target of each service, by the kind that config/services.yaml names. A new kind is one folder and one line here. */

import type { TargetConfig } from '../../domain/deploy/config.ts';
import type { Target } from '../../domain/deploy/target.ts';

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

type Create<K extends TargetConfig['kind']> = (options: TargetOptions<Extract<TargetConfig, { kind: K }>>) => Target;

/** Loads what makes a target of that kind: what nobody has configured takes no memory, and no time at the start. */
type Kinds = { readonly [K in TargetConfig['kind']]: () => Promise<Create<K>> };

const kinds: Kinds = {
  argocd: async () => (await import('./argocd/client.ts')).createArgoTarget,
  command: async () => (await import('./command/client.ts')).createCommandTarget,
  docker: async () => (await import('./docker/client.ts')).createDockerTarget,
  jenkins: async () => (await import('./jenkins/client.ts')).createJenkinsTarget,
  webhook: async () => (await import('./webhook/client.ts')).createWebhookTarget,
  github: async () => (await import('./github/client.ts')).createGithubTarget,
  gitlab: async () => (await import('./gitlab/client.ts')).createGitlabTarget,
  kubernetes: async () => (await import('./kubernetes/client.ts')).createKubernetesTarget,
};

export interface TargetsOptions extends Omit<TargetOptions<TargetConfig>, 'service' | 'config'> {
  readonly services: readonly { readonly name: string; readonly target: TargetConfig }[];
}

/** Loads the kinds that services have, and gives a service its target; the same one each time. */
export async function loadTargets({ services, ...options }: TargetsOptions): Promise<(service: string) => Target> {
  const makers = new Map(
    await Promise.all(
      services.map(
        async ({ name, target }) =>
          [name, await makerOf(target.kind, { ...options, service: name, config: target })] as const,
      ),
    ),
  );
  const made = new Map<string, Target>();
  return (name) => {
    const target = made.get(name) ?? makers.get(name)?.();
    if (!target) throw new Error(`no service ${name}`);
    made.set(name, target);
    return target;
  };
}

async function makerOf<K extends TargetConfig['kind']>(
  kind: K,
  options: TargetOptions<Extract<TargetConfig, { kind: K }>>,
): Promise<() => Target> {
  const create = await kinds[kind]();
  return () => create(options);
}
