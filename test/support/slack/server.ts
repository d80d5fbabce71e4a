/**
 * A server that plays Slack for the official clients: the Web API, Socket Mode and signed HTTP, on 127.0.0.1.
 *
 * ```ts
 * const slack = await startSlack({ limits: { postsPerSecondPerChannel: 1 } });
 * slack.addPerson({ name: 'alice' });
 * slack.addChannel({ name: 'ops', members: ['alice'] });
 * // the program: SLACK_API_URL=slack.apiUrl SLACK_BOT_TOKEN=slack.botToken SLACK_APP_TOKEN=slack.appToken
 * await slack.connected();
 * slack.say('alice', 'ops', 'deploy api to production', { mention: true });
 * const card = await slack.message('ops', (message) => message.text.includes('Approve'));
 * await slack.press('alice', card, 'Approve');
 * slack.fail('chat.postMessage', { as: 429, retryAfter: 1, times: 2 });
 * slack.assertNoProblems();
 * await slack.close();
 * ```
 *
 * For signed HTTP: `startSlack({ delivery: 'http' })`, `SLACK_SIGNING_SECRET=slack.signingSecret`, and `slack.deliverTo(baseUrl)`
 * once the program listens.
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../eventually.ts';
import { type Disorder, Dispatcher, type EnvelopeType, eventPayload } from './delivery.ts';
import { Events } from './events.ts';
import { Faults } from './faults.ts';
import { type Flaw, type HttpAnswer, type SignedRequest, send, sendHalf } from './http-sender.ts';
import { HttpWay } from './http-way.ts';
import type { Context } from './method.ts';
import { personActions, type Where, type Who } from './person.ts';
import { pressActions } from './press.ts';
import { ResponseUrls } from './responses.ts';
import { Sockets } from './socket.ts';
import { type Call, type Limits, WebApi } from './web-api.ts';
import {
  type Ephemeral,
  type Fields,
  type Message,
  type Status,
  type View,
  Workspace,
  type WorkspaceOptions,
} from './workspace.ts';

export interface SlackOptions extends WorkspaceOptions {
  /** How events reach the robot; `socket`. */
  readonly delivery?: 'socket' | 'http';
  readonly limits?: Limits;
  /** Milliseconds that the robot has to acknowledge; 3,000. */
  readonly ackWithinMs?: number;
  /** Before each retry of an event. Slack: at once, after a minute, after five. Here: at once, 1 s, 5 s. */
  readonly retryDelaysMs?: readonly number[];
  /** Milliseconds that a stream lives; five minutes. */
  readonly streamMs?: number;
  /** Milliseconds that a trigger_id lives; 3,000. */
  readonly triggerMs?: number;
  /** Whether the bot has chat:write.public; false. */
  readonly postsAnywhere?: boolean;
  /** Types of events that the app has subscribed to; all. */
  readonly subscribed?: readonly string[];
  /** Of everything random: duplicates, order, choice of connection. */
  readonly seed?: number;
}

export type SlackServer = Awaited<ReturnType<typeof startSlack>>;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function listen(http: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, '127.0.0.1', () => {
      http.off('error', reject);
      const address = http.address();
      resolve(isAddress(address) ? address.port : 0);
    });
  });
}

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

/** Starts it on a free port. */
export async function startSlack(options: SlackOptions = {}) {
  const workspace = new Workspace(options);
  const problems: string[] = [];
  const problem = (text: string) => void problems.push(text);
  const random = numbers(options.seed ?? 1);
  let ackWithinMs = options.ackWithinMs ?? 3000;
  const sockets = new Sockets(workspace, () => ackWithinMs, random, problem);
  const httpWay = new HttpWay(workspace, () => ackWithinMs);
  const dispatcher = new Dispatcher(
    workspace,
    options.delivery === 'http' ? httpWay : sockets,
    { ackWithinMs, retryDelaysMs: options.retryDelaysMs ?? [0, 1000, 5000] },
    random,
  );
  if (options.subscribed) dispatcher.subscribed = new Set(options.subscribed);
  const faults = new Faults();
  const http = createServer((req, res) => {
    api.handle(req, res).catch((error: unknown) => {
      problem(`the fake Slack failed at ${req.url}: ${String(error)}`);
      res.destroy();
    });
  });
  sockets.listen(http);
  const port = await listen(http, 0);
  const url = `http://127.0.0.1:${port}`;
  const context: Context = {
    workspace,
    dispatcher,
    sockets,
    events: new Events(workspace, dispatcher, () => url),
    url: () => url,
    problem,
    streamMs: options.streamMs ?? 5 * 60_000,
    triggerMs: options.triggerMs ?? 3000,
    postsAnywhere: options.postsAnywhere ?? false,
  };
  const responses = new ResponseUrls(context);
  const api = new WebApi(context, faults, responses, options.limits ?? {});

  function newest(where: Where, fits: (message: Message) => boolean): Message | undefined {
    const { id } = workspace.channel(where);
    return workspace.messages.get(id)?.findLast((one) => !one.deleted && one.user === workspace.bot.id && fits(one));
  }

  async function found<T>(what: string, look: () => T | undefined, ms: number, seen: () => unknown): Promise<T> {
    try {
      const value = await eventually(look, (one) => one !== undefined, ms);
      if (value !== undefined) return value;
    } catch {
      // said below, with what there is instead
    }
    const hints = problems.length > 0 ? `; problems: ${problems.join(' | ')}` : '';
    throw new Error(`no ${what} in ${ms} ms; there is: ${JSON.stringify(seen())}${hints}`);
  }

  return {
    workspace,
    url,
    /** For SLACK_API_URL and `slackApiUrl`. */
    apiUrl: `${url}/api/`,
    botToken: workspace.tokens.bot,
    appToken: workspace.tokens.app,
    signingSecret: workspace.signingSecret,
    bot: workspace.bot,
    faults,
    sockets,
    dispatcher,
    calls: api.calls,

    addPerson: workspace.addPerson.bind(workspace),
    addChannel: workspace.addChannel.bind(workspace),
    addGroup: workspace.addGroup.bind(workspace),
    person: workspace.person.bind(workspace),
    channel: workspace.channel.bind(workspace),
    dm: workspace.dm.bind(workspace),
    ...personActions(context),
    ...pressActions(context, responses),

    /** The newest message of the bot in a channel that fits, posted or updated. */
    message(where: Where, fits: (message: Message) => boolean = () => true, ms = 10_000): Promise<Message> {
      const { id } = workspace.channel(where);
      return found(
        'such message',
        () => newest(id, fits),
        ms,
        () => this.messages(id).map((one) => one.text),
      );
    },
    /** All messages of a channel, of everybody, that are not deleted. */
    messages(where: Where): Message[] {
      return (workspace.messages.get(workspace.channel(where).id) ?? []).filter((one) => !one.deleted);
    },
    /** All messages of the bot in a channel that are not deleted. */
    posts(where: Where): Message[] {
      return this.messages(where).filter((one) => one.user === workspace.bot.id);
    },
    ephemerals: workspace.ephemerals,
    ephemeral(who: Who, fits: (message: Ephemeral) => boolean = () => true, ms = 10_000): Promise<Ephemeral> {
      const { id } = workspace.person(who);
      const all = () => workspace.ephemerals.filter((one) => one.user === id && !one.deleted);
      return found(
        'such ephemeral message',
        () => all().findLast(fits),
        ms,
        () => all().map((one) => one.text),
      );
    },
    views: workspace.views,
    /** The modal that somebody has on top. */
    view(who: Who, fits: (view: View) => boolean = () => true, ms = 10_000): Promise<View> {
      const { id } = workspace.person(who);
      const all = () => [...workspace.views.values()].filter((one) => one.user === id && one.open);
      return found(
        'such open view',
        () => all().findLast(fits),
        ms,
        () => all().map((one) => one.body['title']),
      );
    },
    homes: workspace.homes,
    home(who: Who, fits: (view: View) => boolean = () => true, ms = 10_000): Promise<View> {
      const { id } = workspace.person(who);
      const fitting = () => {
        const home = workspace.homes.get(id);
        return home && fits(home) ? home : undefined;
      };
      return found('such App Home', fitting, ms, () => workspace.homes.get(id)?.blocks);
    },
    statuses: workspace.statuses,
    status(fits: (status: Status) => boolean = () => true, ms = 10_000): Promise<Status> {
      return found(
        'such status',
        () => workspace.statuses.findLast(fits),
        ms,
        () => workspace.statuses.map((one) => one.text),
      );
    },
    /** A call of the Web API that fits. */
    call(method: string, fits: (call: Call) => boolean = () => true, ms = 10_000): Promise<Call> {
      const all = () => api.calls.filter((one) => one.method === method);
      return found(
        `such call of ${method}`,
        () => all().findLast(fits),
        ms,
        () => all().map((one) => one.args),
      );
    },
    /** Resolves once so many Socket Mode connections are open. */
    async connected(count = 1, ms = 10_000): Promise<void> {
      await eventually(
        () => sockets.open,
        (open) => open >= count,
        ms,
      );
    },
    /** Resolves once every event has been acknowledged or given up. */
    async settled(ms = 10_000): Promise<void> {
      await eventually(
        () => dispatcher.pending,
        (pending) => pending === 0,
        ms,
      );
    },

    /** Any event of the Events API. Returns its `event_id`. Give the id of an earlier one for a duplicate. */
    emit(event: Fields, how: { eventId?: string; shared?: boolean } = {}): string {
      return dispatcher.event(event, how);
    },
    fail: faults.fail.bind(faults),
    /** No more faults; what hangs is cut. */
    mend: faults.mend.bind(faults),
    /** Every answer of the Web API takes so much longer. */
    slow(latencyMs: number): void {
      api.latencyMs = latencyMs;
    },
    ackWithin(ms: number): void {
      ackWithinMs = ms;
    },
    disturb(disorder: Disorder): void {
      dispatcher.disturb(disorder);
    },
    /** Moves the clock of the server forward, for what expires. */
    advance(ms: number): void {
      workspace.ahead += ms;
    },
    /** Tells Socket Mode connections to go; see `Sockets.disconnect`. */
    disconnect: sockets.disconnect.bind(sockets),
    /** Breaks Socket Mode connections without a word. */
    cut: sockets.cut.bind(sockets),
    /** Nobody can connect, and all connections break. */
    async goDown(): Promise<void> {
      sockets.cut();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
    /** On the same port as before. */
    async comeBack(): Promise<void> {
      await listen(http, port);
    },

    /** Which way events go from now on. */
    deliverBy(way: 'socket' | 'http'): void {
      dispatcher.use(way === 'http' ? httpWay : sockets);
    },
    /** Where the robot listens, like `http://127.0.0.1:8080`; for `delivery: 'http'`. */
    deliverTo(base: string): void {
      httpWay.to(base);
    },
    /** A signed request, right or with a flaw, that is not sent yet; send it twice for a replay. */
    request(
      type: EnvelopeType,
      payload: Fields,
      how: { flaw?: Flaw; headers?: Readonly<Record<string, string>> } = {},
    ): SignedRequest {
      return httpWay.request(type, payload, how);
    },
    /** The whole body of an event, for `request('events_api', …)`. */
    payload(event: Fields, eventId?: string): Fields {
      return eventPayload(workspace, event, eventId);
    },
    send(request: SignedRequest): Promise<HttpAnswer> {
      return send(request, ackWithinMs);
    },
    sendHalf,
    /** What Slack does when somebody saves the request URL: whether the challenge came back. */
    async verifyUrl(): Promise<boolean> {
      const challenge = `challenge-${workspace.seconds()}`;
      const body = { token: workspace.tokens.verification, challenge, type: 'url_verification' };
      const answer = await send(httpWay.request('events_api', body), ackWithinMs);
      return answer.status === 200 && answer.text.includes(challenge);
    },

    /** How many posts came too fast. */
    get rateLimited(): number {
      return api.rateLimited;
    },
    /** What no correct client does: unknown methods, wrong arguments, invalid blocks, stray acknowledgements. */
    problems(): readonly string[] {
      return problems;
    },
    /** For tests that make problems on purpose. Returns them. */
    forgetProblems(): string[] {
      return problems.splice(0);
    },
    assertNoProblems(): void {
      if (problems.length > 0) throw new Error(`the fake Slack saw what it should not:\n${problems.join('\n')}`);
    },
    async close(): Promise<void> {
      dispatcher.close();
      faults.mend();
      sockets.close();
      httpWay.close();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
}
