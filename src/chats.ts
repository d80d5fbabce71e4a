/** The chats that the robot is in, made from the configuration: a part of the composition root. */

import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { ShellChat } from './adapters/chat/shell/shell.ts';
import type { SlackChat } from './adapters/chat/slack/slack.ts';
import { AdapterProblem, type AdapterSource, findHubotAdapter } from './adapters/chat/text/load-adapter.ts';
import { loadTextChat } from './adapters/chat/text/text.ts';
import type { WebChat } from './adapters/chat/web/chat.ts';
import type { Access } from './bot/access.ts';
import type { Names } from './bot/args.ts';
import type { Address, Person } from './bot/chat.ts';
import { complete } from './bot/complete.ts';
import type { LoadProblem } from './bot/load-problem.ts';
import type { Logger } from './bot/log.ts';
import type { Metrics } from './bot/metrics.ts';
import type { ReadOwnFile } from './bot/own-files.ts';
import type { RunningPosts } from './bot/post.ts';
import type { Robot } from './bot/robot.ts';
import type { Surfaces } from './bot/surfaces.ts';
import type { Config } from './config/config.ts';
import { roomsOf } from './domain/alerts/route.ts';
import type { History, MessageStore } from './domain/history/ports.ts';
import type { Account, KnownChats, People } from './domain/people/ports.ts';
import type { Database } from './storage/database.ts';
import { createInbox } from './storage/inbox.ts';

/** The web chat's room where everybody is. */
export const WELCOME_ROOM = 'general';

export interface ChatsParts {
  readonly config: Config;
  readonly robot: Robot;
  readonly database: Database;
  readonly messages: MessageStore;
  readonly history: History;
  readonly people: People;
  readonly posts: RunningPosts;
  readonly metrics: Metrics;
  readonly surfaces: Surfaces;
  readonly access: Access;
  readonly names: Names;
  readonly replica: string;
  readonly log: Logger;
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  now(): Date;
  localUrl(): string;
  readonly ownFile: ReadOwnFile;
  /** Welcomes somebody who is new in a chat, in the conversation with them. */
  greet(person: Person, direct: Address): Promise<void>;
  /** Resolves when everything is done that a line from a pipe has begun. */
  settled(): Promise<void>;
}

export interface Chats {
  readonly web: WebChat | undefined;
  /** Adds every chat to the robot, the main one first. They start with the robot. */
  add(): Promise<void>;
  /** Takes up what the chats of a killed replica had not handled. */
  resume(lostReplica: string): Promise<void>;
  /** Ends the connections of those that hold some of the HTTP server's, and waits for what is being done for their people. */
  close(): Promise<void>;
}

/** Makes the chats. Their modules are loaded only if they are configured. */
export async function createChats(parts: ChatsParts): Promise<Chats> {
  const { config, robot, messages, people, replica } = parts;
  const web = config.chats.includes('web') ? await createWebChat(parts) : undefined;
  const slack = config.slack.length > 0 ? await createSlackChats(parts) : [];
  return {
    web,
    async add() {
      const others = new Map(hubotAdapters(config).map((source) => [source.adapter, source]));
      for (const name of config.chats) {
        const other = others.get(name);
        if (other) robot.addChat(await loadTextChat(robot, other));
        else if (name === 'shell') {
          await people.save(terminalAccount(config));
          robot.addChat(createShell(parts));
        } else if (name === 'slack') for (const workspace of slack) robot.addChat(workspace);
        else if (web) robot.addChat(web);
      }
    },
    async resume(lostReplica) {
      for (const workspace of slack) await workspace.resume(lostReplica);
      if (!web) return;
      for (const message of await messages.claimUnhandledOf(lostReplica, replica)) {
        if (message.chat === web.chat) void web.resume(message);
      }
    },
    async close() {
      await Promise.all([web?.close(), ...slack.map((workspace) => workspace.close())]);
    },
  };
}

async function createWebChat(parts: ChatsParts): Promise<WebChat> {
  const { config, robot, database, messages, history, access, people, names, replica, log, now } = parts;
  const { variables } = config;
  const { WebChat } = await import('./adapters/chat/web/chat.ts');
  const { createWebStore } = await import('./storage/web.ts');
  const { linkToken } = await import('./adapters/chat/web/token.ts');
  return new WebChat(robot, {
    store: createWebStore(database),
    messages,
    search: history,
    bus: database.bus,
    replica,
    log,
    now,
    http: () => {
      if (!robot.httpServer) throw new Error('HTTP is not prepared');
      return robot.httpServer;
    },
    localUrl: parts.localUrl,
    options: {
      enabled: config.webChat,
      ...(variables.SHIPMATE_PUBLIC_URL === undefined ? {} : { publicUrl: variables.SHIPMATE_PUBLIC_URL }),
      token: variables.SHIPMATE_WEB_TOKEN ?? (await linkToken(config.data)),
      rooms: [...new Set([WELCOME_ROOM, 'ops', ...webRoomsOf(config)])],
    },
    events: {
      onFirstPerson: async (person) =>
        void (await access.grant(person, 'admin', { id: 'robot', chat: 'web', name: robot.name })),
      onPerson: (person, direct) => parts.greet(person, direct),
      onEmail: (person, email) => people.save({ ...person, email, active: true, outside: false }),
      complete: (text, person) => complete(robot.table, access, text, { person, room: '', names, now: now() }),
    },
  });
}

async function createSlackChats(parts: ChatsParts): Promise<readonly SlackChat[]> {
  const { config, robot, database, messages, people, posts, metrics, surfaces, replica, log, now } = parts;
  const { SlackChat } = await import('./adapters/chat/slack/slack.ts');
  const { createPictures } = await import('./adapters/chat/slack/pictures.ts');
  const inbox = createInbox(database, replica);
  return config.slack.map(
    (workspace) =>
      new SlackChat(robot, {
        workspace,
        inbox,
        people,
        history: messages,
        surfaces,
        metrics: metrics.slack,
        log,
        now,
        http: () => robot.httpServer,
        post: posts.post,
        wake: posts.wake,
        ownFile: parts.ownFile,
        picture: createPictures(parts.localUrl),
      }),
  );
}

function createShell(parts: ChatsParts): ShellChat {
  const { config, robot, access, names, now } = parts;
  const { variables } = config;
  const person = terminalPerson(config);
  return new ShellChat(robot, {
    input: parts.input,
    output: parts.output,
    colour: config.environment['NO_COLOR'] === undefined,
    user: { id: variables.HUBOT_SHELL_USER_ID, name: variables.HUBOT_SHELL_USER_NAME },
    historyFile: join(config.data, 'shell-history'),
    historySize: variables.HUBOT_SHELL_HISTSIZE,
    complete: async (line) => {
      const found = await complete(robot.table, access, line, { person, room: 'shell', names, now: now() });
      return found.map((suggestion) => suggestion.text);
    },
    flushed: parts.settled,
  });
}

/** How the people of each chat are known. */
export function knownChats({ chats, slack }: Config): KnownChats {
  const own = chats.filter((chat) => chat === 'web' || chat === 'shell').map((chat) => [chat, 'by hand'] as const);
  return new Map([...own, ...slack.map(({ chat }) => [chat, 'directory'] as const)]);
}

/** Who types in the shell chat. */
export function terminalPerson({ variables }: Config): Person {
  return { id: `shell:${variables.HUBOT_SHELL_USER_ID}`, chat: 'shell', name: variables.HUBOT_SHELL_USER_NAME };
}

/** Whoever starts the robot says whose terminal it is. */
function terminalAccount(config: Config): Account {
  const email = config.variables.HUBOT_SHELL_USER_EMAIL;
  return { ...terminalPerson(config), ...(email === undefined ? {} : { email }), active: true, outside: false };
}

/** Undefined if the robot is in no terminal. */
export function shellOf(robot: Robot): ShellChat | undefined {
  return [...robot.chats.values()].find((chat) => chat instanceof ShellChat);
}

/** The adapters that other people have written; our own are always there. */
function hubotAdapters({ chats, root, variables }: Config): AdapterSource[] {
  return chats
    .filter((name) => name !== 'web' && name !== 'shell' && name !== 'slack')
    .map((adapter) => ({ adapter, root, ...(variables.HUBOT_FILE ? { file: variables.HUBOT_FILE } : {}) }));
}

/** Adapters that cannot be loaded, without making or starting one. */
export async function checkAdapters(config: Config): Promise<readonly LoadProblem[]> {
  const problems: LoadProblem[] = [];
  for (const source of hubotAdapters(config)) {
    try {
      await findHubotAdapter(source);
    } catch (error) {
      if (!(error instanceof AdapterProblem)) throw error;
      const key = source.file ? 'HUBOT_FILE' : 'HUBOT_ADAPTER';
      problems.push({ file: 'environment', cause: `${key}: ${error.message}`, next: error.next });
    }
  }
  return problems;
}

/** From a room's name in a YAML file, `ops` or `slack:ops`, to where it is. */
export function addressIn(mainChat: () => string): (room: string) => Address {
  return (room) => {
    const [, chat, id] = /^([a-z][a-z0-9-]*):(.+)$/.exec(room) ?? [];
    return chat !== undefined && id !== undefined ? { chat, room: id } : { chat: mainChat(), room };
  };
}

function webRoomsOf(config: Config): string[] {
  const address = addressIn(() => config.chats[0] ?? 'web');
  const announced = config.services.environments.flatMap(({ afterwards }) => afterwards?.announce ?? []);
  return [...new Set([...roomsOf(config.alerts), ...announced])]
    .map(address)
    .flatMap(({ chat, room }) => (chat === 'web' ? [room] : []));
}
