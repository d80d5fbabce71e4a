/** Getting the function out of a script file or a package, whatever it is written in. */

import { createRequire, isBuiltin } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A Hubot script: called with the robot, and with the options of `external-scripts.json` if there are any. */
export type ScriptFunction = (robot: object, options?: unknown) => unknown;

/** Why a file gave no script. */
export class NotAScript extends Error {
  readonly next: string;
  constructor(cause: string, next: string) {
    super(cause);
    this.name = 'NotAScript';
    this.next = next;
  }
}

const require = createRequire(import.meta.url);

/** The function that a file exports: by default, or as `module.exports`. */
export async function importScript(file: string): Promise<ScriptFunction> {
  return scriptOf(await importFile(file));
}

/** What a file exports, whatever it is written in. */
export async function importFile(file: string): Promise<unknown> {
  return extname(file) === '.coffee' ? requireCoffee(file) : await import(pathToFileURL(file).href);
}

/**
 * What a package exports.
 *
 * @param from absolute path of the file in whose name it is looked up
 */
export async function importPackage(name: string, from: string): Promise<unknown> {
  const file = resolvePackage(name, createRequire(from));
  return file === undefined ? await import(name) : await importFile(file);
}

/** Whether there is such a package; it may be broken. */
export function isInstalled(name: string, from: string): boolean {
  const { resolve } = createRequire(from);
  return !isBuiltin(name) && (resolves(name, resolve) || resolves(`${name}/package.json`, resolve));
}

function resolves(specifier: string, resolve: NodeJS.RequireResolve): boolean {
  try {
    resolve(specifier);
    return true;
  } catch (error) {
    return isNotExported(error);
  }
}

/** The file that a package starts with; undefined if only an ES module loader can tell. */
function resolvePackage(name: string, require: NodeJS.Require): string | undefined {
  try {
    return require.resolve(name);
  } catch (error) {
    if (isNotExported(error)) return undefined;
    if (!resolves(`${name}/package.json`, require.resolve)) throw error;
  }
  // Installed, and yet nothing to start with: its main file is CoffeeScript, which Node finds once it knows the ending.
  prepareCoffee();
  return require.resolve(name);
}

function isNotExported(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
}

/** The function in a module, an ES module's namespace, or a CommonJS module that was compiled from one. */
export function scriptOf(module: unknown): ScriptFunction {
  let value = module;
  for (let depth = 0; depth < 3; depth += 1) {
    if (isFunction(value)) return value;
    if (typeof value !== 'object' || value === null || !('default' in value)) break;
    value = value.default;
  }
  throw new NotAScript(
    'it does not export a function',
    'write `export default function (robot) { … }` (or `module.exports = (robot) => { … }` in a .cjs file)',
  );
}

function isFunction(value: unknown): value is ScriptFunction {
  return typeof value === 'function';
}

/** Makes `require` understand CoffeeScript, in that file and in what it requires, and requires it. */
function requireCoffee(file: string): unknown {
  prepareCoffee();
  return require(file);
}

/** Throws {@link NotAScript} when CoffeeScript is not installed. */
function prepareCoffee(): void {
  try {
    require('coffeescript/register');
  } catch (error) {
    throw new NotAScript(
      `it is written in CoffeeScript, and CoffeeScript cannot be used here: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
      'npm install coffeescript@2.7.0',
    );
  }
}
