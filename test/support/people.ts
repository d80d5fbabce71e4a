/** Who the accounts of a test are. */

import { createPeople } from '../../src/domain/people/people.ts';
import type {
  Account,
  KnownAccount,
  KnownChats,
  KnownGroup,
  People,
  PeopleStore,
} from '../../src/domain/people/ports.ts';
import { collectingLog } from './log.ts';

/** What a chat says of an account; one of the team unless said otherwise. */
export function account(id: string, more: Partial<Account> = {}): Account {
  return { id, chat: id.slice(0, id.indexOf(':')), name: id, active: true, outside: false, ...more };
}

/** No account is linked with another one. */
export const everybodyInside: Pick<People, 'identity' | 'samePerson' | 'get' | 'membersOf'> = {
  get: async () => undefined,
  identity: async (id) => ({ standing: 'inside', linked: [id], groups: [] }),
  samePerson: async (one, other) => one === other,
  membersOf: async () => [],
};

export interface MemoryPeople extends People {
  /** Times that the store was asked whose account one is. */
  readonly asked: () => number;
  /** From now on every question fails. */
  fail(): void;
}

/** The real rules over a store in memory. Chats whose name begins with `slack` have a directory. */
export function memoryPeople(
  options: { readonly now?: () => Date; readonly chats?: KnownChats; readonly used?: readonly string[] } = {},
): MemoryPeople {
  const accounts = new Map<string, KnownAccount>();
  const former: { id: string; email: string; until: Date }[] = [];
  const groups = new Map<string, readonly KnownGroup[]>();
  const pins = new Map<string, string>();
  let asked = 0;
  let broken = false;
  const store: PeopleStore = {
    async save(given, at) {
      for (const each of given) {
        const before = accounts.get(each.id);
        if (before?.email !== undefined && before.email !== each.email)
          former.push({ id: each.id, email: before.email, until: at });
        accounts.set(each.id, { ...each, checkedAt: at });
      }
      return true;
    },
    async kin(id) {
      asked++;
      if (broken) throw new Error('away');
      const own = accounts.get(id);
      const found = [...accounts.values()].filter(
        (each) => each.id === id || (own?.email !== undefined && each.email === own.email),
      );
      const ids = found.map((each) => each.id);
      return {
        accounts: found,
        groups: [...groups.values()].flat().filter(({ members }) => members.some((member) => ids.includes(member))),
      };
    },
    async haveMet(one, other, since) {
      if (broken) throw new Error('away');
      const emailsOf = (id: string): string[] => [
        ...former.filter((each) => each.id === id && each.until > since).map(({ email }) => email),
        ...(accounts.get(id)?.email === undefined ? [] : [accounts.get(id)?.email ?? '']),
      ];
      return emailsOf(one).some((email) => emailsOf(other).includes(email));
    },
    async saveGroups(chat, given, at) {
      groups.set(
        chat,
        given.map((group) => ({ ...group, chat, readAt: at })),
      );
    },
    membersOf: async (named) => [
      ...new Set(
        [...groups.values()]
          .flat()
          .filter(({ id, handle }) => named.includes(id) || (handle !== undefined && named.includes(handle)))
          .flatMap(({ members }) => members),
      ),
    ],
    async pin(_chat, handles) {
      for (const [handle, id] of handles) if (!pins.has(handle)) pins.set(handle, id);
      return pins;
    },
  };
  const people = createPeople({
    store,
    chats:
      options.chats ??
      new Map([
        ['slack', 'directory'],
        ['slack-emea', 'directory'],
        ['web', 'by hand'],
        ['shell', 'by hand'],
      ]),
    isUsed: (handle) => options.used?.includes(handle) ?? true,
    changed: async () => undefined,
    now: options.now ?? (() => new Date()),
    log: collectingLog(),
  });
  return {
    ...people,
    asked: () => asked,
    fail() {
      broken = true;
      people.forget();
    },
  };
}
