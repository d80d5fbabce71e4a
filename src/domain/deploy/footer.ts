/** The last line of every card of a deployment. */

import type { Deployment } from './ports.ts';

/** Which deployment it is, whose, and in place of which ones. */
export function footer({
  id,
  by,
  supersedes = [],
  rollsBack,
}: Pick<Deployment, 'id' | 'by' | 'supersedes' | 'rollsBack'>): string {
  const inPlace = supersedes.length === 0 ? '' : `, in place of ${supersedes.join(', ')}`;
  if (rollsBack !== undefined) return `Deployment ${id}, by ${by.name} itself, rolls back ${rollsBack}${inPlace}`;
  return `Deployment ${id}, asked for by ${by.name}${inPlace}`;
}
