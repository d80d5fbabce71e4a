/** A real Redis for tests: throw-away, on 127.0.0.1, ended by its own pid. */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './postgres.ts';

export interface Redis {
  readonly url: string;
  /** Ends the server; what it held is saved. */
  stop(): Promise<void>;
  /** Starts it again on the same port with what it held. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

export const REDIS_INSTALL = 'apt-get install redis-server';

/** Path of redis-server; undefined if it is not installed. */
export function redisProgram(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'redis-server')).find((path) => existsSync(path));
}

export async function startRedis(): Promise<Redis> {
  const program = redisProgram();
  if (!program) throw new Error(`Redis is not installed; install it with: ${REDIS_INSTALL}`);
  const folder = mkdtempSync(join(tmpdir(), 'shipmate-redis-'));
  const port = await freePort();
  const file = ['--dir', folder, '--dbfilename', 'dump.rdb', '--save', '3600 1'];
  let server: ReturnType<typeof spawn> | undefined;

  async function start(): Promise<void> {
    const child = spawn(program ?? '', ['--port', String(port), '--bind', '127.0.0.1', ...file], { stdio: 'ignore' });
    server = child;
    const deadline = Date.now() + 10_000;
    while (!(await answers(port))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error('Redis did not start');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function stop(): Promise<void> {
    const child = server;
    server = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    stop,
    async remove() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().startsWith('+PONG'));
    });
    socket.once('connect', () => socket.write('PING\r\n'));
  });
}
