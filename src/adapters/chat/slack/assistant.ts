/**
 * The conversation with an agent: what to ask, what a thread is about, that it is being worked on. What is said there is an ordinary
 * direct message in a thread. https://docs.slack.dev/ai/developing-agents
 */

import type { AllMiddlewareArgs, AnyMiddlewareArgs } from '@slack/bolt';
import { isObject } from './json.ts';
import type { Listens, Self } from './ports.ts';
import { readable } from './readable.ts';
import { bare, slackCode } from './refusal.ts';
import { isDirect } from './rooms.ts';
import { beginning } from './split.ts';
import { oneLine } from './text-objects.ts';
import { threadOf } from './threads.ts';

const STATUS = 'is working on it…';
/** What is answered sooner needs no sign. */
const STATUS_AFTER_MS = 300;
/** Slack takes a status away after two minutes. https://docs.slack.dev/reference/methods/assistant.threads.setStatus */
const STATUS_AGAIN_MS = 90_000;
/** https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts */
const MOST_PROMPTS = 4;
const TITLE = 80;
const MOST_THREADS = 2_000;
/** The app has no assistant. */
const NONE = /^(?:missing_scope|unknown_method|not_allowed_token_type|feature_not_enabled|access_denied)$/;

interface Thread {
  readonly channel: string;
  readonly thread: string;
}

interface ThreadMessage extends Thread {
  readonly ts: string;
  readonly text: string;
}

/** Prompts, titles and the status. Nothing of it is needed for an answer: what Slack does not take is left out. */
export const listenToAssistant: Listens = (app, context) => {
  const { api, chat, log } = context;
  /** Threads that have been opened, and nothing was asked yet; and those that have a title, or need none. */
  const opened = new Set<string>();
  const titled = new Set<string>();
  let off = false;
  /** Prompts belong to threads here: the app has an assistant_view, or none at all. */
  let onlyThreads = false;

  app.event('assistant_thread_started', async ({ event }) => {
    const { channel_id: channel, thread_ts: thread, user_id: userId } = event.assistant_thread;
    keep(opened, `${channel} ${thread}`);
    await offer({ channel, thread }, userId);
  });

  // Where the app has an agent_view, this is how somebody comes into the conversation.
  app.event('app_home_opened', async ({ event }) => {
    if (event.tab !== 'messages' || onlyThreads) return;
    onlyThreads = !(await offer({ channel: event.channel }, event.user));
  });

  app.event('assistant_thread_context_changed', async ({ event }) => {
    const { channel_id: channel, thread_ts: thread, user_id: userId } = event.assistant_thread;
    await offer({ channel, thread }, userId);
  });

  // Around all listeners: what they do is what takes time.
  app.use(async ({ body, next }: AnyMiddlewareArgs & AllMiddlewareArgs) => {
    const message = off ? undefined : threadMessage(body, context.self());
    if (!message) return await next();
    const titling = tried(() => title(message));
    let shown: Promise<boolean> | undefined;
    let again: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      shown = tried(() => status(message, STATUS));
      again = setInterval(() => void tried(() => status(message, STATUS)), STATUS_AGAIN_MS);
    }, STATUS_AFTER_MS);
    try {
      await next();
    } finally {
      clearTimeout(timer);
      clearInterval(again);
      // An answer clears it by itself; a command may have none.
      if (shown) await shown.then(() => tried(() => status(message, '')));
      await titling;
    }
  });

  async function offer(where: Pick<Thread, 'channel'> & Partial<Thread>, userId: string): Promise<boolean> {
    const { channel, thread } = where;
    return await tried(async () => {
      const suggestions = await context.surfaces.suggestions(await context.people.person(userId));
      const [first, ...rest] = suggestions.map((each) => ({ title: each.title, message: each.command }));
      if (!first) return;
      await api.web.assistant.threads.setSuggestedPrompts({
        channel_id: channel,
        ...(thread === undefined ? {} : { thread_ts: thread }),
        title: 'For example:',
        prompts: [first, ...rest.slice(0, MOST_PROMPTS - 1)],
      });
    });
  }

  async function status({ channel, thread }: Thread, text: string): Promise<void> {
    await api.web.assistant.threads.setStatus({ channel_id: channel, thread_ts: thread, status: text });
  }

  /** A conversation is called by what was asked first. */
  async function title(message: ThreadMessage): Promise<void> {
    const { channel, thread, text } = message;
    const key = `${channel} ${thread}`;
    if (titled.has(key)) return;
    keep(titled, key);
    if (message.ts !== thread && !opened.delete(key) && !(await isFirst(message))) return;
    const words = oneLine(await readable(text, context));
    if (words === '') return;
    await api.web.assistant.threads.setTitle({
      channel_id: channel,
      thread_ts: thread,
      title: beginning(words, TITLE),
    });
  }

  /** Asked only of threads that another replica, or this one before a restart, saw opened. */
  async function isFirst({ channel, thread, ts }: ThreadMessage): Promise<boolean> {
    const { messages = [] } = await api.web.conversations.replies({ channel, ts: thread, limit: 5 });
    const [root, ...replies] = messages;
    return root?.bot_id !== undefined && replies.find((each) => each.bot_id === undefined)?.ts === ts;
  }

  /** None of it is worth an answer that fails. False if it did not work. */
  async function tried(work: () => Promise<void>): Promise<boolean> {
    if (off || !context.self().agent) return false;
    try {
      await work();
      return true;
    } catch (error) {
      const problem = slackCode(error);
      if (problem !== undefined && NONE.test(problem)) {
        off = true;
        log.info({ chat, problem }, 'Slack app has no assistant');
      } else log.debug({ chat, problem, err: bare(error) }, 'Slack assistant not told');
      return false;
    }
  }
};

function keep(set: Set<string>, key: string): void {
  set.add(key);
  const [oldest] = set;
  if (set.size > MOST_THREADS && oldest !== undefined) set.delete(oldest);
}

/** What a person says to an agent in the direct conversation: in a thread, or as its root. */
function threadMessage(body: unknown, self: Self): ThreadMessage | undefined {
  const event = isObject(body) ? body['event'] : undefined;
  if (!isObject(event) || event['type'] !== 'message') return undefined;
  const { channel, thread_ts: threadTs, ts, text, subtype, bot_id: bot } = event;
  if (!self.agent || typeof channel !== 'string' || typeof ts !== 'string') return undefined;
  if (!isDirect(channel) || bot !== undefined || (subtype !== undefined && subtype !== 'file_share')) return undefined;
  const thread = threadOf(channel, { ts, thread_ts: typeof threadTs === 'string' ? threadTs : undefined }, self);
  return thread === undefined ? undefined : { channel, thread, ts, text: typeof text === 'string' ? text : '' };
}
