/** A reaction as a button, where the configuration says so. https://docs.slack.dev/reference/events/reaction_added */

import { actionsOf } from './actions.ts';
import type { Listens, SlackContext } from './ports.ts';
import { pressId } from './press.ts';
import { bare, isAbsent, problemOf } from './refusal.ts';
import { threadOf } from './threads.ts';

/** Whoever reacts so to a card of the robot presses the button whose command begins as configured. */
export const listenToReactions: Listens = (app, context) => {
  app.event('reaction_added', async ({ event }) => {
    const { reactions } = context.workspace;
    // `+1::skin-tone-3` is a thumb as well.
    const begins = reactions.get(event.reaction.replace(/::skin-tone-\d$/, ''));
    const { userId: self } = context.self();
    if (begins === undefined || event.item.type !== 'message' || event.user === self) return;
    const person = await context.people.person(event.user);
    if (person.bot) return;
    const { channel, ts } = event.item;
    const found = await offered(channel, ts, context);
    const action = found?.actions.find(({ command }) => command === begins || command.startsWith(`${begins} `));
    if (!found || !action) return;
    await context.hear({
      userId: event.user,
      channel,
      ...(found.thread === undefined ? {} : { thread: found.thread }),
      text: action.command,
      messageId: pressId(event.event_ts, ts, event.user),
      via: 'button',
      addressed: true,
      at: context.now(),
    });
  });
};

/** What a message of the robot offers now; undefined if it is somebody else's. */
async function offered(
  channel: string,
  ts: string,
  { api, chat, log, self }: SlackContext,
): Promise<{ readonly actions: ReturnType<typeof actionsOf>; readonly thread?: string } | undefined> {
  const message = await messageAt(channel, ts, { api, chat, log });
  const { userId, botId } = self();
  if (!message || (message.bot_id !== botId && message.user !== userId)) return undefined;
  const threadTs = 'thread_ts' in message && typeof message.thread_ts === 'string' ? message.thread_ts : undefined;
  const thread = threadOf(channel, { ts, thread_ts: threadTs }, self());
  return { actions: actionsOf(message.blocks), ...(thread === undefined ? {} : { thread }) };
}

/** Where reactions cannot be read, the thread that the message is in says the same. */
async function messageAt(channel: string, ts: string, { api, chat, log }: Pick<SlackContext, 'api' | 'chat' | 'log'>) {
  try {
    return (await api.web.reactions.get({ channel, timestamp: ts })).message;
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  try {
    const { messages = [] } = await api.web.conversations.replies({
      channel,
      ts,
      oldest: ts,
      latest: ts,
      inclusive: true,
    });
    return messages.find((each) => each.ts === ts);
  } catch (error) {
    log.warn(
      { chat, problem: problemOf(error), err: bare(error) },
      'Slack reaction means nothing: its message cannot be read',
    );
    return undefined;
  }
}
