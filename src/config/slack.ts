/** config/slack.yaml, and which workspaces the variables and the file name together. */

import { z } from 'zod';
import type { Problem } from './problem.ts';
import type { VariableValues } from './variables.ts';

const emoji = z
  .string()
  .regex(/^:?[a-z0-9_+'-]+:?$/, 'an emoji is written as in Slack: white_check_mark')
  .transform((name) => name.replaceAll(':', ''));

const workspace = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9]*$/, 'a name is a word of small letters and digits; the chat is called slack-<name>')
    .describe('The chat is called `slack-<name>`: rooms are written `slack-emea:ops`'),
});

const reactions = z
  .record(emoji, z.string().trim().min(1))
  .default({})
  .describe(
    'Emoji → how the command of a button begins: who reacts with it to a card presses that button. `white_check_mark: approve`',
  );

/** What a team may write into config/slack.yaml. */
export const slackSchema = z.strictObject({
  working: z
    .enum(['reaction', 'none'])
    .default('reaction')
    .describe('What shows on a message that the robot works on for more than a moment: the reaction 👀, or nothing'),
  reactions,
  workspaces: z
    .array(workspace)
    .max(20)
    .default([])
    .describe(
      'Further workspaces. The tokens of `emea` are in `SLACK_EMEA_BOT_TOKEN`, `SLACK_EMEA_APP_TOKEN` and `SLACK_EMEA_SIGNING_SECRET`',
    ),
});

export type SlackFile = z.infer<typeof slackSchema>;

/** A workspace with its tokens. */
export interface SlackAccount {
  readonly chat: string;
  readonly botToken: string;
  readonly appToken?: string;
  readonly signingSecret?: string;
  readonly apiUrl?: string;
  readonly working: SlackFile['working'];
  readonly reactions: ReadonlyMap<string, string>;
}

interface Tokens {
  readonly botToken: string | undefined;
  readonly appToken: string | undefined;
  readonly signingSecret: string | undefined;
}

/** The workspaces to be in, the main one first; and what is missing or wrong with their tokens. */
export function slackWorkspaces(
  file: SlackFile,
  variables: VariableValues,
  env: Readonly<Record<string, string | undefined>>,
): { readonly workspaces: readonly SlackAccount[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const common = {
    working: file.working,
    reactions: new Map(Object.entries(file.reactions)),
    ...(variables.SLACK_API_URL === undefined ? {} : { apiUrl: variables.SLACK_API_URL }),
  };
  const add = (prefix: string, name: string, message: string) =>
    problems.push({ file: 'environment', key: `${prefix}_${name}`, message });

  /** Those of the main workspace have been checked with the other variables. */
  function tokensOf(prefix: string): Tokens {
    const value = (name: string): string | undefined => env[`${prefix}_${name}`]?.trim() || undefined;
    const tokens = {
      botToken: value('BOT_TOKEN'),
      appToken: value('APP_TOKEN'),
      signingSecret: value('SIGNING_SECRET'),
    };
    const wrong = (token: string | undefined, begins: string): boolean => token?.startsWith(begins) === false;
    if (wrong(tokens.botToken, 'xoxb-')) add(prefix, 'BOT_TOKEN', 'must be a token that begins with xoxb-');
    if (wrong(tokens.appToken, 'xapp-')) add(prefix, 'APP_TOKEN', 'must be a token that begins with xapp-');
    return tokens;
  }

  function account(prefix: string, chat: string, { botToken, appToken, signingSecret }: Tokens): SlackAccount[] {
    // One that is wrong is told of by what is wrong with it.
    const isLeftOut = (name: string): boolean => !env[`${prefix}_${name}`]?.trim();
    if (botToken === undefined && isLeftOut('BOT_TOKEN'))
      add(prefix, 'BOT_TOKEN', 'must be set for the adapter slack (docs/guide/slack.md)');
    if (appToken === undefined && signingSecret === undefined && isLeftOut('APP_TOKEN') && isLeftOut('SIGNING_SECRET'))
      add(
        prefix,
        'APP_TOKEN',
        `must be set for Socket Mode, or ${prefix}_SIGNING_SECRET for HTTP (docs/guide/slack.md)`,
      );
    if (appToken === undefined && signingSecret !== undefined && !variables.HUBOT_HTTPD)
      problems.push({ file: 'environment', key: 'HUBOT_HTTPD', message: 'must be on for Slack by HTTP' });
    if (botToken === undefined) return [];
    return [
      {
        ...common,
        chat,
        botToken,
        ...(appToken === undefined ? {} : { appToken }),
        ...(signingSecret === undefined ? {} : { signingSecret }),
      },
    ];
  }

  const main: Tokens = {
    botToken: variables.SLACK_BOT_TOKEN,
    appToken: variables.SLACK_APP_TOKEN,
    signingSecret: variables.SLACK_SIGNING_SECRET,
  };
  const workspaces = [
    ...account('SLACK', 'slack', main),
    ...file.workspaces.flatMap(({ name }) => {
      const prefix = `SLACK_${name.toUpperCase()}`;
      return account(prefix, `slack-${name}`, tokensOf(prefix));
    }),
  ];
  return { workspaces, problems };
}
