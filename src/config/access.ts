/** config/access.yaml: who may do what. */

import { z } from 'zod';
import { type AccessPolicy, PERMISSION } from '../domain/access/policy.ts';

const permission = z.string().regex(PERMISSION, 'a permission looks like deploy:production, deploy:* or *');
const role = z.string().regex(/^[a-z][\w-]*$/, 'a role is a word of small letters, digits and dashes');
const personId = z
  .string()
  .regex(/^[a-z][\w-]*:\S+$/, 'a person is named by chat and id, such as web:7 or slack:U0123; `whoami` shows it');
const groupId = z
  .string()
  .regex(
    /^[a-z][\w-]*:(@[a-z0-9_.-]+|[A-Za-z0-9][\w.-]*)$/,
    'a user group is named by chat and id or handle, such as slack:S0123 or slack:@oncall; `roles @bob` shows them',
  );

/** What a team may write; `admin` is always there, so that nobody can lock themselves out by an edit. */
export const accessSchema: z.ZodType<AccessPolicy> = z
  .strictObject({
    roles: z
      .record(role, z.array(permission))
      .default({})
      .describe(
        'Role → permissions; `*` stands for one part or, at the end, for all that follows. `admin` (`*`) is always there',
      ),
    everyone: z
      .array(permission)
      .default([])
      .describe('Permissions that everybody of the team has; guests and people of other organisations have not'),
    people: z.record(personId, z.array(role)).default({}).describe('Person id, as `whoami` shows it → roles'),
    groups: z
      .record(groupId, z.array(role))
      .default({})
      .describe(
        'User group of a chat, by id (`slack:S0123`) or handle (`slack:@oncall`) → roles of its members. The id is safer: a handle can be given to another group',
      ),
  })
  .transform((file) => ({ ...file, roles: { ...file.roles, admin: ['*'] } }))
  .superRefine((file, context) => {
    const holders = [
      ...Object.entries(file.people).map(([id, roles]) => ['people', id, roles] as const),
      ...Object.entries(file.groups).map(([id, roles]) => ['groups', id, roles] as const),
    ];
    for (const [section, holder, roles] of holders) {
      for (const [at, name] of roles.entries()) {
        if (Object.hasOwn(file.roles, name)) continue;
        const known = Object.keys(file.roles).join(', ');
        context.addIssue({
          code: 'custom',
          path: [section, holder, at],
          message: `There is no role ${name}; roles are ${known}`,
        });
      }
    }
  });
