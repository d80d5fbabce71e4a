/** Which image a version is, and which version an image. */

import type { V1Container, V1Deployment } from '@kubernetes/client-node';
import type { Workload } from './places.ts';

/** https://pkg.go.dev/github.com/distribution/reference: name, tag, digest. */
const REFERENCE = /^[\w.-]+(?::\d+)?(?:\/[\w.-]+)*(?::\w[\w.-]{0,127})?(?:@[a-z0-9+._-]+:[0-9a-fA-F]{32,})?$/;

export function isImage(text: string): boolean {
  return REFERENCE.test(text);
}

export function imageOf(template: string, version: string): string {
  return template.replace('{version}', () => version);
}

/** The version that this image is by the template; undefined if it is of another repository. */
export function versionOf(template: string, image: string): string | undefined {
  const [head = '', tail = ''] = template.split('{version}');
  if (!image.startsWith(head) || !image.endsWith(tail) || image.length <= head.length + tail.length) return undefined;
  return image.slice(head.length, image.length - tail.length);
}

/** A container of a Deployment; `init` for one that runs before the others. */
interface Found {
  readonly name: string;
  readonly init: boolean;
  readonly image: string;
}

/** The container that a workload means, or why there is none, as a clause. */
export function containerOf(
  deployment: V1Deployment,
  wanted: string | undefined,
): Found | { readonly problem: string } {
  const spec = deployment.spec?.template.spec;
  const own = (spec?.containers ?? []).map((one) => found(one, false));
  const all = [...own, ...(spec?.initContainers ?? []).map((one) => found(one, true))];
  const name = deployment.metadata?.name ?? '';
  const named =
    all.find((one) => one.name === (wanted ?? name)) ?? (wanted === undefined && own.length === 1 ? own[0] : undefined);
  if (named) return named;
  const names = all.map((one) => one.name).join(', ');
  return {
    problem:
      wanted === undefined
        ? `the deployment ${name} has several containers (${names}); name the one that the version sets, in config/services.yaml`
        : `the deployment ${name} has no container ${wanted}; it has ${names}`,
  };
}

function found({ name, image }: V1Container, init: boolean): Found {
  return { name, init, image: image ?? '' };
}

/** The version that a workload is set to. An image of another repository is named as a whole; several versions are all named. */
export function versionSet(workload: Workload, deployment: V1Deployment): string {
  const versions = workload.images.map(({ container, image }) => {
    const one = containerOf(deployment, container);
    return 'problem' in one ? 'unknown' : (versionOf(image, one.image) ?? one.image);
  });
  return [...new Set(versions)].join(' + ');
}
