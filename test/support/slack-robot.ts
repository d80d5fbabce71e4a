/** A real robot with the real Slack chat, its database and its outbox, in the fake Slack; only the commands are stand-ins. */

import { randomUUID } from 'node:crypto';
import { TextMessage } from 'hubot';
import pino from 'pino';
import type { SlackParts, SlackWorkspace } from '../../src/adapters/chat/slack/ports.ts';
import { SlackChat } from '../../src/adapters/chat/slack/slack.ts';
import { createAccess } from '../../src/bot/access.ts';
import { arg } from '../../src/bot/args.ts';
import { card, plain } from '../../src/bot/card.ts';
import type { ChatAdapter } from '../../src/bot/chat.ts';
import { command, fallback } from '../../src/bot/command.ts';
import { createConversation } from '../../src/bot/conversation.ts';
import { createDispatch } from '../../src/bot/dispatch.ts';
import { fail } from '../../src/bot/errors.ts';
import { createPosts, type RunningPosts } from '../../src/bot/post.ts';
import { createProposalCards } from '../../src/bot/proposal-cards.ts';
import { Robot } from '../../src/bot/robot.ts';
import type { Services } from '../../src/bot/services.ts';
import { foldName } from '../../src/domain/history/fold.ts';
import type { MessageStore } from '../../src/domain/history/ports.ts';
import { prepareMessage } from '../../src/domain/history/prepare.ts';
import { createPeople } from '../../src/domain/people/people.ts';
import { createGrantStore } from '../../src/storage/access.ts';
import { createAuditStore } from '../../src/storage/audit.ts';
import type { Database } from '../../src/storage/database.ts';
import { createInbox } from '../../src/storage/inbox.ts';
import { createMessageStore } from '../../src/storage/messages.ts';
import { createPeopleStore } from '../../src/storage/people.ts';
import { createPostStore } from '../../src/storage/posts.ts';
import { createProposalStore } from '../../src/storage/proposals.ts';
import type { SlackServer } from './slack/server.ts';

export interface SlackRobotOptions {
  readonly slack: SlackServer;
  readonly db: Database;
  readonly workspace?: Partial<SlackWorkspace>;
  readonly parts?: Partial<SlackParts>;
  readonly replica?: string;
  /** Further workspaces that the robot is in. */
  readonly others?: readonly { readonly chat: string; readonly slack: SlackServer }[];
}

/** One line that a command got. */
export interface Ran {
  readonly what: string;
  readonly person: string;
  readonly name: string;
  readonly room: string;
  readonly thread: string | undefined;
  readonly private: boolean;
  readonly via: string;
}

export interface SlackRobot {
  readonly robot: Robot;
  readonly chat: SlackChat;
  readonly messages: MessageStore;
  readonly posts: RunningPosts;
  /** What commands ran, in order. */
  readonly ran: readonly Ran[];
  /** Everything that the robot heard: kind, text, room. */
  readonly heard: readonly {
    readonly kind: string;
    readonly text: string;
    readonly room: string;
    readonly user: string;
  }[];
  /** Sentences that no command took. */
  readonly sentences: readonly string[];
  /** Texts of messages that had files. */
  readonly files: readonly { readonly name: string; readonly url: string }[];
  /** Lets `wait` commands end. */
  release(): void;
  close(): Promise<void>;
}

/** Starts it in the fake Slack. Its pauses between posts are the real ones. */
export async function startSlackRobot(options: SlackRobotOptions): Promise<SlackRobot> {
  const { slack, db } = options;
  const log = pino({ level: process.env['SLACK_LOG'] ?? 'silent' });
  const robot = new Robot(null, true, 'shipmate', false, { logger: log, http: { port: 0 } });
  const replica = options.replica ?? `replica-${randomUUID()}`;
  const now = () => new Date();
  const messages = createMessageStore(db, prepareMessage, foldName);
  const store = createPostStore(db);
  const chats = (name?: string): ChatAdapter | undefined => robot.chats.get(name ?? 'slack');
  const posts = createPosts({
    store,
    chat: chats,
    replica,
    log,
    timing: { pollMs: 200, firstRetryMs: 100 },
    onDelivered: (delivery, messageId, how) =>
      how === 'posted'
        ? talk.keepOwn(delivery, messageId)
        : talk.keepChanged(delivery.address, delivery.content, messageId),
  });
  const people = createPeople({
    store: createPeopleStore(db),
    chats: new Map(['slack', ...(options.others ?? []).map((other) => other.chat)].map((name) => [name, 'directory'])),
    isUsed: () => true,
    changed: async () => undefined,
    now,
    log,
  });
  const access = createAccess({
    policy: { everyone: [], people: {}, groups: {}, roles: { admin: ['*'] } },
    store: createGrantStore(db),
    people,
    changed: async () => undefined,
    now,
  });
  const proposals = createProposalStore(db, () => randomUUID().slice(0, 4));
  const dispatch = createDispatch({
    table: robot.table,
    names: {
      services: () => [],
      environments: () => [],
      people: async () =>
        Object.values(robot.brain.users()).map(({ id, name }) => ({ id: `slack:${id}`, chat: 'slack', name })),
      rooms: async () => [],
    },
    // The stand-ins use none.
    services: () => ({}) as Services,
    access,
    audit: createAuditStore(db, replica),
    proposals,
    cards: createProposalCards({
      proposals,
      access,
      room: async (address) => await chats(address.chat)?.room(address.room),
      direct: async () => undefined,
      proposed: async () => undefined,
      post: posts.post,
      now,
      log,
    }),
    rate: { perMinute: 1_000, take: async () => 0 },
    metrics: { finished: () => undefined },
    log,
    post: posts.post,
    redact: (text) => text,
    now,
    newReference: () => 'reference',
    isAlone: async () => false,
    isStorageTrouble: () => false,
  });
  const talk = createConversation({
    dispatch,
    log,
    robot,
    chat: chats,
    remember: async (message) => void (await messages.record(message)),
    change: async ({ chat, room }, messageId, text, content) =>
      void (await messages.update(chat, room, messageId, text, content)),
    keepsItself: () => false,
    post: posts.post,
    live: store,
    isStorageTrouble: () => false,
    now,
    newReference: () => 'reference',
    newNonce: () => randomUUID(),
  });
  robot.pipeline = talk.pipeline;

  const ran: Ran[] = [];
  const heard: { kind: string; text: string; room: string; user: string }[] = [];
  const sentences: string[] = [];
  const files: { name: string; url: string }[] = [];
  const gate = { wait: Promise.withResolvers<void>() };
  addCommands(robot, ran, () => gate.wait.promise);
  fallback(robot, async (sentence) => {
    sentences.push(sentence.text);
    await sentence.reply(`You said: ${plain(sentence.text)}`);
  });
  robot.listen(
    (message) => {
      const text = message instanceof TextMessage ? message.text : '';
      heard.push({ kind: message.constructor.name, text, room: message.room, user: message.user.name });
      for (const { name, url } of message.files ?? []) files.push({ name, url });
      return false;
    },
    {},
    () => undefined,
  );
  function chatIn(server: SlackServer, workspace: Partial<SlackWorkspace>): SlackChat {
    const made = new SlackChat(robot, {
      workspace: {
        chat: 'slack',
        botToken: server.botToken,
        appToken: server.appToken,
        signingSecret: server.signingSecret,
        apiUrl: server.apiUrl,
        working: 'reaction',
        reactions: new Map(),
        ...workspace,
      },
      inbox: createInbox(db, replica),
      people,
      history: messages,
      surfaces: {
        form: async () => undefined,
        options: async () => [],
        fill: async () => ({ problems: {} }),
        overview: async () => [],
        suggestions: async () => [],
      },
      metrics: { received: () => undefined, limited: () => undefined, connected: () => undefined },
      log,
      now,
      http: () => robot.httpServer,
      post: posts.post,
      wake: () => posts.wake(),
      ownFile: async () => undefined,
      picture: async () => undefined,
      ...options.parts,
    });
    robot.addChat(made);
    return made;
  }
  const chat = chatIn(slack, options.workspace ?? {});
  const others = (options.others ?? []).map((other) => chatIn(other.slack, { chat: other.chat }));
  await robot.prepare();
  posts.start();
  async function close(): Promise<void> {
    gate.wait.resolve();
    await Promise.all([chat, ...others].map((each) => each.close()));
    await posts.stop();
    await robot.close(0);
  }
  await robot.run().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  slack.deliverTo(robot.httpServer?.localUrl() ?? '');
  return {
    robot,
    chat,
    messages,
    posts,
    ran,
    heard,
    sentences,
    files,
    release() {
      gate.wait.resolve();
      gate.wait = Promise.withResolvers();
    },
    close,
  };
}

function addCommands(robot: Robot, ran: Ran[], gate: () => Promise<void>): void {
  const common = { summary: 'A stand-in', needs: 'public' } as const;
  command(robot, {
    ...common,
    id: 'echo.say',
    usage: 'echo <words...>',
    examples: ['echo hello'],
    args: { words: arg.text() },
    effect: 'read',
    run({ args, person, room, via }) {
      const { room: id, thread, private: isPrivate } = room;
      ran.push({ what: args.words, person: person.id, name: person.name, room: id, thread, private: isPrivate, via });
      return plain(args.words);
    },
  });
  command(robot, {
    ...common,
    id: 'echo.wait',
    usage: 'wait',
    examples: ['wait'],
    args: {},
    effect: 'read',
    async run() {
      await gate();
      return 'Done waiting.';
    },
  });
  command(robot, {
    ...common,
    id: 'echo.broken',
    usage: 'break',
    examples: ['break'],
    args: {},
    effect: 'read',
    run() {
      throw fail('command.long', { limit: 1 });
    },
  });
  command(robot, {
    ...common,
    id: 'echo.secret',
    usage: 'whisper <words...>',
    examples: ['whisper hello'],
    args: { words: arg.text() },
    effect: 'read',
    answers: 'asker',
    run: ({ args }) => plain(args.words),
  });
  command(robot, {
    ...common,
    id: 'echo.paint',
    usage: 'paint <colour>',
    examples: ['paint red'],
    args: { colour: arg.word() },
    effect: 'change',
    run({ args, person, room, via }) {
      const { room: id, thread, private: isPrivate } = room;
      ran.push({
        what: `paint ${args.colour}`,
        person: person.id,
        name: person.name,
        room: id,
        thread,
        private: isPrivate,
        via,
      });
      return `It is ${plain(args.colour)} now.`;
    },
  });
  command(robot, {
    ...common,
    id: 'echo.who',
    usage: 'promote <person>',
    examples: ['promote @bob'],
    args: { person: arg.person() },
    effect: 'read',
    run: ({ args }) => `That is ${args.person.id}.`,
  });
  command(robot, {
    ...common,
    id: 'echo.card',
    usage: 'card',
    examples: ['card'],
    args: {},
    effect: 'read',
    run: () =>
      card({
        title: 'Choose',
        actions: [
          { label: 'Paint it red', command: 'paint red' },
          { label: 'Say hello', command: 'echo hello' },
          { label: 'Whisper', command: 'whisper psst' },
        ],
        choices: [
          {
            label: 'Another colour…',
            options: [
              { label: 'Blue', command: 'paint blue' },
              { label: 'Green', command: 'paint green' },
            ],
          },
        ],
      }),
  });
}
