/** What was typed before, for the arrow keys: a file that only its owner can read. */

import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The newest lines, at most `kept`, newest first, as readline wants them. No file: none. Shortens a file that has grown. */
export async function readHistory(file: string, kept: number): Promise<string[]> {
  let lines: string[];
  try {
    lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  } catch {
    return [];
  }
  const newest = lines.slice(Math.max(0, lines.length - kept));
  if (lines.length > 2 * kept) await writeFile(file, newest.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  return newest.reverse();
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
