/** Published ports, several services on one engine, labels, restart policies and what is kept, on a real engine. */

import { createServer } from 'node:net';
import { expect } from 'chai';
import { createDockerTarget } from '../../../../src/adapters/deploy/docker/client.ts';
import { dockerTarget } from '../../../../src/config/targets/docker.ts';
import { type DockerEngine, startDocker } from '../../../support/docker.ts';
import { roll, textOf } from '../../../support/docker-run.ts';
import { eventually } from '../../../support/eventually.ts';
import { freePort } from '../../../support/postgres.ts';

describe('docker target, published ports', function () {
  this.timeout(60_000);
  let docker: DockerEngine;
  let port = 0;

  before(async function () {
    docker = await startDocker(this);
  });
  after(async () => await docker?.remove());
  beforeEach(async () => {
    port = await freePort();
  });
  afterEach(async () => await docker?.clean());

  function target(changes: object = {}, service: string = 'web') {
    const config = dockerTarget.parse({
      kind: 'docker',
      engine: docker.engine,
      image: 'localhost/web:{version}',
      pull: 'never',
      ports: [`127.0.0.1:${port}:18100`],
      health: { http: 'http://{host}:{port}/', every: '0.1s', within: '10s' },
      stop: '1s',
      ...changes,
    });
    return createDockerTarget({ service, config, root: '.', environment: {} });
  }

  const answered = async (at: number = port) => await (await fetch(`http://127.0.0.1:${at}/`)).text();

  it('tries a copy on another port, then gives the new one the port of the old one', async () => {
    const ours = target();
    expect((await roll(ours, 'v1', 1)).outcome).to.deep.equal({ kind: 'succeeded' });
    expect(await answered()).to.equal('v1\n');
    let meanwhile = '';
    const { outcome, steps } = await roll(ours, 'v2', 2, {
      onHandle: async (handle) => {
        if ('stage' in handle && handle.stage === 'switch') meanwhile = await answered();
      },
    });
    expect(outcome).to.deep.equal({ kind: 'succeeded' });
    expect(steps.map(({ text }) => text)).to.include('Trying the new version beside the old one');
    expect(meanwhile).to.equal('v1\n');
    expect(await answered()).to.equal('v2\n');
    expect(await docker.containers()).to.deep.equal({ 'web-staging': 'running', 'web-staging.previous-1': 'exited' });
    expect((await roll(ours, 'v1', 3)).outcome).to.deep.equal({ kind: 'succeeded' });
    expect(await answered()).to.equal('v1\n');
  });

  it('leaves the old one on its port when the copy fails', async () => {
    const ours = target();
    await roll(ours, 'v1', 1);
    const { outcome } = await roll(ours, 'v3-broken', 2);
    expect(textOf(outcome)).to.equal('the new container ended with exit code 7; v1 was left as it was');
    expect(await answered()).to.equal('v1\n');
    expect(await docker.containers()).to.deep.equal({ 'web-staging': 'running' });
  });

  it('puts the old one back when something else has the new port', async () => {
    await roll(target(), 'v1', 1);
    const other = createServer();
    const taken = await freePort();
    await new Promise<void>((resolve) => other.listen(taken, '127.0.0.1', resolve));
    try {
      const { outcome } = await roll(target({ ports: [`127.0.0.1:${taken}:18100`] }), 'v2', 2);
      expect(outcome.kind).to.equal('failed');
      expect(textOf(outcome)).to.match(/address already in use.*; v1 was put back$/);
      expect(await eventually(() => answered())).to.equal('v1\n');
      expect(await docker.containers()).to.deep.equal({ 'web-staging': 'running' });
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('keeps several services of one engine apart', async () => {
    const shopPort = await freePort();
    const shop = target({ ports: [`127.0.0.1:${shopPort}:18100`] }, 'shop');
    const web = target();
    const outcomes = await Promise.all([roll(web, 'v1', 1), roll(shop, 'v2', 2, { service: 'shop' })]);
    expect(outcomes.map(({ outcome }) => outcome.kind)).to.deep.equal(['succeeded', 'succeeded']);
    expect([await answered(), await answered(shopPort)]).to.deep.equal(['v1\n', 'v2\n']);
    await roll(web, 'v2', 3);
    await roll(web, 'v1', 4);
    expect(await docker.containers()).to.deep.equal({
      'shop-staging': 'running',
      'web-staging': 'running',
      'web-staging.previous-3': 'exited',
    });
    expect(await shop.current('shop', 'staging')).to.include({ version: 'v2' });
  });

  it('sets labels and the restart policy, which a copy that is tried has not', async () => {
    const route = { labels: { 'proxy.version': '{version}' }, restart: 'on-failure' };
    let tried: Promise<Awaited<ReturnType<DockerEngine['inspect']>> | undefined> | undefined;
    await roll(target(route), 'v1', 1, {
      onStep: ({ text }) => {
        if (text?.startsWith('Trying'))
          tried = eventually(() => docker.inspect('web-staging.trial-1').catch(() => undefined));
      },
    });
    const copy = await tried;
    expect(copy?.Config.Labels).to.not.have.property('proxy.version');
    expect(copy?.HostConfig.RestartPolicy.Name).to.equal('no');
    const live = await docker.inspect('web-staging');
    expect(live.Config.Labels).to.include({
      'proxy.version': 'v1',
      'dev.shipmate.service': 'web',
      'dev.shipmate.environment': 'staging',
      'dev.shipmate.deployment': '1',
    });
    expect(live.HostConfig.RestartPolicy.Name).to.equal('on-failure');
  });

  it('keeps as many of the old ones as is wanted, the latest', async () => {
    const ours = target({ keep: 2 });
    for (const [turn, version] of ['v1', 'v2', 'v1', 'v2'].entries()) await roll(ours, version, turn + 1);
    expect(await docker.containers()).to.deep.equal({
      'web-staging': 'running',
      'web-staging.previous-2': 'exited',
      'web-staging.previous-3': 'exited',
    });
  });
});
