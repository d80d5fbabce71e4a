/** The outbox in the database. */

import type { Content } from '../bot/card.ts';
import type { Address } from '../bot/chat.ts';
import type { ClaimedPost, PostStore } from '../bot/post.ts';
import { storable } from '../bot/storable.ts';
import type { Database } from './database.ts';

interface Row {
  id: number;
  chat: string;
  room: string;
  thread: string | null;
  only_to: string | null;
  content: Content;
  nonce: string;
  revision: number;
  message_id: string | null;
  attempts: number;
  claims: number;
  brief: boolean;
}

const PENDING = 'delivered_revision < revision and failed_at is null';

/** Posts in table `post`. */
export function createPostStore(db: Database): PostStore {
  const { pool } = db;

  return {
    async save(address, content, options) {
      const values = [
        storable(address.chat),
        storable(address.room),
        address.thread ?? null,
        options.onlyTo ?? null,
        options.key ?? null,
        JSON.stringify(content),
        options.answer ?? false,
      ];
      // A post that waits because the chat asked for patience goes on waiting, with the newer content.
      await pool.query(
        `insert into post (chat, room, thread, only_to, key, content, brief) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (chat, room, coalesce(thread, ''), key) where key is not null do update
         set content = excluded.content, only_to = excluded.only_to, revision = post.revision + 1,
             due_at = case when post.delivered_revision < post.revision and post.failed_at is null
                           then post.due_at else now() end,
             attempts = case when post.failed_at is null then post.attempts else 0 end,
             failed_at = null, problem = null`,
        values,
      );
    },

    async claim(owner, limit, leaseMs) {
      const { rows } = await pool.query<Row>(
        `with free_room as (
           select chat, room from post where ${PENDING} group by chat, room
           having bool_and(due_at <= now() and (claimed_until is null or claimed_until < now()))
         ), head as (
           select distinct on (chat, room) id, due_at from post join free_room using (chat, room)
           where ${PENDING} order by chat, room, brief desc, id
         ), free as (
           select id from head order by due_at, id limit $2
         )
         update post set owner = $1, claimed_until = now() + make_interval(secs => $3), claims = post.claims + 1
         from free
         where post.id = free.id and ${PENDING} and (claimed_until is null or claimed_until < now())
         returning post.id, chat, room, thread, only_to, content, nonce, revision, message_id, attempts, claims, brief`,
        [owner, limit, leaseMs / 1000],
      );
      return rows.sort((a, b) => a.id - b.id).map(claimed);
    },

    async delivered(post, owner, messageId) {
      await pool.query(
        `update post set delivered_revision = $3, message_id = $4, delivered_at = now(), attempts = 0, claims = 0,
                         owner = null, claimed_until = null, problem = null
         where id = $1 and owner = $2`,
        [post.id, owner, post.revision, messageId],
      );
    },

    async delayed(post, owner, delayMs, problem) {
      await pool.query(
        `update post set attempts = attempts + 1, due_at = now() + make_interval(secs => $3), problem = $4,
                         owner = null, claimed_until = null
         where id = $1 and owner = $2`,
        [post.id, owner, delayMs / 1000, storable(problem)],
      );
    },

    async paced(post, owner, delayMs) {
      await pool.query(
        `update post set claims = claims - 1, due_at = now() + make_interval(secs => $3),
                         owner = null, claimed_until = null
         where id = $1 and owner = $2`,
        [post.id, owner, delayMs / 1000],
      );
    },

    async failed(post, owner, problem) {
      // Content that came meanwhile under the same key has its own chance.
      await pool.query(
        `update post set attempts = 0, claims = 0, problem = $4, owner = null, claimed_until = null,
                         failed_at = case when revision = $3 then now() end
         where id = $1 and owner = $2`,
        [post.id, owner, post.revision, storable(problem)],
      );
    },

    async renewed(post, owner) {
      const { rows } = await pool.query<{ nonce: string }>(
        `update post set message_id = null, nonce = gen_random_uuid()
         where id = $1 and owner = $2 and message_id is not null returning nonce`,
        [post.id, owner],
      );
      const nonce = rows[0]?.nonce;
      if (nonce === undefined) throw new Error('the post is another replica’s now');
      return nonce;
    },

    async shown(address, key) {
      const { rows } = await pool.query<{ message_id: string | null }>(
        `select message_id from post where chat = $1 and room = $2 and coalesce(thread, '') = $3 and key = $4`,
        [storable(address.chat), storable(address.room), address.thread ?? '', key],
      );
      return rows[0]?.message_id ?? undefined;
    },

    async adopt(address, key, messageId) {
      await pool.query(
        `insert into post (chat, room, thread, key, content, brief, message_id, delivered_revision, delivered_at)
         values ($1, $2, $3, $4, '""', true, $5, 1, now())
         on conflict (chat, room, coalesce(thread, ''), key) where key is not null
         do update set message_id = excluded.message_id`,
        [storable(address.chat), storable(address.room), address.thread ?? null, key, messageId],
      );
    },

    async release(owner) {
      await pool.query('update post set owner = null, claimed_until = null where owner = $1', [owner]);
    },

    async purge() {
      await pool.query(
        `delete from post
         where (key is null or brief) and delivered_revision = revision and delivered_at < now() - interval '1 day'
            or key is not null and delivered_revision = revision and delivered_at < now() - interval '90 days'
            or failed_at < now() - interval '30 days'`,
      );
    },
  };
}

function claimed(row: Row): ClaimedPost {
  const address: Address = {
    chat: row.chat,
    room: row.room,
    ...(row.thread === null ? {} : { thread: row.thread }),
  };
  return {
    id: row.id,
    address,
    content: row.content,
    nonce: row.nonce,
    revision: row.revision,
    attempts: row.attempts,
    repeated: row.claims > 1,
    answer: row.brief,
    ...(row.only_to === null ? {} : { onlyTo: row.only_to }),
    ...(row.message_id === null ? {} : { messageId: row.message_id }),
  };
}
