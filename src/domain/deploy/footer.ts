/** The last line of every card of a deployment. */

import type { Deployment } from './ports.ts';

/** Which deployment it is, whose, and in place of which ones. */
export function footer({ id, by, supersedes = [] }: Pick<Deployment, 'id' | 'by' | 'supersedes'>): string {
  const inPlace = supersedes.length === 0 ? '' : `, in place of ${supersedes.join(', ')}`;
  return `Deployment ${id}, asked for by ${by.name}${inPlace}`;
}
