/** Any other Hubot adapter as a chat of ours: everything is shown as text. */

import { randomUUID } from 'node:crypto';
import { Adapter, type Envelope, type Message } from 'hubot';
import { type Content, cardText } from '../../../bot/card.ts';
import {
  type Address,
  type ChatAdapter,
  chatName,
  type Delivery,
  DeliveryDelayed,
  type Room,
} from '../../../bot/chat.ts';
import type { Robot } from '../../../bot/robot.ts';
import { loadHubotAdapter } from './load-adapter.ts';
import { markdownText } from './markdown-text.ts';

export interface TextChatOptions {
  /** As Hubot's `--adapter`: a package, `hubot-` in front of it or not. */
  readonly adapter: string;
  /** As Hubot's `--file`: the file of an adapter, instead of a package. */
  readonly file?: string;
  /** Folder from which packages are looked up; the one that the program was started in unless given. */
  readonly root?: string;
  /**
   * Rooms that everybody may read. A Hubot adapter cannot say which they are, so every other room counts as private: what
   * is said there is found only by people who were heard in it.
   */
  readonly publicRooms?: readonly string[] | 'all';
}

/** Texts remembered, so that an update that changes nothing is not posted again. */
const REMEMBERED = 500;

/** Loads an adapter and makes a chat of it. Throws {@link AdapterProblem}. */
export async function loadTextChat(robot: Robot, options: TextChatOptions): Promise<TextChat> {
  const chat = new TextChat(robot, options);
  chat.use(await loadHubotAdapter(chat.facade, options));
  return chat;
}

export class TextChat extends Adapter implements ChatAdapter {
  readonly chat: string;
  override readonly name: string;
  /** The robot as the adapter sees it: what it receives is marked with this chat. */
  readonly facade: Robot;
  readonly #options: TextChatOptions;
  readonly #heard = new Map<string, Set<string>>();
  readonly #shown = new Map<string, string>();
  #inner: Adapter | undefined;

  constructor(robot: Robot, options: TextChatOptions) {
    super(robot);
    this.chat = chatName(options.adapter);
    this.name = options.adapter;
    this.#options = options;
    this.facade = markingRobot(robot, (message) => this.#mark(message));
  }

  /** Hubot's adapter behind this chat: what scripts find at `robot.adapter`. */
  get hubotAdapter(): Adapter {
    if (!this.#inner) throw new Error(`adapter ${this.name} is not loaded`);
    return this.#inner;
  }

  use(inner: Adapter): void {
    this.#inner = inner;
    inner.on('connected', () => this.emit('connected'));
    inner.on('error', (error: unknown) =>
      this.robot.logger.error({ err: error, chat: this.chat }, 'chat adapter failed'),
    );
  }

  /** Resolves when the adapter says that it is connected, or its `run` ends: some never end it. */
  override async run(): Promise<void> {
    const inner = this.hubotAdapter;
    const connected = new Promise<void>((resolve) => inner.once('connected', () => resolve()));
    await Promise.race([connected, inner.run()]);
  }

  override close(): void {
    this.hubotAdapter.close();
    super.close();
  }

  override send(envelope: Envelope, ...strings: string[]): Promise<unknown> {
    return this.hubotAdapter.send(envelope, ...strings);
  }
  override reply(envelope: Envelope, ...strings: string[]): Promise<unknown> {
    return this.hubotAdapter.reply(envelope, ...strings);
  }
  override emote(envelope: Envelope, ...strings: string[]): Promise<unknown> {
    return this.hubotAdapter.emote(envelope, ...strings);
  }
  override topic(envelope: Envelope, ...strings: string[]): Promise<unknown> {
    return this.hubotAdapter.topic(envelope, ...strings);
  }
  override play(envelope: Envelope, ...strings: string[]): Promise<unknown> {
    return this.hubotAdapter.play(envelope, ...strings);
  }

  /** Sends the message as text. The id is made up here: a Hubot adapter gives none. */
  async deliver({ address, content }: Delivery): Promise<{ messageId: string }> {
    const text = this.#text(content);
    await this.#say(address, text);
    const messageId = randomUUID();
    this.#remember(messageId, text);
    return { messageId };
  }

  /** A Hubot adapter cannot change a message: posts a new one, unless it would say the same. */
  async update({ address, content }: Delivery, messageId: string): Promise<'updated'> {
    const text = this.#text(content);
    if (this.#shown.get(messageId) === text) return 'updated';
    await this.#say(address, text);
    this.#remember(messageId, text);
    return 'updated';
  }

  /** A Hubot adapter knows no links to messages. */
  permalink(_address: Address, _messageId: string): undefined {
    return undefined;
  }

  /** Private unless configured as public; its members are the people heard in it since the start. */
  async room(id: string): Promise<Room> {
    if (this.#isPublic(id)) return { chat: this.chat, id, name: id, private: false };
    return { chat: this.chat, id, name: id, private: true, members: [...(this.#heard.get(id) ?? [])] };
  }

  async #say(address: Address, text: string): Promise<void> {
    // Adapters that know threads look in one of these places.
    const thread = address.thread ? { thread_ts: address.thread, threadId: address.thread } : {};
    try {
      await this.hubotAdapter.send({ room: address.room, chat: this.chat, ...thread }, text);
    } catch (error) {
      throw new DeliveryDelayed(`${this.name} did not take the message`, { cause: error });
    }
  }

  #text(content: Content): string {
    return markdownText(cardText(content, `${this.robot.name} `));
  }

  #remember(messageId: string, text: string): void {
    this.#shown.delete(messageId);
    this.#shown.set(messageId, text);
    if (this.#shown.size > REMEMBERED) this.#shown.delete(this.#shown.keys().next().value ?? '');
  }

  #mark(message: Message): void {
    const room = message.room ?? '';
    message.chat = this.chat;
    message.personId ??= `${this.chat}:${message.user?.id}`;
    // In the brain stand the people of all chats; without it `7` of this one could be taken for `7` of another.
    if (message.user) message.user['chat'] = this.chat;
    message.private ??= !this.#isPublic(room);
    const heard = this.#heard.get(room) ?? new Set();
    this.#heard.set(room, heard.add(message.personId));
  }

  #isPublic(room: string): boolean {
    const { publicRooms = [] } = this.#options;
    return publicRooms === 'all' || publicRooms.includes(room);
  }
}

/** The same robot, which marks a message before it receives it. */
function markingRobot(robot: Robot, mark: (message: Message) => void): Robot {
  return new Proxy(robot, {
    get(target, key) {
      if (key === 'receive')
        return (message: Message) => {
          mark(message);
          return target.receive(message);
        };
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
