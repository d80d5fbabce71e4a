import { expect } from 'chai';
import { versionBefore, versionsOnceLive } from '../../../src/domain/deploy/before.ts';

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
});
