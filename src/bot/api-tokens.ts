/** Tokens of programs: made by people, fetched once, shown with every request. */

import { PERMISSION } from '../domain/access/policy.ts';
import type { Token, TokenStore } from '../domain/access/ports.ts';
import {
  API_CHAT,
  beyond,
  isExpired,
  isForPeople,
  LONGEST_LIFE_MS,
  TOKEN_LIFE_MS,
  TOKEN_NAME,
} from '../domain/access/token.ts';
import type { Access } from './access.ts';
import type { Address, Person } from './chat.ts';
import { fail } from './errors.ts';
import { sameSecret, secretHash } from './secret.ts';

/** How long the secret of a new token can be fetched. */
const CLAIM_MS = 15 * 60_000;
/** A use is noted so often at most. */
const NOTE_USE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
/** 240 random bits: 40 characters of base64url. The form is known to src/domain/privacy/vendor.ts. */
const SECRET_BYTES = 30;
const CLAIM_BYTES = 16;

export interface TokenWish {
  readonly name: string;
  readonly permissions: readonly string[];
  /** How long it is to count, as typed, and in milliseconds; undefined is no length of time. */
  readonly life?: { readonly typed: string; readonly ms: number | undefined };
  /** Where what it does is to be shown. */
  readonly room?: Address;
}

export interface MadeToken {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly expiresAt: Date;
  /** Where the secret is fetched, once, until then. */
  readonly link: string;
  readonly linkUntil: Date;
}

export interface ApiTokens {
  /**
   * Makes a token. Its secret comes into being when it is fetched, so no chat and no table ever holds it. Throws `token.…` of
   * the catalogue.
   */
  create(wish: TokenWish, maker: Person): Promise<MadeToken>;
  list(): Promise<readonly Token[]>;
  /** Throws `token.unknown`. */
  revoke(name: string): Promise<void>;
  /** The secret of the token with that claim, the first time and in time; else undefined. */
  fetch(claim: string): Promise<{ readonly token: Token; readonly secret: string } | undefined>;
  /** Whose secret it is; undefined if it is nobody's, or counts no longer. */
  authenticate(secret: string): Promise<{ readonly person: Person; readonly token: Token } | undefined>;
}

export interface ApiTokenPorts {
  readonly store: TokenStore;
  readonly access: Pick<Access, 'permissionsOf'>;
  /** Where others reach the robot, `https://robot.example.com`; undefined if HTTP is off. */
  baseUrl(): string | undefined;
  random(bytes: number): Buffer;
  now(): Date;
}

export function createApiTokens(ports: ApiTokenPorts): ApiTokens {
  const { store, access, now } = ports;

  async function create({ name, permissions, life, room }: TokenWish, maker: Person): Promise<MadeToken> {
    const base = ports.baseUrl();
    if (base === undefined) throw fail('token.off', {});
    if (!TOKEN_NAME.test(name)) throw fail('token.name', { typed: name });
    const bad = permissions.find((permission) => !PERMISSION.test(permission));
    if (bad !== undefined || permissions.length === 0) throw fail('token.permission', { typed: bad ?? '' });
    const forPeople = permissions.find(isForPeople);
    if (forPeople !== undefined) throw fail('token.people', { permission: forPeople });
    const lifeMs = life ? life.ms : TOKEN_LIFE_MS;
    if (lifeMs === undefined || lifeMs <= 0 || lifeMs > LONGEST_LIFE_MS) {
      throw fail('token.life', { typed: life?.typed ?? '', days: LONGEST_LIFE_MS / DAY_MS });
    }
    const more = beyond(permissions, await access.permissionsOf(maker));
    if (more.length > 0) throw fail('token.beyond', { permissions: more });
    const claim = ports.random(CLAIM_BYTES).toString('base64url');
    const at = now();
    const token = {
      name,
      permissions,
      madeBy: { id: maker.id, name: maker.name },
      madeAt: at,
      expiresAt: new Date(at.getTime() + lifeMs),
      claimHash: secretHash(claim),
      claimUntil: new Date(at.getTime() + CLAIM_MS),
      ...(room ? { room } : {}),
    };
    if (!(await store.add(token))) throw fail('token.taken', { name });
    const { expiresAt, claimUntil: linkUntil } = token;
    return { name, permissions, expiresAt, link: `${base}/token/${claim}`, linkUntil };
  }

  return {
    create,
    list: () => store.all(),
    async revoke(name) {
      if (!(await store.revoke(name, now()))) throw fail('token.unknown', { name });
    },
    async fetch(claim) {
      const secret = `shp_${ports.random(SECRET_BYTES).toString('base64url')}`;
      const token = await store.claim(secretHash(claim), secretHash(secret), now());
      return token && { token, secret };
    },
    async authenticate(secret) {
      const hash = secretHash(secret);
      const found = await store.find(hash);
      const at = now();
      // Looked up by its hash, of which nobody can choose the beginning; compared whole in constant time all the same.
      if (!found || !sameSecret(found.secretHash, hash) || isExpired(found.token, at)) return undefined;
      const { token } = found;
      if (at.getTime() - (token.lastUsedAt?.getTime() ?? 0) > NOTE_USE_MS) await store.used(token.id, at);
      // Whoever reads the name must not take it for that of a person.
      return { token, person: { id: `${API_CHAT}:${token.name}`, chat: API_CHAT, name: `token ${token.name}` } };
    },
  };
}
