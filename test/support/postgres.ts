/** A real PostgreSQL for the whole test run: a throw-away cluster on 127.0.0.1, stopped at the end by its own pid. */

import { type ExecFileException, execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';

export interface Postgres {
  readonly port: number;
  /** Makes a new, empty database and gives its address. */
  database(): Promise<string>;
  /** Ends the server as a crash would, waits until it is gone. */
  stop(): Promise<void>;
  /** Starts it again on the same port with the same data. */
  start(): Promise<void>;
  /** Removes everything. */
  remove(): Promise<void>;
}

export const POSTGRES_INSTALL = 'apt-get install postgresql';

let shared: Promise<Postgres> | undefined;

/** The folder with initdb and postgres; undefined if PostgreSQL is not installed. */
export function postgresPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** The cluster that all tests of this run share; it ends with the run. */
export function sharedPostgres(): Promise<Postgres> {
  shared ??= startPostgres();
  return shared;
}

export async function stopSharedPostgres(): Promise<void> {
  const running = shared;
  shared = undefined;
  await (await running)?.remove();
}

/**
 * A cluster of a test's own, for tests that stop it.
 *
 * @param options `encrypted`: it also takes encrypted connections, with a certificate that it has signed itself
 */
export async function startPostgres(options: { readonly encrypted?: boolean } = {}): Promise<Postgres> {
  const programs = postgresPrograms();
  if (!programs) throw new Error(`PostgreSQL is not installed; install it with: ${POSTGRES_INSTALL}`);
  const folder = mkdtempSync(join(tmpdir(), 'shipmate-postgres-'));
  const data = join(folder, 'data');
  chmodSync(folder, 0o777);
  const user = process.getuid?.() === 0 ? await postgresUser() : {};
  await run(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    user,
  );
  if (options.encrypted) {
    const [key, certificate] = [join(data, 'server.key'), join(data, 'server.crt')];
    const named = ['-subj', '/CN=db.example.com', '-keyout', key, '-out', certificate];
    await run('openssl', ['req', '-new', '-x509', '-nodes', '-newkey', 'rsa:2048', '-days', '2', ...named], user);
  }
  const port = await freePort();
  let server: ReturnType<typeof spawn> | undefined;

  async function start(): Promise<void> {
    const args = ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
    const tuned = ['-c', 'fsync=off', '-c', 'shared_buffers=16MB', '-c', 'max_connections=200'];
    if (options.encrypted) tuned.push('-c', 'ssl=on');
    const child = spawn(join(programs ?? '', 'postgres'), [...args, ...tuned], {
      ...user,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    server = child;
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
    const deadline = Date.now() + 20_000;
    while (!(await answers(port))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`PostgreSQL did not start: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  async function stop(): Promise<void> {
    const child = server;
    server = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGQUIT');
    await gone;
  }

  await start();
  return {
    port,
    async database() {
      const name = `test_${process.pid}_${++counter}`;
      const client = new pg.Client(address(port, 'postgres'));
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return address(port, name);
    },
    start,
    stop,
    async remove() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

let counter = 0;

function address(port: number, database: string): string {
  return `postgres://postgres@127.0.0.1:${port}/${database}`;
}

async function answers(port: number): Promise<boolean> {
  const client = new pg.Client(address(port, 'postgres'));
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const found = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof found !== 'object' || found === null) throw new Error('no free port');
  return found.port;
}

/** PostgreSQL does not run as root. */
async function postgresUser(): Promise<{ uid: number; gid: number }> {
  const uid = Number(await run('id', ['-u', 'postgres'], {}));
  const gid = Number(await run('id', ['-g', 'postgres'], {}));
  return { uid, gid };
}

function run(program: string, args: string[], options: { uid?: number; gid?: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { ...options, cwd: '/' }, (error: ExecFileException | null, stdout, stderr) => {
      if (error) reject(new Error(`${program}: ${stderr || error.message}`));
      else resolve(stdout);
    });
  });
}
