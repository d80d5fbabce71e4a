/** Where a service of the configuration is in a cluster. */

import type { KubernetesTargetConfig } from '../../../domain/deploy/targets/kubernetes.ts';

/** One Deployment, and what a version sets in it. */
export interface Workload {
  readonly name: string;
  /** Without a container: the one named like the Deployment, or the only one. */
  readonly images: readonly { readonly container?: string; readonly image: string }[];
}

export interface Place {
  readonly context?: string;
  readonly namespace: string;
  /** At least one. */
  readonly workloads: readonly Workload[];
}

/** What the configuration says of this service in this environment, with every name filled in. */
export function placeOf(config: KubernetesTargetConfig, service: string, environment: string): Place {
  const place = { ...config.place, ...config.environments[environment] };
  const fill = (text: string) => text.replaceAll('{environment}', environment).replaceAll('{service}', service);
  const workloads = (place.deployments ?? [{ name: service }]).map((one): Workload => {
    if (one.images !== undefined) {
      const images = Object.entries(one.images).map(([container, image]) => ({ container: fill(container), image }));
      return { name: fill(one.name), images };
    }
    const container = one.container ?? place.container;
    const image = one.image ?? place.image ?? '';
    return {
      name: fill(one.name),
      images: [{ image, ...(container === undefined ? {} : { container: fill(container) }) }],
    };
  });
  return {
    ...(place.context === undefined ? {} : { context: fill(place.context) }),
    namespace: fill(place.namespace ?? 'default'),
    workloads,
  };
}
