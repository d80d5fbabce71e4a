/** Real repositories, made by the program `git`, with commits that are the same each time. */

import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { needs } from './missing.ts';

const run = promisify(execFile);

export interface TestRepository {
  /** The bare repository that others fetch from. */
  readonly path: string;
  git(...args: string[]): Promise<string>;
  /** Puts a commit on a branch, which is made if it is not there. */
  commit(branch: string, title: string, author?: string): Promise<string>;
  /** A branch or tag that leads there, wherever it led before. */
  point(ref: string, commit: string): Promise<void>;
  /** So many commits at once, on top of a branch. */
  many(branch: string, count: number): Promise<void>;
  /** Two commits with the same first seven digits. */
  twins(branch: string): Promise<readonly [string, string]>;
}

/** Skips the running test if `git` is not installed. */
export function needsGit(context: Mocha.Context): void {
  if (spawnSync('git', ['--version']).status !== 0) needs(context, 'git', 'apt-get install git');
}

export async function testRepository(path: string): Promise<TestRepository> {
  await mkdir(path, { recursive: true });
  let second = 1_700_000_000;
  const env = { PATH: process.env['PATH'], HOME: path, GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };

  async function git(...args: string[]): Promise<string> {
    const { stdout } = await run('git', ['--git-dir', path, ...args], { env });
    return stdout.trim();
  }

  function content(tree: string, parent: string | undefined, author: string, title: string): string {
    second += 1;
    const who = `${author} <${author}@example.com> ${second} +0000`;
    const from = parent === undefined ? '' : `parent ${parent}\n`;
    return `tree ${tree}\n${from}author ${who}\ncommitter ${who}\n\n${title}\n`;
  }

  async function write(type: string, text: string): Promise<string> {
    const child = run('git', ['--git-dir', path, 'hash-object', '-t', type, '-w', '--stdin'], { env });
    child.child.stdin?.end(text);
    return (await child).stdout.trim();
  }

  async function headOf(branch: string): Promise<string | undefined> {
    const found = await git('for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`);
    return found === '' ? undefined : found;
  }

  await git('init', '--bare', '--quiet', '--initial-branch=main');
  const tree = await write('tree', '');
  const point = async (ref: string, commit: string) => void (await git('update-ref', ref, commit));

  return {
    path,
    git,
    point,
    async commit(branch, title, author = 'alice') {
      const id = await write('commit', content(tree, await headOf(branch), author, title));
      await point(`refs/heads/${branch}`, id);
      return id;
    },
    async many(branch, count) {
      const head = await headOf(branch);
      const child = run('git', ['--git-dir', path, 'fast-import', '--quiet', '--force'], { env });
      const commits = Array.from({ length: count }, (_, index) => {
        const from = index === 0 && head !== undefined ? `from ${head}\n` : '';
        second += 1;
        return `commit refs/heads/${branch}\ncommitter bob <bob@example.com> ${second} +0000\ndata 8\nchange ${index % 10}\n${from}`;
      });
      child.child.stdin?.end(commits.join('\n'));
      await child;
    },
    async twins(branch) {
      const parent = await headOf(branch);
      const seen = new Map<string, string>();
      for (;;) {
        const text = content(tree, parent, 'alice', 'a twin');
        const id = createHash('sha1').update(`commit ${text.length}\0${text}`).digest('hex');
        const other = seen.get(id.slice(0, 7));
        seen.set(id.slice(0, 7), text);
        if (other === undefined) continue;
        const both: [string, string] = [await write('commit', other), await write('commit', text)];
        for (const [index, twin] of both.entries()) await point(`refs/heads/twin-${index}`, twin);
        return both;
      }
    },
  };
}
