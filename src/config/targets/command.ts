/** A target that runs programs. */

import { z } from 'zod';
import type { CommandTargetConfig } from '../../domain/deploy/targets/command.ts';
import { duration, strict, variable } from '../fields.ts';

const program = z.array(z.string().regex(/^[^\0]*$/)).min(1, 'name a program and its arguments');

/** See docs/guide/deploy.md. */
export const commandTarget = strict({
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
