/** Runs the program `git`: with a list of arguments, without a shell, without questions, bounded in time and output. */

import { spawn } from 'node:child_process';
import { SourceUnclear } from '../../../domain/deploy/source.ts';

export interface GitRun {
  readonly args: readonly string[];
  /** Handed to its standard input. */
  readonly input?: string;
  /** All that it sees; see {@link gitEnvironment}. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface GitEnded {
  /** Undefined if it was stopped. */
  readonly code: number | undefined;
  readonly stdout: string;
  /** The end of it. */
  readonly stderr: string;
}

const MOST_OUT = 4_000_000;
const MOST_ERR = 20_000;

/** Variables of the robot that `git` needs to reach others: home, keys, proxies, certificates. */
const HANDED_ON = [
  'PATH',
  'HOME',
  'SSH_AUTH_SOCK',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
];

/**
 * What `git` sees. It asks nobody, runs no program that an address names, answers in English, and takes its settings from here
 * before any file: see GIT_CONFIG_COUNT in git-config(1). So a secret in a setting is in no list of processes.
 */
export function gitEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  settings: readonly (readonly [name: string, value: string])[] = [],
): Readonly<Record<string, string>> {
  const handedOn = HANDED_ON.flatMap((name) => {
    const value = own[name];
    return value === undefined ? [] : [[name, value]];
  });
  const all = [
    ['credential.helper', ''],
    ['core.hooksPath', '/dev/null'],
    ['gc.autoDetach', 'false'],
    ['maintenance.autoDetach', 'false'],
    ['log.showSignature', 'false'],
    ...settings,
  ];
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...Object.fromEntries(handedOn),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=10',
    GIT_ALLOW_PROTOCOL: 'file:http:https:ssh',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(all.map(([name], index) => [`GIT_CONFIG_KEY_${index}`, name])),
    ...Object.fromEntries(all.map(([, value], index) => [`GIT_CONFIG_VALUE_${index}`, value])),
  };
}

/** Resolves when it has ended, and all that it started with it. @throws SourceUnclear if it cannot be started or says too much */
export async function runGit(run: GitRun): Promise<GitEnded> {
  const child = spawn('git', run.args, { env: run.environment, detached: true, stdio: 'pipe', windowsHide: true });
  const { pid } = child;
  const stop = () => stopGroup(pid);
  let isStopped = false;
  let isTooMuch = false;
  const out: Buffer[] = [];
  let size = 0;
  let stderr = '';
  child.stdout.on('data', (piece: Buffer) => {
    size += piece.length;
    if (size <= MOST_OUT) out.push(piece);
    else if (!isTooMuch) {
      isTooMuch = true;
      stop();
    }
  });
  child.stderr.on('data', (piece: Buffer) => {
    stderr = `${stderr}${piece.toString('utf8')}`.slice(-MOST_ERR);
  });
  // A program that does not want it may have closed it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(run.input ?? '');
  const end = () => {
    isStopped = true;
    stop();
  };
  const timer = setTimeout(end, run.timeoutMs);
  run.signal?.addEventListener('abort', end, { once: true });
  if (run.signal?.aborted) end();
  try {
    const code = await new Promise<number | undefined>((resolve, reject) => {
      child.once('error', (error) => reject(notStarted(error)));
      child.once('close', (ended) => resolve(ended ?? undefined));
    });
    if (isTooMuch) throw new SourceUnclear('git said more than can be read');
    return { code: isStopped ? undefined : code, stdout: Buffer.concat(out).toString('utf8'), stderr };
  } finally {
    clearTimeout(timer);
    run.signal?.removeEventListener('abort', end);
  }
}

function notStarted(error: Error): SourceUnclear {
  const isMissing = 'code' in error && error.code === 'ENOENT';
  const text = isMissing
    ? 'the program git is not installed where the robot runs'
    : 'the program git cannot be started';
  return new SourceUnclear(text, { cause: error });
}

function stopGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
