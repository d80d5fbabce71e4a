/** Which commit a version is, and which version a name of Git becomes. */

import { type ChecksFact, havePassed, type RequiredChecks } from './checks.ts';
import { type CommitsFact, LISTED } from './commits.ts';
import { age } from './duration.ts';
import { isVersion } from './plan.ts';
import type { Change, DeployPorts, Place } from './ports.ts';
import type { Refusal } from './refusal.ts';
import {
  commitIn,
  isSameCommit,
  type Resolved,
  type Side,
  type Source,
  SourceUnclear,
  short,
  versionOf,
} from './source.ts';

type RevisionPorts = Pick<DeployPorts, 'store' | 'clock' | 'redact' | 'source'>;

/** Why nothing can be said for sure; a clause, and a sentence that says what to do. */
interface Unsure {
  readonly text: string;
  readonly next: string;
}

/** What a request comes to. */
export interface Settled {
  readonly kind: 'settled';
  /** What the target is given; undefined if there is nothing to choose from. */
  readonly version: string | undefined;
  /** What was asked for, where that is something else. */
  readonly asked?: string;
  readonly commit?: string;
  /** Why it is not known which commit it is, or whether it still is that one. */
  readonly unsure?: Unsure;
}

interface Wanted extends Place {
  /** Undefined: the newest. */
  readonly version?: string | undefined;
  readonly isRollback?: boolean | undefined;
}

/** Versions tried for the newest that passed. */
const TRIED = 10;
const LATER = 'Try again when it can be asked.';

/**
 * What is to be deployed.
 *
 * @param versions of the target, newest first
 * @param required checks of the environment; undefined if it asks for none
 */
export async function settle(
  ports: RevisionPorts,
  wanted: Wanted,
  versions: readonly string[] | 'unsupported',
  required: RequiredChecks | undefined,
): Promise<Settled | Refusal> {
  const { service, environment, version } = wanted;
  const source = ports.source?.(service);
  if (source === undefined) return { kind: 'settled', version };
  // What was pushed just before counts.
  await source.refresh?.();
  if (version === undefined) return await newest(ports, source, wanted, versions, required);
  if (!isVersion(version)) return { kind: 'refused', reason: 'bad_version', version };
  if (wanted.isRollback) {
    const commit = await recorded(ports, { service, environment, version });
    return {
      kind: 'settled',
      version,
      ...(commit === undefined ? await identified(ports, source, version) : { commit }),
    };
  }
  if (versions !== 'unsupported' && versions.includes(version)) {
    return { kind: 'settled', version, ...(await identified(ports, source, version)) };
  }
  let found: Resolved;
  try {
    found = await find(source, version);
  } catch (error) {
    const text = unclear(ports, error);
    // What was deployed before is no name that moves.
    const commit = versions === 'unsupported' ? await recorded(ports, { service, version }) : undefined;
    if (commit !== undefined) return { kind: 'settled', version, commit, unsure: { text, next: LATER } };
    return { kind: 'refused', reason: 'source', service, version, text };
  }
  return choose(ports, source, { ...wanted, version }, versions, found);
}

/** What a name that is no version of the target itself comes to. */
function choose(
  ports: RevisionPorts,
  { config }: Source,
  { service, version }: Place & { readonly version: string },
  versions: readonly string[] | 'unsupported',
  found: Resolved,
): Settled | Refusal {
  const { name } = config;
  if (found.kind === 'ambiguous') return { kind: 'refused', reason: 'ambiguous', version, commits: found.commits };
  if (found.kind === 'unknown') {
    if (versions !== 'unsupported') {
      return { kind: 'refused', reason: 'unknown_version', service, version, known: versions };
    }
    const old = oldNews(ports, found, version, name).unsure;
    if (!config.others) {
      // It may be there by now.
      if (old !== undefined) return { kind: 'refused', reason: 'source', service, version, text: old.text };
      return { kind: 'refused', reason: 'unknown_name', service, version, source: name };
    }
    return { kind: 'settled', version, unsure: noName(version, name) };
  }
  const { commit } = found;
  const wanted = versionOf(config, commit, found.what === 'tag' ? version : undefined);
  const asked = wanted === version ? {} : { asked: version };
  const old = oldNews(ports, found, version, name);
  if (versions === 'unsupported') return { kind: 'settled', version: wanted, ...asked, commit, ...old };
  const built = versions.find((one) => one === wanted || isSameCommit(one, commit));
  if (built === undefined) return { kind: 'refused', reason: 'not_built', service, version, commit, known: versions };
  return { kind: 'settled', version: built, ...(built === version ? {} : { asked: version }), commit, ...old };
}

/** The first that passed what is required, or whatever has run where nothing is; the first of all if nothing is known of any. */
async function newest(
  ports: RevisionPorts,
  source: Source,
  { service }: Wanted,
  versions: readonly string[] | 'unsupported',
  required: RequiredChecks | undefined,
): Promise<Settled | Refusal> {
  const first: { settled?: Settled } = {};
  let isKnown = false;
  let tried = 0;
  try {
    for (const { version, commit } of await candidates(source, versions)) {
      const found = commit === undefined ? await find(source, version) : undefined;
      const id = commit ?? (found?.kind === 'found' ? found.commit : undefined);
      const old = found?.kind === 'found' ? oldNews(ports, found, version, source.config.name) : {};
      const settled: Settled = {
        kind: 'settled',
        version,
        ...(id === undefined ? { unsure: noName(version, source.config.name) } : { commit: id, ...old }),
      };
      first.settled ??= settled;
      tried += 1;
      const checks = id === undefined ? [] : await source.checks(id);
      if (checks.length > 0) isKnown = true;
      if (havePassed(required ?? 'all', checks)) return settled;
    }
  } catch (error) {
    const text = unclear(ports, error);
    if (versions === 'unsupported') return { kind: 'refused', reason: 'source', service, version: 'the newest', text };
    return { kind: 'settled', version: versions[0], unsure: { text, next: LATER } };
  }
  // The rule says of the newest why it is not let in.
  if (required !== undefined || !isKnown) return first.settled ?? { kind: 'settled', version: undefined };
  return { kind: 'refused', reason: 'none_passed', service, tried };
}

async function candidates(
  source: Source,
  versions: readonly string[] | 'unsupported',
): Promise<readonly { readonly version: string; readonly commit?: string }[]> {
  if (versions !== 'unsupported') return versions.slice(0, TRIED).map((version) => ({ version }));
  const commits = await source.newest(TRIED);
  return commits.map(({ id }) => ({ version: versionOf(source.config, id), commit: id }));
}

/** The commit of what is a version already, as far as it can be known. */
async function identified(
  ports: RevisionPorts,
  source: Source,
  version: string,
): Promise<Pick<Settled, 'commit' | 'unsure'>> {
  const { name } = source.config;
  try {
    const found = await find(source, version);
    if (found.kind === 'found') return { commit: found.commit, ...oldNews(ports, found, version, name) };
    return { unsure: noName(version, name) };
  } catch (error) {
    return { unsure: { text: unclear(ports, error), next: LATER } };
  }
}

/** A name of Git, or what a target was given for one. */
async function find(source: Source, version: string): Promise<Resolved> {
  const found = await source.resolve(version);
  if (found.kind !== 'unknown') return found;
  const commit = commitIn(source.config, version);
  return commit === undefined || commit === version ? found : await source.resolve(commit);
}

async function commitOf(source: Source, version: string): Promise<string | undefined> {
  const found = await find(source, version);
  return found.kind === 'found' ? found.commit : undefined;
}

/** The commit that was deployed under that name last. */
async function recorded(
  { store }: RevisionPorts,
  filter: { readonly service: string; readonly environment?: string; readonly version: string },
): Promise<string | undefined> {
  const [last] = await store.history({ ...filter, state: 'succeeded', limit: 1 });
  return last?.commit;
}

/** What is known of the checks of a version. */
export async function askChecks(
  ports: RevisionPorts,
  wanted: Pick<Settled, 'commit' | 'unsure'> & { readonly service: string; readonly version: string },
): Promise<ChecksFact> {
  const { service, version } = wanted;
  const source = ports.source?.(service);
  if (source === undefined) {
    const text = `nobody said where the source of ${service} is, so its checks are not known`;
    return { kind: 'unclear', text, next: `Add \`source\` to ${service} in config/services.yaml.` };
  }
  const { commit, unsure } = wanted.commit === undefined ? await identified(ports, source, version) : wanted;
  if (unsure !== undefined)
    return { kind: 'unclear', text: `the checks are not known: ${unsure.text}`, next: unsure.next };
  try {
    return { kind: 'known', commit: commit ?? '', checks: commit === undefined ? [] : await source.checks(commit) };
  } catch (error) {
    return { kind: 'unclear', text: `the checks are not known: ${unclear(ports, error)}`, next: LATER };
  }
}

/** The commits that a change brings and takes away; undefined where nothing can be said of that at all. */
export async function askCommits(ports: RevisionPorts, place: Place, change: Change): Promise<CommitsFact | undefined> {
  const { service, environment } = place;
  const { previous, version, commit } = change;
  const source = ports.source?.(service);
  if (source === undefined || previous === undefined) return undefined;
  const { name } = source.config;
  try {
    const from =
      (await recorded(ports, { service, environment, version: previous })) ?? (await commitOf(source, previous));
    const to = commit ?? (await commitOf(source, version));
    const missing = from === undefined ? previous : to === undefined ? version : undefined;
    if (from === undefined || to === undefined) {
      return { kind: 'unclear', text: noName(missing ?? '', name).text };
    }
    const comparison = await source.compare(from, to, LISTED);
    const { come, go } = comparison;
    return { kind: 'known', comparison: { ...comparison, come: redacted(ports, come), go: redacted(ports, go) } };
  } catch (error) {
    return { kind: 'unclear', text: unclear(ports, error) };
  }
}

/** Messages of commits may hold secrets. */
function redacted({ redact }: RevisionPorts, side: Side): Side {
  const commits = side.commits.map(({ id, author, title }) => ({ id, author: redact(author), title: redact(title) }));
  return { ...side, commits };
}

function oldNews(
  { clock }: RevisionPorts,
  found: Exclude<Resolved, { readonly kind: 'ambiguous' }>,
  version: string,
  name: string,
): Pick<Settled, 'unsure'> {
  // A commit stays what it is.
  const { stale } = found;
  if (stale === undefined || (found.kind === 'found' && found.what === 'commit')) return {};
  const text = `what I know of ${version} in ${name} is from ${age(stale.since, clock.now())}: ${stale.text}`;
  return { unsure: { text, next: LATER } };
}

function noName(version: string, source: string): Unsure {
  const next = `Deploy a tag, branch or commit of ${source}.`;
  return { text: `${version} is no tag, branch or commit of ${source}`, next };
}

/** What a source says that cannot be asked. Throws what is no matter of the source. */
function unclear({ redact }: RevisionPorts, error: unknown): string {
  if (error instanceof SourceUnclear) return redact(error.message);
  throw error;
}

/** `main, commit 1a2b3c4` */
export function revisionText({ asked, commit, version }: Pick<Change, 'asked' | 'commit' | 'version'>): string {
  const known = commit === undefined || version === commit ? [] : [`commit ${short(commit)}`];
  return [...(asked === undefined ? [] : [asked]), ...known].join(', ');
}
