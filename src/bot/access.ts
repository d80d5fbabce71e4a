/** The permission check in front of every command. Whatever goes wrong in it is a refusal. */

import type { AccessPolicy } from '../domain/access/policy.ts';
import { covers, overlaps, permissionsOf, rolesInFile, rolesOf, rolesThatCover } from '../domain/access/policy.ts';
import type { Grant, GrantStore } from '../domain/access/ports.ts';
import type { Person } from './chat.ts';
import { fail } from './errors.ts';

/** The permission that lets somebody give and take roles. */
export const GRANT_PERMISSION = 'access:grant';

/** How long a copy of the grants is trusted when no notice of a change arrives, in milliseconds. */
const TRUST_GRANTS_MS = 5_000;

export interface Access {
  readonly policy: AccessPolicy;
  /** Throws `access.denied`, naming what is missing and who can give it, or `access.unavailable`. */
  require(person: Person, permission: string): Promise<void>;
  can(person: Person, permission: string): Promise<boolean>;
  /** Could the person hold something that fits this pattern? For help and completion only. */
  mayHold(person: Person, pattern: string): Promise<boolean>;
  rolesOf(person: Person): Promise<readonly string[]>;
  permissionsOf(person: Person): Promise<readonly string[]>;
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
  /** Tells the other replicas. */
  changed(): Promise<void>;
  now(): Date;
}

export function createAccess({ policy, store, changed, now }: AccessPorts): Access {
  let copy: { readonly grants: readonly Grant[]; readonly readAt: number } | undefined;

  async function grants(): Promise<readonly Grant[]> {
    const at = now().getTime();
    if (copy && at - copy.readAt < TRUST_GRANTS_MS) return copy.grants;
    try {
      const fresh = await store.all();
      copy = { grants: fresh, readAt: at };
      return fresh;
    } catch (error) {
      throw Object.assign(fail('access.unavailable', {}), { cause: error });
    }
  }

  async function rolesOfPerson(person: Person): Promise<string[]> {
    const granted = (await grants()).filter((grant) => grant.personId === person.id).map((grant) => grant.role);
    return rolesOf(policy, person.id, granted);
  }

  async function permissionsOfPerson(person: Person): Promise<string[]> {
    return permissionsOf(policy, await rolesOfPerson(person));
  }

  async function can(person: Person, permission: string): Promise<boolean> {
    return (await permissionsOfPerson(person)).some((held) => covers(held, permission));
  }

  /** Another replica, or this one, changed the grants. */
  function forget(): void {
    copy = undefined;
  }

  /** Names of people who can give roles; those of the file are known by id only. */
  async function granters(): Promise<string[]> {
    const roles = rolesThatCover(policy, GRANT_PERMISSION);
    const granted = (await grants()).filter((grant) => roles.includes(grant.role)).map((grant) => grant.personName);
    const named = Object.entries(policy.people)
      .filter(([, held]) => held.some((role) => roles.includes(role)))
      .map(([id]) => id);
    return [...new Set([...granted, ...named])].slice(0, 5);
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
    rolesOf: rolesOfPerson,
    permissionsOf: permissionsOfPerson,
    can,
    async mayHold(person, pattern) {
      return (await permissionsOfPerson(person)).some((held) => overlaps(held, pattern));
    },
    async require(person, permission) {
      if (await can(person, permission)) return;
      throw fail('access.denied', {
        permission,
        roles: rolesThatCover(policy, permission),
        granters: await granters(),
      });
    },
    async grant(person, role, by) {
      const known = knownRole(role);
      if ((await rolesOfPerson(person)).includes(known)) return false;
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
        const others = (await store.all()).some(
          (grant) => granting.includes(grant.role) && !(grant.personId === person.id && grant.role === known),
        );
        const named = Object.values(policy.people).some((held) => held.some((each) => granting.includes(each)));
        if (!others && !named) throw fail('access.last', {});
      }
      const removed = await store.remove(person.id, known);
      forget();
      await changed();
      return removed;
    },
    forget,
  };
}
