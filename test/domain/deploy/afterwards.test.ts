import { expect } from 'chai';
import { afterwardsIn, afterwardsText } from '../../../src/domain/deploy/afterwards.ts';
import type { Afterwards } from '../../../src/domain/deploy/config.ts';

const usual = afterwardsIn({ environments: [] }, 'staging');

describe('what follows a deployment, as a dry run says it', () => {
  const table: [string, Partial<Afterwards>, boolean, string][] = [
    ['nothing is said of it', {}, false, 'Afterwards: alerts are tied to it for 10 min.'],
    ['no watch', { watchMs: 0 }, false, 'Afterwards: no alert is tied to it.'],
    [
      'all of it',
      {
        watchMs: 15 * 60_000,
        rollbackOn: ['alert', 'failure'],
        rollbackSeverity: ['critical', 'page'],
        announce: ['ops'],
      },
      false,
      'Afterwards: alerts are tied to it for 15 min. I roll it back by myself if it fails, or if such an alert fires (critical, page). Its end is told in ops.',
    ],
    [
      'the robot never rolls a rollback back',
      { rollbackOn: ['failure'], announce: ['ops', 'slack:releases'] },
      true,
      'Afterwards: alerts are tied to it for 10 min. Its end is told in ops, slack\\:releases.',
    ],
  ];
  for (const [what, change, isRollback, expected] of table) {
    it(what, () => expect(afterwardsText({ ...usual, ...change }, isRollback)).to.equal(expected));
  }
});
