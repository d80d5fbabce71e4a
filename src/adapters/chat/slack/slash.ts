/** `/shipmate …`, whatever it is called in the app: every command. https://docs.slack.dev/interactivity/implementing-slash-commands */

import { openForm } from './modal.ts';
import { hearQuietly } from './place.ts';
import type { Listens } from './ports.ts';

/** Answers go to whoever typed it, those of a change to the channel; what lacks arguments opens a form. */
export const listenToSlashCommands: Listens = (app, context) => {
  app.command(/^\//, async ({ command, ack }) => {
    await ack();
    const { user_id: userId, channel_id: channel, trigger_id: triggerId } = command;
    context.answerUrl(channel, userId, command.response_url);
    const text = command.text.trim() || 'help';
    if (await openForm({ triggerId, text, userId, channel }, context)) return;
    await hearQuietly({ userId, channel, text, messageId: `slash:${triggerId}`, via: 'typed' }, context);
  });
};
