/** The documentation says what the code does, in both directions. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { z } from 'zod';
import { referencePages } from '../../docs/generate.ts';
import { catalogue } from '../../src/bot/errors.ts';
import { variables } from '../../src/config/variables.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function filesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function sources(...folders: string[]): Promise<{ file: string; text: string }[]> {
  const files = (await Promise.all(folders.map((folder) => filesIn(folder, /\.ts$/)))).flat();
  return await Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
}

describe('documentation and code', () => {
  it('the reference pages are what the code gives', async () => {
    for (const [path, text] of await referencePages()) {
      expect(await readFile(join(root, path), 'utf8'), `${path} is out of date: npm run docs`).to.equal(text);
    }
  });

  it('every error of the catalogue is used, and every used one is in it', async () => {
    const code = (await sources('src', 'scripts')).filter(({ file }) => !file.endsWith('bot/errors.ts'));
    const all = code.map(({ text }) => text).join('\n');
    for (const name of Object.keys(catalogue))
      expect(all.includes(`'${name}'`), `${name} is never used`).to.equal(true);
    const used = [...all.matchAll(/\bfail\(\s*'([\w.-]+)'/g)].map((found) => found[1] ?? '');
    expect(used).to.not.be.empty;
    for (const name of used) expect(catalogue, name).to.have.property(name);
  });

  it('every variable that the guides name exists', async () => {
    const pages = [...(await filesIn('docs', /\.md$/)), join(root, 'README.md')];
    for (const page of pages) {
      const text = await readFile(page, 'utf8');
      for (const [name] of text.matchAll(/\b(?:SHIPMATE|OPENAI|HUBOT|EXPRESS|SLACK)_[A-Z_]+\b/g)) {
        if (/^(HUBOT_(RULES|SLACK)|SLACK_EMEA_|SHIPMATE_(SERVICE|ENVIRONMENT|VERSION|DEPLOYMENT))/.test(name)) continue;
        expect(variables, `${page} names ${name}`).to.have.property(name);
      }
    }
  });

  it('the files for hosts name variables and files that exist', async () => {
    const app = z
      .object({ env: z.record(z.string(), z.unknown()), formation: z.record(z.string(), z.unknown()) })
      .parse(JSON.parse(await readFile(join(root, 'app.json'), 'utf8')));
    expect(Object.keys(app.env)).to.not.be.empty;
    for (const name of Object.keys(app.env)) expect(variables, `app.json names ${name}`).to.have.property(name);
    const processes = (await readFile(join(root, 'Procfile'), 'utf8')).trim().split('\n');
    for (const line of processes) {
      const [, name = '', file = ''] = /^(\w+): node (\S+)/.exec(line) ?? [];
      expect(name, line).to.not.equal('');
      await stat(join(root, file)).catch(() => expect.fail(`Procfile starts ${file}, which is not there`));
    }
    expect(processes.map((line) => line.split(':')[0])).to.include.members(Object.keys(app.formation));
  });

  it('every dependency is named with its reason', async () => {
    const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const decision = await readFile(join(root, 'docs/decisions/0002-dependencies.md'), 'utf8');
    expect(manifest).to.have.property('dependencies').that.is.an('object');
    const { dependencies } = manifest as { dependencies: object };
    for (const name of Object.keys(dependencies)) {
      const short = name.replace('@electric-sql/pglite-', 'pglite-');
      expect(decision.includes(short), `${name} is not in docs/decisions/0002-dependencies.md`).to.equal(true);
    }
  });

  it('links between pages lead somewhere', async () => {
    const pages = [...(await filesIn('docs', /\.md$/)), join(root, 'README.md')];
    for (const page of pages) {
      const text = await readFile(page, 'utf8');
      for (const [, link = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        const target = resolve(dirname(page), link);
        await stat(target).catch(() => expect.fail(`${page} links to ${link}, which is not there`));
      }
    }
  });
});
