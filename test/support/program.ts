/** The real program: `bin/shipmate` in a process of its own, with a data folder of its own, ended by its own pid. */

import { type ChildProcess, spawn } from 'node:child_process';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './postgres.ts';
import { Client, comeIn, newId } from './web-client.ts';

const ROOT = resolve(import.meta.dirname, '../..');
export const BIN = join(ROOT, 'bin/shipmate');
export const HOOK_TOKEN = 'token-for-hooks-in-tests';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Program {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** The link of the web chat; there once it is ready, unless a public address is set. */
  readonly link: string;
  /** Everything that it has written to standard error so far. */
  log(): string;
  /** How it ended; undefined while it runs. */
  exit(): Exit | undefined;
  /** Sends the signal to this one process and waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<Exit>;
}

export interface ProgramOptions {
  readonly data: string;
  /** A free one unless given; the same for a restart, so that cookies stay good. */
  readonly port?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folder of the project. */
  readonly root?: string;
}

function environment(options: ProgramOptions, port: number): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    PORT: String(port),
    SHIPMATE_DATA: options.data,
    SHIPMATE_HOOK_TOKEN: HOOK_TOKEN,
    SHIPMATE_RATE_LIMIT: '100000',
    // The sample configuration: a team's own is no matter of tests.
    ...(options.root === undefined && {
      SHIPMATE_CONFIG: join(ROOT, 'test/fixtures/config'),
      SHIPMATE_RUNBOOKS: join(ROOT, 'test/fixtures/runbooks'),
    }),
    ...options.env,
  };
}

/** Starts it and returns at once. */
export async function launch(options: ProgramOptions): Promise<Program> {
  const port = options.port ?? (await freePort());
  const child = spawn(process.execPath, [BIN, ...(options.args ?? [])], {
    cwd: options.root ?? ROOT,
    env: environment(options, port),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('bin/shipmate cannot be started');
  alive.add(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  let gone: Exit | undefined;
  const ended = endOf(child).then((exit) => {
    gone = exit;
    return exit;
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    pid,
    port,
    url,
    get link() {
      return /Web chat, for this machine: +(\S+)/.exec(said)?.[1] ?? '';
    },
    log: () => said,
    exit: () => gone,
    async end(signal) {
      child.kill(signal);
      return await ended;
    },
  };
}

/** Starts it and waits until `/readyz` says that it is ready. */
export async function start(options: ProgramOptions): Promise<Program> {
  const program = await launch(options);
  await ready(program);
  return program;
}

/** Waits until it is ready; throws with what it said if it ends before. */
export async function ready(program: Program, ms = 30_000): Promise<void> {
  await eventually(
    async () => {
      if (program.exit()) return true;
      const told = program.link !== '' || /\n(?:Listening on |HTTP: )/.test(program.log());
      return told && (await status(program, '/readyz')) === 200;
    },
    Boolean,
    ms,
  ).catch((error: unknown) => {
    throw new Error(`not ready: ${String(error)}\n${program.log().slice(-4_000)}`);
  });
  const gone = program.exit();
  if (gone) throw new Error(`ended before it was ready, code ${gone.code}: ${program.log().slice(-4_000)}`);
}

const alive = new Set<ChildProcess>();

function endOf(child: ChildProcess): Promise<Exit> {
  return new Promise((done) =>
    child.once('close', (code, signal) => {
      alive.delete(child);
      done({ code, signal });
    }),
  );
}

/** Ends what a failed test has left running, each by its own pid. */
export async function endAll(): Promise<void> {
  await Promise.all(
    [...alive].map(async (child) => {
      const gone = endOf(child);
      child.kill('SIGKILL');
      await gone;
    }),
  );
}

// When a hook of a test has failed, what it should have ended is left.
after(endAll);

/** Runs it to its end, with this on standard input. */
export async function run(
  args: readonly string[],
  options: Omit<ProgramOptions, 'args'> & { readonly input?: string; readonly node?: string },
): Promise<Exit & { readonly out: string; readonly err: string }> {
  const child = spawn(options.node ?? process.execPath, [BIN, ...args], {
    cwd: options.root ?? ROOT,
    env: environment(options, options.port ?? (await freePort())),
    stdio: 'pipe',
  });
  alive.add(child);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return { ...(await endOf(child)), out, err };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** One HTTP request on a connection of its own; rejects if no answer comes. */
export function send(
  program: Pick<Program, 'port'>,
  method: string,
  path: string,
  options: { readonly headers?: Record<string, string>; readonly body?: string | Buffer; readonly ms?: number } = {},
): Promise<Answer> {
  return new Promise((done, fail) => {
    let answered = false;
    const sent = request(
      { host: '127.0.0.1', port: program.port, method, path, headers: options.headers, agent: false },
      (response) => {
        answered = true;
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('error', fail);
        response.on('close', () => done({ status: response.statusCode ?? 0, body, headers: response.headers }));
      },
    );
    sent.setTimeout(options.ms ?? 20_000, () => sent.destroy(new Error('no answer in time')));
    // The server may hang up on a body that is too large after it has answered.
    sent.on('error', (error) => (answered ? undefined : fail(error)));
    sent.end(options.body);
  });
}

/** Status of a GET; 0 if nobody answers. */
export async function status(program: Pick<Program, 'port'>, path: string): Promise<number> {
  return await send(program, 'GET', path).then(
    (answer) => answer.status,
    () => 0,
  );
}

/** Posts a notification as Alertmanager does. */
export async function alert(program: Pick<Program, 'port'>, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${HOOK_TOKEN}` };
  const answer = await send(program, 'POST', '/hooks/alertmanager', { headers, body: JSON.stringify(body) });
  return answer.status;
}

/** What Alertmanager sends of one group with one alert in it. */
export function notification(name: string, state: 'firing' | 'resolved', startsAt: Date): object {
  const labels = { alertname: name, severity: 'critical' };
  const alerts = [
    {
      status: state,
      labels: { ...labels, instance: 'web-1' },
      annotations: { summary: `${name} on web-1` },
      startsAt: startsAt.toISOString(),
      endsAt: state === 'resolved' ? new Date(startsAt.getTime() + 60_000).toISOString() : '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example.com/graph',
      fingerprint: Buffer.from(name).toString('hex').padEnd(16, '0').slice(-16),
    },
  ];
  return {
    version: '4',
    groupKey: `{}:{alertname="${name}"}`,
    truncatedAlerts: 0,
    status: state,
    receiver: 'shipmate',
    groupLabels: { alertname: name },
    commonLabels: labels,
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example.com',
    alerts,
  };
}

/** What became of a message that was sent: acknowledged with its id, refused with a reason, or nobody knows. */
export type Said =
  | { readonly kind: 'stored'; readonly id: number }
  | { readonly kind: 'refused'; readonly problem: string }
  | { readonly kind: 'lost' };

/** A person in the web chat, over real HTTP and a real WebSocket, who comes back after every restart. */
export class Guest {
  readonly name: string;
  cookie = '';
  client: Client | undefined;
  #program: Program | undefined;
  #closed: Promise<undefined> = new Promise(() => undefined);
  #asked = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Enters with the link of the machine, the first time, and connects. */
  async connect(program: Program): Promise<Client> {
    if (this.cookie === '') this.cookie = await comeIn(program, this.name);
    const client = new Client(program, { cookie: this.cookie, origin: program.url });
    await eventually(
      () => client.frames.some((frame) => frame.t === 'welcome') || client.closed !== undefined || client.refused,
    );
    if (!client.frames.some((frame) => frame.t === 'welcome')) {
      throw new Error(`${this.name} could not connect: ${client.refused ?? client.closed}`);
    }
    this.client = client;
    this.#closed = new Promise((done) => client.ws.once('close', () => done(undefined)));
    this.#program = program;
    return client;
  }

  /** The connection, made again if it has ended: what a browser does by itself. */
  async back(): Promise<Client> {
    if (this.client && this.client.closed === undefined) return this.client;
    if (!this.#program) throw new Error(`${this.name} was never connected`);
    return await this.connect(this.#program);
  }

  /** Says something; the same id says the same message again. */
  async say(
    room: string,
    text: string,
    options: { readonly id?: string; readonly thread?: number } = {},
  ): Promise<Said> {
    const { id = newId(), thread } = options;
    for (;;) {
      const said = await this.#say(room, text, id, thread);
      // The chat lets a person say two things a second, after the first twenty.
      if (said.kind !== 'refused' || !said.problem.includes('a lot at once')) return said;
      const refused = Date.now();
      await eventually(() => Date.now() - refused > 300);
    }
  }

  async #say(room: string, text: string, id: string, thread: number | undefined): Promise<Said> {
    const { client } = this;
    if (!client || client.closed !== undefined || client.ws.readyState !== client.ws.OPEN) return { kind: 'lost' };
    const from = client.frames.length;
    client.send({ t: 'say', id, room, text, ...(thread !== undefined && { thread }) });
    for (;;) {
      const said = await eventually(
        () => {
          for (const frame of client.frames.slice(from)) {
            if (frame.t === 'ack' && frame.id === id) return { kind: 'stored', id: frame.message } as const;
            if (frame.t === 'refused' && frame.id === id)
              return { kind: 'refused', problem: frame.problem.text } as const;
          }
          return client.closed === undefined ? undefined : ({ kind: 'lost' } as const);
        },
        Boolean,
        30_000,
      );
      if (said) return said;
    }
  }

  /** Every message of a room from that one on. */
  async read(room: string, after: number): Promise<readonly { readonly id: number; readonly html: string }[]> {
    const found: { id: number; html: string }[] = [];
    for (let last = Math.max(1, after); ; ) {
      // The chat lets a page ask twenty times a second.
      await eventually(() => Date.now() - this.#asked >= 60);
      this.#asked = Date.now();
      const client = await this.back();
      const asked = client.ask({ t: 'history', room, after: last }, 'history');
      // If the connection ends meanwhile, it is asked again over the next one.
      asked.catch(() => undefined);
      const page = await Promise.race([asked, this.#closed]);
      if (page === undefined) continue;
      found.push(...page.messages.map((message) => ({ id: message.id, html: JSON.stringify(message) })));
      last = page.messages.at(-1)?.id ?? last;
      if (!page.newer || page.messages.length === 0) return found;
    }
  }
}
