/** What was typed before, for the arrow keys: a file that only its owner can read. */

import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const KEPT = 1000;

/** The newest lines, newest first, as readline wants them. No file: none. Shortens a file that has grown. */
export async function readHistory(file: string): Promise<string[]> {
  let lines: string[];
  try {
    lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  } catch {
    return [];
  }
  if (lines.length > 2 * KEPT) await writeFile(file, `${lines.slice(-KEPT).join('\n')}\n`, { mode: 0o600 });
  return lines.slice(-KEPT).reverse();
}

/** Adds one line. A history that cannot be written stops nobody from typing. */
export async function addToHistory(file: string, line: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await appendFile(file, `${line}\n`, { mode: 0o600 });
  } catch {
    // The conversation goes on without it.
  }
}
