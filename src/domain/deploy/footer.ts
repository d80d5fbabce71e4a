/** The last line of every card of a deployment. */

import type { Deployment } from './ports.ts';
import { revisionText } from './revision.ts';

/** Which deployment it is, whose, of which commit, and in place of which ones. */
export function footer(
  deployment: Pick<Deployment, 'id' | 'by' | 'supersedes' | 'asked' | 'commit' | 'version'>,
): string {
  const { id, by, supersedes = [] } = deployment;
  const inPlace = supersedes.length === 0 ? '' : `, in place of ${supersedes.join(', ')}`;
  const revision = revisionText(deployment);
  return `Deployment ${id}, asked for by ${by.name}${inPlace}${revision === '' ? '' : ` · ${revision}`}`;
}
