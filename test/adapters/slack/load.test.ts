/** Ten thousand events in disorder (fewer on the embedded database), through everything that goes wrong: each is handled once. */

import { expect } from 'chai';
import { createBoltApp } from '../../../src/adapters/chat/slack/bolt.ts';
import { createIntake } from '../../../src/adapters/chat/slack/intake.ts';
import { createSockets } from '../../../src/adapters/chat/slack/sockets.ts';
import { createInbox } from '../../../src/storage/inbox.ts';
import { eachDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { collectingLog } from '../../support/log.ts';
import { countedMetrics } from '../../support/slack/client.ts';
import { startSlack } from '../../support/slack/server.ts';

const EVENTS = { server: 10_000, embedded: 2_000 };
/** What the robot has at a time; Slack sends 30,000 an hour at most, which is eight a second. */
const AT_A_TIME = 500;
const LOST_ACKNOWLEDGEMENTS = 0.02;

eachDatabase((open) => {
  describe('Slack under load', function () {
    this.timeout(120_000);

    it('handles each of thousands of events once', async () => {
      const db = await open();
      const events = EVENTS[db.kind];
      const between = Math.floor(events / 6);
      const slack = await startSlack({ retryDelaysMs: [0, 50, 100, 200, 400, 800, 1_600], seed: 7 });
      const log = collectingLog();
      const metrics = countedMetrics();
      const handled = new Map<string, number>();
      const app = await createBoltApp({
        workspace: { chat: 'slack', botToken: slack.botToken, apiUrl: slack.apiUrl },
        self: () => ({
          teamId: slack.workspace.teamId,
          teamName: '',
          url: '',
          userId: slack.bot.id,
          botId: 'B1',
          agent: true,
          postsAnywhere: true,
        }),
        api: { revoked: () => undefined },
        log,
        newReference: () => 'ref',
      });
      app.message(async ({ message }) => {
        handled.set(message.ts, (handled.get(message.ts) ?? 0) + 1);
      });
      app.event('app_mention', async ({ event }) => {
        handled.set(event.ts, (handled.get(event.ts) ?? 0) + 1);
      });
      const inbox = createInbox(db, 'replica-1');
      const intake = createIntake({ chat: 'slack', inbox, app: () => app, log, metrics, newReference: () => 'ref' });
      let lost = 0;
      const sockets = createSockets({
        workspace: { chat: 'slack', appToken: slack.appToken, apiUrl: slack.apiUrl },
        intake: {
          take: (envelope, acknowledge) =>
            intake.take(envelope, async (answer) => {
              if (metrics.of('accepted') % Math.round(1 / LOST_ACKNOWLEDGEMENTS) === 1) {
                lost++;
                throw new Error('lost');
              }
              await acknowledge(answer);
            }),
        },
        log,
        metrics,
        connected: () => undefined,
        trouble: () => undefined,
        timing: { firstRetryMs: 20, lastRetryMs: 200 },
      });
      try {
        intake.start();
        await sockets.start();
        await slack.connected(2);
        slack.ackWithin(1_000);
        slack.disturb({ duplicates: 0.1, shuffle: 200 });
        const disturbances = [
          () => slack.cut(),
          () => slack.disconnect('refresh_requested', { graceMs: 20 }),
          () => slack.disconnect('warning', { graceMs: 20 }),
          () => slack.cut(1),
          async () => {
            await slack.goDown();
            await slack.comeBack();
          },
        ];
        for (let index = 0; index < events; index++) {
          const ts = `1700000000.${String(index).padStart(6, '0')}`;
          const event = { channel: 'C1', user: 'U1', ts, event_ts: ts, text: 'hello' };
          slack.emit({ type: 'message', channel_type: 'channel', ...event });
          // One in ten is a mention, which comes as another event as well.
          if (index % 10 === 0) slack.emit({ type: 'app_mention', ...event });
          await eventually(
            () => slack.dispatcher.pending,
            (pending) => pending < AT_A_TIME,
            60_000,
          );
          if (index % between === between - 1) await disturbances[Math.floor(index / between)]?.();
        }
        slack.disturb({});
        await slack.settled(60_000);
        await intake.idle();
        const twice = [...handled.values()].filter((times) => times !== 1);
        expect(twice).to.deep.equal([]);
        expect(handled.size).to.equal(events);
        expect(slack.dispatcher.deliveries.filter(({ state }) => state !== 'acknowledged')).to.deep.equal([]);
        expect(metrics.of('accepted')).to.equal(events);
        expect(metrics.of('repeated')).to.be.greaterThan(events / 10);
        expect(lost).to.be.greaterThan(events / 100);
        expect(slack.sockets.openedInAll).to.be.at.least(2 + 5);
        expect((await db.pool.query('select * from inbox')).rows).to.deep.equal([]);
        slack.assertNoProblems();
      } finally {
        await intake.close();
        await sockets.close();
        await slack.close();
      }
    });
  });
});
