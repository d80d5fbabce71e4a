import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import express from 'express';
import { CRASHES, FAILURES } from '../../src/bot/hook-work.ts';
import {
  createHooks,
  type Hook,
  type HookEvent,
  type HookOptions,
  type HookStore,
  type Hooks,
  WRONG_TOKENS,
} from '../../src/bot/hooks.ts';
import type { Jobs } from '../../src/bot/jobs.ts';

const TOKEN = 'correct-horse-battery';
const LIMIT = 10_000;

interface Stored extends HookEvent {
  handled?: boolean;
  parked?: string;
}

/** Keeps events in an array, as the database does in a table. */
function memoryStore(): HookStore & { readonly rows: Stored[]; broken: false | 'down' | 'silent' } {
  const rows: Stored[] = [];
  const of = (id: number): Stored | undefined => rows[id - 1];
  const set = (id: number, more: Partial<Stored>): void => {
    const row = of(id);
    if (row) rows[id - 1] = { ...row, ...more };
  };
  const store: ReturnType<typeof memoryStore> = {
    rows,
    broken: false,
    async save(event) {
      if (store.broken === 'down') throw new Error('connection refused');
      if (store.broken === 'silent') return await new Promise<number>(() => undefined);
      return rows.push({ ...event, id: rows.length + 1, attempts: 0 });
    },
    async begin(id) {
      const row = of(id);
      if (!row || row.handled || row.parked) return undefined;
      set(id, { attempts: row.attempts + 1 });
      return of(id);
    },
    handled: async (id) => set(id, { handled: true }),
    failed: async () => undefined,
    postponed: async (id) => set(id, { attempts: (of(id)?.attempts ?? 1) - 1 }),
    park: async (id, error) => set(id, { parked: error }),
    open: async () => rows.filter((row) => !row.handled && !row.parked).map((row) => row.id),
    forget: async () => undefined,
  };
  return store;
}

/** Runs a job at once, and again while it fails; `kill` leaves it as a killed process would. */
function directJobs(): Jobs & { settled(): Promise<void>; lost: boolean } {
  const handlers = new Map<string, (data: object) => Promise<void>>();
  const running: Promise<void>[] = [];
  const jobs: ReturnType<typeof directJobs> = {
    lost: false,
    define(name, { retries = 0 }, handler) {
      handlers.set(name, async (data) => {
        for (let attempt = 1; attempt <= retries + 1; attempt++) {
          try {
            return await Reflect.apply(handler, undefined, [
              data,
              { id: 'x', attempt, signal: new AbortController().signal },
            ]);
          } catch {
            // Tried again.
          }
        }
      });
    },
    async send(name, data) {
      if (jobs.lost) return;
      running.push(handlers.get(name)?.(data) ?? Promise.resolve());
    },
    schedule: async () => undefined,
    settled: async () => void (await Promise.all(running.splice(0))),
  };
  return jobs;
}

describe('hooks', () => {
  let server: Server;
  let url: string;
  let hooks: Hooks;
  let store: ReturnType<typeof memoryStore>;
  let jobs: ReturnType<typeof directJobs>;
  let handled: HookEvent[];
  let handle: Hook['handle'];
  let logged: [string, object][];
  let counted: string[];
  let clock: number;

  beforeEach(async () => {
    store = memoryStore();
    jobs = directJobs();
    handled = [];
    logged = [];
    counted = [];
    clock = Date.UTC(2026, 0, 1);
    handle = async (event) => void handled.push(event);
    const keep = (fields: object, message: string): void => void logged.push([message, fields]);
    const options: HookOptions = {
      store,
      tokens: ['another-token-of-ours', TOKEN],
      jobs,
      now: () => new Date(clock),
      log: { debug: keep, info: keep, warn: keep, error: keep },
      metrics: { received: (source, outcome) => void counted.push(`${source} ${outcome}`) },
      redact: (text) => text.replace('hunter2', '[redacted]'),
      isTransient: (error) => error instanceof Error && error.message === 'database away',
      readTimeoutMs: 300,
      saveTimeoutMs: 200,
    };
    hooks = createHooks(options);
    const common = { accepts: ['application/json'], limitBytes: LIMIT, handle: (event: HookEvent) => handle(event) };
    hooks.register({ ...common, source: 'alertmanager' });
    hooks.register({
      ...common,
      source: 'signed',
      keepHeaders: ['x-event'],
      verify(body, headers) {
        const given = Buffer.from(String(headers['x-signature']));
        const wanted = Buffer.from(createHmac('sha256', 'key').update(body).digest('hex'));
        return given.length === wanted.length && timingSafeEqual(given, wanted);
      },
    });
    hooks.register({ ...common, source: 'own', tokens: ['a-token-of-its-own'], refusal: 'Ask for the token of own.' });
    hooks.register({ ...common, source: 'picky', check: (content) => (content === 1 ? undefined : 'It must be 1.') });
    const app = express();
    app.use('/hooks', hooks.handler);
    app.use(express.json());
    server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('no port');
    url = `http://127.0.0.1:${address.port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function post(
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
    path = '/hooks/alertmanager',
  ): Promise<Response> {
    return await fetch(url + path, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${TOKEN}`, ...headers },
    });
  }

  const basic = (password: string) => `Basic ${Buffer.from(`shipmate:${password}`).toString('base64')}`;

  const accepted: readonly [string, string, Record<string, string>][] = [
    ['bearer', '/hooks/alertmanager', { Authorization: `Bearer ${TOKEN}` }],
    ['bearer in small letters', '/hooks/alertmanager', { Authorization: `bearer ${TOKEN}` }],
    ['the other token', '/hooks/alertmanager', { Authorization: 'Bearer another-token-of-ours' }],
    ['the password of basic authentication', '/hooks/alertmanager', { Authorization: basic(TOKEN) }],
    ['the last part of the path', `/hooks/alertmanager/${TOKEN}`, { Authorization: '' }],
    ['a query beside it', `/hooks/alertmanager/${TOKEN}?x=1`, { Authorization: '' }],
  ];
  for (const [name, path, headers] of accepted) {
    it(`takes the token as ${name}`, async () => {
      const response = await post('{"a":1}', headers, path);
      expect(response.status).to.equal(202);
      await jobs.settled();
      expect(handled.map((event) => event.body.toString())).to.deep.equal(['{"a":1}']);
      expect(counted).to.deep.equal(['alertmanager accepted']);
      expect(JSON.stringify(logged)).not.to.include(TOKEN);
    });
  }

  const wrong: readonly [string, string, Record<string, string>][] = [
    ['no token', '/hooks/alertmanager', { Authorization: '' }],
    ['a wrong one', '/hooks/alertmanager', { Authorization: 'Bearer correct-horse-batterz' }],
    ['a longer one', '/hooks/alertmanager', { Authorization: `Bearer ${TOKEN}x` }],
    ['a wrong password', '/hooks/alertmanager', { Authorization: basic('wrong') }],
    ['broken basic', '/hooks/alertmanager', { Authorization: 'Basic ????' }],
    ['a wrong one in the path', '/hooks/alertmanager/wrong-secret-thing', { Authorization: '' }],
    ['broken escapes in the path', '/hooks/alertmanager/%E0%A4%A', { Authorization: '' }],
  ];
  for (const [name, path, headers] of wrong) {
    it(`refuses ${name}: 401, counted, never logged`, async () => {
      const response = await post('{}', headers, path);
      expect(response.status).to.equal(401);
      expect(await response.text()).to.include('token is missing or wrong');
      expect(counted).to.deep.equal(['alertmanager unauthorized']);
      expect(logged.map(([message]) => message)).to.deep.equal(['hook refused']);
      expect(JSON.stringify(logged)).not.to.include('secret');
      expect(store.rows).to.deep.equal([]);
    });
  }

  it('tells who tries many tokens to wait, and still takes the right one', async () => {
    for (let tried = 0; tried < WRONG_TOKENS; tried++)
      expect((await post('{}', { Authorization: 'Bearer x' })).status).to.equal(401);
    const response = await post('{}', { Authorization: 'Bearer x' });
    expect(response.status).to.equal(429);
    expect(response.headers.get('retry-after')).to.equal('60');
    expect((await post('{}')).status).to.equal(202);
    expect(logged.filter(([message]) => message === 'hook refused')).to.have.lengthOf(WRONG_TOKENS);
    clock += 60_000;
    expect((await post('{}', { Authorization: 'Bearer x' })).status).to.equal(401);
  });

  it('knows no other source: 404, even with a token', async () => {
    for (const path of [
      '/hooks/nothing',
      '/hooks/',
      '/hooks',
      '/hooks/alertmanager/a/b',
      '/hooks/__proto__',
      `/hooks/constructor/${TOKEN}`,
    ]) {
      expect((await post('{}', {}, path)).status, path).to.equal(404);
    }
    expect(new Set(counted)).to.deep.equal(new Set(['unknown unknown_source']));
  });

  it('takes POST only: 405', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const response = await fetch(`${url}/hooks/alertmanager`, {
        method,
        headers: { Authorization: `Bearer ${TOKEN}` },
      });
      expect(response.status, method).to.equal(405);
      expect(response.headers.get('allow')).to.equal('POST');
    }
  });

  it('takes its content types only: 415', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=latin1',
      'x',
      '',
    ]) {
      expect((await post('{}', { 'Content-Type': type })).status, type).to.equal(415);
    }
    expect((await post('{}', { 'Content-Encoding': 'br' })).status).to.equal(415);
    expect((await post('{}', { 'Content-Type': 'Application/JSON; charset="UTF-8"' })).status).to.equal(202);
  });

  it('takes only its own tokens where a hook has some', async () => {
    expect((await post('{}', { Authorization: 'Bearer a-token-of-its-own' }, '/hooks/own')).status).to.equal(202);
    expect((await post('{}', { Authorization: '' }, '/hooks/own/a-token-of-its-own')).status).to.equal(202);
    expect((await post('{}', { Authorization: 'Bearer a-token-of-its-own' })).status).to.equal(401);
    for (const token of [TOKEN, 'another-token-of-ours', '']) {
      const response = await post('{}', { Authorization: `Bearer ${token}` }, '/hooks/own');
      expect(response.status, token).to.equal(401);
      expect(await response.text()).to.include('Ask for the token of own.');
    }
    expect(counted.filter((each) => each === 'own unauthorized')).to.have.lengthOf(3);
  });

  it('cannot be opened by nothing, too little or two ways', () => {
    const common = { accepts: ['application/json'], limitBytes: LIMIT, handle: async () => undefined };
    const register = (more: Partial<Hook>) => () => hooks.register({ ...common, source: 'new', ...more });
    expect(register({ tokens: [] })).to.throw('at least one token');
    expect(register({ tokens: ['short'] })).to.throw('at least 16 characters');
    expect(register({ tokens: ['a-token-of-its-own'], verify: () => true })).to.throw('either a token or a signature');
  });

  const bad: readonly [string, string | Uint8Array<ArrayBuffer>, RegExp][] = [
    ['nothing', '', /empty/],
    ['spaces', '  \n', /empty/],
    ['half of it', '{"a":', /not valid JSON/],
    ['two of it', '{}{}', /not valid JSON/],
    ['other text', 'alert!', /not valid JSON/],
    ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0xfe, 0x22]), /not valid UTF-8/],
    ['UTF-16', new Uint8Array(Buffer.from('{"a":1}', 'utf16le')), /not valid/],
    ['deep lists', '['.repeat(4000) + ']'.repeat(4000), /deeper than 32/],
    ['deep lists that never end', '['.repeat(9000), /deeper than 32/],
    ['deep objects', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, /deeper than 32/],
  ];
  for (const [name, body, problem] of bad) {
    it(`refuses ${name}: 400 with a sentence`, async () => {
      const response = await post(body);
      expect(response.status).to.equal(400);
      expect(await response.text()).to.match(problem);
      expect(counted).to.deep.equal(['alertmanager bad_body']);
      expect(store.rows).to.deep.equal([]);
    });
  }

  it('refuses what the hook cannot use: 400 with its sentence', async () => {
    const response = await post('2', {}, '/hooks/picky');
    expect(response.status).to.equal(400);
    expect(await response.text()).to.include('It must be 1.');
    expect((await post('1', {}, '/hooks/picky')).status).to.equal(202);
  });

  it('is not fooled by brackets in strings', async () => {
    expect((await post(JSON.stringify({ a: `\\"${'['.repeat(100)}` }))).status).to.equal(202);
  });

  it('stores nothing that pollutes, cannot be stored, or is secret', async () => {
    expect(
      (await post('{"__proto__":{"x":1},"a":"b\\u0000\\ud800","c":[{"__proto__":1,"d":"hunter2"}]}')).status,
    ).to.equal(202);
    await jobs.settled();
    expect(handled[0]?.body.toString()).to.equal('{"a":"b\ufffd","c":[{"d":"[redacted]"}]}');
    expect(Object.hasOwn(Object.prototype, 'x')).to.equal(false);
  });

  it('refuses what is announced as too large without reading it: 413', async () => {
    const response = await post('x'.repeat(LIMIT + 1));
    expect(response.status).to.equal(413);
    expect(await response.text()).to.include('larger than 10000 bytes');
    expect(response.headers.get('connection')).to.equal('close');
    expect((await post(`"${'x'.repeat(LIMIT - 2)}"`)).status).to.equal(202);
  });

  it('stops reading what turns out too large: 413 and the end of the connection', async () => {
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    let sent = 0;
    let received = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    socket.write(
      `POST /hooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    await new Promise<void>((resolve) => {
      const feed = setInterval(() => {
        sent += 4096;
        if (!socket.destroyed) socket.write(`1000\r\n${'x'.repeat(4096)}\r\n`);
      }, 5);
      socket.on('close', () => {
        clearInterval(feed);
        resolve();
      });
    });
    expect(received).to.match(/^HTTP\/1.1 413 /);
    expect(sent).to.be.below(2_000_000);
    expect(counted).to.deep.equal(['alertmanager too_large']);
  });

  it('does not wait for ever for a body: 408', async () => {
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST /hooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 100\r\n\r\n{`,
    );
    const [first] = await new Promise<Buffer[]>((resolve) => socket.once('data', (chunk: Buffer) => resolve([chunk])));
    socket.destroy();
    expect(first?.toString()).to.match(/^HTTP\/1.1 408 /);
  });

  it('outlives a sender that goes away', async () => {
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST /hooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 100\r\n\r\n{`,
      () => socket.resetAndDestroy(),
    );
    await new Promise((resolve) => socket.on('close', resolve));
    expect((await post('{}')).status).to.equal(202);
  });

  it('unpacks gzip, within bounds', async () => {
    const gzip = (text: string) => new Uint8Array(gzipSync(text));
    const headers = { 'Content-Encoding': 'gzip' };
    expect((await post(gzip('{"a":1}'), headers)).status).to.equal(202);
    await jobs.settled();
    expect(handled[0]?.body.toString()).to.equal('{"a":1}');
    expect((await post(gzip(`"${'x'.repeat(5_000_000)}"`), headers)).status).to.equal(413);
    const broken = await post('{"a":1}', headers);
    expect(broken.status).to.equal(400);
    expect(await broken.text()).to.include('not valid gzip');
    expect((await post(gzip('{"a":1}').slice(0, 12), headers)).status).to.equal(400);
  });

  it('checks a signature over the raw body instead of a token', async () => {
    const body = '{ "a": 1 }';
    const signature = createHmac('sha256', 'key').update(body).digest('hex');
    expect(
      (await post(body, { Authorization: '', 'X-Signature': signature, 'X-Event': 'push' }, '/hooks/signed')).status,
    ).to.equal(202);
    await jobs.settled();
    expect(handled[0]?.headers['x-event']).to.equal('push');
    expect(handled[0]?.headers).not.to.have.property('x-signature');
    expect((await post(`${body} `, { 'X-Signature': signature }, '/hooks/signed')).status).to.equal(401);
    expect((await post(body, {}, '/hooks/signed')).status).to.equal(401);
  });

  it('asks to send again while the database is away: 503', async () => {
    for (const broken of ['down', 'silent'] as const) {
      store.broken = broken;
      const response = await post('{}');
      expect(response.status, broken).to.equal(503);
      expect(response.headers.get('retry-after')).to.equal('5');
    }
    expect(counted).to.deep.equal(['alertmanager unavailable', 'alertmanager unavailable']);
    store.broken = false;
    expect((await post('{}')).status).to.equal(202);
  });

  it('handles what was stored and not handled when the process was killed', async () => {
    jobs.lost = true;
    expect((await post('{}')).status).to.equal(202);
    await jobs.settled();
    expect(handled).to.deep.equal([]);
    jobs.lost = false;
    await hooks.recover();
    await jobs.settled();
    await hooks.recover();
    await jobs.settled();
    expect(handled).to.have.lengthOf(1);
  });

  it('puts an event aside after some tries, and says so', async () => {
    let tried = 0;
    handle = async () => {
      tried++;
      throw new Error('poison');
    };
    await post('{}');
    await jobs.settled();
    expect(tried).to.equal(FAILURES);
    expect(store.rows[0]?.parked).to.equal('Error: poison');
    expect(logged.at(-1)).to.deep.equal([
      'hook event put aside',
      { event: 1, source: 'alertmanager', attempts: FAILURES, error: 'Error: poison' },
    ]);
    await hooks.recover();
    await jobs.settled();
    expect(tried).to.equal(FAILURES);
  });

  it('puts no event aside because the database is away', async () => {
    handle = async () => {
      throw new Error('database away');
    };
    await post('{}');
    for (let round = 0; round < 2; round++) {
      await jobs.settled();
      await hooks.recover();
    }
    await jobs.settled();
    expect(store.rows[0]?.parked).to.equal(undefined);
  });

  it('puts an event aside that ends the process again and again', async () => {
    jobs.lost = true;
    await post('{}');
    for (let crash = 0; crash < CRASHES; crash++) await store.begin(1);
    jobs.lost = false;
    await hooks.recover();
    await jobs.settled();
    expect(handled).to.deep.equal([]);
    expect(store.rows[0]?.parked).to.include('the process ended');
  });

  it('registers nothing without a way to authenticate, and nothing twice', () => {
    const hook: Hook = { source: 'other', accepts: ['application/json'], limitBytes: 1, handle: async () => undefined };
    const options = { store, jobs, now: () => new Date(0), log: { debug() {}, info() {}, warn() {}, error() {} } };
    const open = createHooks({ ...options, tokens: [] });
    expect(() => open.register(hook)).to.throw('neither a token nor a signature');
    open.register({ ...hook, verify: () => true });
    expect(() => createHooks({ ...options, tokens: ['short'] })).to.throw('at least 16 characters');
    expect(() => createHooks({ ...options, tokens: [''] })).to.throw('at least 16 characters');
    expect(() => hooks.register({ ...hook, source: 'alertmanager' })).to.throw('already');
    expect(() => hooks.register({ ...hook, source: '__proto__' })).to.throw('must look like');
  });
});
