/** Signed requests to the robot's own HTTP server; the wrong ones reach nothing. */

import { connect } from 'node:net';
import { expect } from 'chai';
import { type Door, openDoor } from '../../../src/adapters/chat/slack/http.ts';
import type { Acknowledge, IntakeOutcome } from '../../../src/adapters/chat/slack/intake.ts';
import type { Envelope } from '../../../src/adapters/chat/slack/ports.ts';
import { createSeen } from '../../../src/adapters/chat/slack/signature.ts';
import { createHttpServer, type HttpServer } from '../../../src/bot/http.ts';
import { eventually } from '../../support/eventually.ts';
import { collectingLog } from '../../support/log.ts';
import { countedMetrics } from '../../support/slack/client.ts';
import { send, sendHalf, signedRequest } from '../../support/slack/http-sender.ts';
import { type SlackServer, startSlack } from '../../support/slack/server.ts';

describe('Slack by HTTP', () => {
  let slack: SlackServer;
  let http: HttpServer;
  let base: string;
  let taken: Envelope[];
  let log: ReturnType<typeof collectingLog>;
  let metrics: ReturnType<typeof countedMetrics>;
  /** What the intake makes of it. */
  let take: (envelope: Envelope, acknowledge: Acknowledge) => Promise<IntakeOutcome>;

  beforeEach(async () => {
    slack = await startSlack({ delivery: 'http' });
    slack.addPerson({ name: 'alice' });
    slack.addChannel({ name: 'ops', members: ['alice'] });
    taken = [];
    log = collectingLog();
    metrics = countedMetrics();
    take = async (envelope, acknowledge) => {
      taken.push(envelope);
      await acknowledge();
      return 'accepted';
    };
    http = await createHttpServer({ port: 0 }, log);
    const { port } = await http.listen();
    base = `http://127.0.0.1:${port}`;
    slack.deliverTo(base);
  });
  afterEach(async () => {
    await http.close(0);
    await slack.close();
    expect(JSON.stringify(log.lines)).to.not.contain('between us').and.to.not.contain(slack.signingSecret);
  });

  function open(door: Partial<Door> = {}, options: { limitBytes?: number; readTimeoutMs?: number } = {}): () => void {
    return openDoor(
      http.beforeParsers,
      {
        chat: 'slack',
        signingSecret: slack.signingSecret,
        teamId: () => slack.workspace.teamId,
        intake: { take: (envelope, acknowledge) => take(envelope, acknowledge) },
        ...door,
      },
      { log, metrics, now: () => new Date(), ...options },
    );
  }

  const body = () => slack.payload({ type: 'message', channel: 'C1', user: 'U1', ts: '1.0', text: 'between us' });

  it('takes events, interactions and slash commands', async () => {
    open();
    slack.say('alice', 'ops', 'hello');
    await slack.settled();
    const press = { type: 'block_actions', trigger_id: 't1', team: { id: 'T1' }, actions: [] };
    expect((await slack.send(slack.request('interactive', press))).status).to.equal(200);
    const command = { command: '/shipmate', text: 'deploy api & co = ä', trigger_id: 't2', team_id: 'T1' };
    expect((await slack.send(slack.request('slash_commands', command))).status).to.equal(200);
    expect(taken.map(({ kind, via }) => `${kind} ${via}`)).to.deep.equal([
      'event http',
      'interactive http',
      'command http',
    ]);
    expect(taken[1]?.body).to.deep.equal(press);
    expect(taken[2]?.body).to.deep.equal(command);
  });

  it('takes everything at the address of events, as Bolt’s own receiver does', async () => {
    open();
    const press = { type: 'block_actions', trigger_id: 't1', team: { id: 'T1' }, actions: [] };
    const command = { command: '/shipmate', text: 'deploy api', trigger_id: 't2', team_id: 'T1' };
    for (const request of [slack.request('interactive', press), slack.request('slash_commands', command)]) {
      expect((await slack.send({ ...request, url: `${base}/slack/events` })).status).to.equal(200);
      const unsigned = { ...request.headers, 'x-slack-signature': 'v0=0' };
      expect((await slack.send({ ...request, url: `${base}/slack/events`, headers: unsigned })).status).to.equal(401);
    }
    expect(taken.map(({ kind, body }) => [kind, body])).to.deep.equal([
      ['interactive', press],
      ['command', command],
    ]);
    // The others take what is theirs.
    const misled = { ...slack.request('events_api', body()), url: `${base}/slack/commands` };
    expect((await slack.send(misled)).status).to.equal(415);
  });

  it('gives the listener’s answer, as JSON', async () => {
    open();
    take = async (_, acknowledge) => {
      await acknowledge({ options: [] });
      return 'answered';
    };
    const answer = await slack.send(slack.request('interactive', { type: 'block_suggestion' }));
    expect(JSON.parse(answer.text)).to.deep.equal({ options: [] });
    take = async (_, acknowledge) => {
      await acknowledge('fine');
      return 'answered';
    };
    const text = await slack.send(slack.request('slash_commands', { command: '/shipmate' }));
    expect(JSON.parse(text.text)).to.deep.equal({ text: 'fine' });
  });

  it('answers the challenge, if it is signed', async () => {
    open();
    expect(await slack.verifyUrl()).to.equal(true);
    const unsigned = slack.request('events_api', { type: 'url_verification', challenge: 'c' }, { flaw: 'unsigned' });
    const refused = await slack.send(unsigned);
    expect(refused.status).to.equal(401);
    expect(refused.text).to.not.contain('"c"');
    expect(taken).to.deep.equal([]);
  });

  it('answers the check of the certificate', async () => {
    open();
    expect((await slack.send(slack.request('slash_commands', { ssl_check: '1', token: 'x' }))).status).to.equal(200);
    expect(taken).to.deep.equal([]);
  });

  for (const [flaw, outcome] of [
    ['wrong secret', 'wrong_signature'],
    ['wrong signature', 'wrong_signature'],
    ['wrong version', 'unsigned'],
    ['altered body', 'wrong_signature'],
    ['truncated', 'wrong_signature'],
    ['old', 'old'],
    ['future', 'old'],
    ['unsigned', 'unsigned'],
    ['no timestamp', 'unsigned'],
  ] as const) {
    it(`refuses a request with this flaw: ${flaw}`, async () => {
      open();
      const form = { type: 'block_actions', actions: [], text: 'between us' };
      const requests = [
        slack.request('events_api', body(), { flaw }),
        slack.request('interactive', form, { flaw }),
        slack.request('slash_commands', { command: '/shipmate', text: 'between us' }, { flaw }),
      ];
      const answers = await Promise.all(requests.map((request) => slack.send(request)));
      for (const { status, text } of answers) {
        expect(status).to.equal(401);
        expect(JSON.parse(text)).to.deep.equal({ error: 'not accepted' });
      }
      expect(taken).to.deep.equal([]);
      expect(metrics.of(outcome)).to.equal(3);
    });
  }

  it('refuses what was taken before, except Slack’s own retry of an event', async () => {
    open();
    const press = slack.request('interactive', { type: 'block_actions', trigger_id: 't1', actions: [] });
    expect((await slack.send(press)).status).to.equal(200);
    const again = await slack.send(press);
    expect(again).to.include({ status: 401, noRetry: true });
    const event = slack.request('events_api', body());
    expect((await slack.send(event)).status).to.equal(200);
    expect((await slack.send(event)).status).to.equal(401);
    const headers = { ...event.headers, 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' };
    expect((await slack.send({ ...event, headers })).status).to.equal(200);
    // Who claims that a press is a retry: Slack never sends one again.
    expect((await slack.send({ ...press, headers: { ...press.headers, 'x-slack-retry-num': '1' } })).status).to.equal(
      401,
    );
    expect(taken).to.have.lengthOf(3);
    expect(metrics.of('replayed')).to.equal(3);
  });

  it('refuses what another replica, or the one before a restart, has taken', async () => {
    open();
    take = async () => 'replayed';
    expect(await slack.send(slack.request('slash_commands', { command: '/shipmate' }))).to.include({
      status: 401,
      noRetry: true,
    });
  });

  it('says so if it cannot be stored now, and takes the same request later', async () => {
    open();
    const ready = take;
    take = async () => 'unavailable';
    const event = slack.request('events_api', body());
    const answer = await slack.send(event);
    expect(answer).to.include({ status: 503, noRetry: false });
    take = ready;
    expect((await slack.send(event)).status).to.equal(200);
    expect(taken).to.have.lengthOf(1);
  });

  it('survives an intake that fails', async () => {
    open();
    take = async () => await Promise.reject(new Error('broken'));
    expect((await slack.send(slack.request('events_api', body()))).status).to.equal(503);
  });

  it('refuses other methods, other types and packed bodies', async () => {
    open();
    expect((await fetch(`${base}/slack/events`)).status).to.equal(405);
    expect((await fetch(`${base}/slack/commands`, { method: 'PUT', body: 'x' })).status).to.equal(405);
    const event = slack.request('events_api', body());
    const wrong = [{ 'content-type': 'text/plain' }, { 'content-encoding': 'gzip' }, { 'content-type': '' }];
    for (const header of wrong) {
      const answer = await slack.send({ ...event, headers: { ...event.headers, ...header } });
      expect(answer.status).to.equal(415);
    }
    expect(taken).to.deep.equal([]);
    expect(metrics.of('method')).to.equal(2);
    expect(metrics.of('content_type')).to.equal(3);
  });

  it('refuses a signed body that is no JSON', async () => {
    open();
    const secret = slack.signingSecret;
    const seconds = slack.workspace.seconds();
    for (const [path, contentType, text] of [
      ['events', 'application/json', '{"type":'],
      ['events', 'application/json', '[]'],
      ['interactions', 'application/x-www-form-urlencoded', 'payload=%7B'],
      ['interactions', 'application/x-www-form-urlencoded', 'other=1'],
    ] as const) {
      const request = signedRequest({ url: `${base}/slack/${path}`, body: text, contentType, secret, seconds });
      expect((await send(request, 2_000)).status).to.equal(400);
    }
    expect(taken).to.deep.equal([]);
    expect(metrics.of('malformed')).to.equal(4);
  });

  it('refuses a body that is too large, before it is read', async () => {
    open({}, { limitBytes: 5_000 });
    const large = { ...body(), filler: 'x'.repeat(200_000) };
    const answer = await slack.send(slack.request('events_api', large));
    expect(answer.status).to.equal(413);
    expect(taken).to.deep.equal([]);
    expect(metrics.of('too_large')).to.equal(1);
  });

  it('gives up on a body that does not come, or breaks off', async () => {
    open({}, { readTimeoutMs: 100 });
    await sendHalf(slack.request('events_api', body()));
    await eventually(() => metrics.of('aborted') === 1);
    const { headers } = slack.request('events_api', body());
    const { port } = new URL(base);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => {
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
        socket.write(`POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n${lines.join('\r\n')}\r\n\r\n{`);
      });
      socket.on('data', (chunk) => {
        text += String(chunk);
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).to.match(/^HTTP\/1\.1 408 /);
    expect(metrics.of('slow')).to.equal(1);
    expect(taken).to.deep.equal([]);
  });

  it('reads only so many bodies at a time before it knows whose they are', async () => {
    open({}, { readTimeoutMs: 5_000 });
    const { port } = new URL(base);
    const { headers } = slack.request('events_api', body());
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const head = `POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n${lines.join('\r\n')}\r\n\r\n{`;
    const sockets = Array.from({ length: 80 }, () => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(head));
      socket.on('error', () => undefined);
      return socket;
    });
    await eventually(() => metrics.of('busy') === 16);
    for (const socket of sockets) socket.destroy();
    await eventually(() => metrics.of('aborted') === 64);
    expect((await slack.send(slack.request('events_api', body()))).status).to.equal(200);
  });

  it('is not kept busy by senders who take their time', async () => {
    open({}, { readTimeoutMs: 20_000 });
    const { port } = new URL(base);
    const { headers } = slack.request('events_api', body());
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const head = `POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n${lines.join('\r\n')}\r\n\r\n{`;
    const sockets = Array.from({ length: 80 }, () => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(head));
      socket.on('error', () => undefined);
      return socket;
    });
    await eventually(() => metrics.of('busy') === 16);
    await eventually(async () => (await slack.send(slack.request('events_api', body()))).status === 200);
    expect(taken).to.have.lengthOf(1);
    expect(metrics.of('aborted'), 'only who was in the way').to.equal(1);
    for (const socket of sockets) socket.destroy();
    await eventually(() => metrics.of('aborted') === 64);
  });

  it('lets several workspaces in by their secret, or by their team', async () => {
    const reached: string[] = [];
    const intake = (chat: string): Door['intake'] => ({
      take: async (_, acknowledge) => {
        reached.push(chat);
        await acknowledge();
        return 'accepted';
      },
    });
    open({ chat: 'slack', intake: intake('slack') });
    open({ chat: 'slack-emea', intake: intake('slack-emea'), teamId: () => 'TEMEA' });
    open({ chat: 'slack-apac', intake: intake('slack-apac'), teamId: () => 'TAPAC', signingSecret: 'of-another-app' });
    const seconds = slack.workspace.seconds();
    const post = async (payload: object, secret: string) => {
      const request = signedRequest({
        url: `${base}/slack/events`,
        body: JSON.stringify(payload),
        contentType: 'application/json',
        secret,
        seconds,
      });
      return await send(request, 2_000);
    };
    await post({ ...body(), event_id: 'Ev1' }, slack.signingSecret);
    await post({ ...body(), event_id: 'Ev2', authorizations: [], team_id: 'TEMEA' }, slack.signingSecret);
    await post({ ...body(), event_id: 'Ev3' }, 'of-another-app');
    const shared = { ...body(), event_id: 'Ev4', team_id: 'TELSE', authorizations: [{ team_id: 'TEMEA' }] };
    await post(shared, slack.signingSecret);
    expect(reached).to.deep.equal(['slack', 'slack-emea', 'slack-apac', 'slack-emea']);
    const unknown = await post(
      { ...body(), event_id: 'Ev5', authorizations: [], team_id: 'TNONE' },
      slack.signingSecret,
    );
    expect(unknown).to.include({ status: 404, noRetry: true });
  });

  it('lets nobody in when the door is closed', async () => {
    const close = open();
    close();
    expect((await slack.send(slack.request('events_api', body()))).status).to.equal(404);
    expect(taken).to.deep.equal([]);
  });

  it('writes few lines about many refused requests', async () => {
    open();
    for (let index = 0; index < 50; index++) {
      await slack.send(slack.request('events_api', body(), { flaw: 'wrong secret' }));
    }
    expect(metrics.of('wrong_signature')).to.equal(50);
    expect(log.messages()).to.have.lengthOf(10);
    expect(metrics.outcomes.size).to.equal(1);
  });

  it('remembers only so many signatures, and for as long as they are good', () => {
    let now = 1_000_000;
    const seen = createSeen(() => new Date(now), 100);
    for (let index = 0; index < 150; index++) expect(seen.before(`s${index}`)).to.equal(false);
    expect(seen.before('s149')).to.equal(true);
    now += 599_000;
    expect(seen.before('s149')).to.equal(true);
    now += 2_000;
    expect(seen.before('s149')).to.equal(false);
  });
});
