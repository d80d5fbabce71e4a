import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { createWebhookTarget } from '../../../src/adapters/deploy/webhook/client.ts';
import { createLog } from '../../../src/adapters/deploy/webhook/log.ts';
import { sign } from '../../../src/adapters/deploy/webhook/sign.ts';
import type { WebhookTargetConfig } from '../../../src/domain/deploy/targets/webhook.ts';
import { REQUEST, type RecordedRun, recordedRun } from '../../support/recorded-run.ts';
import {
  cut,
  empty,
  hastyClock,
  json,
  type RestCall,
  type RestReply,
  type RestServer,
  restServer,
} from '../../support/rest-server.ts';

const SECRET = 'a secret of some length';
const STATUS = 'GET /deploys/42';

/** As a receiver checks it. */
function isSigned({ headers, text }: RestCall): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = headers;
  const own = createHmac('sha256', SECRET)
    .update(`${String(id)}.${String(at)}.${text}`)
    .digest('base64');
  return signature === `v1,${own}`;
}

/** A part of a text, as a file server sends it. */
function ranges(text: () => Buffer): RestReply {
  return (res, { headers }) => {
    const all = text();
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1]);
    if (from >= all.length) {
      res.writeHead(416);
      res.end();
      return;
    }
    res.writeHead(206, { 'content-range': `bytes ${from}-${all.length - 1}/${all.length}` });
    res.end(all.subarray(from));
  };
}

describe('webhook target', function () {
  this.timeout(20_000);
  let server: RestServer;
  let clock: ReturnType<typeof hastyClock>;
  beforeEach(async () => {
    server = await restServer();
    clock = hastyClock();
  });
  afterEach(async () => {
    expect(server.calls.every(isSigned), 'a request without a valid signature').to.equal(true);
    await server.finish();
  });

  function target(change: Partial<WebhookTargetConfig> = {}, environment: Record<string, string> = {}) {
    return createWebhookTarget({
      service: 'web',
      config: {
        kind: 'webhook',
        deploy: `${server.url}/deploys?place={environment}`,
        status: `${server.url}/deploys/{deployment}`,
        cancel: `${server.url}/deploys/{deployment}/cancel`,
        secretFrom: 'HOOK_SECRET',
        timeoutMs: 600_000,
        ...change,
      },
      environment: { HOOK_SECRET: SECRET, HOOK_TOKEN: 'sekrit-token', ...environment },
      clock,
    });
  }

  /** Only the request, nothing to ask afterwards. */
  function alone() {
    const { deploy } = { deploy: `${server.url}/deploys` };
    return createWebhookTarget({
      service: 'web',
      config: { kind: 'webhook', deploy, secretFrom: 'HOOK_SECRET', timeoutMs: 60_000 },
      environment: { HOOK_SECRET: SECRET },
      clock,
    });
  }

  const sent = () => server.calls.filter(({ method, path }) => `${method} ${path}` === 'POST /deploys').length;
  const state = (name: string, more: object = {}) => json(200, { state: name, ...more });

  it('sends a signed request and follows it to its end', async () => {
    server.on('POST /deploys', json(202, { id: 'run-7' }));
    server.on(
      'GET /runs/run-7',
      empty(404),
      state('pending'),
      state('running', { step: 'Copying', percent: 40 }),
      state('succeeded', { percent: 100 }),
    );
    const kept = recordedRun();
    const made = target({ status: `${server.url}/runs/{id}`, tokenFrom: 'HOOK_TOKEN' });
    expect(await made.deploy(REQUEST, kept)).to.deep.equal({ kind: 'succeeded' });
    expect(kept.texts).to.deep.equal(['Sending the request', 'Copying']);
    expect(kept.percents).to.deep.equal([40, 100]);
    const call = server.calls[0];
    expect(call?.json).to.deep.equal({
      action: 'deploy',
      deployment: 42,
      service: 'web',
      environment: 'staging',
      version: 'v2',
    });
    expect(call?.headers).to.include({ 'webhook-id': 'deploy-42', authorization: 'Bearer sekrit-token' });
    expect(call?.query).to.deep.equal({ place: 'staging' });
    expect(kept.handles.at(-1)).to.include({ id: 'run-7', taken: true });
  });

  it('is content with the answer where there is no status', async () => {
    server.on('POST /deploys', empty(204));
    expect(await alone().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
  });

  const refusals: [number, string][] = [
    [401, 'both sides have the same secret'],
    [403, 'both sides have the same secret'],
    [404, 'check the address'],
    [409, 'something stands against it there'],
    [422, 'check the version'],
  ];
  for (const [status, text] of refusals) {
    it(`says ${status} in words, and asks once`, async () => {
      server.on('POST /deploys', json(status, { message: 'no' }));
      const outcome = await target().deploy(REQUEST, recordedRun());
      expect(outcome.kind === 'failed' && outcome.text)
        .to.include(`(${status}: no)`)
        .and.include(text);
      expect(sent()).to.equal(1);
    });
  }

  it('waits as long as 429 asks for', async () => {
    server.on('POST /deploys', empty(429, { 'retry-after': '30' }), json(202, {}));
    server.on(STATUS, state('succeeded'));
    expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
    expect(clock.waits).to.include(30_000);
  });

  for (const [what, trouble] of [
    ['500', empty(500)],
    ['a cut connection', cut()],
  ] as const) {
    it(`asks for the status after ${what}, and does not send twice what has arrived`, async () => {
      server.on('POST /deploys', trouble);
      server.on(STATUS, state('running'), state('succeeded'));
      expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
      expect(sent()).to.equal(1);
    });

    it(`sends again under the same id after ${what} if nothing is known there`, async () => {
      server.on('POST /deploys', trouble, json(202, {}));
      server.on(STATUS, empty(404), empty(404), empty(404), empty(404), state('succeeded'));
      expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
      expect(server.calls.filter(({ headers }) => headers['webhook-id'] === 'deploy-42')).to.have.length(2);
    });

    it(`does not send again after ${what} where nobody can be asked`, async () => {
      server.on('POST /deploys', trouble);
      const outcome = await alone().deploy(REQUEST, recordedRun());
      expect(outcome.kind === 'failed' && outcome.text).to.include('may have arrived, so it was not sent again');
    });
  }

  it('lives through trouble while it runs', async () => {
    server.on('POST /deploys', json(202, {}));
    server.on(STATUS, ...Array.from({ length: 12 }, () => empty(502)), cut(), state('succeeded'));
    expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
  });

  const ends: [object, string][] = [
    [{ state: 'failed', reason: 'disk full\non host-3' }, 'disk full on host-3'],
    [{ state: 'failed' }, 'the program behind the webhook failed'],
    [{ state: 'cancelled', reason: 'by bob' }, 'it was cancelled there: by bob'],
    [{ state: 'sleeping' }, 'could not be followed to its end: the webhook did not answer with a status'],
  ];
  for (const [answer, text] of ends) {
    it(`says how it ended: ${text}`, async () => {
      server.on('POST /deploys', json(202, {}));
      server.on(STATUS, json(200, answer));
      const outcome = await target().deploy(REQUEST, recordedRun());
      expect(outcome.kind !== 'succeeded' && outcome.text).to.include(text);
    });
  }

  it('fails what takes too long', async () => {
    server.on('POST /deploys', json(202, {}));
    server.always(STATUS, state('running'));
    expect(await target().deploy(REQUEST, recordedRun())).to.include({ kind: 'failed', code: 'timeout' });
  });

  it('passes a cancellation on', async () => {
    server.on('POST /deploys', json(202, {}));
    server.on(STATUS, state('running', { step: 'Copying' }), state('running'), state('cancelled'));
    server.on('POST /deploys/42/cancel', empty(202));
    const kept: RecordedRun = recordedRun((text) => {
      if (text === 'Copying') kept.abort('cancel');
    });
    expect(await target().deploy(REQUEST, kept)).to.deep.equal({ kind: 'interrupted', text: 'it was cancelled' });
  });

  it('goes on by itself when the robot stops, and is taken up again', async () => {
    server.on('POST /deploys', json(202, {}));
    server.on(STATUS, state('running', { step: 'Copying' }), state('succeeded'));
    const kept: RecordedRun = recordedRun((text) => {
      if (text === 'Copying') kept.abort('shutdown');
    });
    expect(await target().deploy(REQUEST, kept)).to.include({ kind: 'interrupted' });
    expect(await target().resume?.(REQUEST, kept.handles.at(-1), recordedRun())).to.deep.equal({ kind: 'succeeded' });
    expect(sent()).to.equal(1);
  });

  it('sends nothing when it takes up what had not arrived', async () => {
    server.always(STATUS, empty(404));
    const handle = { kind: 'webhook', startedAt: clock.now().getTime() };
    expect(await target().resume?.(REQUEST, handle, recordedRun())).to.deep.equal({
      kind: 'interrupted',
      text: 'the robot was stopped before the request had arrived',
    });
  });

  it('tells a log of 50 MB as it grows, without keeping it', async () => {
    const block = Buffer.from(`${'x'.repeat(99)}\n`.repeat(262_000));
    let parts = 0;
    server.on('POST /deploys', json(202, {}));
    server.on(STATUS, state('running'), state('succeeded'));
    const both = Buffer.concat([block, block]);
    server.always('GET /deploys/42/log', (res, call) => {
      parts += 1;
      ranges(() => (parts === 1 ? block : both))(res, call);
    });
    let lines = 0;
    const kept = recordedRun();
    const before = process.memoryUsage().rss;
    const run = { ...kept, output: () => void (lines += 1) };
    const made = target({ log: `${server.url}/deploys/{deployment}/log` });
    expect(await made.deploy(REQUEST, run)).to.deep.equal({ kind: 'succeeded' });
    expect(lines).to.equal(524_000);
    expect(kept.handles.at(-1)).to.include({ told: 52_400_000 });
    expect(process.memoryUsage().rss - before).to.be.below(200 * 1024 * 1024);
  });

  it('reads a log of a server that knows no ranges, and of one that is cut, without a line twice', async () => {
    const lines: string[] = [];
    const pieces = ['a\nb', 'a\nbc\nd\n'];
    let part = 0;
    const log = createLog(
      async (_range, _most, take) => {
        take(Buffer.from(pieces[part] ?? ''), 200);
        part += 1;
        return { whole: true, status: 200, headers: {} };
      },
      0,
      { output: (line) => lines.push(line) },
    );
    await log.read();
    await log.read();
    await log.end();
    expect(lines).to.deep.equal(['a', 'bc', 'd']);
  });

  it('leaves out the middle of a log without end', async () => {
    const asked: string[] = [];
    const lines: string[] = [];
    const log = createLog(
      async (range, most, take) => {
        asked.push(range);
        take(Buffer.from('line\n'.repeat(100).slice(0, most)), 206);
        return { whole: false, status: 206, headers: {} };
      },
      0,
      { output: (line) => lines.push(line) },
      50,
    );
    await log.read();
    await log.read();
    await log.end();
    expect(asked).to.deep.equal(['bytes=0-', 'bytes=-65536']);
    expect(lines).to.include('… the log is too long to be told as a whole; this is its end …');
  });

  it('asks what is live, and which versions there are', async () => {
    server.on(
      'GET /live/web/staging',
      json(200, { version: 'v1', since: '2026-01-31T12:00:00Z' }),
      json(200, {}),
      json(200, 'v1'),
      empty(401),
    );
    server.on('GET /versions/web', json(200, ['v2', 'v1']), json(200, { v1: true }));
    const made = target({
      current: `${server.url}/live/{service}/{environment}`,
      versions: `${server.url}/versions/{service}`,
    });
    const current = () => made.current('web', 'staging');
    const said = async (asked: Promise<unknown>) => String(await asked.catch((reason: unknown) => reason));
    expect(await current()).to.deep.equal({ version: 'v1', since: new Date('2026-01-31T12:00:00Z') });
    expect(await current()).to.equal(undefined);
    expect(await said(current())).to.include('did not answer {"version": "…"}');
    expect(await said(current())).to.include('did not accept');
    expect(await made.versions('web')).to.deep.equal(['v2', 'v1']);
    expect(await said(made.versions('web'))).to.include('a list like ["v2", "v1"]');
    expect(await target().current('web', 'staging')).to.equal('unsupported');
    expect(await target().versions('web')).to.equal('unsupported');
  });

  it('sends nothing without a secret', async () => {
    const outcome = await target({}, { HOOK_SECRET: '' }).deploy(REQUEST, recordedRun());
    expect(outcome.kind === 'failed' && outcome.text).to.include('the variable HOOK_SECRET is not set');
  });

  it('signs with a secret in Base64 as its receivers do', () => {
    const key = Buffer.from('0123456789abcdef0123456789abcdef');
    const { 'webhook-signature': signature } = sign(
      `whsec_${key.toString('base64')}`,
      'msg_1',
      new Date(1_674_087_231_900),
      '{"a":1}',
    );
    const own = createHmac('sha256', key).update('msg_1.1674087231.{"a":1}').digest('base64');
    expect(signature).to.equal(`v1,${own}`);
  });
});
