/** A deploy to a real engine through the real program, killed in the middle: the next one takes the same rollout up. */

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { type DockerEngine, startDocker } from '../support/docker.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/postgres.ts';
import { endAll, Guest, type Program, start } from '../support/program.ts';

describe('docker, through the program', function () {
  this.timeout(120_000);
  let docker: DockerEngine;
  let folder: string;
  let gate: Server;
  let open = true;
  let asked = 0;

  before(async function () {
    docker = await startDocker(this);
    folder = await mkdtemp(join(tmpdir(), 'shipmate-docker-e2e-'));
    // Stands for the health check of the service: the test says when it passes.
    gate = createServer((_request, response) => {
      asked += 1;
      response.statusCode = open ? 200 : 503;
      response.end();
    });
    await new Promise<void>((done) => gate.listen(0, '127.0.0.1', done));
    const address = gate.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const config = join(folder, 'config');
    await cp(resolve(import.meta.dirname, '../fixtures/config'), config, { recursive: true });
    await writeFile(
      join(config, 'services.yaml'),
      `environments: { staging: }
services:
  web:
    target:
      kind: docker
      engine: ${docker.engine}
      image: localhost/web:{version}
      pull: never
      network: host
      port: ${await freePort()}
      trial_port: ${await freePort()}
      env: { PORT: '{port}' }
      health: { http: 'http://127.0.0.1:${address.port}/{port}', every: 0.1s }
      stop: 1s
      versions: local
`,
    );
  });
  after(async () => {
    await endAll();
    gate?.close();
    await docker?.remove();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('deploys, fails, survives a kill, goes back, and waits for an engine that is gone', async () => {
    const options = {
      data: join(folder, 'data'),
      port: await freePort(),
      env: { SHIPMATE_CONFIG: join(folder, 'config') },
    };
    let program: Program = await start(options);
    const alice = new Guest('alice');
    await alice.connect(program);

    async function shows(words: RegExp): Promise<void> {
      await eventually(
        async () => (await alice.read('general', 0)).map(({ html }) => html).join('\n'),
        (all) => words.test(all),
        60_000,
      );
    }

    await alice.say('general', 'shipmate deploy web v1 to staging');
    await shows(/web v1 is live in staging/);
    await alice.say('general', 'shipmate deploy web v3-broken to staging');
    await shows(/the new container ended with exit code 7; v1 was left as it was[\s\S]*cannot bind/);
    await alice.say('general', 'shipmate docker containers web staging');
    await shows(/Containers of web in staging[\s\S]*localhost\/web:v1/);

    open = false;
    const before = asked;
    await alice.say('general', 'shipmate deploy web v2 to staging');
    await eventually(() => asked > before, Boolean, 30_000);
    const trial = await idOf('web-staging.trial-3');
    expect(trial).to.be.a('string');
    await program.end('SIGKILL');
    program = await start(options);
    await alice.connect(program);
    expect(await idOf('web-staging.trial-3')).to.equal(trial);
    open = true;
    await shows(/web v2 is live in staging/);
    expect(await names()).to.have.members(['/web-staging', '/web-staging.previous-1']);
    const all = (await alice.read('general', 0)).map(({ html }) => html).join('\n');
    expect(all.match(/web v2 is live in staging/g)).to.have.length(1);

    await alice.say('general', 'shipmate rollback web in staging');
    await eventually(async () => (await names()).includes('/web-staging.previous-3'), Boolean, 30_000);
    await shows(/web v1 is live in staging[\s\S]*web v1 is live in staging/);

    open = false;
    const sofar = asked;
    await alice.say('general', 'shipmate deploy web v2 to staging');
    await eventually(() => asked > sofar, Boolean, 30_000);
    await docker.gone();
    await alice.say('general', 'shipmate deploys web');
    await shows(/web in staging: not known: the Docker engine at /);
    await docker.back();
    open = true;
    await shows(/web v2 is live in staging[\s\S]*web v2 is live in staging/);
    // After a kill numbers are left out, so what it replaced is not number 4.
    const left = (await names()).toSorted();
    expect(left).to.have.length(2);
    expect(left[1])
      .to.match(/^\/web-staging\.previous-\d+$/)
      .and.not.equal('/web-staging.previous-3');
    await program.end('SIGTERM');
  });

  async function idOf(name: string): Promise<unknown> {
    const found: unknown = await (await fetch(`${docker.url}/v1.41/containers/${name}/json`)).json();
    return found !== null && typeof found === 'object' && 'Id' in found ? found.Id : undefined;
  }

  async function names(): Promise<string[]> {
    const all: unknown = await (await fetch(`${docker.url}/v1.41/containers/json?all=true`)).json();
    return Array.isArray(all) ? all.map(({ Names }) => String(Names[0])) : [];
  }
});
