/** The alert commands in a room: real robot, dispatch and database, and the real HTTP intake for the test alert. */

import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import express from 'express';
import { createAlertTester } from '../../src/adapters/alerts/alertmanager/client.ts';
import { alertmanagerHook } from '../../src/adapters/alerts/alertmanager/hook.ts';
import { createHooks } from '../../src/bot/hooks.ts';
import type { Jobs } from '../../src/bot/jobs.ts';
import { createAlerts } from '../../src/domain/alerts/alerts.ts';
import type { Alerts } from '../../src/domain/alerts/ports.ts';
import { alertWork } from '../../src/domain/alerts/work.ts';
import { createAlertStore } from '../../src/storage/alerts.ts';
import type { Database } from '../../src/storage/database.ts';
import { createHookStore } from '../../src/storage/hooks.ts';
import { eventAt, incoming, minute } from '../support/alerts.ts';
import { inMemoryCommands } from '../support/commands.ts';
import { quiet, testDatabase } from '../support/database.ts';
import { Helper, type Room } from '../support/room.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/alerts.ts', import.meta.url));
const TOKEN = 'correct-horse-battery';

describe('scripts/alerts.ts', function () {
  this.timeout(30_000);
  let db: Database;
  let server: Server;
  let room: Room;
  let alerts: Alerts;
  let token: string;
  /** Jobs wait here until the test runs them. */
  let waiting: (() => Promise<void>)[];

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  beforeEach(async () => {
    await db.pool.query('truncate alert_groups, alerts, alert_members, hook_events restart identity');
    waiting = [];
    token = TOKEN;
    const handlers = new Map<string, (data: object) => Promise<void>>();
    const jobs: Jobs = {
      define: (name, _options, handler) => {
        handlers.set(name, async (data) => {
          await Reflect.apply(handler, undefined, [data, { id: 'x', attempt: 1, signal: AbortSignal.timeout(5000) }]);
        });
      },
      send: async (name, data) => void waiting.push(async () => await handlers.get(name)?.(data)),
      schedule: async () => undefined,
    };
    const now = (): Date => minute(30);
    const work = alertWork(jobs, () => alerts);
    let url = '';
    alerts = createAlerts({
      store: createAlertStore(db),
      tester: { send: (test) => createAlertTester({ url: () => url, token, now }).send(test) },
      post: (...args) => commands.post(...args),
      address: (name) => ({ chat: 'test', room: name }),
      rooms: () => ['ops'],
      resolveTestLater: work.resolveTestLater,
      redact: (text) => text,
      now,
      newId: () => 'abc',
      log: quiet,
    });
    const hooks = createHooks({ store: createHookStore(db), tokens: [TOKEN], jobs, log: quiet, now });
    hooks.register(alertmanagerHook(alerts));
    const app = express();
    app.use('/hooks', hooks.handler);
    server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address && typeof address === 'object') url = `http://127.0.0.1:${address.port}`;

    const commands = inMemoryCommands({
      policy: {
        roles: { responder: ['alerts:ack'] },
        people: { 'test:alice': ['admin'], 'test:carol': ['responder'] },
      },
      services: { alerts },
      now,
    });
    room = await new Helper(SCRIPT).createRoom({ name: 'ops', prepare: commands.prepare });
  });

  afterEach(async () => {
    await room.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** Says it, and gives the answers to it. */
  async function say(who: string, text: string): Promise<string> {
    const before = room.chat.posts.length;
    await room.user.say(who, `hubot ${text}`);
    const answers = room.chat.posts.slice(before).flatMap(({ content }) => content ?? []);
    return answers
      .map((content) => (typeof content === 'string' ? content : `${content.title}\n${content.text ?? ''}`))
      .join('\n');
  }

  /** The titles of the alerts in the room, as they are now. */
  function shown(): string[] {
    return room.cards.map(({ title }) => title).filter((title) => title.startsWith('#'));
  }

  it('lists what is firing, and earlier ones', async () => {
    expect(await say('bob', 'alerts')).to.include('No alert is firing');
    await alerts.receive(eventAt(1, [incoming('web-1')]));
    expect(await say('bob', 'alerts'))
      .to.include('1 alert firing')
      .and.to.include('HighErrorRate');
    await alerts.receive(eventAt(5, [incoming('web-1', { to: 5 })]));
    expect(await say('bob', 'alerts')).to.include('No alert is firing');
    expect(await say('bob', 'alerts all')).to.include('HighErrorRate (critical) resolved 2026-01-01 00:05 UTC');
    expect(await say('bob', 'alerts nonsense')).to.include('all');
  });

  it('shows one', async () => {
    await alerts.receive(eventAt(1, [incoming('web-1'), incoming('web-2')]));
    expect(await say('bob', 'alerts show 1'))
      .to.include('#1 HighErrorRate: 2 firing')
      .and.to.include('instance=web\\-2');
    expect(room.messages.at(-1)?.[1], 'no button that leads to itself').not.to.include('Details');
    expect(await say('bob', 'alerts show 7')).to.include('There is no alert 7');
  });

  it('acknowledges: the card says so, and only once', async () => {
    await alerts.receive(eventAt(1, [incoming('web-1')]));
    expect(await say('bob', 'alerts ack 1')).to.include('alerts:ack');
    expect(shown()).to.deep.equal(['#1 HighErrorRate: firing']);
    expect(await say('carol', 'ack 1 on it, wait')).to.equal('carol has alert 1: HighErrorRate.');
    expect(shown()).to.deep.equal(['#1 HighErrorRate: firing, acknowledged']);
    expect((await alerts.get(1))?.acknowledged).to.deep.equal({
      by: { id: 'test:carol', name: 'carol' },
      at: minute(30),
      note: 'on it, wait',
    });
    expect(await say('alice', 'alerts ack 1')).to.include('carol acknowledged alert 1 already');
    expect(await say('carol', 'alerts ack 1')).to.include('carol has alert 1 since');
    await alerts.receive(eventAt(5, [incoming('web-1', { to: 5 })]));
    expect(await say('carol', 'alerts ack 1')).to.include('Alert 1 is resolved');
    expect(await say('carol', 'alerts ack 9')).to.include('There is no alert 9');
  });

  it('sends a test alert through the real intake, which resolves later', async () => {
    expect(await say('carol', 'alerts test')).to.include('alerts:test');
    expect(await say('alice', 'alerts test')).to.include('It comes to **ops** and resolves in 60 s');
    expect(waiting).to.have.lengthOf(2);
    for (const job of waiting.splice(0, 1)) await job();
    expect(shown()).to.deep.equal(['#1 ShipmateTest: firing']);
    for (const job of waiting.splice(0, 1)) await job();
    for (const job of waiting.splice(0)) await job();
    expect(shown()).to.deep.equal(['#1 ShipmateTest: resolved']);
  });

  it('says so when the intake refuses', async () => {
    token = 'a-wrong-token-of-length';
    expect(await say('alice', 'alerts test')).to.include('the intake answered 401');
  });
});
