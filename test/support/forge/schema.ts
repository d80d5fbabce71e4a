/**
 * Requests as the documentation has them; nothing else may stand in them. docs.github.com/rest (version 2022-11-28), docs.gitlab.com/api,
 * the swagger of Argo CD (applicationApplicationPatchRequest, applicationApplicationSyncRequest), docs/guide/targets/webhook.md.
 */

import { z } from 'zod';

export const dispatch = z.strictObject({
  ref: z.string().min(1),
  inputs: z.record(z.string(), z.string()).optional(),
  return_run_details: z.boolean().optional(),
});

export const newDeployment = z.strictObject({
  ref: z.string().min(1),
  task: z.string().optional(),
  auto_merge: z.boolean().optional(),
  required_contexts: z.array(z.string()).optional(),
  payload: z.union([z.record(z.string(), z.unknown()), z.string()]).optional(),
  environment: z.string().optional(),
  description: z.string().max(140).nullish(),
  transient_environment: z.boolean().optional(),
  production_environment: z.boolean().optional(),
});

export const newStatus = z.strictObject({
  state: z.enum(['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success']),
  target_url: z.string().optional(),
  log_url: z.string().optional(),
  description: z.string().max(140).optional(),
  environment: z.string().optional(),
  environment_url: z.string().optional(),
  auto_inactive: z.boolean().optional(),
});

export const newPipeline = z.strictObject({
  ref: z.string().min(1),
  variables: z
    .array(
      z.strictObject({ key: z.string(), value: z.string(), variable_type: z.enum(['env_var', 'file']).optional() }),
    )
    .optional(),
  inputs: z.record(z.string(), z.string()).optional(),
});

export const patchRequest = z.strictObject({
  name: z.string().optional(),
  patch: z.string(),
  patchType: z.enum(['json', 'merge']),
  appNamespace: z.string().optional(),
  project: z.string().optional(),
});

export const patchSteps = z.array(
  z.strictObject({ op: z.enum(['add', 'replace', 'test', 'remove']), path: z.string(), value: z.unknown() }),
);

export const syncRequest = z.strictObject({
  name: z.string().optional(),
  revision: z.string().optional(),
  revisions: z.array(z.string()).optional(),
  dryRun: z.boolean().optional(),
  prune: z.boolean().optional(),
  infos: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
  appNamespace: z.string().optional(),
  project: z.string().optional(),
});

export const webhookBody = z.strictObject({
  action: z.enum(['deploy', 'cancel']),
  deployment: z.int(),
  service: z.string(),
  environment: z.string(),
  version: z.string().optional(),
});
