import { expect } from 'chai';
import { servicesSchema } from '../../../src/config/services.ts';
import { parseYaml } from '../../../src/config/yaml.ts';
import type { Labels, Member } from '../../../src/domain/alerts/ports.ts';
import type { ServicesConfig } from '../../../src/domain/deploy/config.ts';
import type { Deployment } from '../../../src/domain/deploy/ports.ts';
import { deploymentAt, placesOf, tiesOf } from '../../../src/domain/deploy/tie.ts';

const M = 60_000;
const start = new Date('2026-01-31T12:00:00Z');
const at = (minutes: number) => new Date(start.getTime() + minutes * M);

const TARGET = '{kind: command, folder: ., deploy: [x]}';

function configOf(source: string): ServicesConfig {
  const result = parseYaml(source, 'services.yaml', servicesSchema);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

const config = configOf(`environments:
  staging:
  production: {watch: 15m}
  eu: {alerts: ['cluster=~"eu-.*"']}
services:
  hello: {environments: [staging, production], target: ${TARGET}}
  only: {environments: [production], target: ${TARGET}}
  world: {environments: [eu], alerts: ['team="world"', 'severity!="info"'], target: ${TARGET}}
  pods:
    environments: [staging, production]
    target: {kind: kubernetes, namespace: 'shop-{environment}', image: 'pods:{version}'}
`);

describe('the places of an alert', () => {
  const table: [string, Labels, string[]][] = [
    ['by service and environment', { service: 'hello', environment: 'production' }, ['hello production!']],
    ['by app and env', { app: 'hello', env: 'staging' }, ['hello staging!']],
    ['by job and namespace', { job: 'hello', namespace: 'production' }, ['hello production!']],
    [
      'of a Deployment, among labels of who reports it',
      { job: 'kube-state-metrics', deployment: 'hello', env: 'staging' },
      ['hello staging!'],
    ],
    ['everywhere where no label names the environment', { service: 'hello' }, ['hello staging', 'hello production']],
    [
      'a namespace that names no environment decides nothing',
      { service: 'hello', namespace: 'web' },
      ['hello staging', 'hello production'],
    ],
    ['nowhere for an environment that is not known', { service: 'hello', environment: 'test' }, []],
    ['certain where there is one place only', { service: 'only' }, ['only production!']],
    ['not of another service', { service: 'hello2', environment: 'production' }, []],
    ['none without labels', {}, []],
    ['a name of every object is no label', { constructor: 'hello' }, []],
    ['by matchers of service and environment', { team: 'world', cluster: 'eu-1' }, ['world eu!']],
    ['all matchers count', { team: 'world', cluster: 'eu-1', severity: 'info' }, []],
    ['matchers of the environment count', { team: 'world', cluster: 'us-1' }, []],
    ['its own namespace in a cluster', { deployment: 'pods', namespace: 'shop-staging' }, ['pods staging!']],
    ['no other namespace', { deployment: 'pods', namespace: 'shop-test' }, []],
  ];
  for (const [what, labels, expected] of table) {
    it(what, () => {
      const found = placesOf(config, labels).map(
        ({ service, environment, isCertain }) => `${service} ${environment}${isCertain ? '!' : ''}`,
      );
      expect(found).to.deep.equal(expected);
    });
  }
});

function deployment(id: number, change: Partial<Deployment> = {}): Deployment {
  return {
    id,
    service: 'hello',
    environment: 'production',
    version: `v${id}`,
    by: { id: 'web:1', name: 'alice' },
    origin: { chat: 'web', room: 'general' },
    state: 'succeeded',
    requestedAt: at(0),
    startedAt: at(0),
    finishedAt: at(2),
    ...change,
  };
}

const running: Partial<Deployment> = { state: 'running' };

describe('the deployment of an alert', () => {
  const one = deployment(1);
  const unfinished = (({ finishedAt: _finishedAt, ...rest }) => rest)(deployment(1, running));
  const dropped = (({ startedAt: _startedAt, ...rest }) => rest)(deployment(2, { state: 'cancelled' }));
  const table: [string, Deployment[], number, number | undefined][] = [
    ['before it began', [one], -1, undefined],
    ['at the moment when it began', [one], 0, 1],
    ['while it ran', [one], 1, 1],
    ['while it runs', [unfinished], 60, 1],
    ['at the end of the watch', [one], 12, 1],
    ['after the watch', [one], 12.1, undefined],
    ['after a later one began', [deployment(2, { startedAt: at(5), finishedAt: at(6) }), one], 7, 2],
    ['before a later one began', [deployment(2, { startedAt: at(5), finishedAt: at(6) }), one], 4, 1],
    [
      'after a later one that failed',
      [deployment(2, { startedAt: at(5), finishedAt: at(6), state: 'failed' }), one],
      7,
      undefined,
    ],
    ['one that was dropped from the line changes nothing', [dropped, one], 7, 1],
  ];
  for (const [what, history, minute, expected] of table) {
    it(what, () => expect(deploymentAt(history, at(minute), 10 * M)?.id).to.equal(expected));
  }
  it('is none without a watch', () => expect(deploymentAt([one], at(3), 0)).to.equal(undefined));
});

describe('what an alert is tied to', () => {
  function member(labels: Labels, minute: number, status: Member['status'] = 'firing'): Member {
    const fingerprint = `${JSON.stringify(labels)}${minute}`;
    return { fingerprint, status, labels, annotations: {}, startsAt: at(minute), heardAt: at(minute) };
  }
  const there = { service: 'hello', environment: 'production', severity: 'warning' };
  const ties = (members: readonly Member[], history: readonly Deployment[]) =>
    tiesOf(config, { number: 7, title: 'Errors', members }, async (place) =>
      history.filter(({ service, environment }) => service === place.service && environment === place.environment),
    );

  it('is the deployment, once for all members, with the gravest severity', async () => {
    const members = [member(there, 5), member({ ...there, severity: 'critical' }, 4), member(there, 90), member({}, 4)];
    expect(await ties(members, [deployment(1)])).to.deep.equal([
      {
        deployment: 1,
        alert: 7,
        title: 'Errors',
        severity: 'critical',
        startsAt: at(4),
        isFiring: true,
        isCertain: true,
      },
    ]);
  });

  it('fires no more when its members do not', async () => {
    expect(await ties([member(there, 5, 'resolved')], [deployment(1)])).to.have.nested.property('[0].isFiring', false);
  });

  it('is certain only as far as those are that fire', async () => {
    const critical = { service: 'hello', severity: 'critical' };
    const uncertain = member(critical, 6);
    const history = [deployment(1)];
    const severities = async (...members: Member[]) =>
      (await ties(members, history)).map(({ severity, isFiring, isCertain }) => [severity, isFiring, isCertain]);
    expect(await severities(member(there, 5, 'resolved'), uncertain)).to.deep.equal([['critical', true, false]]);
    expect(await severities(member(there, 5), uncertain)).to.deep.equal([['warning', true, true]]);
    expect(await severities(member(there, 5, 'resolved'))).to.deep.equal([['warning', false, true]]);
  });

  it('of several places that it may be of, the one deployed to last, and not for certain', async () => {
    const history = [deployment(1), deployment(2, { environment: 'staging', startedAt: at(1) })];
    const [tie, ...more] = await ties([member({ service: 'hello' }, 5)], history);
    expect(more).to.deep.equal([]);
    expect(tie).to.include({ deployment: 2, isCertain: false });
  });
});
