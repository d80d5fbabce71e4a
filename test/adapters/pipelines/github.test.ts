import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { z } from 'zod';
import { githubHook } from '../../../src/adapters/pipelines/github/hook.ts';
import { eventProblem, reportOf } from '../../../src/adapters/pipelines/github/schema.ts';
import { payload } from '../../support/pipelines.ts';

const REPOSITORY = { full_name: 'acme/shop', html_url: 'https://github.com/acme/shop' };
const AT = '2026-11-20T08:00:00Z';

function run(more: object = {}) {
  return {
    action: 'completed',
    repository: REPOSITORY,
    workflow_run: {
      id: 7,
      name: 'build',
      run_number: 3,
      run_attempt: 2,
      status: 'completed',
      conclusion: 'failure',
      head_branch: 'main',
      head_sha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
      html_url: 'https://github.com/acme/shop/actions/runs/7',
      created_at: '2026-11-20T07:50:00Z',
      run_started_at: '2026-11-20T07:55:00Z',
      updated_at: AT,
      ...more,
    },
  };
}

function job(more: object = {}) {
  return {
    action: 'completed',
    repository: REPOSITORY,
    workflow_job: {
      id: 70,
      run_id: 7,
      run_attempt: 2,
      workflow_name: 'build',
      name: 'test (24)',
      status: 'completed',
      conclusion: 'failure',
      head_branch: 'main',
      head_sha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
      html_url: 'https://github.com/acme/shop/actions/runs/7/job/70',
      started_at: '2026-11-20T07:56:00Z',
      completed_at: AT,
      steps: [
        { name: 'Set up job', conclusion: 'success' },
        { name: 'npm test', conclusion: 'failure' },
        { name: 'Report', conclusion: 'skipped' },
      ],
      ...more,
    },
  };
}

function status(state: string, more: object = {}) {
  return {
    repository: REPOSITORY,
    deployment: {
      id: 9,
      ref: 'v1.2',
      sha: 'f95f852b',
      task: 'deploy',
      environment: 'production',
      creator: { login: 'alice' },
      created_at: '2026-11-20T07:59:00Z',
    },
    deployment_status: { state, created_at: AT, updated_at: AT, ...more },
  };
}

describe('GitHub webhooks', () => {
  it('are signed as in the documentation of GitHub', async function () {
    const vector = z
      .object({ secret: z.string(), payload: z.string(), expected: z.string() })
      .parse(JSON.parse(payload(this, 'github/signature-vector.json')));
    const { verify } = githubHook({ record: async () => undefined }, vector.secret);
    const body = Buffer.from(vector.payload);
    expect(await verify?.(body, { 'x-hub-signature-256': vector.expected })).to.equal(true);
    const upper = vector.expected.slice(7).toUpperCase();
    for (const wrong of [
      `sha256=${upper}`,
      vector.expected.slice(7),
      vector.expected.replace('7', '8'),
      '',
      'sha256=',
    ]) {
      expect(await verify?.(body, { 'x-hub-signature-256': wrong }), wrong).to.equal(false);
    }
    expect(await verify?.(body, {})).to.equal(false);
    expect(await verify?.(Buffer.from('Hello, World?'), { 'x-hub-signature-256': vector.expected })).to.equal(false);
    // The older signature opens nothing.
    const sha1 = `sha1=${createHmac('sha1', vector.secret).update(body).digest('hex')}`;
    expect(await verify?.(body, { 'x-hub-signature': sha1 })).to.equal(false);
  });

  it('read a run that succeeded', function () {
    const content: unknown = JSON.parse(payload(this, 'github/workflow_run.completed.json'));
    expect(eventProblem('workflow_run', content)).to.equal(undefined);
    expect(reportOf('workflow_run', content)).to.deep.equal({
      run: {
        source: 'github',
        run: 'github.com/run/289782451',
        kind: 'pipeline',
        repository: 'octo-org/octo-repo',
        name: 'test',
        number: '163',
        commit: '3484a3fb816e0859fd6e1cea078d76385ff50625',
        state: 'succeeded',
        url: 'https://github.com/octo-org/octo-repo/actions/runs/289782451',
        round: 1,
        at: new Date('2020-10-05T16:33:49Z'),
        startedAt: new Date('2020-10-05T16:33:49Z'),
        finishedAt: new Date('2020-10-05T16:33:49Z'),
        branch: 'master',
        title: 'build(test): check workflow run event payload',
        by: 'Codertocat',
      },
      jobs: [],
    });
  });

  it('read a deployment', function () {
    const content: unknown = JSON.parse(payload(this, 'github/deployment_status.json'));
    expect(eventProblem('deployment_status', content)).to.equal(undefined);
    expect(reportOf('deployment_status', content)?.run).to.deep.equal({
      source: 'github',
      run: 'github.com/deployment/145988746',
      kind: 'deployment',
      repository: 'Codertocat/Hello-World',
      name: 'deploy',
      commit: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
      version: 'master',
      environment: 'production',
      state: 'succeeded',
      url: 'https://github.com/Codertocat/Hello-World/deployments',
      round: 1,
      at: new Date('2019-05-15T15:20:55Z'),
      startedAt: new Date('2019-05-15T15:20:53Z'),
      finishedAt: new Date('2019-05-15T15:20:55Z'),
      by: 'Codertocat',
    });
  });

  it('take what is not about pipelines, and do nothing', function () {
    for (const [event, name] of [
      ['ping', 'ping'],
      ['push', 'push'],
      ['pull_request', 'pull_request.opened'],
    ] as const) {
      const content: unknown = JSON.parse(payload(this, `github/${name}.json`));
      expect(eventProblem(event, content), event).to.equal(undefined);
      expect(reportOf(event, content), event).to.equal(undefined);
    }
    for (const event of ['constructor', '__proto__', 'toString'])
      expect(reportOf(event, {}), event).to.equal(undefined);
  });

  it('name the job and the step that failed', () => {
    const report = reportOf('workflow_job', job());
    expect(report?.jobs).to.deep.equal([
      {
        id: '70',
        name: 'test (24)',
        state: 'failed',
        step: 'npm test',
        url: 'https://github.com/acme/shop/actions/runs/7/job/70',
        round: 2,
        at: new Date(AT),
      },
    ]);
    // Of the run itself it knows next to nothing, so anything else that is said of it is newer.
    expect(report?.run).to.include({ run: 'github.com/run/7', name: 'build', state: 'running', round: 2 });
    expect(report?.run.at).to.deep.equal(new Date(0));
  });

  const states: readonly [string, string | null, string][] = [
    ['requested', null, 'queued'],
    ['queued', null, 'queued'],
    ['pending', null, 'queued'],
    ['waiting', null, 'waiting'],
    ['in_progress', null, 'running'],
    ['completed', 'success', 'succeeded'],
    ['completed', 'failure', 'failed'],
    ['completed', 'timed_out', 'failed'],
    ['completed', 'startup_failure', 'failed'],
    ['completed', 'cancelled', 'cancelled'],
    ['completed', 'skipped', 'skipped'],
    ['completed', 'neutral', 'skipped'],
    ['completed', 'action_required', 'waiting'],
  ];
  for (const [given, conclusion, state] of states) {
    it(`of ${given} ${conclusion ?? ''} is ${state}`, () => {
      expect(reportOf('workflow_run', run({ status: given, conclusion }))?.run.state).to.equal(state);
    });
  }

  const deployed: readonly [string, string | undefined][] = [
    ['pending', 'queued'],
    ['in_progress', 'running'],
    ['success', 'succeeded'],
    ['failure', 'failed'],
    ['error', 'failed'],
    ['inactive', undefined],
  ];
  for (const [given, state] of deployed) {
    it(`of a deployment that is ${given} is ${state ?? 'left out'}`, () => {
      expect(reportOf('deployment_status', status(given))?.run.state).to.equal(state);
    });
  }

  it('say why a deployment failed, and where to look', () => {
    const more = { description: 'health check failed', log_url: 'https://ci.example.com/9' };
    expect(reportOf('deployment_status', status('failure', more))?.run).to.include({
      problem: 'health check failed',
      url: 'https://ci.example.com/9',
      by: 'alice',
      version: 'v1.2',
    });
  });

  const wrong: readonly [string, string, unknown, string][] = [
    ['no event', '', {}, 'X-GitHub-Event'],
    ['a list', 'workflow_run', [], 'the body'],
    ['nothing', 'workflow_job', null, 'the body'],
    ['no repository', 'workflow_run', { ...run(), repository: undefined }, 'repository'],
    ['an id that is text', 'workflow_run', run({ id: '7' }), 'workflow_run.id'],
    ['an odd time', 'workflow_run', run({ updated_at: 'yesterday' }), 'workflow_run.updated_at'],
    ['no name of a job', 'workflow_job', job({ name: undefined }), 'workflow_job.name'],
    ['no state', 'deployment_status', status('x', { state: 1 }), 'deployment_status.state'],
  ];
  for (const [name, event, content, where] of wrong) {
    it(`say what is wrong with ${name}`, () => expect(eventProblem(event, content)).to.include(where));
  }
});
