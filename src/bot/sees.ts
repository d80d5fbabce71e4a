/** Who can see what is said in a room. */

import type { Access } from './access.ts';
import type { Address, Person, Room } from './chat.ts';

export interface SeesPorts {
  readonly access: Pick<Access, 'rightsOf'>;
  /** Undefined if its chat does not know it. */
  room(address: Address): Promise<Room | undefined>;
}

/** Can this person, with any of their accounts, see what is said there? */
export async function sees({ access, room }: SeesPorts, person: Person, where: Address): Promise<boolean> {
  const found = await room(where);
  if (!found?.private) return found !== undefined;
  const { identity } = await access.rightsOf(person);
  return identity.linked.some((id) => found.members?.includes(id));
}
