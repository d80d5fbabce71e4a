/** The robot: Hubot's, with messages that fail closed, our commands before its listeners, and several chats at once. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import {
  type Adapter,
  type AdapterModule,
  CatchAllMessage,
  type Envelope,
  type HubotLogger,
  Robot as HubotRobot,
  type Listener,
  type ListenerCallback,
  type ListenerOptions,
  type Message,
  type Response,
  type ScopedClient,
  TextMessage,
} from 'hubot';
import { withoutName, withoutSlash } from './addressed.ts';
import type { Address, ChatAdapter, Person } from './chat.ts';
import { noCommandBus } from './command-bus.ts';
import { createHttpServer, type HttpOptions, type HttpServer } from './http.ts';
import { guardedClient } from './http-client.ts';
import { chatOfUser, isSaid, nobodyMatched, personIdOf } from './message.ts';
import { StrictMiddleware } from './middleware.ts';
import { RobotResponse } from './response.ts';
import { importScript } from './script-file.ts';
import { commandsInHeader } from './script-header.ts';
import { CommandTable } from './table.ts';
import { tokenise } from './tokens.ts';

/** What the composition root hangs into the way of a message. Without any of it the robot behaves like Hubot. */
export interface Pipeline {
  /** Stores what was said before anything is done with it. If it throws, nothing is done with it. */
  record?(message: TextMessage): Promise<void>;
  /**
   * Whether listeners may hear it: who has no rights here is told so by {@link Pipeline.dispatch} and {@link Pipeline.fallback},
   * and by nothing else. Kept all the same.
   */
  admit?(message: TextMessage): Promise<boolean>;
  /** Runs the command that an addressed text is. `text` is without the robot's name. */
  dispatch?(message: TextMessage, text: string): Promise<'handled' | 'not a command'>;
  /** Answers what was addressed to the robot and nobody understood. */
  fallback?(message: TextMessage, text: string): Promise<void>;
  /** Tells the person that something went wrong. `message` is missing where an error has none. */
  failed?(error: unknown, message: Message | undefined): Promise<void>;
}

export interface RobotOptions {
  readonly logger?: HubotLogger;
  /** Where HTTP listens; needed only if HTTP is on. */
  readonly http?: HttpOptions;
}

/** How long an answer that is fetched from elsewhere may take before the person gets ours, in milliseconds. */
const ELSEWHERE_MS = 5_000;

/** A message while listeners hear it. */
interface Hearing {
  readonly message: Message;
  /** What listeners have begun and not waited for. */
  readonly begun: Promise<unknown>[];
  /** Nobody has decided yet whether it was answered. */
  open: boolean;
}

/** Who took a message: somebody it was meant for, only listeners that hear everything said, or nobody. */
type Matched = 'meant' | 'overheard' | 'nobody';

/** A script file that was asked for, by us or by a package that did not wait for it. */
export interface PendingLoad {
  readonly file: string;
  readonly work: Promise<unknown>;
}

export class Robot extends HubotRobot {
  /** Every chat the robot is in, by name. The first one is also Hubot's `robot.adapter`. */
  readonly chats = new Map<string, ChatAdapter>();
  /** The commands that scripts have declared. */
  readonly table = new CommandTable();
  pipeline: Pipeline = {};
  /** There after {@link prepare}, unless HTTP is off. */
  httpServer: HttpServer | undefined;
  /** Files that scripts and packages asked for; the strict loader waits for them and reads their outcome. */
  readonly pendingLoads: PendingLoad[] = [];
  readonly #options: RobotOptions;
  readonly #pending = new Set<Promise<unknown>>();
  readonly #answered = new WeakSet<Message>();
  /** Listeners of `hear`: that one of them matches does not mean that it has an answer. */
  readonly #overhearing = new WeakSet<Listener>();
  readonly #hearing = new AsyncLocalStorage<Hearing>();
  readonly #failures = new WeakMap<Message, Promise<void>[]>();

  /** As Hubot's: the adapter if Hubot is to load it, HTTP on or off, name, alias. */
  constructor(
    adapter?: AdapterModule | string | null,
    httpd?: boolean,
    name?: string,
    alias?: string | false,
    options: RobotOptions = {},
  ) {
    super(adapter, httpd, name, alias);
    this.#options = options;
    if (options.logger) this.logger = withOldNames(options.logger);
    this.commands = noCommandBus();
    this.Response = RobotResponse;
    this.middleware = {
      listener: new StrictMiddleware(this),
      response: new StrictMiddleware(this),
      receive: new StrictMiddleware(this),
    };
  }

  // ── chats ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Adds a chat; the first one becomes the main chat. It starts with {@link run}. */
  addChat(chat: ChatAdapter): void {
    this.chats.set(chat.chat, chat);
    if (this.adapter) return;
    this.adapter = chat.hubotAdapter ?? chat;
    this.adapterName = this.adapter.name ?? chat.chat;
  }

  /** The chat that Hubot's `robot.adapter` belongs to; none if Hubot loaded the adapter. */
  #mainChat(): ChatAdapter | undefined {
    return [...this.chats.values()].find((chat) => chat === this.adapter || chat.hubotAdapter === this.adapter);
  }

  /** The adapter that reaches where a message came from: by `message.chat`, else the envelope's `chat`, else the main one. */
  adapterFor(envelope: Envelope): Adapter | null {
    const chat = envelope.message?.chat ?? envelope['chat'];
    return (typeof chat === 'string' && this.chats.get(chat)) || this.adapter;
  }

  override send(envelope: Envelope, ...strings: string[]): Promise<unknown> {
    return this.#sent(envelope, async () => this.adapterFor(envelope)?.send(envelope, ...strings));
  }

  override reply(envelope: Envelope, ...strings: string[]): Promise<unknown> {
    return this.#sent(envelope, async () => this.adapterFor(envelope)?.reply(envelope, ...strings));
  }

  /** A send that fails unawaited is logged and does not end the process. */
  #sent(envelope: Envelope, send: () => Promise<unknown>): Promise<unknown> {
    const heard = this.#hearing.getStore()?.message;
    if (heard && (envelope.message === heard || envelope.room === heard.room)) this.#answered.add(original(heard));
    const work = send();
    void this.track(work).catch((error: unknown) => this.logger.error({ err: error }, 'could not send'));
    return work;
  }

  /** Sends to a room of the main chat, or of another one: `slack:ops`. */
  override messageRoom(room: string, ...strings: string[]): Promise<unknown> {
    const [, chat, id] = /^([\w-]+):(.+)$/.exec(room) ?? [];
    const envelope = chat && id && this.chats.has(chat) ? { room: id, chat } : { room };
    return this.send(envelope, ...strings);
  }

  // ── messages ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What an addressed message says without the robot's name or the slash of a command; undefined if it is not meant for the robot. */
  addressed(message: Message): string | undefined {
    return this.#meant(message)?.text;
  }

  /** What is meant for the robot: to be read, and as a command reads it. */
  #meant(message: Message): { readonly text: string; readonly exact: string } | undefined {
    if (!isSaid(message) || typeof message.text !== 'string') return undefined;
    const exact = this.#forMe(message.exact ?? message.text, message);
    if (exact === undefined || message.exact === undefined)
      return exact === undefined ? undefined : { text: exact, exact };
    return { text: this.#forMe(message.text, message) ?? message.text.trim(), exact };
  }

  /** Whether a text begins with the robot's name. */
  isCalled(text: string): boolean {
    return withoutName(text, this) !== undefined;
  }

  #forMe(text: string, message: Message): string | undefined {
    const said = withoutName(text, this) ?? (message.addressed === true ? text.trim() : undefined);
    return said === undefined
      ? undefined
      : withoutSlash(said, (word) => this.table.begins(word) || this.table.suggest(tokenise(word)).length > 0);
  }

  /** Who said it. The id is the chat's name and the chat's own id of the person. */
  personOf(message: Message): Person {
    const main = this.#mainChat()?.chat ?? this.adapterName.toLowerCase();
    const chat = message.chat ?? chatOfUser(message.user) ?? main;
    return { id: personIdOf(message, chat), chat, name: message.user?.name ?? `${message.user?.id ?? ''}` };
  }

  /** Where it was said. */
  addressOf(message: Message): Address {
    const { chat } = this.personOf(message);
    return { chat, room: message.room ?? '', ...(message.thread === undefined ? {} : { thread: message.thread }) };
  }

  /** As Hubot's. If it has nothing to say to what the robot was told, the robot still answers. */
  override hear(regex: RegExp, options: ListenerOptions | ListenerCallback | null, callback?: ListenerCallback): void {
    if (typeof options === 'function') super.hear(regex, options);
    else if (callback) super.hear(regex, options, callback);
    else throw new Error('Missing a callback for Listener');
    const listener = this.listeners.at(-1);
    if (listener) this.#overhearing.add(listener);
  }

  /** As Hubot's. A message that its adapter knows to be for the robot matches without the robot's name in front, too. */
  override respond(
    regex: RegExp,
    options: ListenerOptions | ListenerCallback | null,
    callback?: ListenerCallback,
  ): void {
    if (typeof options === 'function') super.respond(regex, options);
    else if (callback) super.respond(regex, options, callback);
    else throw new Error('Missing a callback for Listener');
    const listener = this.listeners.at(-1);
    const pattern = listener?.regex;
    if (!listener || !pattern) return;
    this.#overhearing.delete(listener);
    const matcher = listener.matcher;
    listener.matcher = (message) => {
      const match = matcher(message);
      if (match || message.addressed !== true || !isSaid(message)) return match;
      return `${this.name} ${message.text}`.match(pattern);
    };
  }

  /**
   * Takes one message all the way: record, receive middleware, command, listeners, catch-all, fallback. Resolves when
   * all of it is done; what went wrong went to the error handlers and is never thrown.
   *
   * @returns what the listeners returned; null if the message was stopped
   */
  override receive(message: Message): Promise<unknown[] | null> {
    // A script that says it in other words has understood it.
    const hearing = this.#hearing.getStore();
    if (hearing) this.#answered.add(original(hearing.message));
    return this.track(this.#take(message));
  }

  async #take(message: Message): Promise<unknown[] | null> {
    const response = new this.Response(this, message);
    try {
      if (isSaid(message) && message.stored !== true) await this.pipeline.record?.(message);
      if (message instanceof TextMessage && (await this.pipeline.admit?.(message)) === false) {
        await this.#turnAway(message);
        return null;
      }
      const goOn = await this.middleware.receive.execute({ response });
      return goOn === false ? null : await this.#handle(response);
    } catch (error) {
      this.emit('error', error, response);
      return null;
    } finally {
      const failures = this.#failures.get(original(message));
      if (failures) await Promise.all(failures);
    }
  }

  /** Scripts never hear it; the person hears why, if it was meant for the robot. */
  async #turnAway(message: TextMessage): Promise<void> {
    const meant = this.#meant(message);
    if (!meant || !isSaid(message)) return;
    if ((await this.pipeline.dispatch?.(message, meant.exact)) === 'handled') return;
    await this.pipeline.fallback?.(message, meant.text);
  }

  async #handle(response: Response<Message>): Promise<unknown[]> {
    const { message } = response;
    const { pipeline } = this;
    const meant = this.#meant(message);
    const text = meant?.text;
    if (meant && isSaid(message) && (await pipeline.dispatch?.(message, meant.exact)) === 'handled') return [];
    const hearing: Hearing = { message, begun: [], open: text !== undefined && pipeline.fallback !== undefined };
    const { results, matched } = await this.#listen(response, hearing);
    if (matched === 'overheard') await this.#answeredElsewhere(hearing);
    hearing.open = false;
    if (message instanceof CatchAllMessage || matched === 'meant') return results;
    if (matched === 'nobody') results.push(await this.receive(nobodyMatched(message)));
    if (text !== undefined && isSaid(message) && !this.#isSettled(message)) await pipeline.fallback?.(message, text);
    return results;
  }

  /** Answered, ended by a listener, or something went wrong and the person was told so. */
  #isSettled(message: Message): boolean {
    return message.done || this.#answered.has(message) || this.#failures.has(message);
  }

  /** Waits for what listeners have begun, as long as none of it has answered. */
  async #answeredElsewhere(hearing: Hearing): Promise<void> {
    const limit = Promise.withResolvers<void>();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      limit.resolve();
    }, ELSEWHERE_MS);
    while (!late && hearing.begun.length > 0 && !this.#isSettled(hearing.message)) {
      await Promise.race([Promise.allSettled(hearing.begun.splice(0)), limit.promise]);
    }
    clearTimeout(timer);
  }

  /** As Hubot's: every listener that matches, in order, then the catch-all. */
  override processListeners(context: { response: Response<Message> }): Promise<unknown[]> {
    return this.#handle(context.response);
  }

  async #listen(
    response: Response<Message>,
    hearing: Hearing,
  ): Promise<{ readonly results: unknown[]; readonly matched: Matched }> {
    const { message } = response;
    const results: unknown[] = [];
    let matched: Matched = 'nobody';
    for (const listener of this.listeners) {
      try {
        if (!listener.matcher(message)) continue;
        results.push(await this.#hearing.run(hearing, () => listener.call(message, this.middleware.listener)));
        if (!this.#overhearing.has(listener)) matched = 'meant';
        else if (matched === 'nobody') matched = 'overheard';
      } catch (error) {
        this.emit('error', error, response);
      }
      if (message.done) break;
    }
    return { results, matched };
  }

  /** Runs the error handlers, then tells the person through {@link Pipeline.failed}. */
  override invokeErrorHandlers(error: unknown, context?: Response<Message> | { response: Response<Message> }): void {
    const thrown = error instanceof Error ? error : new Error(String(error));
    const response = context && 'response' in context ? context.response : context;
    super.invokeErrorHandlers(thrown, response);
    if (!this.pipeline.failed) return;
    const message = response?.message && original(response.message);
    const told = this.pipeline.failed(error, message).catch((cause: unknown) => {
      this.logger.error({ err: cause }, 'could not tell the person of an error');
    });
    void this.track(told);
    if (message) this.#failures.set(message, [...(this.#failures.get(message) ?? []), told]);
  }

  /** Notes that a message is being answered. A send that fails unawaited is logged and does not end the process. */
  answering(message: Message, work: Promise<unknown>): void {
    this.#answered.add(original(message));
    void this.track(work).catch((error: unknown) => this.logger.error({ err: error }, 'could not send an answer'));
  }

  // ── work under way ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Counts work as under way until it settles. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const hearing = this.#hearing.getStore();
    if (hearing?.open) hearing.begun.push(work);
    const settled = () => this.#pending.delete(work);
    work.then(settled, settled);
    return work;
  }

  /** Resolves when no message, answer or HTTP callback is under way any more, or after `limitMs`. */
  async idle(limitMs: number): Promise<'idle' | 'still busy'> {
    const limit = Promise.withResolvers<void>();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      limit.resolve();
    }, limitMs);
    try {
      while (this.#pending.size > 0 && !late) await Promise.race([Promise.allSettled(this.#pending), limit.promise]);
      return this.#pending.size > 0 ? 'still busy' : 'idle';
    } finally {
      clearTimeout(timer);
    }
  }

  // ── scripts ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** As Hubot's, for `.coffee` and `.cjs` too. A failure is also seen by the strict loader if the caller does not wait. */
  override loadFile(folder: string, filename: string): Promise<unknown> {
    const work = this.#loadFile(folder, filename);
    work.catch(() => undefined);
    this.pendingLoads.push({ file: `${folder}/${filename}`, work });
    return work;
  }

  async #loadFile(folder: string, filename: string): Promise<unknown> {
    if (!/\.(?:coffee|cjs)$/.test(filename)) return super.loadFile(folder, filename);
    const file = `${folder}/${filename}`;
    const script = await importScript(file);
    const result: unknown = await script(this);
    this.parseHelp(file);
    return result;
  }

  /** As Hubot's. The strict loader waits for it if the caller does not. */
  override load(folder: string): Promise<unknown[]> {
    const work = super.load(folder);
    this.pendingLoads.push({ file: folder, work });
    return work;
  }

  /** Reads the `Commands:` of a header comment into the help. */
  override parseHelp(filePath: string): void {
    this.helpStrings.push(...commandsInHeader(readFileSync(filePath, 'utf8')));
  }

  override helpCommands(): string[] {
    return [...new Set(this.helpStrings)].sort();
  }

  /** As Hubot's; what the callback throws goes to the error handlers. */
  override http(url: string, options?: object): ScopedClient {
    return guardedClient(this.httpClient(url, options), this);
  }

  /** Hubot's client as it is. */
  httpClient(url: string, options?: object): ScopedClient {
    return super.http(url, options);
  }

  // ── life ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes `robot.router`, so that scripts can add routes before anything listens. */
  async prepare(): Promise<void> {
    if (this.httpServer) return;
    const server = await createHttpServer(this.#options.http ?? {}, this.logger);
    this.httpServer = server;
    this.router = server.router;
    if (this.shouldEnableHttpd) this.server = server.server;
  }

  /** Listens. Hubot calls it from {@link run}. */
  override async setupExpress(): Promise<Server> {
    await this.prepare();
    if (!this.httpServer) throw new Error('HTTP is not prepared');
    await this.httpServer.listen();
    this.emit('listening', this.httpServer.server);
    return this.httpServer.server;
  }

  /** HTTP is off: routes can be added and nobody reaches them. */
  override setupNullRouter(): void {}

  /** Listens, starts every chat, then emits `running`. Scripts are loaded before. */
  override async run(): Promise<void> {
    await this.prepare();
    if (this.shouldEnableHttpd) await this.setupExpress();
    if (!this.#mainChat()) await this.adapter?.run();
    for (const chat of this.chats.values()) await chat.run();
    this.emit('running');
  }

  /** Takes no new connection, lets what is under way end for at most `graceMs`, closes HTTP with its open connections, shuts down. */
  async close(graceMs: number): Promise<void> {
    const closing = this.httpServer?.close(graceMs);
    await this.idle(graceMs);
    await closing;
    this.shutdown();
  }

  /** As Hubot's: ends at once. */
  override shutdown(): void {
    for (const chat of this.chats.values()) if (chat !== this.#mainChat()) chat.close();
    void this.httpServer?.close(0);
    try {
      super.shutdown();
    } catch (error) {
      // A script that saves the brain may throw here.
      this.logger.error({ err: error }, 'shutdown of a script failed');
      this.brain.removeAllListeners();
      this.events.removeAllListeners();
    }
    this.on('error', (error: unknown, response?: Response<Message>) => this.invokeErrorHandlers(error, response));
  }

  /** There is no command bus: nothing to register, nothing to listen for. */
  override registerHelpCommand(): void {}
  override setupCommandListeners(): void {}

  /** The version of Hubot; its own reading of it gives undefined. */
  override parseVersion(): string | undefined {
    const file = fileURLToPath(import.meta.resolve('hubot/package.json'));
    this.version = /"version":\s*"([^"]+)"/.exec(readFileSync(file, 'utf8'))?.[1];
    return this.version;
  }
}

function original(message: Message): Message {
  return message instanceof CatchAllMessage ? message.message : message;
}

/** What Hubot's listeners log at the level debug, with all that somebody said in it. */
const QUOTES_MESSAGE = /^Message '[\s\S]*' matched regex /;

/** Scripts of old log by the names that Hubot's logger had then. What people say is in no line. */
function withOldNames(logger: HubotLogger): HubotLogger {
  const error = (...line: [string]) => logger.error(...line);
  return Object.assign(Object.create(logger), {
    debug(...line: [string]) {
      const [first]: readonly unknown[] = line;
      if (typeof first === 'string' && QUOTES_MESSAGE.test(first)) logger.debug('a listener matched');
      else logger.debug(...line);
    },
    warning: (...line: [string]) => logger.warn(...line),
    notice: (...line: [string]) => logger.info(...line),
    alert: error,
    critical: error,
    emergency: error,
  });
}
