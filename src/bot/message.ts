/** What our chats know of an incoming message beyond Hubot's fields. Messages of other Hubot adapters carry none of it. */

import { CatchAllMessage, type Message, TextMessage, TopicMessage, type User } from 'hubot';

declare module 'hubot' {
  interface Message {
    /** Which chat it came from, as in {@link ChatAdapter.chat}; the main chat unless given. */
    chat?: string;
    /** The chat's own name of the sender's account, `web:7`; Hubot's `user.id` unless given. */
    personId?: string;
    /**
     * The text in the chat's own notation where that says more: `grant <@U1> admin` is about that account, whatever its name.
     * Commands read it; everybody else reads the text.
     */
    exact?: string;
    /** Id of the message that the thread hangs on. */
    thread?: string;
    /** Said where only named people hear it. */
    private?: boolean;
    /** The adapter knows that it is meant for the robot: a direct conversation, a button, a native mention. */
    addressed?: boolean;
    /**
     * Meant for the robot only because its thread is, without a word that says so: begun by the same person, or by another. People
     * talk with each other there, too.
     */
    follows?: 'own thread' | "another's thread";
    via?: 'typed' | 'button';
    /** It came in a way that only its author sees: what is nobody else's business is answered to the author alone. */
    quiet?: boolean;
    /** An earlier message as its author has corrected it: a command that only reads is run again, a change is not. */
    edited?: boolean;
    /** What hangs on it; the chat's own addresses, which may need the chat's token. */
    files?: readonly { readonly name: string; readonly type: string; readonly size: number; readonly url: string }[];
    /** The adapter has stored it already; the robot does not record it again. */
    stored?: boolean;
    /** When it was said, if the chat says so. */
    at?: Date;
  }
}

/** The chat that a person of the brain was heard in, if that chat lets people choose their ids. */
export function chatOfUser(user: User | undefined): string | undefined {
  const chat = user?.['chat'];
  return typeof chat === 'string' ? chat : undefined;
}

/**
 * The id of who said a message in that chat: the chat's name and the chat's own id. A chat's own id that looks like a whole
 * one is taken for it only where nobody can choose it: who is called `web:1` elsewhere is not the web chat's first person.
 */
export function personIdOf(message: Message, chat: string): string {
  const own = `${message.user?.id ?? ''}`;
  const whole = message.personId ?? (chatOfUser(message.user) === undefined ? own : `${chat}:${own}`);
  return whole.startsWith(`${chat}:`) ? whole : `${chat}:${whole}`;
}

/** A message with words of a person in it; a changed topic is none. */
export function isSaid(message: Message): message is TextMessage {
  return message instanceof TextMessage && !(message instanceof TopicMessage);
}

/** Hubot's message for "nobody matched", with what our chats know of the original. */
export function nobodyMatched(message: Message): CatchAllMessage {
  const caught = new CatchAllMessage(message);
  caught.room = message.room;
  if (message.chat !== undefined) caught.chat = message.chat;
  if (message.personId !== undefined) caught.personId = message.personId;
  if (message.thread !== undefined) caught.thread = message.thread;
  if (message.private !== undefined) caught.private = message.private;
  if (message.addressed !== undefined) caught.addressed = message.addressed;
  if (message.via !== undefined) caught.via = message.via;
  if (message.quiet !== undefined) caught.quiet = message.quiet;
  return caught;
}
