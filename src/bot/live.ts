/** An answer that is shown while it is still being made: written in front of the reader where the chat can do that, else edited. */

import type { Content } from './card.ts';
import { DeliveryDelayed, type LiveStream } from './chat.ts';
import type { Logger } from './log.ts';

/** What is answered sooner needs no sign of life; later, it is updated at most so often, in milliseconds. */
const SHOW_EVERY_MS = 1_000;

/** The answer so far. Made when it is shown: pieces come faster than anybody reads. */
export interface Draft {
  /** For chats where one message is edited. */
  content(): Content;
  /** For chats where the text is written on: all of it so far, as Markdown. Left out as long as there is none. */
  text?(): string;
}

export interface LiveAnswer {
  /** Called as often as the answer changes; what could not be shown before the next one comes is left out. */
  show(draft: Draft): void;
  /** What it says in the end, in the place of the draft. Durable. */
  finish(content: Content): Promise<void>;
  /** There will be no more of it. Needed after a failure only, does no harm otherwise. */
  stop(): Promise<void>;
}

export interface LivePorts {
  /** The message that an earlier attempt at this answer has left; undefined if there is none. */
  earlier(): Promise<string | undefined>;
  /** Undefined where the chat cannot do that here and now. Throws {@link DeliveryDelayed} if it can in a moment. */
  openStream(): Promise<LiveStream | undefined>;
  /** From now on {@link post} updates this message, also after a crash. */
  adopt(messageId: string): Promise<void>;
  /** Shows it in the one message of this answer. Durable. */
  post(content: Content): Promise<void>;
  /** Shows it as an answer that was never live. */
  reply(content: Content): Promise<void>;
  /** Remembers what the message of a stream says in the end. */
  keep(content: Content, messageId: string): Promise<void>;
  readonly log: Logger;
}

/**
 * After a crash the question is answered again: the message that was left is then taken up and edited, so that the answer is
 * there once.
 */
export function createLive(ports: LivePorts): LiveAnswer {
  const { log } = ports;
  let way: 'unknown' | 'edits' | LiveStream = 'unknown';
  let adopted = false;
  let next: Draft | undefined;
  let showing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** Nothing more is shown: what made the answer may still tell of drafts. */
  let stopped = false;
  let ended = false;

  function tick(): void {
    if (next === undefined || showing) return;
    const draft = next;
    next = undefined;
    showing = showNow(draft)
      .catch((error: unknown) => {
        // The next draft, or the end, says all of it.
        log.debug({ err: error }, 'draft of an answer not shown');
        next ??= draft;
      })
      .finally(() => {
        showing = undefined;
      });
  }

  async function showNow(draft: Draft): Promise<void> {
    if (way === 'unknown') way = await begin();
    if (way === 'edits') return await ports.post(draft.content());
    const text = draft.text?.() ?? '';
    if (text !== '') await way.show(text);
  }

  async function begin(): Promise<'edits' | LiveStream> {
    if ((await ports.earlier()) !== undefined) return 'edits';
    let stream: LiveStream | undefined;
    try {
      stream = await ports.openStream();
    } catch (error) {
      if (error instanceof DeliveryDelayed) throw error;
      log.warn({ err: error }, 'answer cannot be written live');
    }
    if (!stream) return 'edits';
    await adopt(stream);
    return stream;
  }

  async function adopt({ messageId }: LiveStream): Promise<void> {
    try {
      await ports.adopt(messageId);
      adopted = true;
    } catch (error) {
      log.warn({ err: error }, 'message of a live answer not remembered');
    }
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearInterval(timer);
    await showing;
    if (ended || typeof way === 'string') return;
    ended = true;
    const text = next?.text?.() ?? '';
    if (text !== '') await way.show(text).catch(() => undefined);
    await way.end();
  }

  return {
    show(draft) {
      if (stopped) return;
      next = draft;
      timer ??= setInterval(tick, SHOW_EVERY_MS);
    },
    stop,
    async finish(content) {
      const shown = timer !== undefined;
      await stop();
      // Whoever began is the one who shows: an earlier attempt may have left its draft behind.
      if (!shown) return await ports.reply(content);
      if (typeof way !== 'string' && !adopted) await adopt(way);
      await ports.post(content);
      if (typeof way !== 'string') await ports.keep(content, way.messageId);
    },
  };
}
