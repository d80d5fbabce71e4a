/** The server that plays Slack, events and interactions: driven by the official Socket Mode client and by Bolt, in both ways. */

import bolt from '@slack/bolt';
import { SocketModeClient } from '@slack/socket-mode';
import { WebClient } from '@slack/web-api';
import { expect } from 'chai';
import { quietLogger } from '../../../src/adapters/chat/slack/quiet.ts';
import { eventually } from '../../support/eventually.ts';
import type { Flaw } from '../../support/slack/http-sender.ts';
import { type SlackOptions, type SlackServer, startSlack } from '../../support/slack/server.ts';

interface Seen {
  readonly id: string;
  readonly type: string;
  readonly retry: number;
  readonly reason: string;
}

describe('Slack test server: events', () => {
  let slack: SlackServer;
  let ends: (() => unknown)[] = [];

  async function start(options: SlackOptions = {}): Promise<void> {
    slack = await startSlack(options);
    slack.addPerson({ name: 'alice' });
    slack.addPerson({ name: 'bob' });
    slack.addChannel({ name: 'ops', members: ['alice', 'bob'] });
  }

  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await slack.close();
    slack.assertNoProblems();
  });

  /** An official client that acknowledges what `content` says. */
  async function connect(seen: Seen[], content: (seen: Seen) => boolean = () => true): Promise<SocketModeClient> {
    const client = new SocketModeClient({
      appToken: slack.appToken,
      logger: quietLogger(),
      autoReconnectEnabled: false,
      clientOptions: { slackApiUrl: slack.apiUrl },
    });
    client.on('slack_event', async ({ ack, body, retry_num, retry_reason }) => {
      const one = { id: body.event_id, type: body.event?.type, retry: retry_num, reason: retry_reason };
      seen.push(one);
      if (content(one)) await ack();
    });
    client.on('error', () => undefined);
    await client.start();
    ends.push(() => client.disconnect());
    return client;
  }

  describe('Socket Mode', () => {
    it('says hello and tells of messages and mentions', async () => {
      await start();
      const bodies: unknown[] = [];
      const client = await connect([]);
      client.on('slack_event', ({ body }) => bodies.push(body));
      slack.say('alice', 'ops', 'deploy api', { mention: true });
      await slack.settled();
      expect(bodies).to.have.length(2);
      expect(bodies[0]).to.deep.include({
        type: 'event_callback',
        team_id: slack.workspace.teamId,
        is_ext_shared_channel: false,
      });
      expect(bodies[0]).to.have.nested.property('event.type', 'app_mention');
      expect(bodies[0]).to.have.nested.property('authorizations[0].user_id', slack.bot.id);
      expect(bodies[1]).to.have.nested.property('event.channel_type', 'channel');
      expect(bodies[1]).to.have.nested.property('event.text', `<@${slack.bot.id}> deploy api`);
      expect(bodies[1]).to.have.nested.property('event.blocks[0].elements[0].elements[0].type', 'user');
    });

    it('keeps events until somebody is connected, and spreads them over the connections', async () => {
      await start();
      const [one, two]: [Seen[], Seen[]] = [[], []];
      slack.say('alice', 'ops', 'early');
      await connect(one);
      await slack.settled();
      expect(one.map((each) => each.type)).to.deep.equal(['message']);
      await connect(two);
      for (let count = 0; count < 40; count += 1) slack.say('alice', 'ops', `${count}`);
      await slack.settled();
      expect(one.length + two.length).to.equal(41);
      expect(Math.min(one.length, two.length)).to.be.greaterThan(5);
      expect(slack.sockets.openedInAll).to.equal(2);
    });

    it('delivers again what is not acknowledged, and gives up in the end', async () => {
      await start({ ackWithinMs: 50, retryDelaysMs: [0, 10] });
      const seen: Seen[] = [];
      await connect(seen, (one) => one.retry === 1);
      slack.say('alice', 'ops', 'x');
      await slack.settled();
      expect(seen.map((one) => [one.retry, one.reason])).to.deep.equal([
        [0, ''],
        [1, 'timeout'],
      ]);
      expect(new Set(seen.map((one) => one.id)).size).to.equal(1);
      expect(slack.dispatcher.deliveries.at(-1)?.state).to.equal('acknowledged');
    });

    it('gives up after the last retry', async () => {
      await start({ ackWithinMs: 30, retryDelaysMs: [0, 10] });
      await connect([], () => false);
      slack.say('alice', 'ops', 'x');
      await slack.settled();
      expect(slack.dispatcher.deliveries[0]).to.include({ state: 'given up' });
      expect(slack.dispatcher.deliveries[0]?.attempts).to.have.length(3);
    });

    for (const reason of ['warning', 'refresh_requested', 'link_disabled'] as const) {
      it(`asks connections to go: ${reason}`, async () => {
        await start();
        const seen: Seen[] = [];
        const client = await connect(seen);
        const gone = new Promise((resolve) => client.once('disconnected', resolve));
        expect(slack.disconnect(reason)).to.equal(1);
        await gone;
        slack.say('alice', 'ops', 'between');
        await connect(seen);
        await slack.settled();
        expect(seen).to.have.length(1);
      });
    }

    it('cuts connections, and what was under way arrives over the next one', async () => {
      await start();
      const seen: Seen[] = [];
      await connect(seen, (one) => one.retry > 0);
      slack.say('alice', 'ops', 'x');
      await eventually(() => seen.length === 1);
      expect(slack.cut()).to.equal(1);
      await connect(seen);
      await slack.settled();
      expect(seen.map((one) => one.retry)).to.deep.equal([0, 1]);
    });

    it('duplicates and shuffles on wish, each event with its id', async () => {
      await start({ seed: 7 });
      const seen: Seen[] = [];
      await connect(seen);
      slack.disturb({ duplicates: 0.1, shuffle: 50 });
      const sent = Array.from({ length: 500 }, () => slack.emit({ type: 'emoji_changed' }));
      await slack.settled();
      const arrived = seen.map((one) => one.id);
      expect(new Set(arrived)).to.deep.equal(new Set(sent));
      expect(arrived.length).to.be.within(520, 590);
      expect([...new Set(arrived)]).not.to.deep.equal(sent);
    });

    it('lets nobody in without a ticket, or twice with one', async () => {
      await start();
      const web = new WebClient(slack.appToken, { slackApiUrl: slack.apiUrl, logger: quietLogger() });
      const { url = '' } = await web.apps.connections.open({});
      const open = (address: string) =>
        new Promise<string>((resolve) => {
          const socket = new WebSocket(address);
          ends.push(() => socket.close());
          socket.onmessage = (message) => resolve(String(message.data));
          socket.onerror = () => resolve('refused');
        });
      expect(JSON.parse(await open(url))).to.deep.include({ type: 'hello', num_connections: 1 });
      expect(await open(url)).to.equal('refused');
      expect(await open(url.replace(/ticket=[^&]+/, 'ticket=x'))).to.equal('refused');
    });
  });

  describe('what people do', () => {
    it('becomes events', async () => {
      await start({ view: 'assistant' });
      const types: string[] = [];
      const client = await connect([]);
      client.on('slack_event', ({ body }) => {
        const { event } = body;
        types.push(event.subtype === undefined ? event.type : `${event.type}.${event.subtype}`);
      });
      async function becomes(what: () => unknown, ...expected: string[]): Promise<void> {
        types.length = 0;
        what();
        await slack.settled();
        await eventually(
          () => types.length,
          (count) => count >= expected.length,
        );
        expect(types).to.deep.equal(expected);
      }
      const said = slack.say('alice', 'ops', 'hello');
      await becomes(() => slack.edit(said, 'hello!'), 'message', 'message.message_changed');
      await becomes(() => slack.react('bob', said, 'eyes'), 'reaction_added');
      await becomes(() => slack.unreact('bob', said, 'eyes'), 'reaction_removed');
      await becomes(() => slack.delete(said), 'message.message_deleted');
      await becomes(
        () => slack.say('alice', 'ops', '', { files: [{ name: 'a.log', content: 'x' }] }),
        'message.file_share',
      );
      await becomes(
        () => slack.join(slack.addPerson({ name: 'carol' }), 'ops'),
        'member_joined_channel',
        'message.channel_join',
      );
      await becomes(() => slack.leave('carol', 'ops'), 'member_left_channel');
      await becomes(() => slack.renameChannel('ops', 'ops2'), 'channel_rename');
      await becomes(() => slack.archive('ops2'), 'channel_archive');
      await becomes(() => slack.changePerson('alice', { deleted: true }), 'user_change', 'user_profile_changed');
      await becomes(() => slack.joinTeam({ name: 'dan' }), 'team_join');
      await becomes(() => slack.openHome('bob'), 'app_home_opened');
      const thread = slack.openAssistant('bob', 'ops2');
      await becomes(
        () => slack.changeContext(thread, 'ops2'),
        'assistant_thread_started',
        'assistant_thread_context_changed',
      );
      await becomes(() => slack.createGroup({ handle: 'oncall' }), 'subteam_created');
      await becomes(
        () => slack.changeGroup('oncall', { users: ['bob'] }),
        'subteam_members_changed',
        'subteam_updated',
      );
      await becomes(() => slack.renameWorkspace({ name: 'New', domain: 'new' }), 'team_rename', 'team_domain_change');
      await becomes(() => slack.tell('bob', 'privately'), 'message');
      await becomes(() => slack.revokeTokens(), 'tokens_revoked');
    });

    it('tells strangers from another workspace apart', async () => {
      await start();
      const bodies: unknown[] = [];
      const client = await connect([]);
      client.on('slack_event', ({ body }) => bodies.push(body));
      const eve = slack.addPerson({ name: 'eve', kind: 'stranger' });
      slack.addChannel({ name: 'partner', shared: true, members: [eve] });
      slack.say(eve, 'partner', 'hi');
      await slack.settled();
      expect(bodies[0]).to.include({ is_ext_shared_channel: true, team_id: slack.workspace.teamId });
      expect(bodies[0]).to.have.nested.property('event.user_team', eve.team);
    });
  });

  describe('Bolt', () => {
    for (const delivery of ['socket', 'http'] as const) {
      it(`runs an app over ${delivery}`, async () => {
        await start({ delivery });
        const app = await boltApp(delivery);
        app.event('app_mention', async ({ event, say }) => {
          await say({
            text: 'What?',
            thread_ts: event.ts,
            blocks: [
              { type: 'section', text: { type: 'mrkdwn', text: '*What?*' } },
              {
                type: 'actions',
                elements: [
                  {
                    type: 'button',
                    text: { type: 'plain_text', text: 'Approve' },
                    action_id: 'approve',
                    value: 'approve 1',
                  },
                  {
                    type: 'overflow',
                    action_id: 'more',
                    options: [{ text: { type: 'plain_text', text: 'Details' }, value: 'details 1' }],
                  },
                ],
              },
            ],
          });
        });
        app.action('approve', async ({ ack, respond, body }) => {
          await ack();
          await respond({ text: `approved by ${body.user.id}`, replace_original: true });
        });
        app.action('more', async ({ ack, respond }) => {
          await ack();
          await respond('details');
        });
        app.command('/shipmate', async ({ ack, command, client }) => {
          if (command.text === 'help') return ack('helps');
          await ack();
          await client.views.open({ trigger_id: command.trigger_id, view: modal() });
        });
        app.options('service', async ({ ack, options }) => {
          const names = ['api', 'web'].filter((name) => name.includes(options.value));
          await ack({ options: names.map((name) => ({ text: { type: 'plain_text', text: name }, value: name })) });
        });
        app.view('deploy', async ({ ack, view, client, body }) => {
          const version = view.state.values['version']?.['value']?.value;
          if (version === 'bad') return ack({ response_action: 'errors', errors: { version: 'no such version' } });
          await ack();
          await client.chat.postEphemeral({
            channel: slack.channel('ops').id,
            user: body.user.id,
            text: `deploying ${version}`,
          });
        });

        slack.say('alice', 'ops', 'hm', { mention: true });
        const card = await slack.message('ops', (one) => one.text === 'What?');
        expect(await slack.choose('alice', card, 'more', 'Details')).to.include({ kind: 'acknowledged' });
        await slack.ephemeral('alice', (one) => one.text === 'details');
        expect(await slack.press('alice', card, 'Approve')).to.include({ kind: 'acknowledged' });
        await slack.message('ops', (one) => one.text === `approved by ${slack.person('alice').id}`);
        expect(() => slack.press('alice', card, 'Approve')).to.throw('nothing called');

        await slack.slash('alice', 'ops', '/shipmate', 'help');
        expect(await slack.ephemeral('alice', (one) => one.text === 'helps')).to.include({ by: 'acknowledgement' });
        await slack.slash('alice', 'ops', '/shipmate', 'deploy');
        const view = await slack.view('alice');
        expect(await slack.options('alice', view, 'service', 'a')).to.deep.equal([{ text: 'api', value: 'api' }]);
        const missing = await slack.submit(view).catch(String);
        expect(missing).to.contain('must be filled in');
        expect((await slack.submit(view, { Service: 'api', Version: 'bad' })).errors).to.deep.equal({
          version: 'no such version',
        });
        expect((await slack.submit(view, { Version: 'v2' })).attempt.kind).to.equal('acknowledged');
        expect(view.open).to.equal(false);
        await slack.ephemeral('alice', (one) => one.text === 'deploying v2');
        await slack.settled();
      });
    }

    it('a trigger_id opens one view, and only for three seconds', async () => {
      await start();
      const app = await boltApp('socket');
      const triggers: string[] = [];
      app.command('/shipmate', async ({ ack, command }) => {
        triggers.push(command.trigger_id);
        await ack();
      });
      await slack.slash('alice', 'ops', '/shipmate');
      await slack.slash('alice', 'ops', '/shipmate');
      const open = (trigger: string) =>
        app.client.views.open({ trigger_id: trigger, view: modal() }).then(
          () => 'opened',
          (error: unknown) => String(error),
        );
      expect(await open(triggers[0] ?? '')).to.equal('opened');
      expect(await open(triggers[0] ?? '')).to.contain('exchanged_trigger_id');
      slack.advance(3001);
      expect(await open(triggers[1] ?? '')).to.contain('expired_trigger_id');
      expect(await open('1.2.3')).to.contain('invalid_trigger_id');
    });

    it('a response_url takes five posts in half an hour', async () => {
      await start();
      const app = await boltApp('socket');
      const urls: string[] = [];
      app.command('/shipmate', async ({ ack, command }) => {
        urls.push(command.response_url);
        await ack();
      });
      await slack.slash('alice', 'ops', '/shipmate');
      await slack.slash('alice', 'ops', '/shipmate');
      const post = async (url = '') => {
        const body = JSON.stringify({ text: 'x', response_type: 'in_channel' });
        return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status;
      };
      for (let time = 0; time < 5; time += 1) expect(await post(urls[0])).to.equal(200);
      expect(await post(urls[0])).to.equal(404);
      slack.fail('response_url', { as: 500 });
      expect(await post(urls[1])).to.equal(500);
      slack.advance(31 * 60_000);
      expect(await post(urls[1])).to.equal(404);
      expect(slack.posts('ops')).to.have.length(5);
      await slack.settled();
    });

    it('home, assistant pane', async () => {
      await start({ view: 'assistant' });
      const app = await boltApp('socket');
      app.event('app_home_opened', async ({ event, client }) => {
        await client.views.publish({ user_id: event.user, view: { type: 'home', blocks: [{ type: 'divider' }] } });
      });
      app.event('assistant_thread_started', async ({ event, client }) => {
        const { channel_id, thread_ts } = event.assistant_thread;
        await client.assistant.threads.setTitle({ channel_id, thread_ts, title: 'Hello' });
        await client.assistant.threads.setStatus({ channel_id, thread_ts, status: 'is thinking…' });
        await client.assistant.threads.setSuggestedPrompts({
          channel_id,
          thread_ts,
          prompts: [{ title: 'Status', message: 'status' }],
        });
      });
      slack.openHome('alice');
      expect((await slack.home('alice')).blocks).to.have.length(1);
      const thread = slack.openAssistant('alice', 'ops');
      expect((await slack.status((one) => one.kind === 'prompts')).prompts).to.deep.equal([
        { title: 'Status', message: 'status' },
      ]);
      expect(thread).to.include({ title: 'Hello', status: 'is thinking…' });
    });
  });

  describe('signed HTTP', () => {
    it('verifies the address', async () => {
      await start({ delivery: 'http' });
      await boltApp('http');
      expect(await slack.verifyUrl()).to.equal(true);
    });

    for (const flaw of [
      'wrong secret',
      'wrong signature',
      'wrong version',
      'altered body',
      'old',
      'truncated',
      'unsigned',
      'no timestamp',
    ] satisfies Flaw[]) {
      it(`Bolt refuses a request that is ${flaw}`, async () => {
        await start({ delivery: 'http' });
        const app = await boltApp('http');
        let reached = 0;
        app.use(async ({ next }) => {
          reached += 1;
          await next();
        });
        const payload = slack.payload({ type: 'emoji_changed' });
        expect((await slack.send(slack.request('events_api', payload, { flaw }))).status).to.equal(401);
        expect(reached).to.equal(0);
        const right = slack.request('events_api', payload);
        expect((await slack.send(right)).status).to.equal(200);
        expect((await slack.send(right)).status).to.equal(200);
        await slack.sendHalf(right);
        expect(reached).to.equal(2);
      });
    }

    it('tries again what is refused or not answered in time', async () => {
      await start({ delivery: 'http', ackWithinMs: 100, retryDelaysMs: [0, 10, 10] });
      const { createServer } = await import('node:http');
      const headers: unknown[] = [];
      const http = createServer((req, res) => {
        req.resume();
        headers.push([req.headers['x-slack-retry-num'], req.headers['x-slack-retry-reason']]);
        if (headers.length === 1) return void res.writeHead(500).end();
        if (headers.length === 3) res.writeHead(200).end();
      });
      await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
      ends.push(() => {
        http.closeAllConnections();
        http.close();
      });
      slack.emit({ type: 'emoji_changed' });
      slack.deliverTo(`http://127.0.0.1:${portOf(http.address())}`);
      await slack.settled();
      expect(headers).to.deep.equal([
        [undefined, undefined],
        ['1', 'http_error'],
        ['2', 'http_timeout'],
      ]);
    });
  });

  async function boltApp(delivery: 'socket' | 'http'): Promise<InstanceType<typeof bolt.App>> {
    const clientOptions = { slackApiUrl: slack.apiUrl };
    const common = { token: slack.botToken, logger: quietLogger(), clientOptions };
    const app =
      delivery === 'socket'
        ? new bolt.App({ ...common, socketMode: true, appToken: slack.appToken, installerOptions: { clientOptions } })
        : new bolt.App({
            ...common,
            signingSecret: slack.signingSecret,
            endpoints: ['/slack/events', '/slack/interactions', '/slack/commands'],
          });
    app.error(async () => undefined);
    const server = await app.start(0);
    ends.push(() => app.stop());
    if (delivery === 'http') {
      const address = typeof server === 'object' && server !== null && 'address' in server ? server.address() : null;
      slack.deliverTo(`http://127.0.0.1:${portOf(address)}`);
    } else await slack.connected();
    return app;
  }

  function portOf(address: unknown): number {
    return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0;
  }

  function modal() {
    return {
      type: 'modal' as const,
      callback_id: 'deploy',
      title: { type: 'plain_text' as const, text: 'Deploy' },
      submit: { type: 'plain_text' as const, text: 'Deploy' },
      blocks: [
        {
          type: 'input' as const,
          block_id: 'service',
          label: { type: 'plain_text' as const, text: 'Service' },
          element: { type: 'external_select' as const, action_id: 'service', min_query_length: 0 },
        },
        {
          type: 'input' as const,
          block_id: 'version',
          label: { type: 'plain_text' as const, text: 'Version' },
          element: { type: 'plain_text_input' as const, action_id: 'value' },
        },
      ],
    };
  }
});
