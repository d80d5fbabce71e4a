/** A message's text as people read it, with names for the ids in it. */

import { fromMrkdwn } from './from-mrkdwn.ts';
import type { SlackContext } from './ports.ts';

/** More people and channels than this are not looked up for one message. */
const MOST_NAMES = 30;

const PERSON = /<@([UW][A-Z0-9_]+)(?:\|[^<>]*)?>/g;
const CHANNEL = /<#([CGD][A-Z0-9_]+)(?:\|[^<>]*)?>/g;

type Looks = Pick<SlackContext, 'people' | 'rooms' | 'robot' | 'self'>;

/** Names as Slack shows them; what cannot be looked up stays an id. */
export async function readable(text: string, { people, rooms, robot, self }: Looks): Promise<string> {
  const persons = new Map<string, string>([[self().userId, robot.name]]);
  for (const id of idsIn(text, PERSON)) {
    if (!persons.has(id)) persons.set(id, notTheRobot((await people.person(id)).name, robot));
  }
  const channels = new Map<string, string>();
  for (const id of idsIn(text, CHANNEL)) {
    const room = await rooms.room(id).catch(() => undefined);
    // The name of a private channel is not told in another one.
    if (room && !room.private) channels.set(id, room.name);
  }
  return fromMrkdwn(text, { person: (id) => persons.get(id), channel: (id) => channels.get(id) });
}

/** Who calls themselves as the robot is called is not taken for it by a script. */
function notTheRobot(name: string, robot: Looks['robot']): string {
  return robot.isCalled(name) ? `\u2060${name}` : name;
}

function idsIn(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].slice(0, MOST_NAMES);
}
