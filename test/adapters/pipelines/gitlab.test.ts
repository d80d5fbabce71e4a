import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { type GitlabSecrets, gitlabHook } from '../../../src/adapters/pipelines/gitlab/hook.ts';
import { eventProblem, reportOf } from '../../../src/adapters/pipelines/gitlab/schema.ts';
import { payload } from '../../support/pipelines.ts';

const TOKEN = 'a-secret-token-of-gitlab';
const KEY = Buffer.from('0123456789abcdef0123456789abcdef');
const SIGNING = `whsec_${KEY.toString('base64')}`;
const NONE: GitlabSecrets = { token: undefined, signingToken: undefined };
const NOW = new Date('2026-11-20T08:00:00Z');
const SECONDS = String(NOW.getTime() / 1000);

function build(more: object = {}) {
  return {
    object_kind: 'build',
    ref: 'main',
    tag: false,
    sha: '95d49d1efbd941908580e79d65e4b5ecaf4a8305',
    pipeline_id: 31,
    build_id: 380,
    build_name: 'unit',
    build_stage: 'test',
    build_status: 'failed',
    build_failure_reason: 'script_failure',
    build_created_at: '2026-11-20 07:50:00 UTC',
    build_started_at: '2026-11-20 07:51:00 UTC',
    build_finished_at: '2026-11-20 08:00:00 UTC',
    repository: { homepage: 'https://gitlab.example.com/team/sub/shop' },
    ...more,
  };
}

describe('GitLab webhooks', () => {
  const body = Buffer.from('{"object_kind":"pipeline"}');
  const sign = (id: string, seconds: string, key: Buffer = KEY): string =>
    `v1,${createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64')}`;
  const headers = (more: Record<string, string> = {}) => ({
    'webhook-id': 'e1',
    'webhook-timestamp': SECONDS,
    'webhook-signature': sign('e1', SECONDS),
    ...more,
  });

  const checked: readonly [string, Partial<GitlabSecrets>, Record<string, string>, boolean][] = [
    ['the token', { token: TOKEN }, { 'x-gitlab-token': TOKEN }, true],
    ['a wrong token', { token: TOKEN }, { 'x-gitlab-token': `${TOKEN}x` }, false],
    ['an empty token', { token: TOKEN }, { 'x-gitlab-token': '' }, false],
    ['no token', { token: TOKEN }, {}, false],
    ['a signature instead of the token', { token: TOKEN }, headers(), false],
    ['a signature', { signingToken: SIGNING }, headers(), true],
    [
      'one of two signatures',
      { signingToken: SIGNING },
      headers({ 'webhook-signature': `v1,x ${sign('e1', SECONDS)}` }),
      true,
    ],
    [
      'a key that is plain text',
      { signingToken: 'plain-signing-token' },
      headers({ 'webhook-signature': sign('e1', SECONDS, Buffer.from('plain-signing-token')) }),
      true,
    ],
    [
      'another key',
      { signingToken: SIGNING },
      headers({ 'webhook-signature': sign('e1', SECONDS, Buffer.from('x')) }),
      false,
    ],
    ['another id', { signingToken: SIGNING }, headers({ 'webhook-id': 'e2' }), false],
    ['another moment', { signingToken: SIGNING }, headers({ 'webhook-timestamp': `${Number(SECONDS) + 1}` }), false],
    [
      'an old moment',
      { signingToken: SIGNING },
      headers({
        'webhook-timestamp': `${Number(SECONDS) - 301}`,
        'webhook-signature': sign('e1', `${Number(SECONDS) - 301}`),
      }),
      false,
    ],
    [
      'an odd moment',
      { signingToken: SIGNING },
      headers({ 'webhook-timestamp': 'now', 'webhook-signature': sign('e1', 'now') }),
      false,
    ],
    ['no signature', { signingToken: SIGNING }, {}, false],
    ['the token instead of the signature', { signingToken: SIGNING, token: TOKEN }, { 'x-gitlab-token': TOKEN }, false],
    ['the signature without the token', { signingToken: SIGNING, token: TOKEN }, headers(), false],
    ['both', { signingToken: SIGNING, token: TOKEN }, headers({ 'x-gitlab-token': TOKEN }), true],
  ];
  for (const [name, secrets, shown, opens] of checked) {
    it(`are ${opens ? 'taken' : 'refused'} with ${name}`, async () => {
      const hook = gitlabHook({ record: async () => undefined }, { ...NONE, ...secrets }, () => NOW);
      expect(await hook.verify?.(body, shown)).to.equal(opens);
    });
  }

  it('cannot be taken without a secret', () => {
    expect(() => gitlabHook({ record: async () => undefined }, NONE, () => NOW)).to.throw('need a secret');
  });

  it('read a pipeline and its jobs', function () {
    const content: unknown = JSON.parse(payload(this, 'gitlab/pipeline-event.json'));
    expect(eventProblem(content)).to.equal(undefined);
    const report = reportOf(content);
    expect(report?.run).to.deep.equal({
      source: 'gitlab',
      run: '192.168.64.1:3005/pipeline/31',
      kind: 'pipeline',
      repository: 'gitlab-org/gitlab-test',
      name: 'pipeline_name',
      number: '31',
      branch: 'master',
      commit: 'bcbb5ec396a2c0f828686f14fac9b80b780504f2',
      state: 'succeeded',
      url: 'http://192.168.64.1:3005/gitlab-org/gitlab-test/-/pipelines/31',
      round: 1,
      at: new Date('2016-08-12T15:26:29Z'),
      startedAt: new Date('2016-08-12T15:24:56Z'),
      finishedAt: new Date('2016-08-12T15:26:29Z'),
      title: 'test\n',
      by: 'root',
    });
    expect(report?.jobs.map(({ stage, name, state }) => [stage, name, state])).to.deep.equal([
      ['deploy', 'production', 'skipped'],
      ['test', 'test-image', 'succeeded'],
      ['test', 'test-build', 'succeeded'],
      ['build', 'build-image', 'succeeded'],
      ['deploy', 'staging', 'queued'],
    ]);
  });

  it('read a deployment', function () {
    const content: unknown = JSON.parse(payload(this, 'gitlab/deployment-event.json'));
    expect(eventProblem(content)).to.equal(undefined);
    expect(reportOf(content)?.run).to.deep.equal({
      source: 'gitlab',
      run: '10.126.0.2:3000/deployment/15',
      kind: 'deployment',
      repository: 'root/test-deployment-webhooks',
      name: 'deploy',
      commit: '279484c0',
      environment: 'staging',
      state: 'succeeded',
      url: 'http://10.126.0.2:3000/root/test-deployment-webhooks/-/jobs/796',
      round: 1,
      at: new Date('2021-04-28T19:50:00Z'),
      finishedAt: new Date('2021-04-28T19:50:00Z'),
      title: 'Add new file',
      by: 'root',
    });
  });

  it('name the job that failed, and why', () => {
    const report = reportOf(build());
    expect(report?.run).to.include({ run: 'gitlab.example.com/pipeline/31', repository: 'team/sub/shop' });
    expect(report?.jobs).to.deep.equal([
      {
        id: '380',
        name: 'unit',
        stage: 'test',
        state: 'failed',
        step: 'script failure',
        url: 'https://gitlab.example.com/team/sub/shop/-/jobs/380',
        round: 1,
        at: NOW,
      },
    ]);
    expect(reportOf(build({ build_allow_failure: true }))?.jobs[0]?.state).to.equal('tolerated');
  });

  it('take what is not about pipelines, and do nothing', () => {
    for (const kind of ['push', 'note', 'constructor', '__proto__']) {
      expect(eventProblem({ object_kind: kind })).to.equal(undefined);
      expect(reportOf({ object_kind: kind })).to.equal(undefined);
    }
  });

  for (const [written, state] of [
    ['canceled', 'cancelled'],
    ['manual', 'waiting'],
    ['invented_in_2030', 'running'],
    ['toString', 'running'],
  ] as const) {
    it(`of a job that is ${written} is ${state}`, () => {
      expect(reportOf(build({ build_status: written }))?.jobs[0]?.state).to.equal(state);
    });
  }

  it('take what older versions leave out', () => {
    const { project, ...rest } = {
      object_kind: 'deployment',
      project: { path_with_namespace: 'team/shop', web_url: 'https://gitlab.example.com/team/shop' },
      deployment_id: 3,
      status: 'failed',
      environment: 'production',
      short_sha: '279484c0',
    };
    expect(reportOf({ ...rest, project })?.run).to.include({ state: 'failed', run: 'gitlab.example.com/deployment/3' });
    const attributes = {
      id: 1,
      ref: 'main',
      sha: '95d49d1e',
      status: 'pending',
      created_at: '2026-11-20 07:50:00 UTC',
    };
    const bare = {
      object_kind: 'pipeline',
      project,
      user: null,
      commit: null,
      object_attributes: { ...attributes, tag: null },
    };
    expect(reportOf({ ...bare, builds: null })).to.deep.include({ jobs: [] });
    expect(eventProblem(bare)).to.equal(undefined);
  });

  const wrong: readonly [string, unknown, string][] = [
    ['a list', [], 'object_kind'],
    ['nothing', null, 'object_kind'],
    ['no id', build({ build_id: undefined }), 'build_id'],
    ['an odd time', build({ build_created_at: 'yesterday' }), 'build_created_at'],
    ['no project', { object_kind: 'deployment' }, 'project'],
  ];
  for (const [name, content, where] of wrong) {
    it(`say what is wrong with ${name}`, () => expect(eventProblem(content)).to.include(where));
  }
});
