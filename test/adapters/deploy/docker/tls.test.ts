/** A real engine that only speaks TLS, and only to whom it knows. */

import { connect } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { expect } from 'chai';
import { createDockerTarget } from '../../../../src/adapters/deploy/docker/client.ts';
import { dockerTarget } from '../../../../src/config/targets/docker.ts';
import { type Certificates, makeCertificates } from '../../../support/certificates.ts';
import { type DockerEngine, startDocker } from '../../../support/docker.ts';
import { roll, textOf } from '../../../support/docker-run.ts';

describe('docker target, an engine over TLS', function () {
  this.timeout(60_000);
  let docker: DockerEngine;
  let certificates: Certificates;
  let door: Server;
  let port = 0;

  before(async function () {
    docker = await startDocker(this);
    certificates = makeCertificates(this, ['engine', 'robot', 'other']);
    const { read } = certificates;
    const there = new URL(docker.url);
    // As dockerd --tlsverify: nobody comes in without a certificate of the authority.
    door = createServer(
      { cert: read('engine.pem'), key: read('engine-key.pem'), ca: read('ca.pem'), requestCert: true },
      (socket) => {
        const inner = connect(Number(there.port), there.hostname);
        socket.pipe(inner).pipe(socket);
        for (const end of [socket, inner]) end.on('error', () => [socket, inner].forEach((one) => one.destroy()));
      },
    );
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    const address = door.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  after(async () => {
    await docker?.remove();
    door?.close();
    certificates?.remove();
  });

  function target(cert: string) {
    const { file } = certificates;
    const config = dockerTarget.parse({
      kind: 'docker',
      engine: `tcp://localhost:${port}`,
      tls: { ca: file('ca.pem'), cert: file(`${cert}.pem`), key: file(`${cert}-key.pem`) },
      image: 'localhost/web:{version}',
      pull: 'never',
      network: 'bridge',
      health: { stable: '0.2s', every: '0.1s' },
      stop: '1s',
      timeout: '5s',
      versions: 'local',
    });
    return createDockerTarget({ service: 'web', config, root: '.', environment: {} });
  }

  it('rolls out, and goes back', async () => {
    const ours = target('robot');
    expect(await ours.versions('web')).to.include.members(['v1', 'v2']);
    for (const [turn, version] of ['v1', 'v2', 'v1'].entries()) {
      expect((await roll(ours, version, turn + 1)).outcome).to.deep.equal({ kind: 'succeeded' });
      expect(await ours.current('web', 'staging')).to.include({ version });
    }
  });

  it('is refused with a certificate that the engine does not know', async () => {
    const { outcome } = await roll(target('stranger'), 'v1', 9);
    expect(outcome.kind).to.equal('failed');
    expect(textOf(outcome)).to.match(/check (that it accepts the certificate of )?`tls`$/);
  });
});
