/** From what somebody said in Slack to the robot, with a sign on the message while the robot works on it. */

import { TextMessage, type User } from 'hubot';
import type { Robot } from '../../../bot/robot.ts';
import type { Said, SlackContext } from './ports.ts';
import { bare, slackCode } from './refusal.ts';
import { isDirect } from './rooms.ts';

/** What is answered sooner needs no sign that it is being worked on. */
const SHOW_WORK_AFTER_MS = 500;
const WORKING = 'eyes';
const LATE_MS = 2_000;

type Hearing = Pick<SlackContext, 'workspace' | 'chat' | 'robot' | 'api' | 'people' | 'rooms' | 'log' | 'now'>;

/** Gives it to the robot and resolves when it is handled. Nobody is heard whom {@link SlackContext.people} does not know. */
export async function hear(said: Said, context: Hearing): Promise<void> {
  const { chat, robot } = context;
  const person = await personOf(said.userId, context);
  if (person.bot) return;
  const isPrivate = await privacyOf(said.channel, context);
  const message = new TextMessage(
    userOf(robot, { chat, userId: said.userId, name: person.name, channel: said.channel }),
    said.text,
    said.messageId,
  );
  message.room = said.channel;
  message.chat = chat;
  message.personId = person.id;
  if (said.exact !== undefined) message.exact = said.exact;
  if (said.thread !== undefined) message.thread = said.thread;
  message.private = isPrivate;
  message.addressed = said.addressed;
  if (said.follows) message.follows = said.follows;
  message.via = said.via;
  if (said.quiet) message.quiet = true;
  if (said.edited) message.edited = true;
  if (said.stored) message.stored = true;
  if (said.files) message.files = said.files;
  if (said.at) message.at = said.at;
  const isPosted = /^\d+\.\d+$/.test(said.messageId);
  // In a thread of the direct conversation a status says the same: assistant.ts.
  const hasStatus = said.thread !== undefined && isDirect(said.channel);
  const shown = isPosted && !hasStatus && said.via === 'typed' && robot.addressed(message) !== undefined;
  await (shown ? showingWork(said, context, () => robot.receive(message)) : robot.receive(message));
}

/** Whom nobody can look up now is heard as somebody without a name: who may do what is decided elsewhere, and fails closed. */
async function personOf(
  userId: string,
  { people, chat, log }: Hearing,
): Promise<{ readonly id: string; readonly name: string; readonly bot: boolean }> {
  try {
    return await people.person(userId);
  } catch (error) {
    log.warn({ chat, user: userId, err: bare(error) }, 'Slack person could not be looked up');
    return { id: `${chat}:${userId}`, name: userId, bot: false };
  }
}

/** What is not known to be public is private. */
async function privacyOf(channel: string, { rooms, chat, log }: Hearing): Promise<boolean> {
  try {
    return (await rooms.room(channel))?.private ?? true;
  } catch (error) {
    log.warn({ chat, channel, err: bare(error) }, 'Slack channel could not be looked up');
    return true;
  }
}

/** The person as scripts know them: `robot.brain.userForId('U012AB3CD')`. */
export function userOf(
  robot: Robot,
  who: { readonly chat: string; readonly userId: string; readonly name: string; readonly channel: string },
): User {
  // In another room Hubot makes a new user: with what people.ts has put on it.
  const before = robot.brain.users()[who.userId];
  const user = robot.brain.userForId(who.userId, { ...before, name: who.name, room: who.channel, chat: who.chat });
  user.name = who.name;
  return user;
}

async function showingWork(said: Said, context: Hearing, work: () => Promise<unknown>): Promise<void> {
  if (context.workspace.working === 'none') return void (await work());
  const { api, log } = context;
  const message = { channel: said.channel, timestamp: said.messageId, name: WORKING };
  // Another replica may have begun, shown the sign, and been killed.
  const isLate = said.at !== undefined && context.now().getTime() - said.at.getTime() > LATE_MS;
  let shown: Promise<boolean> | undefined;
  const timer = setTimeout(() => {
    shown = api.web.reactions.add(message).then(
      () => true,
      (error: unknown) => {
        // A killed replica has left it there.
        if (slackCode(error) === 'already_reacted') return true;
        log.debug({ chat: context.chat, problem: slackCode(error) }, 'Slack working sign not shown');
        return false;
      },
    );
  }, SHOW_WORK_AFTER_MS);
  try {
    await work();
  } finally {
    clearTimeout(timer);
    if (await shown) await hidden();
    else if (isLate) void hidden();
  }

  async function hidden(): Promise<void> {
    try {
      await api.web.reactions.remove(message);
    } catch (error) {
      log.debug({ chat: context.chat, problem: slackCode(error) }, 'Slack working sign not removed');
    }
  }
}
