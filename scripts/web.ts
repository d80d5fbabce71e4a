// Description:
//   Letting people into the web chat

import { GRANT_PERMISSION } from '../src/bot/access.ts';
import { arg } from '../src/bot/args.ts';
import { card, plain } from '../src/bot/card.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';

export default function web(robot: Robot): void {
  command(robot, {
    id: 'web.invite',
    usage: 'invite <name...>',
    summary: 'Make a link that lets one person into the web chat',
    examples: ['invite bob'],
    args: { name: arg.text() },
    effect: 'change',
    needs: 'web:invite',
    async run({ args, person, room, services, post, now }) {
      // Whoever has the link comes in: it must not stand where others read.
      if (!room.private && person.chat !== 'web') throw fail('web.private', {});
      // A link for somebody who is there already gives whoever opens it that person's roles.
      const known = await services.access.can(person, GRANT_PERMISSION);
      const invited = await services.invitations.invite(args.name, person.id, { known });
      if (invited.kind === 'refused') throw fail('web.name', invited.problem);
      const hours = Math.round((invited.until.getTime() - now.getTime()) / 3_600_000);
      const content = card({
        title: `A link for ${args.name.replace(/^@/, '')}`,
        tone: 'good',
        text: [
          invited.link,
          `Send it to them yourself. It works once, within ${hours} hours.`,
          ...(invited.known ? [] : ['They can look and ask; `grant` gives them more, once they are in.']),
        ].join('\n\n'),
        ...(invited.known && { footer: 'There is a person of that name: the link signs them in again.' }),
      });
      if (room.private) return content;
      await post({ chat: 'web', room: person.id }, content);
      return `The link for ${plain(args.name)} is in your conversation with me.`;
    },
  });
}
