/** Who the accounts of the chats are, and what the rules about them need from outside. */

/** What a chat says of one account. */
export interface Account {
  /** The chat and the chat's own id: `slack:U1`. */
  readonly id: string;
  readonly chat: string;
  readonly name: string;
  /** Only an address that the chat has confirmed, or that somebody who may grant roles has given. */
  readonly email?: string;
  /** As in the IANA database: `Europe/Paris`. */
  readonly timeZone?: string;
  readonly avatar?: string;
  /** False for deactivated accounts. */
  readonly active: boolean;
  /** A guest, or somebody of another organisation. */
  readonly outside: boolean;
}

export interface KnownAccount extends Account {
  /** When the chat last said so. */
  readonly checkedAt: Date;
}

/** A user group of a chat. */
export interface UserGroup {
  /** `slack:S123`; never given to another group. */
  readonly id: string;
  /** `slack:@oncall`; can be given to another group. */
  readonly handle?: string;
  /** Person ids. */
  readonly members: readonly string[];
}

/** A group that was read from its chat. */
export interface KnownGroup extends UserGroup {
  readonly chat: string;
  readonly readAt: Date;
}

/** One account with all that share its e-mail address, and the groups that any of them is in. */
export interface Kin {
  readonly accounts: readonly KnownAccount[];
  readonly groups: readonly KnownGroup[];
}

export interface PeopleStore {
  /** Stores them as checked at that time; true if anything else about one of them changed. */
  save(accounts: readonly Account[], at: Date): Promise<boolean>;
  kin(id: string): Promise<Kin>;
  /**
   * Whether two accounts have had a common address since then: each its own, or by a chain of accounts that share one and then
   * another.
   */
  haveMet(one: string, other: string, since: Date): Promise<boolean>;
  /** Replaces all groups of a chat. */
  saveGroups(chat: string, groups: readonly UserGroup[], at: Date): Promise<void>;
  /** Person ids of those who are in one of these groups, named by id or handle; at most 1,000. */
  membersOf(groups: readonly string[]): Promise<readonly string[]>;
  /** Remembers for each handle the group that had it first, for ever; returns that. Handle → group id. */
  pin(chat: string, handles: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>>;
}

/**
 * - `inside`: one of the team, as far as the chat tells
 * - `outside`: a guest, somebody of another organisation, or nobody that the chat's list knows
 * - `inactive`: a deactivated account
 */
export type Standing = 'inside' | 'outside' | 'inactive';

/** Whose account it is. */
export interface Identity {
  readonly standing: Standing;
  /** The accounts of the same person, this one first. */
  readonly linked: readonly string[];
  /** Groups by id and by handle, of all these accounts. */
  readonly groups: readonly string[];
}

/**
 * How the people of a chat are known: from its own list of everybody (`directory`), or only those that somebody named (`by hand`).
 * In other chats, whoever speaks is inside and linked with nobody.
 */
export type KnownChats = ReadonlyMap<string, 'directory' | 'by hand'>;

export interface People {
  /** Stores what a chat says of accounts, and tells the other replicas if it is news. */
  save(...accounts: readonly Account[]): Promise<void>;
  get(id: string): Promise<KnownAccount | undefined>;
  /** Rejects when it cannot be found out; nobody is anybody then. */
  identity(id: string): Promise<Identity>;
  /**
   * Whether two accounts may belong to one person: they share an address, or did within the last day. Wider than
   * {@link Identity.linked}: it is asked where a person must not count twice.
   */
  samePerson(one: string, other: string): Promise<boolean>;
  /** Person ids of those who were in one of these groups, named by id or handle, when the groups were read last. */
  membersOf(groups: readonly string[]): Promise<readonly string[]>;
  /** Replaces all groups of a chat; none if they cannot be read. */
  saveGroups(chat: string, groups: readonly UserGroup[]): Promise<void>;
  /** Another replica has news. */
  forget(): void;
}
