/** Letting one more person into a chat that the robot keeps itself. */

export type Invited =
  /** `known`: the link lets in somebody who is there already. */
  | { readonly kind: 'invited'; readonly link: string; readonly until: Date; readonly known: boolean }
  | { readonly kind: 'refused'; readonly problem: { readonly text: string; readonly next: string } };

export interface Invitations {
  /**
   * Makes a link that works once and until then. It lets in a new person of that name; with `known`, also one who is there
   * already and has lost access.
   *
   * @param by id of the person who invites
   */
  invite(name: string, by: string, options?: { readonly known?: boolean }): Promise<Invited>;
}
