/** Runs a TypeScript file in a process of its own and reads what it prints, line by line. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';

export interface Child {
  readonly lines: readonly string[];
  /** Waits for a line that begins so. */
  said(start: string, ms?: number): Promise<string>;
  /** Kills it and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export function startChild(file: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  return {
    lines,
    async said(start, ms = 20_000) {
      const found = await eventually(
        () => lines.find((line) => line.startsWith(start)),
        (line) => line !== undefined || child.exitCode !== null,
        ms,
      );
      if (found === undefined) throw new Error(`ended without saying ${start}: ${lines.join('\n')}`);
      return found;
    },
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      await gone;
    },
  };
}
