/** The target `command`: deploys by running programs of the team's own. See docs/guide/deploy.md. */

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../../../domain/deploy/duration.ts';
import {
  CUT_OFF,
  type Live,
  type Target,
  type TargetOutcome,
  type TargetRequest,
  type TargetRun,
  TargetUnclear,
} from '../../../domain/deploy/target.ts';
import type { CommandTargetConfig } from '../../../domain/deploy/targets/command.ts';
import { progressOf } from '../lines.ts';
import { environmentOf, fill, type Values } from './arguments.ts';
import { type Ended, runProgram } from './run.ts';
import { parseCurrent, parseVersions } from './schema.ts';

export interface CommandTargetOptions {
  readonly service: string;
  readonly config: CommandTargetConfig;
  /** Relative folders of the configuration start here. */
  readonly root: string;
  /** The robot's data folder; each service gets one of its own in it. */
  readonly dataFolder: string;
  /** The robot's environment, from which only a few variables are handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Between SIGTERM and SIGKILL; 5 s unless said otherwise. */
  readonly graceMs?: number;
}

/** `current` and `versions` must answer while somebody waits. */
const QUERY_TIMEOUT_MS = 15_000;
const QUERY_OUTPUT = 1_000_000;

export function createCommandTarget(options: CommandTargetOptions): Target {
  const { config } = options;
  const graceMs = options.graceMs ?? 5_000;
  const folder = resolve(options.root, config.folder);
  const own = join(resolve(options.root, options.dataFolder), 'services', options.service);
  const mask = maskOf(config.pass, options.environment);

  function environment(request: Partial<TargetRequest>): Record<string, string> {
    return environmentOf(options.environment, config.pass, config.variables, {
      SHIPMATE_SERVICE: options.service,
      SHIPMATE_SERVICE_DATA: own,
      ...(request.environment === undefined ? {} : { SHIPMATE_ENVIRONMENT: request.environment }),
      ...(request.version === undefined ? {} : { SHIPMATE_VERSION: request.version }),
      ...(request.deployment === undefined ? {} : { SHIPMATE_DEPLOYMENT: String(request.deployment) }),
    });
  }

  const pidFile = (place: string) => join(own, `${place}.running`);

  async function deploy(request: TargetRequest, run: TargetRun): Promise<TargetOutcome> {
    const filled = fill(config.deploy, request);
    if (filled.kind === 'refused') return { kind: 'failed', code: 'value', text: filled.text };
    await mkdir(own, { recursive: true, mode: 0o700 });
    const line = (text: string) => {
      const shown = mask(text);
      const progress = progressOf(shown);
      if (progress === undefined) run.output(shown);
      else run.progress(progress);
    };
    const ended = await runProgram({
      program: filled.program,
      args: filled.args,
      folder,
      environment: environment(request),
      timeoutMs: config.timeoutMs,
      graceMs,
      signal: run.signal,
      guard: { pidFile: pidFile(request.environment) },
      stdout: line,
      stderr: line,
    });
    await rm(pidFile(request.environment), { force: true });
    if (ended.kind === 'exit' && ended.code === 0) return { kind: 'succeeded' };
    if (ended.kind === 'aborted') return CUT_OFF;
    return { kind: 'failed', code: ended.kind, text: describe(ended, filled.program, config) };
  }

  /** Runs one of the programs that only say something. @throws TargetUnclear */
  async function query(list: readonly string[], what: string, place: string | undefined): Promise<string> {
    const values: Values = { service: options.service, environment: place ?? '', version: '' };
    const filled = fill(list, values);
    if (filled.kind === 'refused') throw new TargetUnclear(`the program for “${what}” was not run: ${filled.text}`);
    await mkdir(own, { recursive: true, mode: 0o700 });
    const lines: string[] = [];
    let size = 0;
    let complaint = '';
    const ended = await runProgram({
      program: filled.program,
      args: filled.args,
      folder,
      environment: environment(place === undefined ? {} : { environment: place }),
      timeoutMs: QUERY_TIMEOUT_MS,
      graceMs: 1_000,
      stdout(line) {
        size += line.length + 1;
        if (size <= QUERY_OUTPUT) lines.push(line);
      },
      stderr(line) {
        if (line.trim() !== '') complaint = mask(line).slice(0, 200);
      },
    });
    if (ended.kind === 'exit' && ended.code === 0 && size <= QUERY_OUTPUT) return lines.join('\n');
    const why =
      size > QUERY_OUTPUT
        ? 'it printed too much'
        : describe(ended, filled.program, { ...config, timeoutMs: QUERY_TIMEOUT_MS });
    throw new TargetUnclear(
      `the program for “${what}” gave no answer: ${why}${complaint === '' ? '' : ` (${complaint})`}`,
    );
  }

  async function current(_service: string, place: string): Promise<Live | 'unsupported' | undefined> {
    if (config.current === undefined) return 'unsupported';
    const parsed = parseCurrent(await query(config.current, 'current', place));
    if (parsed === undefined) throw new TargetUnclear('the program for “current” did not print {"version": "…"} or {}');
    const { version, since } = parsed;
    return version === undefined ? undefined : { version, ...(since === undefined ? {} : { since }) };
  }

  async function versions(): Promise<readonly string[] | 'unsupported'> {
    if (config.versions === undefined) return 'unsupported';
    const parsed = parseVersions(await query(config.versions, 'versions', undefined));
    if (parsed === undefined) throw new TargetUnclear('the program for “versions” printed no list of versions');
    return parsed;
  }

  /** The guard of a killed robot ends its program within the grace time, so this wait has an end. */
  async function settle(_service: string, place: string): Promise<void> {
    const text = await readFile(pidFile(place), 'utf8').catch(() => '');
    const pid = Number(text);
    if (!Number.isSafeInteger(pid) || pid <= 1) return;
    const steps = (graceMs + 2_000) / 50;
    for (let step = 0; step < steps && isAlive(pid); step += 1) await sleep(50);
    await rm(pidFile(place), { force: true });
  }

  return { kind: 'command', deploy, current, versions, settle };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** How it ended, as a clause. */
function describe(ended: Ended, program: string, config: CommandTargetConfig): string {
  switch (ended.kind) {
    case 'exit':
      return `the program ended with exit code ${ended.code}`;
    case 'signal':
      return `the program was ended by ${ended.signal}`;
    case 'timeout':
      return `the program took longer than ${duration(config.timeoutMs)} and was stopped`;
    case 'aborted':
      return 'the program was stopped';
    case 'missing':
      return `the program ${program} was not found${program.includes('/') ? '' : ' on PATH'}`;
    case 'not_executable':
      return `the program ${program} is not executable`;
    case 'not_started':
      return ended.code === 'FOLDER'
        ? `the folder ${config.folder} is not there`
        : `the program ${program} could not be started (${ended.code})`;
  }
}

/** Blots out the values of variables that were passed on: they are often tokens. */
export function maskOf(
  pass: readonly string[],
  own: Readonly<Record<string, string | undefined>>,
): (line: string) => string {
  const secrets = pass
    .map((name) => ({ name, value: own[name] ?? '' }))
    .filter(({ value }) => value.length >= 6)
    .sort((a, b) => b.value.length - a.value.length);
  return (line) => secrets.reduce((text, { name, value }) => text.replaceAll(value, `[${name}]`), line);
}
