/** Who may do what: roles hold permissions, people hold roles. Pure. */

/** What a permission looks like: `deploy:production`, `deploy:*`, `*`. */
export const PERMISSION = /^(\*|[a-z][\w-]*)(:(\*|[\w.-]+))*$/;

/** The content of config/access.yaml. */
export interface AccessPolicy {
  /** Role → permissions. `*` stands for one part or, at the end, for all that follows: `deploy:*`, `*`. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  /** Permissions that everybody of the team has; people from outside have not. */
  readonly everyone: readonly string[];
  /** Person id (`web:7`, `slack:U0123`) → roles. */
  readonly people: Readonly<Record<string, readonly string[]>>;
  /** User group of a chat by id or handle (`slack:S0123`, `slack:@oncall`) → roles. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** Whose roles are asked for: accounts and groups of one person, and whether that is one of the team. */
export interface Holder {
  /** Person ids of the accounts that count. */
  readonly accounts: readonly string[];
  readonly groups: readonly string[];
  readonly standing: 'inside' | 'outside' | 'inactive';
}

/** Does a permission that somebody holds, maybe with `*`, cover one that is needed? */
export function covers(held: string, needed: string): boolean {
  return compare(held, needed, (have, want) => have === '*' || have === want);
}

/** Could some permission be covered by both? Tells whether a command is worth showing to somebody. */
export function overlaps(held: string, pattern: string): boolean {
  return compare(held, pattern, (have, want) => have === '*' || want === '*' || have === want);
}

function compare(held: string, needed: string, fits: (have: string, want: string) => boolean): boolean {
  const have = held.split(':');
  const want = needed.split(':');
  for (const [at, part] of have.entries()) {
    const wanted = want[at];
    if (wanted === undefined) return false;
    if (part === '*' && at === have.length - 1) return true;
    if (!fits(part, wanted)) return false;
  }
  return have.length === want.length;
}

/** The roles that config/access.yaml gives an account. */
export function rolesInFile(policy: AccessPolicy, personId: string): readonly string[] {
  return Object.hasOwn(policy.people, personId) ? (policy.people[personId] ?? []) : [];
}

/**
 * The roles of a person: those of the file and those granted in chat of every account, and those of their groups. Roles that no
 * longer exist count for nothing. Who is deactivated has none; who is from outside has those of the account alone.
 */
export function rolesOf(
  policy: AccessPolicy,
  holder: Holder,
  grants: readonly { readonly personId: string; readonly role: string }[],
): string[] {
  if (holder.standing === 'inactive') return [];
  const [own] = holder.accounts;
  const accounts = holder.standing === 'inside' ? holder.accounts : own === undefined ? [] : [own];
  const groups = holder.standing === 'inside' ? holder.groups : [];
  const found = [
    ...accounts.flatMap((id) => rolesInFile(policy, id)),
    ...groups.flatMap((group) => (Object.hasOwn(policy.groups, group) ? (policy.groups[group] ?? []) : [])),
    ...grants.flatMap(({ personId, role }) => (accounts.includes(personId) ? [role] : [])),
  ];
  return [...new Set(found)].filter((role) => Object.hasOwn(policy.roles, role)).sort();
}

/** The permissions that roles give, for one of the team with those that everybody has. */
export function permissionsOf(
  policy: AccessPolicy,
  roles: readonly string[],
  standing: Holder['standing'] = 'inside',
): string[] {
  const fromRoles = roles.flatMap((role) => (Object.hasOwn(policy.roles, role) ? (policy.roles[role] ?? []) : []));
  return [...new Set([...(standing === 'inside' ? policy.everyone : []), ...fromRoles])];
}

/** Which roles give a permission. */
export function rolesThatCover(policy: AccessPolicy, needed: string): string[] {
  return Object.entries(policy.roles)
    .filter(([, permissions]) => permissions.some((held) => covers(held, needed)))
    .map(([role]) => role)
    .sort();
}
