/** The docker commands in a room, on containers of a real engine. */

import { expect } from 'chai';
import { createDockerTarget } from '../../src/adapters/deploy/docker/client.ts';
import { createDockerHosts } from '../../src/adapters/deploy/docker/hosts.ts';
import { dockerTarget } from '../../src/config/targets/docker.ts';
import { inMemoryCommands } from '../support/commands.ts';
import { ROOT } from '../support/deploys.ts';
import { type DockerEngine, startDocker } from '../support/docker.ts';
import { freePort } from '../support/postgres.ts';
import { Helper, type Room } from '../support/room.ts';

describe('scripts/docker.ts', function () {
  this.timeout(60_000);
  let docker: DockerEngine;
  let room: Room;

  before(async function () {
    docker = await startDocker(this);
    const port = await freePort();
    const config = dockerTarget.parse({
      kind: 'docker',
      engine: docker.engine,
      image: 'localhost/web:{version}',
      network: 'host',
      command: [
        '/bin/sh',
        '-c',
        'echo key is $API_KEY; echo password=hunter2-hunter2; exec /bin/busybox httpd -f -h /www -p $PORT',
      ],
      env: { PORT: String(port) },
      pass: ['API_KEY'],
      health: { tcp: `{host}:${port}`, every: '0.1s' },
      stop: '1s',
      environments: { broken: { engine: 'tcp://127.0.0.1:1' } },
    });
    const options = { root: '.', environment: { API_KEY: 'quite-secret' } };
    const target = createDockerTarget({ service: 'web', config, ...options });
    for (const [deployment, version] of [
      [7, 'v1'],
      [8, 'v2'],
    ] as const) {
      const outcome = await target.deploy(
        { deployment, service: 'web', environment: 'staging', version },
        {
          signal: new AbortController().signal,
          remember: async () => undefined,
          progress: () => undefined,
          output: () => undefined,
        },
      );
      expect(outcome).to.deep.equal({ kind: 'succeeded' });
    }
    const environments = ['staging', 'production', 'broken'];
    const command = { kind: 'command', folder: '.', deploy: ['x'], timeoutMs: 1, pass: [], variables: {} } as const;
    const hosts = createDockerHosts({
      services: [
        { name: 'web', environments, target: config },
        { name: 'other', environments, target: command },
      ],
      ...options,
      redact: (text) => text.replace(/hunter2\S*/g, '[secret]'),
    });
    const commands = inMemoryCommands({
      policy: { everyone: ['docker:staging'], people: { 'test:alice': ['admin'] } },
      services: { docker: hosts },
      names: { services: () => ['web', 'other'], environments: () => environments },
    });
    room = await new Helper(`${ROOT}scripts/docker.ts`).createRoom({ name: 'ops', prepare: commands.prepare });
  });
  after(async () => {
    await room?.destroy();
    await docker?.remove();
  });

  async function say(who: string, text: string): Promise<string> {
    const before = room.messages.length;
    await room.user.say(who, `hubot ${text}`);
    return room.messages
      .slice(before + 1)
      .map(([, said]) => said)
      .join('\n')
      .replaceAll('\\', '');
  }

  it('shows the containers, the live one first', async () => {
    const answer = await say('bob', 'docker containers web in staging');
    expect(answer).to.match(/web-staging: \*\*v2\*\* \(localhost\/web:v2\), Up .*, made .* UTC, deployment 8/);
    expect(answer).to.match(/web-staging\.previous-7: \*\*v1\*\* \(localhost\/web:v1\), Exited .*, deployment 7/);
    expect(await say('alice', 'docker containers web production')).to.include('There is none.');
  });

  it('shows the log, without secrets', async () => {
    const answer = await say('bob', 'docker logs web staging');
    expect(answer).to.include('Log of web-staging').and.include('key is [API_KEY]').and.include('password=[secret]');
    const last = await say('bob', 'docker logs web staging 1');
    expect(last).to.include('password').and.not.include('key is');
  });

  it('shows the use just now', async () => {
    const answer = await say('bob', 'docker stats web staging');
    expect(answer)
      .to.match(/Processor: \d+\.\d %/)
      .and.match(/Memory: [\d.]+ [KM]iB of [\d.]+ [MGT]iB/);
    expect(await say('alice', 'docker stats web production')).to.include('There is no container of web in production');
  });

  it('asks for the permission of the environment', async () => {
    for (const what of ['containers', 'logs', 'stats'])
      expect(await say('bob', `docker ${what} web production`)).to.include('docker:production');
  });

  it('says where there is no Docker, and when the engine is away', async () => {
    expect(await say('bob', 'docker logs other staging')).to.match(/other does not run on Docker in staging.*`web`/s);
    expect(await say('alice', 'docker logs web broken')).to.match(/refuses connections; is it running\?/);
  });
});
