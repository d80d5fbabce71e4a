/** The team's own Markdown: runbooks in a folder, and one file about its systems. Read again when they change. */

import { createHash } from 'node:crypto';
import { type FileHandle, lstat, open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Logger } from '../../bot/log.ts';
import { splitFrontMatter } from '../../domain/ask/chunk.ts';
import type { KnowledgeFile } from '../../domain/ask/index.ts';
import type { KnowledgeSource } from '../../domain/ask/ports.ts';
import { parseFrontMatter } from './schema.ts';

export interface KnowledgeOptions {
  /** Folder of the runbooks. It need not exist. */
  readonly folder: string;
  /** The team's description of its systems. It need not exist. */
  readonly contextFile: string;
  /** What stands before `/runbooks/x.md#section` in links, for example `https://git.example/ops/blob/main`; nothing: this robot. */
  readonly baseUrl?: string | (() => string);
  /** How long the files are taken to be unchanged after a look at them, in milliseconds; 1,000 unless said otherwise. */
  readonly freshMs?: number;
  readonly log: Logger;
  readonly now?: () => number;
}

/** Paths begin with this wherever the folder is: it is the address under which page.ts serves them. */
const SHOWN_AS = 'runbooks';

export const LIMITS = { fileBytes: 256 * 1024, files: 5_000, totalBytes: 32 * 1024 * 1024, depth: 12 } as const;

interface Entry {
  /** With `/`, below the folder. */
  readonly path: string;
  readonly absolute: string;
  readonly stamp: string;
}

interface Kept {
  readonly stamp: string;
  readonly file: KnowledgeFile | undefined;
  readonly bytes: number;
}

/** Reads the team's files. Nothing is read before the first question; what cannot be read is logged once and left out. */
export function createKnowledgeFiles(options: KnowledgeOptions): KnowledgeSource {
  const { folder, log } = options;
  const now = options.now ?? (() => performance.now());
  const freshMs = options.freshMs ?? 1_000;
  const kept = new Map<string, Kept>();
  const told = new Set<string>();
  let last: { at: number; result: { version: string; files: readonly KnowledgeFile[] } } | undefined;
  let running: Promise<{ version: string; files: readonly KnowledgeFile[] }> | undefined;
  let context: { stamp: string; text: string | undefined } | undefined;

  function skip(entry: { path: string; stamp?: string }, why: string): void {
    const key = `${entry.path} ${entry.stamp ?? ''} ${why}`;
    if (told.size > 10_000) told.clear();
    if (told.has(key)) return;
    told.add(key);
    log.warn({ path: `${SHOWN_AS}/${entry.path}`, why }, 'runbook left out');
  }

  async function read(): Promise<{ version: string; files: readonly KnowledgeFile[] }> {
    const entries = await list(folder, skip);
    const files: KnowledgeFile[] = [];
    let total = 0;
    for (const entry of entries) {
      let known = kept.get(entry.path);
      if (known?.stamp !== entry.stamp) {
        known = await load(entry);
        kept.set(entry.path, known);
      }
      if (known.file === undefined) continue;
      total += known.bytes;
      if (total > LIMITS.totalBytes) {
        skip(entry, 'the runbooks are larger than 32 MB together');
        continue;
      }
      files.push(known.file);
    }
    const present = new Set(entries.map(({ path }) => path));
    for (const path of kept.keys()) if (!present.has(path)) kept.delete(path);
    const version = createHash('sha256')
      .update(entries.map(({ path, stamp }) => `${path}\0${stamp}`).join('\n'))
      .digest('hex')
      .slice(0, 16);
    return last?.result.version === version ? last.result : { version, files };
  }

  async function load(entry: Entry): Promise<Kept> {
    const none = { stamp: entry.stamp, file: undefined, bytes: 0 };
    const content = await readBounded(entry.absolute);
    if (content.kind === 'unreadable') {
      skip(entry, content.why);
      return none;
    }
    const { text } = content;
    const meta = parseFrontMatter(splitFrontMatter(text).yaml);
    if (meta === undefined) skip(entry, 'its front matter is not valid YAML; the file is used without it');
    return {
      stamp: entry.stamp,
      bytes: text.length,
      file: { path: `${SHOWN_AS}/${entry.path}`, text, meta: meta ?? { alerts: [], services: [], owners: [] } },
    };
  }

  return {
    async read() {
      if (last !== undefined && now() - last.at < freshMs) return last.result;
      running ??= read()
        .then((result) => {
          last = { at: now(), result };
          return result;
        })
        .finally(() => {
          running = undefined;
        });
      return await running;
    },

    async context() {
      const stamp = await stampOf(options.contextFile);
      if (stamp === undefined) return undefined;
      if (context?.stamp !== stamp) {
        const content = await readBounded(options.contextFile);
        if (content.kind === 'unreadable') log.warn({ why: content.why }, 'context file left out');
        // The template explains itself in comments; they are for people.
        const text = content.kind === 'read' ? content.text.replace(/<!--[\s\S]*?-->/g, '').trim() : '';
        context = { stamp, text: /[^\s#]/.test(text.replace(/^#.*$/gm, '')) ? text : undefined };
      }
      return context.text;
    },

    link(path, anchor) {
      const { baseUrl = '' } = options;
      const base = (typeof baseUrl === 'string' ? baseUrl : baseUrl()).replace(/\/+$/, '');
      const file = path.split('/').map(encodeURIComponent).join('/');
      return `${base}/${file}${anchor === '' ? '' : `#${encodeURIComponent(anchor)}`}`;
    },
  };
}

async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { mtimeMs, size, ino } = await lstat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return undefined;
  }
}

/** All Markdown files below a folder, sorted. Links are followed only to files that are in the folder themselves. */
async function list(folder: string, skip: (entry: { path: string }, why: string) => void): Promise<Entry[]> {
  const entries: Entry[] = [];
  let root: string;
  try {
    root = await realpath(folder);
  } catch {
    return [];
  }
  const walk = async (below: string, depth: number): Promise<void> => {
    const items = await readdir(join(root, below), { withFileTypes: true }).catch(() => []);
    const wanted = items
      .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const item of wanted) {
      const path = below === '' ? item.name : `${below}/${item.name}`;
      if (item.isDirectory()) {
        if (depth < LIMITS.depth) await walk(path, depth + 1);
        else skip({ path }, 'it is too deep in the folder');
        continue;
      }
      if (!/\.(?:md|markdown)$/i.test(item.name)) continue;
      if (entries.length >= LIMITS.files) {
        skip({ path }, 'there are more than 5,000 runbooks');
        return;
      }
      const absolute = item.isSymbolicLink()
        ? await realpath(join(root, path)).catch(() => undefined)
        : join(root, path);
      if (absolute === undefined || !absolute.startsWith(root + sep)) {
        skip({ path }, 'it is a link out of the folder');
        continue;
      }
      const stamp = await stampOf(absolute);
      if (stamp !== undefined) entries.push({ path, absolute, stamp });
    }
  };
  await walk('', 1);
  return entries;
}

async function readBounded(
  path: string,
): Promise<{ kind: 'read'; text: string } | { kind: 'unreadable'; why: string }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stat = await handle.stat();
    if (!stat.isFile()) return { kind: 'unreadable', why: 'it is no file' };
    if (stat.size > LIMITS.fileBytes) return { kind: 'unreadable', why: 'it is larger than 256 kB' };
    const buffer = Buffer.alloc(LIMITS.fileBytes);
    const { bytesRead } = await handle.read(buffer, 0, LIMITS.fileBytes, 0);
    const bytes = buffer.subarray(0, bytesRead);
    if (bytes.includes(0)) return { kind: 'unreadable', why: 'it is not text' };
    return { kind: 'read', text: bytes.toString('utf8') };
  } catch (error) {
    return { kind: 'unreadable', why: error instanceof Error ? error.message : String(error) };
  } finally {
    await handle?.close();
  }
}
