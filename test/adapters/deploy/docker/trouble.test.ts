/** An engine in trouble: what people read, and what is tried again. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createDockerTarget } from '../../../../src/adapters/deploy/docker/client.ts';
import { dockerTarget } from '../../../../src/config/targets/docker.ts';
import type { TargetOutcome } from '../../../../src/domain/deploy/target.ts';
import { type Certificates, makeCertificates } from '../../../support/certificates.ts';

/** Answers of an engine, by status; `cut` ends the connection. */
type Answer = number | 'cut' | 'nonsense';

describe('docker target, an engine in trouble', function () {
  this.timeout(20_000);
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }

  function answering(answers: Answer[]): RequestListener {
    return (request, response) => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === 'cut') return void request.socket.destroy();
      response.setHeader('content-type', 'application/json');
      if (answer === 'nonsense') return void response.end('{"Id": 7}');
      response.statusCode = answer ?? 500;
      response.end(JSON.stringify(answer === 200 ? [] : { message: 'words of the engine' }));
    };
  }

  function target(engine: string, changes: object = {}, environment: Record<string, string> = {}) {
    const config = dockerTarget.parse({
      kind: 'docker',
      engine,
      image: 'web:{version}',
      timeout: '1s',
      versions: 'local',
      ...changes,
    });
    return createDockerTarget({ service: 'web', config, root: '.', environment });
  }

  async function trouble(asked: Promise<unknown>): Promise<string> {
    return await asked.then(
      (answer) => `answered ${JSON.stringify(answer)}`,
      (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
    );
  }

  const cases: [Answer, RegExp][] = [
    [400, /refused the request \(400: words of the engine\)/],
    [401, /does not allow this \(401: words of the engine\); check `tls`/],
    [403, /does not allow this \(403: words of the engine\); check `tls`/],
    [404, /does not know it \(404: words of the engine\)/],
    [409, /in conflict with something else \(409: words of the engine\)/],
    [422, /refused the request \(422: words of the engine\)/],
    [429, /too busy \(429: words of the engine\); try again later/],
    [500, /could not do it \(500: words of the engine\)/],
    [503, /too busy \(503: words of the engine\); try again later/],
    ['cut', /does not answer, or cut the connection \(ECONNRESET\)/],
    ['nonsense', /gave no answer that can be understood/],
  ];
  for (const [answer, words] of cases) {
    it(`says so: ${answer}`, async () => {
      const port = await listen(createServer(answering([answer])));
      const said = await trouble(target(`tcp://127.0.0.1:${port}`).versions('web'));
      expect(said)
        .to.match(/^TargetUnclear: the Docker engine at tcp:\/\/127\.0\.0\.1:\d+ /)
        .and.match(words);
    });
  }

  it('says so: a socket that is not there, a name that is not known', async () => {
    expect(await trouble(target('unix:///nowhere/docker.sock').versions('web'))).to.equal(
      'TargetUnclear: the Docker engine at unix:///nowhere/docker.sock refuses connections; is it running?',
    );
    expect(await trouble(target('tcp://engine.invalid:2375').versions('web'))).to.match(
      /the name in tcp:\/\/engine\.invalid:2375 is not known; check `engine`|does not answer/,
    );
  });

  it('speaks over a socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'docker-socket-'));
    const path = join(folder, 'docker.sock');
    const server = createServer(answering([200]));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    expect(await target(`unix://${path}`).versions('web')).to.deep.equal([]);
    rmSync(folder, { recursive: true });
  });

  it('does not let DOCKER_HOST and its like lead it elsewhere', async () => {
    const port = await listen(createServer(answering([200])));
    const kept = { ...process.env };
    Object.assign(process.env, { DOCKER_HOST: 'tcp://127.0.0.1:1', DOCKER_TLS_VERIFY: '1' });
    try {
      expect(await target(`tcp://127.0.0.1:${port}`).versions('web')).to.deep.equal([]);
    } finally {
      for (const name of ['DOCKER_HOST', 'DOCKER_TLS_VERIFY']) {
        if (kept[name] === undefined) delete process.env[name];
        else process.env[name] = kept[name];
      }
    }
  });

  async function deploy(
    engine: string,
    changes: object = {},
    environment: Record<string, string> = {},
  ): Promise<{ outcome: TargetOutcome; lines: string[] }> {
    const lines: string[] = [];
    const outcome = await target(engine, { pull: 'never', ...changes }, environment).deploy(
      { deployment: 1, service: 'web', environment: 'staging', version: 'v1' },
      {
        signal: new AbortController().signal,
        remember: async () => undefined,
        progress: () => undefined,
        output: (line) => lines.push(line),
      },
    );
    return { outcome, lines };
  }

  for (const answer of [429, 500, 503, 'cut'] as const) {
    it(`tries again: ${answer}, then good`, async () => {
      // The container twice and the list, then the image, which is not there.
      const port = await listen(createServer(answering([answer, 404, 404, 200, 404])));
      const { outcome, lines } = await deploy(`tcp://127.0.0.1:${port}`);
      expect(outcome).to.deep.equal({
        kind: 'failed',
        code: 'image',
        text: 'the image web:v1 is not on the engine, and `pull` is never; nothing ran before',
      });
      if (answer !== 500) expect(lines.at(-1)).to.equal('the Docker engine is back');
    });
  }

  it('does not try again what is refused', async () => {
    let asked = 0;
    const port = await listen(
      createServer((request, response) => {
        asked += 1;
        answering([403])(request, response);
      }),
    );
    const { outcome } = await deploy(`tcp://127.0.0.1:${port}`);
    expect(outcome.kind === 'failed' && outcome.text).to.match(/does not allow this \(403/);
    expect(asked).to.be.below(4);
  });

  it('wants the password of the registry', async () => {
    const { outcome } = await deploy('tcp://127.0.0.1:1', { registry: { user: 'robot', password_from: 'NO_TOKEN' } });
    expect(outcome).to.include({ kind: 'failed', text: 'the variable NO_TOKEN of `registry` is not set' });
  });

  it('logs in to the registry, and shows the password to nobody', async () => {
    let login = '';
    const port = await listen(
      createServer((request, response) => {
        const header = request.headers['x-registry-auth'];
        if (typeof header !== 'string')
          return answering([request.url?.includes('filters') ? 200 : 404])(request, response);
        login = Buffer.from(header, 'base64url').toString();
        response.end('{"status":"Pulling"}\n{"error":"denied for s3cret-token"}\n');
      }),
    );
    const { outcome, lines } = await deploy(
      `tcp://127.0.0.1:${port}`,
      {
        pull: 'missing',
        image: 'registry.example.com/web:{version}',
        registry: { user: 'robot', password_from: 'TOKEN' },
      },
      { TOKEN: 's3cret-token' },
    );
    expect(JSON.parse(login)).to.deep.equal({
      username: 'robot',
      password: 's3cret-token',
      serveraddress: 'registry.example.com',
    });
    expect(outcome.kind === 'failed' && outcome.text).to.equal(
      'the image registry.example.com/web:v1 could not be pulled: denied for [TOKEN]; nothing ran before',
    );
    expect(lines).to.deep.equal(['Pulling']);
  });

  describe('TLS', () => {
    let certificates: Certificates;
    const file = (name: string) => certificates.file(name);

    before(function () {
      certificates = makeCertificates(this, ['engine', 'robot']);
    });
    after(() => certificates?.remove());

    async function engine(): Promise<number> {
      const { read } = certificates;
      const server = createTlsServer(
        { cert: read('engine.pem'), key: read('engine-key.pem'), ca: read('ca.pem'), requestCert: true },
        answering([200]),
      );
      return await listen(server);
    }

    const tls = (ca = 'ca.pem') => ({ ca: file(ca), cert: file('robot.pem'), key: file('robot-key.pem') });

    it('speaks TLS, with a certificate of its own', async () => {
      expect(await target(`tcp://localhost:${await engine()}`, { tls: tls() }).versions('web')).to.deep.equal([]);
    });

    it('does not speak to an engine that it does not know', async () => {
      const said = await trouble(
        target(`tcp://localhost:${await engine()}`, { tls: tls('stranger.pem') }).versions('web'),
      );
      expect(said).to.match(/do not accept each other’s certificates \([A-Z_]+\); check `tls`/);
    });

    it('does not speak to an engine of another name', async () => {
      const said = await trouble(target(`tcp://127.0.0.1:${await engine()}`, { tls: tls() }).versions('web'));
      expect(said).to.match(/certificates \(ERR_TLS_CERT_ALTNAME_INVALID\)/);
    });

    it('names a file that is not there', async () => {
      const said = await trouble(target('tcp://localhost:1', { tls: tls('nowhere.pem') }).versions('web'));
      expect(said).to.match(/^TargetUnclear: the file \S+nowhere\.pem of `tls` cannot be read$/);
    });
  });
});
