/** Bolt's App: it finds the listeners for what comes; how it comes is our business. https://docs.slack.dev/tools/bolt-js */

import type { App, Receiver } from '@slack/bolt';
import type { Logger } from '../../../bot/log.ts';
import { webClientOptions } from './api.ts';
import type { Self, SlackApi, SlackWorkspace } from './ports.ts';
import { quietLogger } from './quiet.ts';
import { bare } from './refusal.ts';

export interface BoltOptions {
  readonly workspace: Pick<SlackWorkspace, 'chat' | 'botToken' | 'apiUrl'>;
  /** Asked for each event, so that none needs a call. */
  readonly self: () => Self;
  readonly api: Pick<SlackApi, 'revoked'>;
  readonly log: Logger;
  readonly newReference: () => string;
}

/** The App, without listeners of the chat. What it is given goes through `createIntake`. */
export async function createBoltApp(options: BoltOptions): Promise<App> {
  const bolt = await import('@slack/bolt');
  const { workspace, log } = options;
  const app = new bolt.App({
    receiver: NOTHING_RECEIVES,
    authorize: async () => {
      const { teamId, botId, userId } = options.self();
      return { botToken: workspace.botToken, botId, botUserId: userId, teamId };
    },
    ignoreSelf: true,
    convoStore: false,
    tokenVerificationEnabled: false,
    attachFunctionToken: false,
    logger: quietLogger(),
    logLevel: bolt.LogLevel.ERROR,
    clientOptions: webClientOptions(workspace),
  });
  app.error(async (error) => {
    log.error({ chat: workspace.chat, reference: options.newReference(), err: bare(error) }, 'Slack event failed');
  });
  // https://docs.slack.dev/reference/events/tokens_revoked and app_uninstalled
  // An app can be in workspaces that are none of ours, too: what becomes of it there says nothing about this token.
  const isOurs = (teamId: string | undefined): boolean => teamId === options.self().teamId;
  app.event('app_uninstalled', async ({ body }) => {
    if (isOurs(body.team_id)) options.api.revoked('app_uninstalled');
  });
  app.event('tokens_revoked', async ({ event, body }) => {
    if (isOurs(body.team_id) && (event.tokens.bot ?? []).length > 0) options.api.revoked('token_revoked');
  });
  return app;
}

const NOTHING_RECEIVES: Receiver = {
  init: () => undefined,
  start: async () => undefined,
  stop: async () => undefined,
};
