/** The target docker, a real engine, and a registry that wants to know who pulls. */

import { expect } from 'chai';
import { createDockerTarget } from '../../../../src/adapters/deploy/docker/client.ts';
import { dockerTarget } from '../../../../src/config/targets/docker.ts';
import { type DockerEngine, startDocker } from '../../../support/docker.ts';
import { roll, textOf } from '../../../support/docker-run.ts';
import { freePort } from '../../../support/postgres.ts';
import { type Registry, startRegistry } from '../../../support/registry.ts';

describe('docker target, pulling from a registry', function () {
  this.timeout(60_000);
  let docker: DockerEngine;
  let registry: Registry;
  let asked = 0;

  before(async function () {
    const port = await freePort();
    docker = await startDocker(this, { insecure: [`127.0.0.1:${port}`] });
    const login = { user: 'robot', password: 's3cret-token' };
    registry = await startRegistry({ repository: 'team/web', tags: ['v1', 'v2', 'v3'], login }, port);
  });
  after(async () => {
    await docker?.remove();
    await registry?.close();
    expect(registry?.unexpected ?? []).to.deep.equal([]);
  });
  beforeEach(() => {
    asked = registry.asked.length;
    registry.heard = () => undefined;
  });
  afterEach(async () => await docker?.clean());

  async function target(changes: object = {}, token = 's3cret-token') {
    const config = dockerTarget.parse({
      kind: 'docker',
      engine: docker.engine,
      image: `${registry.address}/team/web:{version}`,
      registry: { user: 'robot', password_from: 'REGISTRY_TOKEN' },
      network: 'host',
      port: await freePort(),
      trial_port: await freePort(),
      env: { PORT: '{port}' },
      health: { http: 'http://{host}:{port}/', every: '0.1s', within: '20s' },
      stop: '1s',
      ...changes,
    });
    const ours = createDockerTarget({ service: 'web', config, root: '.', environment: { REGISTRY_TOKEN: token } });
    return { ours, answered: async () => (await fetch(`http://127.0.0.1:${config.place.port}/`)).text() };
  }

  const pulls = () => registry.asked.slice(asked).filter((path) => path.includes('/manifests/'));

  it('pulls what is missing, and what is there only where that is wanted', async () => {
    const { ours, answered } = await target();
    const first = await roll(ours, 'v1', 1);
    expect(first.outcome).to.deep.equal({ kind: 'succeeded' });
    expect(first.steps.map(({ text }) => text)).to.include(`Pulling ${registry.address}/team/web:v1`);
    expect(await answered()).to.equal('v1\n');
    expect(await ours.current('web', 'staging')).to.include({ version: 'v1' });
    const pulled = pulls().length;
    expect(pulled).to.be.above(0);

    await roll(ours, 'v2', 2);
    const before = pulls().length;
    expect((await roll(ours, 'v1', 3)).outcome).to.deep.equal({ kind: 'succeeded' });
    expect(await answered()).to.equal('v1\n');
    expect(pulls()).to.have.length(before);

    const always = await target({ pull: 'always' });
    expect((await roll(always.ours, 'v2', 4)).outcome).to.deep.equal({ kind: 'succeeded' });
    expect(pulls().length).to.be.above(before);
  });

  it('shows the password to nobody when the registry does not take it', async () => {
    const { ours } = await target({ pull: 'always' }, 'wr0ng-token');
    const { outcome, lines } = await roll(ours, 'v1', 5);
    expect(outcome).to.include({ kind: 'failed' });
    expect(textOf(outcome)).to.match(/team\/web:v1 could not be pulled: .*(authentication required|unauthorized)/i);
    expect(JSON.stringify([outcome, lines])).to.not.include('wr0ng-token');
  });

  it('names a version that the registry does not have', async () => {
    const { ours } = await target();
    const { outcome } = await roll(ours, 'v9', 6);
    expect(textOf(outcome)).to.match(/team\/web:v9 could not be pulled: .*manifest unknown.*; nothing ran before$/);
    expect(await docker.containers()).to.deep.equal({});
  });

  it('pulls again when the engine was gone in the middle of it', async () => {
    const { ours, answered } = await target();
    let going: Promise<void> | undefined;
    registry.heard = (path) => {
      if (path.includes('/blobs/')) going ??= docker.gone();
    };
    const { outcome, lines } = await roll(ours, 'v3', 7, {
      onLine: (line) => {
        if (line.startsWith('trying again: ')) void going?.then(() => docker.back());
      },
    });
    expect(outcome).to.deep.equal({ kind: 'succeeded' });
    expect(going).to.be.a('promise');
    expect(lines).to.include('the Docker engine is back');
    expect(await answered()).to.equal('v3\n');
  });
});
