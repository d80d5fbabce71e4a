/** A real robot with the real web chat, its database and its HTTP server; only the commands are stand-ins. */

import type { TextMessage } from 'hubot';
import pino from 'pino';
import { WebChat } from '../../src/adapters/chat/web/chat.ts';
import { type Content, card, plain } from '../../src/bot/card.ts';
import type { Address, Person } from '../../src/bot/chat.ts';
import type { Suggestion } from '../../src/bot/complete.ts';
import { Robot } from '../../src/bot/robot.ts';
import { foldName } from '../../src/domain/history/fold.ts';
import { createHistory } from '../../src/domain/history/history.ts';
import type { MessageStore } from '../../src/domain/history/ports.ts';
import { prepareMessage } from '../../src/domain/history/prepare.ts';
import type { Database } from '../../src/storage/database.ts';
import { createMessageStore } from '../../src/storage/messages.ts';
import { createWebStore } from '../../src/storage/web.ts';

export const TOKEN = 'test-token-test-token-test-token';

export interface Web {
  readonly url: string;
  readonly port: number;
  readonly link: string;
  readonly chat: WebChat;
  readonly robot: Robot;
  readonly messages: MessageStore;
  /** Addressed texts as the robot got them, in order: who, what, how. */
  readonly commands: { readonly person: string; readonly text: string; readonly via: string | undefined }[];
  /** All texts that the robot heard. */
  readonly heard: string[];
  readonly persons: Person[];
  readonly firstPersons: Person[];
  /** Addresses that the chat told of, as `web:2 bob@example.com`. */
  readonly emails: string[];
  /** Posts as the robot would. */
  post(address: Omit<Address, 'chat'>, content: Content, nonce?: string, onlyTo?: string): Promise<string>;
  /** Puts its clock forward, so that whoever spoke a lot may speak again. */
  later(ms: number): void;
  /** Lets a `wait` command end. */
  release(): void;
  close(): Promise<void>;
}

export interface WebTestOptions {
  readonly port?: number;
  readonly replica?: string;
  readonly publicUrl?: string;
  readonly enabled?: boolean;
  readonly rooms?: readonly string[];
  readonly host?: string;
}

const SUGGESTIONS: readonly Suggestion[] = [
  {
    text: 'deploy hello to production',
    label: 'deploy <service> [version] to <environment>',
    hint: 'Roll out a version',
  },
  { text: 'deploys', label: 'deploys [service]', hint: 'What runs where, and what was deployed before' },
  { text: 'alerts', label: 'alerts', hint: 'What is firing now' },
  { text: 'alerts ack ', label: 'alerts ack <alert> [note...]', hint: 'Say that you look after it' },
  { text: 'help', label: 'help [command]', hint: 'What you can do here' },
  { text: 'history search from:', label: 'from:', hint: 'history search' },
  { text: 'history search from:@bob', label: 'from:@bob', hint: 'from' },
];

export async function startWeb(db: Database, options: WebTestOptions = {}): Promise<Web> {
  const robot = new Robot(null, true, 'shipmate', false, {
    logger: pino({ level: 'silent' }),
    http: { port: options.port ?? 0, ...(options.host !== undefined && { host: options.host }) },
  });
  const messages = createMessageStore(db, prepareMessage, foldName);
  const commands: { person: string; text: string; via: string | undefined }[] = [];
  const heard: string[] = [];
  const persons: Person[] = [];
  const firstPersons: Person[] = [];
  const emails: string[] = [];
  let nonce = 0;
  let port = 0;
  let ahead = 0;
  let closed = false;
  const gate = { wait: Promise.withResolvers<void>() };
  const chat = new WebChat(robot, {
    store: createWebStore(db),
    messages,
    search: createHistory({ store: messages, link: () => undefined, escape: plain }),
    bus: db.bus,
    events: {
      async onFirstPerson(person) {
        firstPersons.push(person);
      },
      async onPerson(person) {
        persons.push(person);
      },
      async onEmail(person, email) {
        emails.push(`${person.id} ${email}`);
      },
      async complete(text) {
        return SUGGESTIONS.filter((one) => one.text.startsWith(text.trimStart().toLowerCase()));
      },
    },
    options: {
      enabled: options.enabled ?? true,
      token: TOKEN,
      rooms: options.rooms ?? ['ops', 'general'],
      ...(options.publicUrl !== undefined && { publicUrl: options.publicUrl }),
    },
    replica: options.replica ?? `replica-${Math.random()}`,
    log: pino({ level: process.env['WEB_LOG'] ?? 'silent' }),
    now: () => new Date(Date.now() + ahead),
    http: () => {
      if (!robot.httpServer) throw new Error('no HTTP');
      return robot.httpServer;
    },
    localUrl: () => `http://127.0.0.1:${port}`,
  });
  robot.addChat(chat);

  async function post(
    address: Omit<Address, 'chat'>,
    content: Content,
    key?: string,
    onlyTo?: string,
  ): Promise<string> {
    const delivery = {
      nonce: key ?? `test ${robot.name} ${Date.now()} ${++nonce}`,
      address: { chat: 'web', ...address },
      content,
    };
    return (await chat.deliver({ ...delivery, ...(onlyTo !== undefined && { onlyTo }) })).messageId;
  }

  robot.pipeline = {
    async dispatch(message: TextMessage, text: string) {
      commands.push({ person: message.personId ?? '', text, via: message.via });
      const address = { room: message.room, ...(message.thread !== undefined && { thread: message.thread }) };
      if (text === 'wait') await gate.wait.promise;
      await post(address, answer(text));
      return 'handled';
    },
  };
  robot.listen(
    (message) => {
      if ('text' in message) heard.push(String(message.text));
      return false;
    },
    {},
    () => undefined,
  );
  await robot.prepare();
  await robot.run();
  const bound = robot.httpServer?.server.address();
  port = typeof bound === 'object' && bound ? bound.port : 0;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    link: `${url}/?token=${TOKEN}`,
    chat,
    robot,
    messages,
    commands,
    heard,
    persons,
    firstPersons,
    emails,
    post,
    later(ms) {
      ahead += ms;
    },
    release() {
      gate.wait.resolve();
      gate.wait = Promise.withResolvers();
    },
    async close() {
      if (closed) return;
      closed = true;
      gate.wait.resolve();
      await chat.close();
      await robot.close(0);
    },
  };
}

function answer(text: string): Content {
  if (text.startsWith('deploy ')) {
    return card({
      title: 'hello v2 is live in production',
      tone: 'good',
      text: 'Released in **4.2 s**; health is good.',
      fields: [
        { name: 'Service', value: 'hello' },
        { name: 'Version', value: '`v2`, before `v1`' },
        { name: 'By', value: 'alice' },
      ],
      actions: [
        { label: 'Roll back to v1', command: 'rollback hello in production', style: 'danger' },
        { label: 'Deploys', command: 'deploys' },
      ],
      footer: 'Deploy 7',
    });
  }
  return card({ title: `Ran ${text}`, tone: 'neutral', text: plain(text) });
}
