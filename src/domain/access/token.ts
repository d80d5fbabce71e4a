/** What a token may do, and for how long. Pure. */

import { covers } from './policy.ts';
import type { Token } from './ports.ts';

/** The chat that programs are in: the person of the token `ci` is `api:ci`. */
export const API_CHAT = 'api';

export const TOKEN_NAME = /^[a-z0-9][a-z0-9._-]{0,39}$/;

const DAY_MS = 24 * 3_600_000;
/** How long a token counts if nobody says for how long. */
export const TOKEN_LIFE_MS = 90 * DAY_MS;
export const LONGEST_LIFE_MS = 366 * DAY_MS;

/** The name of the token whose person this is; undefined for everybody else. */
export function tokenNameOf(personId: string): string | undefined {
  return personId.startsWith(`${API_CHAT}:`) ? personId.slice(API_CHAT.length + 1) : undefined;
}

/** What only people may do, whatever a token holds: hand out rights, make tokens, let somebody in. */
export function isForPeople(permission: string): boolean {
  return /^(?:access|token|web)(?::|$)/.test(permission);
}

/** Does it no longer count? */
export function isExpired({ expiresAt }: Pick<Token, 'expiresAt'>, now: Date): boolean {
  return expiresAt <= now;
}

/** Those of the permissions that are more than its maker has. */
export function beyond(permissions: readonly string[], ofMaker: readonly string[]): string[] {
  return permissions.filter((wanted) => !ofMaker.some((held) => covers(held, wanted)));
}

/** What a token and its maker both may: when the maker loses a right, so do the tokens. */
export function common(permissions: readonly string[], ofMaker: readonly string[]): string[] {
  const shared = permissions.flatMap((wanted) =>
    ofMaker.some((held) => covers(held, wanted)) ? [wanted] : ofMaker.filter((held) => covers(wanted, held)),
  );
  return [...new Set(shared)];
}
