/** Who may call a hook: whoever knows a token. */

import type { IncomingHttpHeaders } from 'node:http';
import { sameSecret } from './secret.ts';

export interface TokenCheck {
  /** Whether one of these is a token. Takes the same time whichever of them is, or none. */
  knows(presented: readonly string[]): boolean;
}

/** Shortest token that is accepted as one. */
const TOKEN_LENGTH = 16;

/** @throws Error if a token is too short to be safe, or there is none */
export function tokenCheck(tokens: readonly string[]): TokenCheck {
  if (tokens.length === 0) throw new Error('hooks need at least one token');
  if (tokens.some((token) => token.length < TOKEN_LENGTH)) {
    throw new Error(`a hook token must have at least ${TOKEN_LENGTH} characters`);
  }
  return {
    knows(presented) {
      let known = false;
      for (const each of presented.slice(0, 3)) {
        for (const expected of tokens) known = sameSecret(each, expected) || known;
      }
      return known;
    },
  };
}

/** Tokens in a request: `Authorization: Bearer`, the password of basic authentication, the last part of the path. */
export function presentedTokens(headers: IncomingHttpHeaders, pathToken: string | undefined): readonly string[] {
  const found: string[] = [];
  const { authorization = '' } = headers;
  const bearer = /^bearer +(?<token>\S+) *$/i.exec(authorization)?.groups?.['token'];
  if (bearer) found.push(bearer);
  const basic = /^basic +(?<encoded>[\w+/=-]+) *$/i.exec(authorization)?.groups?.['encoded'];
  if (basic) {
    const decoded = Buffer.from(basic, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    if (colon !== -1) found.push(decoded.slice(colon + 1));
  }
  if (pathToken) found.push(pathToken);
  return found;
}

export interface FailureLimit {
  /** Counts one failure; how many there were from there in this minute. */
  count(from: string): number;
}

const MINUTE_MS = 60_000;
const SENDERS = 1000;

/** Counts wrong tokens by address. Right ones are never held up by it, so nobody can lock a sender out. */
export function failureLimit(now: () => Date): FailureLimit {
  const counts = new Map<string, { since: number; failures: number }>();
  return {
    count(from) {
      const at = now().getTime();
      let entry = counts.get(from);
      if (!entry || at - entry.since >= MINUTE_MS) {
        counts.delete(from);
        if (counts.size >= SENDERS) {
          const [oldest] = counts.keys();
          if (oldest !== undefined) counts.delete(oldest);
        }
        entry = { since: at, failures: 0 };
        counts.set(from, entry);
      }
      entry.failures += 1;
      return entry.failures;
    },
  };
}
