import { expect } from 'chai';
import { driftOf } from '../../../src/domain/deploy/drift.ts';
import { withDeployer } from '../../../src/domain/deploy/elsewhere.ts';
import { liveText } from '../../../src/domain/deploy/listing.ts';
import type { Deployment, Drift, Placement } from '../../../src/domain/deploy/ports.ts';
import type { ShownRun } from '../../../src/domain/pipelines/ports.ts';

const minute = (minutes: number): Date => new Date(Date.UTC(2026, 10, 20, 8) + minutes * 60_000);
const NOW = minute(60);
const LAST: Deployment = {
  id: 42,
  service: 'shop',
  environment: 'production',
  version: 'v3',
  by: { id: 'web:1', name: 'alice' },
  origin: { chat: 'web', room: 'ops' },
  state: 'succeeded',
  requestedAt: minute(10),
  finishedAt: minute(12),
};
const DRIFT: Drift = { id: 42, version: 'v3', by: LAST.by, finishedAt: minute(12) };

describe('drift', () => {
  const cases: [string, string, Deployment | undefined, Deployment | undefined, Drift | undefined][] = [
    ['what was deployed last runs', 'v3', LAST, undefined, undefined],
    ['another version was set by hand', 'v2', LAST, undefined, DRIFT],
    ['an image of another repository was set', 'r/other:v3', LAST, undefined, DRIFT],
    ['one Deployment of several has another version', 'v3 (shop-worker: v2)', LAST, undefined, DRIFT],
    ['a rollout is under way', 'v2', LAST, { ...LAST, id: 43, state: 'running' }, undefined],
    ['nothing was ever deployed by the robot', 'v2', undefined, undefined, undefined],
  ];
  for (const [title, version, last, running, drift] of cases) {
    it(`${drift ? 'is seen' : 'is not seen'} where ${title}`, () => {
      expect(driftOf({ version }, last, running)).to.deep.equal(drift);
    });
  }

  it('is not seen in what is older than the deployment', () => {
    const seen = (at: Date) => driftOf({ version: 'v2', stale: { since: at, text: 'it is away' } }, LAST, undefined);
    expect(seen(minute(11))).to.equal(undefined);
    expect(seen(minute(13))).to.deep.equal(DRIFT);
  });

  it('is told with what was deployed last, and by whom', () => {
    expect(liveText({ kind: 'live', version: 'v2', drift: DRIFT }, NOW)).to.equal(
      '**v2** · drifted: v3 was deployed last (\\#42 by alice)',
    );
  });

  const run: ShownRun = {
    source: 'github',
    run: '1',
    kind: 'deployment',
    repository: 'acme/shop',
    services: ['shop'],
    name: 'deploy',
    version: 'v4',
    environment: 'production',
    by: 'bob',
    state: 'succeeded',
    startedAt: minute(20),
    heardAt: minute(20),
    jobs: [],
    id: 1,
    canRerun: false,
  };
  const place = (version: string): Placement => ({
    service: 'shop',
    environment: 'production',
    live: { kind: 'live', version, drift: DRIFT },
  });

  it('is none where it is known who deployed that elsewhere, later', () => {
    const live = (version: string, runs: readonly ShownRun[]) => liveText(withDeployer(place(version), runs).live, NOW);
    expect(live('v4', [run])).to.equal('**v4**, by bob');
    const { by: _by, ...nameless } = run;
    expect(live('v4', [nameless])).to.equal('**v4**');
    expect(live('v2', [run])).to.include('drifted: v3');
    expect(live('v4', [{ ...run, startedAt: minute(5) }])).to.include('drifted: v3');
  });

  it('stands beside how old the news is', () => {
    const stale = { since: minute(55), text: 'the API server of context a does not answer (ECONNREFUSED)' };
    expect(liveText({ kind: 'live', version: 'v3', stale }, NOW)).to.equal(
      '**v3** · seen 5 min ago; the API server of context a does not answer \\(ECONNREFUSED\\)',
    );
  });
});
