/** What the outbox needs for chats that take only so much: whether a post may have arrived already, and how long it is kept. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('post')
    // Times that it was claimed since it was last delivered.
    .addColumn('claims', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('brief', 'boolean', (column) => column.notNull().defaultTo(sql`false`))
    .execute();
}
