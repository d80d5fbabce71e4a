/** A copy of a repository in the data folder: its branches and tags, fetched when somebody asks, by one program at a time. */

import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../domain/deploy/ports.ts';
import { SourceUnclear, type Stale } from '../../../domain/deploy/source.ts';
import { fetchProblem } from './problem.ts';
import { type GitEnded, runGit } from './run.ts';

export interface MirrorOptions {
  /** As people call it. */
  readonly name: string;
  /** An address or the path of a folder, checked by the configuration. */
  readonly url: string;
  readonly folder: string;
  /** What `git` sees when it asks nobody else. */
  readonly environment: Readonly<Record<string, string>>;
  /** The same, with the token in it. Throws if there is none. */
  readonly remote: () => Readonly<Record<string, string>>;
  readonly hasToken: boolean;
  /** Blots out the token. */
  readonly hide: (text: string) => string;
  readonly clock: Clock;
  /** What was fetched so short a time ago is new. */
  readonly freshMs?: number;
  /** How long somebody waits for a fetch, which may go on. */
  readonly waitMs?: number;
  /** A fetch that takes longer is stopped. */
  readonly timeoutMs?: number;
  readonly mostBytes?: number;
}

export interface Mirror {
  /** Fetches what is there from now on; {@link Mirror.fresh} says whether that went well. */
  refresh(): Promise<void>;
  /** Fetches, unless that was done just now. Resolves with what is known to be old; undefined if all is new. @throws SourceUnclear if there is no copy yet */
  fresh(): Promise<Stale | undefined>;
  /** Asks the copy. @throws SourceUnclear if that cannot be asked */
  git(args: readonly string[], input?: string): Promise<GitEnded>;
  /** Stops what is under way. */
  close(): void;
}

/** The head of the newest commits in the copy. */
export const HEAD = 'refs/shipmate/head';

const FRESH_MS = 2_000;
const WAIT_MS = 15_000;
const TIMEOUT_MS = 15 * 60_000;
const ASK_MS = 20_000;
const LOOK_MS = 1_000;
const LOCK_MS = 10_000;
const MOST_BYTES = 4 * 1024 ** 3;

interface Fetch {
  /** When it ended, in milliseconds; undefined while it runs or is about to. */
  over?: number;
  /** Why it failed, as a clause; undefined if it did not. */
  readonly ended: Promise<string | undefined>;
}

export function createMirror(options: MirrorOptions): Mirror {
  const { name, folder, clock, environment, hide } = options;
  const { freshMs = FRESH_MS, waitMs = WAIT_MS, timeoutMs = TIMEOUT_MS, mostBytes = MOST_BYTES } = options;
  const life = new AbortController();
  /** Its time is that of the last fetch that went well. */
  const mark = join(folder, 'shipmate-fetched');
  let last: Fetch | undefined;
  /** The one that has not begun yet. */
  let next: Fetch | undefined;
  let isMade = false;

  async function git(args: readonly string[], input?: string): Promise<GitEnded> {
    const all = ['--git-dir', folder, ...args];
    const ended = await runGit({
      args: all,
      environment,
      timeoutMs: ASK_MS,
      signal: life.signal,
      ...(input === undefined ? {} : { input }),
    });
    if (ended.code === undefined) throw new SourceUnclear(`the copy of ${name} did not answer in time`);
    return ended;
  }

  /** A fetch that begins from now on: as soon as the one that runs has ended. Who comes before that shares it. */
  function another(): Fetch {
    if (next !== undefined) return next;
    const before = last?.ended ?? Promise.resolve();
    const mine: Fetch = {
      ended: before
        .then(() => {
          next = undefined;
          return fetch();
        })
        .finally(() => {
          mine.over = clock.now().getTime();
        }),
    };
    next = mine;
    last = mine;
    return mine;
  }

  function newEnough(): Fetch {
    const isOld = last?.over !== undefined && clock.now().getTime() - last.over > freshMs;
    return last === undefined || isOld ? another() : last;
  }

  async function fetch(): Promise<string | undefined> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Doing it again does no harm, and completes what was begun.
      if (!isMade) await init();
      isMade = true;
      const begun = clock.now();
      const ended = await pull(true);
      if (ended !== undefined) return ended;
      await writeFile(mark, '');
      await utimes(mark, begun, begun);
      return undefined;
    } catch (error) {
      if (error instanceof SourceUnclear) return error.message;
      return `the copy in the data folder cannot be written (${codeOf(error)})`;
    }
  }

  async function init(): Promise<void> {
    const args = ['init', '--bare', '--quiet', '--template=', '--', folder];
    const made = await runGit({ args, environment, timeoutMs: ASK_MS, signal: life.signal });
    if (made.code !== 0) throw new SourceUnclear('the copy in the data folder cannot be made');
  }

  /** @param withHead whether the remote's HEAD is asked for; it need not lead anywhere */
  async function pull(withHead: boolean, mayUnlock = true): Promise<string | undefined> {
    const head = withHead ? [`+HEAD:${HEAD}`] : [];
    const over = new AbortController();
    const watched = watchSize(over);
    try {
      const ended = await runGit({
        args: [
          '--git-dir',
          folder,
          'fetch',
          '--quiet',
          '--prune',
          '--no-tags',
          '--no-write-fetch-head',
          '--no-recurse-submodules',
          '--',
          options.url,
          '+refs/heads/*:refs/heads/*',
          '+refs/tags/*:refs/tags/*',
          ...head,
        ],
        environment: options.remote(),
        timeoutMs,
        signal: AbortSignal.any([over.signal, life.signal]),
      });
      if (ended.code === 0) return undefined;
      if (over.signal.aborted) return `it is larger than ${Math.floor(mostBytes / 1_000_000)} MB`;
      if (life.signal.aborted) return 'the robot stops';
      if (ended.code === undefined) return 'it took too long to fetch it';
      if (mayUnlock && /\.lock/.test(ended.stderr) && (await unlock()) > 0) return await pull(withHead, false);
      if (head.length > 0 && /couldn't find remote ref HEAD/i.test(ended.stderr)) return await pull(false, mayUnlock);
      return hide(fetchProblem(ended.stderr, options.hasToken));
    } finally {
      clearInterval(watched);
      await removeLeftovers();
    }
  }

  /** What is being received counts, too. */
  function watchSize(over: AbortController): NodeJS.Timeout {
    return setInterval(() => {
      void stopIfTooLarge(over);
    }, LOOK_MS);
  }

  async function stopIfTooLarge(over: AbortController): Promise<void> {
    if ((await packed()) > mostBytes) over.abort();
  }

  async function packed(): Promise<number> {
    const pack = join(folder, 'objects', 'pack');
    const names = await readdir(pack).catch(() => []);
    const sizes = await Promise.all(
      names.map((one) =>
        stat(join(pack, one)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Takes away what a killed `git` held locked: it holds that for a moment only. Gives how many. */
  async function unlock(): Promise<number> {
    const names = await readdir(folder, { recursive: true });
    const locks = names.filter((one) => one.endsWith('.lock')).map((one) => join(folder, one));
    const ages = await Promise.all(locks.map(async (path) => Date.now() - (await stat(path)).mtimeMs));
    const left = locks.filter((_, index) => (ages[index] ?? 0) > LOCK_MS);
    await Promise.all(left.map((path) => rm(path, { force: true })));
    return left.length;
  }

  /** What a stopped fetch had received. */
  async function removeLeftovers(): Promise<void> {
    const pack = join(folder, 'objects', 'pack');
    const names = await readdir(pack).catch(() => []);
    await Promise.all(names.filter((one) => one.startsWith('tmp_')).map((one) => rm(join(pack, one), { force: true })));
  }

  return {
    git,
    async refresh() {
      await within(another().ended, waitMs, clock);
    },
    async fresh() {
      const { ended } = newEnough();
      const text = await within(ended, waitMs, clock);
      if (text === undefined) return undefined;
      const since = await stat(mark).then(
        ({ mtime }) => mtime,
        () => undefined,
      );
      if (since !== undefined) return { since, text: `${name} could not be fetched: ${text}` };
      throw new SourceUnclear(
        text === LATE ? `${name} is being copied for the first time` : `${name} could not be fetched: ${text}`,
      );
    },
    close: () => life.abort(),
  };
}

const LATE = 'it takes long';

async function within(ended: Promise<string | undefined>, ms: number, clock: Clock): Promise<string | undefined> {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(() => LATE);
  try {
    return await Promise.race([ended, late]);
  } finally {
    over.abort();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
