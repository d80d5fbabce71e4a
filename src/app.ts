/** The composition root: the only file that knows every part. */

import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { HubotLogger } from 'hubot';
import { createOpenAiModel } from './adapters/ai/openai/client.ts';
import { createAlertTester } from './adapters/alerts/alertmanager/client.ts';
import { createKnowledgeFiles } from './adapters/knowledge/files.ts';
import { type Access, createAccess } from './bot/access.ts';
import { withApiPosts } from './bot/api-requests.ts';
import { createApiTokens } from './bot/api-tokens.ts';
import type { Names } from './bot/args.ts';
import { brainLoaded } from './bot/brain-loaded.ts';
import { plain } from './bot/card.ts';
import type { Address, ChatAdapter, Person } from './bot/chat.ts';
import { type Conversation, createConversation } from './bot/conversation.ts';
import { createDesk } from './bot/desk.ts';
import { createDispatch } from './bot/dispatch.ts';
import { fail } from './bot/errors.ts';
import { type GreetingFacts, greetingCard, WELCOME, WELCOME_WORDS } from './bot/greeting.ts';
import { type Loaded, loadExternalScripts, loadHubotScripts, loadScript, loadScripts } from './bot/load.ts';
import type { LoadProblem } from './bot/load-problem.ts';
import type { Logger } from './bot/log.ts';
import { createMetrics } from './bot/metrics.ts';
import { createPosts } from './bot/post.ts';
import { createProposalCards } from './bot/proposal-cards.ts';
import { createRateLimit } from './bot/rate.ts';
import { Robot } from './bot/robot.ts';
import type { Services } from './bot/services.ts';
import { createSurfaces } from './bot/surfaces.ts';
import { addressIn, checkAdapters, createChats, knownChats, shellOf, terminalPerson, WELCOME_ROOM } from './chats.ts';
import type { Config } from './config/config.ts';
import { createDeploying } from './deploying.ts';
import { API_CHAT } from './domain/access/token.ts';
import { createAlerts } from './domain/alerts/alerts.ts';
import { route } from './domain/alerts/route.ts';
import { alertWork } from './domain/alerts/work.ts';
import { createKnowledge } from './domain/ask/ask.ts';
import { besides } from './domain/deploy/afterwards.ts';
import { readLog } from './domain/deploy/log-path.ts';
import { foldName } from './domain/history/fold.ts';
import { createHistory } from './domain/history/history.ts';
import { prepareMessage } from './domain/history/prepare.ts';
import { createPeople } from './domain/people/people.ts';
import { redactContent } from './domain/privacy/content.ts';
import { redact } from './domain/privacy/redact.ts';
import { createDoors } from './doors.ts';
import { createGrantStore } from './storage/access.ts';
import { createAlertStore } from './storage/alerts.ts';
import { createApiRequestStore } from './storage/api-requests.ts';
import { createAskStore, defineAskRetention } from './storage/ask.ts';
import { createAuditStore } from './storage/audit.ts';
import { readBacklog } from './storage/backlog.ts';
import { attachBrain } from './storage/brain.ts';
import { postgresBrain } from './storage/brain-postgres.ts';
import { redisBrain } from './storage/brain-redis.ts';
import { openDatabase } from './storage/database.ts';
import { createFeedbackStore } from './storage/feedback.ts';
import { createJobs } from './storage/jobs.ts';
import { createMessageStore } from './storage/messages.ts';
import { migrate } from './storage/migrate.ts';
import { createPeopleStore } from './storage/people.ts';
import { createPostStore } from './storage/posts.ts';
import { createProposalStore } from './storage/proposals.ts';
import { createReplicas } from './storage/replicas.ts';
import { createSettings } from './storage/settings.ts';
import { createTokenStore } from './storage/tokens.ts';
import { databaseTrouble } from './storage/trouble.ts';

/** How long what is under way may take when the robot is told to stop, in milliseconds. */
const GRACE_MS = 10_000;
/** How long one line from a pipe is waited for: a deployment that it started included. */
const LINE_MS = 120_000;
const ASK_MEMORY_MS = 24 * 3_600_000;
const FEEDBACK_MS = 180 * 24 * 3_600_000;
const FIRST_PORT = 8080;
const LAST_PORT = 8089;

export interface AppOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: HubotLogger & Logger;
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** Told what is being done, for who waits in front of the terminal. */
  progress(text: string): void;
}

export interface App {
  readonly robot: Robot;
  /** Where HTTP listens; undefined if it is off. */
  readonly url: string | undefined;
  /** The link to the web chat; undefined if it is off. */
  readonly link: string | undefined;
  /** Where Alertmanager sends to, with the token if the robot made it itself; undefined if HTTP is off. */
  readonly hookUrl: string | undefined;
  /** Resolves when a terminal conversation is over. Never if there is none. */
  readonly ended: Promise<void>;
  /** Begins the conversation at the terminal, if there is one. */
  greetTerminal(): Promise<void>;
  /** Takes nothing new, finishes what is under way, stores everything, closes. */
  stop(): Promise<void>;
}

const NO_INVITATIONS: Services['invitations'] = {
  invite: async () => {
    throw fail('web.off', {});
  },
  inviteSelf: async () => {
    throw fail('web.off', {});
  },
};

/** Scripts that did not load; the messages say which, where, why, and what to do. */
export class ScriptsFailed extends Error {
  readonly problems: Loaded['problems'];
  constructor(problems: Loaded['problems']) {
    super(
      problems.map(({ file, line, cause, next }) => `${file}${line ? `:${line}` : ''}: ${cause}; ${next}`).join('\n'),
    );
    this.name = 'ScriptsFailed';
    this.problems = problems;
  }
}

/** Composes the robot and starts it. Throws an Error with a sentence for the operator when it cannot start. */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, log, progress } = options;
  const { variables } = config;
  const closers: (() => Promise<unknown>)[] = [];
  const now = () => new Date();
  const newId = () => randomUUID();
  const newReference = () => randomBytes(4).toString('hex');
  const isStorageTrouble = (error: unknown) => databaseTrouble(error) !== undefined;

  async function close(): Promise<void> {
    for (const closer of closers.splice(0).reverse()) {
      await closer().catch((error: unknown) => log.error({ err: error }, 'could not close a part'));
    }
  }

  try {
    progress(
      variables.DATABASE_URL ? 'connecting to the database' : `opening the database in ${variables.SHIPMATE_DATA}/`,
    );
    const database = await openDatabase({
      ...(variables.DATABASE_URL ? { url: variables.DATABASE_URL } : { folder: config.data }),
      log,
    });
    closers.push(() => database.close());
    await migrate(database);

    // What is kept
    const replicas = createReplicas(database, { log });
    const jobs = createJobs(database, { log, replicas });
    const settings = createSettings(database);
    const audit = createAuditStore(database, replicas.id);
    const proposals = createProposalStore(database, newProposalCode);
    const messages = createMessageStore(database, prepareMessage, foldName);
    const hookToken = variables.SHIPMATE_HOOK_TOKEN ?? (await settings.secret('hook-token'));
    const metrics = createMetrics({ version: options.version, database: database.kind }, () => readBacklog(database));

    // The robot and its chats
    const robot = createRobot(config, log);
    const localUrl = () => robot.httpServer?.localUrl() ?? '';
    const mainChat = () => robot.chats.get([...robot.chats.keys()][0] ?? '');
    const chat = (name?: string): ChatAdapter | undefined => (name === undefined ? mainChat() : robot.chats.get(name));
    const postStore = createPostStore(database);
    const apiRequests = createApiRequestStore(database);
    const delivered = createPosts({
      store: postStore,
      chat,
      replica: replicas.id,
      log,
      redact: redactContent,
      onDelivered: async (delivery, messageId, how) => {
        const { address, content } = delivery;
        if (how === 'posted') return await talk.keepOwn(delivery, messageId);
        await talk.keepChanged(address, content, messageId);
      },
    });
    const posts = withApiPosts(delivered, { store: apiRequests, redact: redactContent, newKey: newId });
    const address = addressIn(() => mainChat()?.chat ?? 'web');
    const beside = async (rooms: readonly string[], origin: Address): Promise<readonly Address[]> => {
      // What a program is told is shown in the room of its token.
      const seen = origin.chat === API_CHAT ? (await apiRequests.get(origin.room))?.room : origin;
      return besides(rooms.map(address), seen ?? origin);
    };

    // People and what they may do
    const people = createPeople({
      store: createPeopleStore(database),
      chats: knownChats(config),
      isUsed: (handle) => Object.hasOwn(config.access.groups, handle),
      changed: () => database.bus.publish('people', { from: replicas.id }),
      now,
      log,
    });
    database.bus.subscribe('people', () => people.forget());
    database.bus.onGap(() => people.forget());
    const tokenStore = createTokenStore(database);
    const access = createAccess({
      policy: withOwner(config),
      store: createGrantStore(database),
      people,
      tokens: tokenStore,
      changed: () => database.bus.publish('access', { from: replicas.id }),
      now,
    });
    database.bus.subscribe('access', () => access.forget());

    // Domains
    const history = createHistory({
      store: messages,
      link: (message) => chat(message.chat)?.permalink({ chat: message.chat, room: message.room }, message.messageId),
      escape: plain,
      ...(variables.SHIPMATE_HISTORY_DAYS === undefined ? {} : { keepDays: variables.SHIPMATE_HISTORY_DAYS }),
    });
    jobs.define('history.retention', {}, async () => void (await history.removeExpired(now())));
    const deploying = await createDeploying({
      config,
      database,
      replica: replicas.id,
      jobs,
      posts,
      audit,
      access,
      metrics,
      name: robot.name,
      log,
      now,
      beside,
      isPrivate: async (room) => (await chat(room.chat)?.room(room.room))?.private === true,
      refreshAlert: (number) => alerts.refresh(number),
    });
    closers.push(() => deploying.close());
    const ownFile = (path: string) => readLog(deploying.services.deploys, path);
    const work = alertWork(jobs, () => alerts);
    const alerts = createAlerts({
      store: createAlertStore(database),
      tester: createAlertTester({ url: () => localUrl(), token: hookToken, now }),
      post: posts.post,
      address,
      rooms: (labels) => route(config.alerts, labels),
      watcher: deploying.watch,
      resolveTestLater: work.resolveTestLater,
      redact,
      now,
      newId,
      log,
    });
    const askMemory = createAskStore(database, { retentionMs: ASK_MEMORY_MS });
    const feedback = createFeedbackStore(database, { retentionMs: FEEDBACK_MS });
    const askRetention = defineAskRetention(jobs, [askMemory, feedback], now);
    const runbooks = createKnowledgeFiles({
      folder: config.runbooks,
      contextFile: join(config.configFolder, 'context.md'),
      baseUrl: () => variables.SHIPMATE_PUBLIC_URL ?? localUrl(),
      log,
    });
    const knowledge = createKnowledge({
      source: runbooks,
      model:
        variables.OPENAI_API_KEY || variables.OPENAI_BASE_URL
          ? createOpenAiModel({
              apiKey: variables.OPENAI_API_KEY,
              baseUrl: variables.OPENAI_BASE_URL,
              model: variables.OPENAI_MODEL,
            })
          : undefined,
      memory: askMemory,
      feedback,
      redact,
      now,
      log,
    });

    // Commands
    const tokens = createApiTokens({
      store: tokenStore,
      access,
      baseUrl: () => (robot.shouldEnableHttpd ? (variables.SHIPMATE_PUBLIC_URL ?? localUrl()) : undefined),
      random: randomBytes,
      now,
    });
    const names = namesOf(config, robot, messages, () => mainChat()?.chat ?? '');
    // What a program asks for is no secret of its own.
    const roomAt = async ({ chat: name, room }: Address) =>
      name === API_CHAT ? { chat: name, id: room, name: API_CHAT, private: false } : await chat(name)?.room(room);
    const cards = createProposalCards({
      proposals,
      access,
      room: roomAt,
      direct: async (person) => await robot.chats.get(person.chat)?.direct?.(person),
      proposed: async ({ id, kind, expiresAt }) => {
        const startAfterSeconds = (expiresAt.getTime() - now().getTime()) / 1000 + 1;
        await jobs.send('proposal.settle', {}, { startAfterSeconds, key: `proposal:${id}` });
        if (kind === 'approve') await jobs.send('proposal.invite', { id }, { key: `proposal:${id}` });
      },
      post: posts.post,
      now,
      log,
    });
    jobs.define<{ id: number }>('proposal.invite', { retries: 5 }, ({ id }) => cards.invite(id));
    jobs.define('proposal.settle', { retries: 5 }, () => cards.settle());
    const dispatch = createDispatch({
      table: robot.table,
      names,
      services: () => services,
      access,
      audit,
      proposals,
      cards,
      rate: createRateLimit(variables.SHIPMATE_RATE_LIMIT),
      metrics: metrics.commands,
      log,
      post: posts.post,
      redact,
      now,
      newReference,
      isAlone: async (room) => (await chat(room.chat)?.room(room.room))?.direct === true,
      isStorageTrouble,
    });
    const talk = createConversation({
      dispatch,
      log,
      robot,
      chat,
      remember: async (message) => void (await history.record(message)),
      change: async ({ chat: name, room }, messageId, text, shown) =>
        void (await messages.update(name, room, messageId, text, shown)),
      keepsItself: (name) => name === 'web',
      post: posts.post,
      live: postStore,
      isStorageTrouble,
      now,
      newReference,
      newNonce: newId,
    });
    robot.pipeline = talk.pipeline;
    robot.receiveMiddleware(async (context) => {
      const { message } = context.response;
      metrics.heard(message.chat ?? 'unknown', robot.addressed(message) !== undefined);
      return true;
    });

    const chats = await createChats({
      config,
      robot,
      database,
      messages,
      history,
      people,
      posts,
      metrics,
      surfaces: createSurfaces({ table: robot.table, access, names, services: () => services, now }),
      access,
      names,
      replica: replicas.id,
      log,
      input: options.input,
      output: options.output,
      now,
      localUrl,
      ownFile,
      greet: (person, direct) => greet(talk, access, config, robot, person, direct),
      settled: async () => {
        await jobs.idle(LINE_MS);
        await posts.flushed(LINE_MS);
      },
    });
    const { web } = chats;
    const services: Services = {
      access,
      alerts,
      audit,
      commands: createDesk({
        robotName: robot.name,
        table: robot.table,
        proposals,
        cards,
        access,
        dispatch,
        others: () => robot.helpCommands(),
        room: roomAt,
        post: posts.post,
      }),
      ...deploying.services,
      history,
      invitations: web ?? NO_INVITATIONS,
      people,
      tokens,
      knowledge: {
        ...knowledge,
        async ask(...question) {
          const answer = await knowledge.ask(...question);
          metrics.asked(answer.origin);
          return answer;
        },
      },
    };

    // Scripts, strictly, with the brain loaded before
    const brainStorage = variables.REDIS_URL ? await redisBrain(variables.REDIS_URL, { log }) : postgresBrain(database);
    closers.push(() => brainStorage.close());
    const brain = await attachBrain(robot.brain, brainStorage, { log });
    closers.push(() => brain.close());
    await robot.prepare();
    progress('loading scripts');
    await chats.add();
    const { problems, scripts } = await loadEverything(robot, config, log);
    if (problems.length > 0) throw new ScriptsFailed(problems);
    const unready = await brainLoaded(robot, scripts);
    if (unready.length > 0) throw new ScriptsFailed(unready);

    let running = false;
    const doors = createDoors({
      config,
      robot,
      database,
      jobs,
      dispatch,
      tokens,
      apiRequests,
      alerts,
      hooks: deploying.hooks,
      runbooks,
      ownFile,
      hookToken,
      metrics,
      log,
      now,
      newId,
      newReference,
      isStorageTrouble,
      admits: async (request) => (await web?.admits(request)) === true,
      isRunning: () => running,
    });

    // What a killed replica left behind
    replicas.onLost(async (lost) => void (await audit.interrupt(lost, now())));
    replicas.onLost((lost) => deploying.interrupt(lost));
    replicas.onLost(async () => {
      await doors.hooks.recover();
      await alerts.catchUp();
    });
    replicas.onLost((lost) => chats.resume(lost));
    replicas.onLost(async (lost) => {
      await postStore.release(lost);
      posts.wake();
    });

    // First what works off what is stored, then the doors: whatever comes in belongs to a replica that others know.
    await replicas.announce();
    closers.push(() => replicas.stop());
    posts.start();
    closers.push(() => posts.stop());
    await jobs.start();
    closers.push(async () => {
      await jobs.idle(GRACE_MS);
      await jobs.stop();
    });
    await replicas.start();
    closers.push(() => robot.close(GRACE_MS));
    // Before the server waits for its open connections.
    closers.push(() => Promise.race([doors.close(), delay(GRACE_MS, undefined, { ref: false })]));
    closers.push(() => Promise.race([chats.close(), delay(GRACE_MS, undefined, { ref: false })]));
    await robot.run();
    await Promise.all([
      doors.hooks.start(),
      doors.start(),
      work.start(),
      deploying.start(),
      jobs.schedule('proposal.settle', '* * * * *'),
      askRetention.schedule(),
      jobs.schedule('history.retention', '17 3 * * *'),
      // A robot that is restarted every day, or off at night, would never come to it.
      jobs.send('history.retention', {}, { key: 'at start' }),
    ]);
    robot.emit('scripts have loaded', robot);
    running = true;
    deploying.prepare();

    return {
      robot,
      url: robot.shouldEnableHttpd ? localUrl() : undefined,
      link: web?.link(),
      hookUrl: robot.shouldEnableHttpd
        ? `${localUrl()}/hooks/alertmanager${variables.SHIPMATE_HOOK_TOKEN === undefined ? `/${hookToken}` : ''}`
        : undefined,
      ended: shellOf(robot)?.ended ?? new Promise(() => undefined),
      greetTerminal: async () => {
        const person = terminalPerson(config);
        const facts = await greetingFacts(access, config, robot, person);
        const said = await history.search({ text: `"${WELCOME_WORDS}"`, viewer: person.id, now: now() });
        if (said.kind === 'nothing') await talk.say({ chat: 'shell', room: 'shell' }, WELCOME);
        shellOf(robot)?.greet(greetingCard({ ...facts, inTerminal: true }));
      },
      stop: async () => {
        running = false;
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Four hexadecimal digits, the first a letter: `cancel` takes the number of a deployment as well. */
function newProposalCode(): string {
  return `${'abcdef'.charAt(randomInt(6))}${randomBytes(2).toString('hex').slice(1)}`;
}

/** Loads every script and adapter without opening a database or listening; for `--check`. */
export async function checkScripts(config: Config, log: HubotLogger & Logger): Promise<Loaded> {
  const robot = createRobot(config, log);
  const problems = [...(await checkAdapters(config)), ...(await prepareProblems(robot))];
  try {
    // Without HTTP, every script that has a route would be one more problem.
    if (!robot.httpServer) return { scripts: [], problems, notes: [] };
    const loaded = await loadEverything(robot, config, log);
    return { ...loaded, problems: [...problems, ...loaded.problems] };
  } finally {
    robot.shutdown();
  }
}

async function prepareProblems(robot: Robot): Promise<readonly LoadProblem[]> {
  try {
    await robot.prepare();
    return [];
  } catch (error) {
    const cause = `HTTP cannot be prepared: ${error instanceof Error ? error.message : String(error)}`;
    return [{ file: 'environment', cause, next: 'check PORT and the EXPRESS_ variables' }];
  }
}

/** Opens the database and brings its tables up to date; for `migrate`. Returns what was applied. */
export async function migrateDatabase(config: Config, log: Logger): Promise<readonly string[]> {
  const url = config.variables.DATABASE_URL;
  const database = await openDatabase({ ...(url ? { url } : { folder: config.data }), log });
  try {
    return await migrate(database);
  } finally {
    await database.close();
  }
}

function createRobot(config: Config, log: HubotLogger & Logger): Robot {
  const { variables, http } = config;
  return new Robot(null, http.enabled, variables.HUBOT_NAME, variables.HUBOT_ALIAS ?? false, {
    logger: log,
    http: {
      host: http.host,
      ...(http.port === undefined ? { port: FIRST_PORT, lastPort: LAST_PORT } : { port: http.port }),
      limit: variables.EXPRESS_LIMIT,
      parameterLimit: variables.EXPRESS_PARAMETER_LIMIT,
      ...(variables.EXPRESS_STATIC ? { static: variables.EXPRESS_STATIC } : {}),
      ...(variables.EXPRESS_USER && variables.EXPRESS_PASSWORD
        ? { basicAuth: { user: variables.EXPRESS_USER, password: variables.EXPRESS_PASSWORD } }
        : {}),
    },
  });
}

async function loadEverything(robot: Robot, config: Config, log: Logger): Promise<Loaded> {
  const found: Loaded[] = [
    await loadScripts(robot, join(config.root, 'scripts')),
    await loadHubotScripts(robot, join(config.root, 'hubot-scripts.json')),
    await loadExternalScripts(robot, join(config.root, 'external-scripts.json')),
  ];
  for (const path of config.variables.HUBOT_SCRIPTS) {
    const more = resolve(config.root, path);
    found.push(/\.\w+$/.test(more) ? await loadScript(robot, more) : await loadScripts(robot, more));
  }
  const all = {
    scripts: found.flatMap((each) => each.scripts),
    problems: found.flatMap((each) => each.problems),
    notes: found.flatMap((each) => each.notes),
  };
  for (const note of all.notes) log.warn({ note }, 'script left out');
  return all;
}

/** Whoever sits at the terminal that the robot runs in is its owner. */
function withOwner(config: Config): Config['access'] {
  if (!config.chats.includes('shell')) return config.access;
  const owner = `shell:${config.variables.HUBOT_SHELL_USER_ID}`;
  const roles = [...new Set([...(config.access.people[owner] ?? []), 'admin'])];
  return { ...config.access, people: { ...config.access.people, [owner]: roles } };
}

function namesOf(
  config: Config,
  robot: Robot,
  messages: ReturnType<typeof createMessageStore>,
  mainChat: () => string,
): Names {
  const { services, environments } = config.services;
  return {
    services: () => services.map((each) => each.name),
    environments: (service) =>
      services.find((each) => each.name === service)?.environments ?? environments.map((each) => each.name),
    people: async () =>
      Object.values(robot.brain.users()).map((user): Person => {
        const { id, name } = user;
        const [, prefix] = /^([\w-]+):/.exec(id) ?? [];
        // The web chat's ids are whole; other chats call somebody what they like.
        if (user['chat'] === undefined && prefix === 'web' && robot.chats.has(prefix))
          return { id, chat: prefix, name };
        const chat = typeof user['chat'] === 'string' ? user['chat'] : mainChat();
        return { id: `${chat}:${id}`, chat, name };
      }),
    rooms: async () => {
      const known = await Promise.all([...robot.chats.keys()].map((chat) => messages.roomsOf(chat, '')));
      return known.flat().map((room) => room.name);
    },
  };
}

async function greet(
  talk: Conversation,
  access: Access,
  config: Config,
  robot: Robot,
  person: Person,
  direct: Address,
): Promise<void> {
  const greeting = greetingCard(await greetingFacts(access, config, robot, person));
  // Said once: the chat knows it by its nonce.
  await talk.say({ chat: direct.chat, room: WELCOME_ROOM }, WELCOME, { nonce: 'welcome' });
  await talk.say(direct, greeting, { nonce: `greeting:${person.id}` });
}

async function greetingFacts(access: Access, config: Config, robot: Robot, person: Person): Promise<GreetingFacts> {
  const [service] = config.services.services;
  const environment = service?.environments.at(-1);
  const isAdmin = (await access.rolesOf(person)).includes('admin');
  const sample = service && environment !== undefined ? { service: service.name, environment } : undefined;
  const mayTry =
    (environment === undefined || (await access.can(person, `deploy:${environment}`))) &&
    (await access.can(person, 'alerts:test'));
  return { robotName: robot.name, sample, isAdmin, mayTry };
}
