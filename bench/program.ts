/** The real program, `bin/shipmate`, as a process of its own with a folder of its own. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../test/support/postgres.ts';

const ROOT = resolve(import.meta.dirname, '..');

export interface Program {
  /** Milliseconds from the start of the process until it said that it is ready. */
  readonly readyMs: number;
  readonly url: string;
  /** The link to the web chat. */
  readonly link: string;
  /** Resident memory in megabytes: now, and the most there ever was. NaN where the system does not tell. */
  memory(): { readonly now: number; readonly most: number };
  /** Asks it to end, and waits until it is gone. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  /** Where it keeps its files. */
  readonly data: string;
  readonly databaseUrl?: string | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

export async function startProgram({ data, databaseUrl, environment }: ProgramOptions): Promise<Program> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, [join(ROOT, 'bin/shipmate')], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: data,
      PORT: String(port),
      SHIPMATE_DATA: data,
      SHIPMATE_CONFIG: join(ROOT, 'test/fixtures/config'),
      SHIPMATE_RUNBOOKS: join(ROOT, 'test/fixtures/runbooks'),
      // Node keeps what it compiled: a new machine has nothing of it yet.
      NODE_COMPILE_CACHE: join(data, 'compiled'),
      HUBOT_LOG_LEVEL: 'error',
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...environment,
    },
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  const link = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = /http:\S+\?token=\S+/.exec(said)?.[0];
      if (found) resolve(found);
    });
    void gone.then(() => reject(new Error(`the program ended: ${said}`)));
  });
  return {
    readyMs: performance.now() - began,
    url: new URL(link).origin,
    link,
    memory: () => memoryOf(child.pid),
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function memoryOf(pid: number | undefined): { now: number; most: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const megabytes = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
    return { now: megabytes('VmRSS'), most: megabytes('VmHWM') };
  } catch {
    return { now: Number.NaN, most: Number.NaN };
  }
}

/** Runs the work with an empty folder that is gone afterwards. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'shipmate-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
