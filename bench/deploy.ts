/**
 * From a typed `deploy web v2 to production` to the calls that arrive at the target, through the real program: `node bench/deploy.ts`.
 * The first call asks what is live; the one that begins the rollout comes after the deployment is stored, has its card and is claimed by
 * one replica. Beside it, a stock Hubot script that posts to the same address and keeps nothing.
 */

import { execFileSync, spawn } from 'node:child_process';
import { createReadStream, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { postgresPrograms, startPostgres } from '../test/support/postgres.ts';
import { type Answered, createMemoryEngine } from './engine.ts';
import { type Goal, judge, markdown, median, quantile, type Table } from './figures.ts';
import { startProgram, withFolder } from './program.ts';
import { visit } from './visitor.ts';

/** The web chat lets a person say 20 things at once, then two a second: many people, each below that. */
const PEOPLE = 20;
const EACH = 3;
const WARM_UPS = 10;

const GOAL_MS = 50;
/** A machine that does something else at the same time takes longer. */
const TOLERANCE = 0.25;

/** A call as it arrives, in milliseconds of `performance.now()` of this process. */
interface Call {
  readonly at: number;
  /** It begins the rollout; others only ask. */
  readonly begins: boolean;
}

type Hear = (call: Call) => void;

interface Place {
  /** The target of the service in `config/services.yaml`, as JSON, which is YAML. */
  readonly target: object;
  close(): Promise<void>;
}

async function listen(answer: (request: IncomingMessage, body: string) => Answered): Promise<[Server, number]> {
  const server = createServer(async (request, response) => {
    const [status, body] = answer(request, await text(request));
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return [server, address.port];
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function webhook(hear: Hear): Promise<Place> {
  let live: string | undefined;
  const [server, port] = await listen((request, body) => {
    const begins = request.method === 'POST';
    hear({ at: performance.now(), begins });
    if (begins) live = JSON.parse(body).version;
    return [200, begins || live === undefined ? {} : { version: live }];
  });
  const address = `http://127.0.0.1:${port}`;
  const target = { kind: 'webhook', deploy: `${address}/deploys`, current: `${address}/live`, secret_from: 'SECRET' };
  return { target, close: () => closed(server) };
}

async function docker(hear: Hear): Promise<Place> {
  const engine = createMemoryEngine();
  const [server, port] = await listen((request, body) => {
    hear({ at: performance.now(), begins: request.url?.includes('/containers/create') ?? false });
    return engine(request, body);
  });
  const here = `127.0.0.1:${port}`;
  const target = { kind: 'docker', engine: `tcp://${here}`, image: 'web:{version}', health: { tcp: here } };
  return { target, close: () => closed(server) };
}

/** The programs tell through a pipe that they have started. */
async function command(hear: Hear, folder: string): Promise<Place> {
  mkdirSync(folder);
  const [pipe, program, live] = [join(folder, 'pipe'), join(folder, 'call'), join(folder, 'live')];
  execFileSync('mkfifo', [pipe]);
  writeFileSync(live, '{}');
  const words = [
    '#!/bin/sh',
    `echo "$1" >'${pipe}'`,
    `[ "$1" = deploy ] || exec cat '${live}'`,
    `echo "{\\"version\\":\\"$2\\"}" >'${live}'`,
  ];
  writeFileSync(program, `${words.join('\n')}\n`, { mode: 0o755 });
  // Open for writing, too, so that it does not end with its first writer.
  const told = createReadStream('', { fd: openSync(pipe, 'r+') });
  createInterface({ input: told }).on('line', (line) => hear({ at: performance.now(), begins: line === 'deploy' }));
  const target = { kind: 'command', folder, deploy: [program, 'deploy', '{version}'], current: [program, 'current'] };
  return {
    target,
    async close() {
      // Whoever reads from a pipe of which nothing comes is ended by a last line.
      writeFileSync(pipe, '\n');
      told.destroy();
    },
  };
}

interface Calls {
  /** Milliseconds from sending the typed line. */
  readonly first: readonly number[];
  readonly begins: readonly number[];
}

/** Deploys so often to each of the places, one after the other. */
async function shipmate(databaseUrl?: string): Promise<ReadonlyMap<string, Calls>> {
  return await withFolder(async (folder) => {
    let calls: Call[] = [];
    const hear: Hear = (call) => calls.push(call);
    const places: Readonly<Record<string, Place>> = {
      docker: await docker(hear),
      webhook: await webhook(hear),
      command: await command(hear, join(folder, 'programs')),
    };
    const services = Object.fromEntries(Object.entries(places).map(([name, { target }]) => [name, { target }]));
    const config = join(folder, 'config');
    mkdirSync(config);
    writeFileSync(join(config, 'services.yaml'), JSON.stringify({ environments: { production: {} }, services }));
    writeFileSync(join(config, 'access.yaml'), JSON.stringify({ everyone: ['deploy:production'] }));
    const environment = { SHIPMATE_CONFIG: config, SHIPMATE_RATE_LIMIT: '100000', SECRET: 'of-the-measurement' };
    const program = await startProgram({ data: join(folder, 'data'), databaseUrl, environment });
    try {
      const visitors = [];
      for (let person = 0; person < PEOPLE; person++) visitors.push(await visit(program, `person${person}`));
      const found = new Map<string, Calls>();
      for (const service of Object.keys(places)) {
        const [first, begins]: [number[], number[]] = [[], []];
        for (let turn = -WARM_UPS; turn < PEOPLE * EACH; turn++) {
          calls = [];
          const began = performance.now();
          const version = `v${(turn + WARM_UPS) % 2}`;
          const visitor = visitors[(turn + WARM_UPS) % PEOPLE];
          await visitor?.ask(`deploy ${service} ${version} to production`, new RegExp(`${version} is live in`));
          if (turn < 0) continue;
          first.push((calls[0]?.at ?? Number.NaN) - began);
          begins.push((calls.find((call) => call.begins)?.at ?? Number.NaN) - began);
        }
        found.set(service, { first, begins });
      }
      for (const visitor of visitors) visitor.leave();
      return found;
    } finally {
      await program.stop();
      for (const { close } of Object.values(places)) await close();
    }
  });
}

/** What one would write instead: a script of stock Hubot that posts to the same address. */
async function hubot(): Promise<readonly number[]> {
  let arrived = Number.NaN;
  const [server, port] = await listen(() => {
    arrived = performance.now();
    return [200, {}];
  });
  const child = spawn(
    process.execPath,
    [new URL('hubot-web.ts', import.meta.url).pathname, `http://127.0.0.1:${port}/deploys`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const chat = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    const socket = new WebSocket(`ws://127.0.0.1:${chat}`);
    await new Promise((resolve) => socket.once('open', resolve));
    const taken: number[] = [];
    for (let turn = -WARM_UPS; turn < PEOPLE * EACH; turn++) {
      const sent = performance.now();
      const answer = new Promise((resolve) => socket.once('message', resolve));
      socket.send('hubot deploy web v2 to production');
      await answer;
      if (turn >= 0) taken.push(arrived - sent);
    }
    socket.close();
    return taken;
  } finally {
    child.kill();
    await closed(server);
  }
}

const rows: string[][] = [];
const goals: Goal[] = [];

function report(database: string, found: ReadonlyMap<string, Calls>): void {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  for (const [kind, { first, begins }] of found) {
    const name = `${kind}, ${database}`;
    rows.push([name, ms(median(first)), ms(quantile(first, 0.99)), ms(median(begins)), ms(quantile(begins, 0.99))]);
    const goal = { below: GOAL_MS };
    goals.push({ what: `${name}, first call`, measured: median(first), unit: 'ms', goal, tolerance: TOLERANCE });
  }
}

report('embedded database', await shipmate());
if (postgresPrograms()) {
  const server = await startPostgres();
  try {
    report('PostgreSQL server', await shipmate(await server.database()));
  } finally {
    await server.remove();
  }
}
const stock = await hubot();
const posted = [median(stock), quantile(stock, 0.99)].map((value) => `${value.toFixed(1)} ms`);
rows.push(['Hubot and axios, nothing kept', ...posted, ...posted]);

const table: Table = {
  title: 'From a typed deploy to its target',
  head: ['', 'first call, median', '99th percentile', 'rollout begins, median', '99th percentile'],
  rows,
  notes: [
    `\`deploy web v2 to production\`, ${PEOPLE * EACH} times for each kind of target, by ${PEOPLE} people in turn, in the web chat over`,
    'WebSockets, each after the one before had ended. The first call asks what is live. Before the rollout begins, the deployment is stored,',
    'its card is posted, and one replica has claimed it and asked again what is live.',
  ],
};
console.log(markdown(table));
judge(goals);
