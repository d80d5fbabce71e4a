/** Loads scripts strictly: what does not load is a problem with a file, a cause and a next step, and all are collected. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { type LoadProblem, loadProblem } from './load-problem.ts';
import type { Robot } from './robot.ts';
import { importPackage, importScript, scriptOf } from './script-file.ts';

export type { LoadProblem } from './load-problem.ts';

export interface Loaded {
  /** Files and packages that loaded, in order. */
  readonly scripts: readonly string[];
  readonly problems: readonly LoadProblem[];
  /** Sentences worth logging: what was left out, and why. */
  readonly notes: readonly string[];
}

const SCRIPT = /\.(?:ts|mts|js|mjs|cjs|coffee)$/;
const NO_SCRIPT = /\.test\.[^.]+$|\.d\.ts$/;

/** Loads every script of a folder in name order; a folder that does not exist is a problem. Tests are skipped, subfolders are named. */
export async function loadScripts(robot: Robot, folder: string): Promise<Loaded> {
  const notes: string[] = [];
  const files: string[] = [];
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = join(folder, entry.name);
      if (entry.isDirectory()) notes.push(`${file} is a folder: scripts in it are not loaded`);
      else if (SCRIPT.test(entry.name) && !NO_SCRIPT.test(entry.name)) files.push(file);
    }
  } catch (error) {
    return failed({ ...(await loadProblem(folder, error)), next: 'make the folder, or name another one' });
  }
  return loadEach(files, async (file) => ({ ...(await loadScript(robot, file)), notes }), notes);
}

/** Loads one script file. */
export async function loadScript(robot: Robot, file: string): Promise<Loaded> {
  const path = resolve(file);
  return attempt(robot, path, async () => {
    const script = await importScript(path);
    await script(robot);
    robot.parseHelp(path);
  });
}

/** Loads the packages named in `external-scripts.json`: a list of names, or an object of names and options. No file: nothing. */
export async function loadExternalScripts(robot: Robot, file: string): Promise<Loaded> {
  const listed = await readJson(file);
  if (listed.kind !== 'read') return listed.kind === 'missing' ? nothing() : failed(listed.problem);
  const packages = packagesIn(listed.value);
  if (!packages) {
    const cause = 'it is neither a list of package names nor an object of them';
    return failed({ file, cause, next: 'write ["hubot-rules"]' });
  }
  return loadEach(packages, ([name, options]) => loadPackage(robot, name, options, file));
}

function packagesIn(listed: unknown): (readonly [string, unknown])[] | undefined {
  if (isRecord(listed)) return Object.entries(listed);
  if (!Array.isArray(listed) || !listed.every((name): name is string => typeof name === 'string')) return undefined;
  return listed.map((name) => [name, undefined] as const);
}

/** Loads the files named in `hubot-scripts.json` from the package `hubot-scripts`. No file: nothing. */
export async function loadHubotScripts(robot: Robot, file: string): Promise<Loaded> {
  const listed = await readJson(file);
  if (listed.kind !== 'read') return listed.kind === 'missing' ? nothing() : failed(listed.problem);
  if (!Array.isArray(listed.value) || !listed.value.every((name): name is string => typeof name === 'string'))
    return failed({ file, cause: 'it is not a list of file names', next: 'write ["ping.coffee"]' });
  if (listed.value.length === 0) return nothing();
  let folder: string;
  try {
    folder = join(dirname(createRequire(resolve(file)).resolve('hubot-scripts/package.json')), 'src', 'scripts');
  } catch {
    return failed({ file, cause: 'the package hubot-scripts is not installed', next: 'npm install hubot-scripts' });
  }
  return loadEach(listed.value, async (name) => {
    const exists = basename(name) === name && (await stat(join(folder, name)).catch(() => undefined))?.isFile();
    if (!exists)
      return failed({ file, cause: `hubot-scripts has no script ${name}`, next: 'name a file of its src/scripts' });
    return loadScript(robot, join(folder, name));
  });
}

/** Loads one package and everything that it loads in turn, awaited or not. */
async function loadPackage(robot: Robot, name: string, options: unknown, listedIn: string): Promise<Loaded> {
  return attempt(robot, name, async () => {
    const script = scriptOf(await importPackage(name, resolve(listedIn)));
    await (options === undefined ? script(robot) : script(robot, options));
  });
}

/** Runs one loading step and waits for all that it set off. */
async function attempt(robot: Robot, file: string, step: () => Promise<void>): Promise<Loaded> {
  const problems: LoadProblem[] = [];
  const before = fileCallbacks();
  try {
    await step();
  } catch (error) {
    problems.push(await loadProblem(file, error));
  }
  // Packages of old call `fs.exists(folder, → robot.loadFile(…))`: nothing to await, but Node knows that a callback is due.
  const late = performance.now() + 2000;
  do {
    while (fileCallbacks() > before && performance.now() < late) await new Promise<void>((next) => setImmediate(next));
    for (const load of robot.pendingLoads.splice(0)) {
      try {
        await load.work;
      } catch (error) {
        problems.push(await loadProblem(load.file, error));
      }
    }
  } while (robot.pendingLoads.length > 0 || (fileCallbacks() > before && performance.now() < late));
  return problems.length > 0 ? { scripts: [], problems, notes: [] } : { scripts: [file], problems, notes: [] };
}

function fileCallbacks(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'FSReqCallback').length;
}

async function loadEach<T>(
  items: readonly T[],
  load: (item: T) => Promise<Loaded>,
  notes: readonly string[] = [],
): Promise<Loaded> {
  const scripts: string[] = [];
  const problems: LoadProblem[] = [];
  for (const item of items) {
    const loaded = await load(item);
    scripts.push(...loaded.scripts);
    problems.push(...loaded.problems);
  }
  return { scripts, problems, notes };
}

function failed(problem: LoadProblem): Loaded {
  return { scripts: [], problems: [problem], notes: [] };
}

function nothing(): Loaded {
  return { scripts: [], problems: [], notes: [] };
}

type JsonFile = { kind: 'read'; value: unknown } | { kind: 'missing' } | { kind: 'broken'; problem: LoadProblem };

async function readJson(file: string): Promise<JsonFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { kind: 'missing' };
    return { kind: 'broken', problem: { ...(await loadProblem(file, error)), next: 'make the file readable' } };
  }
  try {
    return { kind: 'read', value: JSON.parse(text) };
  } catch (error) {
    const cause = `it is not valid JSON: ${error instanceof Error ? error.message : String(error)}`;
    const line = /line (\d+)/.exec(cause)?.[1];
    return {
      kind: 'broken',
      problem: { file, ...(line ? { line: Number(line) } : {}), cause, next: 'correct the JSON' },
    };
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
