/** The web chat: rooms, people and cards in a browser. The default chat of the robot. */

import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Router } from 'express';
import { Adapter, type Envelope, type Robot, TextMessage } from 'hubot';
import type { Content } from '../../../bot/card.ts';
import {
  type Address,
  type ChatAdapter,
  type Delivery,
  DeliveryDelayed,
  DeliveryRefused,
  type Person,
  type Room,
} from '../../../bot/chat.ts';
import type { Invitations, Invited } from '../../../bot/invitations.ts';
import type { Logger } from '../../../bot/log.ts';
import type { StoredMessage, StoredRoom } from '../../../domain/history/ports.ts';
import { addressed } from './addressed.ts';
import { fingerprint, refuseRequest } from './gate.ts';
import { Hub, type Known } from './hub.ts';
import { nameProblem, tidyName } from './name.ts';
import { addPages } from './pages.ts';
import type { Account, WebBus, WebEvents, WebMessages, WebOptions, WebSearch, WebStore } from './ports.ts';
import { problems } from './problems.ts';
import { PRESSED } from './render.ts';
import {
  accountOf,
  CHAT,
  openCommonRoom,
  openRobotRoom,
  personId,
  ROBOT_ID,
  robotRoom,
  roomKind,
  roomName,
  titleOf,
} from './rooms.ts';
import { sessionOf } from './session.ts';
import { createSockets, type Sockets } from './socket.ts';
import { createTalk } from './talk.ts';

const INVITE_MS = 24 * 3_600_000;
const SWEEP_EVERY_MS = 3_600_000;
/** What is answered sooner needs no sign that it is being worked on. */
const SHOW_WORK_AFTER_MS = 200;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;

/** What the web chat needs of the HTTP server. */
export interface WebHttp {
  readonly beforeParsers: Router;
  onUpgrade(path: string, handler: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): void;
}

export interface WebParts {
  readonly store: WebStore;
  readonly messages: WebMessages;
  readonly search: WebSearch;
  readonly bus: WebBus;
  readonly events: WebEvents;
  readonly options: WebOptions;
  /** Name of this process, as in the column `owner`. */
  readonly replica: string;
  readonly log: Logger;
  readonly now: () => Date;
  /** Asked for when the chat starts. */
  readonly http: () => WebHttp;
  /** Where this machine reaches the server, `http://127.0.0.1:8080`. Asked for whenever a link is made. */
  readonly localUrl: () => string;
}

export class WebChat extends Adapter implements ChatAdapter, Invitations {
  readonly chat = CHAT;
  override name = CHAT;
  readonly #parts: WebParts;
  readonly #hub: Hub;
  readonly #handling = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #sockets: Sockets | undefined;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(robot: Robot, parts: WebParts) {
    super(robot);
    this.#parts = parts;
    this.#hub = new Hub({ ...parts, robotName: () => titleOf(this.robot.name) });
  }

  /** Adds the routes, opens the common rooms and welcomes those whom a killed robot did not. */
  override async run(): Promise<void> {
    const { store, messages, options, now, log } = this.#parts;
    const http = this.#parts.http();
    addPages(http.beforeParsers, {
      ...this.#parts,
      robotName: () => titleOf(this.robot.name),
      welcome: (account, isNew) => this.#welcome(account, isNew),
      signedOut: (session) => this.#hub.tell({ k: 'signout', session }),
    });
    if (options.enabled) {
      const talk = createTalk({
        ...this.#parts,
        hub: this.#hub,
        names: () => this.robot,
        handle: (message) => void this.resume(message),
      });
      this.#sockets = createSockets({ store, hub: this.#hub, talk, log, now, publicUrl: options.publicUrl });
      const sockets = this.#sockets;
      http.onUpgrade('/web/socket', (request, socket, head) => sockets.upgrade(request, socket, head));
    }
    for (const name of options.rooms) await openCommonRoom(store, messages, name);
    for (const account of await store.accounts()) await this.#knownBy(account);
    for (const account of await store.unwelcomed()) await this.#welcome(account, true);
    await store.sweep(now());
    this.#sweeper = setInterval(() => {
      store.sweep(now()).catch((error: unknown) => log.warn({ err: error }, 'web chat sweep failed'));
    }, SWEEP_EVERY_MS);
    this.#sweeper.unref();
    this.#hub.start();
    this.emit('connected');
  }

  /** Ends the connections and waits for what the robot is doing for people of this chat. */
  override async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#sockets?.stop();
    this.#hub.stop();
    this.#stopping.abort();
    await Promise.all(this.#handling);
    this.#sockets?.close();
    this.removeAllListeners();
  }

  /** The link that lets the people of this machine in; undefined while the chat is switched off. */
  link(): string | undefined {
    const { options } = this.#parts;
    return options.enabled ? `${this.#base()}/?token=${encodeURIComponent(options.token)}` : undefined;
  }

  /** Whether a request comes from somebody who is signed in here. */
  async admits(request: IncomingMessage): Promise<boolean> {
    const { store, options, now } = this.#parts;
    const { enabled, publicUrl } = options;
    if (!enabled || refuseRequest(request, publicUrl) !== undefined) return false;
    return (await sessionOf(request, { store, publicUrl, now }))?.session.account !== undefined;
  }

  /**
   * Makes a link for one more person; with `known`, also for one who is here already and has lost access: whoever opens
   * that one becomes that person. It works once, for a day. An address counts at once for who is here already, for others as
   * soon as they come.
   */
  async invite(
    typed: string,
    by: string,
    { known: mayKnow = false, email }: { readonly known?: boolean; readonly email?: string } = {},
  ): Promise<Invited> {
    const { store } = this.#parts;
    const name = tidyName(typed).replace(/^@/, '');
    const problem = nameProblem(name, this.robot.name);
    if (problem) return { kind: 'refused', problem };
    const known = await store.accountNamed(name);
    if (known && !mayKnow && personId(known.id) !== by) return { kind: 'refused', problem: problems.known };
    if (email !== undefined) {
      const owner = await store.accountOfEmail(email);
      if (owner && owner.id !== known?.id) return { kind: 'refused', problem: problems.emailTaken(owner.name) };
      if (known && (await store.setEmail(known.id, email))) await this.#knownBy({ ...known, email });
    }
    return await this.#link(known?.name ?? name, by, {
      known: known !== undefined,
      ...(email !== undefined && { email }),
    });
  }

  /** Makes a link for who has that address: as the account that has it, or as a new one. */
  async inviteSelf({ id, name, email }: Parameters<Invitations['inviteSelf']>[0]): Promise<Invited> {
    const owner = await this.#parts.store.accountOfEmail(email);
    if (owner) return await this.#link(owner.name, id, { known: true });
    const free = await this.#freeName([name, email.slice(0, email.indexOf('@'))]);
    if (free === undefined) return { kind: 'refused', problem: problems.noName };
    return await this.#link(free, id, { known: false, email });
  }

  /** The first of these names, or one like it, that nobody has: by a link, nobody must become who has that name. */
  async #freeName(wanted: readonly string[]): Promise<string | undefined> {
    const usable = wanted.map(tidyName).filter((name) => nameProblem(name, this.robot.name) === undefined);
    const tried = usable.flatMap((name) => [name, ...[2, 3, 4, 5].map((count) => `${name} ${count}`)]);
    for (const name of tried) {
      if (nameProblem(name, this.robot.name) === undefined && !(await this.#parts.store.accountNamed(name)))
        return name;
    }
    return undefined;
  }

  async #link(
    name: string,
    by: string,
    { known, email }: { readonly known: boolean; readonly email?: string },
  ): Promise<Invited> {
    const { store, now } = this.#parts;
    const secret = randomBytes(24).toString('base64url');
    const start = now();
    const until = new Date(start.getTime() + INVITE_MS);
    const hash = fingerprint(secret);
    await store.invite({ hash, name, by, now: start, until, ...(email !== undefined && { email }) });
    return { kind: 'invited', name, link: `${this.#base()}/web/join/${secret}`, until, known };
  }

  async #knownBy(account: Account): Promise<void> {
    const { id, name, email } = account;
    if (email !== undefined) await this.#parts.events.onEmail({ id: personId(id), chat: CHAT, name }, email);
  }

  /**
   * Gives a stored message to the robot and marks it handled afterwards: one that was just said, or one that a replica
   * did not finish which is gone. Never rejects.
   */
  resume(message: StoredMessage): Promise<void> {
    const handled = this.#handleForSure(message).finally(() => this.#handling.delete(handled));
    this.#handling.add(handled);
    return handled;
  }

  /** The database may be away for a while. What is not done when the robot stops is taken up at the next start. */
  async #handleForSure(message: StoredMessage): Promise<void> {
    const { signal } = this.#stopping;
    const { messages, log } = this.#parts;
    let heard = false;
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(LAST_RETRY_MS, wait * 2)) {
      try {
        // The robot hears it once, however often marking it takes.
        if (!heard) await this.#handle(message);
        heard = true;
        await messages.markHandled(message.id);
        log.debug({ message: message.id }, 'web chat message handled');
        return;
      } catch (error) {
        log.error({ err: error, message: message.id, retryInMs: wait }, 'web chat message not handled');
      }
      if (signal.aborted) return;
      await delay(wait, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #handle(message: StoredMessage): Promise<void> {
    const kind = roomKind(message.room);
    const pressed = message.clientId?.startsWith(PRESSED) === true;
    const understood = pressed
      ? { addressed: true, text: message.text }
      : addressed(message.text, this.robot, kind.kind === 'robot');
    // A conversation of two people is theirs: the robot hears what is said to it, nothing else.
    if (kind.kind !== 'direct' || understood.addressed) {
      const place = { room: message.room, thread: message.thread };
      let told: Promise<void> | undefined;
      const timer = setTimeout(() => {
        if (understood.addressed) told = this.#hub.tell({ k: 'working', ...place, on: true });
      }, SHOW_WORK_AFTER_MS);
      try {
        await this.robot.receive(this.#textMessage(message, understood, pressed));
      } finally {
        clearTimeout(timer);
        await told;
        if (told) await this.#hub.tell({ k: 'working', ...place, on: false });
      }
    }
  }

  #textMessage(message: StoredMessage, said: { addressed: boolean; text: string }, pressed: boolean): TextMessage {
    const user = this.robot.brain.userForId(message.personId, { name: message.personName, room: message.room });
    const text = new TextMessage(user, said.text, message.messageId);
    text.room = message.room;
    text.chat = CHAT;
    text.personId = message.personId;
    if (message.thread !== null) text.thread = message.thread;
    text.private = message.private;
    text.addressed = said.addressed;
    text.via = pressed ? 'button' : 'typed';
    text.stored = true;
    text.at = message.at;
    return text;
  }

  async deliver(delivery: Delivery): Promise<{ readonly messageId: string }> {
    const { messages } = this.#parts;
    const room = await this.#target(delivery.address.room);
    const { thread } = delivery.address;
    const stored = await attempt(() =>
      messages.record({
        chat: CHAT,
        room: room.id,
        ...(thread !== undefined && { thread }),
        personId: ROBOT_ID,
        personName: this.robot.name,
        at: this.#parts.now(),
        ...split(delivery.content),
        fromRobot: true,
        addressed: false,
        private: room.private,
        nonce: delivery.nonce,
        ...(delivery.onlyTo !== undefined && { onlyTo: delivery.onlyTo }),
      }),
    );
    if (stored.isNew) await this.#show('message', stored.id, { message: stored.message, room });
    return { messageId: String(stored.id) };
  }

  async update(delivery: Delivery, messageId: string): Promise<'updated' | 'gone'> {
    const { messages } = this.#parts;
    const { text, content } = split(delivery.content);
    const room = await this.#target(delivery.address.room);
    const there = await attempt(() => messages.update(CHAT, room.id, messageId, text, content));
    if (!there) return 'gone';
    await this.#show('changed', Number(messageId), { room });
    return 'updated';
  }

  permalink(address: Address, messageId: string): string {
    return `${this.#base()}/#/room/${encodeURIComponent(plainRoom(address.room))}/${encodeURIComponent(messageId)}`;
  }

  async room(id: string): Promise<Room | undefined> {
    const found = await this.#parts.messages.room(CHAT, plainRoom(id));
    if (!found) return undefined;
    const { name, private: isPrivate, members } = found;
    const direct = roomKind(found.id).kind === 'robot';
    return {
      chat: CHAT,
      id: found.id,
      name,
      private: isPrivate,
      ...(isPrivate && { members }),
      ...(direct && { direct }),
    };
  }

  async direct({ id }: Person): Promise<Address | undefined> {
    const number = accountOf(id);
    const account = number === undefined ? undefined : await this.#parts.store.account(number);
    return account && { chat: CHAT, room: robotRoom(account.id) };
  }

  /** For plain Hubot scripts. */
  override async send(envelope: Envelope, ...strings: string[]): Promise<void> {
    const room = envelope.room ?? envelope.user?.room ?? envelope.message?.room;
    if (room === undefined) throw new DeliveryRefused('no room to send to');
    const thread = envelope.message?.room === room ? envelope.message.thread : undefined;
    for (const text of strings) {
      const address = { chat: CHAT, room, ...(thread !== undefined && { thread }) };
      await this.deliver({ nonce: randomBytes(16).toString('hex'), address, content: text });
    }
  }

  override async reply(envelope: Envelope, ...strings: string[]): Promise<void> {
    const name = envelope.user?.name;
    const direct = roomKind(envelope.room ?? '').kind === 'robot';
    await this.send(envelope, ...strings.map((text) => (name === undefined || direct ? text : `@${name} ${text}`)));
  }

  override async emote(envelope: Envelope, ...strings: string[]): Promise<void> {
    await this.send(envelope, ...strings.map((text) => `*${text}*`));
  }

  /** The room to post to. A public room that nobody has made yet is made, with everybody in it: no alert gets lost. */
  async #target(id: string): Promise<StoredRoom> {
    const { store, messages } = this.#parts;
    const plain = plainRoom(id);
    const known = await attempt(() => messages.room(CHAT, plain));
    if (known) return known;
    const kind = roomKind(plain);
    if (kind.kind === 'robot') {
      const account = await attempt(() => store.account(kind.account));
      if (account) return await attempt(() => openRobotRoom(messages, account, titleOf(this.robot.name)));
    }
    const name = roomName(plain);
    if (kind.kind !== 'room' || name === undefined) throw new DeliveryRefused(`the web chat has no room ${id}`);
    return await attempt(async () => {
      const room = await openCommonRoom(store, messages, name);
      await this.#hub.tell({ k: 'room', room: name });
      return room;
    });
  }

  /** The message is stored: browsers that do not see it now will when they look again. */
  async #show(k: 'message' | 'changed', id: number, known: Known): Promise<void> {
    try {
      await this.#hub.tell({ k, id }, known);
    } catch (error) {
      this.#parts.log.warn({ err: error, message: id }, 'web chat message not shown at once');
    }
  }

  async #welcome(account: Account, isNew: boolean): Promise<void> {
    const { store, messages, events, now } = this.#parts;
    if (!isNew) return;
    const person: Person = { id: personId(account.id), chat: CHAT, name: account.name };
    const direct = await openRobotRoom(messages, account, titleOf(this.robot.name));
    for (const room of await store.commonRooms()) await messages.join(CHAT, room, person.id);
    // Known to scripts and to `grant @bob` before the first word.
    this.robot.brain.userForId(person.id, { name: person.name, room: direct.id });
    await this.#knownBy(account);
    if (account.first) await events.onFirstPerson(person);
    await events.onPerson(person, { chat: CHAT, room: direct.id });
    await store.markWelcomed(account.id, now());
    await this.#hub.tell({ k: 'account', account: account.id });
  }

  #base(): string {
    return (this.#parts.options.publicUrl ?? this.#parts.localUrl()).replace(/\/$/, '');
  }
}

/** Rooms are written `ops` or `#ops`; a person's id means the conversation with that person. */
function plainRoom(id: string): string {
  const account = accountOf(id);
  return account === undefined ? id.replace(/^#/, '') : robotRoom(account);
}

function split(content: Content): { text: string; content?: Exclude<Content, string> } {
  return typeof content === 'string' ? { text: content } : { text: '', content };
}

/** Our own database is in the way: trying later helps. */
async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new DeliveryDelayed('the web chat could not store the message', { cause: error });
  }
}
