/** `pipelines rerun` in a room, against servers that speak the APIs of GitHub, GitLab and Jenkins: real database, robot and dispatch. */

import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createRepeat } from '../../src/adapters/pipelines/rerun.ts';
import { servicesSchema } from '../../src/config/services.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import type { TargetConfig } from '../../src/domain/deploy/config.ts';
import type { PipelineService } from '../../src/domain/pipelines/access.ts';
import { createPipelines } from '../../src/domain/pipelines/pipelines.ts';
import type { PipelineReport, Pipelines } from '../../src/domain/pipelines/ports.ts';
import type { Database } from '../../src/storage/database.ts';
import { createPipelineStore } from '../../src/storage/pipelines.ts';
import { type InMemoryCommands, inMemoryCommands } from '../support/commands.ts';
import { testDatabase } from '../support/database.ts';
import { cut, empty, hastyClock, json, type RestReply, type RestServer, restServer } from '../support/rest-server.ts';
import { Helper, type Room } from '../support/room.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/pipelines.ts', import.meta.url));
const NOW = new Date('2026-11-20T08:05:00Z');
const SECRET = 'a-token-of-tests-that-nobody-may-see';
const GITHUB = '/repos/acme/shop/actions/runs/7';
const GITLAB = '/api/v4/projects/acme%2Fapi/pipelines/9';
const JENKINS = '/job/team/job/web/4';

const FAILED = { status: 'completed', conclusion: 'failure', event: 'push', path: '.github/workflows/build.yml' };

function report(
  source: PipelineReport['run']['source'],
  run: string,
  repository: string,
  more: Partial<PipelineReport['run']> = {},
): PipelineReport {
  const at = new Date('2026-11-20T08:00:00Z');
  return {
    run: {
      source,
      run,
      kind: 'pipeline',
      repository,
      name: 'build',
      number: '3',
      branch: 'main',
      state: 'failed',
      round: 1,
      at,
      startedAt: at,
      ...more,
    },
    jobs: [],
  };
}

function parseTarget(text: string): TargetConfig {
  const yaml = `environments: {staging: {}}\nservices: {x: {target: ${text}}}`;
  const parsed = parseYaml(yaml, 'services.yaml', servicesSchema);
  const found = parsed.ok ? parsed.value.services[0]?.target : undefined;
  if (!found) throw new Error(JSON.stringify(parsed));
  return found;
}

describe('pipelines rerun', function () {
  this.timeout(30_000);
  let db: Database;
  let server: RestServer;
  let pipelines: Pipelines;
  let commands: InMemoryCommands;
  let services: PipelineService[];
  let room: Room;

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  beforeEach(async () => {
    await db.pool.query('truncate pipeline_runs, pipeline_jobs restart identity');
    server = await restServer();
    const { url } = server;
    services = [
      {
        name: 'shop',
        repository: 'acme/shop',
        pipelines: { kind: 'github', url, tokenFrom: 'TOKEN', knownAs: 'github.com' },
      },
      {
        name: 'api',
        repository: 'acme/api',
        pipelines: { kind: 'gitlab', url, tokenFrom: 'TOKEN', knownAs: 'gitlab.com' },
      },
      {
        name: 'web',
        repository: 'acme/web',
        pipelines: {
          kind: 'jenkins',
          url,
          user: 'shipmate',
          tokenFrom: 'TOKEN',
          knownAs: 'ci.example.com',
          jobs: ['team/web'],
        },
      },
      { name: 'dark', repository: 'acme/dark' },
    ];
    const repeat = createRepeat({ TOKEN: SECRET }, hastyClock());
    pipelines = createPipelines({ services, store: createPipelineStore(db), repeat });
    commands = inMemoryCommands({
      services: { pipelines },
      now: () => NOW,
      policy: {
        roles: { keeper: ['pipelines:rerun'] },
        people: { 'test:alice': ['keeper'], 'test:carol': ['keeper'] },
      },
    });
    room = await new Helper(SCRIPT).createRoom({ name: 'ops', prepare: commands.prepare });
  });
  afterEach(async () => {
    await room.destroy();
    await server.finish();
  });

  const heard = (of: PipelineReport): Promise<void> => pipelines.record(of, NOW);
  const posts = (): readonly string[] => server.calls.flatMap(({ method, path }) => (method === 'POST' ? [path] : []));

  async function said(typed: string, who = 'alice'): Promise<string> {
    const before = room.messages.length;
    await room.user.say(who, `hubot ${typed}`);
    return room.messages
      .slice(before + 1)
      .map(([, text]) => text)
      .join('\n');
  }

  const onGithub = () => heard(report('github', 'github.com/run/7', 'acme/shop'));
  const onGitlab = () => heard(report('gitlab', 'gitlab.com/pipeline/9', 'acme/api'));
  const onJenkins = () => heard(report('jenkins', 'ci.example.com/job/team/job/web/#4', 'acme/web'));

  it('repeats on GitHub what failed; attempt 2 is the same run', async () => {
    await onGithub();
    expect(await said('pipelines shop')).to.include('Rerun build \\#3 of shop: `hubot pipelines rerun 1`');
    server.on(`GET ${GITHUB}`, json(200, FAILED));
    server.on(`POST ${GITHUB}/rerun-failed-jobs`, json(201, {}));
    expect(await said('pipelines rerun 1'))
      .to.include('build runs again')
      .and.to.include('the jobs that failed');
    expect(server.calls.map(({ headers }) => headers.authorization)).to.deep.equal(
      Array<string>(2).fill(`Bearer ${SECRET}`),
    );
    const now = await said('pipelines shop');
    expect(now).to.include('alice had it run again').and.to.not.include('Rerun build');
    await heard(report('github', 'github.com/run/7', 'acme/shop', { state: 'running', round: 2 }));
    expect(await said('pipelines shop'))
      .to.include('running')
      .and.to.not.include('run again');
    expect((await db.pool.query('select 1 from pipeline_runs')).rowCount).to.equal(1);
    expect(commands.audit.map(({ commandId, text, outcome }) => [commandId, text, outcome])).to.deep.equal([
      ['pipelines.rerun', 'pipelines rerun 1', 'succeeded'],
    ]);
  });

  it('repeats all of it when that is said, or when GitHub never began it', async () => {
    await heard(report('github', 'github.com/run/7', 'acme/shop', { state: 'succeeded' }));
    expect(await said('pipelines rerun shop')).to.include('no pipeline of shop that failed');
    expect(await said('pipelines rerun 1'))
      .to.include('Nothing failed')
      .and.to.include('`pipelines rerun 1 --all`');
    server.on(`GET ${GITHUB}`, json(200, { ...FAILED, conclusion: 'success' }), json(200, FAILED));
    server.on(`POST ${GITHUB}/rerun`, json(201, {}));
    expect(await said('pipelines rerun shop --all')).to.include('all its jobs run again');
    await heard(report('github', 'github.com/run/7', 'acme/shop', { round: 2 }));
    server.on(`POST ${GITHUB}/rerun`, json(201, {}));
    expect(await said('pipelines rerun 1 --all')).to.include('all its jobs');
    await heard(report('github', 'github.com/run/7', 'acme/shop', { round: 3 }));
    server.on(`GET ${GITHUB}`, json(200, { ...FAILED, conclusion: 'startup_failure' }));
    server.on(`POST ${GITHUB}/rerun`, json(201, {}));
    expect(await said('pipelines rerun shop')).to.include('all its jobs');
  });

  it('repeats on GitLab with the token in its own header', async () => {
    await onGitlab();
    server.on(`GET ${GITLAB}`, json(200, { status: 'failed', source: 'push' }));
    server.on(`POST ${GITLAB}/retry`, json(201, { status: 'running' }));
    expect(await said('pipelines rerun api')).to.include('failed or were cancelled run again');
    expect(server.calls.at(-1)?.headers['private-token']).to.equal(SECRET);
  });

  it('builds on Jenkins again with the same parameters, with a crumb where Jenkins wants one', async () => {
    await onJenkins();
    const parameters = [
      { name: 'VERSION', value: 'v1 & more' },
      { name: 'FAST', value: true },
    ];
    server.on(
      `GET ${JENKINS}/api/json`,
      json(200, { building: false, result: 'FAILURE', actions: [{ parameters }, {}] }),
    );
    server.on(
      'POST /job/team/job/web/buildWithParameters',
      empty(403),
      empty(201, { location: `${server.url}/queue/item/5/` }),
    );
    server.on('GET /crumbIssuer/api/json', json(200, { crumb: 'abc', crumbRequestField: 'Jenkins-Crumb' }));
    expect(await said('pipelines rerun web')).to.include('built again with the same parameters');
    const sent = server.calls.at(-1);
    expect(sent?.text).to.equal('VERSION=v1+%26+more&FAST=true');
    expect(sent?.headers).to.include({
      'jenkins-crumb': 'abc',
      authorization: `Basic ${Buffer.from(`shipmate:${SECRET}`).toString('base64')}`,
    });
  });

  it('builds a job of Jenkins without parameters, and none whose secrets it cannot know', async () => {
    await onJenkins();
    const hidden = [{ parameters: [{ name: 'PASSWORD' }] }];
    server.on(
      `GET ${JENKINS}/api/json`,
      json(200, { building: false, result: 'FAILURE', actions: hidden }),
      json(200, { building: false, result: 'UNSTABLE', actions: [{}, null] }),
    );
    expect(await said('pipelines rerun web')).to.include('parameter PASSWORD');
    server.on('POST /job/team/job/web/build', empty(201));
    expect(await said('pipelines rerun web')).to.include('built again, as a new build');
  });

  it('is for those who may, and asked for once', async () => {
    await onGithub();
    expect(await said('pipelines rerun 1', 'bob')).to.include('`pipelines:rerun`');
    server.on(`GET ${GITHUB}`, json(200, FAILED));
    server.on(`POST ${GITHUB}/rerun-failed-jobs`, json(201, {}));
    const [one, other] = await Promise.all([
      pipelines.rerun('1', { all: false, by: 'alice', now: NOW }),
      pipelines.rerun('1', { all: false, by: 'carol', now: NOW }),
    ]);
    expect([one.kind, other.kind].sort()).to.deep.equal(['again', 'asked']);
    expect(await said('pipelines rerun 1', 'carol')).to.match(/(alice|carol) had build .* run again/);
    expect(posts()).to.have.lengthOf(1);
    expect(commands.audit.map(({ outcome }) => outcome)).to.deep.equal(['refused', 'failed']);
  });

  it('leaves alone what runs, by its own record and by the word of the server', async () => {
    await heard(report('github', 'github.com/run/7', 'acme/shop', { state: 'running' }));
    expect(await said('pipelines rerun 1')).to.include('has not ended yet');
    await heard(report('github', 'github.com/run/7', 'acme/shop', { at: new Date('2026-11-20T08:01:00Z') }));
    server.on(`GET ${GITHUB}`, json(200, { ...FAILED, status: 'in_progress', conclusion: null }));
    expect(await said('pipelines rerun 1')).to.include('has not ended yet');
    await onGitlab();
    server.on(`GET ${GITLAB}`, json(200, { status: 'running' }));
    expect(await said('pipelines rerun api')).to.include('has not ended yet');
    await onJenkins();
    server.on(`GET ${JENKINS}/api/json`, json(200, { building: true, result: null }));
    expect(await said('pipelines rerun web')).to.include('has not ended yet');
    expect(posts()).to.deep.equal([]);
  });

  it('goes nowhere that the configuration does not name, whatever a hook says', async () => {
    await heard(report('github', 'evil.example/run/7', 'acme/shop'));
    await heard(report('github', 'github.com/run/8', 'acme/dark'));
    await heard(report('jenkins', 'ci.example.com/job/team/job/other/#4', 'acme/web'));
    await heard(report('jenkins', 'ci.example.com/job/team/job/../job/web/#4', 'acme/web'));
    await heard(report('github', 'github.com/deployment/7', 'acme/shop', { kind: 'deployment' }));
    for (const id of [1, 2, 3, 4])
      expect(await said(`pipelines rerun ${id}`), String(id)).to.include('can be run again');
    expect(await said('pipelines rerun 2')).to.include('Add `pipelines` to dark');
    expect(await said('pipelines rerun 5')).to.include('record of a deployment');
    expect(await said('pipelines')).to.not.include('Rerun build');
    expect(server.calls).to.deep.equal([]);
  });

  it('finds the one that failed, or asks which', async () => {
    expect(await said('pipelines rerun')).to.include('No pipeline failed of late');
    expect(await said('pipelines rerun 99')).to.include('no run 99');
    expect(await said('pipelines rerun nonsense')).to.include('I know no service');
    await onGithub();
    await onGitlab();
    expect(await said('pipelines rerun'))
      .to.include('Several pipelines failed')
      .and.to.include('`pipelines rerun 1`')
      .and.to.include('`pipelines rerun 2`');
    await heard(
      report('gitlab', 'gitlab.com/pipeline/10', 'acme/api', {
        state: 'succeeded',
        startedAt: new Date('2026-11-20T08:02:00Z'),
      }),
    );
    server.on(`GET ${GITHUB}`, json(200, FAILED));
    server.on(`POST ${GITHUB}/rerun-failed-jobs`, json(201, {}));
    expect(await said('pipelines rerun')).to.include('runs again');
  });

  it('does not pass by the rules of a deployment: what the robot deploys with is for `deploy`', async () => {
    const { url } = server;
    const target = parseTarget(
      `{kind: github, mode: workflow, repository: acme/shop, workflow: deploy.yml, url: '${url}'}`,
    );
    const project = parseTarget(`{kind: gitlab, project: acme/api, url: '${url}'}`);
    services.push({ name: 'shop2', target }, { name: 'api2', target: project });
    await onGithub();
    server.on(`GET ${GITHUB}`, json(200, { ...FAILED, path: '.github/workflows/deploy.yml@refs/heads/main' }));
    expect(await said('pipelines rerun shop')).to.include('is how I deploy');
    await onGitlab();
    server.on(`GET ${GITLAB}`, json(200, { status: 'failed', source: 'api' }));
    expect(await said('pipelines rerun api')).to.include('is how I deploy');
    expect(posts()).to.deep.equal([]);
  });

  const answers: readonly [string, readonly RestReply[], RegExp][] = [
    ['401', [json(401, { message: 'Bad credentials' })], /did not accept the token in TOKEN .*make a new one/],
    ['403', [json(403, { message: 'Must have admin rights' })], /write Actions of that repository/],
    ['404', [json(404, { message: 'Not Found' })], /no longer there/],
    ['409', [json(409, { message: 'busy' })], /because of a conflict/],
    ['422', [json(422, { message: 'no' })], /did not take the request/],
    ['429', [json(429, {}, { 'retry-after': '900' })], /takes no more requests.*15 min/],
    ['500', [json(500, {})], /is in trouble/],
    ['a cut', [cut()], /was cut/],
  ];
  for (const [name, replies, words] of answers) {
    it(`says what ${name} means, and does not ask twice`, async () => {
      await onGithub();
      server.on(`GET ${GITHUB}`, json(200, FAILED));
      server.on(`POST ${GITHUB}/rerun-failed-jobs`, ...replies);
      const answer = await said('pipelines rerun shop');
      expect(answer.replaceAll('\\', '')).to.match(words);
      expect(posts()).to.have.lengthOf(1);
      expect(JSON.stringify(room.messages)).to.not.include(SECRET);
      // What may have begun all the same is not asked for again by mistake; anything else is free at once.
      if (name === '500' || name === 'a cut') {
        expect(await said('pipelines rerun shop')).to.include('alice had');
      } else {
        server.on(`GET ${GITHUB}`, json(401, {}));
        expect(await said('pipelines rerun shop')).to.include('was not run again');
      }
    });
  }

  it('waits a short while where the server asks for that', async () => {
    await onGithub();
    server.on(`GET ${GITHUB}`, json(200, FAILED));
    server.on(`POST ${GITHUB}/rerun-failed-jobs`, json(429, {}, { 'retry-after': '1' }), json(201, {}));
    expect(await said('pipelines rerun shop')).to.include('runs again');
  });
});
