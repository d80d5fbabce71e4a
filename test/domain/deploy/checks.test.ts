import { expect } from 'chai';
import { checkChecks, havePassed, type RequiredChecks } from '../../../src/domain/deploy/checks.ts';
import { type Check, type CheckState, commitIn, versionOf } from '../../../src/domain/deploy/source.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';
const named = (text: string): Check[] =>
  text.split(' ').flatMap((word) => {
    const [name = '', state = ''] = word.split(':');
    return STATES.flatMap((known) =>
      known === state ? [{ name, state: known, url: `https://ci.example/${name}` }] : [],
    );
  });
const STATES: readonly CheckState[] = ['passed', 'failed', 'running', 'skipped', 'tolerated'];

describe('required checks', () => {
  const cases: [string, RequiredChecks, string, string][] = [
    [
      'all that are named',
      ['build', 'test'],
      'build:passed test:passed lint:failed',
      '✓ build and test passed for 0123456.',
    ],
    ['one', ['build'], 'build:passed', '✓ build passed for 0123456.'],
    [
      'missing, with those there are',
      ['test'],
      'build:passed',
      '✗ for 0123456 test has not run. Have them run for this commit, or correct their names in config/services.yaml: those I know of are build.',
    ],
    [
      'nothing heard of',
      ['test'],
      '',
      '✗ for 0123456 test has not run. Have them run for this commit, or correct their names in config/services.yaml: I have heard of none for this commit.',
    ],
    [
      'running',
      ['build', 'test'],
      'build:running test:running',
      '✗ for 0123456 build is still running and test is still running. Wait until they have ended.',
    ],
    [
      'failed, with where to look',
      ['build', 'test'],
      'build:passed test:failed',
      '✗ for 0123456 test failed. Repair it and deploy the new commit; look at https://ci.example/test.',
    ],
    [
      'named and only tolerated',
      ['test'],
      'test:tolerated',
      '✗ for 0123456 test failed. Repair it and deploy the new commit; look at https://ci.example/test.',
    ],
    [
      'skipped is not passed',
      ['test'],
      'test:skipped',
      '✗ for 0123456 test was skipped. Have them run for this commit, or correct their names in config/services.yaml: those I know of are test.',
    ],
    [
      'of one name the worst counts',
      ['test'],
      'test:passed test:failed test:passed',
      '✗ for 0123456 test failed. Repair it and deploy the new commit; look at https://ci.example/test.',
    ],
    ['passed once, skipped once', ['test'], 'test:skipped test:passed', '✓ test passed for 0123456.'],
    ['all', 'all', 'build:passed docs:skipped style:tolerated', '✓ all checks passed for 0123456.'],
    [
      'all, one still running',
      'all',
      'build:passed test:running',
      '✗ for 0123456 test is still running. Wait until they have ended.',
    ],
    [
      'all, and none',
      'all',
      '',
      '✗ no check has passed for 0123456. Have them run for this commit, or correct their names in config/services.yaml: I have heard of none for this commit.',
    ],
    [
      'all skipped',
      'all',
      'docs:skipped',
      '✗ no check has passed for 0123456. Have them run for this commit, or correct their names in config/services.yaml: those I know of are docs.',
    ],
  ];
  for (const [what, required, checks, expected] of cases) {
    it(what, () => {
      const { ok, text, next } = checkChecks(required, { kind: 'known', commit, checks: named(checks) });
      expect(`${ok ? '✓' : '✗'} ${text}.${next === undefined ? '' : ` ${next}`}`).to.equal(expected);
      expect(havePassed(required, named(checks))).to.equal(ok);
    });
  }

  it('names no more than a few', () => {
    const required = Array.from({ length: 30 }, (_, index) => `check-${index}`);
    const { text } = checkChecks(required, { kind: 'known', commit, checks: [] });
    expect(text).to.match(/check-7 has not run, and 22 more$/);
  });

  it('says no while nothing is known', () => {
    expect(checkChecks('all', { kind: 'unclear', text: 'it is away', next: 'Try later.' })).to.deep.equal({
      rule: 'checks',
      ok: false,
      text: 'it is away',
      next: 'Try later.',
    });
  });
});

describe('what a target is given for a commit', () => {
  const cases: [string | undefined, string | undefined, string][] = [
    [undefined, undefined, commit],
    [undefined, 'v1', 'v1'],
    ['{commit}', 'v1', commit],
    ['sha-{short}', undefined, 'sha-0123456'],
    ['main.{short}-amd64', 'v1', 'main.0123456-amd64'],
  ];
  for (const [deployAs, tag, expected] of cases) {
    it(`${deployAs ?? 'nothing said'}, ${tag ?? 'no tag'}: ${expected}`, () => {
      const config = deployAs === undefined ? {} : { deployAs };
      expect(versionOf(config, commit, tag)).to.equal(expected);
      expect(commitIn(config, expected)).to.equal(expected === 'v1' ? undefined : /[0-9a-f]{7,}/.exec(expected)?.[0]);
    });
  }

  it('is not found in what was made otherwise', () => {
    for (const version of ['sha-', 'sha-012345', '0123456', 'sha-0123456-x', 'sha-xyz1234', 'SHA-0123456']) {
      expect(commitIn({ deployAs: 'sha-{short}' }, version), version).to.equal(undefined);
    }
  });
});
