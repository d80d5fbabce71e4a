/**
 * How long the real program takes to be ready, and what memory it holds: `node bench/start.ts`. First start means an empty
 * folder or database; "in use" is after 300 commands in the web chat and each of the four things that the robot is for: a
 * deploy, an alert, a search and a question.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { modelServer, says } from '../test/support/openai.ts';
import { postgresPrograms, startPostgres } from '../test/support/postgres.ts';
import { redisProgram, startRedis } from '../test/support/redis.ts';
import { type Goal, judge, markdown, median, type Table } from './figures.ts';
import { type Program, startProgram, withFolder } from './program.ts';
import { type Visitor, visit } from './visitor.ts';

const WARM_STARTS = 5;
const IDLE_MS = 10_000;
const PEOPLE = 20;
const EACH = 15;

const FIRST_MS = 4_000;
const WARM_MS = 1_500;
const EMBEDDED_MB = 350;
const SERVER_MB = 150;
/** A machine that does something else at the same time takes longer. */
const TIME_TOLERANCE = 0.25;
/** The same program differs by so much from one run to the next. */
const MEMORY_TOLERANCE = 0.05;

/** What it is started with. */
interface Setting {
  readonly name: string;
  readonly databaseUrl?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly goalMb: number;
}

interface Start {
  readonly readyMs: number;
  /** Megabytes. */
  readonly ready: number;
  readonly idle: number;
  readonly inUse: number;
  readonly most: number;
}

async function measure(data: string, { databaseUrl, environment }: Setting): Promise<Start> {
  const program = await startProgram({ data, databaseUrl, environment });
  try {
    await untilReady(program);
    const ready = program.memory().now;
    await sleep(IDLE_MS);
    const idle = program.memory().now;
    // The first to come in by the link is admin, and may do all of it.
    const admin = await visit(program, 'alice');
    await fourThings(admin);
    for (let person = 0; person < PEOPLE; person++) {
      const visitor = await visit(program, `person${person}`);
      for (let turn = 0; turn < EACH; turn++) await visitor.ask(turn % 2 === 0 ? 'whoami' : 'help');
      visitor.leave();
    }
    admin.leave();
    const { now: inUse, most } = program.memory();
    return { readyMs: program.readyMs, ready, idle, inUse, most };
  } finally {
    await program.stop();
  }
}

const FOUR_THINGS: readonly (readonly [command: string, answer: RegExp])[] = [
  ['deploy hello v1 to staging', /hello v1/],
  ['alerts test', /Test alert sent/],
  ['history search deploy since:1d', /History: \d+ message/],
  ['ask what do I do when KubePodCrashLooping fires?', /CrashLoop/],
];

async function fourThings(admin: Visitor): Promise<void> {
  for (const [command, wanted] of FOUR_THINGS) {
    const { answer } = await admin.ask(command);
    if (!wanted.test(answer)) throw new Error(`${command}: ${answer}`);
  }
}

async function untilReady(program: Program): Promise<void> {
  const response = await fetch(`${program.url}/readyz`);
  if (!response.ok) throw new Error('it says that it is ready and is not');
}

/** Median over several starts with everything in place. */
async function warmMs(data: string, { databaseUrl, environment }: Setting): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < WARM_STARTS; turn++) {
    const program = await startProgram({ data, databaseUrl, environment });
    times.push(program.readyMs);
    await program.stop();
  }
  return median(times);
}

interface Measured {
  readonly rows: readonly (readonly string[])[];
  readonly goals: readonly Goal[];
}

async function both(setting: Setting): Promise<Measured> {
  return await withFolder(async (data) => {
    const first = await measure(data, setting);
    const readyMs = await warmMs(data, setting);
    const warm = { ...(await measure(data, setting)), readyMs };
    const names = [`${setting.name}, first start`, `${setting.name}, later`] as const;
    return {
      rows: [row(names[0], first), row(names[1], warm)],
      goals: [
        ...goalsOf(names[0], first, FIRST_MS, setting.goalMb),
        ...goalsOf(names[1], warm, WARM_MS, setting.goalMb),
      ],
    };
  });
}

function row(name: string, { readyMs, ready, idle, inUse, most }: Start): string[] {
  const megabytes = [ready, idle, inUse, most].map((value) => `${value.toFixed(0)} MB`);
  return [name, `${(readyMs / 1000).toFixed(2)} s`, ...megabytes];
}

function goalsOf(name: string, { readyMs, most }: Start, ms: number, megabytes: number): readonly Goal[] {
  return [
    { what: `${name}, ready`, measured: readyMs, unit: 'ms', goal: { below: ms }, tolerance: TIME_TOLERANCE },
    { what: `${name}, memory`, measured: most, unit: 'MB', goal: { below: megabytes }, tolerance: MEMORY_TOLERANCE },
  ];
}

async function withServers(): Promise<readonly Measured[]> {
  const server = await startPostgres();
  const redis = redisProgram() ? await startRedis() : undefined;
  const model = await modelServer();
  try {
    const asked = { OPENAI_API_KEY: 'none', OPENAI_BASE_URL: model.url };
    const goalMb = SERVER_MB;
    const all = [await both({ name: 'PostgreSQL', databaseUrl: await server.database(), goalMb })];
    if (redis) {
      const environment = { REDIS_URL: redis.url };
      all.push(await both({ name: 'PostgreSQL, Redis', databaseUrl: await server.database(), environment, goalMb }));
    }
    const environment = { ...asked, ...(redis ? { REDIS_URL: `${redis.url}/model` } : {}) };
    // One answer for each of the two times that everything is done.
    model.prepare(says('Look at its log, CrashLoop. [1]'), says('Look at its log, CrashLoop. [1]'));
    const name = redis ? 'PostgreSQL, Redis, model' : 'PostgreSQL, model';
    all.push(await both({ name, databaseUrl: await server.database(), environment, goalMb }));
    return all;
  } catch (error) {
    // The model below would complain that it was not asked, and this would not be read.
    console.error(error);
    throw error;
  } finally {
    await model.finish().finally(() => Promise.all([server.remove(), redis?.remove()]));
  }
}

const measured = [await both({ name: 'embedded database', goalMb: EMBEDDED_MB })];
if (postgresPrograms()) measured.push(...(await withServers()));
const table: Table = {
  title: 'Start and memory',
  head: ['', 'ready after', 'memory when ready', `after ${IDLE_MS / 1000} s idle`, 'in use', 'highest'],
  rows: measured.flatMap(({ rows }) => rows),
  notes: [
    `From the start of the process to its ready line; later starts: median of ${WARM_STARTS}. Resident memory (VmRSS, VmHWM); in`,
    `use: after a deploy, a test alert, a search, a question and ${PEOPLE * EACH} commands in the web chat. The memory of servers is not counted.`,
  ],
};
console.log(markdown(table));
judge(measured.flatMap(({ goals }) => goals));
