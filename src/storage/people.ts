/** Accounts of the chats, their groups and addresses, in PostgreSQL. */

import { sql } from 'kysely';
import type { Account, KnownAccount, KnownGroup, PeopleStore } from '../domain/people/ports.ts';
import type { Database } from './database.ts';

export type PeopleTables = {
  people: {
    id: string;
    chat: string;
    name: string;
    email: string | null;
    time_zone: string | null;
    avatar: string | null;
    active: boolean;
    outside: boolean;
    checked_at: Date;
  };
  people_former_emails: { person_id: string; email: string; until: Date };
  people_groups: { chat: string; id: string; handle: string | null; members: string[]; read_at: Date };
  people_group_handles: { chat: string; handle: string; group_id: string };
};

/** Accounts written by one statement: all of a workspace are thousands. */
const BATCH = 500;

/** The accounts, groups and former addresses in the tables `people…`. */
export function createPeopleStore(db: Pick<Database, 'sql'>): PeopleStore {
  const k = db.sql.withTables<PeopleTables>();

  async function saveSome(accounts: readonly Account[], at: Date): Promise<boolean> {
    // One statement: a former address is kept if and only if the new one is.
    const { rows } = await sql<{ changed: boolean }>`
      with given as (
        select * from jsonb_to_recordset(${JSON.stringify(accounts.map(rowOf))}::jsonb)
          as (id text, chat text, name text, email text, time_zone text, avatar text, active boolean, outside boolean)
      ), before as (
        select p.* from people p join given g on g.id = p.id order by p.id for update of p
      ), former as (
        insert into people_former_emails (person_id, email, until)
        select b.id, b.email, ${at} from before b join given g on g.id = b.id
        where b.email is not null and b.email is distinct from g.email
        on conflict (person_id, email) do update set until = greatest(people_former_emails.until, excluded.until)
      )
      insert into people as p (id, chat, name, email, time_zone, avatar, active, outside, checked_at)
      select g.id, g.chat, g.name, g.email, g.time_zone, g.avatar, g.active, g.outside, ${at} from given g
        left join before b on b.id = g.id order by g.id
      on conflict (id) do update set chat = excluded.chat, name = excluded.name, email = excluded.email,
        time_zone = excluded.time_zone, avatar = excluded.avatar, active = excluded.active,
        outside = excluded.outside, checked_at = greatest(p.checked_at, excluded.checked_at)
      returning not exists (
        select 1 from before b where b.id = p.id and b.name = p.name and b.email is not distinct from p.email
          and b.time_zone is not distinct from p.time_zone and b.avatar is not distinct from p.avatar
          and b.active = p.active and b.outside = p.outside
      ) as changed`.execute(k);
    return rows.some((row) => row.changed);
  }

  return {
    async save(accounts, at) {
      const last = [...new Map(accounts.map((account) => [account.id, account])).values()];
      let changed = false;
      for (let from = 0; from < last.length; from += BATCH) {
        if (await saveSome(last.slice(from, from + BATCH), at)) changed = true;
      }
      return changed;
    },
    async kin(id) {
      const rows = await k
        .selectFrom('people')
        .selectAll()
        .where((where) =>
          where.or([
            where('id', '=', id),
            where('email', '=', where.selectFrom('people as own').select('own.email').where('own.id', '=', id)),
          ]),
        )
        .orderBy('id')
        .execute();
      if (rows.length === 0) return { accounts: [], groups: [] };
      const ids = rows.map((row) => row.id);
      const groups = await k
        .selectFrom('people_groups')
        .selectAll()
        .where(sql<boolean>`members && ${ids}::text[]`)
        .orderBy('id')
        .execute();
      return { accounts: rows.map(accountOf), groups: groups.map(groupOf) };
    },
    async haveMet(one, other, since) {
      const { rows } = await sql<{ met: boolean }>`
        with recursive held as (
          select id as person_id, email from people where email is not null
          union select person_id, email from people_former_emails where until > ${since}
        ), mine as (
          select email from held where person_id = ${one}
          union
          select next.email from mine
            join held through on through.email = mine.email
            join held next on next.person_id = through.person_id
        )
        select exists (select 1 from held where person_id = ${other} and email in (select email from mine)) as met
      `.execute(k);
      return rows[0]?.met !== false;
    },
    async saveGroups(chat, groups, at) {
      await k.transaction().execute(async (transaction) => {
        // One after the other, so that two replicas do not both insert what neither has seen.
        await sql`select pg_advisory_xact_lock(hashtext(${`people_groups ${chat}`}))`.execute(transaction);
        await transaction.deleteFrom('people_groups').where('chat', '=', chat).execute();
        if (groups.length === 0) return;
        await transaction
          .insertInto('people_groups')
          .values(
            groups.map(({ id, handle, members }) => ({
              chat,
              id,
              handle: handle ?? null,
              members: [...members],
              read_at: at,
            })),
          )
          .execute();
      });
    },
    async membersOf(groups) {
      const { rows } = await sql<{ member: string }>`
        select distinct member from people_groups, unnest(members) as member
        where id = any(${[...groups]}::text[]) or handle = any(${[...groups]}::text[])
        order by member limit 1000`.execute(k);
      return rows.map(({ member }) => member);
    },
    async pin(chat, handles) {
      const names = [...handles.keys()];
      for (const [handle, groupId] of handles) {
        await k
          .insertInto('people_group_handles')
          .values({ chat, handle, group_id: groupId })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
      if (names.length === 0) return new Map();
      const rows = await k
        .selectFrom('people_group_handles')
        .select(['handle', 'group_id'])
        .where('chat', '=', chat)
        .where('handle', 'in', names)
        .execute();
      return new Map(rows.map((row) => [row.handle, row.group_id]));
    },
  };
}

function rowOf(account: Account): Omit<PeopleTables['people'], 'checked_at'> {
  return {
    id: account.id,
    chat: account.chat,
    name: account.name,
    email: account.email ?? null,
    time_zone: account.timeZone ?? null,
    avatar: account.avatar ?? null,
    active: account.active,
    outside: account.outside,
  };
}

function accountOf(row: PeopleTables['people']): KnownAccount {
  return {
    id: row.id,
    chat: row.chat,
    name: row.name,
    ...(row.email === null ? {} : { email: row.email }),
    ...(row.time_zone === null ? {} : { timeZone: row.time_zone }),
    ...(row.avatar === null ? {} : { avatar: row.avatar }),
    active: row.active,
    outside: row.outside,
    checkedAt: row.checked_at,
  };
}

function groupOf(row: PeopleTables['people_groups']): KnownGroup {
  return {
    chat: row.chat,
    id: row.id,
    ...(row.handle === null ? {} : { handle: row.handle }),
    members: row.members,
    readAt: row.read_at,
  };
}
