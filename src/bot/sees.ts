/** Who can see what is said in a room. */

import type { Access } from './access.ts';
import type { Address, Person, Room } from './chat.ts';

export interface SeesPorts {
  readonly access: Pick<Access, 'rightsOf'>;
  /** Undefined if its chat does not know it. */
  room(address: Address): Promise<Room | undefined>;
}

/**
 * Can this person, with any of their accounts, see what is said there? A room that is open is so for the team: a guest sees only
 * those that they were let into, and of an open room nobody says who is in it.
 */
export async function sees({ access, room }: SeesPorts, person: Person, where: Address): Promise<boolean> {
  const found = await room(where);
  if (found === undefined) return false;
  const { identity } = await access.rightsOf(person);
  if (!found.private) return identity.standing === 'inside';
  return identity.linked.some((id) => found.members?.includes(id));
}
