import { expect } from 'chai';
import { backTo, isWayBack, overtaker, wish } from '../../../src/domain/deploy/auto-rollback.ts';
import type { Afterwards } from '../../../src/domain/deploy/config.ts';
import type { Deployment } from '../../../src/domain/deploy/ports.ts';
import type { Tie } from '../../../src/domain/deploy/tie.ts';

const M = 60_000;
const start = new Date('2026-01-31T12:00:00Z');
const at = (minutes: number) => new Date(start.getTime() + minutes * M);

function deployment(id: number, version: string, previous?: string, change: Partial<Deployment> = {}): Deployment {
  return {
    id,
    service: 'hello',
    environment: 'production',
    version,
    ...(previous === undefined ? {} : { previous }),
    by: { id: 'web:1', name: 'alice' },
    origin: { chat: 'web', room: 'general' },
    state: 'succeeded',
    requestedAt: at(id),
    startedAt: at(id),
    finishedAt: at(id),
    ...change,
  };
}

const first = deployment(1, 'v1');
const second = deployment(2, 'v2', 'v1');
const always: Afterwards = {
  announce: [],
  watchMs: 10 * M,
  rollbackOn: ['alert', 'failure'],
  rollbackSeverity: ['critical', 'page'],
  alerts: [],
};
const tie: Tie = {
  deployment: 2,
  alert: 7,
  title: 'Errors',
  severity: 'critical',
  startsAt: at(3),
  isFiring: true,
  isCertain: true,
};

describe('whether the robot rolls back by itself', () => {
  function wished(
    last: Deployment,
    change: { rules?: Partial<Afterwards>; ties?: readonly Tie[]; now?: Date; newer?: readonly Deployment[] } = {},
  ): string | undefined {
    const history = [...(change.newer ?? []), last, first];
    return wish(
      { ...always, ...change.rules },
      {
        deployment: last,
        history,
        succeeded: history.filter(({ state }) => state === 'succeeded'),
        ties: change.ties ?? [],
        now: change.now ?? at(4),
      },
    )?.cause;
  }
  const failed = (change: Partial<Deployment> = {}) => deployment(2, 'v2', 'v1', { state: 'failed', ...change });
  const never = (({ startedAt: _startedAt, ...rest }) => rest)(deployment(3, 'v3', 'v2', { state: 'cancelled' }));
  const waiting = { ...never, state: 'waiting' } as const;

  const table: [string, string | undefined, string | undefined][] = [
    ['an alert fires', wished(second, { ties: [tie] }), 'alert'],
    ['no alert fires', wished(second), undefined],
    ['it is resolved', wished(second, { ties: [{ ...tie, isFiring: false }] }), undefined],
    ['it may be of another environment', wished(second, { ties: [{ ...tie, isCertain: false }] }), undefined],
    ['it is not grave', wished(second, { ties: [{ ...tie, severity: 'warning' }] }), undefined],
    [
      'one of several is grave',
      wished(second, {
        ties: [
          { ...tie, severity: 'info' },
          { ...tie, severity: 'page' },
        ],
      }),
      'alert',
    ],
    [
      'every severity counts',
      wished(second, { ties: [{ ...tie, severity: '' }], rules: { rollbackSeverity: [] } }),
      'alert',
    ],
    ['nobody asks for it', wished(second, { ties: [tie], rules: { rollbackOn: ['failure'] } }), undefined],
    ['it is heard of late', wished(second, { ties: [tie], now: at(22) }), 'alert'],
    ['it is heard of too late', wished(second, { ties: [tie], now: at(22.1) }), undefined],
    ['it still runs', wished(deployment(2, 'v2', 'v1', { state: 'running' }), { ties: [tie] }), undefined],
    ['it is a rollback', wished({ ...second, isRollback: true }, { ties: [tie] }), undefined],
    ['it goes back under another name', wished(deployment(3, 'v1', 'v2'), { ties: [tie], newer: [] }), undefined],
    ['a newer one is there', wished(second, { ties: [tie], newer: [deployment(3, 'v3', 'v2')] }), undefined],
    ['a newer one waits', wished(second, { ties: [tie], newer: [waiting] }), undefined],
    ['a newer one was dropped', wished(second, { ties: [tie], newer: [never] }), 'alert'],
    ['it failed, and what is live is not known', wished(failed()), 'failure'],
    ['it failed, and is live', wished(failed({ live: 'v2' })), 'failure'],
    ['it failed, and the target went back', wished(failed({ live: 'v1' })), undefined],
    ['it was interrupted', wished(failed({ state: 'interrupted', live: 'v2' })), 'failure'],
    ['somebody cancelled it', wished(failed({ state: 'cancelled', cancelledBy: first.by })), undefined],
    ['it failed, and nobody asks for it', wished(failed(), { rules: { rollbackOn: ['alert'] } }), undefined],
    ['a rollback failed', wished(failed({ isRollback: true, live: 'v2' })), undefined],
  ];
  for (const [what, cause, expected] of table) it(what, () => expect(cause).to.equal(expected));

  it('says why', () => {
    const facts = { history: [second], succeeded: [second], now: at(3) };
    expect(wish(always, { ...facts, deployment: second, ties: [tie] })?.reason).to.equal('Errors fires (alert 7)');
    expect(wish(always, { ...facts, deployment: failed({ reason: 'exit code 3' }), ties: [] })?.reason).to.equal(
      'deployment 2 failed: exit code 3',
    );
  });
});

describe('what it goes back to', () => {
  const third = deployment(3, 'v3', 'v2');
  it('is what was live before, also once something newer is there', () => {
    expect(backTo(second, [second, first])).to.equal('v1');
    expect(backTo(second, [third, second, first])).to.equal('v1');
  });
  it('is nothing for the first', () => expect(backTo(first, [first])).to.equal(undefined));
  it('is what a failure replaced, whoever deployed that', () => {
    expect(backTo(deployment(2, 'v2', 'elsewhere', { state: 'failed' }), [first])).to.equal('elsewhere');
    expect(backTo(deployment(2, 'v2', undefined, { state: 'failed' }), [first])).to.equal('v1');
  });
  it('of a rollback, is a step further back', () => {
    const back = deployment(4, 'v2', 'v3', { isRollback: true });
    expect(backTo(back, [back, third, second, first])).to.equal('v1');
    expect(isWayBack(deployment(4, 'v2', 'v3'), [third, second, first])).to.equal(true);
    expect(isWayBack(third, [third, second, first])).to.equal(false);
    expect(isWayBack(deployment(5, 'v3', 'v2'), [back, third, second, first]), 'tried again').to.equal(false);
  });
  it('knows the one that came next', () => {
    expect(overtaker(1, [third, second, first])?.id).to.equal(2);
    expect(overtaker(3, [third, second, first])).to.equal(undefined);
  });
});
