/**
 * How events and interactions reach the robot: one envelope at a time to a way (Socket Mode or HTTP), with Slack's retries for
 * events, and on wish duplicates and disorder. Interactions and slash commands are tried once, as Slack does.
 */

import { randomUUID } from 'node:crypto';
import type { Fields, Workspace } from './workspace.ts';

export type EnvelopeType = 'events_api' | 'interactive' | 'slash_commands';

export interface Envelope {
  readonly type: EnvelopeType;
  readonly payload: Fields;
  /** The same for all attempts; `event_id` of events. */
  readonly id: string;
}

/** What one attempt came to. */
export type Attempt =
  | { readonly kind: 'acknowledged'; readonly response: unknown; readonly ms: number }
  | { readonly kind: 'timed out' }
  | { readonly kind: 'refused'; readonly status: number; readonly text: string; readonly noRetry: boolean }
  | { readonly kind: 'connection lost' }
  | { readonly kind: 'no connection' };

export interface Retry {
  readonly number: number;
  readonly reason: string;
}

/** Socket Mode, or HTTP. */
export interface Way {
  deliver(envelope: Envelope, retry: Retry | undefined): Promise<Attempt>;
  /** Resolves once there is somebody to deliver to. */
  ready(): Promise<void>;
}

export interface Delivery {
  readonly envelope: Envelope;
  readonly attempts: Attempt[];
  state: 'waiting' | 'acknowledged' | 'given up';
}

export interface Disorder {
  /** Share of events that are delivered twice, 0 to 1. */
  readonly duplicates?: number;
  /** So many events are held back and delivered in random order. */
  readonly shuffle?: number;
}

export interface DeliveryOptions {
  /** 3,000. */
  readonly ackWithinMs: number;
  /** Before each retry of an event; Slack waits nothing, a minute, five minutes. */
  readonly retryDelaysMs: readonly number[];
}

const reasons = { 'timed out': 'timeout', refused: 'http_error', 'connection lost': 'timeout' } as const;

function newEventId(): string {
  return `Ev${randomUUID().replaceAll('-', '').slice(0, 12).toUpperCase()}`;
}

/** The outer part of an event; docs.slack.dev/apis/events-api. */
export function eventPayload(workspace: Workspace, event: Fields, id = newEventId(), shared = false): Fields {
  return {
    token: workspace.tokens.verification,
    team_id: workspace.teamId,
    context_team_id: workspace.teamId,
    context_enterprise_id: null,
    api_app_id: workspace.appId,
    event,
    type: 'event_callback',
    event_id: id,
    event_time: workspace.seconds(),
    authorizations: [
      {
        enterprise_id: null,
        team_id: workspace.teamId,
        user_id: workspace.bot.id,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: shared,
    event_context: `4-${Buffer.from(id).toString('base64url')}`,
  };
}

export class Dispatcher {
  readonly deliveries: Delivery[] = [];
  readonly #workspace: Workspace;
  readonly #options: DeliveryOptions;
  readonly #random: () => number;
  #way: Way;
  #disorder: Disorder = {};
  #held: (() => void)[] = [];
  #holding: NodeJS.Timeout | undefined;
  #closed = false;
  #underway = 0;
  /** Names of the events that the app has subscribed to; all if undefined. */
  subscribed: ReadonlySet<string> | undefined;

  constructor(workspace: Workspace, way: Way, options: DeliveryOptions, random: () => number) {
    this.#workspace = workspace;
    this.#way = way;
    this.#options = options;
    this.#random = random;
  }

  use(way: Way): void {
    this.#way = way;
  }

  disturb(disorder: Disorder): void {
    this.#disorder = disorder;
    if (!disorder.shuffle) this.#release();
  }

  /** Deliveries that are neither acknowledged nor given up. */
  get pending(): number {
    return this.#underway;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#holding);
    this.#held = [];
  }

  /** Sends an event of the Events API; docs.slack.dev/apis/events-api. Returns its `event_id`. */
  event(event: Fields, options: { shared?: boolean; eventId?: string } = {}): string {
    const id = options.eventId ?? newEventId();
    const name = typeof event['type'] === 'string' ? event['type'] : '';
    if (this.subscribed && !this.subscribed.has(name)) return id;
    const payload = eventPayload(this.#workspace, event, id, options.shared ?? false);
    const copies = this.#random() < (this.#disorder.duplicates ?? 0) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1)
      this.#hold(() => void this.#persist({ type: 'events_api', payload, id }));
    return id;
  }

  /** Sends what a user did, once. */
  async interaction(type: 'interactive' | 'slash_commands', payload: Fields): Promise<Attempt> {
    const delivery: Delivery = { envelope: { type, payload, id: randomUUID() }, attempts: [], state: 'waiting' };
    this.deliveries.push(delivery);
    this.#underway += 1;
    const attempt = await this.#way.deliver(delivery.envelope, undefined);
    this.#underway -= 1;
    delivery.attempts.push(attempt);
    delivery.state = attempt.kind === 'acknowledged' ? 'acknowledged' : 'given up';
    return attempt;
  }

  /** Sends the last interaction or slash command once more, as it was. */
  async again(): Promise<Attempt> {
    const last = this.deliveries.findLast(({ envelope }) => envelope.type !== 'events_api');
    if (!last) throw new Error('nobody has pressed anything yet');
    return await this.#way.deliver(last.envelope, undefined);
  }

  #hold(go: () => void): void {
    const { shuffle } = this.#disorder;
    this.#underway += 1;
    if (!shuffle) {
      go();
      return;
    }
    this.#held.push(go);
    if (this.#held.length >= shuffle) this.#release();
    else this.#holding ??= setTimeout(() => this.#release(), 20);
  }

  #release(): void {
    clearTimeout(this.#holding);
    this.#holding = undefined;
    const held = this.#held.splice(0);
    for (let last = held.length - 1; last > 0; last -= 1) {
      const other = Math.floor(this.#random() * (last + 1));
      const [a, b] = [held[last], held[other]];
      if (a && b) [held[last], held[other]] = [b, a];
    }
    for (const go of held) go();
  }

  async #persist(envelope: Envelope): Promise<void> {
    const delivery: Delivery = { envelope, attempts: [], state: 'waiting' };
    this.deliveries.push(delivery);
    let retry: Retry | undefined;
    let used = 0;
    while (!this.#closed) {
      const attempt = await this.#way.deliver(envelope, retry);
      if (attempt.kind === 'no connection') {
        await this.#way.ready();
        continue;
      }
      delivery.attempts.push(attempt);
      if (attempt.kind === 'acknowledged') {
        delivery.state = 'acknowledged';
        break;
      }
      // a cut connection says nothing about the robot: it does not use up a retry
      const delay = attempt.kind === 'connection lost' ? 0 : this.#options.retryDelaysMs[used++];
      if (delay === undefined || (attempt.kind === 'refused' && attempt.noRetry)) {
        delivery.state = 'given up';
        break;
      }
      retry = { number: (retry?.number ?? 0) + 1, reason: reasons[attempt.kind] };
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay).unref());
    }
    this.#underway -= 1;
  }
}
