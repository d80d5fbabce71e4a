/** `config/services.yaml`: what can be deployed, and where. */

import { z } from 'zod';
import type { CommandTargetConfig, ServicesConfig } from '../domain/deploy/config.ts';

/** These words stand for something else in `deploy` and `deploys`. */
const RESERVED = ['to', 'in', 'log'];

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name is made of letters, digits, “.”, “_” and “-”')
  .refine((value) => !RESERVED.includes(value.toLowerCase()), `the words ${RESERVED.join(', ')} cannot be names`);

/** An object in which a key that nobody knows is an error that names those that are known. */
function strict<S extends z.core.$ZodLooseShape>(shape: S) {
  const allowed = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `unknown key ${issue.keys.join(', ')}; allowed: ${allowed}` : undefined,
  });
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const MOST_MS = 24 * 3_600_000;

const duration = z
  .string()
  .regex(/^\d+(\.\d+)?[smh]$/, 'a duration looks like 30s, 2m or 1h')
  .transform((text) => Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0))
  .refine((ms) => ms > 0 && ms <= MOST_MS, 'a duration is more than 0s and at most 24h');

const program = z.array(z.string().regex(/^[^\0]*$/)).min(1, 'name a program and its arguments');
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable is expected');

const commandTarget = strict({
  kind: z.literal('command').describe('Runs programs, never through a shell'),
  folder: z
    .string()
    .min(1)
    .default('.')
    .describe('Where the programs run, seen from the folder the robot was started in'),
  deploy: program.describe(
    'Rolls a version out. Program and arguments; `{service}`, `{environment}`, `{version}` are filled in',
  ),
  current: program.optional().describe('Prints what is live'),
  versions: program.optional().describe('Prints the versions there are, newest first'),
  timeout: duration
    .default(10 * 60_000)
    .describe('A deploy that takes longer is stopped: `30s`, `2m`, `1h`; ten minutes unless said otherwise'),
  pass: z.array(variable).default([]).describe('Variables of the robot that the programs may see'),
  variables: z.record(variable, z.string()).default({}).describe('Variables set for the programs'),
}).transform(
  (target): CommandTargetConfig => ({
    kind: 'command',
    folder: target.folder,
    deploy: target.deploy,
    ...(target.current === undefined ? {} : { current: target.current }),
    ...(target.versions === undefined ? {} : { versions: target.versions }),
    timeoutMs: target.timeout,
    pass: target.pass,
    variables: target.variables,
  }),
);

const service = strict({
  description: z.string().optional().describe('For people'),
  environments: z.array(z.string()).min(1).optional().describe('Where it runs; everywhere unless given'),
  target: commandTarget.describe('How it gets there'),
});

const environment = strict({ description: z.string().optional().describe('For people') });

/** The file as plain data. A service may only name environments that are declared. */
export const servicesSchema = strict({
  environments: z.record(name, environment.nullable()).default({}).describe('Name → environment'),
  services: z.record(name, service).default({}).describe('Name → service'),
})
  .check((context) => {
    const known = Object.keys(context.value.environments);
    for (const [owner, { environments }] of Object.entries(context.value.services)) {
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
