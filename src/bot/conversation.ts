/** From a chat's message to the dispatch and back: who said it, where, and where the answers go. */

import type { Message, TextMessage } from 'hubot';
import type { NewMessage } from '../domain/history/ports.ts';
import type { Card, Content } from './card.ts';
import {
  type Address,
  addressOf,
  type ChatAdapter,
  type Delivery,
  DeliveryDelayed,
  DeliveryRefused,
  type Person,
  type Room,
} from './chat.ts';
import type { Here } from './command.ts';
import type { Dispatch, Line, NotACommand } from './dispatch.ts';
import { fail, failureText } from './errors.ts';
import { createLive, type LiveAnswer } from './live.ts';
import type { Logger } from './log.ts';
import { chatOfUser, personIdOf } from './message.ts';
import type { PostOptions, PostStore } from './post.ts';
import type { Pipeline } from './robot.ts';
import { wantsAnswer } from './sentence.ts';

export interface ConversationPorts {
  readonly dispatch: Dispatch;
  readonly log: Logger;
  readonly robot: { readonly name: string; addressed(message: Message): string | undefined };
  /** The chat of that name; the main chat without a name. */
  chat(name?: string): ChatAdapter | undefined;
  /** Keeps what was said in a chat that does not keep it itself. */
  remember(message: NewMessage): Promise<void>;
  /** Keeps what a message of the robot says now; one that is not kept is left alone. */
  change?(address: Address, messageId: string, text: string, content: Card | undefined): Promise<void>;
  /** Chats that store what is said in them themselves. */
  keepsItself(chat: string): boolean;
  /** Durable, for an answer that the chat cannot take now. */
  post(address: Address, content: Content, options?: PostOptions): Promise<void>;
  /** The messages of keys in the outbox; without it, answers are not written live. */
  readonly live?: Pick<PostStore, 'shown' | 'adopt'>;
  isStorageTrouble(error: unknown): boolean;
  now(): Date;
  newReference(): string;
  newNonce(): string;
}

export interface Conversation {
  readonly pipeline: Required<Pipeline>;
  /** Shows something now; later and durably if the chat cannot take it now. */
  say(address: Address, content: Content, options?: SayOptions): Promise<void>;
  /** Keeps what the robot itself said, in a chat that does not keep it. */
  keepOwn(said: Said, messageId: string): Promise<void>;
  /** The same message says something else now. */
  keepChanged(address: Address, content: Content, messageId: string): Promise<void>;
}

/** What the robot itself said. */
type Said = Pick<Delivery, 'address' | 'content' | 'onlyTo' | 'answer'>;

export interface SayOptions {
  /** Said twice under the same one, it is shown once. */
  readonly nonce?: string;
  /** Person id; shown to that person alone where the chat can do that. */
  readonly onlyTo?: string;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;
/** Remembered for as long as an answer may take; there are never more at a time. */
const CORRECTIONS = 1_000;

export function createConversation(ports: ConversationPorts): Conversation {
  const { dispatch, log, robot } = ports;
  const unclear = new WeakMap<Message, NotACommand>();
  /** By source, the newest correction of what may still be being answered. */
  const corrections = new Map<string, Message>();

  function corrected(source: string, by: Message): void {
    corrections.delete(source);
    corrections.set(source, by);
    const [oldest] = corrections.keys();
    if (corrections.size > CORRECTIONS && oldest !== undefined) corrections.delete(oldest);
  }

  function chatOf(message: Message): string {
    return message.chat ?? chatOfUser(message.user) ?? ports.chat()?.chat ?? 'unknown';
  }

  function personOf(message: Message): Person {
    const chat = chatOf(message);
    return { id: personIdOf(message, chat), chat, name: message.user.name };
  }

  async function hereOf(message: Message): Promise<Here> {
    const chat = chatOf(message);
    const room = message.room ?? '';
    // What is not known to be public is private.
    const isPrivate = message.private ?? (await ports.chat(chat)?.room(room))?.private ?? true;
    const thread = message.thread === undefined ? {} : { thread: message.thread };
    return { chat, room, ...thread, private: isPrivate };
  }

  async function say(address: Address, content: Content, { nonce, onlyTo }: SayOptions = {}): Promise<void> {
    const chat = ports.chat(address.chat);
    if (!chat) {
      log.error({ chat: address.chat }, 'no such chat to answer in');
      return;
    }
    const forWhom = onlyTo === undefined ? {} : { onlyTo };
    const options: PostOptions = { ...forWhom, ...(nonce === undefined ? {} : { key: nonce, answer: true }) };
    if (chat.queued) {
      try {
        return await ports.post(address, content, options);
      } catch (error) {
        // Out of turn is better than not at all.
        if (!ports.isStorageTrouble(error)) throw error;
        log.warn({ err: error, room: address.room }, 'answer goes past the outbox');
      }
    }
    const answer = nonce === undefined ? {} : { answer: true };
    const delivery = { nonce: nonce ?? ports.newNonce(), address, content, ...forWhom, ...answer };
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(LAST_RETRY_MS, wait * 2)) {
      try {
        const { messageId } = await chat.deliver(delivery);
        return await keepOwn(delivery, messageId);
      } catch (error) {
        if (error instanceof DeliveryRefused) {
          log.warn({ err: error, room: address.room }, 'answer refused by the chat');
          return;
        }
        if (!(error instanceof DeliveryDelayed)) throw error;
      }
      try {
        return await ports.post(address, content, options);
      } catch (error) {
        // Neither the chat nor the database takes it now: nobody must be left without an answer for that.
        if (!ports.isStorageTrouble(error)) throw error;
        log.warn({ err: error, room: address.room, retryInMs: wait }, 'answer waits for the database');
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  async function keepOwn({ address, content, onlyTo, answer = false }: Said, messageId: string): Promise<void> {
    if (ports.keepsItself(address.chat)) return;
    const room = await ports.chat(address.chat)?.room(address.room);
    await ports.remember({
      // A room is named in a configuration; its messages are found by its id.
      ...placeOf({ ...address, room: room?.id ?? address.room }, room),
      messageId,
      personId: `${address.chat}:robot`,
      personName: robot.name,
      at: ports.now(),
      ...(typeof content === 'string' ? { text: content } : { text: '', content }),
      ...(onlyTo === undefined ? {} : { onlyTo }),
      fromRobot: true,
      addressed: answer,
      private: room?.private ?? true,
    });
  }

  async function lineOf(message: TextMessage, text: string): Promise<Line> {
    const room = await hereOf(message);
    const source = message.id === undefined ? undefined : `${room.chat}:${room.room}:${message.id}`;
    const person = personOf(message);
    let count = 0;
    // The same message handled again, after a crash or because it was corrected, does not answer twice.
    const nextNonce = (of = ''): string | undefined =>
      source === undefined ? undefined : `answer:${source}:${of}${++count}`;
    if (message.edited && source !== undefined) corrected(source, message);
    const isOutdated = (): boolean => source !== undefined && (corrections.get(source) ?? message) !== message;
    const show = (content: Content, to: 'asker' | undefined, nonce: string | undefined): Promise<void> =>
      say(room, content, {
        ...(nonce === undefined ? {} : { nonce }),
        ...(to === 'asker' ? { onlyTo: person.id } : {}),
      });
    return {
      text,
      person,
      room,
      via: message.via ?? 'typed',
      ...(source === undefined ? {} : { source }),
      ...(message.quiet ? { quiet: true } : {}),
      ...(message.edited ? { edited: true } : {}),
      async reply(content, to) {
        if (!isOutdated()) await show(content, to, nextNonce());
      },
      lasting: (content, to) => show(content, to, nextNonce('change:')),
      // What only one person sees cannot be edited in every chat.
      ...(message.quiet
        ? {}
        : { live: () => whileCurrent(live(room, person, nextNonce() ?? ports.newNonce()), isOutdated) }),
    };
  }

  /** One message, under one key, that follows an answer while it is made. */
  function live(here: Address, reader: Person, key: string): LiveAnswer {
    const address = addressOf(here);
    const reply = (content: Content): Promise<void> => say(address, content, { nonce: key });
    return createLive({
      earlier: async () => await ports.live?.shown(address, key),
      openStream: async () => (ports.live ? await ports.chat(address.chat)?.openStream?.(address, reader) : undefined),
      adopt: async (messageId) => await ports.live?.adopt(address, key, messageId),
      async post(content) {
        try {
          await ports.post(address, content, { key, answer: true });
        } catch (error) {
          if (!ports.isStorageTrouble(error)) throw error;
          await reply(content);
        }
      },
      reply,
      keep: (content, messageId) => keepOwn({ address, content, answer: true }, messageId),
      log,
    });
  }

  return {
    say,
    keepOwn,
    async keepChanged(address, content, messageId) {
      if (ports.keepsItself(address.chat)) return;
      if (typeof content === 'string') await ports.change?.(address, messageId, content, undefined);
      else await ports.change?.(address, messageId, '', content);
    },
    pipeline: {
      async record(message) {
        if (ports.keepsItself(chatOf(message))) return;
        const here = await hereOf(message);
        const { thread, ...outside } = here;
        const person = personOf(message);
        await ports.remember({
          // What begins a thread stands in none.
          ...placeOf(thread === message.id ? outside : here, await ports.chat(here.chat)?.room(here.room)),
          ...(message.id === undefined ? {} : { messageId: message.id }),
          personId: person.id,
          personName: person.name,
          at: message.at ?? ports.now(),
          text: message.text,
          ...(message.quiet ? { onlyTo: person.id } : {}),
          fromRobot: false,
          addressed: robot.addressed(message) !== undefined,
          private: here.private,
        });
      },
      admit: (message) => dispatch.admits(personOf(message)),
      async dispatch(message, text) {
        const outcome = await dispatch.run(await lineOf(message, text));
        if (outcome.kind === 'handled') return 'handled';
        unclear.set(message, outcome);
        return 'not a command';
      },
      async fallback(message, text) {
        const reason = unclear.get(message) ?? { kind: 'not a command', failure: undefined, nearCommand: undefined };
        if (reason.failure === undefined && message.follows && !wantsAnswer(text, message.follows)) return;
        await dispatch.answer(await lineOf(message, text), reason);
      },
      async failed(error, message) {
        const reference = ports.newReference();
        log.error({ err: error, reference }, 'message failed');
        if (!message || robot.addressed(message) === undefined) return;
        const failure = fail(ports.isStorageTrouble(error) ? 'storage.unavailable' : 'internal', { reference });
        const forWhom = message.quiet ? { onlyTo: personOf(message).id } : {};
        await say(addressOf(await hereOf(message)), failureText(failure), forWhom);
      },
    },
  };
}

/** Ends when what it answers was corrected: the answer to the correction stands in its place. */
function whileCurrent(answer: LiveAnswer, isOutdated: () => boolean): LiveAnswer {
  return {
    show: (draft) => (isOutdated() ? void answer.stop().catch(() => undefined) : answer.show(draft)),
    finish: async (content) => await (isOutdated() ? answer.stop() : answer.finish(content)),
    stop: answer.stop,
  };
}

/** Where something is said, for the history. */
function placeOf(address: Address, known: Room | undefined): Pick<NewMessage, 'chat' | 'room' | 'thread' | 'members'> {
  return { ...addressOf(address), ...(known?.members === undefined ? {} : { members: known.members }) };
}
