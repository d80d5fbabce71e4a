/** What only whoever runs the robot can mend. */

import type { Logger } from '../../../bot/log.ts';

/** The variable of a workspace, by the name of its chat: `SLACK_BOT_TOKEN`, `SLACK_EMEA_BOT_TOKEN`. */
export function variableOf(chat: string, name: 'BOT_TOKEN' | 'APP_TOKEN'): string {
  return `${chat.toUpperCase().replaceAll('-', '_')}_${name}`;
}

/** The robot goes on, but somebody has to come. */
export function logFatal(log: Logger, fields: object, message: string): void {
  if (log.fatal) log.fatal(fields, message);
  else log.error(fields, message);
}
