import { expect } from 'chai';
import { type Plan, type PlanFacts, plan } from '../../../src/domain/deploy/plan.ts';

const facts: PlanFacts = {
  service: 'hello',
  environment: 'staging',
  version: undefined,
  versions: ['v3', 'v2', 'v1'],
  current: { version: 'v1' },
};
const since = new Date('2026-01-31T12:00:00Z');

const table: [string, Partial<PlanFacts>, Partial<Plan>][] = [
  ['a named version', { version: 'v2' }, { kind: 'deploy', version: 'v2', previous: 'v1' }],
  ['the newest version', {}, { kind: 'deploy', version: 'v3', previous: 'v1' }],
  ['the first deployment', { current: undefined }, { kind: 'deploy', version: 'v3' }],
  [
    'a target that knows no versions',
    { version: 'abc123', versions: 'unsupported' },
    { kind: 'deploy', version: 'abc123' },
  ],
  ['a target that cannot tell what is live', { current: 'unsupported' }, { kind: 'deploy', version: 'v3' }],
  ['an image tag', { version: 'registry:5000/web@sha256:ab', versions: 'unsupported' }, { kind: 'deploy' }],
  ['no version to be had', { versions: 'unsupported' }, { kind: 'refused', reason: 'no_version' }],
  ['an empty list of versions', { versions: [] }, { kind: 'refused', reason: 'no_version' }],
  ['an unknown version', { version: 'v9' }, { kind: 'refused', reason: 'unknown_version', known: ['v3', 'v2', 'v1'] }],
  ['an option', { version: '--force', versions: 'unsupported' }, { kind: 'refused', reason: 'bad_version' }],
  [
    'a way out of a folder',
    { version: 'v1/../../x', versions: 'unsupported' },
    { kind: 'refused', reason: 'bad_version' },
  ],
  ['a way up at the end', { version: 'v1/..', versions: 'unsupported' }, { kind: 'refused', reason: 'bad_version' }],
  ['dots in a name', { version: 'v1..2/x.y', versions: 'unsupported' }, { kind: 'deploy' }],
  ['a line end', { version: 'v1\nv2', versions: 'unsupported' }, { kind: 'refused', reason: 'bad_version' }],
  [
    'what is live',
    { version: 'v1', current: { version: 'v1', since } },
    { kind: 'refused', reason: 'already_live', since },
  ],
  [
    'the newest, if it is live',
    { current: { version: 'v3' } },
    { kind: 'refused', reason: 'already_live', version: 'v3' },
  ],
];

describe('plan', () => {
  for (const [what, change, expected] of table) {
    it(what, () => expect(plan({ ...facts, ...change })).to.deep.include(expected));
  }
});
