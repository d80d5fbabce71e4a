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

const SECRET = 'a-secret-of-github-in-tests';
const TOKEN = 'a-token-of-gitlab-in-tests';

describe('pipelines of others', function () {
  this.timeout(60_000);
  let folder: string;
  let options: ProgramOptions;
  let program: Program;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-pipelines-'));
    const config = join(folder, 'config');
    await mkdir(config);
    await writeFile(
      join(config, 'services.yaml'),
      `environments: {production: {}}
services:
  hello:
    repository: codertocat/hello-world
    target: {kind: command, deploy: [node, deploy.mjs]}
`,
    );
    const env = { SHIPMATE_CONFIG: config, SHIPMATE_GITHUB_SECRET: SECRET, SHIPMATE_GITLAB_TOKEN: TOKEN };
    options = { data: join(folder, 'data'), env };
    program = await start(options);
  });
  after(async () => {
    await endAll();
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
  });
});
