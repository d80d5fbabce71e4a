/** A message's text as people read it, with names for the ids in it. */

import { setTimeout as delay } from 'node:timers/promises';
import { fromMrkdwn } from './from-mrkdwn.ts';
import type { SlackContext } from './ports.ts';

/** More people and channels than this are not looked up for one message. */
const MOST_NAMES = 30;
/** Milliseconds. No message is held up longer for names: what Slack has not told by then stays an id. */
const PATIENCE_MS = 2_000;

const PERSON = /<@([UW][A-Z0-9_]+)(?:\|[^<>]*)?>/g;
const CHANNEL = /<#([CGD][A-Z0-9_]+)(?:\|[^<>]*)?>/g;

type Looks = Pick<SlackContext, 'people' | 'rooms' | 'robot' | 'self'>;

/**
 * Names as Slack shows them; what cannot be looked up stays an id.
 *
 * @param patienceMs for so long names are waited for, all together: whoever writes many ids that nobody has must not hold up what
 * others say
 */
export async function readable(
  text: string,
  { people, rooms, robot, self }: Looks,
  patienceMs = PATIENCE_MS,
): Promise<string> {
  const persons = new Map<string, string>([[self().userId, robot.name]]);
  const channels = new Map<string, string>();
  const person = async (id: string): Promise<void> => {
    if (!persons.has(id)) persons.set(id, notTheRobot((await people.person(id)).name, robot));
  };
  const channel = async (id: string): Promise<void> => {
    const room = await rooms.room(id);
    // The name of a private channel is not told in another one.
    if (room && !room.private) channels.set(id, room.name);
  };
  const looking = [...idsIn(text, PERSON).map(person), ...idsIn(text, CHANNEL).map(channel)];
  if (looking.length > 0) {
    const found = new AbortController();
    const late = delay(patienceMs, undefined, { signal: found.signal }).catch(() => undefined);
    await Promise.race([Promise.allSettled(looking), late]);
    found.abort();
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
