/** What Slack's own packages would log: nothing of it, for it holds bodies and tokens. */

import { LogLevel, type Logger as SlackLogger } from '@slack/web-api';

/** A logger for Slack's packages. What matters is told by errors and events, which we log ourselves. */
export function quietLogger(): SlackLogger {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
    setLevel: () => undefined,
    getLevel: () => LogLevel.ERROR,
    setName: () => undefined,
  };
}
