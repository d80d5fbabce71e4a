/** The target docker against a real Engine API. */

import { fork } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createDockerTarget } from '../../../../src/adapters/deploy/docker/client.ts';
import { dockerTarget } from '../../../../src/config/targets/docker.ts';
import type { Target } from '../../../../src/domain/deploy/target.ts';
import { type DockerEngine, startDocker } from '../../../support/docker.ts';
import { type RollOptions, roll } from '../../../support/docker-run.ts';
import { eventually } from '../../../support/eventually.ts';
import { freePort } from '../../../support/postgres.ts';

describe('docker target, against a real engine', function () {
  this.timeout(60_000);
  let docker: DockerEngine;
  let port = 0;
  let trialPort = 0;
  let deployment = 0;

  before(async function () {
    docker = await startDocker(this);
  });
  after(async () => {
    await docker?.remove();
  });
  beforeEach(async () => {
    [port, trialPort] = [await freePort(), await freePort()];
    deployment = 40;
  });
  afterEach(async () => await docker?.clean());

  function config(changes: object = {}) {
    return dockerTarget.parse({
      kind: 'docker',
      engine: docker.engine,
      image: 'localhost/web:{version}',
      pull: 'never',
      network: 'host',
      port,
      trial_port: trialPort,
      env: { PORT: '{port}' },
      health: { http: 'http://{host}:{port}/', every: '0.1s', within: '20s' },
      stop: '1s',
      versions: 'local',
      ...changes,
    });
  }

  function target(changes: object = {}): Target {
    return createDockerTarget({ service: 'web', config: config(changes), root: '.', environment: {} });
  }

  interface Options extends RollOptions {
    readonly number?: number;
  }

  const deploy = (version: string, by: Target = target(), { number, ...options }: Options = {}) =>
    roll(by, version, number ?? (deployment += 1), options);

  const containers = () => docker.containers();

  const answered = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();

  it('rolls out: tries beside the old one, switches, keeps the old one, removes older ones', async () => {
    const ours = target();
    expect(await ours.current('web', 'staging')).to.equal(undefined);
    expect((await deploy('v1', ours)).outcome).to.deep.equal({ kind: 'succeeded' });
    expect(await answered()).to.equal('v1\n');
    let tried = '';
    const second = await deploy('v2', ours, {
      onHandle: async (handle) => {
        if ('stage' in handle && handle.stage === 'switch') tried = await answered();
      },
    });
    expect(second.outcome).to.deep.equal({ kind: 'succeeded' });
    expect(second.steps.map(({ text }) => text)).to.include('Trying the new version beside the old one');
    expect(tried).to.equal('v1\n');
    expect(await answered()).to.equal('v2\n');
    const live = await ours.current('web', 'staging');
    expect(live).to.include({ version: 'v2' });
    expect(Date.now() - Number(live && live !== 'unsupported' ? live.since : 0)).to.be.within(0, 30_000);
    expect(await containers()).to.deep.equal({
      'web-staging': 'running',
      'web-staging.previous-41': 'exited',
    });
    await deploy('v1', ours);
    expect(await containers()).to.deep.equal({
      'web-staging': 'running',
      'web-staging.previous-42': 'exited',
    });
    expect(await answered()).to.equal('v1\n');
  });

  it('lists the tags that are on the engine', async () => {
    expect(await target().versions('web')).to.have.members(['v1', 'v2', 'v3-broken']);
    expect(await target({ versions: undefined }).versions('web')).to.equal('unsupported');
  });

  for (const [way, changes] of [
    ['a copy is tried', {}],
    ['nothing can be tried', { trial_port: undefined }],
    ['both can run at once', { network: undefined, env: {}, health: { stable: '0.5s', every: '0.1s' } }],
  ] as const) {
    it(`says why a broken image fails, and the old one lives on: ${way}`, async () => {
      const ours = target(changes);
      expect((await deploy('v1', ours)).outcome).to.deep.equal({ kind: 'succeeded' });
      const { outcome, lines } = await deploy('v3-broken', ours);
      expect(outcome).to.include({ kind: 'failed', code: 'unhealthy' });
      expect(outcome.kind === 'failed' && outcome.text).to.match(
        /^the new container (ended|ends again and again) with exit code 7; v1 was (left as it was|put back)$/,
      );
      expect(lines).to.include('cannot bind');
      expect(await ours.current('web', 'staging')).to.include({ version: 'v1' });
      expect(await containers()).to.deep.equal({ 'web-staging': 'running' });
      if (changes && !('network' in changes)) expect(await eventually(answered)).to.equal('v1\n');
    });
  }

  it('runs both at once where nothing stands against it', async () => {
    const ours = target({ network: undefined, env: {}, health: { stable: '0.3s', every: '0.1s' } });
    await deploy('v1', ours);
    const second = await deploy('v2', ours);
    expect(second.outcome).to.deep.equal({ kind: 'succeeded' });
    expect(await containers()).to.deep.equal({ 'web-staging': 'running', 'web-staging.previous-41': 'exited' });
  });

  it('does not wait for ever for a container that does not become healthy', async () => {
    const ours = target();
    await deploy('v1', ours);
    const never = target({ health: { tcp: '{host}:1', every: '0.1s', within: '0.5s' } });
    const { outcome } = await deploy('v2', never);
    expect(outcome.kind === 'failed' && outcome.text).to.equal(
      'the new container did not become healthy in 0.5 s: 127.0.0.1:1 takes no connections; v1 was left as it was',
    );
    expect(await answered()).to.equal('v1\n');
    expect(await containers()).to.deep.equal({ 'web-staging': 'running' });
  });

  it('names an image that is not there, and one that cannot be pulled', async () => {
    const missing = await deploy('v9');
    expect(missing.outcome).to.deep.equal({
      kind: 'failed',
      code: 'image',
      text: 'the image localhost/web:v9 is not on the engine, and `pull` is never; nothing ran before',
    });
    const { outcome } = await deploy('v9', target({ pull: 'missing', image: 'localhost:1/web:{version}' }));
    expect(outcome).to.include({ kind: 'failed', code: 'refused' });
    expect(outcome.kind === 'failed' && outcome.text).to.match(
      /localhost:1\/web:v9 could not be pulled: .*connection refused/,
    );
  });

  it('leaves the container of something else alone', async () => {
    await deploy('v1');
    const other = createDockerTarget({
      service: 'shop',
      config: config({ container: 'web-staging' }),
      root: '.',
      environment: {},
    });
    const { outcome } = await deploy('v2', other, { service: 'shop' });
    expect(outcome.kind === 'failed' && outcome.text).to.include('the service web; change `container`');
    expect(await answered()).to.equal('v1\n');
  });

  it('tells what really runs, whatever was deployed last', async () => {
    const ours = target();
    await deploy('v1', ours);
    await fetch(`${docker.url}/v1.41/containers/web-staging/stop?t=1`, { method: 'POST' });
    expect(await ours.current('web', 'staging')).to.equal(undefined);
  });

  it('cancels: nothing of the new version stays', async () => {
    const ours = target();
    await deploy('v1', ours);
    const cancel = new AbortController();
    const never = target({ health: { tcp: '{host}:1', every: '0.1s', within: '30s' } });
    const { outcome } = await deploy('v2', never, {
      signal: cancel.signal,
      onStep: ({ text }) => {
        if (text?.startsWith('Trying')) cancel.abort('cancel');
      },
    });
    expect(outcome).to.deep.equal({ kind: 'interrupted', text: 'it was cancelled; v1 was left as it was' });
    expect(await containers()).to.deep.equal({ 'web-staging': 'running' });
    expect(await answered()).to.equal('v1\n');
  });

  it('cancels in the middle of a switch: the old one is put back', async () => {
    await deploy('v1');
    const cancel = new AbortController();
    const never = target({ trial_port: undefined, health: { tcp: '{host}:1', every: '0.1s', within: '30s' } });
    const { outcome } = await deploy('v2', never, {
      signal: cancel.signal,
      onStep: ({ text }) => {
        if (text?.startsWith('Waiting')) cancel.abort('cancel');
      },
    });
    expect(outcome).to.deep.equal({ kind: 'interrupted', text: 'it was cancelled; v1 was put back' });
    expect(await eventually(answered)).to.equal('v1\n');
  });

  it('goes on when the engine was gone and is back', async () => {
    const ours = target();
    await deploy('v1', ours);
    let going: Promise<void> | undefined;
    const { outcome, lines } = await deploy('v2', ours, {
      onStep: ({ text }) => {
        if (text?.startsWith('Trying')) going = docker.gone();
      },
      onLine: (line) => {
        if (line.startsWith('trying again: ')) void going?.then(() => docker.back());
      },
    });
    expect(outcome).to.deep.equal({ kind: 'succeeded' });
    expect(lines.join('\n'))
      .to.match(/^trying again: the Docker engine at tcp:\/\/127\.0\.0\.1:\d+ (refuses connections|does not answer)/m)
      .and.include('the Docker engine is back');
    expect(await answered()).to.equal('v2\n');
    expect(await containers()).to.deep.equal({ 'web-staging': 'running', 'web-staging.previous-41': 'exited' });
  });

  it('says so when the engine stays away', async () => {
    const away = target({ engine: 'tcp://127.0.0.1:1', timeout: '0.5s' });
    const { outcome } = await deploy('v1', away);
    expect(outcome).to.deep.equal({
      kind: 'failed',
      code: 'away',
      text: 'the Docker engine at tcp://127.0.0.1:1 refuses connections; is it running?',
    });
    const error: unknown = await away.current('web', 'staging').catch((reason: unknown) => reason);
    expect(String(error)).to.include('refuses connections; is it running?');
  });

  for (const where of ['prepare', 'switch'] as const) {
    it(`is taken up by the next robot: stopped after ${where}`, async () => {
      const ours = target();
      await deploy('v1', ours);
      const stop = new AbortController();
      const first = await deploy('v2', ours, {
        signal: stop.signal,
        onHandle: async (handle) => {
          if ('stage' in handle && handle.stage === where) stop.abort('shutdown');
        },
      });
      expect(first.outcome).to.deep.equal({ kind: 'interrupted', text: 'the robot was stopped while it ran' });
      const second = await deploy('v2', target(), {
        handle: JSON.parse(JSON.stringify(first.handles.at(-1))),
        number: 42,
      });
      expect(second.outcome).to.deep.equal({ kind: 'succeeded' });
      expect(await answered()).to.equal('v2\n');
      expect(await containers()).to.deep.equal({ 'web-staging': 'running', 'web-staging.previous-41': 'exited' });
    });
  }

  it('is taken up after a kill: the same container, never a second one', async () => {
    await deploy('v1');
    const folder = await mkdtemp(join(tmpdir(), 'docker-'));
    const file = join(folder, 'robot.mjs');
    const handleFile = join(folder, 'handle.json');
    const source = new URL('../../../../src/adapters/deploy/docker/client.ts', import.meta.url).href;
    const never = config({ health: { tcp: '{host}:1', every: '0.1s', within: '30s' } });
    await writeFile(
      file,
      `import { writeFileSync } from 'node:fs';
       import { createDockerTarget } from ${JSON.stringify(source)};
       const target = createDockerTarget({ service: 'web', root: '.', environment: {}, config: ${JSON.stringify(never)} });
       await target.deploy({ deployment: 42, service: 'web', environment: 'staging', version: 'v2' }, {
         signal: new AbortController().signal, progress() {}, output() {},
         remember: async (handle) => writeFileSync(${JSON.stringify(handleFile)}, JSON.stringify(handle)),
       });`,
    );
    const robot = fork(file, { stdio: 'inherit' });
    const idOf = async (name: string): Promise<unknown> => {
      const found: unknown = await (await fetch(`${docker.url}/v1.41/containers/${name}/json`)).json();
      return found !== null && typeof found === 'object' && 'Id' in found ? found.Id : undefined;
    };
    const trial = await eventually(() => idOf('web-staging.trial-42'));
    const gone = new Promise((resolve) => robot.once('exit', resolve));
    robot.kill('SIGKILL');
    await gone;
    expect(await answered()).to.equal('v1\n');

    const removed: string[] = [];
    const { outcome } = await deploy('v2', target(), {
      handle: JSON.parse(await readFile(handleFile, 'utf8')),
      number: 42,
      onLine: (line) => removed.push(line),
    });
    expect(outcome).to.deep.equal({ kind: 'succeeded' });
    expect(trial).to.be.a('string');
    expect(await answered()).to.equal('v2\n');
    expect(await containers()).to.deep.equal({ 'web-staging': 'running', 'web-staging.previous-41': 'exited' });
    await rm(folder, { recursive: true });
  });
});
