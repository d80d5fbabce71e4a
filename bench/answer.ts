/**
 * From a typed command to its answer in the web chat of the real program, over a real WebSocket: `node bench/answer.ts`.
 * Both the command and the answer are in the database by then. Beside it, stock Hubot that keeps nothing.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { WebSocket } from 'ws';
import { postgresPrograms, startPostgres } from '../test/support/postgres.ts';
import { markdown, median, quantile, type Table } from './figures.ts';
import { startProgram, withFolder } from './program.ts';
import { type Taken, visit } from './visitor.ts';

/** The web chat lets a person say 20 things at once, then two a second: many people, each below that. */
const PEOPLE = 20;
const EACH = 15;
const COMMAND = 'whoami';

interface Answers {
  readonly taken: readonly Taken[];
  /** Transactions in the database for one command; undefined where they cannot be counted. */
  readonly queries?: number;
}

async function program(data: string, databaseUrl?: string): Promise<Answers> {
  const running = await startProgram({ data, databaseUrl });
  try {
    const visitors = [];
    for (let person = 0; person < PEOPLE; person++) visitors.push(await visit(running, `person${person}`));
    for (const visitor of visitors) for (let turn = 0; turn < 3; turn++) await visitor.ask(COMMAND);
    const before = databaseUrl === undefined ? 0 : await transactions(databaseUrl);
    const taken: Taken[] = [];
    for (let turn = 0; turn < EACH; turn++) for (const visitor of visitors) taken.push(await visitor.ask(COMMAND));
    const after = databaseUrl === undefined ? 0 : await transactions(databaseUrl);
    for (const visitor of visitors) visitor.leave();
    return { taken, ...(databaseUrl === undefined ? {} : { queries: (after - before) / taken.length }) };
  } finally {
    await running.stop();
  }
}

/** PostgreSQL publishes its counts about once a second. */
async function transactions(url: string): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ count: string }>(
    'select xact_commit as count from pg_stat_database where datname = current_database()',
  );
  await client.end();
  return Number(rows[0]?.count);
}

async function hubot(): Promise<Answers> {
  const child = spawn(process.execPath, [new URL('hubot-web.ts', import.meta.url).pathname], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const port = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    await new Promise((resolve) => socket.once('open', resolve));
    const taken: Taken[] = [];
    for (let turn = -60; turn < PEOPLE * EACH; turn++) {
      const sent = performance.now();
      const answer = new Promise((resolve) => socket.once('message', resolve));
      socket.send(`hubot ${COMMAND}`);
      await answer;
      if (turn >= 0) taken.push({ stored: Number.NaN, answered: performance.now() - sent, answer: '' });
    }
    socket.close();
    return { taken };
  } finally {
    child.kill();
  }
}

async function answerTable(): Promise<Table> {
  const rows: string[][] = [];
  const row = (name: string, { taken, queries }: Answers): void => {
    const stored = taken.map((one) => one.stored);
    const answered = taken.map((one) => one.answered);
    const ms = (value: number): string => (Number.isNaN(value) ? 'no storage' : `${value.toFixed(1)} ms`);
    rows.push([
      name,
      ms(median(stored)),
      ms(median(answered)),
      ms(quantile(answered, 0.99)),
      queries === undefined ? '' : queries.toFixed(1),
    ]);
  };
  row('Shipmate, embedded database', await withFolder((folder) => program(folder)));
  if (postgresPrograms()) {
    const server = await startPostgres();
    try {
      const url = await server.database();
      row('Shipmate, PostgreSQL server', await withFolder((folder) => program(folder, url)));
    } finally {
      await server.remove();
    }
  }
  row('Hubot, nothing kept', await hubot());
  return {
    title: 'A typed command in the web chat',
    head: ['', 'stored', 'answered, median', '99th percentile', 'transactions'],
    rows,
    notes: [
      `\`${COMMAND}\`, ${PEOPLE * EACH} times, by ${PEOPLE} people in turn, over WebSockets on this machine. "Stored" is the`,
      'acknowledgement of what was typed; the answer is stored as well before it is shown. Transactions: database round trips',
      'of one command, from the typed line to the answer that everybody who may see it has seen.',
    ],
  };
}

console.log(markdown(await answerTable()));
