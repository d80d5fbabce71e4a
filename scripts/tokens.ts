// Description:
//   Tokens for pipelines and scripts that send commands over HTTP

import { type ArgContext, arg, parseDuration } from '../src/bot/args.ts';
import { card, moment, plain } from '../src/bot/card.ts';
import { addressOf } from '../src/bot/chat.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import type { Token } from '../src/domain/access/ports.ts';
import { isExpired } from '../src/domain/access/token.ts';

/** The permission that lets somebody make, see and revoke tokens. */
const MANAGE = 'token:manage';

export default function tokens(robot: Robot): void {
  command(robot, {
    id: 'token.new',
    usage: 'token new <name> <permissions...>',
    summary: 'Make a token with which a program sends commands; it is good for 90 days unless you end with for 30d',
    examples: ['token new ci deploy:staging', 'token new nightly deploy:staging alerts:read for 30d'],
    args: { name: arg.word(freeNames), permissions: arg.text() },
    effect: 'change',
    answers: 'asker',
    needs: MANAGE,
    async run({ args, person, room, services, post, via }) {
      if (via === 'api') throw fail('token.maker', {});
      const account = await services.people.get(person.id);
      const hasDirect = person.chat === 'web' || account !== undefined;
      if (!room.private && !hasDirect) throw fail('token.private', {});
      const made = await services.tokens.create(
        { name: args.name, ...wish(args.permissions), ...(room.private ? {} : { room: addressOf(room) }) },
        person,
      );
      const content = card({
        title: `Token ${made.name}`,
        tone: 'good',
        text: `Fetch its secret here, once, until ${moment(made.linkUntil)}:\n\n${made.link}\n\nOpen it in a browser, or type \`curl -X POST\` and that address. I keep no copy of the secret: put it where your program finds it.`,
        fields: [
          { name: 'Permissions', value: words(made.permissions), short: false },
          { name: 'Good until', value: moment(made.expiresAt) },
        ],
        footer: room.private ? 'What it does is shown in no room' : 'What it does is shown in the room where you asked',
      });
      if (room.private) return content;
      await post({ chat: person.chat, room: person.id }, content);
      return `The link for the token ${plain(made.name)} is in your conversation with me.`;
    },
  });

  command(robot, {
    id: 'token.list',
    usage: 'token list',
    aliases: ['tokens'],
    summary: 'The tokens that there are: what they may do, whose they are, when they were used',
    examples: ['token list'],
    effect: 'read',
    needs: MANAGE,
    async run({ services, now }) {
      const all = await services.tokens.list();
      if (all.length === 0) return 'There are no tokens. `token new ci deploy:staging` makes one.';
      return card({ title: 'Tokens', text: all.map((token) => line(token, now)).join('\n') });
    },
  });

  command(robot, {
    id: 'token.revoke',
    usage: 'token revoke <name>',
    summary: 'Take a token away; it counts no longer from that moment',
    examples: ['token revoke ci'],
    args: { name: arg.word(namesOf) },
    effect: 'change',
    needs: MANAGE,
    async run({ args, services }) {
      await services.tokens.revoke(args.name);
      return `The token \`${args.name}\` counts no longer.`;
    },
  });
}

/** Permissions, and perhaps `for 90d` at the end. */
function wish(typed: string): {
  readonly permissions: readonly string[];
  readonly life?: { readonly typed: string; readonly ms: number | undefined };
} {
  const all = typed.split(/[\s,]+/).filter((word) => word !== '');
  const at = all.lastIndexOf('for');
  if (at === -1) return { permissions: all };
  const life = all.slice(at + 1).join(' ');
  return { permissions: all.slice(0, at), life: { typed: life, ms: parseDuration(life) } };
}

function line(token: Token, now: Date): string {
  const used = token.lastUsedAt ? `last used ${moment(token.lastUsedAt)}` : 'never used';
  const state = isExpired(token, now) ? `**expired** ${moment(token.expiresAt)}` : `until ${moment(token.expiresAt)}`;
  const secret = token.isFetched ? used : 'its secret was never fetched';
  return `- \`${token.name}\` (${words(token.permissions)}) ${state}, made by ${plain(token.madeBy.name)} ${moment(token.madeAt)}, ${secret}`;
}

function words(permissions: readonly string[]): string {
  return permissions.map((permission) => `\`${permission}\``).join(', ');
}

/** What tokens are usually called, as far as none is called so yet. */
async function freeNames(context: ArgContext): Promise<readonly string[]> {
  const taken = await namesOf(context);
  return ['ci', 'deploy', 'nightly'].filter((name) => !taken.includes(name));
}

async function namesOf({ services }: ArgContext): Promise<readonly string[]> {
  return ((await services?.tokens?.list()) ?? []).map(({ name }) => name);
}
