/** What hearing alerts needs from outside, and the service that scripts use. */

import type { Action, Content } from '../../bot/card.ts';
import type { Address } from '../../bot/chat.ts';

/** Names and values come from outside: trimmed in size, otherwise as they came. */
export type Labels = Readonly<Record<string, string>>;

/** One alert as a monitoring system reports it. */
export interface IncomingAlert {
  /** The sender's identity of it; where it is missing it is made from the labels. */
  readonly fingerprint?: string;
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: Date;
  /** Given once it is resolved. */
  readonly endsAt?: Date;
  /** Where it comes from, for people; not yet checked. */
  readonly sourceUrl?: string;
}

/** One notification: the state of a group of alerts as its sender saw it. */
export interface AlertEvent {
  /** Kind of sender: `alertmanager`. */
  readonly source: string;
  /** What the sender groups by: one card for each. */
  readonly group: string;
  readonly groupLabels: Labels;
  readonly receivedAt: Date;
  readonly alerts: readonly IncomingAlert[];
  /** How many alerts of the group the sender left out. */
  readonly truncated: number;
}

/** One alert of a card: the last that is known of it. */
export interface Member extends IncomingAlert {
  readonly fingerprint: string;
  /** When the notification that changed it last was received. */
  readonly heardAt: Date;
}

export interface Acknowledger {
  readonly id: string;
  readonly name: string;
}

export interface Acknowledgement {
  readonly by: Acknowledger;
  readonly at: Date;
  readonly note?: string;
}

export type AlertState = 'firing' | 'acknowledged' | 'resolved';

/** What one card shows: a group of alerts from its first firing until all of them are resolved. */
export interface AlertDraft {
  readonly source: string;
  readonly state: AlertState;
  readonly title: string;
  /** The gravest among its members, as the sender wrote it; empty if none says. */
  readonly severity: string;
  readonly groupLabels: Labels;
  readonly members: readonly Member[];
  readonly truncated: number;
  readonly truncatedAt: Date;
  /** Names of rooms as configuration writes them. */
  readonly rooms: readonly string[];
  readonly openedAt: Date;
  readonly resolvedAt?: Date;
  readonly acknowledged?: Acknowledgement;
}

export interface Alert extends AlertDraft {
  /** What people call it: `alerts ack 3`. */
  readonly number: number;
  /** Grows with every change. */
  readonly revision: number;
}

/** A group at one moment: its revision grows with every change to any of its alerts. */
export interface GroupRevision {
  readonly id: number;
  readonly revision: number;
}

/** What is known of one group of a sender. */
export interface Group extends GroupRevision {
  /** The newest card; it may be resolved. */
  readonly current?: Alert;
  readonly previous?: Alert;
}

/** A row of the list. */
export interface AlertSummary {
  readonly number: number;
  readonly state: AlertState;
  readonly title: string;
  readonly severity: string;
  readonly firing: number;
  readonly total: number;
  readonly openedAt: Date;
  readonly resolvedAt?: Date;
  readonly acknowledged?: Acknowledgement;
}

export interface AlertFilter {
  /** `open`: not resolved. */
  readonly which: 'open' | 'all';
  readonly limit: number;
}

export type Saved = { readonly kind: 'saved'; readonly number: number } | { readonly kind: 'conflict' };

/** The record. A change is stored only if the group still has the revision that the change was decided on. */
export interface AlertStore {
  group(source: string, key: string): Promise<Group | undefined>;
  groupOf(number: number): Promise<GroupRevision | undefined>;
  /** A new card for the group. `group` is undefined if the group itself is new. */
  open(key: string, group: GroupRevision | undefined, alert: AlertDraft): Promise<Saved>;
  update(group: GroupRevision, number: number, alert: AlertDraft, changed: readonly Member[]): Promise<Saved>;
  get(number: number): Promise<Alert | undefined>;
  /** Newest first; and how many there are in all. */
  list(filter: AlertFilter): Promise<{ readonly alerts: readonly AlertSummary[]; readonly total: number }>;
  /** The rooms show this revision. */
  posted(number: number, revision: number): Promise<void>;
  /** Numbers of alerts that the rooms show an older revision of. */
  unposted(limit: number): Promise<readonly number[]>;
}

/** Sends one alert of its own through the real intake. */
export interface AlertTester {
  send(test: {
    readonly labels: Labels;
    readonly status: 'firing' | 'resolved';
    readonly startsAt: Date;
  }): Promise<{ readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly reason: string }>;
}

/** What is known elsewhere that an alert may come from, as it is shown with it. */
export interface AlertContext {
  /** Plain text. */
  readonly name: string;
  /** Markdown. */
  readonly value: string;
  readonly actions: readonly Action[];
}

/** Who else is told of alerts, and adds to their cards. */
export interface AlertWatcher {
  /** An alert is new or has changed; before it is shown. Told again if it throws, and may be told twice. */
  changed(alert: Alert): Promise<void>;
  /** Undefined if there is nothing to add. */
  context(number: number): Promise<AlertContext | undefined>;
}

export interface AlertPorts {
  readonly store: AlertStore;
  readonly tester: AlertTester;
  /** Durable; the same key updates the same message. */
  post(address: Address, content: Content, options: { readonly key: string }): Promise<void>;
  /** From a room's name in configuration to where it is. */
  address(room: string): Address;
  /** Rooms for an alert with these labels, by config/alerts.yaml. */
  rooms(labels: Labels): readonly string[];
  readonly watcher?: AlertWatcher;
  /** Resolves a test alert after a while, even if this process is gone by then. */
  resolveTestLater(test: { readonly id: string; readonly startsAt: Date }): Promise<void>;
  /** Takes secrets out of text. */
  redact(text: string): string;
  now(): Date;
  /** A short random id. */
  newId(): string;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
}

export type AcknowledgeOutcome =
  | { readonly kind: 'acknowledged'; readonly alert: Alert }
  | { readonly kind: 'already'; readonly alert: Alert; readonly acknowledged: Acknowledgement }
  | { readonly kind: 'resolved'; readonly alert: Alert }
  | { readonly kind: 'unknown' };

export type TestOutcome =
  | { readonly kind: 'sent'; readonly rooms: readonly string[]; readonly resolvesInSeconds: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** The service. */
export interface Alerts {
  /** Takes one notification in and shows the result. The same one again changes nothing. */
  receive(event: AlertEvent): Promise<void>;
  list(filter: AlertFilter): Promise<{ readonly alerts: readonly AlertSummary[]; readonly total: number }>;
  get(number: number): Promise<Alert | undefined>;
  /** What is known elsewhere that it may come from. */
  context(number: number): Promise<AlertContext | undefined>;
  /** Shows it again: its context has changed. */
  refresh(number: number): Promise<void>;
  acknowledge(number: number, by: Acknowledger, note?: string): Promise<AcknowledgeOutcome>;
  /** Sends a test alert through the real intake; it resolves by itself. */
  test(): Promise<TestOutcome>;
  /** Sends the end of a test alert; for the job behind `resolveTestLater`. */
  resolveTest(test: { readonly id: string; readonly startsAt: Date }): Promise<void>;
  /** Shows what was stored but not shown, because a process died in between. */
  catchUp(): Promise<void>;
}
