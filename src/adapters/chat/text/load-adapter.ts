/** Finding a Hubot adapter by the name or the file that a Hubot user gives. */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Adapter } from 'hubot';
import type { Robot } from '../../../bot/robot.ts';

/** Why an adapter did not load, and what to do. */
export class AdapterProblem extends Error {
  readonly next: string;
  constructor(message: string, next: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AdapterProblem';
    this.next = next;
  }
}

interface AdapterSource {
  readonly adapter: string;
  readonly file?: string;
}

/** The adapter in `file`, or of the package `adapter`, or of `hubot-<adapter>`. */
export async function loadHubotAdapter(robot: Robot, { adapter, file }: AdapterSource): Promise<Adapter> {
  const module = file ? await importOne(pathToFileURL(resolve(file)).href) : await importPackage(adapter);
  const use = useOf(module);
  if (!use)
    throw new AdapterProblem(
      `${file ?? adapter} is no Hubot adapter: it exports no function use`,
      'name another adapter',
    );
  try {
    return await use(robot);
  } catch (error) {
    throw new AdapterProblem(`${file ?? adapter} failed: ${messageOf(error)}`, 'read what the adapter asks for', {
      cause: error,
    });
  }
}

async function importPackage(name: string): Promise<unknown> {
  if (name === 'Campfire') return importOne('hubot/src/adapters/Campfire.mjs');
  const names = name.startsWith('hubot-') || name.startsWith('@') ? [name] : [`hubot-${name}`, name];
  for (const each of names) {
    try {
      return await import(each);
    } catch (error) {
      if (!isMissing(error, each))
        throw new AdapterProblem(`${each} failed: ${messageOf(error)}`, 'correct it, or name another adapter', {
          cause: error,
        });
    }
  }
  throw new AdapterProblem(`there is no adapter ${name}`, `npm install ${names[0]}`);
}

async function importOne(specifier: string): Promise<unknown> {
  try {
    return await import(specifier);
  } catch (error) {
    throw new AdapterProblem(`${specifier} failed: ${messageOf(error)}`, 'check the file of the adapter', {
      cause: error,
    });
  }
}

function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes(`'${name}'`)
  );
}

type Use = (robot: Robot) => Adapter | Promise<Adapter>;

function useOf(module: unknown): Use | undefined {
  if (typeof module !== 'object' || module === null) return undefined;
  if ('use' in module && isUse(module.use)) return module.use;
  return 'default' in module ? useOf(module.default) : undefined;
}

function isUse(value: unknown): value is Use {
  return typeof value === 'function';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
