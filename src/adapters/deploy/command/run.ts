/** Runs one program to its end, watched, bounded in time and memory. */

import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createLines } from '../lines.ts';
import { parseReport } from './schema.ts';

const GUARD = fileURLToPath(new URL('guard.mjs', import.meta.url));

export interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly signal?: AbortSignal;
  /**
   * Ends the program when the robot dies: for what changes something. It takes the start of another Node, some 40 ms, which a question
   * that somebody waits for does not need.
   */
  readonly guard?: {
    /** Stands, with the process group in it, for as long as the program is at work. */
    readonly pidFile: string;
  };
  stdout(line: string): void;
  stderr(line: string): void;
}

export type Ended =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'missing' | 'not_executable' | 'not_started'; readonly code: string };

/** How long output may still come after the program has ended, for example from something that it left running. */
const DRAIN_MS = 500;

/** Resolves when the program has ended; never throws for anything that the program does. */
export async function runProgram(run: Run): Promise<Ended> {
  if (run.signal?.aborted) return { kind: 'aborted' };
  const child = start(run);
  const spawned = await new Promise<string | undefined>((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', (error) => resolve('code' in error ? String(error.code) : 'UNKNOWN'));
  });
  const { pid } = child;
  if (spawned !== undefined || pid === undefined) return await notStarted(run, spawned ?? 'UNKNOWN');
  const channel = child.stdio[3];
  child.stdin?.on('error', () => undefined);
  const out = createLines(run.stdout);
  const err = createLines(run.stderr);
  child.stdout?.on('data', out.write);
  child.stderr?.on('data', err.write);
  const reported = channel && 'read' in channel ? readAll(channel).catch(() => '') : undefined;
  const exited = new Promise<Ended>((resolve) =>
    child.once('exit', (code, signal) =>
      resolve(signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal }),
    ),
  );
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));

  let stopped: 'timeout' | 'aborted' | undefined;
  let kill: NodeJS.Timeout | undefined;
  const stop = (why: 'timeout' | 'aborted') => {
    if (stopped) return;
    stopped = why;
    signalGroup(pid, 'SIGTERM');
    kill = setTimeout(() => signalGroup(pid, 'SIGKILL'), run.graceMs);
  };
  const timeout = setTimeout(() => stop('timeout'), run.timeoutMs);
  const onAbort = () => stop('aborted');
  run.signal?.addEventListener('abort', onAbort, { once: true });

  const own = await exited;
  clearTimeout(timeout);
  clearTimeout(kill);
  run.signal?.removeEventListener('abort', onAbort);
  // Nothing of a stopped program goes on; the guard, the leader of the group, is gone already, the group may not be.
  if (stopped) signalGroup(pid, 'SIGKILL');
  let drain: NodeJS.Timeout | undefined;
  const drained = new Promise<void>((resolve) => {
    drain = setTimeout(resolve, DRAIN_MS);
  });
  await Promise.race([closed, drained]);
  clearTimeout(drain);
  out.end();
  err.end();
  channel?.destroy();
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.stdin?.destroy();
  if (stopped) return { kind: stopped };
  return reported === undefined ? own : ending(await reported);
}

function start({ program, args, folder, environment, graceMs, guard }: Run): ChildProcess {
  const options = { cwd: folder, env: environment, detached: true, windowsHide: true };
  if (guard === undefined) {
    return spawn(programOf(program), args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  }
  const all = [GUARD, String(graceMs), guard.pidFile, programOf(program), ...args];
  return spawn(process.execPath, all, { ...options, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
}

async function notStarted({ folder, guard }: Run, code: string): Promise<Ended> {
  if (code !== 'ENOENT') return failed(code);
  // A guard is this Node itself, which is there.
  const isFolder = guard === undefined && (await stat(folder).catch(() => undefined))?.isDirectory() === true;
  return isFolder ? failed(code) : { kind: 'not_started', code: 'FOLDER' };
}

function failed(code: string): Ended {
  if (code === 'ENOENT') return { kind: 'missing', code };
  return { kind: code === 'EACCES' ? 'not_executable' : 'not_started', code };
}

function ending(text: string): Ended {
  const report = parseReport(text);
  if (report === undefined) return { kind: 'signal', signal: 'SIGKILL' };
  return report.kind === 'error' ? failed(report.code) : report;
}

/** `node` is the Node that runs the robot, which need not be the first one on PATH. */
function programOf(program: string): string {
  return program === 'node' ? process.execPath : program;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended in the meantime.
  }
}
