/** The secret in the link to the web chat: one for each data folder, kept from start to start. */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const TOKEN = /^[\w-]{32,}$/;

/** Reads the token of a data folder; makes a random one, readable by its owner only, where there is none. */
export async function linkToken(folder: string): Promise<string> {
  const path = join(folder, 'web-token');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = randomBytes(24).toString('base64url');
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(`${fresh}\n`);
    await file.close();
    return fresh;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const kept = (await readFile(path, 'utf8')).trim();
  if (!TOKEN.test(kept)) throw new Error(`${path} holds no token. Delete the file and start again.`);
  return kept;
}
