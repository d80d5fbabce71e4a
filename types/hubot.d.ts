/**
 * Hubot 14.1 as it is: what returns a promise says so, so that a forgotten `await` is found by lint.
 * The published types describe an older Hubot whose methods returned nothing.
 */

import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import type { IRouter } from 'express';

/** pino, as far as scripts use it: a text, or fields and a text. */
export interface LogMethod {
  (message: string, ...values: unknown[]): void;
  (fields: object, message?: string, ...values: unknown[]): void;
}

export interface HubotLogger {
  trace: LogMethod;
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  fatal: LogMethod;
}

export type UserOptions = Record<string, unknown> & { name?: string; room?: string };

export class User {
  constructor(id: string | number, options?: UserOptions);
  id: string;
  name: string;
  room?: string;
  [key: string]: unknown;
  set(key: string, value: unknown): Promise<unknown>;
  get(key: string): Promise<unknown>;
}

export class Message {
  constructor(user: User, done?: boolean);
  user: User;
  room: string;
  done: boolean;
  finish(): void;
}

export class TextMessage extends Message {
  constructor(user: User, text: string, id?: string | number);
  text: string;
  id: string;
  match(regex: RegExp): RegExpMatchArray | null;
  override toString(): string;
}

export class EnterMessage extends Message {}
export class LeaveMessage extends Message {}
export class TopicMessage extends TextMessage {}

export class CatchAllMessage extends Message {
  constructor(message: Message);
  message: Message;
}

/** Where a text goes. Adapters look at `room`, `user` and whatever else they put there themselves. */
export interface Envelope {
  room?: string | undefined;
  user?: User | undefined;
  message?: Message | undefined;
  [key: string]: unknown;
}

export class Adapter extends EventEmitter {
  constructor(robot: Robot);
  robot: Robot;
  name?: string;
  send(envelope: Envelope, ...strings: string[]): Promise<unknown>;
  emote(envelope: Envelope, ...strings: string[]): Promise<unknown>;
  reply(envelope: Envelope, ...strings: string[]): Promise<unknown>;
  topic(envelope: Envelope, ...strings: string[]): Promise<unknown>;
  play(envelope: Envelope, ...strings: string[]): Promise<unknown>;
  run(): Promise<unknown>;
  close(): unknown;
  receive(message: Message): Promise<void>;
}

export type SendMethod = 'send' | 'emote' | 'reply' | 'topic' | 'play' | 'locked';

export class Response<M extends Message = TextMessage> {
  constructor(robot: Robot, message: M, match?: unknown);
  robot: Robot;
  message: M;
  match: RegExpMatchArray;
  envelope: Envelope;
  send(...strings: string[]): Promise<unknown>;
  emote(...strings: string[]): Promise<unknown>;
  reply(...strings: string[]): Promise<unknown>;
  topic(...strings: string[]): Promise<unknown>;
  play(...strings: string[]): Promise<unknown>;
  locked(...strings: string[]): Promise<unknown>;
  random<T>(items: readonly T[]): T;
  finish(): void;
  http(url: string, options?: object): ScopedClient;
}

export interface MiddlewareContext {
  response: Response<Message>;
  [key: string]: unknown;
}

export interface ListenerContext extends MiddlewareContext {
  listener: Listener;
}

export interface ResponseContext extends MiddlewareContext {
  strings: string[];
  method: SendMethod;
  plaintext?: boolean;
}

/** `false` stops; anything else goes on. */
export type MiddlewareFunction<C extends MiddlewareContext = MiddlewareContext> = (
  context: C,
) => boolean | undefined | void | Promise<boolean | undefined | void>;

export class Middleware {
  constructor(robot: Robot);
  robot: Robot;
  stack: ((context: MiddlewareContext) => unknown)[];
  /** Resolves to false when the message must go no further. */
  execute(context: MiddlewareContext): Promise<boolean | undefined>;
  register(middleware: (context: never) => unknown): void;
}

export type ListenerOptions = { id?: string | null; [key: string]: unknown };
export type ListenerCallback<M extends Message = TextMessage> = (response: Response<M>) => unknown;
export type Matcher = (message: Message) => unknown;

export class Listener {
  constructor(
    robot: Robot,
    matcher: Matcher,
    options: ListenerOptions | ListenerCallback | null,
    callback?: ListenerCallback,
  );
  robot: Robot;
  matcher: Matcher;
  options: ListenerOptions;
  callback: (response: Response) => unknown;
  regex?: RegExp;
  call(message: Message, middleware?: Middleware | MiddlewareFunction): Promise<unknown>;
}

export class TextListener extends Listener {
  constructor(
    robot: Robot,
    regex: RegExp,
    options: ListenerOptions | ListenerCallback | null,
    callback?: ListenerCallback,
  );
  override regex: RegExp;
}

export interface BrainData {
  users: Record<string, User>;
  _private: Record<string, unknown>;
  [key: string]: unknown;
}

export class Brain extends EventEmitter {
  constructor(robot: Robot);
  data: BrainData;
  autoSave: boolean;
  saveInterval?: NodeJS.Timeout;
  getRobot(): Robot;
  set(key: string | Record<string, unknown>, value?: unknown): this;
  get(key: string): unknown;
  remove(key: string): this;
  save(): void;
  close(): void;
  setAutoSave(enabled: boolean): void;
  resetSaveInterval(seconds: number): void;
  mergeData(data: Record<string, unknown>): void;
  users(): Record<string, User>;
  userForId(id: string | number, options?: UserOptions): User;
  userForName(name: string): User | null;
  usersForRawFuzzyName(fuzzyName: string): User[];
  usersForFuzzyName(fuzzyName: string): User[];
}

export class DataStore {
  constructor(robot: Robot);
  set(key: string, value: unknown): Promise<unknown>;
  setObject(key: string, objectKey: string, value: unknown): Promise<unknown>;
  setArray(key: string, value: unknown): Promise<unknown>;
  get(key: string): Promise<unknown>;
  getObject(key: string, objectKey: string): Promise<unknown>;
  _set(key: string, value: unknown, table: string): Promise<unknown>;
  _get(key: string, table: string): Promise<unknown>;
}

export class DataStoreUnavailable extends Error {}

/** Called with an error, or with the answer and its body. */
export type HttpCallback = (
  error: Error | null,
  response: import('node:http').IncomingMessage | null,
  body: string | null,
) => unknown;

/** Sends the request when called: `robot.http(url).get()(callback)`. */
export type HttpRun = (callback?: HttpCallback) => unknown;
export type HttpMethod = (body?: string | HttpRequestHook | null, callback?: HttpRequestHook) => HttpRun;
export type HttpRequestHook = (error: Error | null, request: import('node:http').ClientRequest) => unknown;

export interface ScopedClient {
  options: Record<string, unknown>;
  get: HttpMethod;
  post: HttpMethod;
  put: HttpMethod;
  patch: HttpMethod;
  delete: HttpMethod;
  del: HttpMethod;
  head: HttpMethod;
  request(method: string, body?: string | HttpRequestHook | null, callback?: HttpRequestHook): HttpRun;
  scope(
    url: string,
    options?: object | ((client: ScopedClient) => void),
    callback?: (client: ScopedClient) => void,
  ): ScopedClient;
  path(path: string): this;
  query(key: string | Record<string, unknown>, value?: unknown): this;
  host(host: string): this;
  port(port: string | number): this;
  protocol(protocol: string): this;
  encoding(encoding?: string): this;
  timeout(milliseconds: number): this;
  auth(user: string | null, password?: string): this;
  header(name: string, value: string): this;
  headers(headers: Record<string, string>): this;
}

/** Hubot's own command layer. Ours takes its place: see src/bot/command.ts. */
export class CommandBus extends EventEmitter {
  constructor(robot: Robot, options?: object);
  register(...args: never[]): unknown;
  clearPendingProposals(): void;
}

/** What an adapter module exports. */
export interface AdapterModule {
  use(robot: Robot): Adapter | Promise<Adapter>;
}

export type ErrorHandler = (error: Error, response?: Response<Message>) => unknown;

export class Robot {
  constructor(adapter?: AdapterModule | string | null, httpd?: boolean, name?: string, alias?: string | false);
  name: string;
  alias: string | false;
  adapter: Adapter | null;
  adapterName: string;
  brain: Brain;
  datastore: DataStore | null;
  events: EventEmitter;
  logger: HubotLogger;
  version: string | undefined;
  router: IRouter;
  server?: Server;
  shouldEnableHttpd: boolean;
  pingIntervalId: NodeJS.Timeout | null;
  Response: new (
    robot: Robot,
    message: Message,
    match?: unknown,
  ) => Response<Message>;
  commands: CommandBus;
  helpStrings: string[];
  listeners: Listener[];
  errorHandlers: ErrorHandler[];
  globalHttpOptions: Record<string, unknown>;
  middleware: { listener: Middleware; response: Middleware; receive: Middleware };

  listen<M extends Message = Message>(
    matcher: (message: Message) => unknown,
    options: ListenerOptions | null,
    callback: ListenerCallback<M>,
  ): void;
  listen<M extends Message = Message>(matcher: (message: Message) => unknown, callback: ListenerCallback<M>): void;
  hear(regex: RegExp, options: ListenerOptions | null, callback: ListenerCallback): void;
  hear(regex: RegExp, callback: ListenerCallback): void;
  respond(regex: RegExp, options: ListenerOptions | null, callback: ListenerCallback): void;
  respond(regex: RegExp, callback: ListenerCallback): void;
  respondPattern(regex: RegExp): RegExp;
  enter(options: ListenerOptions | null, callback: ListenerCallback<EnterMessage>): void;
  enter(callback: ListenerCallback<EnterMessage>): void;
  leave(options: ListenerOptions | null, callback: ListenerCallback<LeaveMessage>): void;
  leave(callback: ListenerCallback<LeaveMessage>): void;
  topic(options: ListenerOptions | null, callback: ListenerCallback<TopicMessage>): void;
  topic(callback: ListenerCallback<TopicMessage>): void;
  catchAll(options: ListenerOptions | null, callback: ListenerCallback<CatchAllMessage>): void;
  catchAll(callback: ListenerCallback<CatchAllMessage>): void;
  error(callback: ErrorHandler): void;
  invokeErrorHandlers(error: Error, response?: unknown): void;

  listenerMiddleware(middleware: MiddlewareFunction<ListenerContext>): void;
  responseMiddleware(middleware: MiddlewareFunction<ResponseContext>): void;
  receiveMiddleware(middleware: MiddlewareFunction): void;

  receive(message: Message): Promise<unknown[] | null>;
  processListeners(context: { response: Response<Message> }): Promise<unknown[]>;

  load(folder: string): Promise<unknown[]>;
  loadFile(folder: string, filename: string): Promise<unknown>;
  loadExternalScripts(packages: readonly string[] | Record<string, unknown>): Promise<void>;
  loadAdapter(adapterPath?: string | null): Promise<void>;
  helpCommands(): string[];
  parseHelp(filePath: string): void;

  send(envelope: Envelope, ...strings: string[]): Promise<unknown>;
  reply(envelope: Envelope, ...strings: string[]): Promise<unknown>;
  messageRoom(room: string, ...strings: string[]): Promise<unknown>;
  on(event: string | symbol, listener: (...args: never[]) => unknown): void;
  emit(event: string | symbol, ...args: unknown[]): void;
  http(url: string, options?: object): ScopedClient;

  run(): Promise<void>;
  shutdown(): void;
  setupExpress(): Promise<Server>;
  setupNullRouter(): void;
  setupCommandListeners(): void;
  registerHelpCommand(): void;
  herokuKeepalive(server: Server): void;
  parseVersion(): string | undefined;
}

export function loadBot(
  adapter?: AdapterModule | string | null,
  httpd?: boolean,
  name?: string,
  alias?: string | false,
): Robot;

declare const hubot: {
  Adapter: typeof Adapter;
  User: typeof User;
  Brain: typeof Brain;
  Robot: typeof Robot;
  Response: typeof Response;
  Listener: typeof Listener;
  TextListener: typeof TextListener;
  Message: typeof Message;
  TextMessage: typeof TextMessage;
  EnterMessage: typeof EnterMessage;
  LeaveMessage: typeof LeaveMessage;
  TopicMessage: typeof TopicMessage;
  CatchAllMessage: typeof CatchAllMessage;
  DataStore: typeof DataStore;
  DataStoreUnavailable: typeof DataStoreUnavailable;
  Middleware: typeof Middleware;
  CommandBus: typeof CommandBus;
  loadBot: typeof loadBot;
};
export default hubot;
