/** The people of a workspace: asked for one by one, read all at start, kept by events. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../bot/log.ts';
import { chatOfUser } from '../../../bot/message.ts';
import type { Robot } from '../../../bot/robot.ts';
import type { Account } from '../../../domain/people/ports.ts';
import { type Fresh, keepFresh } from './fresh.ts';
import { keepNewest } from './newest.ts';
import type { Listens, PeopleDirectory, Self, SlackApi, SlackPeople, SlackPerson } from './ports.ts';
import { problemOf, slackCode, troubleOf } from './refusal.ts';
import { personOf, type SlackUser } from './user.ts';

/** Somebody who was asked for so long ago is asked for again, should an event have been lost; in milliseconds. */
const FRESH_MS = 3_600_000;
/** How long what Slack said counts while Slack cannot be asked; as in the directory. */
const TRUST_MS = 24 * 3_600_000;
/** A look-up that failed is not tried again before, in milliseconds. */
const FAILED_MS = 5_000;
/** So long somebody who is known waits to be asked for again: what was known does meanwhile. In milliseconds. */
const SOON_MS = 2_000;
/** Failures remembered. */
const MOST_FAILED = 1_000;
/** How often everybody is read again. */
const EVERY_MS = 6 * 3_600_000;
/** What Slack recommends at most: https://docs.slack.dev/reference/methods/users.list */
const PAGE = 200;
/** Slack says that there is no such person, or none that this robot may see. */
const NOBODY = new Set(['user_not_found', 'user_not_visible', 'users_not_found']);

export interface SlackPeopleOptions {
  readonly chat: string;
  readonly api: Pick<SlackApi, 'web'>;
  readonly directory: PeopleDirectory;
  readonly robot: Robot;
  readonly log: Logger;
  self(): Self;
  now(): Date;
  /** How long somebody who is known waits to be asked for again; two seconds. */
  readonly soonMs?: number;
}

/** The people of one workspace; also their list, which is read in the background. */
export interface KnownSlackPeople extends SlackPeople, Fresh {}

interface Known {
  readonly person: SlackPerson;
  /** Slack's own time of the last change, in seconds. */
  readonly updated: number;
  readonly askedAt: number;
}

/** Made with the chat; `start()` once Slack is reached, `stop()` when the chat closes. */
export function createSlackPeople(options: SlackPeopleOptions): KnownSlackPeople {
  const { chat, api, directory, robot, log, now } = options;
  const known = new Map<string, Known>();
  const failedAt = new Map<string, number>();
  const asking = new Map<string, Promise<SlackPerson>>();

  /**
   * What Slack says of some accounts; not what it said at `askedAt` if something newer has come since. Remembered only once it is
   * stored.
   */
  async function take(users: readonly SlackUser[], askedAt: number): Promise<void> {
    const { teamId } = options.self();
    const fresh = users.flatMap((user): Known[] => {
      const { id, updated = 0 } = user;
      const before = id === undefined ? undefined : known.get(id);
      if (id === undefined || (before && updated < before.updated && askedAt <= before.askedAt)) return [];
      return [{ person: personOf({ ...user, id }, chat, teamId), updated, askedAt }];
    });
    const accounts = fresh.filter(({ person }) => !person.bot).map(({ person }) => accountOf(person));
    if (accounts.length > 0) await directory.save(...accounts);
    for (const each of fresh) {
      known.set(each.person.userId, each);
      failedAt.delete(each.person.userId);
      remember(robot, each.person);
    }
  }

  async function ask(userId: string): Promise<SlackPerson> {
    const askedAt = now().getTime();
    let user: SlackUser | undefined;
    try {
      ({ user } = await api.web.users.info({ user: userId }));
    } catch (error) {
      const code = slackCode(error);
      if (code !== undefined && NOBODY.has(code)) return await nobody(userId);
      log.warn({ chat, user: userId, problem: problemOf(error) }, 'Slack person not looked up');
      keepNewest(failedAt, userId, now().getTime(), MOST_FAILED);
      return (await lately(userId)) ?? stranger(userId);
    }
    if (user === undefined) return stranger(userId);
    await take([{ ...user, id: userId }], askedAt);
    return known.get(userId)?.person ?? stranger(userId);
  }

  /** What was known of somebody, by this robot or before it started, while that is not too long ago. */
  async function lately(userId: string): Promise<SlackPerson | undefined> {
    const at = now().getTime();
    const before = known.get(userId);
    if (before && at - before.askedAt < TRUST_MS) return before.person;
    const stored = await directory.get(`${chat}:${userId}`);
    if (!stored || at - stored.checkedAt.getTime() >= TRUST_MS) return undefined;
    const { checkedAt: _, ...account } = stored;
    return { ...account, userId, bot: false };
  }

  /** Who is not there has no rights, whatever they had. */
  async function nobody(userId: string): Promise<SlackPerson> {
    known.delete(userId);
    // Anybody can write such ids: Slack is not asked for each.
    keepNewest(failedAt, userId, now().getTime(), MOST_FAILED);
    const stored = await directory.get(`${chat}:${userId}`);
    if (stored && !stored.outside) {
      const { checkedAt: _checked, email: _email, ...account } = stored;
      await directory.save({ ...account, outside: true });
    }
    return { ...stranger(userId), ...(stored ? { name: stored.name } : {}) };
  }

  /** Who was known a while ago need not wait until Slack has time again. */
  async function soon(asked: Promise<SlackPerson>, before: SlackPerson): Promise<SlackPerson> {
    const answered = new AbortController();
    const late = delay(options.soonMs ?? SOON_MS, before, { signal: answered.signal }).catch(() => before);
    try {
      return await Promise.race([asked, late]);
    } finally {
      answered.abort();
    }
  }

  function stranger(userId: string): SlackPerson {
    return { id: `${chat}:${userId}`, chat, userId, name: userId, active: true, outside: true, bot: false };
  }

  async function readAll(signal: AbortSignal): Promise<void> {
    let cursor: string | undefined;
    let count = 0;
    do {
      const askedAt = now().getTime();
      const page = await readPage(cursor, signal);
      if (signal.aborted) return;
      await take(page.members ?? [], askedAt);
      count += page.members?.length ?? 0;
      const next = page.response_metadata?.next_cursor || undefined;
      if (next !== undefined && next === cursor) throw new Error('Slack gives the same page of people again');
      cursor = next;
    } while (cursor !== undefined);
    log.info({ chat, people: count }, 'Slack people read');
  }

  /** Large workspaces have more pages than Slack gives in a minute. */
  async function readPage(cursor: string | undefined, signal: AbortSignal) {
    for (;;) {
      try {
        return await api.web.users.list({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      } catch (error) {
        const trouble = troubleOf(error, robot.name);
        if (trouble.kind !== 'limited') throw error;
        await delay(trouble.retryAfterMs, undefined, { signal, ref: false });
      }
    }
  }

  const fresh = keepFresh({
    work: readAll,
    failed: (error, retryInMs) => log.warn({ chat, problem: problemOf(error), retryInMs }, 'Slack people not read'),
    everyMs: EVERY_MS,
  });

  return {
    ...fresh,
    async person(userId) {
      const at = now().getTime();
      const before = known.get(userId);
      if (before && at - before.askedAt < FRESH_MS) return before.person;
      if (at - (failedAt.get(userId) ?? 0) < FAILED_MS) return (await lately(userId)) ?? stranger(userId);
      const asked = asking.get(userId) ?? ask(userId).finally(() => asking.delete(userId));
      asking.set(userId, asked);
      const age = before === undefined ? Number.POSITIVE_INFINITY : at - before.askedAt;
      return before && age < TRUST_MS ? await soon(asked, before.person) : await asked;
    },
    async heard(user) {
      const before = user.id === undefined ? undefined : known.get(user.id);
      if (user.id === undefined || !before || (user.updated ?? 0) >= before.updated) {
        return await take([user], now().getTime());
      }
      // Late, or from a clock that is behind: what is true now is asked for.
      await ask(user.id);
    },
  };
}

/**
 * https://docs.slack.dev/reference/events/user_change (names, addresses, deactivation, guests that become members),
 * https://docs.slack.dev/reference/events/user_profile_changed and https://docs.slack.dev/reference/events/team_join
 */
export const listenToPeople: Listens = (app, { people }) => {
  app.event('user_change', async ({ event }) => await people.heard(event.user));
  app.event('user_profile_changed', async ({ event }) => await people.heard(event.user));
  app.event('team_join', async ({ event }) => await people.heard(event.user));
};

function accountOf({ userId: _user, bot: _bot, ...account }: SlackPerson): Account {
  return account;
}

/**
 * Scripts find people where hubot-slack put them: `robot.brain.userForId('U012AB3CD')`, with `email_address` and `slack`. Who
 * another workspace has under the same id stays who they are there.
 */
function remember(robot: Robot, person: SlackPerson): void {
  const { userId, chat, name, email, timeZone, active } = person;
  const before = robot.brain.users()[userId];
  if (person.bot || (!before && !active)) return;
  const other = chatOfUser(before);
  if (other !== undefined && other !== chat) return;
  const user = robot.brain.userForId(userId, { name, chat });
  user.name = name;
  user['chat'] = chat;
  user['real_name'] = name;
  user['email_address'] = email;
  user['slack'] = { id: userId, tz: timeZone, deleted: !active, profile: { display_name: name, email } };
}
