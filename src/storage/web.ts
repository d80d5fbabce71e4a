/** Accounts, sessions, invitations and read marks of the web chat, in PostgreSQL. */

import { sql } from 'kysely';
import type { Account, Entered, Session, WebStore } from '../adapters/chat/web/ports.ts';
import type { Database } from './database.ts';

export type WebTables = {
  web_accounts: {
    id: number;
    name: string;
    folded_name: string;
    link: boolean;
    first: boolean;
    email: string | null;
    welcomed_at: Date | null;
    created_at: Date;
  };
  web_invites: {
    secret_hash: string;
    name: string;
    invited_by: string;
    email: string | null;
    created_at: Date;
    expires_at: Date;
    used_at: Date | null;
  };
  web_sessions: {
    secret_hash: string;
    account_id: number | null;
    invite_hash: string | null;
    created_at: Date;
    expires_at: Date;
  };
  web_reads: { account_id: number; room: string; message_id: number };
  web_common_rooms: { room: string };
};

type AccountRow = Pick<WebTables['web_accounts'], 'id' | 'name' | 'first' | 'email'>;

/** Names that look the same are the same: case, width and space do not count. */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

export function createWebStore(db: Pick<Database, 'sql'>): WebStore {
  const k = db.sql.withTables<WebTables>();

  async function findAccount(
    where: { id: number } | { name: string },
  ): Promise<(AccountRow & { link: boolean; created_at: Date }) | undefined> {
    const query = k.selectFrom('web_accounts').select(['id', 'name', 'first', 'email', 'link', 'created_at']);
    return await ('id' in where
      ? query.where('id', '=', where.id)
      : query.where('folded_name', '=', foldName(where.name))
    ).executeTakeFirst();
  }

  /**
   * Makes the account, or returns undefined if the name is taken. Whoever comes first by the link of the machine is the first, once;
   * nobody who was invited, also from another chat before anybody was here.
   */
  async function makeAccount(
    name: string,
    link: boolean,
    email: string | null,
    now: Date,
  ): Promise<AccountRow | undefined> {
    for (;;) {
      // Two people with one address: the second one has none.
      const made = await sql<AccountRow>`
        insert into web_accounts (name, folded_name, link, first, email, created_at)
        select ${name}, ${foldName(name)}, ${link}, ${link}::boolean and not exists (select 1 from web_accounts where first),
          (select ${email}::text where not exists (select 1 from web_accounts where email = ${email}::text)), ${now}
        on conflict do nothing returning id, name, first, email`.execute(k);
      const account = made.rows[0];
      if (account) return account;
      if (await findAccount({ name })) return undefined;
      // Somebody else became the first at the same moment: try again as the second.
    }
  }

  async function enter({ session: hash, name, now }: Parameters<WebStore['enter']>[0]): Promise<Entered> {
    const session = await k
      .selectFrom('web_sessions')
      .select(['account_id', 'invite_hash'])
      .where('secret_hash', '=', hash)
      .where('expires_at', '>', now)
      .executeTakeFirst();
    if (!session || session.account_id !== null) return { kind: 'no session' };
    const byLink = session.invite_hash === null;
    const known = await findAccount({ name });
    const invited = byLink ? undefined : await inviteOf(session.invite_hash ?? '', now);
    if (known) {
      // An invitation made before somebody else took the name was not meant for that person.
      const meant = invited !== undefined && invited.createdAt >= known.created_at;
      const mine = byLink ? known.link : meant && foldName(invited.name) === foldName(known.name);
      if (!mine) return { kind: 'name taken' };
    }
    if (session.invite_hash !== null) {
      const used = await k
        .updateTable('web_invites')
        .set({ used_at: now })
        .where('secret_hash', '=', session.invite_hash)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      if (used.numUpdatedRows === 0n) return { kind: 'no session' };
    }
    const made = known ? undefined : await makeAccount(name, byLink, invited?.email ?? null, now);
    const account = known ?? made;
    if (!account) {
      // Taken a moment ago by somebody else: the invitation is still good for another name.
      if (session.invite_hash !== null) {
        await k
          .updateTable('web_invites')
          .set({ used_at: null })
          .where('secret_hash', '=', session.invite_hash)
          .execute();
      }
      return { kind: 'name taken' };
    }
    await k.updateTable('web_sessions').set({ account_id: account.id }).where('secret_hash', '=', hash).execute();
    return { kind: 'entered', account: bare(account), isNew: made !== undefined };
  }

  async function inviteOf(
    hash: string,
    now: Date,
  ): Promise<{ name: string; email: string | null; createdAt: Date } | undefined> {
    return await k
      .selectFrom('web_invites')
      .select(['name', 'email', 'created_at as createdAt'])
      .where('secret_hash', '=', hash)
      .where('used_at', 'is', null)
      .where('expires_at', '>', now)
      .executeTakeFirst();
  }

  return {
    enter,
    openInvite: inviteOf,
    async openSession({ hash, invite, now, until }) {
      await k
        .insertInto('web_sessions')
        .values({
          secret_hash: hash,
          account_id: null,
          invite_hash: invite ?? null,
          created_at: now,
          expires_at: until,
        })
        .execute();
    },
    async session(hash, now): Promise<Session | undefined> {
      const row = await k
        .selectFrom('web_sessions as s')
        .leftJoin('web_accounts as a', 'a.id', 's.account_id')
        .leftJoin('web_invites as i', 'i.secret_hash', 's.invite_hash')
        .select(['a.id', 'a.name', 'a.first', 'i.name as invite'])
        .where('s.secret_hash', '=', hash)
        .where('s.expires_at', '>', now)
        .executeTakeFirst();
      if (!row) return undefined;
      return {
        ...(row.id !== null &&
          row.name !== null && { account: { id: row.id, name: row.name, first: row.first === true } }),
        ...(row.invite !== null && { invite: { name: row.invite } }),
      };
    },
    async closeSession(hash) {
      await k.deleteFrom('web_sessions').where('secret_hash', '=', hash).execute();
    },
    async invite({ hash, name, by, email, now, until }) {
      await k
        .insertInto('web_invites')
        .values({
          secret_hash: hash,
          name,
          invited_by: by,
          email: email ?? null,
          created_at: now,
          expires_at: until,
          used_at: null,
        })
        .execute();
    },
    async accountOfEmail(email) {
      const found = await k
        .selectFrom('web_accounts')
        .select(['id', 'name', 'first', 'email'])
        .where('email', '=', email)
        .limit(2)
        .execute();
      const [only, second] = found;
      return only && !second ? bare(only) : undefined;
    },
    async setEmail(account, email) {
      const { rows } = await sql`
        update web_accounts set email = ${email} where id = ${account}
          and not exists (select 1 from web_accounts where email = ${email} and id <> ${account})
        returning id`.execute(k);
      return rows.length > 0;
    },
    async account(id) {
      const found = await findAccount({ id });
      return found && bare(found);
    },
    async accountNamed(name) {
      const found = await findAccount({ name });
      return found && bare(found);
    },
    async accounts() {
      const all = await k
        .selectFrom('web_accounts')
        .select(['id', 'name', 'first', 'email'])
        .orderBy('folded_name')
        .execute();
      return all.map(bare);
    },
    async unwelcomed() {
      const found = await k
        .selectFrom('web_accounts')
        .select(['id', 'name', 'first', 'email'])
        .where('welcomed_at', 'is', null)
        .orderBy('id')
        .execute();
      return found.map(bare);
    },
    async markWelcomed(id, now) {
      await k.updateTable('web_accounts').set({ welcomed_at: now }).where('id', '=', id).execute();
    },
    async reads(account) {
      const marks = await k
        .selectFrom('web_reads')
        .select(['room', 'message_id'])
        .where('account_id', '=', account)
        .execute();
      return new Map(marks.map((mark) => [mark.room, mark.message_id]));
    },
    async markRead(account, room, message) {
      const marked = await sql<{ message_id: number }>`
        insert into web_reads (account_id, room, message_id) values (${account}, ${room}, ${message})
        on conflict (account_id, room) do update set message_id = greatest(web_reads.message_id, excluded.message_id)
        returning message_id`.execute(k);
      return marked.rows[0]?.message_id ?? message;
    },
    async addCommonRoom(room) {
      const added = await k
        .insertInto('web_common_rooms')
        .values({ room })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return added.numInsertedOrUpdatedRows === 1n;
    },
    async commonRooms() {
      const found = await k.selectFrom('web_common_rooms').select('room').orderBy('room').execute();
      return found.map(({ room }) => room);
    },
    async sweep(now) {
      await k.deleteFrom('web_sessions').where('expires_at', '<=', now).execute();
      // An invitation stays as long as somebody is signed in by it: it says what that session may become.
      await sql`delete from web_invites i where i.expires_at <= ${now}
        and not exists (select 1 from web_sessions s where s.invite_hash = i.secret_hash)`.execute(k);
    },
  };
}

function bare({ id, name, first, email }: AccountRow): Account {
  return { id, name, first, ...(email === null ? {} : { email }) };
}
