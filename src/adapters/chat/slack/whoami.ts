/** Who and where the robot is in its workspace: asked until Slack answers. https://docs.slack.dev/reference/methods/auth.test */

import { setTimeout as delay } from 'node:timers/promises';
import type { AuthTestResponse } from '@slack/web-api';
import { DeliveryDelayed } from '../../../bot/chat.ts';
import type { Logger } from '../../../bot/log.ts';
import type { Self, SlackApi } from './ports.ts';
import { bare, slackCode, troubleOf } from './refusal.ts';
import { isAgent } from './threads.ts';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
/** For so long the start waits for Slack. */
const START_MS = 10_000;
const SLOW = 'Slack does not answer';

export interface WhoAmIOptions {
  readonly chat: string;
  readonly robotName: string;
  readonly api: Pick<SlackApi, 'delivering'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Slack has answered for the first time. */
  begin(): Promise<void>;
  /** What somebody must do about the token; undefined if it is good. */
  problem(): string | undefined;
  note(problem: string | undefined): void;
}

export interface WhoAmI {
  /** Undefined until Slack has said it. */
  self(): Self | undefined;
  /** The same; throws until Slack has said it. */
  known(): Self;
  /** Waits for Slack for a while, and goes on asking in the background. Throws what somebody must do something about. */
  start(): Promise<void>;
  /** Asks again: the workspace may have another name or address. */
  again(): Promise<void>;
}

/** What the robot is in one workspace, by its token. */
export function createWhoAmI(options: WhoAmIOptions): WhoAmI {
  const { chat, log, signal } = options;
  let self: Self | undefined;

  /** Gives what is in the way for now; throws what somebody must do something about. */
  async function ask(): Promise<string | undefined> {
    const who = await answer();
    if (typeof who === 'string') return who;
    const first = self === undefined;
    self = {
      teamId: who.team_id ?? '',
      teamName: who.team ?? '',
      url: who.url ?? '',
      userId: who.user_id ?? '',
      botId: who.bot_id ?? '',
      agent: isAgent(who.response_metadata?.scopes),
      // Who does not say what the token may do is asked by trying.
      postsAnywhere: who.response_metadata?.scopes?.includes('chat:write.public') ?? true,
    };
    options.note(undefined);
    if (!first) return undefined;
    log.info({ chat, workspace: who.team, url: who.url }, 'Slack knows the robot');
    await options.begin();
    return undefined;
  }

  /** One attempt, without the patience of other calls. */
  async function answer(): Promise<AuthTestResponse | string> {
    try {
      return await options.api.delivering(async (web) => {
        try {
          return await web.auth.test();
        } catch (error) {
          return meaning(error);
        }
      });
    } catch (error) {
      if (error instanceof DeliveryDelayed) return error.message;
      throw error;
    }
  }

  function meaning(error: unknown): string {
    const trouble = troubleOf(error, options.robotName);
    switch (trouble.kind) {
      case 'revoked':
        throw new Error(options.problem() ?? `Slack refuses the token (${trouble.code})`, { cause: error });
      case 'refused':
        throw new Error(`${chat}: ${trouble.text}`, { cause: error });
      case 'limited':
        return 'Slack asks for patience';
      case 'trouble':
        return trouble.text;
      case 'unknown':
        return `what answered is not Slack (${slackCode(error) ?? bare(error).message})`;
    }
  }

  /** Whoever has started the robot is gone by then: what must be done about it is logged. */
  async function goOn(first: Promise<string | undefined>): Promise<void> {
    let attempt = first;
    for (let wait = FIRST_RETRY_MS; !signal.aborted; wait = Math.min(LAST_RETRY_MS, wait * 2)) {
      try {
        if ((await attempt) === undefined) return;
      } catch (error) {
        options.note(bare(error).message);
        log.error({ chat, err: bare(error) }, 'Slack refuses the robot');
      }
      await delay(wait, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) attempt = ask();
    }
  }

  return {
    self: () => self,
    known() {
      if (!self) throw new Error('Slack is not reached yet');
      return self;
    },
    async start() {
      const first = ask();
      const problem = await Promise.race([first, delay(START_MS, SLOW, { signal, ref: false })]);
      if (problem === undefined) return;
      log.warn({ chat, problem }, 'Slack is not reached yet: the robot starts without, and goes on trying');
      void goOn(first);
    },
    async again() {
      const problem = await ask();
      if (problem !== undefined) log.warn({ chat, problem }, 'Slack was not asked who the robot is');
    },
  };
}
