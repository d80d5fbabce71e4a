/** The permission check in front of every command. Whatever goes wrong in it is a refusal. */

import type { AccessPolicy } from '../domain/access/policy.ts';
import { covers, overlaps, permissionsOf, rolesInFile, rolesOf, rolesThatCover } from '../domain/access/policy.ts';
import type { Grant, GrantStore, TokenStore } from '../domain/access/ports.ts';
import { common, isExpired, isForPeople, tokenNameOf } from '../domain/access/token.ts';
import type { Identity, People } from '../domain/people/ports.ts';
import type { Person } from './chat.ts';
import { type Failure, fail } from './errors.ts';

/** The permission that lets somebody give and take roles. */
export const GRANT_PERMISSION = 'access:grant';

/** How long a copy of the grants is trusted when no notice of a change arrives, in milliseconds. */
const TRUST_GRANTS_MS = 5_000;

/** What counts for the rights of an account. */
export interface Rights {
  readonly identity: Identity;
  /** Of all accounts and groups of the person. */
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
}

export interface Access {
  readonly policy: AccessPolicy;
  /**
   * Throws `access.outside` if the account has no rights at all, not even what is public: a guest, a stranger, nobody known,
   * unless a role was given to that very account; `access.inactive` if it is deactivated; `access.unavailable`.
   */
  admit(person: Person): Promise<void>;
  /** Whether {@link Access.admit} lets the account in. Throws `access.unavailable`. */
  admits(person: Person): Promise<boolean>;
  /** As {@link Access.admit}; also throws `access.denied`, naming what is missing and who can give it. */
  require(person: Person, permission: string): Promise<void>;
  /** Whether both accounts may be one person's; a token is its maker's, one that is gone anybody's. Throws `access.unavailable`. */
  samePerson(one: Person, other: Person): Promise<boolean>;
  /**
   * Whether the account is whose it was at that time: the name of a token that was revoked may be another one's by now. Throws
   * `access.unavailable`.
   */
  isStill(person: Pick<Person, 'id'>, since: Date): Promise<boolean>;
  rightsOf(person: Person): Promise<Rights>;
  can(person: Person, permission: string): Promise<boolean>;
  /** Could the person hold something that fits this pattern? For help and completion only. */
  mayHold(person: Person, pattern: string): Promise<boolean>;
  rolesOf(person: Person): Promise<readonly string[]>;
  permissionsOf(person: Person): Promise<readonly string[]>;
  /**
   * Accounts that have that role, or a role that gives that permission: by name, as a member of a group, or given in chat. What
   * everybody may, and what a deactivated account or one from outside had, is for {@link Access.can} to say.
   */
  holders(needs: { readonly permission: string } | { readonly role: string }): Promise<readonly Person[]>;
  grants(): Promise<readonly Grant[]>;
  /** False if the person had the role. Throws `access.role`. */
  grant(person: Person, role: string, by: Person): Promise<boolean>;
  /** False if the person did not have the role. Throws `access.role`, `access.file`, `access.last`. */
  revoke(person: Person, role: string): Promise<boolean>;
  /** Another replica changed the grants. */
  forget(): void;
}

export interface AccessPorts {
  readonly policy: AccessPolicy;
  readonly store: GrantStore;
  readonly people: Pick<People, 'identity' | 'samePerson' | 'get' | 'membersOf'>;
  /** Tokens of programs, if there are any: the people of the chat `api`. */
  readonly tokens?: Pick<TokenStore, 'get'>;
  /** Tells the other replicas. */
  changed(): Promise<void>;
  now(): Date;
}

export function createAccess({ policy, store, people, tokens, changed, now }: AccessPorts): Access {
  /** Rights by who somebody is, as long as the same grants hold. */
  const worked = new WeakMap<Identity, { readonly from: readonly Grant[]; readonly rights: Rights }>();
  let copy: { readonly grants: readonly Grant[]; readonly readAt: number } | undefined;

  async function grants(): Promise<readonly Grant[]> {
    const at = now().getTime();
    if (copy && at - copy.readAt < TRUST_GRANTS_MS) return copy.grants;
    const fresh = [...(await available(store.all()))];
    copy = { grants: fresh, readAt: at };
    return fresh;
  }

  /** What the token and whoever made it both may, and nothing that everybody has. */
  async function rightsOfToken(name: string, person: Person): Promise<Rights> {
    const token = await available(Promise.resolve(tokens?.get(name)));
    const maker = token && !isExpired(token, now()) ? await rightsOf({ ...person, ...token.madeBy }) : undefined;
    const standing = token && maker && isAdmitted(maker) ? 'inside' : 'inactive';
    return {
      identity: { standing, linked: [person.id], groups: [] },
      roles: [],
      permissions: token && maker ? common(token.permissions, maker.permissions) : [],
    };
  }

  /**
   * Of a token, the account that made it: no more may be done by the two than by the one. Undefined for a token that is gone:
   * nobody knows any more whose it was.
   */
  async function answerableFor(person: Person): Promise<string | undefined> {
    const name = tokenNameOf(person.id);
    if (name === undefined) return person.id;
    return (await available(Promise.resolve(tokens?.get(name))))?.madeBy.id;
  }

  async function samePerson(one: Person, other: Person): Promise<boolean> {
    const [first, second] = await Promise.all([answerableFor(one), answerableFor(other)]);
    if (first === undefined || second === undefined) return true;
    return await available(people.samePerson(first, second));
  }

  async function isStill({ id }: Pick<Person, 'id'>, since: Date): Promise<boolean> {
    const name = tokenNameOf(id);
    if (name === undefined) return true;
    const token = await available(Promise.resolve(tokens?.get(name)));
    return token !== undefined && token.madeAt <= since;
  }

  async function rightsOf(person: Person): Promise<Rights> {
    const token = tokenNameOf(person.id);
    if (token !== undefined) return await rightsOfToken(token, person);
    const identity = await available(people.identity(person.id));
    const given = await grants();
    const before = worked.get(identity);
    if (before?.from === given) return before.rights;
    const { linked: accounts, groups, standing } = identity;
    const roles = rolesOf(policy, { accounts, groups, standing }, given);
    const permissions = standing === 'inactive' ? [] : permissionsOf(policy, roles, standing);
    const rights = { identity, roles, permissions };
    worked.set(identity, { from: given, rights });
    return rights;
  }

  /** Undefined if the account may use what is public. */
  async function refusal(person: Person, rights: Rights): Promise<Failure | undefined> {
    if (isAdmitted(rights)) return undefined;
    if (rights.identity.standing === 'inactive') return fail('access.inactive', { id: person.id });
    return fail('access.outside', { id: person.id, granters: await granters() });
  }

  async function can(person: Person, permission: string): Promise<boolean> {
    return holds(person, await rightsOf(person), permission);
  }

  /** Another replica, or this one, changed the grants. */
  function forget(): void {
    copy = undefined;
  }

  /** Accounts that somebody gave one of these roles, in chat or in the file, and that are not deactivated. */
  async function holdersOf(
    roles: readonly string[],
    given: readonly Grant[],
  ): Promise<{ id: string; name?: string }[]> {
    const holders = [
      ...given.flatMap(({ personId, personName, role }) =>
        roles.includes(role) ? [{ id: personId, name: personName }] : [],
      ),
      ...Object.entries(policy.people).flatMap(([id, held]) =>
        held.some((role) => roles.includes(role)) ? [{ id }] : [],
      ),
    ];
    const standings = await Promise.all(holders.map(({ id }) => available(people.identity(id))));
    return holders.filter((_, at) => standings[at]?.standing !== 'inactive');
  }

  /** Names of people who can give roles; an id of the file that no chat knows stays one. */
  async function granters(): Promise<string[]> {
    const holders = await holdersOf(rolesThatCover(policy, GRANT_PERMISSION), await grants());
    const first = holders.filter(({ id }, at) => holders.findIndex((other) => other.id === id) === at).slice(0, 5);
    const names = await Promise.all(
      first.map(async ({ id, name }) => name ?? (await available(people.get(id)))?.name ?? id),
    );
    return [...new Set(names)];
  }

  function knownRole(role: string): string {
    const names = Object.keys(policy.roles);
    const known = names.find((name) => name.toLowerCase() === role.toLowerCase());
    if (known === undefined) throw fail('access.role', { role, roles: names });
    return known;
  }

  return {
    policy,
    grants,
    rightsOf,
    rolesOf: async (person) => (await rightsOf(person)).roles,
    permissionsOf: async (person) => (await rightsOf(person)).permissions,
    can,
    async holders(needs) {
      const roles = 'role' in needs ? [needs.role] : rolesThatCover(policy, needs.permission);
      const groups = Object.entries(policy.groups).filter(([, held]) => held.some((role) => roles.includes(role)));
      const byName = (await holdersOf(roles, await grants())).map(({ id }) => id);
      const byGroup = await available(people.membersOf(groups.map(([group]) => group)));
      return [...new Set([...byName, ...byGroup])].map((id) => ({ id, chat: id.slice(0, id.indexOf(':')), name: id }));
    },
    async mayHold(person, pattern) {
      return (await rightsOf(person)).permissions.some((held) => overlaps(held, pattern));
    },
    async admit(person) {
      const refused = await refusal(person, await rightsOf(person));
      if (refused) throw refused;
    },
    admits: async (person) => isAdmitted(await rightsOf(person)),
    samePerson,
    isStill,
    async require(person, permission) {
      const rights = await rightsOf(person);
      const refused = await refusal(person, rights);
      if (refused) throw refused;
      if (holds(person, rights, permission)) return;
      const token = tokenNameOf(person.id);
      if (token !== undefined && isForPeople(permission)) throw fail('token.people', { permission });
      if (token !== undefined) throw fail('token.denied', { name: token, permission });
      throw fail('access.denied', {
        permission,
        roles: rolesThatCover(policy, permission),
        granters: await granters(),
      });
    },
    async grant(person, role, by) {
      const known = knownRole(role);
      const { identity } = await rightsOf(person);
      if (identity.standing === 'inactive') throw fail('access.inactive', { id: person.id });
      // Given to this account, whatever others of the same person have.
      const own = rolesOf(policy, { accounts: [person.id], groups: [], standing: 'inside' }, await grants());
      if (own.includes(known)) return false;
      const added = await store.add({
        personId: person.id,
        personName: person.name,
        role: known,
        grantedBy: by.name,
        grantedAt: now(),
      });
      forget();
      await changed();
      return added;
    },
    async revoke(person, role) {
      const known = knownRole(role);
      if (rolesInFile(policy, person.id).includes(known))
        throw fail('access.file', { person: person.name, role: known });
      const granting = rolesThatCover(policy, GRANT_PERMISSION);
      if (granting.includes(known)) {
        // Another account of the same person counts; groups do not: who is in one is decided elsewhere.
        const rest = (await store.all()).filter((grant) => !(grant.personId === person.id && grant.role === known));
        if ((await holdersOf(granting, rest)).length === 0) throw fail('access.last', {});
      }
      const removed = await store.remove(person.id, known);
      forget();
      await changed();
      return removed;
    },
    forget,
  };
}

/** Whatever a token holds, it hands out no rights. */
function holds({ id }: Person, { permissions }: Rights, permission: string): boolean {
  if (tokenNameOf(id) !== undefined && isForPeople(permission)) return false;
  return permissions.some((held) => covers(held, permission));
}

function isAdmitted({ identity, roles }: Rights): boolean {
  return identity.standing === 'inside' || (identity.standing === 'outside' && roles.length > 0);
}

/** What cannot be found out is a refusal that says so. */
async function available<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw Object.assign(fail('access.unavailable', {}), { cause: error });
  }
}
