/** Why a script did not load: which file, where in it, the cause, and what to do. */

import { execFile } from 'node:child_process';
import { isAbsolute } from 'node:path';
import { promisify } from 'node:util';
import { NotAScript } from './script-file.ts';

export interface LoadProblem {
  readonly file: string;
  readonly line?: number;
  readonly cause: string;
  readonly next: string;
}

/** Describes what loading a file ended in. The line is the first place in that file that the error names. */
export async function loadProblem(file: string, error: unknown): Promise<LoadProblem> {
  if (error instanceof NotAScript) return { file, cause: error.message, next: error.next };
  const { name, message, stack } = error instanceof Error ? error : { name: '', message: String(error), stack: '' };
  const syntax = name === 'SyntaxError';
  let line = lineIn(file, `${message}\n${stack}`);
  // V8 keeps the place of a syntax error in an ES module to itself.
  if (line === undefined && syntax && isAbsolute(file)) line = lineIn(file, await checked(file));
  const cause =
    firstLine(message)
      .replace(`${file}:`, '')
      .replace(/^\d+:\d+: /, '') || 'it threw an empty error';
  return { file, ...(line === undefined ? {} : { line }), cause, next: nextStep(syntax, message) };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}

function lineIn(file: string, text: string): number | undefined {
  const at = text.indexOf(`${file}:`);
  const found = at < 0 ? undefined : /^\d+/.exec(text.slice(at + file.length + 1))?.[0];
  return found === undefined ? undefined : Number(found);
}

/** Node's own syntax check, for the line. */
async function checked(file: string): Promise<string> {
  try {
    return (await promisify(execFile)(process.execPath, ['--check', file], { timeout: 10_000 })).stderr;
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

function nextStep(syntax: boolean, message: string): string {
  const missing = /Cannot find (?:module|package) '(?<name>[^']+)'/.exec(message)?.groups?.['name'];
  if (missing && !missing.startsWith('.') && !isAbsolute(missing)) return `npm install ${packageOf(missing)}`;
  if (missing) return 'check the path that the script imports';
  if (syntax) return 'correct the syntax of the script';
  return 'correct the script, or take it out';
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
