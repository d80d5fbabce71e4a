import { expect } from 'chai';
import { stepsOf, versionBefore, versionsOnceLive } from '../../../src/domain/deploy/before.ts';
import type { Deployment } from '../../../src/domain/deploy/ports.ts';

/** `v1>v2` is v2 deployed where v1 was live; newest last. */
function record(...steps: string[]): { version: string; previous?: string }[] {
  return steps
    .map((step) => {
      const [first = '', second] = step.split('>');
      return second === undefined ? { version: first } : { version: second, previous: first };
    })
    .toReversed();
}

const table: [string, string | undefined, string[], string | undefined][] = [
  ['nothing in the record', 'v1', [], undefined],
  ['nothing before it', 'v1', ['v1'], undefined],
  ['what was live when the robot deployed first', 'v2', ['v1>v2'], 'v1'],
  ['the one before', 'v3', ['v1', 'v1>v2', 'v2>v3'], 'v2'],
  ['two steps back after a rollback', 'v2', ['v1', 'v1>v2', 'v2>v3', 'v3>v2'], 'v1'],
  ['the end of the way back', 'v1', ['v1', 'v1>v2', 'v2>v1'], undefined],
  ['forward again after a rollback', 'v3', ['v1', 'v1>v2', 'v2>v1', 'v1>v3'], 'v1'],
  ['the same version twice', 'v2', ['v1', 'v1>v2', 'v2'], 'v1'],
  ['something that others deployed', 'v9', ['v1', 'v1>v2'], 'v2'],
  ['others deployed in between', 'v2', ['v1', 'v9>v2'], 'v9'],
  ['nothing is live', undefined, ['v1', 'v1>v2'], 'v2'],
];

describe('the version before', () => {
  for (const [what, live, steps, expected] of table) {
    it(what, () => expect(versionBefore(live, record(...steps))).to.equal(expected));
  }

  it('all that were once live, the latest first', () => {
    expect(versionsOnceLive(record('v0>v1', 'v1>v2', 'v2>v1'))).to.deep.equal(['v1', 'v2', 'v0']);
  });

  describe('where deployments failed', () => {
    const at = new Date('2026-01-31T12:00:00Z');
    const one = (change: Partial<Deployment>): Deployment => ({
      id: 1,
      service: 'hello',
      environment: 'staging',
      version: 'v3',
      by: { id: 'web:1', name: 'alice' },
      origin: { chat: 'web', room: 'ops' },
      state: 'failed',
      requestedAt: at,
      startedAt: at,
      ...change,
    });
    const good = one({ version: 'v1', state: 'succeeded' });

    it('what they found there was live, though others had brought it', () => {
      const steps = stepsOf([one({ previous: 'v2' }), good]);
      expect(versionBefore('v3', steps)).to.equal('v2');
      expect(versionsOnceLive(steps)).to.deep.equal(['v2', 'v1']);
    });

    it('one that went live all the same is gone back from', () => {
      expect(versionBefore('v3', stepsOf([one({ previous: 'v2', live: 'v3' }), good]))).to.equal('v2');
    });

    it('one that put back what was live changes nothing', () => {
      const second = one({ version: 'v2', previous: 'v1', state: 'succeeded' });
      expect(versionBefore('v2', stepsOf([one({ previous: 'v2', live: 'v2' }), second, good]))).to.equal('v1');
    });

    it('what never began says nothing', () => {
      const { startedAt: _startedAt, ...never } = one({ previous: 'v2', state: 'cancelled' });
      expect(stepsOf([never])).to.deep.equal([]);
    });
  });
});
