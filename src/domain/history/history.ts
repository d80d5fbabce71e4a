/** What people and scripts do with what was said. */

import { foldName } from './fold.ts';
import type {
  Hint,
  History,
  Hit,
  MessageStore,
  SearchPlan,
  SearchRequest,
  SearchResult,
  ShownIn,
  StoredMessage,
} from './ports.ts';
import { parseQuery, type Query } from './query.ts';
import { rank } from './rank.ts';
import { snippet } from './snippet.ts';

const PAGE = 10;
/** So many of the newest matches are ranked; the pages reach no further back, but `until:` does. */
const RANKED = 200;

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

  async function search(request: SearchRequest): Promise<SearchResult> {
    const { text, viewer, now, filters, shownIn } = request;
    const parsed = parseQuery(text, now, viewer, filters);
    if (parsed.kind === 'unclear') return parsed;
    const { query } = parsed;
    const ranked = rank(await store.search(plan(query, viewer, shownIn)), query.wanted);
    const from = (query.page - 1) * PAGE;
    const shown = ranked.slice(from, from + PAGE);
    if (shown.length === 0) return { kind: 'nothing', hints: await hints(query, request) };
    return {
      kind: 'found',
      hits: shown.map((each) => hit(each.message, each.roomName, query.wanted)),
      page: query.page,
      more: ranked.length > from + PAGE,
      total: ranked.length,
      capped: ranked.length >= RANKED,
    };
  }

  /** What to try: each filter and word that, left out, would have found something; then all filters together; then what was never said. */
  async function hints(query: Query, request: SearchRequest): Promise<Hint[]> {
    const found = async (changed: Query, where: Partial<SearchRequest> = {}): Promise<boolean> => {
      const { shownIn, viewer } = { ...request, ...where };
      return (await store.search(plan(changed, viewer, shownIn, 1))).length > 0;
    };
    const { since, until, ...anyTime } = query;
    const tries: [boolean, Query, Hint][] = [
      [query.page > 1, query, { kind: 'page' }],
      [since !== undefined || until !== undefined, anyTime, { kind: 'time' }],
      [query.from.length > 0, { ...query, from: [] }, { kind: 'from' }],
      [query.rooms.length > 0, { ...query, rooms: [] }, { kind: 'in' }],
      [query.none.length > 0, { ...query, none: [] }, { kind: 'minus' }],
    ];
    const useful: Hint[] = [];
    if (request.shownIn) {
      const { viewer } = request;
      if ((await store.search(plan(query, viewer, undefined, 1))).length > 0) useful.push({ kind: 'private' });
    }
    for (const [applies, changed, hint] of tries) if (applies && (await found(changed))) useful.push(hint);
    if (useful.length > 0) return useful;
    const filtered = tries.some(([applies]) => applies);
    const onlyWords: Query = { all: query.all, none: [], wanted: query.wanted, from: [], rooms: [], page: 1 };
    if (filtered && query.all.length > 0 && (await found(onlyWords))) return [{ kind: 'filters' }];
    for (const [at, term] of query.all.entries()) {
      const others = query.all.filter((each) => each !== term);
      if ((others.length > 0 || filtered) && (await found({ ...query, all: others })))
        useful.push({ kind: 'word', word: query.wanted[at] ?? '' });
    }
    if (useful.length > 0) return useful;
    for (const [at, term] of query.all.entries()) {
      if (!(await found({ ...onlyWords, all: [term] }))) useful.push({ kind: 'nowhere', word: query.wanted[at] ?? '' });
    }
    return useful;
  }

  return {
    record: (message) => store.record(message),
    search,
    async last({ viewer, chat, room, shownIn, limit, before }) {
      const rooms = await store.roomsOf(chat, viewer);
      const name = foldName(room);
      const known =
        rooms.find((each) => each.id === room) ??
        rooms.find((each) => foldName(each.name) === name || each.id.toLowerCase() === name);
      if (!known) return { kind: 'unknown-room', room };
      const here = shownIn === undefined || (shownIn.chat === chat && shownIn.room === known.id);
      if (known.private && !here) return { kind: 'private-room', room: known.name };
      const page = { chat, room: known.id, viewer, limit, ...(before !== undefined && { before }) };
      const messages = await store.page(page);
      const oldest = messages[0]?.id;
      const hits = messages
        .filter((message) => shownIn === undefined || message.onlyTo === null)
        .map((message) => hit(message, known.name, []));
      const more = oldest !== undefined && (await store.page({ ...page, before: oldest, limit: 1 })).length > 0;
      return { kind: 'messages', roomName: known.name, hits, ...(more && { before: oldest }) };
    },
    async removeExpired(now) {
      if (ports.keepDays === undefined) return 0;
      return await store.removeBefore(new Date(now.getTime() - ports.keepDays * 86_400_000));
    },
  };
}

function plan(query: Query, viewer: string, shownIn: ShownIn | undefined, limit = RANKED): SearchPlan {
  const { all, none, from, rooms, since, until } = query;
  return {
    viewer,
    all,
    none,
    from,
    rooms,
    limit,
    ...(shownIn && { shownIn }),
    ...(since && { since }),
    ...(until && { until }),
  };
}
