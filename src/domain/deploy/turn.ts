/** What must still be so when it is the turn of a deployment: it may have waited for long. Pure. */

import type { ApprovalRule } from './config.ts';
import type { LiveFact } from './outcome.ts';
import type { Deployment } from './ports.ts';
import type { RuleCheck } from './rules.ts';

export interface TurnFacts {
  /** A permission that whoever asked does not hold any more. */
  readonly lacks: string | undefined;
  /** What the environment asks for by now. */
  readonly approval: ApprovalRule | undefined;
  /** The rules that say no by now. */
  readonly broken: readonly RuleCheck[];
}

/** Why it must not begin, as a clause; undefined if it may. Nothing waits for a window to open: see decision 0093. */
export function endsAtTurn(
  { by, environment, override, approvedBy = [] }: Deployment,
  { lacks, approval, broken }: TurnFacts,
): string | undefined {
  if (lacks !== undefined) return `${by.name} no longer held ${lacks} when its turn came`;
  if (approval !== undefined && approvedBy.length < approval.count) {
    return `by the time its turn came, somebody else had to approve what goes to ${environment}: ask again`;
  }
  if (broken.length === 0 || override !== undefined) return undefined;
  const says = broken.map(({ rule, text, next }) => `${rule}: ${text}.${next === undefined ? '' : ` ${next}`}`);
  return `the rules of ${environment} said no when its turn came. ${says.join(' ')} Then ask for it again`;
}

/**
 * Why one that was approved must not begin any more now that it is its turn; undefined if it may.
 *
 * @param before what is live now
 */
export function outlived(queued: Deployment, before: LiveFact): string | undefined {
  if (queued.approvedBy === undefined || (before.kind !== 'live' && before.kind !== 'nothing')) return undefined;
  const live = before.kind === 'live' ? before.version : undefined;
  if (live === queued.previous) return undefined;
  return `${live ?? 'nothing'} was live when its turn came, and what was approved was to replace ${queued.previous ?? 'nothing known'}`;
}
