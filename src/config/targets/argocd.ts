/** A target that sets what an application of Argo CD runs, and follows its sync. */

import { z } from 'zod';
import type { ArgoTargetConfig } from '../../domain/deploy/targets/argocd.ts';
import { duration, strict, variable } from '../fields.ts';
import { address, placeholders } from './address.ts';

/** A name as Kubernetes has them. */
const label = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** See docs/guide/targets/argocd.md. */
export const argoTarget = strict({
  kind: z.literal('argocd').describe('Sets the version of an Argo CD application and syncs it'),
  url: address.describe('Where Argo CD is, for example `https://argocd.example.com`'),
  application: placeholders(['service', 'environment'])
    .min(1)
    .default('{service}-{environment}')
    .describe('Name of the application; `{service}` and `{environment}` are filled in'),
  project: z.string().min(1).optional().describe('Project of the application'),
  namespace: z
    .string()
    .regex(label, 'the name of a namespace is expected')
    .optional()
    .describe('Namespace of the application, unless it is the one of Argo CD'),
  token_from: variable.describe('The variable that holds the token'),
  set: z
    .union([
      z.literal('revision'),
      strict({ helm_parameter: z.string().min(1).describe('Name of a Helm parameter, for example `image.tag`') }),
      strict({
        kustomize_image: z
          .string()
          .regex(/^[^\s=@]+$/, 'the name of an image is expected')
          .describe('Name of an image, without its tag'),
      }),
    ])
    .default('revision')
    .describe('What the version is: the `targetRevision`, a Helm parameter, or the tag of a Kustomize image'),
  source: z.int().min(1).optional().describe('Which source, from 1, if the application has several'),
  prune: z.boolean().default(false).describe('Whether the sync deletes what is no longer in the source'),
  timeout: duration
    .default(15 * 60_000)
    .describe('A sync that takes longer is terminated; fifteen minutes unless said otherwise'),
}).transform(
  (target): ArgoTargetConfig => ({
    kind: 'argocd',
    url: target.url,
    application: target.application,
    ...(target.project === undefined ? {} : { project: target.project }),
    ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
    tokenFrom: target.token_from,
    set:
      target.set === 'revision'
        ? { kind: 'revision' }
        : 'helm_parameter' in target.set
          ? { kind: 'helm', parameter: target.set.helm_parameter }
          : { kind: 'kustomize', image: target.set.kustomize_image },
    ...(target.source === undefined ? {} : { source: target.source }),
    prune: target.prune,
    timeoutMs: target.timeout,
  }),
);
