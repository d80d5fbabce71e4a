/** The target of each service, by the kind that config/services.yaml names. A new kind is one folder and one line here. */

import type { TargetConfig } from '../../domain/deploy/config.ts';
import type { Target } from '../../domain/deploy/ports.ts';
import { type CommandTargetOptions, createCommandTarget } from './command/client.ts';

const kinds: Readonly<Record<TargetConfig['kind'], (options: CommandTargetOptions) => Target>> = {
  command: createCommandTarget,
};

export interface TargetsOptions extends Omit<CommandTargetOptions, 'service' | 'config'> {
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
    const target = kinds[service.target.kind]({ ...options, service: name, config: service.target });
    made.set(name, target);
    return target;
  };
}
