/** Unpacks a compressed tar archive into a folder, holding no more of it in memory than a piece. */

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

const BLOCK = 512;
const PIECE = 256 * 1024;

/**
 * Writes the files and folders of an archive (gzip, ustar: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html)
 * for the owner alone. Throws on anything else in it, on a name that leads out of the folder, and if it is cut short.
 */
export async function unpack(archive: Blob, folder: string): Promise<void> {
  const pieces = Readable.from(archive.stream()).pipe(createGunzip({ chunkSize: PIECE }));
  const next = reader(pieces[Symbol.asyncIterator]());
  for (;;) {
    const header = await block(next);
    const name = textAt(header, 0, 100);
    if (name === '') break;
    const path = join(folder, textAt(header, 345, 155), name);
    if (!path.startsWith(join(folder, '/'))) throw new Error(`the archive leads out of its folder: ${name}`);
    const type = textAt(header, 156, 1);
    const size = Number.parseInt(textAt(header, 124, 12) || '0', 8);
    if (type === '5') {
      mkdirSync(path, { recursive: true, mode: 0o700 });
    } else if (type === '0' || type === '') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(path, size, next);
    } else {
      throw new Error(`the archive has something that is neither file nor folder: ${name}`);
    }
  }
  pieces.destroy();
}

/** Gives up to so many bytes, at least one. */
type Next = (most: number) => Promise<Buffer>;

function reader(pieces: AsyncIterator<Buffer>): Next {
  let piece: Buffer = Buffer.alloc(0);
  return async (most) => {
    while (piece.length === 0) {
      const { value, done } = await pieces.next();
      if (done) throw new Error('the archive is cut short');
      piece = value;
    }
    const taken = piece.subarray(0, most);
    piece = piece.subarray(taken.length);
    return taken;
  };
}

async function block(next: Next): Promise<Buffer> {
  let whole = await next(BLOCK);
  while (whole.length < BLOCK) whole = Buffer.concat([whole, await next(BLOCK - whole.length)]);
  return whole;
}

async function writeFile(path: string, size: number, next: Next): Promise<void> {
  const file = openSync(path, 'w', 0o600);
  try {
    for (let left = size; left > 0; ) {
      const part = await next(left);
      for (let written = 0; written < part.length; ) written += writeSync(file, part, written);
      left -= part.length;
    }
  } finally {
    closeSync(file);
  }
  for (let padding = (BLOCK - (size % BLOCK)) % BLOCK; padding > 0; ) padding -= (await next(padding)).length;
}

function textAt(header: Buffer, start: number, length: number): string {
  const field = header.toString('latin1', start, start + length);
  const end = field.indexOf('\0');
  return (end < 0 ? field : field.slice(0, end)).trim();
}
