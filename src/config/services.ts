/** `config/services.yaml`: what can be deployed, and where. */

import { z } from 'zod';
import type { ServicesConfig } from '../domain/deploy/config.ts';
import { strict } from './fields.ts';
import { target } from './targets/target.ts';

/** These words stand for something else in `deploy` and `deploys`. */
const RESERVED = ['to', 'in', 'log'];

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name is made of letters, digits, “.”, “_” and “-”')
  .refine((value) => !RESERVED.includes(value.toLowerCase()), `the words ${RESERVED.join(', ')} cannot be names`);

const service = strict({
  description: z.string().optional().describe('For people'),
  environments: z.array(z.string()).min(1).optional().describe('Where it runs; everywhere unless given'),
  target: target.describe('How it gets there'),
});

const environment = strict({ description: z.string().optional().describe('For people') });

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
  .transform(
    (file): ServicesConfig => ({
      environments: Object.entries(file.environments).map(([key, value]) => ({ name: key, ...described(value ?? {}) })),
      services: Object.entries(file.services).map(([key, value]) => ({
        name: key,
        ...described(value),
        environments: value.environments ?? Object.keys(file.environments),
        target: value.target,
      })),
    }),
  );

function described(from: { readonly description?: string | undefined }): { description?: string } {
  return from.description === undefined ? {} : { description: from.description };
}
