/** The server that plays Slack, Web API: driven by the official client as it is. */

import {
  type UsersListResponse,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
} from '@slack/web-api';
import { expect } from 'chai';
import { quietLogger } from '../../../src/adapters/chat/slack/quiet.ts';
import { eventually } from '../../support/eventually.ts';
import { failure } from '../../support/failure.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';

/** The code that Slack refused with. */
async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await failure(call);
  if (error instanceof WebAPIPlatformError) return error.data.error;
  throw error;
}

function button(text: string, actionId: string) {
  return { type: 'button' as const, text: { type: 'plain_text' as const, text }, action_id: actionId };
}

describe('Slack test server: Web API', () => {
  let slack: SlackServer;
  let web: WebClient;
  let ops: string;
  let problemsWanted: boolean;

  beforeEach(async () => {
    slack = await startSlack();
    slack.addPerson({ name: 'alice' });
    slack.addPerson({ name: 'bob', kind: 'admin' });
    ops = slack.addChannel({ name: 'ops', members: ['alice', 'bob'], topic: 'Operations' }).id;
    web = client();
    problemsWanted = false;
  });

  afterEach(async () => {
    await slack.close();
    if (!problemsWanted) slack.assertNoProblems();
  });

  function client(token: string = slack.botToken, retries = 0): WebClient {
    return new WebClient(token, {
      slackApiUrl: slack.apiUrl,
      logger: quietLogger(),
      retryConfig: { retries, minTimeout: 10, maxTimeout: 20 },
    });
  }

  describe('who calls', () => {
    it('tells the bot who it is', async () => {
      const told = await web.auth.test();
      expect(told).to.include({ team: 'Example', user: 'shipmate', user_id: slack.bot.id, bot_id: slack.bot.botId });
      expect(told.url).to.equal('https://example.slack.com/');
      expect(told.response_metadata?.scopes).to.include('chat:write');
      expect((await web.bots.info({ bot: slack.bot.botId ?? '' })).bot?.user_id).to.equal(slack.bot.id);
      expect((await client('xoxb-none').api.test()).ok).to.equal(true);
    });

    it('refuses wrong tokens and tokens of the wrong kind', async () => {
      expect(await refusal(client('xoxb-none').auth.test())).to.equal('invalid_auth');
      expect(
        await refusal(new WebClient(undefined, { slackApiUrl: slack.apiUrl, logger: quietLogger() }).auth.test()),
      ).to.equal('not_authed');
      expect(await refusal(web.apps.connections.open({}))).to.equal('not_allowed_token_type');
      expect(await refusal(client(slack.appToken).auth.test())).to.equal('not_allowed_token_type');
      expect((await client(slack.appToken).apps.connections.open({})).url).to.match(
        /^ws:\/\/127\.0\.0\.1:\d+\/link\/\?ticket=/,
      );
    });

    it('answers every call with what was done to the tokens', async () => {
      slack.revokeTokens();
      expect(await refusal(web.auth.test())).to.equal('token_revoked');
      expect(await refusal(client(slack.appToken).apps.connections.open({}))).to.equal('token_revoked');
    });
  });

  describe('messages', () => {
    it('posts, updates and deletes', async () => {
      const posted = await web.chat.postMessage({
        channel: ops,
        text: 'deploying a & b',
        mrkdwn: true,
        unfurl_links: false,
        unfurl_media: false,
      });
      expect(posted.message).to.include({
        text: 'deploying a &amp; b',
        user: slack.bot.id,
        bot_id: slack.bot.botId,
        type: 'message',
      });
      const waiting = slack.message('ops', (one) => one.text === 'deployed');
      await web.chat.update({ channel: ops, ts: posted.ts ?? '', text: 'deployed', blocks: [{ type: 'divider' }] });
      expect(await waiting).to.include({ ts: posted.ts, revision: 2 });
      const permalink = await web.chat.getPermalink({ channel: ops, message_ts: posted.ts ?? '' });
      expect(permalink.permalink).to.equal(`https://example.slack.com/archives/${ops}/p${posted.ts?.replace('.', '')}`);
      await web.chat.delete({ channel: ops, ts: posted.ts ?? '' });
      expect(slack.posts('ops')).to.deep.equal([]);
      expect(await refusal(web.chat.update({ channel: ops, ts: posted.ts ?? '', text: 'x' }))).to.equal(
        'message_not_found',
      );
    });

    it('keeps threads, also if a reply is answered', async () => {
      const asked = slack.say('alice', 'ops', 'how?');
      const first = await web.chat.postMessage({ channel: ops, text: 'so', thread_ts: asked.ts });
      await web.chat.postMessage({ channel: ops, text: 'and so', thread_ts: first.ts ?? '' });
      const thread = await web.conversations.replies({ channel: ops, ts: asked.ts });
      expect(thread.messages?.map((one) => one.text)).to.deep.equal(['how?', 'so', 'and so']);
      expect(thread.messages?.[0]).to.include({ reply_count: 2, thread_ts: asked.ts });
      expect((await web.conversations.history({ channel: ops })).messages?.map((one) => one.text)).to.deep.equal([
        'how?',
      ]);
    });

    it('takes the same client_msg_id once', async () => {
      const same = { channel: ops, text: 'once', client_msg_id: '7c0b4a4e-9a3f-4c2e-8a31-0123456789ab' };
      const first = await web.apiCall('chat.postMessage', same);
      const second = await web.apiCall('chat.postMessage', same);
      expect(second).to.have.property('ts', slack.posts('ops')[0]?.ts);
      expect(first).to.have.property('ts', slack.posts('ops')[0]?.ts);
      expect(slack.posts('ops')).to.have.length(1);
      const other = slack.addChannel({ name: 'other' });
      expect(await refusal(web.apiCall('chat.postMessage', { ...same, channel: other.id }))).to.equal(
        'duplicate_channel_not_found',
      );
    });

    it('lets role bots have a name and an icon', async () => {
      await web.chat.postMessage({ channel: ops, text: 'x', username: 'deployer', icon_emoji: ':rocket:' });
      expect(slack.posts('ops')[0]).to.include({ username: 'deployer', iconEmoji: ':rocket:', subtype: 'bot_message' });
    });

    it('posts to one person only', async () => {
      const alice = slack.person('alice').id;
      await web.chat.postEphemeral({ channel: ops, user: alice, text: 'psst' });
      expect(await slack.ephemeral('alice')).to.include({ text: 'psst', by: 'call' });
      const stranger = slack.addPerson({ name: 'carol' });
      expect(await refusal(web.chat.postEphemeral({ channel: ops, user: stranger.id, text: 'x' }))).to.equal(
        'user_not_in_channel',
      );
    });

    it('refuses as documented', async () => {
      const secret = slack.addChannel({ name: 'secret', kind: 'private', bot: false });
      const old = slack.addChannel({ name: 'old', archived: true });
      const far = slack.addChannel({ name: 'far', bot: false });
      const post = (channel: string) => refusal(web.chat.postMessage({ channel, text: 'x' }));
      expect(await post('C0NOWHERE')).to.equal('channel_not_found');
      expect(await post(secret.id)).to.equal('channel_not_found');
      expect(await post(old.id)).to.equal('is_archived');
      expect(await post(far.id)).to.equal('not_in_channel');
      expect(await post(slack.bot.id)).to.equal('cannot_dm_bot');
      expect(await refusal(web.chat.postMessage({ channel: ops, text: '' }))).to.equal('no_text');
      const said = slack.say('alice', 'ops', 'mine');
      expect(await refusal(web.chat.update({ channel: ops, ts: said.ts, text: 'x' }))).to.equal('cant_update_message');
      expect(await refusal(web.chat.delete({ channel: ops, ts: said.ts }))).to.equal('cant_delete_message');
    });

    it('knows how much fits', async () => {
      problemsWanted = true;
      expect((await web.chat.postMessage({ channel: ops, text: 'x'.repeat(40_000) })).ok).to.equal(true);
      expect(await refusal(web.chat.postMessage({ channel: ops, text: 'x'.repeat(40_001) }))).to.equal('msg_too_long');
      const { ts = '' } = slack.posts('ops')[0] ?? {};
      expect(await refusal(web.chat.update({ channel: ops, ts, text: 'x'.repeat(4001) }))).to.equal('msg_too_long');
      const blocks = Array.from({ length: 51 }, () => ({ type: 'divider' as const }));
      const error = await failure(web.chat.postMessage({ channel: ops, text: 'x', blocks }));
      expect(error).to.be.instanceOf(WebAPIPlatformError);
      expect(slack.forgetProblems()).to.have.length(3);
    });
  });

  describe('streams', () => {
    it('streams into a thread with the official streamer', async () => {
      const asked = slack.say('alice', 'ops', 'why?', { mention: true });
      const streamer = web.chatStream({
        channel: ops,
        thread_ts: asked.ts,
        recipient_team_id: slack.workspace.teamId,
        recipient_user_id: slack.person('alice').id,
        buffer_size: 1,
      });
      await streamer.append({ markdown_text: '**Because** ' });
      await streamer.append({ markdown_text: 'of the disk.' });
      const id = streamer.ts ?? '';
      expect(await refusal(web.chat.update({ channel: ops, ts: id, text: 'x' }))).to.equal('streaming_state_conflict');
      await streamer.stop({ blocks: [{ type: 'context', elements: [{ type: 'mrkdwn', text: 'done' }] }] });
      const message = await slack.message('ops', (one) => one.streaming === 'ended');
      expect(message).to.include({ text: '**Because** of the disk.', threadTs: asked.ts });
      expect(message.blocks.map((one) => one.type)).to.deep.equal(['context']);
    });

    it('ends a stream by itself after some minutes, and then takes edits', async () => {
      const alice = slack.dm('alice').id;
      const asked = slack.tell('alice', 'why?');
      const started = await web.chat.startStream({ channel: alice, thread_ts: asked.ts, markdown_text: 'a' });
      const ts = started.ts ?? '';
      await web.chat.appendStream({ channel: alice, ts, markdown_text: 'b' });
      slack.advance(6 * 60_000);
      expect(await refusal(web.chat.appendStream({ channel: alice, ts, markdown_text: 'c' }))).to.equal(
        'message_not_in_streaming_state',
      );
      await web.chat.update({ channel: alice, ts, text: 'abc' });
      expect((await slack.message(alice)).text).to.equal('abc');
      expect(await refusal(web.chat.startStream({ channel: ops, thread_ts: asked.ts }))).to.equal(
        'missing_recipient_user_id',
      );
    });
  });

  it('lets a user stop a stream', async () => {
    const alice = slack.dm('alice').id;
    const asked = slack.tell('alice', 'why?');
    const { ts = '' } = await web.chat.startStream({ channel: alice, thread_ts: asked.ts, markdown_text: 'a' });
    slack.stopStream('alice', await slack.message(alice));
    expect(await refusal(web.chat.appendStream({ channel: alice, ts, markdown_text: 'b' }))).to.equal(
      'stopped_by_user',
    );
  });

  describe('people, channels, groups', () => {
    it('lists people page by page, and says what kind they are', async () => {
      slack.addPerson({ name: 'gus', kind: 'guest' });
      slack.addPerson({ name: 'sam', kind: 'single-channel guest' });
      slack.addPerson({ name: 'dora', deleted: true });
      const eve = slack.addPerson({ name: 'eve', kind: 'stranger' });
      const names: (string | undefined)[] = [];
      let cursor: string | undefined = '';
      while (cursor !== undefined) {
        const page: UsersListResponse = await web.users.list({ limit: 2, cursor });
        names.push(...(page.members ?? []).map((one) => one.name));
        cursor = page.response_metadata?.next_cursor || undefined;
      }
      expect(names).to.deep.equal(['shipmate', 'alice', 'bob', 'gus', 'sam', 'dora']);
      const info = async (name: string) => (await web.users.info({ user: slack.person(name).id })).user;
      expect(await info('alice')).to.include({ is_admin: false, is_restricted: false, tz: 'Europe/Amsterdam' });
      expect((await info('alice'))?.profile).to.include({ email: 'alice@example.com', display_name: 'alice' });
      expect(await info('bob')).to.include({ is_admin: true });
      expect(await info('gus')).to.include({ is_restricted: true, is_ultra_restricted: false });
      expect(await info('sam')).to.include({ is_restricted: true, is_ultra_restricted: true });
      expect(await info('dora')).to.include({ deleted: true });
      expect(await info('eve')).to.include({ is_stranger: true, team_id: eve.team });
      expect((await info('eve'))?.profile?.email).to.equal(undefined);
      expect((await web.users.lookupByEmail({ email: 'Alice@Example.com' })).user?.name).to.equal('alice');
      expect(await refusal(web.users.lookupByEmail({ email: 'dora@example.com' }))).to.equal('users_not_found');
      expect(await refusal(web.users.info({ user: 'U0NOBODY' }))).to.equal('user_not_found');
      expect(await refusal(web.users.list({ cursor: 'x' }))).to.equal('invalid_cursor');
    });

    it('lists channels by kind, and opens conversations', async () => {
      slack.addChannel({ name: 'secret', kind: 'private', members: ['alice'] });
      slack.addChannel({ name: 'hidden', kind: 'private', bot: false });
      slack.addChannel({ name: 'partner', shared: true });
      slack.addChannel({ name: 'old', archived: true });
      const list = await web.conversations.list({ types: 'public_channel,private_channel', exclude_archived: true });
      expect(list.channels?.map((one) => one.name)).to.deep.equal(['ops', 'secret', 'partner']);
      expect(list.channels?.[2]).to.include({ is_ext_shared: true });
      expect((await web.conversations.info({ channel: ops, include_num_members: true })).channel).to.include({
        num_members: 3,
        is_member: true,
      });
      expect((await web.conversations.members({ channel: ops })).members).to.have.length(3);
      const alice = slack.person('alice').id;
      const opened = await web.conversations.open({ users: alice, return_im: true });
      expect(opened.channel).to.include({ is_im: true, user: alice });
      expect((await web.conversations.open({ users: alice })).channel?.id).to.equal(opened.channel?.id);
      const group = await web.conversations.open({ users: `${alice},${slack.person('bob').id}`, return_im: true });
      expect(group.channel).to.include({ is_mpim: true });
      expect(await refusal(web.conversations.open({ users: slack.bot.id }))).to.equal('cannot_dm_bot');
      const far = slack.addChannel({ name: 'far', bot: false });
      expect(await refusal(web.conversations.history({ channel: far.id }))).to.equal('not_in_channel');
      await web.conversations.join({ channel: far.id });
      expect((await web.conversations.history({ channel: far.id })).messages).to.deep.equal([]);
    });

    it('knows the workspace, the channels of the bot, and sets topics', async () => {
      expect((await web.team.info()).team).to.include({ name: 'Example', domain: 'example' });
      slack.addChannel({ name: 'far', bot: false });
      expect((await web.users.conversations({})).channels?.map((one) => one.name)).to.deep.equal(['ops']);
      await web.conversations.setTopic({ channel: ops, topic: 'Frozen' });
      expect((await web.conversations.info({ channel: ops })).channel?.topic?.value).to.equal('Frozen');
    });

    it('keeps user groups', async () => {
      const group = slack.addGroup({ handle: 'oncall', users: ['alice'] });
      slack.addGroup({ handle: 'gone', disabled: true });
      const list = await web.usergroups.list({ include_users: true });
      expect(list.usergroups?.map((one) => [one.handle, one.users])).to.deep.equal([
        ['oncall', [slack.person('alice').id]],
      ]);
      await web.usergroups.users.update({ usergroup: group.id, users: slack.person('bob').id });
      expect((await web.usergroups.users.list({ usergroup: group.id })).users).to.deep.equal([slack.person('bob').id]);
      expect(await refusal(web.usergroups.users.update({ usergroup: group.id, users: 'U0NOBODY' }))).to.equal(
        'invalid_users',
      );
      expect(await refusal(web.usergroups.users.list({ usergroup: 'S0NONE' }))).to.equal('no_such_subteam');
    });

    it('takes reactions once each', async () => {
      const { ts } = slack.say('alice', 'ops', 'x');
      const eyes = { channel: ops, timestamp: ts, name: 'eyes' };
      await web.reactions.add(eyes);
      expect(await refusal(web.reactions.add(eyes))).to.equal('already_reacted');
      expect((await web.reactions.get({ channel: ops, timestamp: ts })).message?.reactions?.[0]).to.include({
        name: 'eyes',
        count: 1,
      });
      await web.reactions.remove(eyes);
      expect(await refusal(web.reactions.remove(eyes))).to.equal('no_reaction');
      expect(await refusal(web.reactions.add({ ...eyes, timestamp: '1.000000' }))).to.equal('message_not_found');
    });
  });

  describe('files', () => {
    it('takes the three steps of files.uploadV2', async () => {
      const content = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255]);
      const asked = slack.say('alice', 'ops', 'show');
      await web.filesUploadV2({
        channel_id: ops,
        thread_ts: asked.ts,
        initial_comment: 'here',
        file_uploads: [
          { file: content, filename: 'load.png', alt_text: 'Load of an hour' },
          { content: 'a,b', filename: 'load.csv' },
        ],
      });
      const message = await slack.message('ops', (one) => one.files.length === 2);
      expect(message).to.include({ text: 'here', threadTs: asked.ts, subtype: 'file_share' });
      const [png, csv] = message.files.map((id) => slack.workspace.files.get(id));
      expect(png?.content).to.deep.equal(content);
      expect(png).to.include({ altText: 'Load of an hour', mimetype: 'image/png' });
      expect(csv?.content?.toString()).to.equal('a,b');
      const info = await web.files.info({ file: png?.id ?? '' });
      const address = info.file?.url_private_download ?? '';
      const got = await fetch(address, { headers: { authorization: `Bearer ${slack.botToken}` } });
      expect(Buffer.from(await got.arrayBuffer())).to.deep.equal(content);
      expect((await fetch(address, { redirect: 'manual' })).status).to.equal(302);
      expect(await refusal(web.files.info({ file: 'F0NONE' }))).to.equal('file_not_found');
    });

    it('takes bytes as they are, and sees when they are too few', async () => {
      problemsWanted = true;
      const one = await web.files.getUploadURLExternal({ filename: 'a.txt', length: 3 });
      expect(await (await fetch(one.upload_url ?? '', { method: 'POST', body: 'abc' })).text()).to.equal('OK - 3');
      await web.files.completeUploadExternal({ files: [{ id: one.file_id ?? '' }], channel_id: ops });
      const two = await web.files.getUploadURLExternal({ filename: 'a.txt', length: 3 });
      expect((await fetch(two.upload_url ?? '', { method: 'POST', body: 'ab' })).status).to.equal(400);
      expect(slack.forgetProblems()).to.have.length(1);
    });
  });

  describe('what no client should send', () => {
    it('refuses and remembers unknown methods, unknown arguments and missing ones', async () => {
      problemsWanted = true;
      expect(await refusal(web.apiCall('chat.shout', {}))).to.equal('unknown_method');
      expect(await refusal(web.apiCall('chat.postMessage', { channel: ops, text: 'x', colour: 'red' }))).to.equal(
        'invalid_arguments',
      );
      expect(await refusal(web.apiCall('chat.postMessage', { text: 'x' }))).to.equal('invalid_arguments');
      expect(await refusal(web.apiCall('chat.postMessage', { channel: ops, blocks: 'no' }))).to.equal(
        'invalid_blocks_format',
      );
      expect(slack.problems()).to.have.length(4);
      expect(() => slack.assertNoProblems()).to.throw('unknown method: chat.shout');
    });

    it('takes JSON bodies too', async () => {
      const response = await fetch(`${slack.apiUrl}chat.postMessage`, {
        method: 'POST',
        headers: { authorization: `Bearer ${slack.botToken}`, 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify({
          channel: ops,
          blocks: [{ type: 'actions', elements: [button('Go', 'go')] }],
          text: 'go',
        }),
      });
      expect(await response.json()).to.include({ ok: true, channel: ops });
    });
  });

  describe('faults', () => {
    const post = () => web.chat.postMessage({ channel: ops, text: 'x' });

    it('429 with Retry-After, so often', async () => {
      slack.fail('chat.postMessage', { as: 429, retryAfter: 7, times: 2 });
      const careful = new WebClient(slack.botToken, {
        slackApiUrl: slack.apiUrl,
        logger: quietLogger(),
        rejectRateLimitedCalls: true,
      });
      for (let time = 0; time < 2; time += 1) {
        const error = await failure(careful.chat.postMessage({ channel: ops, text: 'x' }));
        expect(error).to.be.instanceOf(WebAPIRateLimitedError);
        expect(error).to.include({ retryAfter: 7 });
      }
      await post();
      expect(slack.posts('ops')).to.have.length(1);
    });

    it('500, and a code', async () => {
      slack.fail('chat.postMessage', { as: 500 });
      expect(await failure(post())).to.be.instanceOf(WebAPIHTTPError);
      slack.fail('*', { as: 'invalid_auth' });
      expect(await refusal(post())).to.equal('invalid_auth');
      slack.fail('chat.postMessage', { as: 'message_not_found', when: (args) => args['channel'] !== ops });
      await post();
      expect(slack.faults.unmet).to.deep.equal(['chat.postMessage: message_not_found']);
    });

    it('a connection cut before and after', async () => {
      slack.fail('chat.postMessage', { as: 'cut before' });
      expect(await failure(post())).to.be.instanceOf(WebAPIRequestError);
      expect(slack.posts('ops')).to.have.length(0);
      slack.fail('chat.postMessage', { as: 'cut after' });
      expect(await failure(post())).to.be.instanceOf(WebAPIRequestError);
      expect(slack.posts('ops')).to.have.length(1);
    });

    it('no answer, until mended', async () => {
      slack.fail('chat.postMessage', { as: 'hang' });
      const posting = failure(post());
      await slack.call('chat.postMessage');
      slack.mend();
      expect(await posting).to.be.instanceOf(WebAPIRequestError);
    });

    it('slow answers', async () => {
      slack.slow(80);
      const before = performance.now();
      await post();
      expect(performance.now() - before).to.be.greaterThan(75);
    });

    it('nobody there for a while', async () => {
      await slack.goDown();
      expect(await failure(post())).to.be.instanceOf(WebAPIRequestError);
      const patient = client(slack.botToken, 100).chat.postMessage({ channel: ops, text: 'later' });
      await slack.comeBack();
      expect((await patient).ok).to.equal(true);
    });

    it('counts posts that come too fast for a channel', async () => {
      const strict = await startSlack({ limits: { postsPerSecondPerChannel: 1 } });
      try {
        const [one, two] = [strict.addChannel({ name: 'one' }), strict.addChannel({ name: 'two' })];
        const fast = new WebClient(strict.botToken, {
          slackApiUrl: strict.apiUrl,
          logger: quietLogger(),
          rejectRateLimitedCalls: true,
        });
        await fast.chat.postMessage({ channel: one.id, text: 'a' });
        await fast.chat.postMessage({ channel: two.id, text: 'a' });
        expect(await failure(fast.chat.postMessage({ channel: one.id, text: 'b' }))).to.include({ retryAfter: 1 });
        expect(strict.rateLimited).to.equal(1);
        await eventually(() => fast.chat.postMessage({ channel: one.id, text: 'b' }).catch(() => undefined));
        expect(strict.posts('one').map((message) => message.text)).to.deep.equal(['a', 'b']);
      } finally {
        await strict.close();
      }
    });
  });
});
