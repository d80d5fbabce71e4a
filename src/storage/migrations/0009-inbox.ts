/** Events of chats that send each one again until they hear that it was received. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // What is not handled yet; a row goes when it is.
  await db.schema
    .createTable('inbox')
    .addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn('chat', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    // JSON as text: nobody looks into it here, and text takes whatever characters were sent.
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('received_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .execute();
  await db.schema.createIndex('inbox_owner').on('inbox').column('owner').execute();
  // By what an event is known when it comes again.
  await db.schema
    .createTable('inbox_name')
    .addColumn('chat', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('event', 'bigint', (column) => column.notNull())
    .addColumn('at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .addPrimaryKeyConstraint('inbox_name_key', ['chat', 'name'])
    .execute();
  await db.schema.createIndex('inbox_name_at').on('inbox_name').column('at').execute();
}
