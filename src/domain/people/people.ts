/** Who the accounts of the chats are. */

import type { Logger } from '../../bot/log.ts';
import { normaliseEmail } from './email.ts';
import { identityOf } from './identity.ts';
import type { Account, Identity, Kin, KnownChats, People, PeopleStore, UserGroup } from './ports.ts';

/** How long a copy is trusted when no notice of a change arrives, in milliseconds. */
const TRUST_COPY_MS = 5_000;
/** Copies kept at most. */
const COPIES = 10_000;
/** Two accounts that shared an address so short a time ago may still be one person's, in milliseconds. Proposals wait an hour. */
const APART_MS = 24 * 3_600_000;

export interface PeoplePorts {
  readonly store: PeopleStore;
  readonly chats: KnownChats;
  /** Is something given to the group of this handle? Such a handle stays with the group that had it first. */
  isUsed(handle: string): boolean;
  /** Tells the other replicas. */
  changed(): Promise<void>;
  now(): Date;
  readonly log: Logger;
}

interface Copy {
  readonly readAt: number;
  readonly kin: Promise<Kin>;
  readonly identity: Promise<Identity>;
}

/** The accounts of all chats. What is read of them is kept for a moment; `forget` it when another replica has news. */
export function createPeople({ store, chats, isUsed, changed, now, log }: PeoplePorts): People {
  const copies = new Map<string, Copy>();

  function forget(): void {
    copies.clear();
  }

  async function news(): Promise<void> {
    forget();
    await changed();
  }

  /** Asked on every command: who somebody is, is worked out once. */
  function copyOf(id: string): Copy {
    const at = now();
    const copy = copies.get(id);
    if (copy && at.getTime() - copy.readAt < TRUST_COPY_MS) return copy;
    if (copies.size >= COPIES) copies.clear();
    const kin = store.kin(id);
    const identity = kin.then((known) => identityOf(id, known, chats, at));
    const fresh: Copy = { readAt: at.getTime(), kin, identity };
    copies.set(id, fresh);
    identity.catch(() => {
      if (copies.get(id) === fresh) copies.delete(id);
    });
    return fresh;
  }

  /** Without the handles that belonged to another group before: whoever may rename groups must not get that one's roles. */
  async function withTheirHandles(chat: string, groups: readonly UserGroup[]): Promise<UserGroup[]> {
    const used = groups.flatMap(({ id, handle }) =>
      handle !== undefined && isUsed(handle) ? [[handle, id] as const] : [],
    );
    const pinned = await store.pin(chat, new Map(used.toReversed()));
    return groups.map((group) => {
      const { handle, ...rest } = group;
      if (handle === undefined || !isUsed(handle) || pinned.get(handle) === group.id) return group;
      log.error(
        { handle, group: group.id, first: pinned.get(handle) },
        'user group has a handle that was of another one: it gives nothing; name the group by its id in config/access.yaml',
      );
      return rest;
    });
  }

  return {
    async save(...accounts) {
      if (await store.save(accounts.map(tidied), now())) await news();
      // What was not known, or not checked for long, counts at once.
      else forget();
    },
    async get(id) {
      return (await copyOf(id).kin).accounts.find((account) => account.id === id);
    },
    identity: (id) => copyOf(id).identity,
    async samePerson(one, other) {
      return one === other || (await store.haveMet(one, other, new Date(now().getTime() - APART_MS)));
    },
    membersOf: async (groups) => (groups.length === 0 ? [] : await store.membersOf(groups)),
    async saveGroups(chat, groups) {
      await store.saveGroups(chat, await withTheirHandles(chat, groups), now());
      await news();
    },
    forget,
  };
}

function tidied({ email, ...account }: Account): Account {
  const address = email === undefined ? undefined : normaliseEmail(email);
  return address === undefined ? account : { ...account, email: address };
}
