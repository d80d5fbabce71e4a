/** `npm run new -- <name>`: what it writes loads, and its own test passes. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

describe('npm run new', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-new-'));
    await mkdir(join(folder, 'test'));
    for (const part of ['src', 'test/support', 'node_modules', 'package.json', 'types']) {
      await symlink(join(root, part), join(folder, part));
    }
  });
  afterEach(() => rm(folder, { recursive: true }));

  function make(...args: string[]) {
    return run(process.execPath, [join(root, 'bin/new.ts'), ...args], { cwd: folder });
  }

  it('writes a script and a test that passes, also where the name is a word of the language or of an import', async () => {
    const names = ['disk-report', 'class', 'card', 'await'];
    for (const name of names) {
      const { stdout } = await make(name);
      expect(stdout).to.contain(`scripts/${name}.ts`).and.contain(`test/scripts/${name}.test.ts`);
    }
    const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
    const tests = names.map((name) => `test/scripts/${name}.test.ts`);
    const tested = await run(process.execPath, [mocha, '--no-config', ...tests], { cwd: folder });
    expect(tested.stdout).to.contain(`${2 * names.length} passing`);
  });

  it('overwrites nothing', async () => {
    await make('ticket');
    const before = await readFile(join(folder, 'scripts/ticket.ts'), 'utf8');
    const failed = await make('ticket').catch((error: unknown) => error);
    expect(failed).to.have.property('code', 1);
    expect(failed).to.have.property('stderr').that.contains('is there already');
    expect(await readFile(join(folder, 'scripts/ticket.ts'), 'utf8')).to.equal(before);
  });

  for (const bad of [[], ['Ticket'], ['../evil'], ['a', 'b'], ['']]) {
    it(`refuses ${JSON.stringify(bad)}`, async () => {
      const failed = await make(...bad).catch((error: unknown) => error);
      expect(failed).to.have.property('code', 2);
      expect(failed).to.have.property('stderr').that.contains('Usage');
    });
  }
});
