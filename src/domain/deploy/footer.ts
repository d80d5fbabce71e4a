/** The last line of every card of a deployment. */

import type { Deployment } from './ports.ts';

/** Which deployment it is, whose, who approved it, and in place of which ones. */
export function footer({
  id,
  by,
  approvedBy = [],
  supersedes = [],
  rollsBack,
}: Pick<Deployment, 'id' | 'by' | 'approvedBy' | 'supersedes' | 'rollsBack'>): string {
  const approved = approvedBy.length === 0 ? '' : `, approved by ${approvedBy.map(({ name }) => name).join(', ')}`;
  const inPlace = supersedes.length === 0 ? '' : `, in place of ${supersedes.join(', ')}`;
  if (rollsBack !== undefined) return `Deployment ${id}, by ${by.name} itself, rolls back ${rollsBack}${inPlace}`;
  return `Deployment ${id}, asked for by ${by.name}${approved}${inPlace}`;
}
