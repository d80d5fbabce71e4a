/** Where a slash command or a press can be answered so that only its author sees it, also where the robot is no member. */

import type { Logger } from '../../../bot/log.ts';
import { keepNewest } from './newest.ts';
import { bare } from './refusal.ts';

/** https://docs.slack.dev/interactivity/handling-user-interaction#message_responses: five answers within 30 minutes. */
const VALID_MS = 29 * 60_000;
const MOST_ANSWERS = 5;
const MOST_URLS = 1_000;
const ANSWER_MS = 10_000;

export interface AnswerUrls {
  remember(channel: string, userId: string, url: string): void;
  /** One that can be used now; undefined if there is none. */
  take(channel: string, userId: string): string | undefined;
  /** False if Slack did not take it. */
  answer(url: string, body: object): Promise<boolean>;
}

interface Remembered {
  readonly url: string;
  readonly until: number;
  left: number;
}

/** @param apiUrl another address of the Web API: answers may go there as well */
export function createAnswerUrls({
  apiUrl,
  now,
  log,
}: {
  readonly apiUrl: string | undefined;
  readonly now: () => Date;
  readonly log: Logger;
}): AnswerUrls {
  const urls = new Map<string, Remembered>();
  const key = (channel: string, userId: string) => `${channel} ${userId}`;

  function isSlack(url: string): boolean {
    const parsed = URL.parse(url);
    if (!parsed) return false;
    if (apiUrl !== undefined && parsed.origin === URL.parse(apiUrl)?.origin) return true;
    return parsed.protocol === 'https:' && /(?:^|\.)slack(?:-gov)?\.com$/.test(parsed.hostname);
  }

  return {
    remember(channel, userId, url) {
      if (!isSlack(url)) return;
      const remembered = { url, until: now().getTime() + VALID_MS, left: MOST_ANSWERS };
      keepNewest(urls, key(channel, userId), remembered, MOST_URLS);
    },
    take(channel, userId) {
      const found = urls.get(key(channel, userId));
      if (!found) return undefined;
      if (found.left === 0 || now().getTime() > found.until) {
        urls.delete(key(channel, userId));
        return undefined;
      }
      found.left--;
      return found.url;
    },
    async answer(url, body) {
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json; charset=utf-8' },
          body: JSON.stringify({ ...body, response_type: 'ephemeral', replace_original: false }),
          redirect: 'error',
          signal: AbortSignal.timeout(ANSWER_MS),
        });
        if (response.ok) return true;
        log.debug({ status: response.status }, 'Slack did not take an answer at its response URL');
      } catch (error) {
        log.debug({ err: bare(error) }, 'Slack did not take an answer at its response URL');
      }
      return false;
    },
  };
}
