/** The HEALTHCHECK of an image, as a real engine runs it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { createDockerTarget } from '../../../../src/adapters/deploy/docker/client.ts';
import { dockerTarget } from '../../../../src/config/targets/docker.ts';
import { type DockerEngine, startDocker } from '../../../support/docker.ts';
import { roll, textOf } from '../../../support/docker-run.ts';

/** What systemd would do at this pace. */
const INTERVAL_MS = 100;

describe('docker target, by the HEALTHCHECK of the image', function () {
  this.timeout(60_000);
  let docker: DockerEngine;

  before(async function () {
    docker = await startDocker(this);
    // Healthy once its web server answers; the other one looks where nothing is.
    for (const [tag, file] of [
      ['v1', 'index.html'],
      ['v2', 'index.html'],
      ['v4-sick', 'nothing.html'],
    ])
      await docker.build(
        `localhost/checked:${tag}`,
        `FROM localhost/web:${tag === 'v2' ? 'v2' : 'v1'}
HEALTHCHECK --interval=1s --retries=2 CMD ["/bin/busybox","wget","-q","-O","-","http://127.0.0.1:18100/${file}"]\n`,
      );
  });
  after(async () => await docker?.remove());

  const target = () =>
    createDockerTarget({
      service: 'web',
      config: dockerTarget.parse({
        kind: 'docker',
        engine: docker.engine,
        image: 'localhost/checked:{version}',
        pull: 'never',
        network: 'bridge',
        health: { every: '0.1s', within: '20s', stable: '0.1s' },
        stop: '1s',
      }),
      root: '.',
      environment: {},
    });

  /** Rolls out while the checks of the new container are run. */
  async function deploy(version: string, deployment: number, checks: boolean = true) {
    const over = new AbortController();
    const timer = (async () => {
      while (!over.signal.aborted) {
        if (checks) await docker.check(`web-staging.new-${deployment}`);
        await sleep(INTERVAL_MS, undefined, { signal: over.signal }).catch(() => undefined);
      }
    })();
    const rolled = await roll(target(), version, deployment).finally(() => over.abort());
    await timer;
    return rolled;
  }

  it('waits until it passes, then switches', async () => {
    expect((await deploy('v1', 1)).outcome).to.deep.equal({ kind: 'succeeded' });
    expect((await deploy('v2', 2)).outcome).to.deep.equal({ kind: 'succeeded' });
    expect(await docker.containers()).to.deep.equal({ 'web-staging': 'running', 'web-staging.previous-1': 'exited' });
    expect(await target().current('web', 'staging')).to.include({ version: 'v2' });
  });

  it('leaves the old one when it fails, and says what the check said', async () => {
    const { outcome } = await deploy('v4-sick', 3);
    expect(textOf(outcome)).to.match(/^the new container is unhealthy: .*404 Not Found; v2 was left as it was$/);
    expect(await docker.containers())
      .to.include({ 'web-staging': 'running' })
      .and.not.have.property('web-staging.new-3');
    expect(await target().current('web', 'staging')).to.include({ version: 'v2' });
  });

  it('goes back to the one that was kept', async () => {
    expect((await deploy('v1', 4)).outcome).to.deep.equal({ kind: 'succeeded' });
    expect(await target().current('web', 'staging')).to.include({ version: 'v1' });
  });
});
