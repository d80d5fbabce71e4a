// Description:
//   Finds what was said

import { type ArgContext, arg } from '../src/bot/args.ts';
import { type Action, type Content, card, moment, plain } from '../src/bot/card.ts';
import { command } from '../src/bot/command.ts';
import { fail } from '../src/bot/errors.ts';
import type { Robot } from '../src/bot/robot.ts';
import { HISTORY_TITLE } from '../src/domain/history/answer.ts';
import type { Hint, Hit, SearchResult } from '../src/domain/history/ports.ts';

const SHOWN = 20;
/** What a program needs to read what people say; people read it as everybody in the room does. */
const READ = 'history:read';

async function peopleOf({ names }: ArgContext): Promise<readonly string[]> {
  return (await names.people()).map(({ name }) => name);
}

async function roomsOf({ names }: ArgContext): Promise<readonly string[]> {
  return await names.rooms();
}

export default function history(robot: Robot): void {
  command(robot, {
    id: 'history.search',
    usage: 'history search [from:<person>] [since:<time>] [until:<time>] [in:<room>] [page:<number>] [query...]',
    aliases: ['history find [from:<person>] [since:<time>] [until:<time>] [in:<room>] [page:<number>] [query...]'],
    summary: 'What was said: words, "exact phrases", -without',
    examples: [
      'history search "connection refused" from:alice since:7d',
      'history search payments-api timeout -staging in:ops',
    ],
    args: {
      from: arg.word(peopleOf),
      since: arg.time(),
      until: arg.time(),
      in: arg.word(roomsOf),
      page: arg.integer({ min: 1, max: 1000 }),
      query: arg.text(),
    },
    effect: 'read',
    needs: 'public',
    async run({ args, person, room, text, now, services, via }) {
      if (via === 'api') await services.access.require(person, READ);
      const { query, from, since, until, page } = args;
      const typed = query === undefined ? '' : asTyped(query, text);
      const where = args.in?.toLowerCase() === 'here' ? room.room : args.in;
      const result = await services.history.search({
        text: typed,
        viewer: person.id,
        shownIn: { chat: room.chat, room: room.room, private: room.private },
        now,
        filters: {
          ...(from !== undefined && { from }),
          ...(where !== undefined && { in: where }),
          ...(since && { since }),
          ...(until && { until }),
          ...(page !== undefined && { page }),
        },
      });
      return answer(result, text);
    },
  });

  command(robot, {
    id: 'history.last',
    usage: 'history [in:<room>] [before:<message>] [count]',
    aliases: ['history last [in:<room>] [before:<message>] [count]'],
    summary: 'The latest messages of this room, or of another',
    examples: ['history', 'history 50', 'history in:ops'],
    args: { in: arg.word(roomsOf), before: arg.integer({ min: 1 }), count: arg.integer({ min: 1, max: 100 }) },
    effect: 'read',
    needs: 'public',
    async run({ args, person, room, services, via }) {
      if (via === 'api') await services.access.require(person, READ);
      const wanted = args.in === undefined || args.in.toLowerCase() === 'here' ? room.room : args.in;
      const limit = args.count ?? SHOWN;
      const result = await services.history.last({
        viewer: person.id,
        chat: room.chat,
        room: wanted,
        shownIn: { chat: room.chat, room: room.room, private: room.private },
        limit,
        ...(args.before !== undefined && { before: args.before }),
      });
      if (result.kind === 'unknown-room') throw fail('history.room', { room: wanted });
      if (result.kind === 'private-room') throw fail('history.private', { room: wanted });
      if (result.hits.length === 0) return 'Nothing was said there yet.';
      const place = args.in === undefined ? '' : ` in:${wanted}`;
      const older: Action[] =
        result.before === undefined
          ? []
          : [{ label: 'Older', command: `history${place} before:${result.before} ${limit}` }];
      return card({
        title: `${HISTORY_TITLE}${result.roomName}`,
        text: result.hits.map((hit) => line(hit, false)).join('\n'),
        actions: older,
      });
    },
  });
}

function answer(result: SearchResult, text: string): Content {
  switch (result.kind) {
    case 'unclear':
      if (result.problem.kind === 'empty') throw fail('history.empty', {});
      throw fail('history.time', { filter: result.problem.filter, value: result.problem.value });
    case 'nothing':
      return card({ title: `${HISTORY_TITLE}nothing found`, text: advice(result.hints) });
    default: {
      const count = result.total === 1 ? '1 message' : `${result.total}${result.capped ? ' or more' : ''} messages`;
      const page = result.page > 1 ? `, page ${result.page}` : '';
      const next = `${text.replace(/\s+page:\s*\S+/i, '')} page:${result.page + 1}`;
      return card({
        title: `${HISTORY_TITLE}${count}${page}`,
        text: result.hits.map((hit) => line(hit, true)).join('\n'),
        actions: result.more ? [{ label: 'More', command: next }] : [],
      });
    }
  }
}

function line(hit: Hit, withRoom: boolean): string {
  const { message, roomName, snippet, link } = hit;
  const when = moment(message.at);
  const where = withRoom ? ` in ${plain(roomName)}` : '';
  return `- ${link === undefined ? when : `[${when}](${link})`} · **${plain(message.personName)}**${where}: ${snippet}`;
}

const ADVICE: Record<Exclude<Hint['kind'], 'word' | 'nowhere'>, string> = {
  page: 'There are fewer pages: take an earlier one.',
  time: 'There is something from another time: leave out `since:` and `until:`.',
  from: 'Others said something like it: leave out `from:`.',
  in: 'There is something in other rooms: leave out `in:`.',
  filters: 'Each filter alone leaves nothing: leave out all of them.',
  minus: 'Leave out the words with a minus.',
  private: 'There is something in your private conversations; I show that only there: ask me in private.',
};

function advice(hints: readonly Hint[]): string {
  if (hints.length === 0) return 'Try fewer words, or only the beginning of a word.';
  return hints
    .map((hint) => {
      if (hint.kind === 'word') return `Leave out “${plain(hint.word)}”.`;
      if (hint.kind === 'nowhere')
        return `Nothing that I can show here has “${plain(hint.word)}” in it: leave it out, try fewer words, or only the beginning of it.`;
      return ADVICE[hint.kind];
    })
    .join('\n');
}

/** The query with its quotation marks, which the parser takes off where all of it is one quotation. */
function asTyped(query: string, text: string): string {
  const marks = '"\u201c\u201d\u201e\u00ab\u00bb';
  for (let at = text.indexOf(query); at > 0; at = text.indexOf(query, at + 1)) {
    if (marks.includes(text.charAt(at - 1)) && marks.includes(text.charAt(at + query.length) || ' '))
      return `"${query}"`;
  }
  return query;
}
