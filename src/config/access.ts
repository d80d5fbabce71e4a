/** config/access.yaml: who may do what. */

import { z } from 'zod';
import type { AccessPolicy } from '../domain/access/policy.ts';

const permission = z
  .string()
  .regex(/^(\*|[a-z][\w-]*)(:(\*|[\w.-]+))*$/, 'a permission looks like deploy:production, deploy:* or *');
const role = z.string().regex(/^[a-z][\w-]*$/, 'a role is a word of small letters, digits and dashes');
const personId = z
  .string()
  .regex(/^[a-z][\w-]*:\S+$/, 'a person is named by chat and id, such as web:7 or slack:U0123; `whoami` shows it');

/** What a team may write; `admin` is always there, so that nobody can lock themselves out by an edit. */
export const accessSchema: z.ZodType<AccessPolicy> = z
  .strictObject({
    roles: z
      .record(role, z.array(permission))
      .default({})
      .describe(
        'Role → permissions; `*` stands for one part or, at the end, for all that follows. `admin` (`*`) is always there',
      ),
    everyone: z.array(permission).default([]).describe('Permissions that everybody has who can talk to the robot'),
    people: z.record(personId, z.array(role)).default({}).describe('Person id, as `whoami` shows it → roles'),
  })
  .transform((file) => ({ ...file, roles: { ...file.roles, admin: ['*'] } }))
  .superRefine((file, context) => {
    for (const [person, roles] of Object.entries(file.people)) {
      for (const [at, name] of roles.entries()) {
        if (Object.hasOwn(file.roles, name)) continue;
        const known = Object.keys(file.roles).join(', ');
        context.addIssue({
          code: 'custom',
          path: ['people', person, at],
          message: `There is no role ${name}; roles are ${known}`,
        });
      }
    }
  });
