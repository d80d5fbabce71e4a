import { expect } from 'chai';
import { notificationProblem, reportOf } from '../../../src/adapters/pipelines/jenkins/schema.ts';
import { payload } from '../../support/pipelines.ts';

function build(more: object = {}) {
  return {
    name: 'shop',
    display_name: 'shop',
    url: 'job/team/job/shop/',
    build: {
      full_url: 'https://jenkins.example.com/job/team/job/shop/18/',
      number: 18,
      phase: 'FINALIZED',
      status: 'FAILURE',
      timestamp: '2026-11-20T08:00:00.0+00:00',
      duration: 60_000,
      url: 'job/team/job/shop/18/',
      scm: {
        url: 'git@example.com:acme/shop.git',
        branch: 'origin/main',
        commit: 'c6d86dc654b12425e706bcf951adfe5a8627a517',
        culprits: ['alice', 'bob'],
      },
      ...more,
    },
  };
}

describe('Jenkins notifications', () => {
  it('read the example of the plugin', function () {
    const content: unknown = JSON.parse(payload(this, 'jenkins/plugin-help-example.json'));
    expect(notificationProblem(content)).to.equal(undefined);
    expect(reportOf(content)).to.deep.equal({
      run: {
        source: 'jenkins',
        run: 'jenkins/JobUrl#1',
        kind: 'pipeline',
        repository: 'JobName',
        name: 'JobName',
        number: '1',
        // What its result would be now: it runs.
        state: 'running',
        round: 1,
        at: new Date(0),
      },
      jobs: [],
    });
  });

  it('read a build that is over', () => {
    expect(reportOf(build()).run).to.deep.equal({
      source: 'jenkins',
      run: 'jenkins.example.com/job/team/job/shop/#18',
      kind: 'pipeline',
      repository: 'acme/shop',
      name: 'shop',
      number: '18',
      state: 'failed',
      round: 3,
      at: new Date(0),
      url: 'https://jenkins.example.com/job/team/job/shop/18/',
      branch: 'main',
      commit: 'c6d86dc654b12425e706bcf951adfe5a8627a517',
      by: 'alice, bob',
      finishedAt: new Date('2026-11-20T08:00:00Z'),
      startedAt: new Date('2026-11-20T07:59:00Z'),
    });
  });

  const states: readonly [string | undefined, string | undefined, string][] = [
    ['QUEUED', undefined, 'queued'],
    ['STARTED', undefined, 'running'],
    [undefined, 'SUCCESS', 'running'],
    ['COMPLETED', 'SUCCESS', 'succeeded'],
    ['FINALIZED', 'SUCCESS', 'succeeded'],
    ['FINALIZED', 'UNSTABLE', 'failed'],
    ['FINALIZED', 'ABORTED', 'cancelled'],
    ['FINALIZED', 'NOT_BUILT', 'skipped'],
    ['FINALIZED', undefined, 'failed'],
  ];
  for (const [phase, status, state] of states) {
    it(`of ${phase} ${status} is ${state}`, () => expect(reportOf(build({ phase, status })).run.state).to.equal(state));
  }

  const repositories: readonly [string | undefined, string][] = [
    ['https://example.com/acme/shop.git', 'acme/shop'],
    ['https://user:secret@example.com/acme/shop/', 'acme/shop'],
    ['ssh://git@example.com:2222/acme/sub/shop.git', 'acme/sub/shop'],
    ['git@example.com:acme/shop', 'acme/shop'],
    ['nonsense', 'team/shop'],
    ['http://[', 'team/shop'],
    [undefined, 'team/shop'],
  ];
  for (const [url, repository] of repositories) {
    it(`of ${url} belong to ${repository}`, () => {
      expect(reportOf(build({ scm: { url } })).run.repository).to.equal(repository);
    });
  }

  it('name the test that failed', () => {
    const tests = { total: 120, failed: 2, failed_tests: ['shop.CartTest', 'shop.PayTest'] };
    expect(reportOf(build({ status: 'UNSTABLE', test_summary: tests })).run.problem).to.equal(
      '2 of 120 tests failed: shop.CartTest and 1 more',
    );
  });

  it('take a time in milliseconds, and none', () => {
    const at = new Date('2026-11-20T08:00:00Z');
    expect(reportOf(build({ timestamp: at.getTime() })).run.finishedAt).to.deep.equal(at);
    expect(reportOf(build({ timestamp: 'soon' })).run).to.not.have.property('finishedAt');
  });

  for (const [name, content, where] of [
    ['a list', [], 'the body'],
    ['no build', { name: 'x' }, 'build'],
    ['no number', { name: 'x', build: {} }, 'build.number'],
    ['no name', { build: { number: 1 } }, 'name'],
  ] as const) {
    it(`say what is wrong with ${name}`, () => expect(notificationProblem(content)).to.include(where));
  }
});
