/** Who may approve a proposal. */

import type { Access } from './access.ts';
import type { Person } from './chat.ts';
import type { Proposal } from './proposals.ts';
import { type SeesPorts, sees } from './sees.ts';

/** Whether this account holds what its approval takes. That whoever asked may not approve it is another question. */
export async function mayApprove(
  access: Pick<Access, 'can' | 'rolesOf'>,
  person: Person,
  { permission, terms }: Proposal,
): Promise<boolean> {
  if (terms?.role !== undefined) return (await access.rolesOf(person)).includes(terms.role);
  return permission !== undefined && (await access.can(person, permission));
}

/** So many are written to; everybody else who may approve it sees it where it was asked for. */
const MOST_APPROVERS = 10;

/**
 * Those who could approve it, each person once, of the chat where it was asked for first: who has a role for it, by name, by a
 * group or given in chat. Never whoever asked, nor anybody who cannot see the room where it was asked for.
 */
export async function approversOf(
  ports: SeesPorts & { readonly access: Access },
  proposal: Proposal,
): Promise<readonly Person[]> {
  const { access } = ports;
  const { permission, terms, person: asker, room } = proposal;
  const needs = terms?.role === undefined ? { permission: permission ?? '' } : { role: terms.role };
  const near = ({ chat }: Person): number => (chat === room.chat ? 0 : 1);
  const found: Person[] = [];
  for (const person of (await access.holders(needs)).toSorted((one, other) => near(one) - near(other))) {
    if (found.length === MOST_APPROVERS) break;
    const known = await Promise.all([asker, ...found].map((one) => access.samePerson(one, person)));
    if (known.includes(true) || !(await mayApprove(access, person, proposal))) continue;
    if (await sees(ports, person, room)) found.push(person);
  }
  return found;
}
