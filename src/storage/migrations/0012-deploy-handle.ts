/** What it takes to find a rollout again that another process began. */

import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('deployments').addColumn('handle', 'jsonb').execute();
}
