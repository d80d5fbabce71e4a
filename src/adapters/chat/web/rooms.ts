/** Which rooms there are, who is in them, and how they look to one person. */

import type { RoomActivity, StoredRoom } from '../../../domain/history/ports.ts';
import type { Account, WebMessages, WebStore } from './ports.ts';
import type { WireRoom } from './protocol.ts';

export const CHAT = 'web';
/** Who says what the robot says. */
export const ROBOT_ID = 'web:robot';

const ROOM_NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/;

export function personId(account: number): string {
  return `${CHAT}:${account}`;
}

/** The robot's name as a heading shows it; a name that is all small letters begins with a capital there. */
export function titleOf(name: string): string {
  return name === name.toLowerCase() ? name.charAt(0).toUpperCase() + name.slice(1) : name;
}

/** Number of the account; undefined for the robot and for people of other chats. */
export function accountOf(person: string): number | undefined {
  const digits = /^web:(\d{1,15})$/.exec(person)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Name and at once id of a public room: `#Ops ` is `ops`. Undefined if it cannot be one. */
export function roomName(typed: string): string | undefined {
  const name = typed.trim().replace(/^#/, '').toLowerCase();
  return ROOM_NAME.test(name) ? name : undefined;
}

/** Id of the conversation of a person with the robot. */
export function robotRoom(account: number): string {
  return `dm:${account}`;
}

/** Id of the conversation of two people, whoever begins it. */
export function directRoom(one: number, other: number): string {
  return `dm:${Math.min(one, other)}:${Math.max(one, other)}`;
}

export type RoomKind =
  | { readonly kind: 'room' }
  | { readonly kind: 'robot'; readonly account: number }
  | { readonly kind: 'direct'; readonly accounts: readonly [number, number] };

export function roomKind(id: string): RoomKind {
  const match = /^dm:(\d{1,15})(?::(\d{1,15}))?$/.exec(id);
  if (match?.[1] === undefined) return { kind: 'room' };
  if (match[2] === undefined) return { kind: 'robot', account: Number(match[1]) };
  return { kind: 'direct', accounts: [Number(match[1]), Number(match[2])] };
}

/** Whom one of two people talks with. */
export function otherOf([one, other]: readonly [number, number], me: number): number {
  return one === me ? other : one;
}

export function mayRead(room: StoredRoom, person: string): boolean {
  return !room.private || room.members.includes(person);
}

/** Makes the conversation of a person with the robot, if it is not there. */
export async function openRobotRoom(messages: WebMessages, account: Account, robotName: string): Promise<StoredRoom> {
  const id = robotRoom(account.id);
  return (
    (await messages.room(CHAT, id)) ??
    (await messages.saveRoom({ chat: CHAT, id, name: robotName, private: true, members: [personId(account.id)] }))
  );
}

/** Makes the conversation of two people, if it is not there. */
export async function openDirectRoom(messages: WebMessages, one: Account, other: Account): Promise<StoredRoom> {
  const id = directRoom(one.id, other.id);
  const members = [personId(one.id), personId(other.id)];
  const name = `${one.name}, ${other.name}`;
  return (await messages.room(CHAT, id)) ?? (await messages.saveRoom({ chat: CHAT, id, name, private: true, members }));
}

/** A public room with everybody in it, now and later. */
export async function openCommonRoom(store: WebStore, messages: WebMessages, id: string): Promise<StoredRoom> {
  const room =
    (await messages.room(CHAT, id)) ?? (await messages.saveRoom({ chat: CHAT, id, name: id, private: false }));
  if (await store.addCommonRoom(id)) {
    for (const account of await store.accounts()) await messages.join(CHAT, id, personId(account.id));
  }
  return room;
}

/** A room as one person sees it. */
export function roomView(
  room: StoredRoom,
  me: number,
  names: ReadonlyMap<number, string>,
  robotName: string,
  activity: RoomActivity | undefined,
  read: number,
): WireRoom {
  const kind = roomKind(room.id);
  const base = {
    id: room.id,
    kind: kind.kind,
    joined: room.members.includes(personId(me)),
    unread: activity?.unread ?? 0,
    read,
    last: activity?.lastId ?? 0,
  };
  if (kind.kind === 'robot') return { ...base, name: robotName };
  if (kind.kind === 'room') return { ...base, name: room.name };
  const other = otherOf(kind.accounts, me);
  return { ...base, name: names.get(other) ?? room.name, person: personId(other) };
}
