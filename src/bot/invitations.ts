/** Letting one more person into a chat that the robot keeps itself. */

export type Invited =
  /** `known`: the link lets in somebody who is there already. */
  | {
      readonly kind: 'invited';
      readonly name: string;
      readonly link: string;
      readonly until: Date;
      readonly known: boolean;
    }
  | { readonly kind: 'refused'; readonly problem: { readonly text: string; readonly next: string } };

export interface Invitations {
  /**
   * Makes a link that works once and until then. It lets in a new person of that name; with `known`, also one who is there
   * already and has lost access. With `email`, the account of that name has this address: its person is who has the address
   * in other chats, with all their roles. Only who may grant roles may say so.
   *
   * @param by id of the person who invites
   */
  invite(name: string, by: string, options?: { readonly known?: boolean; readonly email?: string }): Promise<Invited>;
  /**
   * Makes a link for somebody whom another chat knows by an address that it has confirmed: to the account that has this address,
   * else to a new one that gets it, of their name or one like it.
   */
  inviteSelf(person: { readonly id: string; readonly name: string; readonly email: string }): Promise<Invited>;
}
