/** Every migration, in order. A migration is never changed once it has landed: add another. */

import type { Migration } from 'kysely/migration';
import * as storage from './0001-storage.ts';
import * as history from './0002-history.ts';

export const migrations: Record<string, Migration> = {
  '0001-storage': storage,
  '0002-history': history,
};
