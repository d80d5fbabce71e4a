/** What a deployment was asked for by, and its commit in Git. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table deployments add column asked text, add column "commit" text`.execute(db);
}
