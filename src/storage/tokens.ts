/** Tokens in PostgreSQL. Of a secret only its hash is there. */

import { type Generated, sql as raw, type Selectable } from 'kysely';
import type { Address } from '../bot/chat.ts';
import type { Token, TokenStore } from '../domain/access/ports.ts';
import { API_CHAT } from '../domain/access/token.ts';
import type { Database } from './database.ts';
import type { ProposalTables } from './proposals.ts';

type TokenTables = {
  api_tokens: {
    id: Generated<number>;
    name: string;
    permissions: string[];
    made_by: string;
    made_by_name: string;
    made_at: Date;
    expires_at: Date;
    room: Address | null;
    claim_hash: string;
    claim_until: Date;
    secret_hash: string | null;
    last_used_at: Date | null;
    revoked_at: Date | null;
  };
};

export function createTokenStore(db: Pick<Database, 'sql'>): TokenStore {
  const sql = db.sql.withTables<TokenTables & Pick<ProposalTables, 'proposals'>>();

  /** What a token asked for and nobody has approved is void with it: the next token of its name has not asked for that. */
  async function voidAsked(name: string, at: Date): Promise<void> {
    await sql
      .updateTable('proposals')
      .set({ decision: 'void', decided_at: at })
      .where(raw<string>`person->>'id'`, '=', `${API_CHAT}:${name}`)
      .where('decision', 'is', null)
      .execute();
  }

  return {
    async add(token) {
      await sql
        .updateTable('api_tokens')
        .set({ revoked_at: token.madeAt })
        .where('name', '=', token.name)
        .where('revoked_at', 'is', null)
        .where('expires_at', '<=', token.madeAt)
        .execute();
      const added = await sql
        .insertInto('api_tokens')
        .values({
          name: token.name,
          permissions: [...token.permissions],
          made_by: token.madeBy.id,
          made_by_name: token.madeBy.name,
          made_at: token.madeAt,
          expires_at: token.expiresAt,
          room: token.room ?? null,
          claim_hash: token.claimHash,
          claim_until: token.claimUntil,
        })
        .onConflict((conflict) => conflict.doNothing())
        .returning('id')
        .executeTakeFirst();
      if (added) await voidAsked(token.name, token.madeAt);
      return added !== undefined;
    },
    async claim(claimHash, secretHash, at) {
      const row = await sql
        .updateTable('api_tokens')
        .set({ secret_hash: secretHash })
        .where('claim_hash', '=', claimHash)
        .where('secret_hash', 'is', null)
        .where('revoked_at', 'is', null)
        .where('claim_until', '>', at)
        .returningAll()
        .executeTakeFirst();
      return row && tokenOf(row);
    },
    async get(name) {
      const row = await sql
        .selectFrom('api_tokens')
        .selectAll()
        .where('name', '=', name)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return row && tokenOf(row);
    },
    async find(secretHash) {
      const row = await sql
        .selectFrom('api_tokens')
        .selectAll()
        .where('secret_hash', '=', secretHash)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return row?.secret_hash ? { token: tokenOf(row), secretHash: row.secret_hash } : undefined;
    },
    async all() {
      const rows = await sql
        .selectFrom('api_tokens')
        .selectAll()
        .where('revoked_at', 'is', null)
        .orderBy('name')
        .execute();
      return rows.map(tokenOf);
    },
    async revoke(name, at) {
      const { numUpdatedRows } = await sql
        .updateTable('api_tokens')
        .set({ revoked_at: at })
        .where('name', '=', name)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows > 0n) await voidAsked(name, at);
      return numUpdatedRows > 0n;
    },
    async used(id, at) {
      await sql.updateTable('api_tokens').set({ last_used_at: at }).where('id', '=', id).execute();
    },
  };
}

function tokenOf(row: Selectable<TokenTables['api_tokens']>): Token {
  return {
    id: row.id,
    name: row.name,
    permissions: row.permissions,
    madeBy: { id: row.made_by, name: row.made_by_name },
    madeAt: row.made_at,
    expiresAt: row.expires_at,
    isFetched: row.secret_hash !== null,
    ...(row.room === null ? {} : { room: row.room }),
    ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at }),
  };
}
