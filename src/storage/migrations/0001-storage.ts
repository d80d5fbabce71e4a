/** Settings, replicas, who runs which job, the brain, posts. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('setting')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'jsonb', (column) => column.notNull())
    .addColumn('changed_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .execute();

  await db.schema
    .createTable('replica')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('started_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .addColumn('seen_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    // Set when it is known to be gone; the row stays until its work has been taken over.
    .addColumn('lost_at', 'timestamptz')
    .execute();

  // pg-boss does not say which replica runs a job.
  await db.schema
    .createTable('job_owner')
    .addColumn('job', 'uuid', (column) => column.primaryKey())
    .addColumn('queue', 'text', (column) => column.notNull())
    .addColumn('replica', 'text', (column) => column.notNull())
    .addColumn('since', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .execute();

  // Values are text, not jsonb: a brain may hold \u0000, and what was stored comes back byte by byte.
  await db.schema
    .createTable('brain')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('changed_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .addPrimaryKeyConstraint('brain_pkey', ['kind', 'key'])
    .execute();

  // What is to be shown and what has been. Keyed: one row a key and room, for as long as the message may be updated.
  // json, not jsonb, keeps \u0000 in outside text.
  await db.schema
    .createTable('post')
    .addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn('chat', 'text', (column) => column.notNull())
    .addColumn('room', 'text', (column) => column.notNull())
    .addColumn('thread', 'text')
    .addColumn('only_to', 'text')
    .addColumn('key', 'text')
    .addColumn('content', 'json', (column) => column.notNull())
    // Rises with every change of a keyed post; what has been shown is delivered_revision.
    .addColumn('revision', 'integer', (column) => column.notNull().defaultTo(1))
    .addColumn('delivered_revision', 'integer', (column) => column.notNull().defaultTo(0))
    // New each time the message is posted afresh; the same on every attempt.
    .addColumn('nonce', 'uuid', (column) => column.notNull().defaultTo(sql`gen_random_uuid()`))
    .addColumn('message_id', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('due_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .addColumn('owner', 'text')
    .addColumn('claimed_until', 'timestamptz')
    .addColumn('failed_at', 'timestamptz')
    .addColumn('problem', 'text')
    .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .addColumn('delivered_at', 'timestamptz')
    .execute();
  await sql`create unique index post_key on post (chat, room, coalesce(thread, ''), key) where key is not null`.execute(
    db,
  );
  // What is still to be shown, in order.
  await sql`create index post_pending on post (chat, room, id) where delivered_revision < revision and failed_at is null`.execute(
    db,
  );
}
