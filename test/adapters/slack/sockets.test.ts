/** Socket Mode: two connections, replaced before they end, whatever happens to them. */

import { expect } from 'chai';
import type { Acknowledge, IntakeOutcome } from '../../../src/adapters/chat/slack/intake.ts';
import type { Envelope } from '../../../src/adapters/chat/slack/ports.ts';
import { createSockets, type Sockets, type SocketTiming } from '../../../src/adapters/chat/slack/sockets.ts';
import { eventually } from '../../support/eventually.ts';
import { collectingLog } from '../../support/log.ts';
import { countedMetrics } from '../../support/slack/client.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';
import { openTunnel } from '../../support/slack/tunnel.ts';

describe('Slack Socket Mode', () => {
  let slack: SlackServer;
  let sockets: Sockets | undefined;
  let log: ReturnType<typeof collectingLog>;
  let metrics: ReturnType<typeof countedMetrics>;
  let taken: Envelope[];
  let woken: number;
  let troubles: (string | undefined)[];
  let take: (envelope: Envelope, acknowledge: Acknowledge) => Promise<IntakeOutcome>;

  beforeEach(async () => {
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addChannel({ name: 'ops', members: ['alice'] });
    log = collectingLog();
    metrics = countedMetrics();
    taken = [];
    woken = 0;
    troubles = [];
    take = async (envelope, acknowledge) => {
      taken.push(envelope);
      await acknowledge();
      return 'accepted';
    };
  });
  afterEach(async () => {
    await sockets?.close();
    sockets = undefined;
    await slack.close();
    slack.assertNoProblems();
    expect(JSON.stringify(log.lines)).to.not.contain('between us').and.to.not.contain(slack.appToken);
  });

  function connectTo(timing: Partial<SocketTiming> = {}, apiUrl = slack.apiUrl): Sockets {
    sockets = createSockets({
      workspace: { chat: 'slack', appToken: slack.appToken, apiUrl },
      intake: { take: (envelope, acknowledge) => take(envelope, acknowledge) },
      log,
      metrics,
      connected: () => {
        woken++;
      },
      trouble: (problem) => void troubles.push(problem),
      timing: { firstRetryMs: 20, lastRetryMs: 100, closeMs: 200, ...timing },
    });
    return sockets;
  }

  const two = () => eventually(() => sockets?.open() === 2 && slack.sockets.open === 2);
  const opens = () => slack.calls.filter(({ method }) => method === 'apps.connections.open').length;

  it('opens two connections and takes what comes over them', async () => {
    await connectTo().start();
    expect(woken).to.be.greaterThan(0);
    await two();
    expect(metrics.connections).to.equal(2);
    slack.say('alice', 'ops', 'between us');
    await slack.settled();
    expect(taken.map(({ kind, via }) => [kind, via])).to.deep.equal([['event', 'socket']]);
  });

  it('gives the listener’s answer', async () => {
    take = async (_, acknowledge) => {
      await acknowledge({ options: [] });
      return 'answered';
    };
    await connectTo().start();
    const attempt = await slack.dispatcher.interaction('interactive', { type: 'block_suggestion' });
    expect(attempt).to.deep.include({ kind: 'acknowledged', response: { options: [] } });
  });

  for (const reason of ['warning', 'refresh_requested'] as const) {
    it(`has another connection before one ends: ${reason}`, async () => {
      await connectTo().start();
      await two();
      let fewest = 2;
      const watch = setInterval(() => {
        fewest = Math.min(fewest, slack.sockets.open);
      }, 1);
      slack.disconnect(reason, { graceMs: 5_000 });
      await eventually(() => slack.sockets.openedInAll === 4 && slack.sockets.open === 2);
      clearInterval(watch);
      expect(fewest).to.equal(2);
      await two();
      slack.say('alice', 'ops', 'between us');
      await slack.settled();
      expect(taken).to.have.lengthOf(1);
    });
  }

  it('replaces connections that are cut, at once', async () => {
    await connectTo().start();
    await two();
    const since = performance.now();
    slack.cut();
    await eventually(() => slack.sockets.openedInAll >= 4);
    await two();
    expect(performance.now() - since).to.be.lessThan(2_000);
    expect(log.messages(true)).to.include('Slack connection lost');
  });

  it('does not knock on the door hundreds of times when connections do not last', async () => {
    await connectTo({ firstRetryMs: 100, lastRetryMs: 1_000 }).start();
    const since = performance.now();
    while (performance.now() - since < 1_000) {
      slack.cut();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(opens()).to.be.lessThan(25);
  });

  it('comes back when Slack, or the way to it, was gone', async () => {
    await connectTo().start();
    await two();
    await slack.goDown();
    await eventually(() => log.messages().includes('Slack cannot be reached, trying again'));
    await eventually(() => metrics.connections === 0);
    const before = woken;
    await slack.comeBack();
    await two();
    expect(woken).to.be.greaterThan(before);
    // Said once, however often it was tried.
    expect(log.messages().filter((line) => line === 'Slack cannot be reached, trying again').length).to.be.at.most(2);
  });

  it('notices that nothing arrives any more', async function () {
    this.timeout(30_000);
    const tunnel = await openTunnel(slack.url);
    try {
      await connectTo({ openMs: 1_000 }, tunnel.apiUrl).start();
      await two();
      tunnel.fallSilent();
      await eventually(() => slack.sockets.openedInAll >= 4, Boolean, 25_000);
      await eventually(() => sockets?.open() === 2);
      slack.cut(2);
      await two();
      slack.say('alice', 'ops', 'between us');
      await slack.settled();
      expect(taken).to.have.lengthOf(1);
    } finally {
      await sockets?.close();
      await tunnel.close();
    }
  });

  it('starts without Slack, says so, and goes on trying', async () => {
    await slack.goDown();
    await connectTo({ startMs: 50 }).start();
    expect(sockets?.open()).to.equal(0);
    expect(log.messages()).to.include('Slack cannot be reached yet: the robot starts without, and goes on trying');
    await slack.comeBack();
    await two();
  });

  it('waits as long as Slack asks before it opens one', async () => {
    slack.fail('apps.connections.open', { as: 429, retryAfter: 1 });
    const since = performance.now();
    await connectTo().start();
    await two();
    expect(performance.now() - since).to.be.within(900, 4_000);
    expect(log.messages()).to.deep.equal(['Slack asks to wait before the next connection']);
  });

  it('says once what to do about a token that Slack refuses, and does not go on knocking', async () => {
    slack.fail('apps.connections.open', { as: 'invalid_auth', times: Number.POSITIVE_INFINITY });
    await connectTo().start();
    await eventually(() => opens() === 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(troubles).to.have.lengthOf(1);
    expect(troubles[0]).to.contain('SLACK_APP_TOKEN').and.to.contain('connections:write');
    expect(log.messages()).to.deep.equal(['Slack refuses the app-level token']);
    expect(opens()).to.equal(2);
  });

  it('works again when the token does', async () => {
    slack.fail('apps.connections.open', { as: 'invalid_auth', times: 2 });
    await connectTo({ refusedMs: 30 }).start();
    await two();
    expect(troubles.at(-1)).to.equal(undefined);
  });

  it('says that Socket Mode was turned off', async () => {
    await connectTo().start();
    await two();
    slack.fail('apps.connections.open', { as: 'internal_error', times: Number.POSITIVE_INFINITY });
    slack.disconnect('link_disabled', { graceMs: 10 });
    await eventually(() => troubles.length > 0);
    expect(troubles[0]).to.contain('Socket Mode');
    slack.mend();
    await two();
  });

  it('steps back when the app has too many connections', async () => {
    await connectTo().start();
    await two();
    slack.disconnect('too_many_websockets', { count: 1, graceMs: 5_000 });
    await eventually(() => slack.sockets.open === 1);
    await two();
    slack.disconnect('too_many_websockets', { count: 1, graceMs: 5_000 });
    await eventually(() => slack.sockets.open === 1);
    await two();
    const [told, ...more] = log.messages();
    expect(told).to.contain('ten at most, two for each replica');
    expect(more, 'once').to.deep.equal([]);
  });

  it('says so, too, when it gets none because there are too many', async () => {
    slack.fail('apps.connections.open', { as: 'too_many_websockets', times: 2 });
    await connectTo().start();
    await two();
    const [told, ...more] = log.messages();
    expect(told).to.contain('ten at most, two for each replica');
    expect(more, 'once').to.deep.equal([]);
  });

  it('does not wait for the hello of a connection that is one too many', async () => {
    slack.sockets.crowd(1);
    await connectTo().start();
    await two();
    expect(log.messages()[0]).to.contain('ten at most, two for each replica');
  });

  it('survives what Slack never sends', async () => {
    await connectTo().start();
    await two();
    for (const text of ['no json', '[]', 'null', '{}', '{"type":"events_api"}', '{"type":"hello","debug_info":7}']) {
      slack.sockets.raw(text);
    }
    slack.say('alice', 'ops', 'between us');
    await slack.settled();
    expect(taken).to.have.lengthOf(1);
    expect(sockets?.open()).to.equal(2);
  });

  it('closes both connections, and those that are being opened', async () => {
    await connectTo().start();
    await two();
    await sockets?.close();
    await eventually(() => slack.sockets.open === 0);
    expect(metrics.connections).to.equal(0);

    slack.fail('apps.connections.open', { as: 'hang' });
    const opening = connectTo().start();
    await eventually(() => opens() >= 3);
    const since = performance.now();
    await sockets?.close();
    await opening;
    expect(performance.now() - since).to.be.lessThan(1_000);
    slack.mend();
    expect(slack.sockets.open).to.equal(0);
  });
});
