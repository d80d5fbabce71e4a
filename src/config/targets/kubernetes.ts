/** A target that sets images in a Kubernetes cluster. */

import { z } from 'zod';
import type {
  KubernetesPlace,
  KubernetesTargetConfig,
  KubernetesWorkload,
} from '../../domain/deploy/targets/kubernetes.ts';
import { duration, strict } from '../fields.ts';

const context = z.string().min(1);

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/; `{environment}` and `{service}` may stand in it. */
const name = z
  .string()
  .regex(
    /^(?:[a-z0-9.-]|\{environment\}|\{service\})+$/,
    'a name in Kubernetes is made of small letters, digits, “-” and “.”',
  );

const image = z
  .string()
  .regex(
    /^[^\s{}]+\{version\}[^\s{}]*$/,
    'an image names where the version stands, once: registry.example/web:{version}',
  )
  .describe('Image with `{version}` in it');

const workload = z.union([
  name,
  strict({
    name,
    container: name
      .optional()
      .describe('The container; the one named like the Deployment, or the only one, unless given'),
    image: image.optional(),
    images: z.record(name, image).optional().describe('Container → image, where a version sets several'),
  }),
]);

const where = strict({
  context: context.optional().describe('Context of the kubeconfig; its current one unless given'),
  namespace: name.optional().describe('Namespace; `{environment}` and `{service}` are filled in'),
  deployments: z
    .array(workload)
    .min(1)
    .optional()
    .describe('Names of Deployments; one named like the service unless given. The first says which version is live'),
  container: name
    .optional()
    .describe('The container; the one named like the Deployment, or the only one, unless given'),
  image: image.optional(),
});

/** See docs/guide/targets/kubernetes.md. */
export const kubernetesTarget = strict({
  kind: z.literal('kubernetes').describe('Sets images in a Kubernetes cluster and watches the rollout'),
  kubeconfig: z
    .string()
    .min(1)
    .optional()
    .describe('A kubeconfig; `KUBECONFIG`, the cluster that the robot runs in, or `~/.kube/config` unless given'),
  ...where.shape,
  environments: z.record(z.string(), where).default({}).describe('Environment → what is different there'),
  timeout: duration
    .default(10 * 60_000)
    .describe('A rollout that takes longer is undone: `30s`, `2m`, `1h`; ten minutes unless said otherwise'),
  patience: duration
    .default(15_000)
    .describe('A crash loop or an image that cannot be pulled is given this long; 15 s unless said otherwise'),
})
  .check(({ value, issues }) => {
    const check = (one: KubernetesPlace, path: string[]) => {
      if (imagesAreKnown(one)) return;
      const message = 'which image? for example image: registry.example/web:{version}';
      issues.push({ code: 'custom', message, path, input: value });
    };
    const common = placeOf(value);
    const environments = Object.entries(value.environments);
    if (environments.length === 0) check(common, ['image']);
    for (const [name, own] of environments) check({ ...common, ...placeOf(own) }, ['environments', name, 'image']);
  })
  .transform(
    (target): KubernetesTargetConfig => ({
      kind: 'kubernetes',
      ...(target.kubeconfig === undefined ? {} : { kubeconfig: target.kubeconfig }),
      place: placeOf(target),
      environments: Object.fromEntries(Object.entries(target.environments).map(([key, own]) => [key, placeOf(own)])),
      timeoutMs: target.timeout,
      patienceMs: target.patience,
    }),
  );

type Given = { readonly [K in keyof z.infer<typeof where>]: z.infer<typeof where>[K] };

/** What is given, without what is undefined. */
function placeOf({ context, namespace, deployments, container, image }: Given): KubernetesPlace {
  return {
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(deployments === undefined ? {} : { deployments: deployments.map(workloadOf) }),
    ...(container === undefined ? {} : { container }),
    ...(image === undefined ? {} : { image }),
  };
}

function workloadOf(given: z.infer<typeof workload>): KubernetesWorkload {
  if (typeof given === 'string') return { name: given };
  const { name, container, image, images } = given;
  return {
    name,
    ...(container === undefined ? {} : { container }),
    ...(image === undefined ? {} : { image }),
    ...(images === undefined ? {} : { images }),
  };
}

function imagesAreKnown({ image, deployments }: KubernetesPlace): boolean {
  if (image !== undefined) return true;
  return deployments?.every((one) => (one.image ?? one.images) !== undefined) === true;
}
