import { expect } from 'chai';
import { servicesSchema } from '../../../src/config/services.ts';
import { parseYaml } from '../../../src/config/yaml.ts';
import type { EnvironmentRules } from '../../../src/domain/deploy/config.ts';
import { checkRules, isOpen, nextOpening, type RuleFacts } from '../../../src/domain/deploy/rules.ts';

/** The rules of production, as the file gives them. */
function rules(yaml: string): EnvironmentRules {
  const source = `environments: { staging: , production: { ${yaml} } }`;
  const result = parseYaml(source, 'config/services.yaml', servicesSchema);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value.environments[1]?.rules ?? { windows: [], freezes: [] };
}

const facts: RuleFacts = {
  service: 'web',
  environment: 'production',
  version: 'v2',
  now: new Date('2026-11-20T12:00:00Z'),
  succeeded: undefined,
  isRollback: false,
};

const OFFICE = "windows: ['mon-thu 09:00-16:00 Europe/Berlin', 'fri 09:00-12:00 Europe/Berlin']";
const FREEZE =
  "freezes: [{ from: '2026-12-18 18:00 Europe/Berlin', to: '2027-01-03 Europe/Berlin', reason: Holidays }]";

describe('rules of an environment', () => {
  const checks: [string, string, Partial<RuleFacts>, string[]][] = [
    ['no rules', '', {}, []],
    [
      'never deployed to the environment before',
      'after: staging',
      {},
      ['after ✗ v2 was never deployed to staging with success. First: deploy web v2 to staging.'],
    ],
    [
      'succeeded there',
      'after: staging',
      { succeeded: new Date('2026-11-20T10:30:00Z') },
      ['after ✓ v2 was deployed to staging on 2026-11-20 10:30 UTC.'],
    ],
    [
      'a rollback comes from nowhere else',
      'after: staging',
      { isRollback: true },
      ['after ✓ v2 was live in production before.'],
    ],
    [
      'a window that is open',
      OFFICE,
      { now: new Date('2026-11-19T14:59:59Z') },
      ['windows ✓ the window mon-thu 09:00-16:00 Europe/Berlin is open.'],
    ],
    [
      'a window that has closed until after the weekend',
      OFFICE,
      {},
      [
        'windows ✗ no deploy window is open (mon-thu 09:00-16:00 Europe/Berlin; fri 09:00-12:00 Europe/Berlin). Wait until 2026-11-23 09:00 Europe/Berlin.',
      ],
    ],
    ['before a freeze', FREEZE, { now: new Date('2026-12-18T16:59:00Z') }, ['freezes ✓ no freeze.']],
    [
      'in a freeze, whose last day counts as a whole',
      FREEZE,
      { now: new Date('2027-01-03T22:59:00Z') },
      ['freezes ✗ it is frozen: Holidays. Wait until 2027-01-04 00:00 Europe/Berlin.'],
    ],
    ['after a freeze', FREEZE, { now: new Date('2027-01-03T23:00:00Z') }, ['freezes ✓ no freeze.']],
    [
      'several that say no',
      `after: staging, ${FREEZE}`,
      { now: new Date('2026-12-24T12:00:00Z') },
      [
        'after ✗ v2 was never deployed to staging with success. First: deploy web v2 to staging.',
        'freezes ✗ it is frozen: Holidays. Wait until 2027-01-04 00:00 Europe/Berlin.',
      ],
    ],
  ];
  for (const [what, yaml, change, expected] of checks) {
    it(what, () => {
      const said = checkRules(rules(yaml), { ...facts, ...change }).map(
        ({ rule, ok, text, next }) => `${rule} ${ok ? '✓' : '✗'} ${text}.${next === undefined ? '' : ` ${next}`}`,
      );
      expect(said).to.deep.equal(expected);
    });
  }

  const openings: [string, string, string, boolean][] = [
    ['the first minute', 'mon-fri 09:00-16:00 UTC', '2026-11-20T09:00:00Z', true],
    ['the minute before', 'mon-fri 09:00-16:00 UTC', '2026-11-20T08:59:59Z', false],
    ['the end', 'mon-fri 09:00-16:00 UTC', '2026-11-20T16:00:00Z', false],
    ['another day', 'mon-fri 09:00-16:00 UTC', '2026-11-21T10:00:00Z', false],
    ['every day in UTC where nothing else is said', '09:00-16:00', '2026-11-21T10:00:00Z', true],
    ['until midnight', 'fri 20:00-24:00 UTC', '2026-11-20T23:59:00Z', true],
    ['past midnight, before it', 'fri 22:00-02:00 UTC', '2026-11-20T22:30:00Z', true],
    ['past midnight, after it', 'fri 22:00-02:00 UTC', '2026-11-21T01:30:00Z', true],
    ['past midnight, the night before', 'fri 22:00-02:00 UTC', '2026-11-20T01:30:00Z', false],
    ['past midnight from Sunday to Monday', 'sun 22:00-02:00 UTC', '2026-11-23T01:30:00Z', true],
    ['days around the weekend', 'sat-mon 00:00-24:00 UTC', '2026-11-22T12:00:00Z', true],
    ['days around the weekend, not in the week', 'sat-mon 00:00-24:00 UTC', '2026-11-24T12:00:00Z', false],
    ['summer time in Berlin', 'mon-sun 09:00-10:00 Europe/Berlin', '2026-07-01T07:30:00Z', true],
    ['winter time in Berlin', 'mon-sun 09:00-10:00 Europe/Berlin', '2026-12-01T07:30:00Z', false],
    ['a zone of half an hour', 'mon-sun 09:00-10:00 Asia/Kolkata', '2026-11-20T03:30:00Z', true],
    ['a day that has begun elsewhere', 'sat 08:00-10:00 Pacific/Auckland', '2026-11-20T20:00:00Z', true],
  ];
  for (const [what, window, at, expected] of openings) {
    it(`window: ${what}`, () => {
      const [only] = rules(`windows: ['${window}']`).windows;
      expect(only && isOpen(only, new Date(at))).to.equal(expected);
    });
  }

  const nexts: [string, string, string, string | undefined][] = [
    ['later today', "'mon-fri 14:00-16:00 UTC'", '2026-11-20T12:00:00Z', '2026-11-20T14:00:00.000Z'],
    ['in a week', "'fri 10:00-11:00 UTC'", '2026-11-20T12:00:00Z', '2026-11-27T10:00:00.000Z'],
    [
      'the first of two',
      "'mon 10:00-11:00 UTC', 'sun 10:00-11:00 UTC'",
      '2026-11-20T12:00:00Z',
      '2026-11-22T10:00:00.000Z',
    ],
    [
      'over the change to summer time',
      "'mon 09:00-10:00 Europe/Berlin'",
      '2026-03-27T12:00:00Z',
      '2026-03-30T07:00:00.000Z',
    ],
    [
      'over the change to winter time',
      "'mon 09:00-10:00 Europe/Berlin'",
      '2026-10-23T12:00:00Z',
      '2026-10-26T08:00:00.000Z',
    ],
  ];
  for (const [what, windows, after, expected] of nexts) {
    it(`opens next: ${what}`, () => {
      const next = nextOpening(rules(`windows: [${windows}]`).windows, new Date(after));
      expect(next?.at.toISOString()).to.equal(expected);
    });
  }

  it('opens next: never within the hour that the clocks leave out, and never closed', () => {
    const { windows } = rules("windows: ['sun 02:30-02:45 Europe/Berlin']");
    const next = nextOpening(windows, new Date('2026-03-28T12:00:00Z'));
    for (const window of windows) expect(next === undefined || isOpen(window, next.at)).to.equal(true);
  });
});
