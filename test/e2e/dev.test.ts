/** `npm run dev`: every way to save restarts the robot; what is broken waits for the next save. */

import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/postgres.ts';

const ROOT = resolve(import.meta.dirname, '../..');

describe('npm run dev', function () {
  this.timeout(120_000);
  let folder: string;
  let child: ChildProcess | undefined;
  let said = '';
  let gone: Promise<number | null>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-dev-'));
    await mkdir(join(folder, 'scripts'));
    await cp(join(ROOT, 'test/fixtures/config'), join(folder, 'config'), { recursive: true });
    await cp(join(ROOT, 'examples/hello'), join(folder, 'examples/hello'), { recursive: true });
    await mkdir(join(folder, 'runbooks'));
    await save('scripts/mark.mjs', script('first'));
  });
  afterEach(async () => {
    for (const pid of robots()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {}
    }
    if (child?.exitCode === null) {
      child.kill('SIGKILL');
      await gone;
    }
    await rm(folder, { recursive: true, force: true });
  });

  /** Says which one it is once it is loaded. */
  function script(mark: string): string {
    return `export default () => console.error('mark ' + ${JSON.stringify(mark)} + ' in ' + process.pid + '.');\n`;
  }

  /** As `sed -i` and most editors do it. */
  async function save(file: string, text: string): Promise<void> {
    const beside = join(folder, `${file}~`);
    await writeFile(beside, text);
    await rename(beside, join(folder, file));
  }

  async function launch(): Promise<void> {
    said = '';
    child = spawn(process.execPath, [join(ROOT, 'bin/dev.ts')], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        PORT: String(await freePort()),
        SHIPMATE_DATA: join(folder, 'data'),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    gone = new Promise((done) => child?.once('close', done));
  }

  /** Process ids of the robots there were. */
  function robots(): number[] {
    return [...said.matchAll(/mark \S+ in (\d+)\./g)].map(([, pid]) => Number(pid));
  }

  function isAlive(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }

  /** Waits until it has said this after what it has said before. */
  async function says(what: RegExp, from = 0): Promise<number> {
    return await eventually(
      () => {
        const found = what.exec(said.slice(from));
        return found ? from + found.index + found[0].length : 0;
      },
      Boolean,
      40_000,
    ).catch((error: unknown) => {
      throw new Error(`${what}: ${String(error)}\n${said.slice(from).slice(-2_000)}`);
    });
  }

  it('restarts after each save, also by rename, in new folders and of JSON files; Ctrl-C ends both', async () => {
    await launch();
    let at = await says(/mark first[\s\S]*ready after/);
    await save('scripts/mark.mjs', script('renamed'));
    at = await says(/Something was saved[\s\S]*finishing what is under way[\s\S]*mark renamed[\s\S]*ready after/, at);
    await writeFile(join(folder, 'scripts/mark.mjs'), script('written'));
    at = await says(/mark written[\s\S]*ready after/, at);
    await save('hubot-scripts.json', '[]\n');
    at = await says(/mark written[\s\S]*ready after/, at);
    await mkdir(join(folder, 'config/more'));
    at = await says(/mark written[\s\S]*ready after/, at);
    const [last = 0, ...before] = robots().reverse();
    expect(before.filter(isAlive)).to.deep.equal([]);
    child?.kill('SIGINT');
    expect(await gone).to.equal(0);
    expect(said.slice(at)).to.include('finishing what is under way');
    expect(isAlive(last)).to.equal(false);
  });

  it('shows what is broken, and starts again after the save that corrects it', async () => {
    await save('scripts/mark.mjs', 'export default () => { throw new Error("no ticket server"); };\n');
    await launch();
    let at = await says(/Shipmate cannot start: 1 problem:[\s\S]*no ticket server[\s\S]*The next save starts it again/);
    await save('scripts/mark.mjs', 'export default (robot => {\n');
    at = await says(/Shipmate cannot start: 1 problem:[\s\S]*The next save starts it again/, at);
    await save('scripts/mark.mjs', script('corrected'));
    at = await says(/mark corrected[\s\S]*ready after/, at);
    await save('scripts/mark.mjs', 'export default 3;\n');
    await says(/does not export a function[\s\S]*The next save starts it again/, at);
    child?.kill('SIGTERM');
    expect(await gone).to.equal(0);
  });
});
