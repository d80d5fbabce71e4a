/** One process at a time in a data folder: two on the same embedded database destroy it. */

import { randomBytes } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface FolderLock {
  release(): void;
}

/** The folder is in use by another process; the message names it and what to do. */
export class FolderLocked extends Error {
  constructor(folder: string, owner: Owner) {
    super(
      `${folder} is in use by another Shipmate (process ${owner.pid} on ${owner.host}). ` +
        'Stop that one first, or give this one a folder of its own with SHIPMATE_DATA, ' +
        'or let both share a PostgreSQL server with DATABASE_URL.',
    );
    this.name = 'FolderLocked';
  }
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Pid namespace: the same number in another container is another process. */
  readonly space: string;
  /** Boot and start time of the process: the same number after a restart is another process. */
  readonly born: string;
}

const BEAT_MS = 2_000;
const STALE_MS = 8_000;

/**
 * Takes the lock of a folder and keeps it fresh until released. The lock of a process that is gone is taken over: at
 * once when that can be seen from here, after eight seconds of silence when the owner was on another machine or in
 * another container.
 *
 * @throws FolderLocked when a living process holds it
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'lock');
  const mine = `${JSON.stringify(self())}\n`;
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, mine);
  try {
    for (;;) {
      if (create(draft, path)) break;
      const found = read(path);
      if (!found) continue;
      const owner = parse(found.text);
      if (owner && isAlive(owner, found.ageMs)) {
        // A container that was replaced a moment ago: its lock goes stale soon.
        if (isElsewhere(owner) && (await wentStale(path, found.text))) continue;
        throw new FolderLocked(folder, owner);
      }
      takeAway(path, found.text);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  const beat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(path, now, now);
    } catch {
      // The folder was removed under us; the database will say so itself.
    }
  }, BEAT_MS);
  beat.unref();
  return {
    release() {
      clearInterval(beat);
      if (read(path)?.text === mine) rmSync(path, { force: true });
    },
  };
}

/** True when the lock file was made by us, with its content, in one step. */
function create(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
  }
  // A file system without hard links.
  try {
    writeFileSync(path, readFileSync(draft), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes exactly the stale lock that was read; one that another process put there meanwhile is put back. */
function takeAway(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') !== stale) create(aside, path);
  rmSync(aside, { force: true });
}

async function wentStale(path: string, text: string): Promise<boolean> {
  for (;;) {
    const found = read(path);
    if (!found || found.text !== text || found.ageMs >= STALE_MS) return true;
    if (found.ageMs < BEAT_MS / 4) {
      // Freshly touched; if it is touched again, its owner lives.
      const before = found.touched;
      await wait(BEAT_MS + 500);
      const later = read(path);
      if (later && later.text === text && later.touched !== before) return false;
    } else {
      await wait(200);
    }
  }
}

function read(path: string): { text: string; ageMs: number; touched: number } | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    const touched = statSync(path).mtimeMs;
    return { text, touched, ageMs: Math.max(0, Date.now() - touched) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(owner: Owner, ageMs: number): boolean {
  if (isElsewhere(owner)) return ageMs < STALE_MS;
  if (owner.pid === process.pid) return owner.born === bornOf(process.pid);
  const born = bornOf(owner.pid);
  if (born !== undefined) return born === owner.born;
  if (process.platform === 'linux') return false;
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function isElsewhere(owner: Owner): boolean {
  const me = self();
  return owner.host !== me.host || owner.space !== me.space;
}

function self(): Owner {
  return { pid: process.pid, host: hostname(), space: pidSpace(), born: bornOf(process.pid) ?? BORN };
}

/** Where the system does not tell, a number of this process's own. */
const BORN = randomBytes(8).toString('hex');

function pidSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Boot id and start time of a living process; undefined if it is gone, is a zombie or the system does not tell. */
function bornOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}:${fields[19]}`;
  } catch {
    return pid === process.pid ? BORN : undefined;
  }
}

function parse(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('pid' in value && 'host' in value && 'space' in value && 'born' in value)) return undefined;
    const { pid, host, space, born } = value;
    if (typeof pid !== 'number' || typeof host !== 'string') return undefined;
    if (typeof space !== 'string' || typeof born !== 'string') return undefined;
    return { pid, host, space, born };
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
