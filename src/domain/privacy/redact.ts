/** Secrets in text: found, and replaced by a mark that says what stood there. */

import { namedSecrets } from './named.ts';
import { placedSecrets } from './placed.ts';
import { vendorSecrets } from './vendor.ts';

export interface Secret {
  /** What it is, for people: `GitHub token`. */
  readonly kind: string;
  /** Positions in the text, as for `slice`. */
  readonly start: number;
  readonly end: number;
}

/** The text with each secret replaced by a mark such as `[redacted: GitHub token]`. */
export function redact(text: string): string {
  let at = 0;
  let out = '';
  for (const { kind, start, end } of findSecrets(text)) {
    out += `${text.slice(at, start)}[redacted: ${kind}]`;
    at = end;
  }
  return at === 0 ? text : out + text.slice(at);
}

/** A secret that stands across the end of what is kept is looked for so far beyond it. */
const BEYOND = 2_000;

/**
 * The first characters of a text, redacted. Half of a secret no longer looks like one, so more is looked at than is kept.
 *
 * @param most so many of them; a mark may make it longer
 */
export function redactedStart(text: string, most: number): string {
  const seen = text.slice(0, most + BEYOND);
  let at = 0;
  let out = '';
  for (const { kind, start, end } of findSecrets(seen)) {
    if (start >= most) break;
    out += `${seen.slice(at, start)}[redacted: ${kind}]`;
    at = end;
  }
  return out + seen.slice(at, Math.max(at, most));
}

/**
 * Where secrets stand in the text, in order, not overlapping. Linear in the length of the text.
 *
 * Three grounds: the form that a vendor gives its tokens, the place (an address, a header, a command line, a key block),
 * and the name that somebody gave the value. Examples, variables, digests, versions and plain ids are left readable.
 */
export function findSecrets(text: string): Secret[] {
  if (text.length < 6) return [];
  text = withoutMarks(text);
  // Of several readings of one place the earlier list tells more about it.
  const all = [...vendorSecrets(text), ...placedSecrets(text), ...namedSecrets(text)];
  all.sort((a, b) => a.start - b.start);
  const merged: Secret[] = [];
  for (const secret of all) {
    const last = merged.at(-1);
    if (!last || secret.start >= last.end) merged.push(secret);
    else if (secret.end > last.end) merged[merged.length - 1] = { ...last, end: secret.end };
  }
  return merged;
}

/** Marks of an earlier redaction hold words such as `token`; in their place stands something of the same length that means nothing. */
function withoutMarks(text: string): string {
  if (!text.includes('[redacted: ')) return text;
  return text.replace(/\[redacted: [^\]\n]{1,60}\]/g, (mark) => `[${'*'.repeat(mark.length - 2)}]`);
}
