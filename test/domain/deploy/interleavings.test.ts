/** Deploys, approvals, refusals, cancels, locks, unlocks, expiries and killed replicas in every order. */

import { expect } from 'chai';
import fc from 'fast-check';
import pino from 'pino';
import { Robot } from '../../../src/bot/robot.ts';
import { addCommands, op, play } from '../../support/deploy-world.ts';

const RUNS = 10_000;

describe('interleavings', function () {
  this.timeout(600_000);
  let robot: Robot;

  before(() => {
    robot = new Robot(null, false, 'hubot', false, { logger: pino({ level: 'silent' }) });
    addCommands(robot);
  });
  after(() => robot.shutdown());

  it(`${RUNS} of them give no two holders, nothing without its approval, nothing begun twice or forgotten, no lock that nobody can open`, async () => {
    const tally = { approved: 0, deployed: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(op, { minLength: 1, maxLength: 16 }),
        fc.record({ seed: fc.integer(), canResume: fc.boolean(), count: fc.integer({ min: 1, max: 2 }) }),
        (ops, drawn) => play(ops, { ...drawn, table: robot.table }, tally),
      ),
      { numRuns: RUNS },
    );
    // Approvals are not so hard to come by that nothing was tried.
    expect(tally.approved).to.be.above(RUNS / 50);
    expect(tally.deployed).to.be.above(RUNS / 5);
  });
});
