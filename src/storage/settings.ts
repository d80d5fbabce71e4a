/** Small values that all replicas share: by name, one value each. */

import { randomBytes } from 'node:crypto';
import type { Json } from '../bot/json.ts';
import type { Database } from './database.ts';

export interface Settings {
  /** Undefined if it was never set. */
  get(name: string): Promise<Json | undefined>;
  set(name: string, value: Json): Promise<void>;
  /**
   * A secret of 32 random bytes (base64url), made at the first call and the same ever after, on every replica: also
   * when several ask for it at the same moment.
   */
  secret(name: string): Promise<string>;
}

/** Settings in the database. `random` gives the bytes of a new secret. */
export function createSettings(db: Database, random: (size: number) => Buffer = randomBytes): Settings {
  async function get(name: string): Promise<Json | undefined> {
    const row = await db.pool.query<{ value: Json }>('select value from setting where name = $1', [name]);
    return row.rows[0]?.value;
  }

  return {
    get,
    async set(name, value) {
      await db.pool.query(
        `insert into setting (name, value) values ($1, $2)
         on conflict (name) do update set value = excluded.value, changed_at = now()`,
        [name, JSON.stringify(value)],
      );
    },
    async secret(name) {
      const key = `secret:${name}`;
      const known = await get(key);
      if (typeof known === 'string') return known;
      const made = JSON.stringify(random(32).toString('base64url'));
      await db.pool.query('insert into setting (name, value) values ($1, $2) on conflict (name) do nothing', [
        key,
        made,
      ]);
      const stored = await get(key);
      if (typeof stored !== 'string') throw new TypeError('a secret in the database is not a text');
      return stored;
    },
  };
}
