/** Limits, troubles and the end of a token, with the official client against the fake Slack. */

import { createServer } from 'node:http';
import { expect } from 'chai';
import pino from 'pino';
import { createSlackApi } from '../../../src/adapters/chat/slack/api.ts';
import { createLimits, createTurns } from '../../../src/adapters/chat/slack/limits.ts';
import { findPosted, recognisable } from '../../../src/adapters/chat/slack/posted.ts';
import { bare, slackCode } from '../../../src/adapters/chat/slack/refusal.ts';
import { DeliveryDelayed, DeliveryRefused } from '../../../src/bot/chat.ts';
import { failure } from '../../support/failure.ts';
import { apiOf } from '../../support/slack/client.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';

describe('Slack Web API', () => {
  let slack: SlackServer;
  let ops: string;

  beforeEach(async () => {
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    ops = slack.addChannel({ name: 'ops', members: ['alice'] }).id;
  });
  afterEach(async () => {
    await slack.close();
  });

  const posts = () => slack.calls.filter(({ method }) => method === 'chat.postMessage').length;

  async function delayed(work: Promise<unknown>): Promise<DeliveryDelayed> {
    const error = await failure(work);
    if (error instanceof DeliveryDelayed) return error;
    throw error;
  }

  async function refused(work: Promise<unknown>): Promise<string> {
    const error = await failure(work);
    if (error instanceof DeliveryRefused) return error.message;
    throw error;
  }

  describe('deliveries', () => {
    it('fail without what something in between repeats of the request', async () => {
      // As the page of a proxy that shows what it has refused.
      const echo = createServer((request, response) => {
        response.writeHead(403, { 'X-Was': request.headers.authorization ?? '' });
        request.on('data', (chunk) => response.write(chunk)).on('end', () => response.end());
      });
      await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
      const address = echo.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      const lines: string[] = [];
      const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
      const workspace = { chat: 'slack', botToken: slack.botToken, apiUrl: `http://127.0.0.1:${port}/api/` };
      const api = createSlackApi({ workspace, robotName: 'shipmate', log, metrics: { limited: () => undefined } });
      const error = await failure(api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'between us' })));
      log.error({ err: error }, 'post given up');
      echo.close();
      expect(lines.join('')).to.contain('403').and.not.contain('between').and.not.contain(slack.botToken);
    });

    it('wait as long as Slack asks, without another call', async () => {
      const { api, metrics } = apiOf(slack);
      slack.fail('chat.postMessage', { as: 429, retryAfter: 7 });
      const post = () => api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'hello' }));
      const first = await delayed(post());
      expect(first).to.include({ notSent: true, retryAfterMs: 7_000 });
      const second = await delayed(post());
      expect(second.notSent).to.equal(true);
      expect(second.retryAfterMs).to.be.within(6_000, 7_000);
      expect(posts()).to.equal(1);
      expect(metrics.limits).to.deep.equal(['chat.postMessage']);
    });

    it('go on in other channels while one is limited', async () => {
      const { api } = apiOf(slack);
      const dev = slack.addChannel({ name: 'dev' }).id;
      slack.fail('chat.postMessage', { as: 429, retryAfter: 7 });
      await delayed(api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'hello' })));
      await api.delivering((web) => web.chat.postMessage({ channel: dev, text: 'hello' }));
      expect(slack.posts('dev')).to.have.lengthOf(1);
    });

    it('do not call it unsent when a part of them is in the chat', async () => {
      const { api } = apiOf(slack);
      slack.fail('chat.update', { as: 429, retryAfter: 3 });
      const error = await delayed(
        api.delivering(async (web) => {
          const { ts } = await web.chat.postMessage({ channel: ops, text: 'one' });
          await web.chat.update({ channel: ops, ts: ts ?? '', text: 'two' });
        }),
      );
      expect(error).to.include({ notSent: false, retryAfterMs: 3_000 });
    });

    for (const code of ['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout']) {
      it(`are tried later after ${code}`, async () => {
        const { api } = apiOf(slack);
        slack.fail('chat.postMessage', { as: code });
        const error = await delayed(api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'hello' })));
        expect(error.retryAfterMs).to.equal(undefined);
        expect(error.notSent).to.equal(false);
      });
    }

    for (const as of [500, 503, 'cut before', 'cut after'] as const) {
      it(`are uncertain after ${as}`, async () => {
        const { api } = apiOf(slack);
        slack.fail('chat.postMessage', { as });
        const error = await delayed(api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'hello' })));
        expect(error.notSent).to.equal(false);
        expect(posts()).to.equal(1);
      });
    }

    it('are uncertain when no answer comes', async () => {
      const { api } = apiOf(slack, { timeoutMs: 150 });
      slack.fail('chat.postMessage', { as: 'hang' });
      const error = await delayed(api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'hello' })));
      expect(error.message).to.contain('timeout');
      expect(error.notSent).to.equal(false);
    });

    it('are surely not sent when nobody answers at that address', async () => {
      const { api } = apiOf(slack);
      await slack.goDown();
      const error = await delayed(api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'hello' })));
      expect(error.notSent).to.equal(true);
    });

    it('say what to do when the robot is not in the channel', async () => {
      const { api } = apiOf(slack);
      const closed = slack.addChannel({ name: 'closed', bot: false, kind: 'private' }).id;
      const text = await refused(api.delivering((web) => web.chat.postMessage({ channel: closed, text: 'hello' })));
      expect(text).to.contain('/invite @shipmate');
    });

    for (const [code, hint] of [
      ['is_archived', 'archived'],
      ['msg_too_long', 'longer'],
      ['restricted_action', 'administrator'],
      ['missing_scope', 'OAuth & Permissions'],
      ['user_not_in_channel', 'not in the channel'],
      ['no_permission', 'administrator'],
      ['invalid_blocks', 'invalid_blocks'],
    ] as const) {
      it(`are given up after ${code}`, async () => {
        const { api } = apiOf(slack);
        slack.fail('chat.postMessage', { as: code });
        expect(
          await refused(api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'hello' }))),
        ).to.contain(hint);
      });
    }

    it('leave an error that nobody knows as it is', async () => {
      const { api } = apiOf(slack);
      slack.fail('chat.postMessage', { as: 'quite_new_error' });
      const error = await failure(api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'hello' })));
      expect(slackCode(error)).to.equal('quite_new_error');
    });

    it('keep what is in a body out of errors that are logged', async () => {
      const { api } = apiOf(slack);
      slack.fail('chat.postMessage', { as: 500 });
      const error = await failure(api.web.chat.postMessage({ channel: ops, text: 'hello' }));
      expect(bare(error)).to.not.have.any.keys('body', 'headers', 'data');
    });
  });

  describe('reads', () => {
    it('wait for the time that Slack asks for, and go on', async () => {
      const { api, metrics } = apiOf(slack);
      slack.fail('conversations.info', { as: 429, retryAfter: 1 });
      const since = performance.now();
      const { channel } = await api.web.conversations.info({ channel: ops });
      expect(channel?.name).to.equal('ops');
      expect(performance.now() - since).to.be.greaterThan(900);
      expect(metrics.limits).to.deep.equal(['conversations.info']);
    });

    it('do not wait longer than somebody would', async () => {
      const { api } = apiOf(slack, { patienceMs: 500 });
      slack.fail('conversations.info', { as: 429, retryAfter: 60 });
      const since = performance.now();
      await failure(api.web.conversations.info({ channel: ops }));
      expect(performance.now() - since).to.be.lessThan(400);
    });

    it('are tried again when the network or Slack fails', async () => {
      const { api } = apiOf(slack);
      slack.fail('users.info', { as: 'cut before' });
      slack.fail('users.info', { as: 500 });
      slack.fail('users.info', { as: 'internal_error' });
      const { user } = await api.web.users.info({ user: slack.person('alice').id });
      expect(user?.name).to.equal('alice');
      expect(slack.calls.filter(({ method }) => method === 'users.info')).to.have.lengthOf(4);
    });

    it('do not repeat what would happen twice', async () => {
      const { api } = apiOf(slack);
      slack.fail('chat.postMessage', { as: 'cut after' });
      await failure(api.web.chat.postMessage({ channel: ops, text: 'hello' }));
      expect(slack.posts('ops')).to.have.lengthOf(1);
    });
  });

  describe('a token that Slack refuses', () => {
    it('is told once, keeps deliveries waiting and is not tried all the time', async () => {
      let now = 0;
      const { api, log } = apiOf(slack, { clock: () => now });
      const told: (string | undefined)[] = [];
      api.onRevoked((problem) => told.push(problem));
      slack.fail('chat.postMessage', { as: 'token_revoked', times: 1 });
      const post = () => api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'hello' }));
      const first = await delayed(post());
      expect(first.notSent).to.equal(true);
      await delayed(post());
      const held = await failure(api.web.auth.test());
      expect(slackCode(held)).to.equal('token_revoked');
      expect(posts()).to.equal(1);
      expect(told).to.have.lengthOf(1);
      expect(told[0]).to.contain('SLACK_BOT_TOKEN');
      expect(log.messages().filter((line) => line === 'Slack refuses the token')).to.have.lengthOf(1);

      now = 61_000;
      await post();
      expect(slack.posts('ops')).to.have.lengthOf(1);
      expect(log.messages(true)).to.include('Slack takes the token again');
      expect(told.at(-1)).to.equal(undefined);
      await post();
      expect(slack.posts('ops')).to.have.lengthOf(2);
    });

    it('is told of by an event as well, and to who asks later', () => {
      const { api } = apiOf(slack, { workspace: { chat: 'slack-emea', botToken: 'xoxb-1' } });
      const told: (string | undefined)[] = [];
      api.revoked('app_uninstalled');
      api.onRevoked((problem) => told.push(problem));
      expect(told[0]).to.contain('SLACK_EMEA_BOT_TOKEN');
      expect(told[0]).to.contain('app_uninstalled');
    });
  });

  it('tells of no token and no body, whatever happens', async () => {
    const { api, log } = apiOf(slack, { timeoutMs: 150, patienceMs: 300 });
    for (const as of ['hang', 500, 'invalid_blocks', 'token_revoked', 429] as const) {
      slack.fail('chat.postMessage', { as });
      await failure(api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'a secret of ours' })));
    }
    const told = JSON.stringify(log.lines);
    expect(told).to.not.contain(slack.botToken);
    expect(told).to.not.contain('a secret of ours');
  });

  describe('turns', () => {
    it('come once a second in each channel', async () => {
      let now = 0;
      const { api } = apiOf(slack, { clock: () => now });
      api.turn('C1');
      api.turn('C2');
      const error = await delayed(Promise.resolve().then(() => api.turn('C1')));
      expect(error.notSent).to.equal(true);
      expect(error.retryAfterMs).to.be.within(1_000, 1_100);
      now += error.retryAfterMs ?? 0;
      api.turn('C1');
    });

    it('are forgotten when they are over', () => {
      let now = 0;
      const turns = createTurns(() => now);
      for (let index = 0; index < 5_000; index++) {
        now += 1;
        expect(turns.take(`C${index}`)).to.equal(0);
      }
      expect(turns.size()).to.be.lessThan(1_100);
    });
  });

  it('takes two limited channels for a limit of the workspace', () => {
    let now = 0;
    const limits = createLimits(() => now);
    limits.told('chat.postMessage', 'C1', 5_000);
    expect(limits.waitMs('chat.postMessage', 'C3')).to.equal(0);
    now = 1_000;
    limits.told('chat.postMessage', 'C2', 5_000);
    expect(limits.waitMs('chat.postMessage', 'C3')).to.equal(5_000);
    expect(limits.waitMs('users.info', undefined)).to.equal(0);
    now = 6_000;
    expect(limits.waitMs('chat.postMessage', 'C1')).to.equal(0);
    limits.told('users.info', undefined, 1_000);
    expect(limits.waitMs('users.info', undefined)).to.equal(1_000);
  });

  describe('a post whose answer was lost', () => {
    it('is found in the channel, and not in another one', async () => {
      const { api } = apiOf(slack);
      const dev = slack.addChannel({ name: 'dev' }).id;
      slack.fail('chat.postMessage', { as: 'cut after' });
      await delayed(
        api.delivering((web) => web.chat.postMessage({ channel: ops, text: 'hello', ...recognisable('n1') })),
      );
      slack.say('alice', 'ops', 'something else');
      const [posted] = slack.posts('ops');
      expect(await findPosted(api.web, ops, undefined, 'n1')).to.equal(posted?.ts);
      expect(await findPosted(api.web, ops, undefined, 'n2')).to.equal(undefined);
      expect(await findPosted(api.web, dev, undefined, 'n1')).to.equal(undefined);
    });

    it('is found in its thread', async () => {
      const { api } = apiOf(slack);
      const { ts: thread } = slack.say('alice', 'ops', 'a question');
      for (const nonce of ['n1', 'n2']) {
        await api.web.chat.postMessage({ channel: ops, text: 'hello', thread_ts: thread, ...recognisable(nonce) });
      }
      const posted = slack.posts('ops').at(-1);
      expect(await findPosted(api.web, ops, thread, 'n2')).to.equal(posted?.ts);
      expect(await findPosted(api.web, ops, thread, 'n3')).to.equal(undefined);
    });

    it('is looked for on several pages', async () => {
      const { api } = apiOf(slack);
      await api.web.chat.postMessage({ channel: ops, text: 'hello', ...recognisable('n1') });
      const [posted] = slack.posts('ops');
      for (let index = 0; index < 130; index++) slack.say('alice', 'ops', `message ${index}`);
      expect(await findPosted(api.web, ops, undefined, 'n1')).to.equal(posted?.ts);
    });

    it('has an id that is a UUID and the same for the same nonce', () => {
      const idOf = (nonce: string) => recognisable(nonce).client_msg_id;
      const id = idOf('anything');
      expect(id).to.match(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
      expect(idOf('anything')).to.equal(id);
      expect(idOf('other')).to.not.equal(id);
      const uuid = '0d7f4a4e-6c1b-4f5e-9a54-8f6f3c1e2b1a';
      expect(idOf(uuid)).to.equal(uuid);
    });
  });
});
