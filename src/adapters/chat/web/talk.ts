/** What a person's browser asks for, checked against what that person may see. */

import type { RobotNames } from '../../../bot/addressed.ts';
import type { Logger } from '../../../bot/log.ts';
import type { StoredMessage, StoredRoom } from '../../../domain/history/ports.ts';
import { addressed } from './addressed.ts';
import type { Hub } from './hub.ts';
import { renderMarkdown } from './markdown.ts';
import type { Account, WebEvents, WebMessages, WebSearch, WebStore } from './ports.ts';
import { problems, searchHint } from './problems.ts';
import type { Answer, Problem, ServerFrame, WireHit, WireMessage } from './protocol.ts';
import { forViewer, PRESSED, pressable, renderMessage } from './render.ts';
import {
  accountOf,
  CHAT,
  mayRead,
  openDirectRoom,
  openRobotRoom,
  otherOf,
  personId,
  roomKind,
  roomName,
  roomView,
  titleOf,
} from './rooms.ts';
import { type ClientFrame, type Malformed, parseCard } from './schema.ts';

const PAGE = 50;
const THREAD = 300;

export interface TalkParts {
  readonly store: WebStore;
  readonly messages: WebMessages;
  readonly search: WebSearch;
  readonly events: Pick<WebEvents, 'complete'>;
  readonly hub: Hub;
  readonly replica: string;
  readonly log: Logger;
  readonly now: () => Date;
  readonly names: () => RobotNames;
  /** Gives a stored message to the robot; returns at once. */
  handle(message: StoredMessage): void;
}

/** One person at one browser. */
export interface Talker {
  readonly account: Account;
  watch(room: string | undefined): void;
  send(frame: ServerFrame): void;
}

/** Something that cannot be done, told to the person. */
class Refused extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.text);
    this.problem = problem;
  }
}

/** Tells a browser that nothing comes of one of its frames, if it can be said which. */
export function refuseFrame(talker: Talker, frame: ClientFrame | Malformed, problem: Problem): void {
  if ('id' in frame && frame.id !== undefined) talker.send({ t: 'refused', id: frame.id, problem });
  else if ('req' in frame && frame.req !== undefined) talker.send({ t: 'failed', req: frame.req, problem });
}

export interface Talk {
  welcome(talker: Talker): Promise<void>;
  /** Does what the frame asks for and answers it. Never rejects. */
  take(talker: Talker, frame: ClientFrame): Promise<void>;
}

export function createTalk(parts: TalkParts): Talk {
  const { store, messages, hub, now } = parts;
  const title = () => titleOf(parts.names().name);

  async function roomFor(talker: Talker, id: string): Promise<StoredRoom> {
    const room = await messages.room(CHAT, id);
    if (!room || !mayRead(room, personId(talker.account.id))) throw new Refused(problems.noRoom);
    return room;
  }

  async function messageFor(talker: Talker, room: StoredRoom, id: number): Promise<StoredMessage> {
    const viewer = personId(talker.account.id);
    const [message] = await messages.page({
      chat: CHAT,
      room: room.id,
      viewer,
      after: id - 1,
      before: id + 1,
      limit: 1,
    });
    if (message?.id !== id) throw new Refused(problems.noMessage);
    return message;
  }

  async function wire(found: readonly StoredMessage[], talker: Talker, withThreads: boolean): Promise<WireMessage[]> {
    const viewer = personId(talker.account.id);
    const room = found[0]?.room;
    const roots = withThreads ? found.map((message) => message.messageId) : [];
    const threads = room !== undefined && roots.length > 0 ? await messages.threads(CHAT, room, roots, viewer) : [];
    const byRoot = new Map(threads.map((thread) => [thread.thread, thread]));
    return found.map((message) =>
      forViewer(renderMessage(message, byRoot.get(message.messageId), title()), message, viewer),
    );
  }

  async function speak(
    talker: Talker,
    room: StoredRoom,
    said: { readonly clientId: string; readonly text: string; readonly thread?: string; readonly pressed: boolean },
  ): Promise<void> {
    const { account } = talker;
    const me = personId(account.id);
    const kind = roomKind(room.id);
    if (!room.private && !room.members.includes(me)) await enterRoom(talker, room.id);
    const recorded = await messages.record({
      chat: CHAT,
      room: room.id,
      ...(said.thread !== undefined && { thread: said.thread }),
      personId: me,
      personName: account.name,
      at: now(),
      text: said.text,
      fromRobot: false,
      addressed: said.pressed || addressed(said.text, parts.names(), kind.kind === 'robot').addressed,
      private: room.private,
      clientId: said.clientId,
      owner: parts.replica,
    });
    const frameId = said.pressed ? said.clientId.slice(PRESSED.length) : said.clientId;
    const { id } = recorded;
    talker.send({ t: 'ack', id: frameId, message: id });
    if (!recorded.isNew) return;
    const { message } = recorded;
    // It is acknowledged: from here on, nothing that goes wrong keeps the robot from hearing it. It gets what was said;
    // what is stored went through the redaction of secrets.
    parts.handle({ ...message, text: said.text });
    try {
      await Promise.all([store.markRead(account.id, room.id, id), hub.tell({ k: 'message', id }, { message, room })]);
    } catch (error) {
      parts.log.warn({ err: error, message: id }, 'web chat read mark not moved');
    }
  }

  async function say(talker: Talker, frame: Extract<ClientFrame, { t: 'say' }>): Promise<void> {
    if (frame.text.trim() === '') throw new Refused(problems.empty);
    const room = await roomFor(talker, frame.room);
    let thread: string | undefined;
    if (frame.thread !== undefined) {
      const root = await messageFor(talker, room, frame.thread);
      thread = root.thread ?? root.messageId;
    }
    await speak(talker, room, {
      clientId: frame.id,
      text: frame.text,
      pressed: false,
      ...(thread !== undefined && { thread }),
    });
  }

  /** The command comes from the stored card: the browser says only which button of which message. */
  async function press(talker: Talker, frame: Extract<ClientFrame, { t: 'press' }>): Promise<void> {
    const found = await messages.get(frame.message);
    if (!found || found.chat !== CHAT) throw new Refused(problems.noMessage);
    const room = await roomFor(talker, found.room);
    const message = await messageFor(talker, room, frame.message);
    const stored = message.fromRobot ? parseCard(message.content) : undefined;
    const action = stored ? pressable(stored)[frame.index] : undefined;
    if (!action) throw new Refused(problems.noButton);
    await speak(talker, room, {
      clientId: PRESSED + frame.id,
      text: action.command,
      pressed: true,
      ...(message.thread !== null && { thread: message.thread }),
    });
  }

  async function history(talker: Talker, frame: Extract<ClientFrame, { t: 'history' }>): Promise<Answer> {
    const room = await roomFor(talker, frame.room);
    const viewer = personId(talker.account.id);
    talker.watch(room.id);
    const page = { chat: CHAT, room: room.id, viewer, thread: null };
    const view = await hub.viewRoom(room, talker.account.id);
    if (frame.around !== undefined) {
      const target = await messageFor(talker, room, frame.around);
      const middle = target.thread === null ? target.id : Number(target.thread);
      const [before, after] = await Promise.all([
        messages.page({ ...page, before: middle + 1, limit: PAGE / 2 }),
        messages.page({ ...page, after: middle, limit: PAGE / 2 }),
      ]);
      return {
        kind: 'history',
        room: view,
        messages: await wire([...before, ...after], talker, true),
        older: before.length === PAGE / 2,
        newer: after.length === PAGE / 2,
        ...(target.thread !== null && { thread: middle }),
      };
    }
    const found = await messages.page({
      ...page,
      ...(frame.before !== undefined && { before: frame.before }),
      ...(frame.after !== undefined && { after: frame.after }),
      limit: PAGE,
    });
    const full = found.length === PAGE;
    return {
      kind: 'history',
      room: view,
      messages: await wire(found, talker, true),
      older: frame.after === undefined ? full : true,
      newer: frame.after === undefined ? frame.before !== undefined : full,
    };
  }

  async function thread(talker: Talker, frame: Extract<ClientFrame, { t: 'thread' }>): Promise<Answer> {
    const room = await roomFor(talker, frame.room);
    const root = await messageFor(talker, room, frame.message);
    const viewer = personId(talker.account.id);
    const found = await messages.page({ chat: CHAT, room: room.id, viewer, thread: root.messageId, limit: THREAD });
    const replies = found.filter((message) => message.id !== root.id);
    return { kind: 'thread', messages: await wire([root, ...replies], talker, false) };
  }

  async function enterRoom(talker: Talker, id: string): Promise<void> {
    const { account } = talker;
    await messages.join(CHAT, id, personId(account.id));
    const activity = await messages.activity(CHAT, personId(account.id), new Map());
    const last = activity.find((one) => one.room === id)?.lastId ?? 0;
    if (last > 0) await store.markRead(account.id, id, last);
    await hub.tell({ k: 'membership', room: id, account: account.id });
  }

  async function joinRoom(talker: Talker, id: string): Promise<Answer> {
    const room = await roomFor(talker, id);
    if (!room.private) await enterRoom(talker, room.id);
    return await showRoom(talker, room.id);
  }

  async function showRoom(talker: Talker, id: string): Promise<Answer> {
    return { kind: 'room', room: await hub.viewRoom(await roomFor(talker, id), talker.account.id) };
  }

  async function create(talker: Talker, typed: string): Promise<Answer> {
    const name = roomName(typed);
    if (name === undefined) throw new Refused(problems.roomName);
    if (await messages.room(CHAT, name)) throw new Refused(problems.roomTaken);
    await messages.saveRoom({ chat: CHAT, id: name, name, private: false });
    return await joinRoom(talker, name);
  }

  async function leave(talker: Talker, id: string): Promise<Answer> {
    const room = await roomFor(talker, id);
    if (room.private) throw new Refused(problems.stay);
    await messages.leave(CHAT, room.id, personId(talker.account.id));
    await hub.tell({ k: 'membership', room: room.id, account: talker.account.id });
    return await showRoom(talker, room.id);
  }

  async function direct(talker: Talker, person: string): Promise<Answer> {
    const other = await store.account(accountOf(person) ?? 0);
    if (!other) throw new Refused(problems.noPerson);
    const mine = other.id === talker.account.id;
    const room = mine
      ? await openRobotRoom(messages, talker.account, title())
      : await openDirectRoom(messages, talker.account, other);
    await hub.tell({ k: 'room', room: room.id });
    return await showRoom(talker, room.id);
  }

  async function browse(talker: Talker): Promise<Answer> {
    const me = personId(talker.account.id);
    const rooms = (await messages.roomsOf(CHAT, me)).filter((room) => !room.private);
    return {
      kind: 'rooms',
      rooms: rooms.map(({ id, name, members }) => ({
        id,
        name,
        members: members.length,
        joined: members.includes(me),
      })),
    };
  }

  async function read(talker: Talker, frame: Extract<ClientFrame, { t: 'read' }>): Promise<void> {
    await roomFor(talker, frame.room);
    await store.markRead(talker.account.id, frame.room, frame.message);
    await hub.tell({ k: 'read', room: frame.room, account: talker.account.id });
  }

  async function search(talker: Talker, frame: Extract<ClientFrame, { t: 'search' }>): Promise<Answer> {
    const found = await parts.search.search({
      text: frame.query,
      viewer: personId(talker.account.id),
      now: now(),
      filters: {
        ...(frame.room !== undefined && { in: frame.room }),
        ...(frame.page !== undefined && { page: frame.page }),
      },
    });
    if (found.kind === 'unclear') {
      const hint =
        found.problem.kind === 'empty'
          ? 'Type a word to look for.'
          : `“${found.problem.value}” is no time. Write ${found.problem.filter}:7d or ${found.problem.filter}:2026-11-01.`;
      return { kind: 'hits', hits: [], more: false, hint };
    }
    if (found.kind === 'nothing') {
      return {
        kind: 'hits',
        hits: [],
        more: false,
        hint: `Nothing found. ${found.hints.map(searchHint).join(' ')}`.trim(),
      };
    }
    const accounts = await store.accounts();
    const names = new Map(accounts.map(({ id, name }) => [id, name]));
    const hits: WireHit[] = found.hits
      .filter(({ message }) => message.chat === CHAT)
      .map(({ message, roomName: name, snippet }) => ({
        id: message.id,
        room: message.room,
        roomName: hitRoom(message.room, name, talker.account.id, names),
        ...(message.thread !== null && { thread: Number(message.thread) }),
        person: message.personName,
        at: message.at.toISOString(),
        html: renderMarkdown(snippet),
      }));
    return { kind: 'hits', hits, more: found.more };
  }

  function hitRoom(id: string, name: string, me: number, names: ReadonlyMap<number, string>): string {
    const kind = roomKind(id);
    if (kind.kind === 'room') return `#${name}`;
    if (kind.kind === 'robot') return title();
    return names.get(otherOf(kind.accounts, me)) ?? name;
  }

  async function answer(talker: Talker, frame: ClientFrame): Promise<Answer | undefined> {
    switch (frame.t) {
      case 'say':
        await say(talker, frame);
        return undefined;
      case 'press':
        await press(talker, frame);
        return undefined;
      case 'read':
        await read(talker, frame);
        return undefined;
      case 'history':
        return await history(talker, frame);
      case 'thread':
        return await thread(talker, frame);
      case 'create':
        return await create(talker, frame.name);
      case 'join':
        return await joinRoom(talker, frame.room);
      case 'leave':
        return await leave(talker, frame.room);
      case 'direct':
        return await direct(talker, frame.person);
      case 'browse':
        return await browse(talker);
      case 'search':
        return await search(talker, frame);
      case 'complete': {
        const person = { id: personId(talker.account.id), chat: CHAT, name: talker.account.name };
        return { kind: 'suggestions', suggestions: await parts.events.complete(frame.text, person) };
      }
    }
  }

  return {
    async welcome(talker) {
      const { account } = talker;
      const me = personId(account.id);
      const own = await openRobotRoom(messages, account, title());
      const [rooms, reads, people] = await Promise.all([
        messages.roomsOf(CHAT, me),
        store.reads(account.id),
        hub.people(),
      ]);
      const activity = new Map((await messages.activity(CHAT, me, reads)).map((one) => [one.room, one]));
      const names = new Map(people.map((person) => [accountOf(person.id) ?? 0, person.name]));
      const { name, alias } = parts.names();
      const mine = rooms.filter((room) => room.members.includes(me));
      talker.send({
        t: 'welcome',
        me: { id: me, name: account.name },
        robot: { name, title: title(), room: own.id, ...(alias !== false && alias !== '' && { alias }) },
        rooms: mine.map((room) =>
          roomView(room, account.id, names, title(), activity.get(room.id), reads.get(room.id) ?? 0),
        ),
        people,
      });
      for (const frame of hub.workingIn(new Set(mine.map((room) => room.id)))) talker.send(frame);
    },
    async take(talker, frame) {
      try {
        const answered = await answer(talker, frame);
        if (answered && 'req' in frame) talker.send({ t: 'answer', req: frame.req, answer: answered });
      } catch (error) {
        const refused = error instanceof Refused;
        if (!refused)
          parts.log.error({ err: error, frame: frame.t, person: talker.account.id }, 'web chat request failed');
        const talking = frame.t === 'say' || frame.t === 'press';
        const problem = refused ? error.problem : talking ? problems.notStored : problems.failed;
        refuseFrame(talker, frame, problem);
      }
    },
  };
}
