/**
 * How long the real program takes to be ready, and what memory it holds: `node bench/start.ts`. First start means an empty
 * folder or database; "in use" is after 300 commands in the web chat.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { postgresPrograms, startPostgres } from '../test/support/postgres.ts';
import { markdown, median, type Table } from './figures.ts';
import { type Program, startProgram, withFolder } from './program.ts';
import { visit } from './visitor.ts';

const WARM_STARTS = 5;
const IDLE_MS = 10_000;
const PEOPLE = 20;
const EACH = 15;

interface Start {
  readonly readyMs: number;
  /** Megabytes. */
  readonly ready: number;
  readonly idle: number;
  readonly inUse: number;
  readonly most: number;
}

async function measure(data: string, databaseUrl: string | undefined): Promise<Start> {
  const program = await startProgram({ data, databaseUrl });
  try {
    await untilReady(program);
    const ready = program.memory().now;
    await sleep(IDLE_MS);
    const idle = program.memory().now;
    for (let person = 0; person < PEOPLE; person++) {
      const visitor = await visit(program, `person${person}`);
      for (let turn = 0; turn < EACH; turn++) await visitor.ask(turn % 2 === 0 ? 'whoami' : 'help');
      visitor.leave();
    }
    const { now: inUse, most } = program.memory();
    return { readyMs: program.readyMs, ready, idle, inUse, most };
  } finally {
    await program.stop();
  }
}

async function untilReady(program: Program): Promise<void> {
  const response = await fetch(`${program.url}/readyz`);
  if (!response.ok) throw new Error('it says that it is ready and is not');
}

/** Median over several starts with everything in place. */
async function warmMs(data: string, databaseUrl: string | undefined): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < WARM_STARTS; turn++) {
    const program = await startProgram({ data, databaseUrl });
    times.push(program.readyMs);
    await program.stop();
  }
  return median(times);
}

async function rows(name: string, databaseUrl?: string): Promise<string[][]> {
  return await withFolder(async (data) => {
    const first = await measure(data, databaseUrl);
    const readyMs = await warmMs(data, databaseUrl);
    const warm = await measure(data, databaseUrl);
    return [row(`${name}, first start`, first), row(`${name}, later`, { ...warm, readyMs })];
  });
}

function row(name: string, { readyMs, ready, idle, inUse, most }: Start): string[] {
  const megabytes = [ready, idle, inUse, most].map((value) => `${value.toFixed(0)} MB`);
  return [name, `${(readyMs / 1000).toFixed(2)} s`, ...megabytes];
}

async function startTable(): Promise<Table> {
  const all = await rows('embedded database');
  if (postgresPrograms()) {
    const server = await startPostgres();
    try {
      all.push(...(await rows('PostgreSQL server', await server.database())));
    } finally {
      await server.remove();
    }
  }
  return {
    title: 'Start and memory',
    head: ['', 'ready after', 'memory when ready', `after ${IDLE_MS / 1000} s idle`, 'in use', 'highest'],
    rows: all,
    notes: [
      `From the start of the process to its ready line; later starts: median of ${WARM_STARTS}. Resident memory (VmRSS, VmHWM); in`,
      `use: after ${PEOPLE * EACH} commands in the web chat. The server's own memory is not counted.`,
    ],
  };
}

console.log(markdown(await startTable()));
