/** A conversation in a terminal, in which every line is for the robot; or line by line from a pipe. */

import { randomBytes } from 'node:crypto';
import { clearLine, clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Adapter, type Envelope, TextMessage } from 'hubot';
import type { Content } from '../../../bot/card.ts';
import type { Address, ChatAdapter, Delivery, Person, Room } from '../../../bot/chat.ts';
import type { Robot } from '../../../bot/robot.ts';
import { terminalText } from './ansi.ts';
import { addToHistory, readHistory } from './history.ts';
import { columns, visible } from './visible.ts';

export interface ShellOptions {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** Colours; said by who knows the environment (`NO_COLOR`). Never used when the output is no terminal. */
  readonly colour: boolean;
  /** Who types; `1` and `Shell` unless given, as in Hubot. */
  readonly user?: { readonly id: string; readonly name: string };
  /** File of what was typed before; none is kept unless given. */
  readonly historyFile?: string;
  /** Lines of it that are remembered; 1024 unless given, as in Hubot. */
  readonly historySize?: number;
  /** Whole lines that what was typed so far may become. */
  readonly complete?: (line: string) => readonly string[] | Promise<readonly string[]>;
  /** Waited for after each line from a pipe, before the next: until everything posted is delivered. */
  readonly flushed?: () => Promise<void>;
}

/** How long one line from a pipe may take to be answered, in ms. */
const LINE_LIMIT_MS = 60_000;
const ROOM = 'shell';

export class ShellChat extends Adapter implements ChatAdapter {
  readonly chat = 'shell';
  override readonly name = 'shell';
  /** Resolves when the person is done: `exit`, end of input, or {@link close}. The robot is then to be closed. */
  readonly ended: Promise<void>;
  readonly #robot: Robot;
  readonly #options: ShellOptions;
  readonly #end: () => void;
  readonly #interactive: boolean;
  readonly #shown = new Map<string, string>();
  #lines: Interface | undefined;
  #last: { readonly id: string; readonly rows: number } | undefined;
  /** Ids must be new in every run: a change is run once for one message. */
  readonly #run = randomBytes(6).toString('hex');
  #count = 0;
  /** The history so far. */
  #written = Promise.resolve();

  constructor(robot: Robot, options: ShellOptions) {
    super(robot);
    this.#robot = robot;
    this.#options = options;
    this.#interactive = options.input.isTTY === true && options.output.isTTY === true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
  }

  override async run(): Promise<void> {
    if (this.#interactive) await this.#converse();
    else
      void this.#readAll().catch((error: unknown) => {
        this.robot.logger.error({ err: error }, 'standard input failed');
        this.close();
      });
    this.emit('connected');
  }

  override close(): void {
    const lines = this.#lines;
    this.#lines = undefined;
    lines?.close();
    void this.#written.then(this.#end);
    super.close();
  }

  // ── in ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #converse(): Promise<void> {
    const { input, output, historyFile, historySize = 1024, complete } = this.#options;
    const history = historyFile ? await readHistory(historyFile, historySize) : [];
    const lines = createInterface({
      input,
      output,
      terminal: true,
      history,
      historySize,
      removeHistoryDuplicates: true,
      prompt: `${this.robot.name}> `,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        void Promise.resolve(complete?.(line) ?? [])
          .catch(() => [])
          .then((found) => done(null, [[...found], line]));
      },
    });
    this.#lines = lines;
    lines.on('line', (line) => {
      if (historyFile && historySize > 0 && line.trim() !== '')
        this.#written = this.#written.then(() => addToHistory(historyFile, line));
      void this.#typed(line).then(() => this.#prompt());
    });
    lines.on('SIGINT', () => {
      if (lines.line === '') lines.close();
      else lines.write(null, { ctrl: true, name: 'u' });
    });
    lines.on('close', () => this.close());
  }

  async #typed(line: string): Promise<void> {
    this.#last = undefined;
    const text = line.trim();
    if (text === 'exit' || text === 'quit' || text === '\\q') this.close();
    else if (text === 'clear' || text === '\\c') {
      cursorTo(this.#options.output, 0, 0);
      clearScreenDown(this.#options.output);
    } else if (text !== '') await this.#hear(text);
  }

  /** One message a line, one after the other; what is printed for a line comes before the next is read. */
  async #readAll(): Promise<void> {
    const lines = createInterface({ input: this.#options.input, terminal: false, crlfDelay: Infinity });
    this.#lines = lines;
    for await (const line of lines) {
      const text = line.trim();
      if (text === 'exit' || text === 'quit') break;
      if (text !== '') await this.#hear(text);
      if (this.#lines === undefined) break;
    }
    this.close();
  }

  async #hear(text: string): Promise<void> {
    const { id, name } = this.#options.user ?? { id: '1', name: 'Shell' };
    const user = this.robot.brain.userForId(id, { name, room: ROOM });
    user['chat'] = this.chat;
    const message = new TextMessage(user, text, this.#nextId());
    message.chat = this.chat;
    message.personId = `shell:${id}`;
    message.addressed = true;
    message.private = true;
    message.via = 'typed';
    await this.#robot.receive(message);
    if (this.#interactive) return;
    await this.#robot.idle(LINE_LIMIT_MS);
    await this.#options.flushed?.();
  }

  /** Shows what a conversation at a terminal begins with, and the first prompt. Nothing where lines come from a pipe. */
  greet(content: Content): void {
    if (this.#interactive) this.#print(this.#text(content));
  }

  // ── out ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  override async send(_envelope: Envelope, ...strings: string[]): Promise<void> {
    for (const text of strings) this.#print(visible(text));
  }

  override reply(envelope: Envelope, ...strings: string[]): Promise<void> {
    return this.send(envelope, ...strings);
  }

  override emote(envelope: Envelope, ...strings: string[]): Promise<void> {
    return this.send(envelope, ...strings.map((text) => `* ${text}`));
  }

  async deliver({ content }: Delivery): Promise<{ messageId: string }> {
    const messageId = this.#nextId();
    const text = this.#text(content);
    this.#shown.set(messageId, text);
    if (this.#shown.size > 200) this.#shown.delete(this.#shown.keys().next().value ?? '');
    this.#print(text, messageId);
    return { messageId };
  }

  /** Rewrites the message if it is the last one on a terminal; elsewhere prints the lines that are new in it. */
  async update({ content }: Delivery, messageId: string): Promise<'updated' | 'gone'> {
    const before = this.#shown.get(messageId);
    if (before === undefined) return 'gone';
    const text = this.#text(content);
    if (text === before) return 'updated';
    this.#shown.set(messageId, text);
    const rows = this.#last?.id === messageId ? this.#last.rows : 0;
    if (this.#interactive && rows > 0) {
      const { output } = this.#options;
      cursorTo(output, 0);
      moveCursor(output, 0, -rows);
      clearScreenDown(output);
      this.#print(text, messageId);
    } else {
      const old = new Set(before.split('\n'));
      this.#print(
        text
          .split('\n')
          .filter((line) => !old.has(line))
          .join('\n'),
      );
    }
    return 'updated';
  }

  /** A terminal has no links to messages. */
  permalink(_address: Address, _messageId: string): undefined {
    return undefined;
  }

  /** The one conversation: private, between the person at the terminal and the robot. */
  async room(id: string): Promise<Room | undefined> {
    if (id !== ROOM) return undefined;
    const members = [`shell:${this.#options.user?.id ?? '1'}`];
    return { chat: this.chat, id, name: ROOM, private: true, members, direct: true };
  }

  async direct({ id }: Person): Promise<Address | undefined> {
    return id === `shell:${this.#options.user?.id ?? '1'}` ? { chat: this.chat, room: ROOM } : undefined;
  }

  #text(content: Content): string {
    return terminalText(content, this.#options.colour && this.#options.output.isTTY === true);
  }

  #print(text: string, id?: string): void {
    if (text === '') return;
    const { output } = this.#options;
    if (this.#interactive && this.#lines) {
      cursorTo(output, 0);
      clearLine(output, 0);
    }
    output.write(`${text}\n`);
    // Some terminals say 0.
    const width = output.columns || 80;
    const rows = text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(columns(line) / width)), 0);
    this.#last = id === undefined ? undefined : { id, rows };
    this.#prompt();
  }

  #prompt(): void {
    if (this.#interactive) this.#lines?.prompt(true);
  }

  #nextId(): string {
    this.#count += 1;
    return `${this.#run}-${this.#count}`;
  }
}
