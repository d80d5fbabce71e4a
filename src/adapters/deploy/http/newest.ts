/** Names of versions in the order in which people want them. */

const SEMVER = /^v?(?<major>\d+)(?:\.(?<minor>\d+))?(?:\.(?<patch>\d+))?(?:-(?<pre>[0-9A-Za-z.-]+))?(?:\+.*)?$/;

/**
 * By semantic version, newest first (semver.org section 11); pre-releases after all others, so that none is the default; then
 * what is no semantic version, in the order given.
 */
export function newestFirst(names: readonly string[]): readonly string[] {
  const known = names.flatMap((name) => {
    const groups = SEMVER.exec(name)?.groups;
    return groups === undefined ? [] : [{ name, groups }];
  });
  const others = names.filter((name) => !SEMVER.test(name));
  const sorted = known.toSorted(
    (a, b) => compareNumbers(a.groups, b.groups) || comparePre(a.groups['pre'], b.groups['pre']),
  );
  const stable = sorted.filter(({ groups }) => groups['pre'] === undefined);
  const pre = sorted.filter(({ groups }) => groups['pre'] !== undefined);
  return [...[...stable, ...pre].map(({ name }) => name), ...others];
}

type Groups = Readonly<Record<string, string | undefined>>;

function compareNumbers(a: Groups, b: Groups): number {
  for (const part of ['major', 'minor', 'patch']) {
    const difference = Number(b[part] ?? 0) - Number(a[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePre(a = '', b = ''): number {
  return b.localeCompare(a, 'en', { numeric: true });
}
