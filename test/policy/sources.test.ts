/** What lint cannot see. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { variables } from '../../src/config/variables.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function read(folder: string): Promise<{ file: string; text: string }[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.(ts|js|mjs)$/.test(entry.name));
  return await Promise.all(
    files.map(async (entry) => {
      const file = join(entry.parentPath, entry.name);
      return { file: file.slice(root.length), text: await readFile(file, 'utf8') };
    }),
  );
}

describe('sources', () => {
  it('only the command line reads the environment', async () => {
    const reading = [...(await read('src')), ...(await read('scripts'))].filter(({ text }) =>
      /\bprocess\.env\b/.test(code(text)),
    );
    expect(reading.map(({ file }) => file)).to.deep.equal(['src/cli.ts']);
  });

  it('every variable is used, and not only documented', async () => {
    const using = (await read('src')).filter(({ file }) => file !== 'src/config/variables.ts');
    const all = using.map(({ text }) => code(text)).join('\n');
    // pg reads its own.
    const unused = Object.keys(variables).filter(
      (name) => name !== 'PGSSLMODE' && !new RegExp(`\\b(?:variables|values)\\.${name}\\b`).test(all),
    );
    expect(unused).to.deep.equal([]);
  });

  it('the domain has no clock, no randomness and no outside world', async () => {
    for (const { file, text } of await read('src/domain')) {
      const found = /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bfetch\(|\bsetTimeout\b|\bprocess\./.exec(
        code(text),
      );
      expect(found?.[0], file).to.equal(undefined);
    }
  });

  it('every script begins with what it is for, and every source file with a comment', async () => {
    for (const { file, text } of await read('scripts')) expect(text, file).to.match(/^\/\/ Description:\n\/\/ {3}\S/);
    for (const { file, text } of await read('src')) expect(text, file).to.match(/^\/\*\*|^\/\/ /);
  });

  it('Slack is loaded only when the robot is to be there', async () => {
    for (const { file, text } of await read('src')) {
      if (file.startsWith('src/adapters/chat/slack/')) continue;
      expect(code(text), file).to.not.match(/^(?:import (?!type\b)|export )[^;]*\/chat\/slack\/[^;]*;/m);
    }
  });

  it('no domain asks which chat it is in', async () => {
    for (const { file, text } of [...(await read('src/domain')), ...(await read('scripts'))]) {
      expect(code(text), file).to.not.match(/adapterName|chat === '(slack|shell|discord)'/);
    }
  });
});

/** Without comments. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
