/**
 * Runs Hubot's own tests with our robot in the place of Hubot's: `node test/hubot-suite/run.ts <checkout> [--stock]`.
 * Ends with 0 if exactly the tests in departures.ts fail, with 1 otherwise; `--stock` runs them with Hubot's robot.
 */

import { readdirSync } from 'node:fs';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { departures } from './departures.ts';

const [checkoutArgument, mode] = process.argv.slice(2);
if (!checkoutArgument) {
  console.error('usage: node test/hubot-suite/run.ts <folder of a Hubot checkout> [--stock]');
  process.exit(2);
}
const stock = mode === '--stock';
const checkout = resolve(checkoutArgument);
const substitute = fileURLToPath(new URL('./substitute.ts', import.meta.url));
process.chdir(checkout);
process.env['HUBOT_CHECKOUT'] = checkout;
process.env['HUBOT_SUITE'] = stock ? 'stock' : 'ours';
// Hubot's tests start processes of their own: those get our robot, and this Node, too.
process.env['NODE_OPTIONS'] = `--import ${substitute}`;
process.env['PATH'] = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;

const outcome = await runSuite();
const expected = new Set(stock ? [] : departures.map(({ test }) => test));
const unexpected = [...outcome.failed].filter(([test]) => !expected.has(test));
const overcome = [...expected].filter((test) => !outcome.failed.has(test));
for (const [test, cause] of unexpected) console.log(`FAILED  ${test}\n        ${cause}`);
for (const test of overcome) console.log(`PASSES  ${test}\n        take it out of departures.ts`);
console.log(
  `${stock ? 'Hubot' : 'Our'} robot: ${outcome.total} cases, ${outcome.total - outcome.failed.size} passed, ` +
    `${expected.size} departures expected, ${unexpected.length} other failures`,
);
process.exit(outcome.total > 0 && unexpected.length + overcome.length === 0 ? 0 : 1);

async function runSuite(): Promise<{ total: number; failed: Map<string, string> }> {
  // As `node --test` finds them: every module below test/, of which those without tests count as one case each.
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:mjs|js|ts)$/.test(name),
  );
  const failed = new Map<string, string>();
  const seen = new Map<string, number>();
  const open = new Map<string, string[]>();
  let total = 0;
  const names = (file: string | undefined) => open.get(file ?? '') ?? open.set(file ?? '', []).get(file ?? '') ?? [];
  const ended = (data: { file?: string; name: string; nesting: number; details: { type?: string | undefined } }) => {
    if (data.details.type === 'suite') return undefined;
    const path = [...names(data.file).slice(0, data.nesting), data.name].join(' > ');
    const title = `${relative(checkout, data.file ?? '')}: ${path}`;
    const count = (seen.get(title) ?? 0) + 1;
    seen.set(title, count);
    total += 1;
    return count === 1 ? title : `${title} (${count})`;
  };
  const stream = run({ files: files.map((name) => join(checkout, 'test', name)), concurrency: 1, timeout: 40_000 });
  stream.on('test:start', ({ file, nesting, name }) => void (names(file)[nesting] = name));
  stream.on('test:pass', (data) => void ended(data));
  stream.on('test:fail', (data) => {
    const title = ended(data);
    if (title)
      failed.set(
        title,
        String(data.details.error.cause ?? data.details.error)
          .split('\n', 3)
          .join(' '),
      );
  });
  for await (const _ of stream);
  return { total, failed };
}
