/** What the target docker decides without an engine. */

import { expect } from 'chai';
import { logLines } from '../../../../src/adapters/deploy/docker/engine.ts';
import { judge } from '../../../../src/adapters/deploy/docker/health.ts';
import { usageOf } from '../../../../src/adapters/deploy/docker/hosts.ts';
import { type Container, parseContainer, parseHandle } from '../../../../src/adapters/deploy/docker/schema.ts';
import { specOf, versionOf, wayOf } from '../../../../src/adapters/deploy/docker/settings.ts';
import { dockerTarget } from '../../../../src/config/targets/docker.ts';

function place(changes: object = {}) {
  return dockerTarget.parse({ kind: 'docker', image: 'registry.example.com/web:{version}', ...changes }).place;
}

const wanted = { service: 'web', environment: 'staging', version: 'v2', deployment: 42 };

describe('docker target, decisions', () => {
  const running: Container = {
    id: 'a',
    name: 'web-staging.new-42',
    image: 'web:v2',
    labels: {},
    status: 'running',
    running: true,
    restarts: 0,
    exitCode: 0,
    outOfMemory: false,
    error: '',
    startedAt: new Date(),
    health: undefined,
    ports: new Map(),
    address: undefined,
    tty: false,
  };
  const { health } = place();
  const probed = place({ health: { http: 'http://{host}:{port}/' } }).health;

  const judgements: [string, Partial<Container>, typeof health, number, string][] = [
    ['up for long enough', {}, health, 3_000, 'healthy'],
    ['up, but not for long', {}, health, 2_000, 'waiting: it has not been up for long'],
    ['not started yet', { status: 'created', running: false }, health, 0, 'waiting: it is created'],
    ['a probe decides', {}, probed, 60_000, 'probe'],
    ['its check has passed', { health: { status: 'healthy', said: '' } }, health, 0, 'healthy'],
    [
      'its check has not passed yet',
      { health: { status: 'starting', said: '' } },
      health,
      60_000,
      'waiting: its HEALTHCHECK has not passed yet',
    ],
    [
      'its check fails',
      { health: { status: 'unhealthy', said: 'connection\n refused\n' } },
      health,
      0,
      'bad: is unhealthy: connection refused',
    ],
    ['ended', { status: 'exited', running: false, exitCode: 7 }, probed, 0, 'bad: ended with exit code 7'],
    [
      'out of memory',
      { status: 'exited', running: false, exitCode: 137, outOfMemory: true },
      health,
      0,
      'bad: ran out of memory and was ended (exit code 137)',
    ],
    [
      'started again by the engine',
      { status: 'restarting', running: false, exitCode: 3, restarts: 2 },
      probed,
      0,
      'bad: ends again and again with exit code 3',
    ],
    ['just started again', { restarts: 2 }, health, 9_000, 'waiting: it ends again and again'],
  ];
  for (const [what, change, rules, upMs, expected] of judgements) {
    it(`judges: ${what}`, () => {
      const judged = judge({ ...running, ...change }, rules, upMs);
      expect('text' in judged ? `${judged.kind}: ${judged.text}` : judged.kind).to.equal(expected);
    });
  }

  it('judges: removed', () =>
    expect(judge(undefined, health, 0)).to.deep.equal({ kind: 'bad', text: 'was removed by somebody' }));

  it('finds the version in the name of an image', () => {
    const found = (template: string, image: string) => versionOf(place({ image: template }), image);
    expect(found('registry.example.com/web:{version}', 'registry.example.com/web:v1')).to.equal('v1');
    expect(found('web:{version}-slim', 'web:1.2-slim')).to.equal('1.2');
    expect(found('nginx:{version}', 'docker.io/library/nginx:1.27')).to.equal('1.27');
    expect(found('web@{version}', 'web@sha256:0a')).to.equal('sha256:0a');
    expect(found('web:{version}', 'web-old:v1')).to.equal(undefined);
    expect(found('web:{version}', 'web:')).to.equal(undefined);
    expect(found('web:{version}-slim', 'web:-slim')).to.equal(undefined);
  });

  it('knows when two containers cannot run side by side', () => {
    expect(wayOf(place())).to.equal('beside');
    expect(wayOf(place({ network: 'proxy' }))).to.equal('beside');
    expect(wayOf(place({ ports: ['8080:80'] }))).to.equal('trial');
    expect(wayOf(place({ network: 'host', port: 1, trial_port: 2 }))).to.equal('trial');
    expect(wayOf(place({ network: 'host' }))).to.equal('swap');
  });

  it('asks for a container', () => {
    const given = place({
      ports: ['127.0.0.1:8080:80', '53:53/udp'],
      env: { LEVEL: 'info', WHICH: '{environment}' },
      pass: ['TOKEN', 'ABSENT'],
      labels: { 'traefik.enable': 'true' },
      volumes: ['data:/data:ro'],
    });
    const environment = { TOKEN: 'secret', OTHER: 'hidden' };
    const spec = specOf({ place: given, wanted, name: 'n', trial: false, environment });
    expect(spec).to.deep.equal({
      name: 'n',
      Image: 'registry.example.com/web:v2',
      Env: ['TOKEN=secret', 'LEVEL=info', 'WHICH=staging'],
      Labels: {
        'traefik.enable': 'true',
        'dev.shipmate.service': 'web',
        'dev.shipmate.environment': 'staging',
        'dev.shipmate.version': 'v2',
        'dev.shipmate.deployment': '42',
        'dev.shipmate.role': 'live',
      },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      HostConfig: {
        Binds: ['data:/data:ro'],
        PortBindings: {
          '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }],
          '53/udp': [{ HostIp: '', HostPort: '53' }],
        },
        RestartPolicy: { Name: 'unless-stopped' },
      },
    });
    const trial = specOf({ place: given, wanted, name: 'n', trial: true, environment });
    expect(trial.HostConfig?.PortBindings).to.deep.equal({
      '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
      '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }],
    });
    expect(trial.HostConfig?.RestartPolicy).to.deep.equal({ Name: 'no' });
    // A proxy that goes by labels must not send anybody to a copy.
    expect(Object.keys(trial.Labels ?? {})).to.not.include('traefik.enable');
  });

  it('takes both streams apart, and a terminal as it is', () => {
    const piece = (stream: number, text: string) => {
      const head = Buffer.alloc(8);
      head.writeUInt8(stream, 0);
      head.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([head, Buffer.from(text)]);
    };
    expect(logLines(Buffer.concat([piece(1, 'one\ntw'), piece(2, 'oops\n'), piece(1, 'o\n')]), false)).to.deep.equal([
      'one',
      'oops',
      'two',
    ]);
    expect(logLines(Buffer.from('\u001b[31mred\u001b[0m\r\n'), true)).to.deep.equal(['red']);
    expect(logLines({ level: 'info' }, true)).to.deep.equal(['{"level":"info"}']);
    expect(logLines(Buffer.from([1, 0, 0]), false)).to.deep.equal([]);
  });

  it('reckons the use of processors as docker stats does', () => {
    const look = (used: number, system: number) => ({
      cpu_usage: { total_usage: used },
      system_cpu_usage: system,
      online_cpus: 4,
    });
    const now = {
      cpu_stats: look(300, 2_000),
      memory_stats: { usage: 5_000, limit: 9_000, stats: { inactive_file: 1_000 } },
      networks: { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 3, tx_bytes: 4 } },
    };
    expect(usageOf('web', now, look(100, 1_000))).to.deep.equal({
      name: 'web',
      cpuPercent: 80,
      memory: 4_000,
      memoryLimit: 9_000,
      received: 4,
      sent: 6,
    });
    expect(usageOf('web', now, look(100, 2_000))).to.not.have.property('cpuPercent');
  });

  it('reads what Docker answers', () => {
    const container = parseContainer({
      Id: 'a',
      Name: '/web',
      Created: '2026-01-01T00:00:00Z',
      State: {
        Status: 'restarting',
        Running: true,
        Restarting: true,
        ExitCode: 3,
        StartedAt: '0001-01-01T00:00:00Z',
        Health: { Status: 'unhealthy', Log: [{ Output: 'first' }, { Output: 'last' }] },
      },
      Config: { Image: 'web:v1', Labels: null },
      NetworkSettings: {
        Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '32768' }], '90/tcp': null },
        Networks: { proxy: { IPAddress: '172.18.0.2' } },
      },
    });
    expect(container).to.include({ name: 'web', running: false, address: '172.18.0.2', startedAt: undefined });
    expect(container.health).to.deep.equal({ status: 'unhealthy', said: 'last' });
    expect([...container.ports]).to.deep.equal([['80/tcp', 32_768]]);
  });

  it('takes only a handle of its own', () => {
    expect(parseHandle({ stage: 'switch', oldRan: true, old: 'a', fresh: 'b' })).to.include({ stage: 'switch' });
    expect(parseHandle({ runId: 7 })).to.equal(undefined);
  });

  it('replaces what an environment gives, and keeps the rest', () => {
    const config = dockerTarget.parse({
      kind: 'docker',
      image: 'web:{version}',
      env: { A: '1' },
      keep: 3,
      environments: { production: { engine: 'tcp://web-1:2376', env: { B: '2' } } },
    });
    expect(config.place).to.include({ engine: 'unix:///var/run/docker.sock', keep: 3, pull: 'missing' });
    expect(config.places['production']).to.deep.include({ engine: 'tcp://web-1:2376', env: { B: '2' }, keep: 3 });
  });

  const wrong: [string, object, RegExp][] = [
    ['an image without a version', { image: 'web:latest' }, /registry.example.com\/web:\{version\}/],
    ['an engine without a port', { engine: 'tcp://web-1' }, /tcp:\/\/host:2376/],
    ['a port that is none', { ports: ['80'] }, /8080:80/],
    ['a policy that would start kept containers', { restart: 'always' }, /no.*on-failure.*unless-stopped/],
    ['two kinds of probe', { health: { http: 'http://x/', tcp: 'x:1' } }, /not both/],
    ['an unknown key of an environment', { environments: { production: { imgae: 'x' } } }, /imgae; allowed: engine/],
  ];
  for (const [what, change, message] of wrong) {
    it(`refuses ${what}`, () => {
      const parsed = dockerTarget.safeParse({ kind: 'docker', image: 'web:{version}', ...change });
      expect(parsed.error?.issues.map((issue) => issue.message).join('\n')).to.match(message);
    });
  }
});
