/** What the rules of access need from outside. */

import type { Address } from '../../bot/chat.ts';

/** A role given in chat. */
export interface Grant {
  readonly personId: string;
  readonly personName: string;
  readonly role: string;
  readonly grantedBy: string;
  readonly grantedAt: Date;
}

export interface GrantStore {
  all(): Promise<readonly Grant[]>;
  /** False if the person had the role already. */
  add(grant: Grant): Promise<boolean>;
  /** False if the person did not have the role. */
  remove(personId: string, role: string): Promise<boolean>;
}

/** The token of a program: whoever shows its secret is the person `api:<name>`. */
export interface Token {
  readonly id: number;
  readonly name: string;
  readonly permissions: readonly string[];
  readonly madeBy: { readonly id: string; readonly name: string };
  readonly madeAt: Date;
  readonly expiresAt: Date;
  /** Where what it does is shown; undefined if it was made in private. */
  readonly room?: Address;
  /** Somebody has fetched its secret. */
  readonly isFetched: boolean;
  readonly lastUsedAt?: Date;
}

/** A token with what opens it: of both, only the hash is ever stored. */
export interface NewToken extends Omit<Token, 'id' | 'isFetched' | 'lastUsedAt'> {
  readonly claimHash: string;
  /** Until then its secret can be fetched. */
  readonly claimUntil: Date;
}

/** Tokens that are not revoked; those that have expired are among them. */
export interface TokenStore {
  /** False if a token has that name. One that has expired makes room. */
  add(token: NewToken): Promise<boolean>;
  /** Gives it its secret, once. Undefined if there is none under that code, or no longer. */
  claim(claimHash: string, secretHash: string, at: Date): Promise<Token | undefined>;
  get(name: string): Promise<Token | undefined>;
  /** The one with that secret, and the hash that is stored of it. */
  find(secretHash: string): Promise<{ readonly token: Token; readonly secretHash: string } | undefined>;
  /** By name. */
  all(): Promise<readonly Token[]>;
  /** False if there was none. */
  revoke(name: string, at: Date): Promise<boolean>;
  used(id: number, at: Date): Promise<void>;
}
