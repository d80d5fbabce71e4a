/** The command in a room, on what came in over HTTP: real intake, hooks, database, robot and dispatch. */

import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { pipelineHooks } from '../../src/adapters/pipelines/hooks.ts';
import { createPipelines } from '../../src/domain/pipelines/pipelines.ts';
import { redact } from '../../src/domain/privacy/redact.ts';
import type { Database } from '../../src/storage/database.ts';
import { createPipelineStore } from '../../src/storage/pipelines.ts';
import { inMemoryCommands } from '../support/commands.ts';
import { testDatabase } from '../support/database.ts';
import { type Intake, intake, payload } from '../support/pipelines.ts';
import { Helper, type Room } from '../support/room.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/pipelines.ts', import.meta.url));
const COMMON = 'correct-horse-battery';
const SECRET = 'It is a secret to everybody';
const TOKEN = 'a-secret-token-of-gitlab';
const JENKINS = 'a-token-of-jenkins-alone';
/** Of the form of a token of GitHub. */
const LEAKED = ['ghp', 'x7Qm2RkT9vLc4WzP1nHs8BdY6uFj3GaEo5Ki'].join('_');
const NOW = new Date('2026-11-20T08:05:00Z');
const SHOP = { full_name: 'acme/shop', html_url: 'https://github.com/acme/shop' };

function workflowRun(more: object = {}): string {
  return JSON.stringify({
    repository: SHOP,
    workflow_run: {
      id: 7,
      name: 'build',
      run_number: 3,
      run_attempt: 1,
      status: 'completed',
      conclusion: 'failure',
      head_branch: 'main',
      head_sha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
      head_commit: { message: 'Pay by card\n\nand more' },
      html_url: 'https://github.com/acme/shop/actions/runs/7',
      created_at: '2026-11-20T07:55:00Z',
      run_started_at: '2026-11-20T07:55:00Z',
      updated_at: '2026-11-20T08:00:00Z',
      actor: { login: 'alice' },
      ...more,
    },
  });
}

function workflowJob(more: object = {}): string {
  return JSON.stringify({
    repository: SHOP,
    workflow_job: {
      id: 70,
      run_id: 7,
      run_attempt: 1,
      workflow_name: 'build',
      name: 'test',
      status: 'completed',
      conclusion: 'failure',
      head_branch: 'main',
      head_sha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
      html_url: 'https://github.com/acme/shop/actions/runs/7/job/70',
      started_at: '2026-11-20T07:56:00Z',
      completed_at: '2026-11-20T07:59:59Z',
      steps: [{ name: 'npm test', conclusion: 'failure' }],
      ...more,
    },
  });
}

describe('scripts/pipelines.ts', function () {
  this.timeout(30_000);
  let db: Database;
  let door: Intake;
  let room: Room;

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  beforeEach(async () => {
    await db.pool.query('truncate pipeline_runs, pipeline_jobs, hook_events restart identity');
    const pipelines = createPipelines({
      services: [{ name: 'shop', repository: 'Acme/Shop' }, { name: 'hello' }],
      store: createPipelineStore(db),
      repeat: async () => ({ kind: 'passed' }),
    });
    const secrets = { github: SECRET, gitlabToken: TOKEN, gitlabSigningToken: undefined, jenkins: JENKINS };
    door = await intake(
      db,
      COMMON,
      redact,
      pipelineHooks(pipelines, secrets, () => new Date()),
    );
    const commands = inMemoryCommands({ services: { pipelines }, now: () => NOW });
    room = await new Helper(SCRIPT).createRoom({ name: 'ops', prepare: commands.prepare });
  });
  afterEach(async () => {
    await room.destroy();
    await door.close();
  });

  async function send(path: string, body: string, headers: Record<string, string>): Promise<number> {
    const response = await fetch(`${door.url}/${path}`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', ...headers },
    });
    await response.arrayBuffer();
    await door.settled();
    return response.status;
  }

  const github = (event: string, body: string, signed = body): Promise<number> =>
    send('github', body, {
      'X-GitHub-Event': event,
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', SECRET).update(signed).digest('hex')}`,
    });
  const gitlab = (body: string, token = TOKEN): Promise<number> => send('gitlab', body, { 'X-Gitlab-Token': token });
  const jenkins = (body: string, path = `jenkins/${JENKINS}`): Promise<number> => send(path, body, {});

  async function said(typed: string): Promise<string> {
    const before = room.messages.length;
    await room.user.say('alice', `hubot ${typed}`);
    return room.messages
      .slice(before + 1)
      .map(([, text]) => text)
      .join('\n');
  }

  it('says that nothing was heard, and where to read how to change that', async () => {
    expect(await said('pipelines'))
      .to.include('I have not heard of any pipeline')
      .and.to.include('docs/guide/pipelines.md');
  });

  it('shows the failing job and step, the branch, the author, a link and the age', async () => {
    expect(await github('workflow_job', workflowJob())).to.equal(202);
    expect(await github('workflow_run', workflowRun())).to.equal(202);
    expect(await said('pipelines')).to.equal(
      [
        '✗ **The last pipelines**',
        '- ✗ **shop** build \\#3 on main \\(f95f852, Pay by card\\) by alice: failed after 5 min, 5 min ago · [open](https://github.com/acme/shop/actions/runs/7)',
        '  failed: **test**, npm test · [log](https://github.com/acme/shop/actions/runs/7/job/70)',
        'Runs of shop: `hubot pipelines shop`',
      ].join('\n'),
    );
  });

  it('knows a service by its repository, and what has none by the name of its repository', async function () {
    await github('workflow_run', workflowRun());
    await gitlab(payload(this, 'gitlab/pipeline-event.json'));
    await jenkins(payload(this, 'jenkins/plugin-help-example.json'));
    const all = await said('pipelines');
    expect(all).to.include('**shop**').and.to.include('**gitlab\\-org/gitlab\\-test**').and.to.include('**JobName**');
    const own = await said('pipelines shop');
    expect(own).to.include('The last pipelines of shop').and.to.include('Pay by card');
    expect(own).to.not.include('gitlab');
    expect(await said('pipelines GitLab-org/gitlab-test'))
      .to.include('pipeline\\_name')
      .and.to.not.include('Pay by card');
    expect(await said('pipelines hello')).to.include('repository: owner/name');
    expect(await said('pipelines nonsense'))
      .to.include('`shop`')
      .and.to.include('`gitlab-org/gitlab-test`');
  });

  it('is not confused by repetition, nor by what comes late', async () => {
    const started = workflowRun({ status: 'in_progress', conclusion: null, updated_at: '2026-11-20T07:55:01Z' });
    const again = workflowRun({
      run_attempt: 2,
      status: 'in_progress',
      conclusion: null,
      updated_at: '2026-11-20T08:01:00Z',
    });
    const good = workflowRun({ run_attempt: 2, conclusion: 'success', updated_at: '2026-11-20T08:04:00Z' });
    await github('workflow_run', workflowRun());
    await github('workflow_job', workflowJob());
    const failed = await said('pipelines');
    for (const body of [started, workflowRun(), started]) await github('workflow_run', body);
    await github(
      'workflow_job',
      workflowJob({ status: 'in_progress', conclusion: null, steps: [], completed_at: null }),
    );
    expect(await said('pipelines')).to.equal(failed);
    for (const body of [good, again, workflowRun(), started, good]) await github('workflow_run', body);
    const now = await said('pipelines');
    expect(now).to.include('succeeded').and.to.not.include('failed');
    expect((await db.pool.query('select 1 from pipeline_runs')).rowCount).to.equal(1);
  });

  it('takes a job before its run', async () => {
    await github('workflow_job', workflowJob());
    expect(await said('pipelines shop'))
      .to.include('running')
      .and.to.include('failed: **test**, npm test');
    await github('workflow_run', workflowRun());
    expect(await said('pipelines shop'))
      .to.include('build \\#3')
      .and.to.include('by alice');
  });

  it('lets in nobody without the right secret, and counts it', async () => {
    expect(await github('workflow_run', workflowRun(), 'something else')).to.equal(401);
    expect(await send('github', workflowRun(), { 'X-GitHub-Event': 'workflow_run' })).to.equal(401);
    expect(
      await send('github', workflowRun(), { 'X-GitHub-Event': 'ping', Authorization: `Bearer ${COMMON}` }),
    ).to.equal(401);
    expect(await send(`github/${COMMON}`, workflowRun(), { 'X-GitHub-Event': 'workflow_run' })).to.equal(401);
    expect(await gitlab('{"object_kind":"push"}', 'wrong')).to.equal(401);
    expect(await gitlab('{"object_kind":"push"}', COMMON)).to.equal(401);
    for (const path of ['jenkins', 'jenkins/wrong-token-of-jenkins', `jenkins/${COMMON}`]) {
      expect(await jenkins('{"name":"x","build":{"number":1}}', path), path).to.equal(401);
    }
    expect(door.counted).to.deep.equal([
      ...Array<string>(4).fill('github unauthorized'),
      ...Array<string>(2).fill('gitlab unauthorized'),
      ...Array<string>(3).fill('jenkins unauthorized'),
    ]);
    expect((await db.pool.query('select 1 from hook_events')).rowCount).to.equal(0);
  });

  it('says what is wrong with what it cannot use, and takes what it does not need', async function () {
    expect(await github('workflow_run', '{}')).to.equal(400);
    expect(await gitlab('{}')).to.equal(400);
    expect(await jenkins('{}')).to.equal(400);
    expect(await github('ping', payload(this, 'github/ping.json'))).to.equal(202);
    expect(await github('push', payload(this, 'github/push.json'))).to.equal(202);
    expect(await said('pipelines')).to.include('I have not heard of any pipeline');
  });

  it('shows hostile texts as text', async () => {
    const bad = '<!channel> @here [x](https://evil.example) **b** ![i](https://evil.example/i.png)\n# h';
    await github(
      'workflow_job',
      workflowJob({
        name: bad,
        steps: [{ name: `${bad}\u202e`, conclusion: 'failure' }],
        html_url: 'javascript:alert(1)',
      }),
    );
    await github(
      'workflow_run',
      workflowRun({
        name: bad,
        head_branch: bad,
        head_commit: { message: bad },
        actor: { login: bad },
        html_url: 'https://github.com@evil.example/x',
        head_sha: `${bad} ${LEAKED}`,
      }),
    );
    const shown = await said('pipelines');
    expect(shown).to.not.match(/(?<!\\)<!channel|(?<!\\)\[x|(?<!\\)!\\?\[i|@(?!\u2060)|javascript:|\u202e/);
    expect(shown).to.not.include('[open]').and.to.not.include('[log]');
    expect(shown.split('\n')).to.have.lengthOf(4);
    expect(JSON.stringify((await db.pool.query('select * from pipeline_runs')).rows)).to.not.include(LEAKED);
  });
});
