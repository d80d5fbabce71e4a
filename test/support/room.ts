/**
 * A room in memory with a real robot in it, with the names of hubot-test-helper:
 *
 *     const room = await new Helper('scripts/hello.ts').createRoom();
 *     await room.user.say('alice', 'hubot hello');
 *     expect(room.messages).to.deep.equal([['alice', 'hubot hello'], ['hubot', '@alice hello']]);
 *     await room.destroy();
 *
 * `say` resolves when everything that came of the message is done, HTTP callbacks included.
 */

import { statSync } from 'node:fs';
import { Adapter, EnterMessage, type Envelope, LeaveMessage, TextMessage, type User } from 'hubot';
import pino from 'pino';
import { brainLoaded } from '../../src/bot/brain-loaded.ts';
import { type Card, type Content, cardText } from '../../src/bot/card.ts';
import type { Address, ChatAdapter, Room as ChatRoom, Delivery } from '../../src/bot/chat.ts';
import type { HttpOptions } from '../../src/bot/http.ts';
import { loadScript, loadScripts } from '../../src/bot/load.ts';
import { Robot } from '../../src/bot/robot.ts';

export interface RoomOptions {
  /** Name of the room. */
  readonly name?: string;
  /** Name of the robot; `hubot` unless given. */
  readonly robot?: string;
  readonly alias?: string;
  /** HTTP is off unless given. */
  readonly http?: HttpOptions;
  /** Runs before the scripts load: services, pipeline, access. */
  readonly prepare?: (robot: Robot, chat: MemoryChat) => void | Promise<void>;
}

export class Helper {
  readonly #paths: readonly string[];

  /** Script files, or folders of them. */
  constructor(paths: string | readonly string[]) {
    this.#paths = typeof paths === 'string' ? [paths] : paths;
  }

  /** Makes a robot, loads the scripts and starts it. Throws if a script does not load. */
  async createRoom(options: RoomOptions = {}): Promise<Room> {
    const robot = new Robot(null, options.http !== undefined, options.robot ?? 'hubot', options.alias ?? false, {
      logger: pino({ level: 'silent' }),
      ...(options.http ? { http: options.http } : {}),
    });
    const chat = new MemoryChat(robot, options.name ?? 'room1');
    robot.addChat(chat);
    await robot.prepare();
    await options.prepare?.(robot, chat);
    const problems = [];
    for (const path of this.#paths) {
      const load = statSync(path).isDirectory() ? loadScripts : loadScript;
      problems.push(...(await load(robot, path)).problems);
    }
    problems.push(...(await brainLoaded(robot)));
    await robot.run();
    if (problems.length > 0) {
      robot.shutdown();
      throw new Error(problems.map(({ file, line, cause }) => `${file}:${line ?? ''} ${cause}`).join('\n'));
    }
    return new Room(robot, chat, options.name ?? 'room1');
  }
}

/** One room of the memory chat, as a test sees it. */
export class Room {
  readonly robot: Robot;
  readonly chat: MemoryChat;
  readonly name: string;

  constructor(robot: Robot, chat: MemoryChat, name: string) {
    this.robot = robot;
    this.chat = chat;
    this.name = name;
  }

  readonly user = {
    say: (who: string, text: string, init: Partial<TextMessage> = {}): Promise<void> => this.receive(who, text, init),
    enter: (who: string): Promise<void> => this.#event(new EnterMessage(this.person(who))),
    leave: (who: string): Promise<void> => this.#event(new LeaveMessage(this.person(who))),
  };

  /** Everything said here, in order, as `[who, text]`. Cards are there as text; an updated one is in its old place. */
  get messages(): [string, string][] {
    return this.chat.posts.filter((post) => post.room === this.name).map((post) => [post.who, post.text]);
  }

  /** The cards shown here, as they are now. */
  get cards(): Card[] {
    return this.chat.posts.flatMap(({ room, content }) =>
      room === this.name && content !== undefined && typeof content !== 'string' ? [content] : [],
    );
  }

  /** What only one person sees. */
  messagesOnlyTo(who: string): string[] {
    return this.chat.posts.flatMap((post) => (post.onlyTo === this.person(who).id ? [post.text] : []));
  }

  /** Presses the newest button with that label. Throws if there is none. */
  async press(who: string, label: string): Promise<void> {
    const actions = this.cards.flatMap((shown) => shown.actions ?? []);
    const action = actions.findLast((each) => each.label === label);
    if (!action)
      throw new Error(`no button ${label}; there are: ${actions.map((each) => each.label).join(', ') || 'none'}`);
    await this.receive(who, action.command, { addressed: true, via: 'button' });
  }

  /** The person as Hubot knows them; the id is `test:<name>`. */
  person(who: string): User {
    return this.robot.brain.userForId(`test:${who}`, { name: who, room: this.name });
  }

  async receive(who: string, text: string, init: Partial<TextMessage>): Promise<void> {
    const id = this.chat.say(this.name, who, text);
    const message = Object.assign(
      new TextMessage(this.person(who), text, id),
      { chat: this.chat.chat, via: 'typed' },
      init,
    );
    await this.#event(message);
  }

  async #event(message: EnterMessage): Promise<void> {
    await this.robot.receive(message);
    if ((await this.robot.idle(5000)) === 'still busy') throw new Error('the robot is still busy after 5 s');
  }

  async destroy(): Promise<void> {
    await this.robot.close(1000);
  }
}

interface Post {
  readonly id: string;
  readonly room: string;
  readonly who: string;
  text: string;
  content?: Content;
  readonly thread?: string | undefined;
  readonly onlyTo?: string | undefined;
}

/** A chat that keeps everything in memory. Every room exists; those named in `privateRooms` are private. */
export class MemoryChat extends Adapter implements ChatAdapter {
  readonly chat = 'test';
  override readonly name = 'test';
  readonly posts: Post[] = [];
  readonly privateRooms = new Map<string, readonly string[]>();
  /** Thrown by the next deliveries, in order. */
  readonly troubles: Error[] = [];
  /** As a chat that takes messages only in turn. */
  queued = false;
  readonly #home: string;
  #count = 0;

  constructor(robot: Robot, home: string) {
    super(robot);
    this.#home = home;
  }

  say(room: string, who: string, text: string, extra: Partial<Post> = {}): string {
    this.#count += 1;
    const id = String(this.#count);
    this.posts.push({ ...extra, id, room, who, text });
    return id;
  }

  override async send(envelope: Envelope, ...strings: string[]): Promise<void> {
    for (const text of strings) this.say(envelope.room ?? this.#home, this.robot.name, text);
  }

  override async reply(envelope: Envelope, ...strings: string[]): Promise<void> {
    await this.send(envelope, ...strings.map((text) => `@${envelope.user?.name} ${text}`));
  }

  override async emote(envelope: Envelope, ...strings: string[]): Promise<void> {
    await this.send(envelope, ...strings.map((text) => `* ${text}`));
  }

  override async run(): Promise<void> {
    this.emit('connected');
  }

  async deliver({ address, content, onlyTo }: Delivery): Promise<{ messageId: string }> {
    const trouble = this.troubles.shift();
    if (trouble) throw trouble;
    const text = cardText(content, `${this.robot.name} `);
    return { messageId: this.say(address.room, this.robot.name, text, { content, thread: address.thread, onlyTo }) };
  }

  async update({ content }: Delivery, messageId: string): Promise<'updated' | 'gone'> {
    const trouble = this.troubles.shift();
    if (trouble) throw trouble;
    const post = this.posts.find((each) => each.id === messageId);
    if (!post) return 'gone';
    post.content = content;
    post.text = cardText(content, `${this.robot.name} `);
    return 'updated';
  }

  permalink(address: Address, messageId: string): string {
    return `test://${address.room}/${messageId}`;
  }

  async room(id: string): Promise<ChatRoom> {
    const members = this.privateRooms.get(id);
    return { chat: this.chat, id, name: id, private: members !== undefined, ...(members ? { members } : {}) };
  }
}
