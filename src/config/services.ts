/** `config/services.yaml`: what can be deployed, and where. */

import { z } from 'zod';
import type { ServicesConfig } from '../domain/deploy/config.ts';
import { afterwardsOf, afterwardsShape, matchers, wrongAfterwards } from './afterwards.ts';
import { strict } from './fields.ts';
import { pipelineAccess } from './pipelines.ts';
import { approval, checks, freeze, rulesOf, window, wrongAfter } from './rules.ts';
import { source, sourceOf } from './source.ts';
import { target } from './targets/target.ts';

/** These words stand for something else in `deploy`, `deploys`, `lock` and `pipelines`, and in the permission `deploy:lock`. */
const RESERVED = ['to', 'in', 'log', 'lock', 'everything', 'rerun'];

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name is made of letters, digits, “.”, “_” and “-”')
  .refine((value) => !RESERVED.includes(value.toLowerCase()), `the words ${RESERVED.join(', ')} cannot be names`);

const repository = z
  .string()
  .regex(/^[\w.-]+(\/[\w.-]+)+$/, 'a repository is owner/name, without the address of its host');

const service = strict({
  description: z.string().optional().describe('For people'),
  repository: repository.optional().describe('Where its source is, as `owner/name`: whose pipelines are its own'),
  alerts: matchers
    .optional()
    .describe('Which alerts are its own; those whose service, app, job or deployment is its name unless given'),
  source: source.optional().describe('Where its versions are in Git'),
  environments: z.array(z.string()).min(1).optional().describe('Where it runs; everywhere unless given'),
  target: target.describe('How it gets there'),
  pipelines: pipelineAccess.optional().describe('Where its pipelines can be run again'),
});

const environment = strict({
  description: z.string().optional().describe('For people'),
  after: z.string().optional().describe('An environment where a version must have succeeded before it comes here'),
  checks: checks.optional().describe('Checks of the commit that must have passed: their names, or `all`'),
  windows: z.array(window).default([]).describe('When deployments may begin: `mon-thu 09:00-16:00 Europe/Berlin`'),
  freezes: z.array(freeze).default([]).describe('When none may begin, and why'),
  approval: approval.optional().describe('Somebody else must agree'),
  supersede: z.boolean().optional().describe('Whether a newer version takes the place of older ones that wait in line'),
  ...afterwardsShape,
});

/** The file as plain data. A service may only name environments that are declared. */
export const servicesSchema = strict({
  environments: z.record(name, environment.nullable()).default({}).describe('Name → environment'),
  services: z.record(name, service).default({}).describe('Name → service'),
})
  .check((context) => {
    const known = Object.keys(context.value.environments);
    for (const [owner, { environments, target: to }] of Object.entries(context.value.services)) {
      for (const wanted of to.kind === 'docker' ? Object.keys(to.places) : []) {
        if (known.includes(wanted)) continue;
        context.issues.push({
          code: 'custom',
          message: `there is no environment ${wanted}; allowed: ${known.join(', ')}`,
          path: ['services', owner, 'target', 'environments', wanted],
          input: wanted,
        });
      }
      for (const [index, wanted] of (environments ?? []).entries()) {
        if (known.includes(wanted)) continue;
        context.issues.push({
          code: 'custom',
          message: `there is no environment ${wanted}; allowed: ${known.join(', ')}`,
          path: ['services', owner, 'environments', index],
          input: wanted,
        });
      }
    }
  })
  .check((context) => {
    for (const [owner, { repository, pipelines }] of Object.entries(context.value.services)) {
      if (pipelines === undefined || pipelines.kind === 'jenkins' || repository !== undefined) continue;
      context.issues.push({
        code: 'custom',
        message: 'say whose pipelines these are: repository: owner/name',
        path: ['services', owner, 'repository'],
        input: repository,
      });
    }
  })
  .check((context) => {
    const { environments } = context.value;
    for (const [name, value] of Object.entries(environments)) {
      const message = wrongAfter(name, (of) => environments[of]?.after, Object.keys(environments));
      if (message === undefined) continue;
      context.issues.push({ code: 'custom', message, path: ['environments', name, 'after'], input: value?.after });
    }
  })
  .check((context) => {
    for (const [name, value] of Object.entries(context.value.environments)) {
      const message = value === null ? undefined : wrongAfterwards(value);
      const input = value?.rollback_on;
      if (message === undefined) continue;
      context.issues.push({ code: 'custom', message, path: ['environments', name, 'rollback_on'], input });
    }
  })
  .check((context) => {
    for (const [owner, { repository, source: from }] of Object.entries(context.value.services)) {
      if (from === undefined || from.kind === 'git' || (from.repository ?? repository) !== undefined) continue;
      const message = 'which repository? give it here, or as the `repository` of the service';
      context.issues.push({ code: 'custom', message, path: ['services', owner, 'source', 'repository'], input: from });
    }
  })
  .transform(
    (file): ServicesConfig => ({
      environments: Object.entries(file.environments).map(([key, value]) => ({
        name: key,
        ...described(value ?? {}),
        ...(value ? rulesOf(key, value) : {}),
        ...(value ? afterwardsOf(value) : {}),
        ...(value?.supersede === undefined ? {} : { supersede: value.supersede }),
      })),
      services: Object.entries(file.services).map(([key, value]) => ({
        name: key,
        ...described(value),
        ...(value.repository === undefined ? {} : { repository: value.repository }),
        ...(value.alerts === undefined ? {} : { alerts: value.alerts }),
        ...(value.source === undefined ? {} : { source: sourceOf(value.source, value.repository ?? key) }),
        environments: value.environments ?? Object.keys(file.environments),
        target: value.target,
        ...(value.pipelines === undefined ? {} : { pipelines: value.pipelines }),
      })),
    }),
  );

function described(from: { readonly description?: string | undefined }): { description?: string } {
  return from.description === undefined ? {} : { description: from.description };
}
