// Description:
//   Who may do what

import { GRANT_PERMISSION } from '../src/bot/access.ts';
import { type ArgContext, arg } from '../src/bot/args.ts';
import { card, codeSpan, type Field, plain } from '../src/bot/card.ts';
import type { Person } from '../src/bot/chat.ts';
import { command } from '../src/bot/command.ts';
import type { Robot } from '../src/bot/robot.ts';
import type { Identity } from '../src/domain/people/ports.ts';

export default function access(robot: Robot): void {
  command(robot, {
    id: 'access.whoami',
    usage: 'whoami',
    summary: 'Who you are to me, and what you may do',
    examples: ['whoami'],
    effect: 'read',
    answers: 'asker',
    needs: 'public',
    async run({ person, services }) {
      const { identity, roles, permissions } = await services.access.rightsOf(person);
      const account = await services.people.get(person.id);
      return card({
        title: `You are ${person.name}`,
        fields: [
          { name: 'Id', value: `\`${person.id}\`` },
          { name: 'Roles', value: list(roles, 'none') },
          { name: 'Permissions', value: list(permissions, 'looking only') },
          ...(account?.email === undefined ? [] : [{ name: 'E-mail', value: codeSpan(account.email) }]),
          ...knownAs(identity),
        ],
      });
    },
  });

  command(robot, {
    id: 'access.roles',
    usage: 'roles [person]',
    summary: 'Which roles there are, and who has them',
    examples: ['roles', 'roles @bob'],
    args: { person: arg.person() },
    effect: 'read',
    needs: 'public',
    async run({ args, services }) {
      const { policy } = services.access;
      if (args.person) {
        const { identity, roles } = await services.access.rightsOf(args.person);
        return card({
          title: args.person.name,
          text: `${plain(args.person.name)} has ${list(roles, 'no role')}.`,
          fields: [{ name: 'Id', value: `\`${args.person.id}\`` }, ...knownAs(identity), ...standing(identity)],
        });
      }
      const grants = await services.access.grants();
      const names = new Map<string, string>();
      for (const id of Object.keys(policy.people)) {
        const name = (await services.people.get(id))?.name;
        if (name !== undefined && name !== id) names.set(id, `${plain(name)} (\`${id}\`)`);
      }
      return card({
        title: 'Roles',
        fields: Object.entries(policy.roles).map(([role, permissions]) => {
          const granted = grants.filter((grant) => grant.role === role).map((grant) => plain(grant.personName));
          const named = [...Object.entries(policy.people), ...Object.entries(policy.groups)].flatMap(([id, held]) =>
            held.includes(role) ? [names.get(id) ?? `\`${id}\``] : [],
          );
          const people = [...granted, ...named].join(', ') || 'nobody';
          return { name: role, value: `${list(permissions, 'nothing')}\n${people}`, short: false };
        }),
        footer: 'Roles are defined in config/access.yaml',
      });
    },
  });

  command(robot, {
    id: 'access.grant',
    usage: 'grant <person> <role>',
    summary: 'Give somebody a role',
    examples: ['grant @bob deployer'],
    args: { person: arg.person(), role: arg.word(rolesOf) },
    effect: 'change',
    needs: GRANT_PERMISSION,
    async run({ args, person, services }) {
      const given = await services.access.grant(args.person, args.role, person);
      const role = args.role.toLowerCase();
      return `${account(args.person)} is ${given ? `now \`${role}\`` : `\`${role}\` already`}.`;
    },
  });

  command(robot, {
    id: 'access.revoke',
    usage: 'revoke <person> <role>',
    summary: 'Take a role away from somebody',
    examples: ['revoke @bob deployer'],
    args: { person: arg.person(), role: arg.word(rolesOf) },
    effect: 'change',
    needs: GRANT_PERMISSION,
    async run({ args, services }) {
      const taken = await services.access.revoke(args.person, args.role);
      const role = args.role.toLowerCase();
      const { identity, roles } = await services.access.rightsOf(args.person);
      const others = [...identity.linked.slice(1), ...identity.groups];
      const still = roles.some((each) => each.toLowerCase() === role)
        ? ` The person still has that role, by ${list(others, 'another account')}.`
        : '';
      return `${account(args.person)} ${taken ? 'is no longer' : 'was not given'} \`${role}\`.${still}`;
    },
  });
}

function rolesOf({ services }: ArgContext): readonly string[] {
  return Object.keys(services?.access?.policy.roles ?? {});
}

/** A role is given to an account: whatever somebody is called, it is this one. */
function account({ id, name }: Person): string {
  return `${plain(name)} (\`${id}\`)`;
}

/** Other accounts and the groups that count for the same person. */
function knownAs({ linked, groups }: Identity): Field[] {
  return [
    ...(linked.length > 1 ? [{ name: 'Also', value: list(linked.slice(1), '') }] : []),
    ...(groups.length > 0 ? [{ name: 'Groups', value: list(groups, '') }] : []),
  ];
}

function standing({ standing: where }: Identity): Field[] {
  if (where === 'inside') return [];
  const value = where === 'inactive' ? 'deactivated: no rights' : 'from outside: only what this account was given';
  return [{ name: 'Account', value }];
}

function list(words: readonly string[], none: string): string {
  return words.length > 0 ? words.map((word) => `\`${word}\``).join(', ') : none;
}
