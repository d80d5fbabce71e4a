/** What happens in a channel and is no sentence, for plain Hubot scripts that listen to it. */

import type { Message, User } from 'hubot';
import { userOf } from './hear.ts';
import type { SlackContext } from './ports.ts';

/** Gives the robot a message about what somebody did in a channel; resolves when it is handled. */
export async function notice(
  { userId, channel }: { readonly userId: string; readonly channel: string },
  { chat, robot, people }: Pick<SlackContext, 'chat' | 'robot' | 'people'>,
  make: (user: User) => Message,
): Promise<void> {
  const { id, name } = await people.person(userId);
  const message = make(userOf(robot, { chat, userId, name, channel }));
  message.room = channel;
  message.chat = chat;
  message.personId = id;
  await robot.receive(message);
}
