/** A plain Bolt app in Socket Mode, keeping nothing: what answering a mention costs without order, history and limits. */

import { App, LogLevel } from '@slack/bolt';

const clientOptions = { slackApiUrl: process.env['SLACK_API_URL'] ?? '' };
const app = new App({
  token: process.env['SLACK_BOT_TOKEN'] ?? '',
  appToken: process.env['SLACK_APP_TOKEN'] ?? '',
  socketMode: true,
  logLevel: LogLevel.ERROR,
  clientOptions,
  installerOptions: { clientOptions },
});
app.event('app_mention', async ({ event, say }) => {
  await say({ text: `You are <@${event.user}>`, ...(event.thread_ts ? { thread_ts: event.thread_ts } : {}) });
});
await app.start();
