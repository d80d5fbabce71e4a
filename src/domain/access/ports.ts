/** What the rules of access need from outside. */

/** A role given in chat. */
export interface Grant {
  readonly personId: string;
  readonly personName: string;
  readonly role: string;
  readonly grantedBy: string;
  readonly grantedAt: Date;
}

export interface GrantStore {
  all(): Promise<readonly Grant[]>;
  /** False if the person had the role already. */
  add(grant: Grant): Promise<boolean>;
  /** False if the person did not have the role. */
  remove(personId: string, role: string): Promise<boolean>;
}
