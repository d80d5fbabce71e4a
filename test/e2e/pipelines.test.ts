/** Hooks of GitHub, GitLab and Jenkins in front of the real program, and what people see of them. */

import { createHmac } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { payload } from '../support/pipelines.ts';
import {
  type Answer,
  endAll,
  Guest,
  HOOK_TOKEN,
  type Program,
  type ProgramOptions,
  send,
  start,
} from '../support/program.ts';
import { json, type RestServer, restServer } from '../support/rest-server.ts';

const SECRET = 'a-secret-of-github-in-tests';
const TOKEN = 'a-token-of-gitlab-in-tests';
const API_TOKEN = 'a-token-of-the-api-in-tests';
const RUN = '/repos/codertocat/hello-world/actions/runs/7';

describe('pipelines of others', function () {
  this.timeout(60_000);
  let folder: string;
  let options: ProgramOptions;
  let program: Program;
  let server: RestServer;

  before(async () => {
    server = await restServer();
    folder = await mkdtemp(join(tmpdir(), 'shipmate-pipelines-'));
    const config = join(folder, 'config');
    await mkdir(config);
    await writeFile(
      join(config, 'services.yaml'),
      `environments: {production: {}}
services:
  hello:
    repository: codertocat/hello-world
    pipelines: {kind: github, url: '${server.url}', known_as: github.com}
    target: {kind: command, deploy: [node, deploy.mjs]}
`,
    );
    const env = {
      SHIPMATE_CONFIG: config,
      SHIPMATE_GITHUB_SECRET: SECRET,
      SHIPMATE_GITLAB_TOKEN: TOKEN,
      GITHUB_TOKEN: API_TOKEN,
    };
    options = { data: join(folder, 'data'), env };
    program = await start(options);
  });
  after(async () => {
    await endAll();
    await server.finish();
    await rm(folder, { recursive: true, force: true });
  });

  function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    return send(program, 'POST', `/hooks/${path}`, {
      body,
      headers: { 'Content-Type': 'application/json', ...headers },
    });
  }
  const github = (event: string, body: string, secret = SECRET): Promise<Answer> =>
    post('github', body, {
      'X-GitHub-Event': event,
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    });

  it('are shown to whoever asks, also after the robot was killed; wrong secrets are refused and counted', async function () {
    const status = payload(this, 'github/deployment_status.json');
    const pipeline = payload(this, 'gitlab/pipeline-event.json');
    const build = payload(this, 'jenkins/plugin-help-example.json');
    for (const body of [status, status]) expect((await github('deployment_status', body)).status).to.equal(202);
    expect((await post('gitlab', pipeline, { 'X-Gitlab-Token': TOKEN })).status).to.equal(202);
    expect((await post(`jenkins/${HOOK_TOKEN}`, build)).status).to.equal(202);
    expect((await github('deployment_status', status, 'another-secret-of-github')).status).to.equal(401);
    expect((await post('gitlab', pipeline, { 'X-Gitlab-Token': HOOK_TOKEN })).status).to.equal(401);
    expect((await post('jenkins', build)).status).to.equal(401);
    const counted = await send(program, 'GET', '/metrics', { headers: { Authorization: `Bearer ${HOOK_TOKEN}` } });
    for (const source of ['github', 'gitlab', 'jenkins']) {
      expect(counted.body).to.match(new RegExp(`source="${source}",outcome="unauthorized"[^\\n]* 1\\n`));
    }
    await program.end('SIGKILL');
    program = await start({ ...options, port: program.port });

    const alice = new Guest('alice');
    const { frames } = await alice.connect(program);
    const seen = (): string => JSON.stringify(frames);
    await alice.say('general', 'shipmate pipelines');
    for (const part of ['pipeline_name', 'JobName', 'hello', 'production']) {
      await eventually(() => seen().includes(part));
    }
    await alice.say('general', 'shipmate deploys hello');
    await eventually(() => /by Codertocat in GitHub/.test(seen()));
    expect(program.log()).to.not.include(SECRET).and.to.not.include(TOKEN);
    // Nor who is in them.
    expect(program.log()).to.not.match(/codertocat|user_email@gitlab|octocat/i);
  });

  it('show what failed and where, and run again once, by whoever may', async () => {
    const repository = { full_name: 'codertocat/hello-world', html_url: 'https://github.com/codertocat/hello-world' };
    const at = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
    const run = (more: object): string =>
      JSON.stringify({
        repository,
        workflow_run: {
          id: 7,
          name: 'build',
          run_number: 3,
          run_attempt: 1,
          status: 'completed',
          conclusion: 'failure',
          head_branch: 'main',
          head_sha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
          html_url: 'https://github.com/codertocat/hello-world/actions/runs/7',
          created_at: at(-60),
          updated_at: at(0),
          actor: { login: 'codertocat' },
          ...more,
        },
      });
    const job = JSON.stringify({
      repository,
      workflow_job: {
        id: 70,
        run_id: 7,
        run_attempt: 1,
        workflow_name: 'build',
        name: 'unit tests',
        status: 'completed',
        conclusion: 'failure',
        head_branch: 'main',
        head_sha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
        html_url: 'https://github.com/codertocat/hello-world/actions/runs/7/job/70',
        started_at: at(-50),
        completed_at: at(-1),
        steps: [
          { name: 'Checkout', conclusion: 'success' },
          { name: 'npm test', conclusion: 'failure' },
        ],
      },
    });
    expect((await github('workflow_job', job)).status).to.equal(202);
    expect((await github('workflow_run', run({}))).status).to.equal(202);

    const [alice, bob] = [new Guest('alice'), new Guest('bob')];
    const { frames } = await alice.connect(program);
    await bob.connect(program);
    async function told(who: Guest, text: string, answer: RegExp): Promise<void> {
      const from = frames.length;
      await who.say('general', `shipmate ${text}`);
      await eventually(() => answer.test(JSON.stringify(frames.slice(from))));
    }
    await told(alice, 'pipelines hello', /unit tests.{1,40}npm test.{1,200}runs\/7\/job\/70/);
    await told(alice, 'pipelines hello', /Rerun build #3 of hello/);
    await told(bob, 'pipelines rerun hello', /pipelines:rerun/);
    server.on(`GET ${RUN}`, json(200, { status: 'completed', conclusion: 'failure', event: 'push' }));
    server.on(`POST ${RUN}/rerun-failed-jobs`, json(201, {}));
    await told(alice, 'pipelines rerun hello', /build runs again/);
    await told(alice, 'pipelines rerun hello', /alice had build .{1,60} run again/);
    expect(server.calls.map(({ headers }) => headers.authorization)).to.deep.equal([
      `Bearer ${API_TOKEN}`,
      `Bearer ${API_TOKEN}`,
    ]);
    const again = run({ run_attempt: 2, status: 'in_progress', conclusion: null, updated_at: at(1) });
    expect((await github('workflow_run', again)).status).to.equal(202);
    await eventually(async () => {
      await told(alice, 'pipelines hello', /The last pipelines of hello/);
      return /build.{1,200}running/.test(JSON.stringify(frames.slice(-3)));
    });
    await told(alice, 'audit', /pipelines rerun hello.{1,60}failed.{1,300}pipelines rerun hello.{1,60}succeeded/);
    expect(program.log()).to.not.include(API_TOKEN);
  });
});
