/** Every file of the hook fixtures, through the real door with its signature; and what must not come through it. */

import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { pipelineHooks } from '../../../src/adapters/pipelines/hooks.ts';
import { createPipelines } from '../../../src/domain/pipelines/pipelines.ts';
import { redact } from '../../../src/domain/privacy/redact.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createPipelineStore } from '../../../src/storage/pipelines.ts';
import { testDatabase } from '../../support/database.ts';
import { type Intake, intake, payload } from '../../support/pipelines.ts';

const FOLDER = new URL('../../../../shared/fixtures/', import.meta.url);
const GITHUB = 'a-secret-of-github-in-tests';
const GITLAB = 'a-token-of-gitlab-in-tests';
const SIGNING = `whsec_${Buffer.from('a-signing-token-of-gitlab-in-tests').toString('base64')}`;
const JENKINS = 'a-token-of-jenkins-in-tests';
const COMMON = 'the-common-token-in-tests';

type Headers = Record<string, string>;

/** What comes of each file; `ignored`: it is taken and nothing is stored, `none`: it is no request. */
const EXPECTED: Readonly<Record<string, { readonly event?: string; readonly comes: object | 'ignored' | 'none' }>> = {
  'github/deployment_status.json': {
    event: 'deployment_status',
    comes: {
      source: 'github',
      kind: 'deployment',
      repository: 'Codertocat/Hello-World',
      name: 'deploy',
      environment: 'production',
      state: 'succeeded',
      started_by: 'Codertocat',
    },
  },
  'github/workflow_run.completed.json': {
    event: 'workflow_run',
    comes: {
      source: 'github',
      kind: 'pipeline',
      repository: 'octo-org/octo-repo',
      number: '163',
      branch: 'master',
      commit: '3484a3fb816e0859fd6e1cea078d76385ff50625',
      state: 'succeeded',
      url: 'https://github.com/octo-org/octo-repo/actions/runs/289782451',
    },
  },
  'github/ping.json': { event: 'ping', comes: 'ignored' },
  'github/push.json': { event: 'push', comes: 'ignored' },
  'github/pull_request.opened.json': { event: 'pull_request', comes: 'ignored' },
  // Of the documentation: the signature itself is tried in github.test.ts.
  'github/signature-vector.json': { comes: 'none' },
  'gitlab/pipeline-event.json': {
    comes: {
      source: 'gitlab',
      kind: 'pipeline',
      repository: 'gitlab-org/gitlab-test',
      name: 'pipeline_name',
      number: '31',
      branch: 'master',
      state: 'succeeded',
      started_by: 'root',
    },
  },
  'gitlab/deployment-event.json': {
    comes: {
      source: 'gitlab',
      kind: 'deployment',
      repository: 'root/test-deployment-webhooks',
      environment: 'staging',
      state: 'succeeded',
      started_by: 'root',
    },
  },
  'jenkins/plugin-help-example.json': {
    comes: {
      source: 'jenkins',
      kind: 'pipeline',
      repository: 'JobName',
      name: 'JobName',
      number: '1',
      state: 'running',
    },
  },
};

describe('hook fixtures of pipelines', function () {
  this.timeout(30_000);
  let db: Database;
  let door: Intake;

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  beforeEach(() => open({ gitlabSigningToken: undefined }));
  afterEach(() => door.close());

  /** A new door has forgotten who showed wrong secrets. */
  async function open(secrets: { readonly gitlabSigningToken: string | undefined }): Promise<void> {
    await db.pool.query('truncate pipeline_runs, pipeline_jobs, hook_events restart identity');
    const pipelines = createPipelines({
      services: [],
      store: createPipelineStore(db),
      repeat: async () => ({ kind: 'passed' }),
    });
    const all = { github: GITHUB, gitlabToken: GITLAB, jenkins: JENKINS, ...secrets };
    door = await intake(
      db,
      COMMON,
      redact,
      pipelineHooks(pipelines, all, () => new Date()),
    );
  }

  async function send(path: string, body: string | Buffer, headers: Headers, method = 'POST'): Promise<number> {
    const response = await fetch(`${door.url}/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(method === 'GET' ? {} : { body: new Uint8Array(Buffer.from(body)) }),
    });
    await response.arrayBuffer();
    await door.settled();
    return response.status;
  }

  const count = async (table: 'pipeline_runs' | 'hook_events'): Promise<number> =>
    (await db.pool.query(`select 1 from ${table}`)).rowCount ?? -1;

  function sign(body: string | Buffer, secret = GITHUB): string {
    return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  }

  function standard(body: string, at = new Date(), id = 'msg_1', token = SIGNING): Headers {
    const seconds = String(Math.floor(at.getTime() / 1000));
    const key = Buffer.from(token.slice('whsec_'.length), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
    return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` };
  }

  /** The way a sender of that file sends it. */
  function good(file: string, body: string): { readonly path: string; readonly headers: Headers } {
    if (file.startsWith('github/')) {
      const event = EXPECTED[file]?.event ?? '';
      return { path: 'github', headers: { 'X-GitHub-Event': event, 'X-Hub-Signature-256': sign(body) } };
    }
    return file.startsWith('gitlab/')
      ? { path: 'gitlab', headers: { 'X-Gitlab-Token': GITLAB } }
      : { path: `jenkins/${JENKINS}`, headers: {} };
  }

  it('are all known here, and those that are known are all there', function () {
    payload(this, 'PROVENANCE.tsv');
    const sources = ['github', 'gitlab', 'jenkins'];
    const files = sources.flatMap((name) => readdirSync(new URL(name, FOLDER)).map((file) => `${name}/${file}`));
    const listed = readFileSync(new URL('PROVENANCE.tsv', FOLDER), 'utf8')
      .split('\n')
      .flatMap((line) => line.split('\t')[0] ?? [])
      .filter((file) => sources.some((name) => file.startsWith(`${name}/`)));
    expect(Object.keys(EXPECTED).sort()).to.deep.equal(files.sort());
    expect(listed.sort()).to.deep.equal(files);
  });

  for (const [file, { comes }] of Object.entries(EXPECTED)) {
    if (comes === 'none') continue;
    it(`${file}: ${comes === 'ignored' ? 'taken, and nothing is kept of it' : 'becomes one run, however often it comes'}`, async function () {
      const body = payload(this, file);
      const { path, headers } = good(file, body);
      for (const _ of [1, 2, 3]) expect(await send(path, body, headers)).to.equal(202);
      expect(await send(path, gzipSync(body), { ...headers, 'Content-Encoding': 'gzip' })).to.equal(
        path === 'github' ? 401 : 202, // GitHub signs what it sends, and sends nothing packed
      );
      const { rows } = await db.pool.query<object>('select * from pipeline_runs');
      if (comes === 'ignored') {
        expect(rows).to.deep.equal([]);
        expect(await count('hook_events')).to.equal(0);
        expect(door.counted.filter((each) => each === 'github ignored')).to.have.lengthOf(3);
      } else {
        expect(rows).to.have.lengthOf(1);
        expect(rows[0]).to.include(comes);
      }
    });
  }

  it('gitlab/pipeline-event.json: its jobs come with it', async function () {
    const body = payload(this, 'gitlab/pipeline-event.json');
    await send('gitlab', body, { 'X-Gitlab-Token': GITLAB });
    const { rows } = await db.pool.query<{ name: string; stage: string; state: string }>(
      'select name, stage, state from pipeline_jobs order by job',
    );
    expect(rows.map(({ name, stage, state }) => `${stage}/${name} ${state}`)).to.have.members([
      'build/build-image succeeded',
      'test/test-image succeeded',
      'test/test-build succeeded',
      'deploy/staging queued',
      'deploy/production skipped',
    ]);
  });

  it('come through no other way: secrets, methods, types, sizes', async function () {
    const status = payload(this, 'github/deployment_status.json');
    const pipeline = payload(this, 'gitlab/pipeline-event.json');
    const build = payload(this, 'jenkins/plugin-help-example.json');
    const event = { 'X-GitHub-Event': 'deployment_status' };
    const signed = { ...event, 'X-Hub-Signature-256': sign(status) };
    const token = { 'X-Gitlab-Token': GITLAB };
    const sha1 = `sha1=${createHmac('sha1', GITHUB).update(status).digest('hex')}`;
    const huge = Buffer.alloc(5 * 1024 * 1024 + 1, ' ');
    const cases: readonly (readonly [string, number, string, string | Buffer, Headers, string?])[] = [
      ['no signature', 401, 'github', status, event],
      ['an empty one', 401, 'github', status, { ...event, 'X-Hub-Signature-256': '' }],
      ['the older one alone', 401, 'github', status, { ...event, 'X-Hub-Signature': sha1 }],
      ['the older one in place of the newer', 401, 'github', status, { ...event, 'X-Hub-Signature-256': sha1 }],
      ['without its name', 401, 'github', status, { ...event, 'X-Hub-Signature-256': sign(status).slice(7) }],
      ['with another secret', 401, 'github', status, { ...event, 'X-Hub-Signature-256': sign(status, GITLAB) }],
      ['of another body', 401, 'github', `${status} `, signed],
      ['the secret itself', 401, 'github', status, { ...event, Authorization: `Bearer ${GITHUB}` }],
      ['no token', 401, 'gitlab', pipeline, {}],
      ['another token', 401, 'gitlab', pipeline, { 'X-Gitlab-Token': `${GITLAB}x` }],
      ['the token of all hooks', 401, `gitlab/${COMMON}`, pipeline, {}],
      ['no token of Jenkins', 401, 'jenkins', build, {}],
      ['that of another hook', 401, `jenkins/${GITLAB}`, build, {}],
      ['a token in the query', 401, `jenkins?token=${JENKINS}`, build, {}],
      ['GET', 405, 'github', '', signed, 'GET'],
      ['PUT', 405, 'gitlab', pipeline, token, 'PUT'],
      [
        'the usual type of GitHub',
        415,
        'github',
        `payload=${encodeURIComponent(status)}`,
        { ...signed, 'Content-Type': 'application/x-www-form-urlencoded' },
      ],
      ['text', 415, 'gitlab', pipeline, { ...token, 'Content-Type': 'text/plain' }],
      [
        'another character set',
        415,
        `jenkins/${JENKINS}`,
        build,
        { 'Content-Type': 'application/json; charset=utf-16' },
      ],
      ['too large', 413, 'github', huge, { ...event, 'X-Hub-Signature-256': sign(huge) }],
      ['too large', 413, 'gitlab', huge, token],
      ['too large when unpacked', 413, `jenkins/${JENKINS}`, gzipSync(huge), { 'Content-Encoding': 'gzip' }],
      ['no JSON', 400, 'gitlab', '{"object_kind":', token],
      ['no object', 400, 'gitlab', '[]', token],
      ['nothing', 400, `jenkins/${JENKINS}`, 'null', {}],
      ['no event', 400, 'github', status, { 'X-Hub-Signature-256': sign(status) }],
      ['not what it says', 400, 'github', status, { ...signed, 'X-GitHub-Event': 'workflow_run' }],
      ['no such hook', 404, 'bitbucket', status, signed],
    ];
    for (const [name, expected, path, body, headers, method] of cases) {
      expect(await send(path, body, headers, method), `${path}: ${name}`).to.equal(expected);
    }
    expect(await count('hook_events')).to.equal(0);
    expect(await count('pipeline_runs')).to.equal(0);
  });

  it('of a GitLab that signs: only what is signed, now, and whole', async function () {
    await door.close();
    await open({ gitlabSigningToken: SIGNING });
    const body = payload(this, 'gitlab/deployment-event.json');
    const token = { 'X-Gitlab-Token': GITLAB };
    const ago = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
    const fresh = standard(body);
    const wrong: readonly (readonly [string, Headers])[] = [
      ['the token alone', token],
      ['the signature alone', fresh],
      ['six minutes old', { ...token, ...standard(body, ago(6)) }],
      ['six minutes ahead', { ...token, ...standard(body, ago(-6)) }],
      [
        'an old one with a new moment',
        { ...token, ...standard(body, ago(6)), 'webhook-timestamp': fresh['webhook-timestamp'] ?? '' },
      ],
      ['another id', { ...token, ...fresh, 'webhook-id': 'msg_2' }],
      ['another body', { ...token, ...standard(`${body} `) }],
      [
        'another version',
        { ...token, ...fresh, 'webhook-signature': (fresh['webhook-signature'] ?? '').replace('v1,', 'v2,') },
      ],
    ];
    for (const [name, headers] of wrong) expect(await send('gitlab', body, headers), name).to.equal(401);
    expect(await count('hook_events')).to.equal(0);
    const several = { ...fresh, 'webhook-signature': `v1,AAAA ${fresh['webhook-signature']}` };
    for (const headers of [fresh, several, standard(body, ago(4), 'msg_3')]) {
      expect(await send('gitlab', body, { ...token, ...headers })).to.equal(202);
    }
    expect(await count('pipeline_runs')).to.equal(1);
  });
});
