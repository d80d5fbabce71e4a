import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { follow } from '../../../src/adapters/deploy/http/follow.ts';
import { once } from '../../../src/adapters/deploy/http/once.ts';
import { createPace } from '../../../src/adapters/deploy/http/pace.ts';
import { createRest, path, type Rest, type RestOptions } from '../../../src/adapters/rest/client.ts';
import { isPassing, mayHaveArrived, RestProblem } from '../../../src/adapters/rest/problem.ts';
import { recordedRun } from '../../support/recorded-run.ts';
import { cut, empty, hastyClock, json, longText, type RestServer, restServer } from '../../support/rest-server.ts';

describe('REST client of targets', function () {
  this.timeout(30_000);
  let server: RestServer;
  let clock: ReturnType<typeof hastyClock>;
  beforeEach(async () => {
    server = await restServer();
    clock = hastyClock();
  });
  afterEach(() => server.finish());

  function rest(change: Partial<RestOptions> = {}): Rest {
    return createRest({
      name: 'GitHub',
      baseUrl: `${server.url}/api/v3/`,
      token: { from: 'GITHUB_TOKEN', value: 'sekrit-value' },
      headers: (token) => ({ authorization: `Bearer ${token}` }),
      clock,
      ...change,
    });
  }

  async function problem(asked: Promise<unknown>): Promise<RestProblem> {
    const error = await asked.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof RestProblem)) throw new Error(`a RestProblem was expected, not ${String(error)}`);
    return error;
  }

  it('sends the token, the query and the body', async () => {
    server.on('POST /api/v3/repos/a%2Fb/x', json(201, { id: 7 }));
    const answer = await rest().ask({
      method: 'POST',
      path: path`/repos/${'a/b'}/x`,
      query: { page: 2 },
      body: { a: 1 },
    });
    expect([answer.status, answer.data]).to.deep.equal([201, { id: 7 }]);
    const call = server.calls[0];
    expect([call?.headers.authorization, call?.query, call?.json]).to.deep.equal([
      'Bearer sekrit-value',
      { page: '2' },
      { a: 1 },
    ]);
  });

  it('says that the token is not set, and asks nobody', async () => {
    const missing = await problem(rest({ token: { from: 'GITHUB_TOKEN', value: undefined } }).ask({ path: '/' }));
    expect(missing.message).to.include('the variable GITHUB_TOKEN is not set');
  });

  const refusals: [number, unknown, string, string][] = [
    [
      401,
      { message: 'Bad credentials' },
      'unauthorized',
      'GitHub did not accept the token in GITHUB_TOKEN (401: Bad credentials); it is wrong or has expired',
    ],
    [403, { message: 'Resource not accessible' }, 'forbidden', 'give it the rights'],
    [404, { message: 'Not Found' }, 'not_found', 'check the name in config/services.yaml'],
    [409, { message: 'Conflict: sekrit-value' }, 'conflict', '(409: Conflict: [GITHUB_TOKEN])'],
    [422, { message: 'No ref', errors: [{ message: 'no v9' }] }, 'invalid', '(422: No ref; no v9); do this'],
    [400, { message: { base: ['no\u001b[31m ref'] } }, 'invalid', 'base no [31m ref'],
    [301, '', 'moved', 'put its new name'],
  ];
  for (const [status, body, kind, text] of refusals) {
    it(`says ${status} in words`, async () => {
      server.on('GET /api/v3/x', json(status, body));
      const refused = await problem(rest().ask({ path: '/x', advice: { 422: 'do this' } }));
      expect(refused.kind).to.equal(kind);
      expect(refused.message).to.include(text);
      expect(isPassing(refused)).to.equal(false);
    });
  }

  it('waits as long as Retry-After says, for a POST too', async () => {
    server.on('POST /api/v3/x', json(429, {}, { 'retry-after': '7' }), json(201, 'ok'));
    expect((await rest().ask({ method: 'POST', path: '/x' })).status).to.equal(201);
    expect(clock.waits).to.deep.equal([7_000]);
  });

  it('waits until x-ratelimit-reset, a minute where nothing is named, and gives up when that is too long', async () => {
    const reset = String(Math.floor(Date.now() / 1_000) + 100);
    server.on(
      'GET /api/v3/x',
      json(403, {}, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }),
      json(403, { message: 'You have exceeded a secondary rate limit' }),
      json(200, 'ok'),
      json(429, {}, { 'retry-after': '3600' }),
    );
    await rest().ask({ path: '/x', patienceMs: 600_000 });
    expect(clock.waits[0]).to.be.within(95_000, 100_000);
    expect(clock.waits[1]).to.equal(60_000);
    const limited = await problem(rest().ask({ path: '/x' }));
    expect(limited.message).to.equal('GitHub takes no more requests for now (429); try again in 60 min');
  });

  it('takes a moment by the clock of the server, and no leave to ask without a pause', async () => {
    const there = Date.parse('2026-01-31T12:00:00Z');
    const date = (seconds: number) => new Date(there + seconds * 1_000).toUTCString();
    server.on(
      'GET /api/v3/x',
      json(429, {}, { date: date(0), 'retry-after': date(90) }),
      json(403, {}, { date: date(0), 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(there / 1_000 + 40) }),
      json(429, {}, { date: date(0), 'retry-after': date(-5) }),
      json(429, {}, { 'retry-after': '0' }),
      json(200, 'ok'),
    );
    await rest().ask({ path: '/x', patienceMs: 600_000 });
    expect(clock.waits.slice(0, 2)).to.deep.equal([90_000, 40_000]);
    expect(clock.waits.slice(2)).to.deep.equal([1_200, 2_400]);
  });

  it('leaves a server that has had enough alone, whatever is asked of it, and says how long', async () => {
    server.on('GET /api/v3/x', json(429, {}, { 'retry-after': '7200' }), json(200, 'ok'));
    const one = rest();
    expect((await problem(one.ask({ path: '/x' }))).message).to.include('try again in 120 min');
    await clock.sleep(3_600_000, new AbortController().signal);
    const early = await problem(one.ask({ path: '/y', method: 'POST' }));
    expect([early.kind, early.message]).to.deep.equal([
      'limited',
      'GitHub takes no more requests for now (429); try again in 60 min',
    ]);
    expect(server.calls).to.have.length(1);
    expect((await one.ask({ path: '/x', patienceMs: 3_600_000 })).data).to.equal('ok');
    expect(clock.waits.at(-1)).to.be.within(3_590_000, 3_600_000);
  });

  it('follows what goes on through a limit of hours, and through an outage of minutes', async () => {
    let looks = 0;
    const trouble = (kind: 'limited' | 'unreachable') =>
      follow({
        name: 'GitHub',
        async look() {
          looks += 1;
          if (looks < 500) throw new RestProblem(kind, 'not now');
          return { changed: true, outcome: { kind: 'succeeded' } };
        },
        stop: async () => 'stopping',
        run: recordedRun(),
        clock,
        startedAt: clock.now(),
        timeoutMs: 6 * 3_600_000,
      });
    expect(await trouble('limited')).to.deep.equal({ kind: 'succeeded' });
    looks = 0;
    expect(await trouble('unreachable')).to.deep.equal({
      kind: 'interrupted',
      text: 'it could not be followed to its end: not now',
    });
  });

  it('signs each try anew', async () => {
    server.on('POST /api/v3/x', json(429, {}, { 'retry-after': '400' }), json(201, 'ok'));
    const sign = () => ({ 'x-at': String(clock.now().getTime()) });
    await rest().ask({ method: 'POST', path: '/x', sign, patienceMs: 600_000 });
    const [first, second] = server.calls.map(({ headers }) => Number(headers['x-at']));
    expect((second ?? 0) - (first ?? 0)).to.be.at.least(400_000);
  });

  it('reads an answer that is longer packed than it is, and knows when a packed one was cut', async () => {
    const packed = gzipSync('[]');
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    server.on(
      'GET /api/v3/x',
      (res) => res.writeHead(200, { ...headers, 'content-length': packed.length }).end(packed),
      (res) => {
        res.writeHead(200, { ...headers, 'content-length': packed.length });
        res.write(packed.subarray(0, 15), () => res.destroy());
      },
      json(200, 'whole'),
    );
    expect((await rest().ask({ path: '/x' })).data).to.deep.equal([]);
    expect((await rest().ask({ path: '/x' })).data).to.equal('whole');
  });

  it('repeats a read after 500 and after a cut, but no POST', async () => {
    server.on('GET /api/v3/x', json(500, {}), cut(), json(200, 'ok'));
    expect((await rest().ask({ path: '/x' })).data).to.equal('ok');
    server.on('POST /api/v3/x', json(502, {}), cut());
    expect(mayHaveArrived(await problem(rest().ask({ method: 'POST', path: '/x' })))).to.equal(true);
    const lost = await problem(rest().ask({ method: 'POST', path: '/x' }));
    expect([lost.kind, mayHaveArrived(lost)]).to.deep.equal(['unsure', true]);
    expect(lost.message).to.include('the connection to GitHub was cut');
  });

  it('gives up when the server stays away, and says where it was', async () => {
    const away = await problem(rest({ baseUrl: 'http://127.0.0.1:1' }).ask({ method: 'POST', path: '/x' }));
    expect(away.kind).to.equal('unreachable');
    expect(away.message).to.include('cannot be reached at http://127.0.0.1:1 (ECONNREFUSED)');
    expect(clock.waits.length).to.be.greaterThan(2);
  });

  it('does not wait for ever', async () => {
    server.on(
      'POST /api/v3/x',
      () => undefined,
      (res) => {
        res.writeHead(200);
        res.write('{');
      },
    );
    const impatient = rest({ timeoutMs: 100 });
    expect((await problem(impatient.ask({ method: 'POST', path: '/x' }))).message).to.include('did not answer in time');
    expect((await problem(impatient.ask({ method: 'POST', path: '/x' }))).message).to.include('did not answer in time');
  });

  it('ends when it is stopped', async () => {
    const stop = new AbortController();
    server.on('GET /api/v3/x', () => stop.abort());
    expect((await problem(rest().ask({ path: '/x', signal: stop.signal }))).kind).to.equal('stopped');
  });

  it('reads no answer that is too large', async () => {
    server.on('GET /api/v3/x', longText('x'.repeat(1_000), 10_000, ''));
    expect((await problem(rest().ask({ path: '/x' }))).kind).to.equal('too_big');
  });

  it('is not sent again what has not changed', async () => {
    server.on('GET /api/v3/x', json(200, { n: 1 }, { etag: '"a"' }), empty(304), json(200, { n: 2 }, { etag: '"b"' }));
    const look = rest().watch({ path: '/x' });
    const seen = [await look(), await look(), await look()].map(({ data, fresh }) => [data, fresh]);
    expect(seen).to.deep.equal([
      [{ n: 1 }, true],
      [{ n: 1 }, false],
      [{ n: 2 }, true],
    ]);
    expect(server.calls.map(({ headers }) => headers['if-none-match'])).to.deep.equal([undefined, '"a"', '"a"']);
  });

  it('streams 50 MB without keeping them, does not show the token to another server, stops at the most', async () => {
    const other = await restServer();
    other.on('GET /log', longText('x'.repeat(99), 500_000, 'end'), longText('x'.repeat(99), 500_000, 'end'));
    server.on('GET /api/v3/log', ...[1, 2].map(() => empty(302, { location: `${other.url}/log` })));
    let size = 0;
    const before = process.memoryUsage().rss;
    const take = (piece: Buffer) => {
      size += piece.length;
    };
    expect(await rest().stream({ path: '/log', mostBytes: 100_000_000 }, take)).to.include({
      whole: true,
      status: 200,
    });
    expect(size).to.equal(50_000_003);
    expect(process.memoryUsage().rss - before).to.be.lessThan(120_000_000);
    size = 0;
    expect(await rest().stream({ path: '/log', mostBytes: 1_000_000 }, take)).to.include({ whole: false });
    expect(size).to.equal(1_000_000);
    expect(other.calls[0]?.headers.authorization).to.equal(undefined);
    await other.finish();
  });

  it('says when a stream is refused, and when it is cut in the middle', async () => {
    server.on('GET /api/v3/log', json(404, {}), cut());
    expect((await problem(rest().stream({ path: '/log' }, () => undefined))).kind).to.equal('not_found');
    const pieces: string[] = [];
    const broken = await problem(rest().stream({ path: '/log' }, (piece) => pieces.push(piece.toString())));
    expect([pieces.join(''), broken.message]).to.deep.equal([
      '{"id":',
      'the connection to GitHub was cut in the middle',
    ]);
  });

  it('looks for what may have arrived before it asks again', async () => {
    const { signal } = new AbortController();
    const post = () => rest().ask({ method: 'POST', path: '/x' });
    server.on('POST /api/v3/x', cut(), cut(), json(201, { id: 9 }));
    let looked = 0;
    const found = await once({
      send: async () => (await post()).data,
      find: async () => ((looked += 1) === 2 ? 'found' : undefined),
      clock,
      signal,
    });
    expect([found, looked]).to.deep.equal(['found', 2]);
    const again = await once({ send: async () => (await post()).data, find: async () => undefined, clock, signal });
    expect(again).to.deep.equal({ id: 9 });
  });

  it('looks for what was taken when the answer says nothing, and does not ask again', async () => {
    const { signal } = new AbortController();
    const send = async (): Promise<unknown> => {
      await rest().ask({ method: 'POST', path: '/x' });
      throw new RestProblem('unreadable', 'GitHub answered something else');
    };
    server.on('POST /api/v3/x', json(200, '<html>'), json(200, '<html>'));
    expect(await once({ send, find: async () => 'found', clock, signal })).to.equal('found');
    const lost = await problem(once({ send, find: async () => undefined, clock, signal }));
    expect([lost.kind, lost.message]).to.deep.equal([
      'unsure',
      'GitHub answered something else; whether it has begun all the same is not known: look there before you deploy again',
    ]);
  });

  it('asks less and less often, and soon again when something changed', () => {
    const pace = createPace(1_000, 2_000);
    const waits = [pace.next(), pace.next(), pace.next(), pace.next()];
    pace.hurry();
    expect([...waits, pace.next()]).to.deep.equal([1_000, 1_500, 2_000, 2_000, 1_000]);
  });
});
