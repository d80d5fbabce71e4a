/** From an envelope to its listeners: once, whoever gets it and however often it comes. */

import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '@slack/bolt';
import { inTime } from '../../../bot/deadline.ts';
import type { Logger } from '../../../bot/log.ts';
import type { SlackMetrics } from '../../../bot/metrics.ts';
import { busyAnswer, noAnswer } from './busy.ts';
import { isAsked, isOwn, namesOf } from './envelope.ts';
import { type Begun, createLanes } from './lanes.ts';
import type { Envelope, Inbox, InboxEvent, Self } from './ports.ts';
import { bare } from './refusal.ts';

/**
 * `accepted`: stored, acknowledged, handled from now on. `repeated`: known, acknowledged again. `answered`: handled, with an
 * answer in the acknowledgement. `replayed`: what Slack never sends twice came twice by HTTP; not acknowledged.
 * `unavailable`: it could not be stored, and nothing is done; not acknowledged, or with an answer that says so.
 * `own`: the robot did it itself. `malformed`: nothing of Slack's.
 */
export type IntakeOutcome = 'accepted' | 'repeated' | 'answered' | 'replayed' | 'unavailable' | 'own' | 'malformed';

/** Tells Slack that it was received, with an answer where Slack takes one. Throws if the connection is gone. */
export type Acknowledge = (answer?: unknown) => Promise<void> | void;

export interface IntakeOptions {
  readonly chat: string;
  readonly inbox: Inbox;
  /** Asked when the first event is handled. */
  readonly app: () => Pick<App, 'processEvent'>;
  /** Undefined until it is known. */
  readonly self?: () => Pick<Self, 'userId' | 'botId'> | undefined;
  readonly log: Logger;
  readonly metrics: Pick<SlackMetrics, 'received'>;
  readonly newReference: () => string;
  /** Events handled at a time; 32. */
  readonly concurrency?: number;
  /** How soon somebody who waits for an answer gets one; 2.5 seconds: Slack waits for three. */
  readonly answerMs?: number;
  /** How long what comes next in a channel waits for what came before it; a quarter of a second. */
  readonly turnMs?: number;
  /** First pause before it is tried again to mark an event as handled. */
  readonly retryMs?: number;
}

export interface Intake {
  /** Resolves when Slack has its answer; the work goes on. Never rejects. */
  take(envelope: Envelope, acknowledge: Acknowledge): Promise<IntakeOutcome>;
  /** Takes over what a lost replica has left. */
  resume(events: readonly InboxEvent[]): void;
  /** Begins to handle. Until then everything is stored and waits. */
  start(): void;
  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void>;
  /** Takes no more and begins no more; waits for what is under way. What is left is for the other replicas. */
  close(): Promise<void>;
}

/** A place in the order of arrival. */
interface Place {
  state: 'storing' | 'ready' | 'empty';
  event?: InboxEvent;
}

const CONCURRENCY = 32;
const ANSWER_MS = 2_500;
const RETRY_MS = 250;
const TURN_MS = 250;
const LAST_RETRY_MS = 10_000;

/**
 * Slack sends at most 30,000 events an hour (https://docs.slack.dev/apis/events-api/#rate-limiting), so what waits in memory
 * has a bound; it is in the database as well.
 */
export function createIntake(options: IntakeOptions): Intake {
  const { chat, inbox, log } = options;
  const concurrency = options.concurrency ?? CONCURRENCY;
  const answerMs = options.answerMs ?? ANSWER_MS;
  let places: Place[] = [];
  let first = 0;
  const lanes = createLanes();
  const turnMs = options.turnMs ?? TURN_MS;
  let active = 0;
  let started = false;
  let closed = false;
  const marking = new Set<Promise<void>>();
  const stopping = new AbortController();
  const waiters: (() => void)[] = [];

  function count({ via }: Envelope, outcome: IntakeOutcome): IntakeOutcome {
    options.metrics.received(via, outcome);
    return outcome;
  }

  async function take(envelope: Envelope, acknowledge: Acknowledge): Promise<IntakeOutcome> {
    if (closed) return count(envelope, 'unavailable');
    if (envelope.kind === 'event' && envelope.body['type'] === 'app_rate_limited') {
      log.warn({ chat, minute: envelope.body['minute_rate_limited'] }, 'Slack holds events back: there are too many');
      await acknowledged(acknowledge);
      return count(envelope, 'accepted');
    }
    const self = options.self?.();
    if (self && isOwn(envelope, self)) {
      await acknowledged(acknowledge);
      return count(envelope, 'own');
    }
    const names = namesOf(envelope);
    if (names.length === 0) {
      log.warn(
        { chat, kind: envelope.kind, via: envelope.via },
        'Slack sent something without what names it: left alone',
      );
      await acknowledged(acknowledge);
      return count(envelope, 'malformed');
    }
    if (isAsked(envelope)) return count(envelope, await answer(envelope, names, acknowledge));
    return count(envelope, await accept(envelope, names, acknowledge));
  }

  /** Stores, acknowledges, queues. */
  async function accept(
    envelope: Envelope,
    names: readonly string[],
    acknowledge: Acknowledge,
  ): Promise<IntakeOutcome> {
    const place: Place = { state: 'storing' };
    places.push(place);
    const saved = inbox.save({ chat, kind: envelope.kind, body: envelope.body, names });
    // Events wait for the database: Slack sends them again if they wait too long. People do not.
    const stored = await settled(envelope.kind === 'event' ? saved : inTime(answerMs, saved, late));
    if (stored.kind === 'failed') {
      place.state = 'empty';
      pump();
      return await refuse(envelope, saved, stored.error, acknowledge);
    }
    if (stored.event === undefined) place.state = 'empty';
    else {
      place.event = stored.event;
      place.state = 'ready';
    }
    if (stored.event === undefined && neverRepeated(envelope)) {
      pump();
      return 'replayed';
    }
    const told = acknowledged(acknowledge);
    // Also if the connection is gone meanwhile: Slack sends it again, and it is known.
    pump();
    await told;
    return stored.event === undefined ? 'repeated' : 'accepted';
  }

  /** Nothing is done, and who waits is told so. */
  async function refuse(
    envelope: Envelope,
    saved: Promise<InboxEvent | undefined>,
    error: unknown,
    acknowledge: Acknowledge,
  ): Promise<'unavailable'> {
    log.error({ chat, err: bare(error) }, 'Slack event could not be stored');
    // It may be stored after all, after the person was told that nothing happens.
    if (envelope.kind !== 'event') {
      saved.then((event) => event && mark(event.id)).catch(() => undefined);
      const told = busyAnswer(envelope);
      if (told !== undefined) await acknowledged(acknowledge, told);
    }
    return 'unavailable';
  }

  /** Forms and lists: Bolt's listener gives the answer. Known by name, so that none is sent twice. */
  async function answer(
    envelope: Envelope,
    names: readonly string[],
    acknowledge: Acknowledge,
  ): Promise<IntakeOutcome> {
    let kept: InboxEvent | undefined;
    if (envelope.body['type'] === 'view_submission') {
      const saved = inbox.save({ chat, kind: envelope.kind, body: envelope.body, names });
      const stored = await settled(inTime(answerMs, saved, late));
      if (stored.kind === 'failed') {
        return await refuse(envelope, saved, stored.error, acknowledge);
      }
      if (stored.event === undefined) {
        if (neverRepeated(envelope)) return 'replayed';
        await acknowledged(acknowledge);
        return 'repeated';
      }
      kept = stored.event;
    }
    const given = Promise.withResolvers<void>();
    let isGiven = false;
    const give = async (answered?: unknown): Promise<void> => {
      if (isGiven) return;
      isGiven = true;
      await acknowledged(acknowledge, answered);
      given.resolve();
    };
    active++;
    const handled = processed({ body: { ...envelope.body }, ack: give }).finally(() => {
      // If the robot is killed before, another replica does what the form asks for; nobody sees the answer of the form then.
      if (kept) mark(kept.id);
      active--;
      settle();
    });
    const timer = setTimeout(() => void give(noAnswer(envelope)), answerMs);
    await Promise.race([given.promise, handled]);
    clearTimeout(timer);
    // A listener that gives no answer is no reason to show an error.
    await give(noAnswer(envelope));
    return 'answered';
  }

  async function acknowledged(acknowledge: Acknowledge, answered?: unknown): Promise<void> {
    try {
      await (answered === undefined ? acknowledge() : acknowledge(answered));
    } catch (error) {
      log.debug({ chat, err: bare(error) }, 'acknowledgement did not reach Slack');
    }
  }

  function pump(): void {
    while (started && !closed && first < places.length) {
      const place = places[first];
      if (place?.state === 'storing') break;
      first++;
      if (place?.event) lanes.add(place.event);
    }
    while (started && !closed && active < concurrency) {
      const next = lanes.next();
      if (!next) break;
      void run(next);
    }
    if (first > 512 || first === places.length) {
      places = places.slice(first);
      first = 0;
    }
    settle();
  }

  async function run({ event, over }: Begun): Promise<void> {
    active++;
    const late = setTimeout(() => {
      over();
      pump();
    }, turnMs);
    await processed({ body: { ...event.body }, ack: async () => undefined });
    mark(event.id);
    active--;
    clearTimeout(late);
    over();
    pump();
  }

  async function processed(event: {
    body: Record<string, unknown>;
    ack: (answer?: unknown) => Promise<void>;
  }): Promise<void> {
    try {
      await options.app().processEvent(event);
    } catch (error) {
      log.error({ chat, reference: options.newReference(), err: bare(error) }, 'Slack event failed');
    }
  }

  /** Until the database has it: an event that is not marked is handled again by another replica. */
  function mark(id: number): void {
    const work = insist(() => inbox.handled(id)).finally(() => {
      marking.delete(work);
      settle();
    });
    marking.add(work);
  }

  async function insist(work: () => Promise<void>): Promise<void> {
    for (let retryMs = options.retryMs ?? RETRY_MS; ; retryMs = Math.min(LAST_RETRY_MS, retryMs * 2)) {
      try {
        await work();
        return;
      } catch (error) {
        if (stopping.signal.aborted) {
          log.warn({ chat, err: bare(error) }, 'handled Slack event could not be marked');
          return;
        }
        await delay(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  function isIdle(): boolean {
    return active === 0 && marking.size === 0 && (closed || (first === places.length && lanes.waiting() === 0));
  }

  function settle(): void {
    if (isIdle()) for (const waiter of waiters.splice(0)) waiter();
  }

  async function idle(): Promise<void> {
    if (!isIdle()) await new Promise<void>((resolve) => waiters.push(resolve));
  }

  return {
    take,
    resume(events) {
      for (const event of events) places.push({ state: 'ready', event });
      pump();
    },
    start() {
      started = true;
      pump();
    },
    idle,
    async close() {
      closed = true;
      // One more attempt for each, then they are left to the others.
      stopping.abort();
      await idle();
    },
  };
}

/** Slack sends only events again. */
function neverRepeated({ kind, via }: Envelope): boolean {
  return via === 'http' && kind !== 'event';
}

function late(): Error {
  return new Error('the database did not answer in time');
}

type Stored =
  | { readonly kind: 'stored'; readonly event: InboxEvent | undefined }
  | { readonly kind: 'failed'; readonly error: unknown };

async function settled(work: Promise<InboxEvent | undefined>): Promise<Stored> {
  try {
    return { kind: 'stored', event: await work };
  } catch (error) {
    return { kind: 'failed', error };
  }
}
