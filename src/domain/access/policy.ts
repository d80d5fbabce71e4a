/** Who may do what: roles hold permissions, people hold roles. Pure. */

/** The content of config/access.yaml. */
export interface AccessPolicy {
  /** Role → permissions. `*` stands for one part or, at the end, for all that follows: `deploy:*`, `*`. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  /** Permissions that everybody has. */
  readonly everyone: readonly string[];
  /** Person id (`web:7`, `slack:U0123`) → roles. */
  readonly people: Readonly<Record<string, readonly string[]>>;
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

/** The roles that config/access.yaml gives a person. */
export function rolesInFile(policy: AccessPolicy, personId: string): readonly string[] {
  return Object.hasOwn(policy.people, personId) ? (policy.people[personId] ?? []) : [];
}

/** The roles of a person: from the file, and granted in chat. Roles that no longer exist count for nothing. */
export function rolesOf(policy: AccessPolicy, personId: string, granted: readonly string[]): string[] {
  return [...new Set([...rolesInFile(policy, personId), ...granted])]
    .filter((role) => Object.hasOwn(policy.roles, role))
    .sort();
}

/** The permissions that roles give, with those that everybody has. */
export function permissionsOf(policy: AccessPolicy, roles: readonly string[]): string[] {
  const fromRoles = roles.flatMap((role) => (Object.hasOwn(policy.roles, role) ? (policy.roles[role] ?? []) : []));
  return [...new Set([...policy.everyone, ...fromRoles])];
}

/** Which roles give a permission. */
export function rolesThatCover(policy: AccessPolicy, needed: string): string[] {
  return Object.entries(policy.roles)
    .filter(([, permissions]) => permissions.some((held) => covers(held, needed)))
    .map(([role]) => role)
    .sort();
}
