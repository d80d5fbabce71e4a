/** The last line of every card of a deployment. */

import type { Deployment } from './ports.ts';
import { revisionText } from './revision.ts';

/** Which deployment it is, whose, who approved it, of which commit, and in place of which ones. */
export function footer(
  deployment: Pick<
    Deployment,
    'id' | 'by' | 'approvedBy' | 'supersedes' | 'rollsBack' | 'asked' | 'commit' | 'version'
  >,
): string {
  const { id, by, approvedBy = [], supersedes = [], rollsBack } = deployment;
  const approved = approvedBy.length === 0 ? '' : `, approved by ${approvedBy.map(({ name }) => name).join(', ')}`;
  const inPlace = supersedes.length === 0 ? '' : `, in place of ${supersedes.join(', ')}`;
  const revision = revisionText(deployment);
  const what = revision === '' ? '' : ` · ${revision}`;
  if (rollsBack !== undefined) {
    return `Deployment ${id}, by ${by.name} itself, rolls back ${rollsBack}${inPlace}${what}`;
  }
  return `Deployment ${id}, asked for by ${by.name}${approved}${inPlace}${what}`;
}
