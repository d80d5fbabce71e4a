/**
 * All measurements, one after the other, each in a process of its own: `npm run bench`. Prints Markdown. Everything runs on
 * 127.0.0.1 and in temporary folders; it takes about five minutes on a machine that does nothing else.
 */

import { spawn } from 'node:child_process';
import { machine } from './figures.ts';

const PARTS: readonly (readonly string[])[] = [
  ['dispatch.ts'],
  ['answer.ts'],
  ['deploy.ts'],
  ['slack.ts'],
  ['start.ts'],
  ['ask-retrieval.ts'],
  ['history-search.ts', '50000'],
  ['kubernetes.ts'],
];

async function run(file: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [new URL(file, import.meta.url).pathname, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return await new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

console.log(`${machine()}\n`);
for (const [file = '', ...args] of PARTS) {
  if (await run(file, args)) continue;
  console.log(`${file} failed\n`);
  process.exitCode = 1;
}
