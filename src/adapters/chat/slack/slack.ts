/** Slack as a chat of the robot: one workspace. https://docs.slack.dev */

import { randomBytes } from 'node:crypto';
import type { App } from '@slack/bolt';
import { Adapter, type Envelope } from 'hubot';
import { mention } from '../../../bot/card.ts';
import type { Address, ChatAdapter, Delivery, LiveStream, Person, Room, UserGroups } from '../../../bot/chat.ts';
import { DeliveryDelayed, DeliveryRefused } from '../../../bot/chat.ts';
import type { Robot } from '../../../bot/robot.ts';
import { type AnswerUrls, createAnswerUrls } from './answer-urls.ts';
import { createSlackApi } from './api.ts';
import { listenToAssistant } from './assistant.ts';
import { createBoltApp } from './bolt.ts';
import { listensToChannels } from './channels.ts';
import { createDeliveries, type Deliveries } from './deliver.ts';
import { createFiles } from './files.ts';
import { createSlackGroups, type KnownSlackGroups, listensToGroups } from './groups.ts';
import { hear } from './hear.ts';
import { listenToHome } from './home.ts';
import { openDoor } from './http.ts';
import { createIntake, type Intake } from './intake.ts';
import { listensToMessages } from './messages.ts';
import { listenToForms } from './modal.ts';
import { createSlackPeople, type KnownSlackPeople, listenToPeople } from './people.ts';
import type { Listens, SlackApi, SlackContext, SlackParts } from './ports.ts';
import { listenToPresses, pressedMessage } from './press.ts';
import { listenToReactions } from './reactions.ts';
import { bare } from './refusal.ts';
import { createRooms, isDirect, type KnownRooms } from './rooms.ts';
import { listenToSlashCommands } from './slash.ts';
import { createSockets, type Sockets } from './sockets.ts';
import { createStreams, type Streams } from './stream.ts';
import { createWhoAmI, type WhoAmI } from './whoami.ts';

const SWEEP_EVERY_MS = 3_600_000;
/** Until Slack was reached for the first time. */
const NOT_YET_MS = 2_000;

/**
 * One workspace. Starts with {@link SlackChat.run}; {@link SlackChat.resume} for each replica that is lost; {@link SlackChat.close}
 * waits for what is being done for its people.
 */
export class SlackChat extends Adapter implements ChatAdapter {
  readonly chat: string;
  override readonly name: string;
  readonly queued = true;
  readonly userGroups: UserGroups;
  readonly #robot: Robot;
  readonly #parts: SlackParts;
  readonly #api: SlackApi;
  readonly #whoAmI: WhoAmI;
  readonly #people: KnownSlackPeople;
  readonly #groups: KnownSlackGroups;
  readonly #rooms: KnownRooms;
  readonly #answerUrls: AnswerUrls;
  readonly #deliveries: Deliveries;
  readonly #streams: Streams;
  readonly #intake: Intake;
  readonly #sockets: Sockets | undefined;
  readonly #stopping = new AbortController();
  readonly #newReference: () => string;
  #sweeper: NodeJS.Timeout | undefined;
  #app: App | undefined;
  #closeDoor: (() => void) | undefined;
  /** What somebody must do something about: with the bot token, with Socket Mode. */
  readonly #troubles = new Map<'token' | 'socket', string>();

  constructor(robot: Robot, parts: SlackParts) {
    super(robot);
    const { workspace, log, now, metrics } = parts;
    const { chat } = workspace;
    this.chat = chat;
    this.name = chat;
    this.#robot = robot;
    this.#parts = parts;
    const newReference = () => randomBytes(4).toString('hex');
    this.#api = createSlackApi({ workspace, robotName: robot.name, log, metrics });
    this.#whoAmI = createWhoAmI({
      chat,
      robotName: robot.name,
      api: this.#api,
      log,
      signal: this.#stopping.signal,
      begin: () => this.#begin(),
      problem: () => this.#troubles.get('token'),
      note: (problem) => this.#note('token', problem),
    });
    this.#answerUrls = createAnswerUrls({ apiUrl: workspace.apiUrl, now, log });
    this.#people = createSlackPeople({
      chat,
      api: this.#api,
      directory: parts.people,
      robot,
      log,
      self: () => this.#whoAmI.known(),
      now,
    });
    this.userGroups = this.#groups = createSlackGroups({ chat, api: this.#api, directory: parts.people, log });
    this.#rooms = createRooms({
      chat,
      api: this.#api,
      ownId: () => this.#whoAmI.known().userId,
      postsAnywhere: () => this.#whoAmI.known().postsAnywhere,
      personName: async (userId) => (await this.#people.person(userId)).name,
      now,
      log,
      saved: async (room) => void (await parts.history.saveRoom(room)),
      members: async (channel) => (await parts.history.room(chat, channel))?.members,
    });
    const files = createFiles(parts);
    this.#deliveries = createDeliveries({
      chat,
      api: this.#api,
      rooms: this.#rooms,
      answerUrls: this.#answerUrls,
      log,
      address: () => `@${robot.name} `,
      attach: files.attach,
    });
    this.#streams = createStreams({
      chat,
      api: this.#api,
      rooms: this.#rooms,
      robot,
      log,
      self: () => this.#whoAmI.known(),
      now,
    });
    this.#intake = createIntake({
      chat,
      inbox: parts.inbox,
      app: () => {
        if (!this.#app) throw new Error('Slack is not listened to yet');
        return this.#app;
      },
      self: () => this.#whoAmI.self(),
      log,
      metrics,
      newReference,
    });
    this.#newReference = newReference;
    const { appToken } = workspace;
    this.#sockets =
      appToken === undefined
        ? undefined
        : createSockets({
            workspace: { ...workspace, appToken },
            intake: this.#intake,
            log,
            metrics,
            connected: () => parts.wake(),
            trouble: (problem) => this.#note('socket', problem),
          });
  }

  /** In a few words, what keeps the chat from working until somebody acts. */
  get trouble(): string | undefined {
    const problems = [...this.#troubles.values()];
    return problems.length === 0 ? undefined : `${this.chat}: ${problems.join('; ')}`;
  }

  /**
   * Listens. Throws if Slack refuses the token; if Slack cannot be reached, the robot starts without it and the chat comes as
   * soon as it can.
   */
  override async run(): Promise<void> {
    const { workspace, log } = this.#parts;
    this.#api.onRevoked((problem) => this.#note('token', problem));
    this.#app = await createBoltApp({
      workspace,
      self: () => this.#whoAmI.known(),
      api: this.#api,
      log,
      newReference: this.#newReference,
    });
    const context = this.#context();
    for (const listen of this.#listens()) listen(this.#app, context);
    this.#openDoor();
    this.#sweeper = setInterval(() => void this.#sweep(), SWEEP_EVERY_MS);
    this.#sweeper.unref();
    await this.#whoAmI.start();
    this.#people.start();
    this.#groups.start();
    this.emit('connected');
  }

  /** Takes up what a lost replica has not handled. */
  async resume(lostReplica: string): Promise<void> {
    this.#intake.resume(await this.#parts.inbox.claimOf(lostReplica, this.chat));
  }

  /** Ends the connections and waits for what the robot is doing for people of this workspace. */
  override async close(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#sweeper);
    this.#closeDoor?.();
    await Promise.all([this.#intake.close(), this.#people.stop(), this.#groups.stop()]);
    await this.#sockets?.close();
    this.removeAllListeners();
  }

  // ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  async deliver(delivery: Delivery): Promise<{ readonly messageId: string }> {
    this.#mustBeThere();
    return await this.#deliveries.deliver(delivery);
  }

  async update(delivery: Delivery, messageId: string): Promise<'updated' | 'gone'> {
    this.#mustBeThere();
    return await this.#deliveries.update(delivery, messageId);
  }

  async openStream(address: Address, reader: Person): Promise<LiveStream | undefined> {
    this.#mustBeThere();
    return await this.#streams.open(address, reader);
  }

  /** https://docs.slack.dev/reference/methods/chat.getPermalink gives the same, one call each. */
  permalink(address: Address, messageId: string): string | undefined {
    const ts = pressedMessage(messageId) ?? messageId;
    const channel = this.#rooms.resolved(address.room);
    const self = this.#whoAmI.self();
    if (!self || channel === undefined || !/^\d+\.\d+$/.test(ts)) return undefined;
    const link = `${self.url}archives/${channel}/p${ts.replace('.', '')}`;
    return address.thread === undefined ? link : `${link}?thread_ts=${address.thread}&cid=${channel}`;
  }

  async room(id: string): Promise<Room | undefined> {
    try {
      const channel = await this.#rooms.resolve(id);
      return channel === undefined ? undefined : await this.#rooms.room(channel);
    } catch (error) {
      // Who asks takes what is not known for private.
      this.#parts.log.warn({ chat: this.chat, err: bare(error) }, 'Slack channel could not be looked up');
      return undefined;
    }
  }

  async direct({ id }: Person): Promise<Address | undefined> {
    const user = id.startsWith(`${this.chat}:`) ? id.slice(this.chat.length + 1) : '';
    return user === '' ? undefined : { chat: this.chat, room: await this.#rooms.direct(user) };
  }

  /** For plain Hubot scripts. */
  override async send(envelope: Envelope, ...strings: string[]): Promise<void> {
    const { address, onlyTo } = this.#placeOf(envelope);
    for (const text of strings) {
      await this.#parts.post(address, text, onlyTo === undefined ? {} : { onlyTo });
    }
  }

  override async reply(envelope: Envelope, ...strings: string[]): Promise<void> {
    const { address } = this.#placeOf(envelope);
    const { user } = envelope;
    const alone = user === undefined || isDirect(address.room);
    const name = alone ? '' : `${mention({ id: `${this.chat}:${user.id}`, name: user.name })} `;
    await this.send(envelope, ...strings.map((text) => `${name}${text}`));
  }

  override async emote(envelope: Envelope, ...strings: string[]): Promise<void> {
    await this.send(envelope, ...strings.map((text) => `*${text}*`));
  }

  /** Sets the topic of the channel. */
  override async topic(envelope: Envelope, ...strings: string[]): Promise<void> {
    const { address } = this.#placeOf(envelope);
    const channel = await this.#rooms.resolve(address.room);
    if (channel === undefined) throw new DeliveryRefused(`Slack has no channel ${address.room}`);
    await this.#api.web.conversations.setTopic({ channel, topic: strings.join(' ') });
  }

  #placeOf({ room: wanted, user, message }: Envelope): { readonly address: Address; readonly onlyTo?: string } {
    const room = wanted ?? user?.room ?? message?.room;
    if (room === undefined) throw new DeliveryRefused('no room to send to');
    const here = message?.room === room ? message : undefined;
    const address = { chat: this.chat, room, ...(here?.thread === undefined ? {} : { thread: here.thread }) };
    return here?.quiet && here.personId !== undefined ? { address, onlyTo: here.personId } : { address };
  }

  // ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #listens(): readonly Listens[] {
    const { history } = this.#parts;
    const renew = () => this.#whoAmI.again();
    return [
      listensToMessages(history),
      listensToChannels({ history, rooms: this.#rooms, renew }),
      listenToPresses,
      listenToPeople,
      listensToGroups(this.#groups),
      listenToReactions,
      listenToSlashCommands,
      listenToForms,
      listenToHome,
      listenToAssistant,
    ];
  }

  #context(): SlackContext {
    const { workspace, surfaces, log, now } = this.#parts;
    const { chat } = this;
    const context: SlackContext = {
      workspace,
      chat,
      robot: this.#robot,
      api: this.#api,
      people: this.#people,
      rooms: this.#rooms,
      log,
      self: () => this.#whoAmI.known(),
      now,
      hear: (said) => hear(said, context),
      post: (address, content, options) => this.#parts.post({ ...address, chat }, content, options),
      answerUrl: (channel, userId, url) => this.#answerUrls.remember(channel, userId, url),
      surfaces,
    };
    return context;
  }

  #mustBeThere(): void {
    if (this.#whoAmI.self() === undefined)
      throw new DeliveryDelayed('Slack is not reached yet', { retryAfterMs: NOT_YET_MS, notSent: true });
  }

  async #begin(): Promise<void> {
    this.#intake.start();
    this.#parts.wake();
    await this.#sockets?.start();
  }

  /** What comes is stored from now on, also while Slack cannot be reached. */
  #openDoor(): void {
    const { workspace, http, log, metrics, now } = this.#parts;
    const router = http()?.beforeParsers;
    if (workspace.signingSecret === undefined || !router) return;
    const { signingSecret } = workspace;
    const teamId = () => this.#whoAmI.self()?.teamId;
    const door = { chat: this.chat, signingSecret, teamId, intake: this.#intake };
    this.#closeDoor = openDoor(router, door, { log, metrics, now });
  }

  /** Also asks who and where the robot is: of several replicas only one is told that the workspace has a new address. */
  async #sweep(): Promise<void> {
    try {
      await this.#whoAmI.again();
      await this.#parts.inbox.purge();
    } catch (error) {
      this.#parts.log.warn({ chat: this.chat, err: error }, 'Slack chat sweep failed');
    }
  }

  #note(about: 'token' | 'socket', problem: string | undefined): void {
    if (problem === undefined) this.#troubles.delete(about);
    else this.#troubles.set(about, problem);
  }
}
