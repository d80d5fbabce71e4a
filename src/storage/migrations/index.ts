/** Every migration, in order. A migration is never changed once it has landed: add another. */

import type { Migration } from 'kysely/migration';
import * as storage from './0001-storage.ts';

export const migrations: Record<string, Migration> = {
  '0001-storage': storage,
};
