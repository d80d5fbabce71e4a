/** Every migration, in order. A migration is never changed once it has landed: add another. */

import type { Migration } from 'kysely';

export const migrations: Record<string, Migration> = {
};
