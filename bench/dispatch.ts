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
import { markdown, median, rounded, type Table } from './figures.ts';

const ROUNDS = 7;
const ROUND_MS = 250;
const VERBS = ['restart', 'scale', 'drain', 'inspect', 'restore'] as const;

/** A robot, a user of it, and how many answers it has given. */
interface Contestant {
  readonly robot: HubotRobot;
  readonly user: User;
  answers(): number;
  forget(): void;
}

function words(index: number): string {
  return `service${Math.floor(index / VERBS.length)} ${VERBS[index % VERBS.length]}`;
}

function ours(commands: number, listeners = 0): Contestant {
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

function contestant(robot: HubotRobot, chat: StockChat, answers: () => number): Contestant {
  const user = robot.brain.userForId('alice', { name: 'alice', room: 'ops' });
  return { robot, user, answers, forget: () => void chat.said.splice(0) };
}

/** As published scripts do it: one `robot.respond` for each command. */
function stockListeners(commands: number, listeners = 0): Contestant {
  const { robot, chat } = stockRobot();
  let answers = 0;
  for (let index = 0; index < commands; index++) {
    robot.respond(new RegExp(`${words(index)} (\\S+)$`, 'i'), async (response) => {
      answers++;
      await response.send(`done on ${response.match?.[1]}`);
    });
  }
  listen(robot, listeners);
  return contestant(robot, chat, () => answers);
}

/** Conversation that plain Hubot scripts listen to. */
function listen(robot: HubotRobot, listeners: number): void {
  for (let index = 0; index < listeners; index++) {
    robot.hear(new RegExp(`\\btopic${index}\\b`, 'i'), async (response) => void (await response.send('heard')));
  }
}

/** Messages a second while `ROUND_MS` lasts. */
async function round(one: Contestant, textOf: (turn: number) => string): Promise<number> {
  one.forget();
  const before = one.answers();
  const start = performance.now();
  let turn = 0;
  let expected = 0;
  while (performance.now() - start < ROUND_MS) {
    for (let batch = 0; batch < 20; batch++) {
      const text = textOf(turn++);
      if (text.startsWith('hubot ')) expected++;
      await one.robot.receive(new TextMessage(one.user, text, `message${turn}`));
    }
  }
  const seconds = (performance.now() - start) / 1000;
  if (one.answers() - before !== expected) throw new Error('not every command was answered');
  return turn / seconds;
}

/** Medians of alternating rounds, in the order of the contestants; the first round of each warms up. */
async function compare(contestants: readonly Contestant[], textOf: (turn: number) => string): Promise<number[]> {
  const rates = contestants.map((): number[] => []);
  for (let turn = 0; turn <= ROUNDS; turn++) {
    for (const [index, one] of contestants.entries()) {
      const rate = await round(one, textOf);
      if (turn > 0) rates[index]?.push(rate);
    }
  }
  for (const { robot } of contestants) robot.shutdown();
  return rates.map(median);
}

async function dispatchTable(): Promise<Table> {
  const rows: string[][] = [];
  const row = (name: string, [mine = 0, stock = 0]: number[]): void => {
    rows.push([name, rounded(mine), rounded(stock), `${rounded(mine / stock)} ×`]);
  };
  for (const count of [30, 300, 1000]) {
    // A prime step walks through all commands in an order that nothing can guess.
    const textOf = (turn: number): string => `hubot ${words((turn * 7919) % count)} web${turn % 50}`;
    row(`${count} commands`, await compare([ours(count), stockListeners(count)], textOf));
  }
  const mixed = (turn: number): string =>
    turn % 5 === 0 ? `hubot ${words((turn * 7919) % 30)} web1` : `shall we look at the dashboard of part ${turn} now?`;
  row('80 % conversation, 30 commands, 30 listeners', await compare([ours(30, 30), stockListeners(30, 30)], mixed));
  return {
    title: 'Dispatch, messages a second',
    head: ['', 'Shipmate', 'Hubot', 'ahead'],
    rows,
    notes: [
      `Through \`robot.receive\` to the answer, everything in memory, median of ${ROUNDS} alternating rounds of ${ROUND_MS} ms.`,
      'Hubot: one `robot.respond` for each command, without permissions, limits, metrics or history, which ours has.',
    ],
  };
}

console.log(markdown(await dispatchTable()));
