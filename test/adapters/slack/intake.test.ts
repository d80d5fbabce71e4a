/** Stored, acknowledged, handled once. */

import { expect } from 'chai';
import { createBoltApp } from '../../../src/adapters/chat/slack/bolt.ts';
import { namesOf } from '../../../src/adapters/chat/slack/envelope.ts';
import { createIntake, type Intake, type IntakeOptions } from '../../../src/adapters/chat/slack/intake.ts';
import type { Envelope, Self } from '../../../src/adapters/chat/slack/ports.ts';
import { eventually } from '../../support/eventually.ts';
import { collectingLog } from '../../support/log.ts';
import { countedMetrics, memoryInbox } from '../../support/slack/client.ts';

const SELF: Self = {
  teamId: 'T1',
  teamName: 'Example',
  url: 'https://example.slack.com/',
  userId: 'UROBOT',
  botId: 'BROBOT',
  agent: true,
  postsAnywhere: true,
};

function message(ts: string, more: Record<string, unknown> = {}, eventId = `Ev${ts}`): Envelope {
  const event = { type: 'message', channel: 'C1', user: 'U1', ts, text: `text of ${ts}`, ...more };
  return { kind: 'event', via: 'socket', body: { type: 'event_callback', event_id: eventId, team_id: 'T1', event } };
}

function action(actionTs: string, via: Envelope['via'] = 'socket'): Envelope {
  const body = {
    type: 'block_actions',
    trigger_id: `t${actionTs}`,
    user: { id: 'U1', team_id: 'T1' },
    team: { id: 'T1' },
    container: { type: 'message', message_ts: '1.0', channel_id: 'C1' },
    channel: { id: 'C1' },
    actions: [{ type: 'button', action_id: 'ack', action_ts: actionTs, value: 'alerts ack 1' }],
  };
  return { kind: 'interactive', via, body };
}

function submission(trigger: string, via: Envelope['via'] = 'http'): Envelope {
  const body = {
    type: 'view_submission',
    trigger_id: trigger,
    user: { id: 'U1', team_id: 'T1' },
    team: { id: 'T1' },
    view: { id: 'V1', type: 'modal', callback_id: 'form', state: { values: {} } },
  };
  return { kind: 'interactive', via, body };
}

function command(trigger: string, via: Envelope['via'] = 'socket'): Envelope {
  const body = {
    command: '/shipmate',
    text: 'help',
    trigger_id: trigger,
    user_id: 'U1',
    team_id: 'T1',
    channel_id: 'C1',
  };
  return { kind: 'command', via, body };
}

function setUp(options: Partial<IntakeOptions> = {}) {
  const inbox = memoryInbox();
  const log = collectingLog();
  const metrics = countedMetrics();
  const begun: string[] = [];
  const handled: string[] = [];
  const gates: (() => void)[] = [];
  let gated = false;
  const app = {
    async processEvent({ body }: { body: Record<string, unknown> }) {
      const { event } = body;
      const ts = typeof event === 'object' && event !== null && 'ts' in event ? String(event.ts) : 'other';
      begun.push(ts);
      if (gated) await new Promise<void>((resolve) => gates.push(resolve));
      handled.push(ts);
    },
  };
  const intake = createIntake({
    chat: 'slack',
    inbox,
    app: () => app,
    log,
    metrics,
    newReference: () => 'ref1',
    retryMs: 5,
    ...options,
  });
  return {
    intake,
    inbox,
    log,
    metrics,
    begun,
    handled,
    hold: () => {
      gated = true;
    },
    release: () => {
      for (const gate of gates.splice(0)) gate();
    },
  };
}

const never = (): void => {
  throw new Error('it must not be acknowledged');
};

describe('Slack intake', () => {
  it('stores before it acknowledges, and handles afterwards', async () => {
    const { intake, inbox, handled } = setUp();
    const order: string[] = [];
    const save = inbox.save.bind(inbox);
    inbox.save = async (event) => {
      const saved = await save(event);
      order.push('saved');
      return saved;
    };
    expect(await intake.take(message('1.0'), () => void order.push('acknowledged'))).to.equal('accepted');
    expect(order).to.deep.equal(['saved', 'acknowledged']);
    expect(handled).to.deep.equal([]);
    intake.start();
    await intake.idle();
    expect(handled).to.deep.equal(['1.0']);
    expect(inbox.open.size).to.equal(0);
  });

  it('handles what is said in one channel in the order in which it was said, other channels meanwhile', async () => {
    const { intake, begun, handled, hold, release } = setUp({ turnMs: 60_000 });
    const elsewhere = message('2.0', { channel: 'C2' });
    const reaction = message('4.0', { type: 'reaction_added', channel: undefined, item: { channel: 'C1' } });
    for (const each of [message('1.0'), elsewhere, reaction, message('3.0')]) await intake.take(each, () => undefined);
    await intake.take(action('5.0'), () => undefined);
    hold();
    intake.start();
    expect(begun).to.deep.equal(['1.0', '2.0']);
    for (const count of [3, 4, 5]) {
      release();
      await eventually(() => begun.length === count);
    }
    release();
    await intake.idle();
    expect(handled).to.deep.equal(['1.0', '2.0', '3.0', '4.0', 'other']);
  });

  it('does not wait in a channel for what takes its time', async () => {
    const { intake, begun, handled, hold, release } = setUp({ turnMs: 20 });
    for (const ts of ['1.0', '2.0', '3.0']) await intake.take(message(ts), () => undefined);
    hold();
    intake.start();
    expect(begun).to.deep.equal(['1.0']);
    await eventually(() => begun.length === 3);
    expect(handled).to.deep.equal([]);
    release();
    await intake.idle();
    expect(handled).to.deep.equal(['1.0', '2.0', '3.0']);
  });

  it('leaves to the others what has not had its turn', async () => {
    const { intake, inbox, handled, hold, release } = setUp({ turnMs: 60_000 });
    for (const ts of ['1.0', '2.0']) await intake.take(message(ts), () => undefined);
    hold();
    intake.start();
    const closed = intake.close();
    release();
    await closed;
    expect(handled).to.deep.equal(['1.0']);
    expect(inbox.open.size).to.equal(1);
  });

  it('handles a post once that comes as message, as mention and again', async () => {
    const { intake, handled, metrics } = setUp();
    intake.start();
    let acks = 0;
    const ack = (): void => void acks++;
    await intake.take(message('1.0', {}, 'Ev1'), ack);
    await intake.take(message('1.0', { type: 'app_mention' }, 'Ev2'), ack);
    await intake.take(message('1.0', {}, 'Ev1'), ack);
    await intake.idle();
    expect(handled).to.deep.equal(['1.0']);
    expect(acks).to.equal(3);
    expect(metrics.of('accepted')).to.equal(1);
    expect(metrics.of('repeated')).to.equal(2);
  });

  it('handles what was acknowledged into a broken connection', async () => {
    const { intake, handled } = setUp();
    intake.start();
    const broken = (): void => {
      throw new Error('gone');
    };
    expect(await intake.take(message('1.0'), broken)).to.equal('accepted');
    expect(await intake.take(message('1.0'), () => undefined)).to.equal('repeated');
    await intake.idle();
    expect(handled).to.deep.equal(['1.0']);
  });

  it('begins in the order of arrival, a few at a time', async () => {
    const { intake, inbox, begun, hold, release } = setUp({ concurrency: 3 });
    hold();
    intake.start();
    const save = inbox.save.bind(inbox);
    let turn = 0;
    inbox.save = async (event) => {
      // The first ones take longest.
      for (let wait = 10 - turn++; wait > 0; wait--) await new Promise((resolve) => setImmediate(resolve));
      return await save(event);
    };
    const all = Array.from({ length: 10 }, (_, index) =>
      intake.take(message(`${index}.0`, { channel: `C${index}` }), () => undefined),
    );
    await Promise.all(all);
    expect(begun).to.deep.equal(['0.0', '1.0', '2.0']);
    for (let count = 3; count < 10; count += 3) {
      release();
      await eventually(
        () => begun.length,
        (length) => length >= Math.min(10, count + 3),
      );
    }
    release();
    await intake.idle();
    expect(begun).to.deep.equal(Array.from({ length: 10 }, (_, index) => `${index}.0`));
  });

  it('neither acknowledges nor loses an event while the database is away', async () => {
    const { intake, inbox, handled, metrics } = setUp();
    intake.start();
    inbox.away = true;
    expect(await intake.take(message('1.0'), never)).to.equal('unavailable');
    inbox.away = false;
    expect(await intake.take(message('1.0'), () => undefined)).to.equal('accepted');
    await intake.idle();
    expect(handled).to.deep.equal(['1.0']);
    expect(metrics.of('unavailable')).to.equal(1);
  });

  it('tells people that nothing was done while the database is away', async () => {
    const { intake, inbox } = setUp({ answerMs: 50 });
    intake.start();
    inbox.away = true;
    const answers: unknown[] = [];
    await intake.take(command('t1'), (answer) => void answers.push(answer));
    await intake.take(submission('t2'), (answer) => void answers.push(answer));
    expect(JSON.stringify(answers[0])).to.contain('ephemeral').and.to.contain('Nothing was done');
    expect(JSON.stringify(answers[1])).to.contain('response_action').and.to.contain('Nothing was done');
    // Slack itself says that a button did not work.
    expect(await intake.take(action('1.1'), never)).to.equal('unavailable');
  });

  it('does nothing with a press that was stored after the person heard that nothing is done', async () => {
    const { intake, inbox, handled } = setUp({ answerMs: 20 });
    intake.start();
    const save = inbox.save.bind(inbox);
    const late = Promise.withResolvers<void>();
    inbox.save = async (event) => {
      await late.promise;
      return await save(event);
    };
    expect(await intake.take(command('t1'), () => undefined)).to.equal('unavailable');
    late.resolve();
    await eventually(() => inbox.saves === 1 && inbox.open.size === 0);
    await intake.idle();
    expect(handled).to.deep.equal([]);
  });

  it('marks an event that was handled while the database went away', async () => {
    const { intake, inbox, hold, release, handled } = setUp();
    hold();
    intake.start();
    await intake.take(message('1.0'), () => undefined);
    inbox.away = true;
    release();
    await eventually(() => handled.length === 1);
    expect(inbox.open.size).to.equal(1);
    inbox.away = false;
    await intake.idle();
    expect(inbox.open.size).to.equal(0);
  });

  it('marks an event whose listener failed, and tells of it without its text', async () => {
    const failing = { processEvent: async () => await Promise.reject(new Error('broken listener')) };
    const { intake, inbox, log } = setUp({ app: () => failing });
    intake.start();
    await intake.take(message('1.0'), () => undefined);
    await intake.idle();
    expect(inbox.open.size).to.equal(0);
    expect(log.lines.find(({ message: text }) => text === 'Slack event failed')?.fields).to.include({
      reference: 'ref1',
    });
    expect(JSON.stringify(log.lines)).to.not.contain('text of 1.0');
  });

  it('takes over what another replica has left', async () => {
    const { intake, inbox, handled } = setUp();
    intake.resume([{ id: 7, chat: 'slack', kind: 'event', body: message('1.0').body }]);
    intake.start();
    await intake.idle();
    expect(handled).to.deep.equal(['1.0']);
    expect(inbox.open.size).to.equal(0);
  });

  it('acknowledges what is nothing of Slack’s, so that it does not come again', async () => {
    const { intake, inbox, metrics } = setUp();
    let acks = 0;
    for (const body of [{}, { type: 'event_callback' }, { event_id: 'Ev1', event: 'x' }]) {
      expect(await intake.take({ kind: 'event', body, via: 'socket' }, () => void acks++)).to.equal('malformed');
    }
    expect(await intake.take({ kind: 'interactive', body: {}, via: 'socket' }, () => void acks++)).to.equal(
      'malformed',
    );
    expect(acks).to.equal(4);
    expect(inbox.saves).to.equal(0);
    expect(metrics.of('malformed')).to.equal(4);
  });

  it('does not store what the robot did itself, which no listener hears of', async () => {
    const { intake, inbox, metrics } = setUp({ self: () => SELF });
    let acks = 0;
    const joined = { type: 'member_joined_channel', user: SELF.userId, ts: undefined };
    for (const own of [
      message('1.0', { user: SELF.userId }),
      message('2.0', { user: undefined, subtype: 'bot_message', bot_id: SELF.botId }),
      message('3.0', { type: 'reaction_added', user: SELF.userId }),
    ]) {
      expect(await intake.take(own, () => void acks++)).to.equal('own');
    }
    expect(await intake.take(message('4.0', joined), () => void acks++)).to.equal('accepted');
    expect(await intake.take(message('5.0', { bot_id: 'BOTHER' }), () => void acks++)).to.equal('accepted');
    expect(acks).to.equal(5);
    expect(inbox.saves).to.equal(2);
    expect(metrics.of('own')).to.equal(3);
  });

  it('tells that Slack holds events back', async () => {
    const { intake, log } = setUp();
    const body = { type: 'app_rate_limited', minute_rate_limited: 1_518_467_820 };
    let acks = 0;
    await intake.take({ kind: 'event', body, via: 'socket' }, () => void acks++);
    expect(acks).to.equal(1);
    expect(log.messages()).to.deep.equal(['Slack holds events back: there are too many']);
  });

  it('refuses what came twice by HTTP and is never sent twice', async () => {
    const { intake } = setUp();
    intake.start();
    for (const make of [() => command('t1', 'http'), () => action('1.1', 'http'), () => submission('t2', 'http')]) {
      expect(await intake.take(make(), () => undefined)).to.be.oneOf(['accepted', 'answered']);
      expect(await intake.take(make(), never)).to.equal('replayed');
    }
    await intake.idle();
  });

  it('takes nothing when it is closed, and waits for what is under way', async () => {
    const { intake, handled, hold, release } = setUp();
    hold();
    intake.start();
    await intake.take(message('1.0'), () => undefined);
    let closed = false;
    const closing = (async () => {
      await intake.close();
      closed = true;
    })();
    expect(await intake.take(message('2.0'), never)).to.equal('unavailable');
    expect(closed).to.equal(false);
    release();
    await closing;
    expect(handled).to.deep.equal(['1.0']);
  });

  describe('with Bolt', () => {
    async function withBolt(options: Partial<IntakeOptions> = {}) {
      const log = collectingLog();
      const revoked: string[] = [];
      const app = await createBoltApp({
        workspace: { chat: 'slack', botToken: 'xoxb-1' },
        self: () => SELF,
        api: { revoked: (code) => void revoked.push(code) },
        log,
        newReference: () => 'ref2',
      });
      const parts = setUp({ app: () => app, ...options });
      parts.intake.start();
      return { ...parts, app, boltLog: log, revoked };
    }

    async function answerOf(intake: Intake, envelope: Envelope): Promise<unknown> {
      const given = Promise.withResolvers<unknown>();
      expect(await intake.take(envelope, (answer) => given.resolve(answer))).to.equal('answered');
      return await given.promise;
    }

    it('reaches the listeners, without those of the robot’s own messages', async () => {
      const { app, intake } = await withBolt();
      const heard: string[] = [];
      app.message(async ({ message: said }) => void heard.push(said.ts));
      app.action('ack', async ({ action: pressed }) => void heard.push(pressed.type));
      app.command('/shipmate', async ({ command: { text } }) => void heard.push(text));
      await intake.take(message('1.0'), () => undefined);
      await intake.take(message('2.0', { user: SELF.userId }), () => undefined);
      await intake.take(message('3.0', { subtype: 'bot_message', bot_id: SELF.botId }), () => undefined);
      await intake.take(action('1.1'), () => undefined);
      await intake.take(command('t1'), () => undefined);
      await intake.idle();
      expect(heard).to.have.members(['1.0', 'button', 'help']);
    });

    it('answers a form and a list at once with what the listener says', async () => {
      const { app, intake, inbox } = await withBolt();
      app.view('form', async ({ ack }) => {
        await ack({ response_action: 'errors', errors: { service: 'There is no such service.' } });
      });
      app.options('service', async ({ ack }) => {
        await ack({ options: [{ text: { type: 'plain_text', text: 'api' }, value: 'api' }] });
      });
      expect(await answerOf(intake, submission('t1'))).to.deep.include({ response_action: 'errors' });
      const list: Envelope = {
        kind: 'interactive',
        via: 'socket',
        body: {
          type: 'block_suggestion',
          action_id: 'service',
          block_id: 'b',
          value: 'a',
          user: { id: 'U1', team_id: 'T1' },
          team: { id: 'T1' },
        },
      };
      expect(await answerOf(intake, list)).to.have.property('options');
      await intake.idle();
      expect(inbox.open.size).to.equal(0);
    });

    it('answers a form in time whose listener is slow or says nothing', async () => {
      const { app, intake } = await withBolt({ answerMs: 30 });
      const slow = Promise.withResolvers<void>();
      app.view('form', async () => await slow.promise);
      expect(await answerOf(intake, submission('t1'))).to.equal(undefined);
      slow.resolve();
      expect(await answerOf(intake, submission('t2'))).to.equal(undefined);
      await intake.idle();
    });

    it('tells of a listener that fails with a reference and without a body', async () => {
      const { app, intake, boltLog, inbox } = await withBolt();
      app.message(async () => {
        throw new Error('broken listener');
      });
      await intake.take(message('1.0'), () => undefined);
      await intake.idle();
      expect(inbox.open.size).to.equal(0);
      expect(boltLog.messages()).to.deep.equal(['Slack event failed']);
      expect(boltLog.lines[0]?.fields).to.include({ reference: 'ref2' });
      expect(JSON.stringify(boltLog.lines)).to.not.contain('text of 1.0');
    });

    it('knows from an event that the token is worth nothing any more', async () => {
      const { intake, revoked } = await withBolt();
      for (const event of [
        { type: 'tokens_revoked', tokens: { oauth: ['U1'], bot: [] } },
        { type: 'tokens_revoked', tokens: { bot: ['UROBOT'] } },
        { type: 'app_uninstalled' },
      ]) {
        for (const team_id of ['TELSEWHERE', 'T1']) {
          const body = { type: 'event_callback', event_id: team_id + JSON.stringify(event), team_id, event };
          await intake.take({ kind: 'event', body, via: 'socket' }, () => undefined);
        }
      }
      await intake.idle();
      expect(revoked).to.deep.equal(['token_revoked', 'app_uninstalled']);
    });
  });

  describe('names', () => {
    it('tell edits, deletions and presses apart', () => {
      const changed = { subtype: 'message_changed', message: { ts: '1.0', edited: { ts: '9.0' } } };
      expect(namesOf(message('2.0', changed))).to.deep.equal(['event:Ev2.0', 'edit:C1:1.0:2.0']);
      expect(namesOf(message('3.0', { subtype: 'message_deleted', deleted_ts: '1.0' }))).to.include('delete:C1:1.0');
      expect(namesOf(message('4.0', { subtype: 'file_share' }))).to.include('message:C1:4.0');
      expect(namesOf(action('5.0'))).to.deep.equal(['action:1.0:U1:5.0:ack']);
      expect(namesOf(command('t1'))).to.deep.equal(['command:t1']);
      expect(namesOf(submission('t2'))).to.deep.equal(['view-submission:t2']);
    });

    it('of events that came without an id are their subject and their words', () => {
      const { event } = message('2.0').body;
      const names = namesOf({ kind: 'event', body: { type: 'event_callback', event } });
      expect(names).to.have.length(2).and.to.include('message:C1:2.0');
      expect(names).to.deep.equal(namesOf({ kind: 'event', body: { type: 'event_callback', event } }));
      const other = namesOf({ kind: 'event', body: { type: 'event_callback', event: { type: 'team_rename' } } });
      expect(other).to.have.length(1).and.to.not.include(names[0]);
    });

    it('of other events are the event’s own', () => {
      const event = { type: 'reaction_added', item: { type: 'message', channel: 'C1', ts: '1.0' } };
      expect(namesOf({ kind: 'event', body: { event_id: 'Ev1', event } })).to.deep.equal(['event:Ev1']);
    });
  });
});
