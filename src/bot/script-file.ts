/** Getting the function out of a script file, whatever it is written in. */

import { createRequire } from 'node:module';
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
  if (extname(file) === '.coffee') return scriptOf(requireCoffee(file));
  const module: unknown = await import(pathToFileURL(file).href);
  return scriptOf(module);
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
export function requireCoffee(file: string): unknown {
  prepareCoffee();
  return require(file);
}

/** Throws {@link NotAScript} when CoffeeScript is not installed. */
export function prepareCoffee(): void {
  try {
    require('coffeescript/register');
  } catch (error) {
    throw new NotAScript(
      `it is written in CoffeeScript, and CoffeeScript cannot be used here: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
      'npm install coffeescript@2.7.0',
    );
  }
}
