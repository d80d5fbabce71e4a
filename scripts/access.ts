// Description:
//   Who may do what

import { GRANT_PERMISSION } from '../src/bot/access.ts';
import { arg } from '../src/bot/args.ts';
import { card, plain } from '../src/bot/card.ts';
import { command } from '../src/bot/command.ts';
import type { Robot } from '../src/bot/robot.ts';

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
      const roles = await services.access.rolesOf(person);
      const permissions = await services.access.permissionsOf(person);
      return card({
        title: `You are ${person.name}`,
        fields: [
          { name: 'Id', value: `\`${person.id}\`` },
          { name: 'Roles', value: list(roles, 'none') },
          { name: 'Permissions', value: list(permissions, 'looking only') },
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
        const roles = await services.access.rolesOf(args.person);
        return `${plain(args.person.name)} has ${list(roles, 'no role')}.`;
      }
      const grants = await services.access.grants();
      return card({
        title: 'Roles',
        fields: Object.entries(policy.roles).map(([role, permissions]) => {
          const granted = grants.filter((grant) => grant.role === role).map((grant) => plain(grant.personName));
          const named = Object.entries(policy.people).flatMap(([id, held]) =>
            held.includes(role) ? [`\`${id}\``] : [],
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
    args: { person: arg.person(), role: arg.word() },
    effect: 'change',
    needs: GRANT_PERMISSION,
    async run({ args, person, services }) {
      const given = await services.access.grant(args.person, args.role, person);
      const name = plain(args.person.name);
      const role = args.role.toLowerCase();
      return given ? `${name} is now \`${role}\`.` : `${name} is \`${role}\` already.`;
    },
  });

  command(robot, {
    id: 'access.revoke',
    usage: 'revoke <person> <role>',
    summary: 'Take a role away from somebody',
    examples: ['revoke @bob deployer'],
    args: { person: arg.person(), role: arg.word() },
    effect: 'change',
    needs: GRANT_PERMISSION,
    async run({ args, services }) {
      const taken = await services.access.revoke(args.person, args.role);
      const name = plain(args.person.name);
      const role = args.role.toLowerCase();
      return taken ? `${name} is no longer \`${role}\`.` : `${name} was not \`${role}\`.`;
    },
  });
}

function list(words: readonly string[], none: string): string {
  return words.length > 0 ? words.map((word) => `\`${word}\``).join(', ') : none;
}
