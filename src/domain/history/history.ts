/** What people and scripts do with what was said. */

import { foldName } from './fold.ts';
import type { History, Hit, MessageStore, SearchPlan, SearchRequest, SearchResult, StoredMessage } from './ports.ts';
import { parseQuery, type Query } from './query.ts';
import { rank } from './rank.ts';
import { snippet } from './snippet.ts';

const PAGE = 10;
/** So many of the newest matches are ranked; the pages reach no further back, but `until:` does. */
const RANKED = 300;

export interface HistoryPorts {
  readonly store: MessageStore;
  /** Link to one message, if its chat has links. */
  readonly link: (message: StoredMessage) => string | undefined;
  /** Makes Markdown that shows exactly the text it is given. */
  readonly escape: (text: string) => string;
  /** Messages are deleted after so many days; kept for ever if left out. */
  readonly keepDays?: number;
}

export function createHistory(ports: HistoryPorts): History {
  const { store } = ports;

  function hit(message: StoredMessage, roomName: string, wanted: readonly string[]): Hit {
    const link = ports.link(message);
    return {
      message,
      roomName,
      snippet: snippet(message.text, wanted, ports.escape),
      ...(link !== undefined && { link }),
    };
  }

  async function search({ text, viewer, now, filters }: SearchRequest): Promise<SearchResult> {
    const parsed = parseQuery(text, now, viewer, filters);
    if (parsed.kind === 'unclear') return parsed;
    const { query } = parsed;
    const ranked = rank(await store.search(plan(query, viewer)), query.wanted);
    const from = (query.page - 1) * PAGE;
    const shown = ranked.slice(from, from + PAGE);
    if (shown.length === 0) return { kind: 'nothing', hints: await hints(query, viewer) };
    return {
      kind: 'found',
      hits: shown.map((each) => hit(each.message, each.roomName, query.wanted)),
      page: query.page,
      more: ranked.length > from + PAGE,
      total: ranked.length,
      capped: ranked.length >= RANKED,
    };
  }

  /** What to try: each filter that, left out, would have found something. */
  async function hints(query: Query, viewer: string): Promise<string[]> {
    const found = async (changed: Query): Promise<boolean> => (await store.search(plan(changed, viewer, 1))).length > 0;
    const { since: _since, until: _until, ...anyTime } = query;
    const tries: [boolean, Query, string][] = [
      [query.page > 1, { ...query, page: 1 }, 'there are fewer pages'],
      [
        query.since !== undefined || query.until !== undefined,
        { ...anyTime },
        'search all times: leave out since: and until:',
      ],
      [query.from.length > 0, { ...query, from: [] }, 'somebody else said it: leave out from:'],
      [query.rooms.length > 0, { ...query, rooms: [] }, 'it was said in another room: leave out in:'],
      [query.none.length > 0, { ...query, none: [] }, 'leave out the words with a minus'],
    ];
    const useful: string[] = [];
    for (const [applies, changed, hint] of tries) if (applies && (await found(changed))) useful.push(hint);
    if (useful.length > 0 || query.all.length < 2) return useful;
    for (const term of query.all) {
      if (await found({ ...query, all: query.all.filter((each) => each !== term) })) {
        useful.push(`leave out "${query.wanted[query.all.indexOf(term)] ?? ''}"`);
      }
    }
    return useful;
  }

  return {
    record: (message) => store.record(message),
    search,
    async last({ viewer, chat, room, limit, before }) {
      const rooms = await store.roomsOf(chat, viewer);
      const name = foldName(room);
      const known =
        rooms.find((each) => each.id === room) ??
        rooms.find((each) => foldName(each.name) === name || each.id.toLowerCase() === name);
      if (!known) return { kind: 'unknown-room', room };
      const page = { chat, room: known.id, viewer, limit, ...(before !== undefined && { before }) };
      const messages = await store.page(page);
      const oldest = messages[0]?.id;
      const hits = messages.map((message) => hit(message, known.name, []));
      const more = oldest !== undefined && (await store.page({ ...page, before: oldest, limit: 1 })).length > 0;
      return { kind: 'messages', roomName: known.name, hits, ...(more && { before: oldest }) };
    },
    async removeExpired(now) {
      if (ports.keepDays === undefined) return 0;
      return await store.removeBefore(new Date(now.getTime() - ports.keepDays * 86_400_000));
    },
  };
}

function plan(query: Query, viewer: string, limit = RANKED): SearchPlan {
  const { all, none, from, rooms, since, until } = query;
  return { viewer, all, none, from, rooms, limit, ...(since && { since }), ...(until && { until }) };
}
