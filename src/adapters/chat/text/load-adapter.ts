/** Finding a Hubot adapter by the name or the file that a Hubot user gives. */

import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Adapter } from 'hubot';
import type { Robot } from '../../../bot/robot.ts';
import { importFile, importPackage, isInstalled, NotAScript } from '../../../bot/script-file.ts';

/** The one adapter that Hubot itself brings along, besides its shell. */
const CAMPFIRE: string = 'hubot/src/adapters/Campfire.mjs';

/** Why an adapter did not load, and what to do. */
export class AdapterProblem extends Error {
  readonly next: string;
  constructor(message: string, next: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AdapterProblem';
    this.next = next;
  }
}

export interface AdapterSource {
  readonly adapter: string;
  readonly file?: string;
  /** Folder from which packages are looked up; the one that the program was started in unless given. */
  readonly root?: string;
}

/** Makes the adapter for a robot. */
type Use = (robot: Robot) => Adapter | Promise<Adapter>;

/** The adapter in `file`, or of the package `adapter`, or of `hubot-<adapter>`. Throws {@link AdapterProblem}. */
export async function loadHubotAdapter(robot: Robot, source: AdapterSource): Promise<Adapter> {
  const use = await findHubotAdapter(source);
  const { adapter, file } = source;
  try {
    return await use(robot);
  } catch (error) {
    throw new AdapterProblem(`${file ?? adapter} failed: ${messageOf(error)}`, 'read what the adapter asks for', {
      cause: error,
    });
  }
}

/** Loads the code of an adapter without making one. Throws {@link AdapterProblem}. */
export async function findHubotAdapter({ adapter, file, root = '.' }: AdapterSource): Promise<Use> {
  if (file && !(await stat(resolve(root, file)).catch(() => undefined))?.isFile())
    throw new AdapterProblem(`there is no file ${resolve(root, file)}`, 'name the file of an adapter');
  const module = file ? await imported(file, importFile(resolve(root, file))) : await importAdapter(adapter, root);
  const use = useOf(module);
  if (use) return use;
  const problem = `${file ?? adapter} is no Hubot adapter: it exports no function use`;
  throw new AdapterProblem(problem, 'name another adapter');
}

async function importAdapter(name: string, root: string): Promise<unknown> {
  if (name === 'Campfire') return imported(name, import(CAMPFIRE));
  const names = name.startsWith('hubot-') || name.startsWith('@') ? [name] : [`hubot-${name}`, name];
  const from = join(resolve(root), 'package.json');
  const found = names.find((each) => isInstalled(each, from));
  if (found === undefined) throw new AdapterProblem(`there is no adapter ${name}`, `npm install ${names[0]}`);
  return imported(found, importPackage(found, from));
}

async function imported(what: string, work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    const next = error instanceof NotAScript ? error.next : 'correct it, or name another adapter';
    throw new AdapterProblem(`${what} failed: ${messageOf(error)}`, next, { cause: error });
  }
}

function useOf(module: unknown): Use | undefined {
  if (typeof module !== 'object' || module === null) return undefined;
  if ('use' in module && isUse(module.use)) return module.use;
  return 'default' in module ? useOf(module.default) : undefined;
}

function isUse(value: unknown): value is Use {
  return typeof value === 'function';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
}
