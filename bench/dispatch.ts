/**
 * Messages a second through `robot.receive`, beside stock Hubot doing the same: `node bench/dispatch.ts`.
 *
 * Ours goes the whole way of a command: recorded, middleware, name, grammar, typed argument, rate limit, permission, a read
 * command, answer into a chat. Both keep everything in memory. Contestants take turns, and the median of the rounds counts.
 */

import { Adapter, Robot as HubotRobot, TextMessage, type User } from 'hubot';
import pino from 'pino';
import { arg } from '../src/bot/args.ts';
import { command } from '../src/bot/command.ts';
import { createMetrics } from '../src/bot/metrics.ts';
import { createRateLimit } from '../src/bot/rate.ts';
import { Robot } from '../src/bot/robot.ts';
import { inMemoryCommands } from '../test/support/commands.ts';
import { MemoryChat } from '../test/support/room.ts';
import { type Goal, judge, markdown, median, rounded, type Table } from './figures.ts';

const ROUNDS = 7;
const ROUND_MS = 250;
/** With 1,000 commands at least so many times Hubot; both are measured in the same minute, so no noise is forgiven. */
const AHEAD = 5;
/** More commands must not slow down those that are run. */
const FLAT = 1;
const FLAT_TOLERANCE = 0.1;
const VERBS = ['restart', 'scale', 'drain', 'inspect', 'restore'] as const;

/** A robot, a user of it, and how many answers it has given. */
interface Contestant {
  readonly robot: HubotRobot;
  readonly user: User;
  answers(): number;
  forget(): void;
  /** What is said to it. */
  textOf(turn: number): string;
}

/** A prime step walks through all commands in an order that nothing can guess. */
function eachOf(commands: number): (turn: number) => string {
  return (turn) => `hubot ${words((turn * 7919) % commands)} web${turn % 50}`;
}

function words(index: number): string {
  return `service${Math.floor(index / VERBS.length)} ${VERBS[index % VERBS.length]}`;
}

function ours(commands: number, listeners = 0, textOf = eachOf(commands)): Contestant {
  const robot = new Robot(null, false, 'hubot', false, { logger: pino({ level: 'silent' }) });
  const chat = new MemoryChat(robot, 'ops');
  robot.addChat(chat);
  const metrics = createMetrics({ version: 'bench', database: 'none' }, () => Promise.reject(new Error('no database')));
  const surroundings = inMemoryCommands({
    policy: { everyone: ['machines:use'] },
    ports: { rate: createRateLimit(1e12), metrics: metrics.commands },
  });
  surroundings.prepare(robot, chat);
  robot.receiveMiddleware(async ({ response }) => {
    metrics.heard('test', robot.addressed(response.message) !== undefined);
    return true;
  });
  let answers = 0;
  for (let index = 0; index < commands; index++) {
    command(robot, {
      id: `machines.command${index}`,
      usage: `${words(index)} <node>`,
      summary: 'A command',
      examples: [],
      args: { node: arg.word() },
      effect: 'read',
      needs: 'machines:use',
      run({ args }) {
        answers++;
        return `done on ${args.node}`;
      },
    });
  }
  listen(robot, listeners);
  return {
    robot,
    user: robot.brain.userForId('test:alice', { name: 'alice', room: 'ops' }),
    answers: () => answers,
    forget: () => void chat.posts.splice(0),
    textOf,
  };
}

class StockChat extends Adapter {
  readonly said: string[] = [];
  override async send(_envelope: unknown, ...strings: string[]): Promise<void> {
    this.said.push(...strings);
  }
}

function stockRobot(): { robot: HubotRobot; chat: StockChat } {
  const robot = new HubotRobot(null, false, 'hubot', false);
  robot.logger = pino({ level: 'silent' });
  const chat = new StockChat(robot);
  robot.adapter = chat;
  return { robot, chat };
}

/** As published scripts do it: one `robot.respond` for each command. */
function stockListeners(commands: number, listeners = 0, textOf = eachOf(commands)): Contestant {
  const { robot, chat } = stockRobot();
  let answers = 0;
  for (let index = 0; index < commands; index++) {
    robot.respond(new RegExp(`${words(index)} (\\S+)$`, 'i'), async (response) => {
      answers++;
      await response.send(`done on ${response.match?.[1]}`);
    });
  }
  listen(robot, listeners);
  const user = robot.brain.userForId('alice', { name: 'alice', room: 'ops' });
  return { robot, user, answers: () => answers, forget: () => void chat.said.splice(0), textOf };
}

/** Conversation that plain Hubot scripts listen to. */
function listen(robot: HubotRobot, listeners: number): void {
  for (let index = 0; index < listeners; index++) {
    robot.hear(new RegExp(`\\btopic${index}\\b`, 'i'), async (response) => void (await response.send('heard')));
  }
}

/** Messages a second while `ROUND_MS` lasts. */
async function round(one: Contestant): Promise<number> {
  one.forget();
  const before = one.answers();
  const start = performance.now();
  let turn = 0;
  let expected = 0;
  while (performance.now() - start < ROUND_MS) {
    for (let batch = 0; batch < 20; batch++) {
      const text = one.textOf(turn++);
      if (text.startsWith('hubot ')) expected++;
      await one.robot.receive(new TextMessage(one.user, text, `message${turn}`));
    }
  }
  const seconds = (performance.now() - start) / 1000;
  if (one.answers() - before !== expected) throw new Error('not every command was answered');
  return turn / seconds;
}

/** Medians of alternating rounds, in the order of the contestants; the first round of each warms up. */
async function compare(contestants: readonly Contestant[]): Promise<number[]> {
  const rates = contestants.map((): number[] => []);
  for (let turn = 0; turn <= ROUNDS; turn++) {
    for (const [index, one] of contestants.entries()) {
      const rate = await round(one);
      if (turn > 0) rates[index]?.push(rate);
    }
  }
  for (const { robot } of contestants) robot.shutdown();
  return rates.map(median);
}

async function dispatch(): Promise<{ table: Table; goals: readonly Goal[] }> {
  const rows: string[][] = [];
  const row = (name: string, mine = Number.NaN, stock = Number.NaN): void => {
    rows.push([name, rounded(mine), rounded(stock), `${rounded(mine / stock)} ×`]);
  };
  // All in the same minute, so that they can be compared.
  const counts = [30, 300, 1000];
  const rates = await compare(counts.flatMap((count) => [ours(count), stockListeners(count)]));
  counts.forEach((count, index) => {
    row(`${count} commands`, rates[2 * index], rates[2 * index + 1]);
  });
  // Declared and not used: what a command costs those that are run. Used in turn: what the memory they touch costs.
  const same = await compare(counts.map((count) => ours(count, 0, eachOf(30))));
  counts.forEach((count, index) => {
    rows.push([`${count} commands, the same 30 in use`, rounded(same[index] ?? Number.NaN), '', '']);
  });
  const mixed = (turn: number): string =>
    turn % 5 === 0 ? `hubot ${words((turn * 7919) % 30)} web1` : `shall we look at the dashboard of part ${turn} now?`;
  const talk = await compare([ours(30, 30, mixed), stockListeners(30, 30, mixed)]);
  row('80 % conversation, 30 commands, 30 listeners', ...talk);
  const [many = Number.NaN, stock = Number.NaN] = rates.slice(-2);
  const [few = Number.NaN, , unused = Number.NaN] = same;
  const table: Table = {
    title: 'Dispatch, messages a second',
    head: ['', 'Shipmate', 'Hubot', 'ahead'],
    rows,
    notes: [
      `Through \`robot.receive\` to the answer, everything in memory, median of ${ROUNDS} alternating rounds of ${ROUND_MS} ms.`,
      'Hubot: one `robot.respond` for each command, without permissions, limits, metrics or history, which ours has.',
    ],
  };
  const goals: readonly Goal[] = [
    {
      what: '1,000 commands beside Hubot',
      measured: many / stock,
      unit: 'times',
      goal: { atLeast: AHEAD },
      tolerance: 0,
    },
    {
      what: '1,000 commands beside 30, the same 30 in use',
      measured: unused / few,
      unit: 'times',
      goal: { atLeast: FLAT },
      tolerance: FLAT_TOLERANCE,
    },
  ];
  return { table, goals };
}

const { table, goals } = await dispatch();
console.log(markdown(table));
judge(goals);
