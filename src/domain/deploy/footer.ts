/** The last line of every card of a deployment. */

import type { Deployment } from './ports.ts';

/** Which deployment it is, whose, who approved it, and in place of which ones. */
export function footer({
  id,
  by,
  approvedBy = [],
  supersedes = [],
}: Pick<Deployment, 'id' | 'by' | 'approvedBy' | 'supersedes'>): string {
  const approved = approvedBy.length === 0 ? '' : `, approved by ${approvedBy.map(({ name }) => name).join(', ')}`;
  const inPlace = supersedes.length === 0 ? '' : `, in place of ${supersedes.join(', ')}`;
  return `Deployment ${id}, asked for by ${by.name}${approved}${inPlace}`;
}
