// Description:
//   Letting people into the web chat

import { GRANT_PERMISSION } from '../src/bot/access.ts';
import { arg } from '../src/bot/args.ts';
import { type Card, card, codeSpan, plain } from '../src/bot/card.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Invited } from '../src/bot/invitations.ts';
import type { Robot } from '../src/bot/robot.ts';
import { normaliseEmail } from '../src/domain/people/email.ts';

export default function web(robot: Robot): void {
  command(robot, {
    id: 'web.invite',
    usage: 'invite <name...>',
    summary:
      'Make a link that lets one person into the web chat; with an e-mail address, as the one who has it in other chats',
    examples: ['invite bob', 'invite bob bob@example.com'],
    args: { name: arg.text() },
    effect: 'change',
    answers: 'asker',
    needs: 'web:invite',
    async run({ args, person, room, services, post, now }) {
      const account = await services.people.get(person.id);
      const hasDirect = person.chat === 'web' || account !== undefined;
      // Whoever has the link comes in: it must not stand where others read.
      if (!room.private && !hasDirect) throw fail('web.private', {});
      const { name, email } = nameAndEmail(args.name);
      // Who has the address elsewhere gives the account their roles: that is granting.
      if (email !== undefined) await services.access.require(person, GRANT_PERMISSION);
      // A link for somebody who is there already gives whoever opens it that person's roles.
      const known = await services.access.can(person, GRANT_PERMISSION);
      const invited = await services.invitations.invite(name, person.id, {
        known,
        ...(email === undefined ? {} : { email }),
      });
      const content = linkCard(invited, now, [
        'Send it to them yourself.',
        email === undefined
          ? 'They can look and ask; `grant` gives them more, once they are in.'
          : `They are who has the address ${codeSpan(email)} in other chats, with the same roles.`,
      ]);
      if (room.private) return content;
      await post({ chat: person.chat, room: person.id }, content);
      return `The link for ${plain(name)} is in your conversation with me.`;
    },
  });

  command(robot, {
    id: 'web.join',
    usage: 'invite me',
    summary: 'Make a link that lets you into the web chat, as the person who you are here',
    examples: ['invite me'],
    effect: 'change',
    answers: 'asker',
    needs: 'web:join',
    async run({ person, room, services, post, now }) {
      if (person.chat === 'web') throw fail('web.here', {});
      // The address that the chat has confirmed, never one that somebody types.
      const account = await services.people.get(person.id);
      const { standing } = await services.people.identity(person.id);
      if (account?.email === undefined || standing !== 'inside') throw fail('web.unknown', { id: person.id });
      const { id, name, email } = account;
      const content = linkCard(await services.invitations.inviteSelf({ id, name, email }), now, [
        'It is for you alone: whoever opens it is you.',
      ]);
      if (room.private) return content;
      await post({ chat: person.chat, room: person.id }, content);
      return 'The link is in your conversation with me.';
    },
  });
}

/** The last word is an address if it has an @ inside. */
function nameAndEmail(typed: string): { readonly name: string; readonly email?: string } {
  const [, name, address] = /^(.*\S)\s+(\S+@\S*)$/.exec(typed.trim()) ?? [];
  if (name === undefined || address === undefined) return { name: typed };
  const email = normaliseEmail(address);
  if (email === undefined) throw fail('web.email', { typed: address });
  return { name, email };
}

const LOCAL = /^https?:\/\/(?:127\.[\d.]+|localhost|\[::1\])(?::\d+)?\//;

/** The notes say what to do with it. */
function linkCard(invited: Invited, now: Date, notes: readonly string[]): Card {
  if (invited.kind === 'refused') throw fail('web.name', invited.problem);
  const hours = Math.round((invited.until.getTime() - now.getTime()) / 3_600_000);
  const reach = LOCAL.test(invited.link)
    ? ['It opens on the machine that I run on, and nowhere else, until `SHIPMATE_PUBLIC_URL` is set.']
    : [];
  return card({
    title: `A link for ${invited.name}`,
    tone: 'good',
    text: [invited.link, [...notes, `It works once, within ${hours} hours.`, ...reach].join(' ')].join('\n\n'),
    ...(invited.known && { footer: 'There is a person of that name in the web chat: the link signs them in again.' }),
  });
}
