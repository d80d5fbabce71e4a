/** The body of a request to a hook: read within bounds, checked before anything believes it. */

import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Json } from './json.ts';
import { storable } from './storable.ts';

export type Read =
  | { readonly kind: 'read'; readonly body: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'slow' }
  | { readonly kind: 'gone' };

/** Reads a body and stops at `limit` bytes. What is left of it stays unread: the caller ends the connection. */
export async function readBody(request: IncomingMessage, limit: number, timeoutMs: number): Promise<Read> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limit) return { kind: 'too-large' };
  return await new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (result: Read): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', end).off('error', lose).off('close', lose);
      // An error after this must not end the process.
      request.on('error', () => undefined);
      if (result.kind !== 'read') request.pause();
      resolve(result);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) finish({ kind: 'too-large' });
      else chunks.push(chunk);
    };
    const end = (): void => finish({ kind: 'read', body: Buffer.concat(chunks) });
    const lose = (): void => finish({ kind: 'gone' });
    const timer = setTimeout(() => finish({ kind: 'slow' }), timeoutMs);
    request.on('data', take).on('end', end).on('error', lose).on('close', lose);
  });
}

export type Inflated =
  | { readonly kind: 'inflated'; readonly body: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'broken' };

const unzip = promisify(gunzip);

/** Unpacks gzip; stops at `limit` bytes, however small the packed body is. */
export async function inflate(body: Buffer, limit: number): Promise<Inflated> {
  try {
    return { kind: 'inflated', body: await unzip(body, { maxOutputLength: limit }) };
  } catch (error) {
    const tooLarge = error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    return { kind: tooLarge ? 'too-large' : 'broken' };
  }
}

export type ParsedJson =
  | { readonly kind: 'json'; readonly value: Json }
  | { readonly kind: 'bad'; readonly problem: string };

/** Deepest nesting of a body. */
const DEPTH = 32;

/**
 * Reads JSON from outside. The value holds no `__proto__`, no NUL and no half characters (which no database takes), and its
 * strings went through `redact`.
 */
export function parseJson(body: Buffer, redact: (text: string) => string): ParsedJson {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return { kind: 'bad', problem: 'The body is not valid UTF-8.' };
  }
  if (text.trim() === '') return { kind: 'bad', problem: 'The body is empty.' };
  if (tooDeep(text)) return { kind: 'bad', problem: `The body is nested deeper than ${DEPTH} levels.` };
  try {
    const value: unknown = JSON.parse(text);
    return { kind: 'json', value: harmless(value, redact) };
  } catch {
    return { kind: 'bad', problem: 'The body is not valid JSON.' };
  }
}

/** Looked at before it is parsed, so that nothing has to walk a value of any depth. */
function tooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) {
      depth++;
      if (depth > DEPTH) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

function harmless(value: unknown, redact: (text: string) => string): Json {
  if (typeof value === 'string') return redact(storable(value));
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => harmless(each, redact));
  if (typeof value !== 'object') return null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== '__proto__')
      .map(([name, each]: [string, unknown]) => [storable(name), harmless(each, redact)]),
  );
}
