/** What a request to deploy will do, or why it is refused. */

import type { Refusal } from './refusal.ts';
import type { Live } from './target.ts';

export interface PlanFacts {
  readonly service: string;
  readonly environment: string;
  /** Undefined: the newest. */
  readonly version: string | undefined;
  /** Newest first. */
  readonly versions: readonly string[] | 'unsupported';
  readonly current: Live | 'unsupported' | undefined;
}

export type Plan = { readonly kind: 'deploy'; readonly version: string; readonly previous?: string } | Refusal;

/**
 * What tags, branches, commits and image tags look like; nothing that a program could take for an option. Programs make
 * paths of it: no part of it leads up.
 */
const VERSION = /^(?!.*\/\.{1,2}(?:\/|$))[A-Za-z0-9][A-Za-z0-9._+:/@-]{0,199}$/;

export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

/** Decides; asks nobody. */
export function plan(facts: PlanFacts): Plan {
  const { service, environment, versions } = facts;
  const version = facts.version ?? (versions === 'unsupported' ? undefined : versions[0]);
  if (version === undefined) return { kind: 'refused', reason: 'no_version', service };
  if (!isVersion(version)) return { kind: 'refused', reason: 'bad_version', version };
  if (versions !== 'unsupported' && !versions.includes(version)) {
    return { kind: 'refused', reason: 'unknown_version', service, version, known: versions };
  }
  const current = facts.current === 'unsupported' ? undefined : facts.current;
  if (current?.version === version) {
    const since = current.since === undefined ? {} : { since: current.since };
    return { kind: 'refused', reason: 'already_live', service, environment, version, ...since };
  }
  return current === undefined ? { kind: 'deploy', version } : { kind: 'deploy', version, previous: current.version };
}
