/** Durable posts: stored first, delivered at once, and again for as long as the chat is down. */

import type { Content } from './card.ts';
import { type Address, type ChatAdapter, type Delivery, DeliveryDelayed, DeliveryRefused } from './chat.ts';
import { inTime } from './deadline.ts';
import type { Logger } from './log.ts';

export interface PostOptions {
  /** The same key in the same room (and thread) updates that message in place. */
  readonly key?: string;
  /** Person id; shown to that person alone where the chat can do that. */
  readonly onlyTo?: string;
  /** It answers what somebody said. Its key means nothing after a day: it is forgotten then, as posts without a key are. */
  readonly answer?: boolean;
}

export interface Posts {
  /**
   * Resolves once stored; delivery follows at once, and again later if the chat is down. Same key in the same room:
   * updates that message in place, posts afresh if it was deleted, never doubles it.
   */
  post(address: Address, content: Content, options?: PostOptions): Promise<void>;
}

/** A post that is this replica's to deliver now. */
export interface ClaimedPost {
  readonly id: number;
  readonly address: Address;
  readonly content: Content;
  readonly onlyTo?: string;
  readonly nonce: string;
  /** Which of the contents given under its key this is. */
  readonly revision: number;
  /** The message that shows an earlier content of this key. */
  readonly messageId?: string;
  /** Failed attempts so far. */
  readonly attempts: number;
  /** It was claimed before, and nobody knows whether it arrived. */
  readonly repeated: boolean;
  readonly answer: boolean;
}

/** Where posts wait. Claims are by compare-and-set: no two replicas hold the same post. */
export interface PostStore {
  save(address: Address, content: Content, options: PostOptions): Promise<void>;
  /**
   * The next post of each room in which none is under way or told to wait, at most `limit`, held for `leaseMs`: the oldest
   * answer, else the oldest post. Nobody who asks waits behind a flood of alerts.
   */
  claim(owner: string, limit: number, leaseMs: number): Promise<readonly ClaimedPost[]>;
  delivered(post: ClaimedPost, owner: string, messageId: string): Promise<void>;
  /** Keeps the post, and those behind it in its room, waiting for so long. */
  delayed(post: ClaimedPost, owner: string, delayMs: number, problem: string): Promise<void>;
  /** As {@link delayed}, for a post that the chat has surely not got: it is no failed attempt. */
  paced(post: ClaimedPost, owner: string, delayMs: number): Promise<void>;
  failed(post: ClaimedPost, owner: string, problem: string): Promise<void>;
  /** The message is gone from the chat: forgets it and gives the nonce of the next one. */
  renewed(post: ClaimedPost, owner: string): Promise<string>;
  /** The message that shows a key; undefined if none does yet. */
  shown(address: Address, key: string): Promise<string | undefined>;
  /** From now on the key is shown by this message, which is there already; for as long as that of an answer. */
  adopt(address: Address, key: string, messageId: string): Promise<void>;
  /** Frees what a lost replica held. */
  release(owner: string): Promise<void>;
  /** Forgets what was delivered or given up long ago. */
  purge(): Promise<void>;
}

export interface PostsOptions {
  readonly store: PostStore;
  /** The adapter of a chat, by the name in the address. */
  readonly chat: (name: string) => ChatAdapter | undefined;
  readonly replica: string;
  readonly log: Logger;
  /**
   * Told of each delivery before it counts as done; after a crash perhaps twice with the same message id. If it throws,
   * that is logged and the delivery stands.
   */
  readonly onDelivered?: (delivery: Delivery, messageId: string, how: 'posted' | 'updated') => void | Promise<void>;
  /** Takes secrets out before anything is stored. */
  readonly redact?: (content: Content) => Content;
  readonly timing?: Partial<PostTiming>;
  /** From 0 to 1; spreads retries. */
  readonly random?: () => number;
}

export interface PostTiming {
  /** How often waiting posts of other replicas are looked for. */
  readonly pollMs: number;
  /** Longest time that one attempt may take. */
  readonly attemptMs: number;
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
}

export interface RunningPosts extends Posts {
  /** Begins to deliver; call it when the adapters run. Posts made before are stored and wait. */
  start(): void;
  /** Takes no more; waits for what is under way, `limitMs` at most. What is left waits for the next start. */
  stop(limitMs?: number): Promise<void>;
  /** Looks for waiting posts now, for example when a chat is connected again or a replica was lost. */
  wake(): void;
  /** Resolves when nothing is under way here, or after `limitMs`; what a chat could not take stays stored. */
  flushed(limitMs: number): Promise<void>;
}

const TIMING: PostTiming = { pollMs: 5_000, attemptMs: 30_000, firstRetryMs: 1_000, lastRetryMs: 60_000 };
/** Rooms served at once. */
const ROOMS = 8;
/** An error that is neither a delay nor a refusal is a mistake somewhere: it must not block a room for ever. */
const MOST_UNEXPECTED = 10;
const PURGE_MS = 60 * 60_000;

/** Milliseconds until the next attempt after `attempts` failed ones: doubles up to the cap, spread by a quarter. */
export function retryDelay(attempts: number, timing: PostTiming, random: number): number {
  const full = Math.min(timing.lastRetryMs, timing.firstRetryMs * 2 ** Math.min(attempts, 20));
  return Math.round(full * (0.75 + random / 4));
}

/** Posts that outlive this process, delivered to chats by their adapters. */
export function createPosts(options: PostsOptions): RunningPosts {
  const { store, replica, log } = options;
  const timing: PostTiming = { ...TIMING, ...options.timing };
  const leaseMs = timing.attemptMs * 3;
  const random = options.random ?? Math.random;
  const active = new Set<Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  let started = false;
  let stopped = false;
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let poll: NodeJS.Timeout | undefined;
  let purge: NodeJS.Timeout | undefined;

  function wake(): void {
    if (!started || stopped) return;
    lookAgain = true;
    looking ??= look().finally(() => {
      looking = undefined;
      if (lookAgain && active.size < ROOMS) wake();
    });
  }

  function wakeLater(ms: number): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      wake();
    }, ms);
    timer.unref();
    timers.add(timer);
  }

  async function look(): Promise<void> {
    try {
      while (lookAgain && !stopped && active.size < ROOMS) {
        lookAgain = false;
        for (const post of await store.claim(replica, ROOMS - active.size, leaseMs)) begin(post);
      }
    } catch (error) {
      // The next poll tries again.
      lookAgain = false;
      log.warn({ err: error }, 'waiting posts could not be read');
    }
  }

  function begin(post: ClaimedPost): void {
    const work = attempt(post)
      .catch((error: unknown) => log.error({ err: error, post: post.id }, 'outcome of a post could not be stored'))
      .finally(() => {
        active.delete(work);
        wake();
      });
    active.add(work);
  }

  async function attempt(post: ClaimedPost): Promise<void> {
    const { chat, room } = post.address;
    let done: Awaited<ReturnType<typeof deliver>>;
    try {
      done = await deliver(post);
    } catch (error) {
      await stubborn(() => setBack(post, error));
      return;
    }
    const { delivery, messageId, how } = done;
    try {
      await options.onDelivered?.(delivery, messageId, how);
    } catch (error) {
      log.error({ err: error, chat, room, post: post.id }, 'delivered post could not be recorded');
    }
    await stubborn(() => store.delivered(post, replica, messageId));
  }

  async function deliver(
    post: ClaimedPost,
  ): Promise<{ delivery: Delivery; messageId: string; how: 'posted' | 'updated' }> {
    const adapter = options.chat(post.address.chat);
    if (!adapter) throw new DeliveryDelayed(`no chat is called ${post.address.chat}`);
    const delivery: Delivery = {
      nonce: post.nonce,
      address: post.address,
      content: post.content,
      ...(post.onlyTo === undefined ? {} : { onlyTo: post.onlyTo }),
      ...(post.repeated ? { repeated: true } : {}),
      ...(post.answer ? { answer: true } : {}),
    };
    if (post.messageId !== undefined) {
      const outcome = await attempted(adapter.update(delivery, post.messageId));
      if (outcome === 'updated') return { delivery, messageId: post.messageId, how: 'updated' };
      const { repeated: _, ...again } = delivery;
      const fresh: Delivery = { ...again, nonce: await store.renewed(post, replica) };
      const { messageId } = await attempted(adapter.deliver(fresh));
      return { delivery: fresh, messageId, how: 'posted' };
    }
    const { messageId } = await attempted(adapter.deliver(delivery));
    return { delivery, messageId, how: 'posted' };
  }

  async function setBack(post: ClaimedPost, error: unknown): Promise<void> {
    const { chat, room } = post.address;
    const problem = error instanceof Error ? error.message : String(error);
    // What a chat says of itself has words; where in the code it was noticed helps nobody. Of a mistake, it does.
    const expected = error instanceof DeliveryRefused || error instanceof DeliveryDelayed;
    const fields = {
      chat,
      room,
      post: post.id,
      attempts: post.attempts + 1,
      ...(expected ? { problem } : { err: error }),
    };
    if (error instanceof DeliveryDelayed && error.notSent && error.retryAfterMs !== undefined) {
      log.debug({ chat, room, post: post.id, retryInMs: error.retryAfterMs }, 'post waits for its turn');
      await store.paced(post, replica, error.retryAfterMs);
      wakeLater(error.retryAfterMs + 1);
      return;
    }
    const refused = error instanceof DeliveryRefused;
    const unexpected = !refused && !(error instanceof DeliveryDelayed);
    if (refused || (unexpected && post.attempts + 1 >= MOST_UNEXPECTED)) {
      log.error(fields, refused ? 'post refused by the chat' : 'post given up');
      await store.failed(post, replica, problem);
      return;
    }
    const asked = error instanceof DeliveryDelayed ? error.retryAfterMs : undefined;
    const retryInMs = asked ?? retryDelay(post.attempts, timing, random());
    log.warn({ ...fields, retryInMs: Math.round(retryInMs) }, 'post delayed');
    await store.delayed(post, replica, retryInMs, problem);
    wakeLater(retryInMs + 10);
  }

  /** An attempt that hangs counts as delayed; if it arrives after all, the chat knows the nonce. */
  function attempted<T>(work: Promise<T>): Promise<T> {
    return inTime(timing.attemptMs, work, () => new DeliveryDelayed('the chat did not answer in time'));
  }

  /** The database may be away for a moment; if for longer, the claim lapses and the post is attempted again. */
  async function stubborn(settle: () => Promise<void>): Promise<void> {
    const deadline = performance.now() + leaseMs;
    for (let delay = 200; ; delay = Math.min(5_000, delay * 2)) {
      try {
        await settle();
        return;
      } catch (error) {
        if (performance.now() + delay > deadline || stopped) throw error;
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  }

  async function tidy(): Promise<void> {
    try {
      await store.purge();
    } catch (error) {
      log.warn({ err: error }, 'old posts could not be removed');
    }
  }

  return {
    async post(address, content, postOptions = {}) {
      await store.save(address, options.redact?.(content) ?? content, postOptions);
      wake();
    },
    start() {
      started = true;
      poll = setInterval(wake, timing.pollMs);
      purge = setInterval(() => void tidy(), PURGE_MS);
      poll.unref();
      purge.unref();
      wake();
    },
    wake,
    async flushed(limitMs) {
      const end = performance.now() + limitMs;
      while ((active.size > 0 || looking || (started && lookAgain)) && performance.now() < end) {
        const moment = new Promise<void>((resolve) => setTimeout(resolve, 20));
        await Promise.race([moment, ...active]);
      }
    },
    async stop(limitMs = 5_000) {
      stopped = true;
      clearInterval(poll);
      clearInterval(purge);
      for (const timer of timers) clearTimeout(timer);
      const limit = new Promise<void>((resolve) => setTimeout(resolve, limitMs).unref());
      await Promise.race([looking?.then(() => Promise.all(active)) ?? Promise.all(active), limit]);
      if (active.size === 0) await store.release(replica);
    },
  };
}
