/** What was said, in PostgreSQL: rooms, who was in them and when, messages, and finding them again. */

import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Card } from '../bot/card.ts';
import type {
  Candidate,
  MessageStore,
  NewMessage,
  PageRequest,
  PrepareMessage,
  Recorded,
  RoomActivity,
  SearchPlan,
  ShownIn,
  StoredMessage,
  StoredRoom,
  ThreadSummary,
} from '../domain/history/ports.ts';

/** Above so many matches of the words, reading the newest messages first is faster than collecting all matches. */
const MANY = 2000;
const UNREAD_LIMIT = 1000;

interface MessageRow {
  id: number;
  chat: string;
  room: string;
  thread: string | null;
  message_id: string;
  person_id: string;
  person_name: string;
  at: Date;
  edited_at: Date | null;
  text: string;
  content: Card | null;
  from_robot: boolean;
  addressed: boolean;
  private: boolean;
  only_to: string | null;
  nonce: string | null;
  client_id: string | null;
  owner: string | null;
  handled_at: Date | null;
}

interface RoomRow {
  chat: string;
  id: string;
  name: string;
  private: boolean;
  members: string[];
}

const COLUMNS = sql`m.id, m.chat, m.room, m.thread, m.message_id, m.person_id, m.person_name, m.at, m.edited_at, m.text,
  m.content, m.from_robot, m.addressed, m.private, m.only_to, m.nonce, m.client_id, m.owner, m.handled_at`;

const MEMBERS = sql`array(select person_id from room_members x
  where x.chat = r.chat and x.room = r.id and x.until_id is null order by x.id)`;

/**
 * @param prepare redacts and indexes: nothing is stored that has not gone through it
 * @param fold names as they are compared: case, accents and a leading `@` or `#` do not count
 */
export function createMessageStore(
  db: { readonly sql: Kysely<object> },
  prepare: PrepareMessage,
  fold: (name: string) => string,
): MessageStore {
  const k = db.sql;
  // Only what never becomes untrue is kept in memory: another replica may have changed the rest.
  const known = { rooms: new Set<string>(), speakers: new Set<string>() };

  async function rows<T>(query: RawBuilder<T>): Promise<T[]> {
    return (await query.execute(k)).rows;
  }

  async function messages(tail: RawBuilder<unknown>): Promise<StoredMessage[]> {
    return (await rows(sql<MessageRow>`select ${COLUMNS} from messages m ${tail}`)).map(toMessage);
  }

  /** Who is in the room from now on; with `from` 0, also for what was said there before. */
  async function setMembers(chat: string, room: string, people: readonly string[], from?: number): Promise<void> {
    const ids = [...new Set(people)];
    await sql`update room_members set until_id = ${lastId(chat, room)}
      where chat = ${chat} and room = ${room} and until_id is null and not (person_id = any(${ids}))`.execute(k);
    await addMembers(chat, room, ids, from);
  }

  async function addMembers(chat: string, room: string, people: readonly string[], from?: number): Promise<void> {
    await newMembers(chat, room, people, from).execute(k);
  }

  async function saveRoom(room: Parameters<MessageStore['saveRoom']>[0]): Promise<StoredRoom> {
    const [before] = await rows(
      sql<{ private: boolean }>`select private from rooms where chat = ${room.chat} and id = ${room.id}`,
    );
    await sql`insert into rooms (chat, id, name, folded_name, private)
      values (${room.chat}, ${room.id}, ${room.name}, ${fold(room.name)}, ${room.private})
      on conflict (chat, id) do update set name = excluded.name, folded_name = excluded.folded_name,
        private = rooms.private or excluded.private
      where (rooms.name, rooms.private) is distinct from (excluded.name, rooms.private or excluded.private)`.execute(k);
    const becamePrivate = before !== undefined && !before.private && room.private;
    if (room.members) await setMembers(room.chat, room.id, room.members, becamePrivate ? 0 : undefined);
    const saved = await findRoom(room.chat, room.id);
    if (!saved) throw new Error('room was not stored');
    return saved;
  }

  async function findRoom(chat: string, id: string): Promise<StoredRoom | undefined> {
    const [row] = await rows(
      sql<RoomRow>`select r.chat, r.id, r.name, r.private, ${MEMBERS} as members
        from rooms r where r.chat = ${chat} and r.id = ${id}`,
    );
    return row && toRoom(row);
  }

  async function makeKnown(message: NewMessage): Promise<void> {
    const { chat, room } = message;
    const roomKey = JSON.stringify([chat, room, message.roomName, message.private]);
    if (!known.rooms.has(roomKey)) {
      const before = await findRoom(chat, room);
      const name = message.roomName ?? before?.name ?? room;
      const members = message.private ? message.members : undefined;
      await saveRoom({ chat, id: room, name, private: message.private, ...(members && { members }) });
      remember(known.rooms, roomKey);
    }
    const speakerKey = JSON.stringify([message.personId, message.personName]);
    if (!known.speakers.has(speakerKey)) {
      await sql`insert into speakers (person_id, name, folded_name)
        values (${message.personId}, ${message.personName}, ${fold(message.personName)})
        on conflict do nothing`.execute(k);
      remember(known.speakers, speakerKey);
    }
    if (message.private && message.members) await setMembers(chat, room, [...message.members, ...speaker(message)]);
  }

  async function record(message: NewMessage): Promise<Recorded> {
    await makeKnown(message);
    const { chat, room } = message;
    const prepared = prepare(message);
    const joining = message.private && !message.members ? speaker(message) : [];
    // Ids are taken under a lock, so that they become visible in their order: who reads "newer than the last one I
    // have" misses none that was committed late.
    const [stored] = await rows(sql<MessageRow>`
      with ${joining.length > 0 ? sql`joined as (${newMembers(chat, room, joining)}),` : sql``}
        locked as (select pg_advisory_xact_lock(hashtext('messages'), hashtext(${chat})) as done),
        next as (select nextval(pg_get_serial_sequence('messages', 'id')) as id from locked)
      insert into messages as m (id, chat, room, thread, message_id, person_id, person_name, at, text, content,
        from_robot, addressed, private, only_to, nonce, client_id, owner, search_text, lexemes)
      overriding system value
      select next.id, ${chat}, ${room}, ${message.thread ?? null}, coalesce(${message.messageId ?? null}, next.id::text),
        ${message.personId}, ${message.personName}, ${message.at}, ${prepared.text}, ${json(prepared.content)}::jsonb,
        ${message.fromRobot}, ${message.addressed}, ${message.private} or r.private, ${message.onlyTo ?? null},
        ${message.nonce ?? null}, ${message.clientId ?? null}, ${message.owner ?? null},
        ${prepared.searchText}, array_to_tsvector(${[...prepared.lexemes]}::text[])
      from next, rooms r where r.chat = ${chat} and r.id = ${room}
      on conflict do nothing
      returning ${COLUMNS}`);
    if (stored) return { id: stored.id, isNew: true, message: toMessage(stored) };
    const [earlier] = await rows(sql<{ id: number }>`
      select id from messages
      where (chat = ${chat} and room = ${room} and message_id = ${message.messageId ?? null})
        or (chat = ${chat} and nonce = ${message.nonce ?? null})
        or (person_id = ${message.personId} and client_id = ${message.clientId ?? null})
      order by id limit 1`);
    if (!earlier) throw new Error('message was neither stored nor found');
    return { id: earlier.id, isNew: false };
  }

  async function update(chat: string, room: string, messageId: string, text: string, content?: Card): Promise<boolean> {
    const [row] = await messages(sql`where m.chat = ${chat} and m.room = ${room} and m.message_id = ${messageId}`);
    if (!row) return false;
    const { addressed, fromRobot } = row;
    const prepared = prepare({ text, addressed, fromRobot, ...(content && { content }) });
    const changed = await rows(sql<{ id: number }>`
      update messages set text = ${prepared.text}, content = ${json(prepared.content)}::jsonb, edited_at = now(),
        search_text = ${prepared.searchText}, lexemes = array_to_tsvector(${[...prepared.lexemes]}::text[])
      where id = ${row.id} returning id`);
    return changed.length > 0;
  }

  async function page(request: PageRequest): Promise<StoredMessage[]> {
    const { chat, room, viewer, thread, before, after, limit } = request;
    const conditions = [sql`m.chat = ${chat}`, sql`m.room = ${room}`];
    if (thread === null) conditions.push(sql`m.thread is null`);
    else if (thread !== undefined) conditions.push(sql`(m.thread = ${thread} or m.message_id = ${thread})`);
    if (before !== undefined) conditions.push(sql`m.id < ${before}`);
    if (after !== undefined) conditions.push(sql`m.id > ${after}`);
    if (viewer !== undefined) conditions.push(readableBy(viewer));
    const forward = after !== undefined && before === undefined;
    const found = await messages(
      sql`join rooms r on r.chat = m.chat and r.id = m.room
        where ${sql.join(conditions, sql` and `)} order by m.id ${forward ? sql`asc` : sql`desc`} limit ${limit}`,
    );
    return forward ? found : found.reverse();
  }

  async function threads(
    chat: string,
    room: string,
    roots: readonly string[],
    viewer?: string,
  ): Promise<ThreadSummary[]> {
    const found = await rows(sql<{ thread: string; replies: number; last_id: number; last_at: Date }>`
      select m.thread, count(*)::int as replies, max(m.id) as last_id, max(m.at) as last_at
      from messages m join rooms r on r.chat = m.chat and r.id = m.room
      where m.chat = ${chat} and m.room = ${room} and m.thread = any(${[...roots]})
        and ${viewer === undefined ? sql`true` : readableBy(viewer)}
      group by m.thread`);
    return found.map((row) => ({
      thread: row.thread,
      replies: row.replies,
      lastId: row.last_id,
      lastAt: row.last_at,
    }));
  }

  async function activity(chat: string, viewer: string, marks: ReadonlyMap<string, number>): Promise<RoomActivity[]> {
    const found = await rows(sql<{ room: string; last_id: number; unread: number }>`
      select r.id as room, newest.id as last_id, (
        select count(*)::int from (
          select 1 from messages m where m.chat = r.chat and m.room = r.id and m.id > coalesce(marks.id, 0)
            and m.person_id <> ${viewer} and ${readableBy(viewer)} limit ${UNREAD_LIMIT}) counted) as unread
      from rooms r
      left join unnest(${[...marks.keys()]}::text[], ${[...marks.values()]}::bigint[]) as marks (room, id)
        on marks.room = r.id
      join lateral (select m.id from messages m where m.chat = r.chat and m.room = r.id and ${readableBy(viewer)}
        order by m.id desc limit 1) newest on true
      where r.chat = ${chat}`);
    return found.map((row) => ({ room: row.room, lastId: row.last_id, unread: row.unread }));
  }

  /** Ids of those whose name or id it is; without one, of those whose name begins so. */
  async function speakers(names: readonly string[]): Promise<string[]> {
    const exact = await rows(sql<{ person_id: string }>`select distinct person_id from speakers
      where folded_name = any(${[...names]}) or lower(person_id) = any(${[...names]})`);
    const found = exact.length
      ? exact
      : await rows(sql<{ person_id: string }>`select distinct person_id from speakers
          where exists (select 1 from unnest(${[...names]}::text[]) as n (name)
            where n.name <> '' and starts_with(folded_name, n.name))`);
    return found.map((row) => row.person_id);
  }

  async function search(plan: SearchPlan): Promise<Candidate[]> {
    const conditions = [readableBy(plan.viewer)];
    if (plan.shownIn) conditions.push(readableIn(plan.shownIn, plan.viewer));
    if (plan.from.length) {
      const people = await speakers(plan.from);
      if (!people.length) return [];
      conditions.push(sql`m.person_id = any(${people})`);
    }
    if (plan.rooms.length) {
      conditions.push(
        sql`(r.folded_name = any(${[...plan.rooms]}) or lower(r.id) = any(${[...plan.rooms]})
          or lower(r.chat || ':' || r.id) = any(${[...plan.rooms]})
          or lower(r.chat) || ':' || r.folded_name = any(${[...plan.rooms]}))`,
      );
    }
    if (plan.since) conditions.push(sql`m.at >= ${plan.since}`);
    if (plan.until) conditions.push(sql`m.at < ${plan.until}`);
    for (const term of plan.all) {
      if (term.contains !== undefined) conditions.push(sql`strpos(m.search_text, ${term.contains}) > 0`);
    }
    for (const term of plan.none) {
      if (term.contains !== undefined) conditions.push(sql`strpos(m.search_text, ${term.contains}) = 0`);
      if (term.lexeme !== undefined) {
        conditions.push(sql`not ts_match_vq(m.lexemes, ${quote(term.lexeme)}::tsquery)`);
      }
    }
    // Questions to the history and its answers have no words to be found by; filters alone must not find them either.
    if (plan.all.length === 0) conditions.push(sql`m.search_text <> ''`);
    const words = plan.all.flatMap((term) => term.prefixes.map((prefix) => `${quote(prefix)}:*`)).join(' & ');
    const indexed = words !== '' && (await matchesUpTo(words, MANY)) < MANY;
    // `+ 0` keeps the planner from walking all messages by id in the hope of early matches; calling the function in
    // place of the operator keeps it from collecting every match of a frequent word.
    if (indexed) conditions.push(sql`m.lexemes @@ ${words}::tsquery`);
    else if (words) conditions.push(sql`ts_match_vq(m.lexemes, ${words}::tsquery)`);
    const found = await rows(sql<MessageRow & { room_name: string; search_text: string }>`
      select ${COLUMNS}, r.name as room_name, m.search_text
      from messages m join rooms r on r.chat = m.chat and r.id = m.room
      where ${sql.join(conditions, sql` and `)}
      order by ${indexed ? sql`m.id + 0` : sql`m.id`} desc limit ${plan.limit}`);
    return found.map((row) => ({ message: toMessage(row), roomName: row.room_name, searchText: row.search_text }));
  }

  async function matchesUpTo(words: string, most: number): Promise<number> {
    const [row] = await rows(sql<{ n: number }>`select count(*)::int as n
      from (select 1 from messages m where m.lexemes @@ ${words}::tsquery limit ${most}) counted`);
    return row?.n ?? 0;
  }

  return {
    record,
    update,
    page,
    threads,
    activity,
    search,
    saveRoom,
    room: findRoom,
    async remove(chat, room, messageId) {
      const gone = await rows(sql<{ id: number }>`delete from messages
        where chat = ${chat} and room = ${room} and message_id = ${messageId} returning id`);
      return gone.length > 0;
    },
    async get(id) {
      return (await messages(sql`where m.id = ${id}`))[0];
    },
    async find(chat, room, messageId) {
      return (await messages(sql`where m.chat = ${chat} and m.room = ${room} and m.message_id = ${messageId}`))[0];
    },
    async findByNonce(chat, nonce) {
      return (await messages(sql`where m.chat = ${chat} and m.nonce = ${nonce}`))[0];
    },
    async findByClientId(personId, clientId) {
      return (await messages(sql`where m.person_id = ${personId} and m.client_id = ${clientId}`))[0];
    },
    async markHandled(id) {
      await sql`update messages set handled_at = now() where id = ${id} and handled_at is null`.execute(k);
    },
    async claimUnhandledOf(lostReplica, newOwner) {
      const claimed = await rows(sql<MessageRow>`update messages m set owner = ${newOwner}
        where m.owner = ${lostReplica} and m.handled_at is null returning ${COLUMNS}`);
      return claimed.map(toMessage).sort((a, b) => a.id - b.id);
    },
    async roomsOf(chat, personId) {
      const found = await rows(sql<RoomRow>`
        select r.chat, r.id, r.name, r.private, ${MEMBERS} as members
        from rooms r where r.chat = ${chat} and (not r.private or exists (select 1 from room_members x
          where x.chat = r.chat and x.room = r.id and x.person_id = ${personId} and x.until_id is null))
        order by r.folded_name, r.id`);
      return found.map(toRoom);
    },
    async join(chat, room, personId) {
      await addMembers(chat, room, [personId]);
    },
    async leave(chat, room, personId) {
      await sql`update room_members set until_id = ${lastId(chat, room)}
        where chat = ${chat} and room = ${room} and person_id = ${personId} and until_id is null`.execute(k);
    },
    async removeBefore(at) {
      const gone = await sql`delete from messages where at < ${at}`.execute(k);
      return Number(gone.numAffectedRows ?? 0);
    },
  };
}

/** The right to read a message: said in public, or while the viewer was in that private room; never what was shown to another alone. */
function readableBy(viewer: string | RawBuilder<string>): RawBuilder<boolean> {
  return sql<boolean>`(m.only_to is null or m.only_to = ${viewer}) and (not (m.private or r.private)
    or exists (select 1 from room_members x where x.chat = m.chat and x.room = m.room and x.person_id = ${viewer}
      and m.id > x.after_id and (x.until_id is null or m.id <= x.until_id)))`;
}

/** Everybody who sees the answer in that room may read the message. Robots in it do not count. */
function readableIn(place: ShownIn, viewer: string): RawBuilder<boolean> {
  const { chat, room } = place;
  const here = sql`m.chat = ${chat} and m.room = ${room}`;
  if (!place.private) return sql<boolean>`m.only_to is null and (not (m.private or r.private) or (${here}))`;
  return sql<boolean>`((m.only_to is null and not (m.private or r.private)) or not exists (
    select 1 from room_members h
    where h.chat = ${chat} and h.room = ${room} and h.until_id is null and h.person_id <> ${viewer}
      and not exists (select 1 from messages b where b.person_id = h.person_id and b.from_robot)
      and not (${readableBy(sql<string>`h.person_id`)})))`;
}

/** Makes people members of a room who are none now. */
function newMembers(chat: string, room: string, people: readonly string[], from?: number): RawBuilder<unknown> {
  return sql`insert into room_members (chat, room, person_id, after_id)
    select ${chat}, ${room}, p.id, ${from ?? lastId(chat, room)} from unnest(${[...people]}::text[]) as p (id)
    where not exists (select 1 from room_members x
      where x.chat = ${chat} and x.room = ${room} and x.person_id = p.id and x.until_id is null)
    on conflict do nothing`;
}

/** Who is in a private room for having spoken there: everybody but robots. */
function speaker(message: NewMessage): string[] {
  return message.fromRobot ? [] : [message.personId];
}

function lastId(chat: string, room: string): RawBuilder<number> {
  return sql<number>`coalesce((select max(id) from messages where chat = ${chat} and room = ${room}), 0)`;
}

/** A lexeme as it stands in a tsquery: no character of it can mean anything there. */
function quote(lexeme: string): string {
  return `'${lexeme.replace(/\\/g, '\\\\').replace(/'/g, "''")}'`;
}

function json(content: Card | null): string | null {
  return content === null ? null : JSON.stringify(content);
}

function remember(set: Set<string>, key: string): void {
  if (set.size > 10_000) set.clear();
  set.add(key);
}

function toMessage(row: MessageRow): StoredMessage {
  return {
    id: row.id,
    chat: row.chat,
    room: row.room,
    thread: row.thread,
    messageId: row.message_id,
    personId: row.person_id,
    personName: row.person_name,
    at: row.at,
    editedAt: row.edited_at,
    text: row.text,
    content: row.content,
    fromRobot: row.from_robot,
    addressed: row.addressed,
    private: row.private,
    nonce: row.nonce,
    clientId: row.client_id,
    onlyTo: row.only_to,
    owner: row.owner,
    handledAt: row.handled_at,
  };
}

function toRoom(row: RoomRow): StoredRoom {
  return {
    chat: row.chat,
    id: row.id,
    name: row.name,
    private: row.private,
    members: row.members,
  };
}
