/** Which accounts are one person. Pure. */

import type { Identity, Kin, KnownAccount, KnownChats, Standing } from './ports.ts';

/** How long what a chat's list said of an account counts when the list cannot be read any more, in milliseconds. */
const TRUST_ACCOUNT_MS = 24 * 3_600_000;
/** The same for the members of a group. The lists are read every hour. */
const TRUST_GROUP_MS = 2 * 3_600_000;

/** The chat of a person's id. */
function chatOf(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf(':')));
}

function standingOf(account: KnownAccount, chats: KnownChats, now: Date): Standing {
  if (!account.active) return 'inactive';
  if (account.outside) return 'outside';
  const late = now.getTime() - account.checkedAt.getTime() > TRUST_ACCOUNT_MS;
  return chats.get(account.chat) === 'directory' && late ? 'outside' : 'inside';
}

/**
 * Whose account it is. Accounts are one person's if they are of different chats, active, not outside, and have the same address.
 * Where a chat has two accounts with that address nobody can tell whose it is, and neither is linked.
 */
export function identityOf(id: string, kin: Kin, chats: KnownChats, now: Date): Identity {
  const own = kin.accounts.find((account) => account.id === id);
  if (!own) return { standing: chats.get(chatOf(id)) === 'directory' ? 'outside' : 'inside', linked: [id], groups: [] };
  const standing = standingOf(own, chats, now);
  if (standing !== 'inside') return { standing, linked: [id], groups: [] };
  const others = linkedTo(own, kin.accounts, chats, now);
  const linked = [id, ...others];
  const groups = kin.groups
    .filter(
      ({ chat, members, readAt }) =>
        chats.get(chat) === 'directory' &&
        now.getTime() - readAt.getTime() <= TRUST_GROUP_MS &&
        members.some((member) => linked.includes(member) && chatOf(member) === chat),
    )
    .flatMap((group) => (group.handle === undefined ? [group.id] : [group.id, group.handle]));
  return { standing, linked, groups: [...new Set(groups)].sort() };
}

function linkedTo(
  own: KnownAccount,
  accounts: readonly KnownAccount[],
  chats: KnownChats,
  now: Date,
): readonly string[] {
  if (own.email === undefined || !chats.has(own.chat)) return [];
  const alike = accounts.filter(
    (account) => account.email === own.email && chats.has(account.chat) && standingOf(account, chats, now) === 'inside',
  );
  const byChat = Map.groupBy(alike, ({ chat }) => chat);
  if ((byChat.get(own.chat)?.length ?? 0) > 1) return [];
  return [...byChat]
    .flatMap(([chat, [only, second]]) => (only && !second && chat !== own.chat ? [only.id] : []))
    .sort();
}
