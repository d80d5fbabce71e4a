/** App Home: what concerns whoever looks. https://docs.slack.dev/surfaces/app-home */

import type { BlockAction } from '@slack/bolt';
import { type Content, codeSpan } from '../../../bot/card.ts';
import { RUNS } from './actions.ts';
import { toHome } from './blocks.ts';
import type { Listens, SlackContext } from './ports.ts';
import { commandOf } from './press.ts';
import { bare, slackCode } from './refusal.ts';

/** Shown anew whenever somebody comes, and after what they press there, which is answered in the direct conversation. */
export const listenToHome: Listens = (app, context) => {
  app.event('app_home_opened', async ({ event }) => {
    if (event.tab === 'home') await show(event.user, context);
  });

  app.action<BlockAction>({ type: 'block_actions', action_id: RUNS }, async ({ ack, body }) => {
    if (body.view?.type !== 'home') return;
    await ack();
    const [action] = body.actions;
    const command = action && commandOf(action);
    if (!command) return;
    const userId = body.user.id;
    await context.hear({
      userId,
      channel: await context.rooms.direct(userId),
      text: command,
      messageId: `home:${body.view.id}:${action.action_ts}:${userId}`,
      via: 'button',
      addressed: true,
      at: context.now(),
    });
    await show(userId, context, `${codeSpan(command)}: the answer is under *Messages*.`);
  });
};

/** https://docs.slack.dev/reference/methods/views.publish */
async function show(userId: string, context: SlackContext, note?: string): Promise<void> {
  const { api, chat, log, people, robot, surfaces } = context;
  try {
    const contents: readonly Content[] = [
      ...(note === undefined ? [] : [note]),
      ...(await surfaces.overview(await people.person(userId))),
    ];
    const blocks = toHome(contents, { chat, address: `@${robot.name} ` });
    await api.web.views.publish({ user_id: userId, view: { type: 'home', blocks } });
  } catch (error) {
    log.warn({ chat, problem: slackCode(error), err: bare(error) }, 'App Home not shown');
  }
}
