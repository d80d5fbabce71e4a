import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import pino from 'pino';
import { createHttpServer, type HttpOptions, type HttpServer, ListenProblem } from '../../src/bot/http.ts';
import { quiet } from '../support/database.ts';
import { Helper } from '../support/room.ts';

const log = pino({ level: 'silent' });
let http: HttpServer;
let base: string;

async function start(options: HttpOptions = {}, routes: (http: HttpServer) => void = () => {}): Promise<void> {
  http = await createHttpServer({ port: 0, ...options }, log);
  routes(http);
  const { host, port } = await http.listen();
  base = `http://${host}:${port}`;
}

async function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  type = 'application/json',
): Promise<[number, unknown]> {
  const response = await fetch(base + path, { method: 'POST', body, headers: { 'content-type': type } });
  return [response.status, await response.json()];
}

afterEach(() => http?.close(0));

describe('HTTP', () => {
  it('listens on 127.0.0.1 unless told otherwise', async () => {
    await start();
    expect(base).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('parses JSON and forms as Hubot does, and keeps the raw body', async () => {
    await start({}, ({ router }) => {
      router.post('/echo', (request, response) => void response.json([request.body, request.rawBody?.toString()]));
    });
    expect(await post('/echo', '{"a":  1}')).to.deep.equal([200, [{ a: 1 }, '{"a":  1}']]);
    const form = await post('/echo', 'a[b]=1&c=%20', 'application/x-www-form-urlencoded');
    expect(form).to.deep.equal([200, [{ a: { b: '1' }, c: ' ' }, 'a[b]=1&c=%20']]);
  });

  it('leaves the body to routes before the parsers', async () => {
    await start({}, ({ beforeParsers }) => {
      beforeParsers.post('/raw', async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(Buffer.from(chunk));
        response.json({ parsed: request.body ?? null, raw: Buffer.concat(chunks).toString('hex') });
      });
    });
    expect(await post('/raw', Uint8Array.from([0xff, 0x7b]))).to.deep.equal([200, { parsed: null, raw: 'ff7b' }]);
  });

  it('answers bad bodies without a stack', async () => {
    await start(
      { limit: 100, parameterLimit: 2 },
      ({ router }) => void router.post('/', (_request, response) => void response.json({})),
    );
    expect(await post('/', '{"a":')).to.deep.equal([400, { error: 'the body is not valid JSON' }]);
    expect(await post('/', `"${'x'.repeat(200)}"`)).to.deep.equal([413, { error: 'the body is too large' }]);
    expect(await post('/', '{}', 'application/json; charset=utf-99')).to.deep.equal([
      415,
      { error: 'the character set is not supported' },
    ]);
    expect(await post('/', 'a=1&b=2&c=3', 'application/x-www-form-urlencoded')).to.deep.equal([
      413,
      { error: 'the form has too many parameters' },
    ]);
    expect((await post('/', `${'['.repeat(50)}${']'.repeat(50)}`))[0]).to.equal(200);
  });

  it('answers errors of routes as JSON, and says nothing of their cause', async () => {
    await start({}, ({ router }) => {
      router.get('/throw', () => {
        throw new Error('secret');
      });
      router.get('/reject', async () => Promise.reject(new Error('secret')));
    });
    for (const path of ['/throw', '/reject']) {
      const response = await fetch(base + path);
      expect([response.status, await response.json()]).to.deep.equal([500, { error: 'internal error' }]);
    }
    const missing = await fetch(`${base}/nothing?secret=1`);
    expect([missing.status, await missing.json()]).to.deep.equal([404, { error: 'Cannot GET /nothing' }]);
  });

  it('sets security headers and hides what it runs on', async () => {
    await start();
    const { headers } = await fetch(base);
    expect(headers.get('x-content-type-options')).to.equal('nosniff');
    expect(headers.get('x-frame-options')).to.equal('DENY');
    expect(headers.get('content-security-policy')).to.include("default-src 'self'");
    expect(headers.get('referrer-policy')).to.equal('no-referrer');
    expect(headers.get('x-powered-by')).to.equal(null);
  });

  it('asks for a password where one is configured, but not before the parsers', async () => {
    await start({ basicAuth: { user: 'u', password: 'p' } }, ({ router, beforeParsers }) => {
      router.get('/in', (_request, response) => void response.json('in'));
      beforeParsers.get('/out', (_request, response) => void response.json('out'));
    });
    expect((await fetch(`${base}/in`)).status).to.equal(401);
    expect((await fetch(`${base}/in`, { headers: { authorization: `Basic ${btoa('u:p')}` } })).status).to.equal(200);
    expect((await fetch(`${base}/out`)).status).to.equal(200);
  });

  it('says that the port is in use', async () => {
    await start();
    const other = await createHttpServer({ port: Number(new URL(base).port) }, log);
    const outcome = await other.listen().catch((error: unknown) => error);
    expect(outcome)
      .to.be.instanceOf(ListenProblem)
      .with.property('message')
      .that.matches(/^port \d+ on 127\.0\.0\.1 is in use$/);
    const nowhere = await createHttpServer({ host: '203.0.113.1', port: 0 }, log);
    expect(await nowhere.listen().catch((error: unknown) => error)).to.be.instanceOf(ListenProblem);
  });

  it('hands upgrades of a known path over, and refuses others', async () => {
    await start({}, ({ onUpgrade }) => {
      onUpgrade('/chat', (_request, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nhello'));
      onUpgrade('/broken', () => {
        throw new Error('broken');
      });
    });
    expect(await upgrade('/chat?x=1')).to.match(/^HTTP\/1\.1 101 [\s\S]*hello$/);
    expect(await upgrade('/chats')).to.match(/^HTTP\/1\.1 404 /);
    expect(await upgrade('/broken')).to.equal('');
  });

  it('closes with open keep-alive connections and upgraded sockets', async () => {
    await start({}, ({ onUpgrade }) => onUpgrade('/chat', () => undefined));
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((done) => request(base, { agent }, (response) => response.resume().on('end', done)).end());
    const open = upgrade('/chat');
    await new Promise<void>((seen) => http.server.once('upgrade', () => seen()));
    await http.close(50);
    expect(await open).to.equal('');
    agent.destroy();
  });

  it('lets an answer under way end before it closes', async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    await start({}, ({ router }) => {
      router.get('/slow', async (_request, response) => {
        asked.resolve();
        await answer.promise;
        response.json('done');
      });
    });
    const response = fetch(`${base}/slow`);
    await asked.promise;
    const closed = http.close(5000);
    answer.resolve();
    expect(await (await response).json()).to.equal('done');
    await closed;
  });

  it('is there for scripts before it listens, and when HTTP is off', async () => {
    const room = await new Helper([]).createRoom({
      http: { port: 0 },
      prepare: (robot) => {
        expect(robot.httpServer?.server.listening).to.equal(false);
        robot.router.get('/hubot/version', (_request, response) => void response.send(robot.version));
      },
    });
    const address = room.robot.server?.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hubot/version`;
    expect(await (await fetch(url)).text()).to.equal('14.1.0');
    await room.destroy();
    const off = await new Helper([]).createRoom();
    off.robot.router.get('/x', () => undefined);
    expect(off.robot.server).to.equal(undefined);
    await off.destroy();
  });
});

function upgrade(path: string): Promise<string> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  });
}

describe('port', () => {
  it('is the next free one where that is asked for, and a clear problem where it is not', async () => {
    const first = await createHttpServer({ port: 0 }, quiet);
    const { port } = await first.listen();
    const second = await createHttpServer({ port, lastPort: port + 20 }, quiet);
    const found = await second.listen();
    expect(found.port).to.be.above(port);
    expect(second.localUrl()).to.equal(`http://127.0.0.1:${found.port}`);
    const third = await createHttpServer({ port }, quiet);
    const problem = await third.listen().catch((error: unknown) => error);
    expect(problem).to.have.property('message', `port ${port} on 127.0.0.1 is in use`);
    await Promise.all([first.close(0), second.close(0)]);
  });
});
