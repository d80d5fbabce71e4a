/** What the server sends to browsers. `html` comes from markdown.ts alone; every other text is shown as text. */

import type { Action, Tone } from '../../../bot/card.ts';
import type { Suggestion } from '../../../bot/complete.ts';

export interface WirePerson {
  readonly id: string;
  readonly name: string;
  readonly online: boolean;
}

export interface WireRoom {
  readonly id: string;
  readonly kind: 'room' | 'direct' | 'robot';
  /** Name of the room, or of the other person. */
  readonly name: string;
  readonly joined: boolean;
  /** The other person of a direct conversation. */
  readonly person?: string;
  readonly unread: number;
  /** Id of the last message read; 0 if none. */
  readonly read: number;
  /** Id of the newest message. */
  readonly last: number;
}

export interface WireCard {
  readonly title: string;
  readonly tone: Tone;
  readonly html?: string;
  readonly fields: readonly { readonly name: string; readonly html: string; readonly short: boolean }[];
  /** Pressed by their position: the options of the choices count on after the buttons. */
  readonly actions: readonly Action[];
  readonly choices: readonly { readonly label: string; readonly options: readonly Action[] }[];
  /** `src` only for pictures of our own. */
  readonly image?: { readonly src?: string; readonly url: string; readonly alt: string };
  /** To be kept; `href` is a path of this server. */
  readonly file?: { readonly name: string; readonly href: string };
  readonly footer?: string;
  /** The role that says it. */
  readonly speaker?: string;
}

export interface WireMessage {
  readonly id: number;
  readonly room: string;
  readonly thread?: number;
  readonly person: { readonly id: string; readonly name: string };
  readonly robot: boolean;
  /** ISO time. */
  readonly at: string;
  readonly html?: string;
  readonly card?: WireCard;
  /** The command that a pressed button ran. */
  readonly pressed?: { readonly command: string };
  readonly edited: boolean;
  readonly replies: number;
  readonly lastReply?: string;
  /** Only the receiver sees it. */
  readonly onlyYou: boolean;
  /** The browser's own id of a message that it sent. */
  readonly clientId?: string;
}

export interface WireHit {
  readonly id: number;
  readonly room: string;
  readonly roomName: string;
  readonly thread?: number;
  readonly person: string;
  readonly at: string;
  /** The words around the first match, matches in bold. */
  readonly html: string;
}

export interface Problem {
  readonly text: string;
  readonly next: string;
  /** The page tries again by itself after so long. */
  readonly retryMs?: number;
}

export type Answer =
  | {
      readonly kind: 'history';
      readonly room: WireRoom;
      readonly messages: readonly WireMessage[];
      readonly older: boolean;
      readonly newer: boolean;
      readonly thread?: number;
    }
  | { readonly kind: 'thread'; readonly messages: readonly WireMessage[] }
  | { readonly kind: 'room'; readonly room: WireRoom }
  | {
      readonly kind: 'rooms';
      readonly rooms: readonly {
        readonly id: string;
        readonly name: string;
        readonly members: number;
        readonly joined: boolean;
      }[];
    }
  | { readonly kind: 'hits'; readonly hits: readonly WireHit[]; readonly more: boolean; readonly hint?: string }
  | { readonly kind: 'suggestions'; readonly suggestions: readonly Suggestion[] };

export type ServerFrame =
  | {
      readonly t: 'welcome';
      readonly me: { readonly id: string; readonly name: string };
      readonly robot: { readonly name: string; readonly title: string; readonly alias?: string; readonly room: string };
      readonly rooms: readonly WireRoom[];
      readonly people: readonly WirePerson[];
    }
  | { readonly t: 'answer'; readonly req: number; readonly answer: Answer }
  | { readonly t: 'failed'; readonly req: number; readonly problem: Problem }
  | { readonly t: 'ack'; readonly id: string; readonly message: number }
  | { readonly t: 'refused'; readonly id: string; readonly problem: Problem }
  | { readonly t: 'message'; readonly message: WireMessage }
  | { readonly t: 'changed'; readonly message: WireMessage }
  | { readonly t: 'room'; readonly room: WireRoom }
  | { readonly t: 'left'; readonly room: string }
  | { readonly t: 'read'; readonly room: string; readonly read: number; readonly unread: number }
  | { readonly t: 'people'; readonly people: readonly WirePerson[] }
  | { readonly t: 'working'; readonly room: string; readonly thread?: number; readonly on: boolean };
