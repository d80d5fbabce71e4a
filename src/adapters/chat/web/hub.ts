/** The browsers connected to this replica, and word from and to the other replicas. */

import type { Logger } from '../../../bot/log.ts';
import type { StoredMessage, StoredRoom } from '../../../domain/history/ports.ts';
import type { WebBus, WebMessages, WebStore } from './ports.ts';
import type { ServerFrame, WirePerson, WireRoom } from './protocol.ts';
import { forViewer, renderMessage } from './render.ts';
import { accountOf, CHAT, personId, roomView } from './rooms.ts';
import { type BusEvent, parseBusEvent } from './schema.ts';

const CHANNEL = 'web';
const PRESENCE_EVERY_MS = 20_000;
const PRESENCE_LOST_MS = 55_000;

/** One page in one browser. */
export interface Browser {
  readonly account: number;
  readonly session: string;
  /** The public room it looks at without being in it. */
  watching: string | undefined;
  send(text: string): void;
  end(code: number, reason: string): void;
}

export interface HubParts {
  readonly store: WebStore;
  readonly messages: WebMessages;
  readonly bus: WebBus;
  readonly replica: string;
  readonly log: Logger;
  readonly robotName: () => string;
  readonly now: () => Date;
}

/** What one replica is doing in one room or thread. */
interface Working {
  readonly from: string;
  readonly room: string;
  readonly thread: string | null;
  readonly count: number;
  readonly at: number;
}

/** What {@link Hub.tell} is about, if it was read a moment ago: it is not read again here. */
export interface Known {
  readonly message?: StoredMessage;
  readonly room?: StoredRoom;
}

type Event<E = BusEvent> = E extends BusEvent ? Omit<E, 'from'> : never;

export class Hub {
  readonly #parts: HubParts;
  readonly #browsers = new Set<Browser>();
  readonly #elsewhere = new Map<string, { accounts: readonly number[]; at: number }>();
  readonly #working = new Map<string, Working>();
  readonly #unsubscribe: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #presence = '';
  #told = '';

  constructor(parts: HubParts) {
    this.#parts = parts;
  }

  start(): void {
    const { bus } = this.#parts;
    this.#unsubscribe.push(
      bus.subscribe(CHANNEL, (payload) => this.#hear(payload)),
      // What other replicas told meanwhile is lost: browsers fetch everything again.
      bus.onGap(() => this.endAll(4000, 'look again')),
    );
    this.#timer = setInterval(() => void this.#beat(), PRESENCE_EVERY_MS);
    this.#timer.unref();
    void this.#tellPresence(true);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const end of this.#unsubscribe.splice(0)) end();
    this.endAll(1012, 'restarting');
  }

  endAll(code: number, reason: string): void {
    for (const browser of this.#browsers) browser.end(code, reason);
  }

  add(browser: Browser): void {
    this.#browsers.add(browser);
    void this.#presenceChanged();
  }

  remove(browser: Browser): void {
    if (this.#browsers.delete(browser)) void this.#presenceChanged();
  }

  /** Looks at something again, here and on the other replicas. Never rejects: what is stored is seen later. */
  async tell(event: Event, known: Known = {}): Promise<void> {
    const complete = { ...event, from: this.#parts.replica };
    try {
      await this.#act(complete, known);
    } catch (error) {
      this.#parts.log.warn({ err: error, event: event.k }, 'web chat could not show');
    }
    await this.#publish(complete);
  }

  /** Shows frames that nobody needs to see who is not here now. */
  toPerson(account: number, frame: ServerFrame): void {
    const text = JSON.stringify(frame);
    for (const browser of this.#browsers) if (browser.account === account) browser.send(text);
  }

  /** Everybody with an account, and who is here. */
  async people(): Promise<WirePerson[]> {
    const here = this.#online();
    const accounts = await this.#parts.store.accounts();
    return accounts.map(({ id, name }) => ({ id: personId(id), name, online: here.has(id) }));
  }

  /** The room as that person sees it now. */
  async viewRoom(room: StoredRoom, account: number): Promise<WireRoom> {
    const { messages, store, robotName } = this.#parts;
    const reads = await store.reads(account);
    const [activity, accounts] = await Promise.all([
      messages.activity(CHAT, personId(account), reads),
      store.accounts(),
    ]);
    const names = new Map(accounts.map(({ id, name }) => [id, name]));
    const active = activity.find((one) => one.room === room.id);
    return roomView(room, account, names, robotName(), active, reads.get(room.id) ?? 0);
  }

  /** What the robot is working on in these rooms. */
  workingIn(rooms: ReadonlySet<string>): ServerFrame[] {
    return [...this.#working.values()].filter((one) => rooms.has(one.room)).map((one) => workingFrame(one, true));
  }

  async #publish(event: BusEvent): Promise<void> {
    try {
      await this.#parts.bus.publish(CHANNEL, event);
    } catch (error) {
      this.#parts.log.warn({ err: error, event: event.k }, 'web chat could not tell other replicas');
    }
  }

  async #hear(payload: unknown): Promise<void> {
    const event = parseBusEvent(payload);
    if (event && event.from !== this.#parts.replica) await this.#act(event);
  }

  async #act(event: BusEvent, known: Known = {}): Promise<void> {
    const { store, messages, now } = this.#parts;
    switch (event.k) {
      case 'message':
      case 'changed':
        if (this.#browsers.size > 0) await this.#show(event.k, event.id, known);
        return;
      case 'room': {
        const room = this.#browsers.size > 0 ? await messages.room(CHAT, event.room) : undefined;
        if (room) for (const account of this.#accounts(room.members)) await this.#showRoom(room, account);
        return;
      }
      case 'membership': {
        if (!this.#has(event.account)) return;
        const room = await messages.room(CHAT, event.room);
        if (room?.members.includes(personId(event.account))) await this.#showRoom(room, event.account);
        else this.toPerson(event.account, { t: 'left', room: event.room });
        return;
      }
      case 'read': {
        if (!this.#has(event.account)) return;
        const reads = await store.reads(event.account);
        const activity = await messages.activity(CHAT, personId(event.account), reads);
        const unread = activity.find((one) => one.room === event.room)?.unread ?? 0;
        this.toPerson(event.account, { t: 'read', room: event.room, read: reads.get(event.room) ?? 0, unread });
        return;
      }
      case 'account':
        await this.#showPeople();
        return;
      case 'signout':
        for (const browser of this.#browsers) if (browser.session === event.session) browser.end(4001, 'signed out');
        return;
      case 'presence':
        this.#elsewhere.set(event.from, { accounts: event.accounts, at: now().getTime() });
        if (event.ask) await this.#tellPresence(false);
        await this.#presenceChanged();
        return;
      case 'working':
        await this.#showWorking(event);
        return;
    }
  }

  async #show(kind: 'message' | 'changed', id: number, known: Known): Promise<void> {
    const { messages, robotName } = this.#parts;
    const message = known.message ?? (await messages.get(id));
    // Somebody may have come into a public room since; who is in a private one does not change.
    const room = known.room?.private ? known.room : message && (await messages.room(CHAT, message.room));
    if (!message || !room) return;
    const roots = message.thread === null ? [message.messageId] : [message.thread];
    const [thread] = kind === 'changed' || message.thread !== null ? await messages.threads(CHAT, room.id, roots) : [];
    const own = message.thread === null ? thread : undefined;
    this.#send(room, message, kind, renderMessage(message, own, robotName()));
    if (kind === 'message' && message.thread !== null && message.onlyTo === null) {
      const root = await messages.get(Number(message.thread));
      if (root) this.#send(room, root, 'changed', renderMessage(root, thread, robotName()));
    }
  }

  #send(
    room: StoredRoom,
    message: StoredMessage,
    t: 'message' | 'changed',
    wire: ReturnType<typeof renderMessage>,
  ): void {
    const text = JSON.stringify({ t, message: wire } satisfies ServerFrame);
    for (const browser of this.#browsers) {
      if (!sees(room, browser) || (message.onlyTo !== null && message.onlyTo !== personId(browser.account))) continue;
      const mine = message.clientId !== null && message.personId === personId(browser.account);
      browser.send(
        mine ? JSON.stringify({ t, message: forViewer(wire, message, message.personId) } satisfies ServerFrame) : text,
      );
    }
  }

  async #showRoom(room: StoredRoom, account: number): Promise<void> {
    if (this.#has(account)) this.toPerson(account, { t: 'room', room: await this.viewRoom(room, account) });
  }

  async #showPeople(): Promise<void> {
    if (this.#browsers.size === 0) return;
    const text = JSON.stringify({ t: 'people', people: await this.people() } satisfies ServerFrame);
    for (const browser of this.#browsers) browser.send(text);
  }

  async #showWorking(event: Extract<BusEvent, { k: 'working' }>): Promise<void> {
    const { from, room, thread } = event;
    const key = `${from} ${room} ${thread ?? ''}`;
    const before = this.#isWorking(room, thread);
    const count = (this.#working.get(key)?.count ?? 0) + (event.on ? 1 : -1);
    if (count > 0) this.#working.set(key, { from, room, thread, count, at: this.#parts.now().getTime() });
    else this.#working.delete(key);
    if (this.#isWorking(room, thread) !== before) await this.#sendWorking(event);
  }

  #isWorking(room: string, thread: string | null): boolean {
    for (const one of this.#working.values()) if (one.room === room && one.thread === thread) return true;
    return false;
  }

  async #sendWorking(place: { readonly room: string; readonly thread: string | null }): Promise<void> {
    const room = this.#browsers.size > 0 ? await this.#parts.messages.room(CHAT, place.room) : undefined;
    if (!room) return;
    const text = JSON.stringify(workingFrame(place, this.#isWorking(place.room, place.thread)));
    for (const browser of this.#browsers) if (sees(room, browser)) browser.send(text);
  }

  /** A replica that is gone works on nothing any more. */
  async #forgetLost(): Promise<void> {
    const now = this.#parts.now().getTime();
    for (const [key, one] of this.#working) {
      const seen = Math.max(one.at, this.#elsewhere.get(one.from)?.at ?? 0);
      if (one.from === this.#parts.replica || now - seen < PRESENCE_LOST_MS) continue;
      this.#working.delete(key);
      await this.#sendWorking(one);
    }
  }

  #has(account: number): boolean {
    for (const browser of this.#browsers) if (browser.account === account) return true;
    return false;
  }

  #accounts(members: readonly string[]): number[] {
    return members.map(accountOf).filter((account) => account !== undefined);
  }

  #here(): number[] {
    return [...new Set([...this.#browsers].map((browser) => browser.account))].sort((a, b) => a - b);
  }

  #online(): Set<number> {
    const now = this.#parts.now().getTime();
    const online = new Set(this.#here());
    for (const [replica, { accounts, at }] of this.#elsewhere) {
      if (now - at > PRESENCE_LOST_MS) this.#elsewhere.delete(replica);
      else for (const account of accounts) online.add(account);
    }
    return online;
  }

  async #beat(): Promise<void> {
    await this.#tellPresence(false);
    try {
      await this.#forgetLost();
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'web chat could not show who works');
    }
  }

  /** Tells the other replicas who is here; with `ask`, they tell back. */
  async #tellPresence(ask: boolean): Promise<void> {
    await this.#publishPresence(ask);
    await this.#presenceChanged();
  }

  async #publishPresence(ask: boolean): Promise<void> {
    // A bus message holds some thousand numbers at most; who is beyond that shows as away.
    await this.#publish({ k: 'presence', from: this.#parts.replica, accounts: this.#here().slice(0, 800), ask });
  }

  async #presenceChanged(): Promise<void> {
    const now = [...this.#online()].sort((a, b) => a - b).join();
    if (now === this.#presence) return;
    const mine = this.#here().join();
    this.#presence = now;
    try {
      if (mine !== this.#told) {
        this.#told = mine;
        await this.#publishPresence(false);
      }
      await this.#showPeople();
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'web chat could not show who is here');
    }
  }
}

function workingFrame(place: { readonly room: string; readonly thread: string | null }, on: boolean): ServerFrame {
  return { t: 'working', room: place.room, ...(place.thread !== null && { thread: Number(place.thread) }), on };
}

function sees(room: StoredRoom, browser: Browser): boolean {
  return room.members.includes(personId(browser.account)) || (!room.private && browser.watching === room.id);
}
