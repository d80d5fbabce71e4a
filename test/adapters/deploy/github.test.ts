import { expect } from 'chai';
import { createGithubTarget } from '../../../src/adapters/deploy/github/client.ts';
import type { TargetOutcome } from '../../../src/domain/deploy/target.ts';
import type { GithubTargetConfig } from '../../../src/domain/deploy/targets/github.ts';
import { REQUEST, type RecordedRun, recordedRun } from '../../support/recorded-run.ts';
import { cut, empty, hastyClock, json, longText, type RestServer, restServer } from '../../support/rest-server.ts';

const REPO = '/api/v3/repos/acme/web';
const FLOW = `${REPO}/actions/workflows/deploy.yml`;

function runOf(id: number, change: object = {}) {
  return {
    id,
    status: 'in_progress',
    conclusion: null,
    html_url: `https://github.test/acme/web/actions/runs/${id}`,
    event: 'workflow_dispatch',
    head_branch: 'v2',
    display_title: 'Deploy',
    ...change,
  };
}

const good = { status: 'completed', conclusion: 'success' };
const step = (number: number, name: string, conclusion: string | null = null) => ({
  name,
  number,
  status: conclusion === null ? 'in_progress' : 'completed',
  conclusion,
});
const jobs = (...list: object[]) => json(200, { total_count: list.length, jobs: list });
const runs = (...list: object[]) => json(200, { total_count: list.length, workflow_runs: list });
const deployment = (id: number, change: object = {}) => ({
  id,
  ref: 'v1',
  created_at: '2026-01-31T12:00:00Z',
  payload: {},
  ...change,
});
const status = (state: string, change: object = {}) => ({ state, created_at: '2026-01-31T12:05:00Z', ...change });

describe('target github', () => {
  let server: RestServer;
  let clock: ReturnType<typeof hastyClock>;
  beforeEach(async () => {
    server = await restServer();
    clock = hastyClock();
  });
  afterEach(() => server.finish());

  function target(change: Partial<GithubTargetConfig> = {}, environment: Record<string, string> = { GH: 'sekrit' }) {
    const config: GithubTargetConfig = {
      kind: 'github',
      url: `${server.url}/api/v3`,
      owner: 'acme',
      repository: 'web',
      tokenFrom: 'GH',
      environment: '{environment}',
      versions: 'tags',
      timeoutMs: 600_000,
      how: {
        mode: 'workflow',
        workflow: 'deploy.yml',
        ref: '{version}',
        inputs: { environment: '{environment}', id: '{marker}' },
      },
      ...change,
    };
    return createGithubTarget({ service: 'web', config, environment, clock });
  }

  const byDeployment: Partial<GithubTargetConfig> = { how: { mode: 'deployment', task: 'deploy' } };

  /** No deployment is known: what is live cannot be told. */
  function nothingRecorded() {
    server.on(`GET ${REPO}/deployments`, json(200, []));
  }

  function dispatched(id = 7) {
    server.on(`GET ${FLOW}/runs`, runs(runOf(3)));
    server.on(`POST ${FLOW}/dispatches`, json(200, { workflow_run_id: id, run_url: 'x', html_url: 'x' }));
  }

  async function deploy(run: RecordedRun = recordedRun(), of = target()): Promise<TargetOutcome> {
    return await of.deploy(REQUEST, run);
  }

  function textOf(outcome: TargetOutcome): string {
    return outcome.kind === 'succeeded' ? 'succeeded' : `${outcome.kind}: ${outcome.text}`;
  }

  describe('workflow', () => {
    it('starts the workflow with its inputs and follows the run to its end', async () => {
      dispatched();
      nothingRecorded();
      server.on(
        `GET ${REPO}/actions/runs/7`,
        json(200, runOf(7, { status: 'queued' }), { etag: '"1"' }),
        empty(304),
        json(200, runOf(7)),
        json(200, runOf(7, good)),
      );
      server.on(
        `GET ${REPO}/actions/runs/7/jobs`,
        jobs(),
        jobs(),
        jobs({
          id: 1,
          name: 'deploy',
          status: 'in_progress',
          conclusion: null,
          steps: [step(1, 'Build', 'success'), step(2, 'Roll out')],
        }),
        jobs({ id: 1, name: 'deploy', ...good, steps: [step(1, 'Build', 'success'), step(2, 'Roll out', 'success')] }),
      );
      const run = recordedRun();
      expect(await deploy(run)).to.deep.equal({ kind: 'succeeded' });
      const dispatch = server.calls.find(({ method }) => method === 'POST');
      const marker = /shipmate-42-[0-9a-z]+/.exec(dispatch?.text ?? '')?.[0];
      expect(dispatch?.json).to.deep.equal({
        ref: 'v2',
        inputs: { environment: 'staging', id: marker },
        return_run_details: true,
      });
      expect(dispatch?.headers).to.include({ authorization: 'Bearer sekrit', 'x-github-api-version': '2022-11-28' });
      expect(run.texts).to.deep.equal([
        'Starting deploy.yml on v2',
        'Run 7: https://github.test/acme/web/actions/runs/7',
        'Waiting for a runner',
        'deploy: Roll out',
        'The run has ended',
      ]);
      expect(run.steps.map(({ percent }) => percent).filter((percent) => percent !== undefined)).to.deep.equal([
        50, 100,
      ]);
      expect(run.handles.map((handle) => ({ ...handle, startedAt: 0 }))).to.deep.equal([
        { mode: 'workflow', marker, ref: 'v2', after: 3, startedAt: 0 },
        { mode: 'workflow', marker, ref: 'v2', after: 3, startedAt: 0, run: 7 },
      ]);
    });

    it('names the failing job and step, and shows the end of a log of 50 MB', async () => {
      const storage = await restServer();
      storage.on(
        'GET /log',
        longText(
          `2026-01-31T12:00:00.1234567Z ${'x'.repeat(71)}`,
          500_000,
          '2026-01-31T12:00:01.0Z ##[error]Process completed with exit code 1.\n',
        ),
      );
      dispatched();
      server.on(`GET ${REPO}/actions/runs/7`, json(200, runOf(7, { status: 'completed', conclusion: 'failure' })));
      server.on(
        `GET ${REPO}/actions/runs/7/jobs`,
        jobs(
          { id: 1, name: 'build', ...good, steps: [] },
          {
            id: 2,
            name: 'deploy',
            status: 'completed',
            conclusion: 'failure',
            steps: [step(1, 'Build', 'success'), step(2, 'Roll out', 'failure')],
          },
        ),
      );
      server.on(`GET ${REPO}/actions/jobs/2/logs`, empty(302, { location: `${storage.url}/log` }));
      const run = recordedRun();
      expect(textOf(await deploy(run))).to.equal(
        'failed: the job “deploy” failed at the step “Roll out”: https://github.test/acme/web/actions/runs/7',
      );
      expect(run.lines).to.have.length(81);
      expect(run.lines[0]).to.equal('The log of the job deploy, without its first 499921 lines:');
      expect(run.lines.at(-1)).to.equal('##[error]Process completed with exit code 1.');
      expect(storage.calls[0]?.headers.authorization).to.equal(undefined);
      await storage.finish();
    });

    it('finds the run where GitHub does not name it, by the marker', async () => {
      server.on(`GET ${FLOW}/runs`, runs());
      server.on(
        `POST ${FLOW}/dispatches`,
        json(422, { message: 'Invalid request.\n\n"return_run_details" is not a permitted key.' }),
        (res, call) => {
          const marker = /shipmate-42-[0-9a-z]+/.exec(call.text)?.[0];
          server.on(`GET ${FLOW}/runs`, runs(), runs(runOf(9), runOf(8, { display_title: `web ${marker}` })));
          empty(204)(res, call);
        },
      );
      nothingRecorded();
      server.on(`GET ${REPO}/actions/runs/8`, json(200, runOf(8, good)));
      server.on(`GET ${REPO}/actions/runs/8/jobs`, jobs());
      expect(textOf(await deploy())).to.equal('succeeded');
    });

    it('does not guess when two runs began', async () => {
      server.on(`GET ${FLOW}/runs`, runs(), runs(runOf(9), runOf(8)));
      server.on(`POST ${FLOW}/dispatches`, empty(204));
      expect(textOf(await deploy())).to.include('several runs of deploy.yml began on v2');
    });

    const refusals: [number, object, string][] = [
      [401, { message: 'Bad credentials' }, 'failed: GitHub did not accept the token in GH (401: Bad credentials)'],
      [
        403,
        { message: 'Resource not accessible by personal access token' },
        'the token needs the permission “Actions: write” for acme/web',
      ],
      [404, { message: 'Not Found' }, 'check repository and workflow in config/services.yaml'],
      [409, { message: 'Conflict' }, 'GitHub refused because of a conflict (409: Conflict)'],
      [422, { message: 'No ref found for: v2' }, '(422: No ref found for: v2); check that v2 is a branch or tag'],
    ];
    for (const [code, body, text] of refusals) {
      it(`says ${code} in words`, async () => {
        server.on(`GET ${FLOW}/runs`, runs());
        server.on(`POST ${FLOW}/dispatches`, json(code, body));
        expect(textOf(await deploy())).to.include(text);
      });
    }

    it('waits as Retry-After says, and starts once', async () => {
      server.on(`GET ${FLOW}/runs`, runs());
      server.on(
        `POST ${FLOW}/dispatches`,
        json(429, { message: 'slow down' }, { 'retry-after': '20' }),
        json(200, { workflow_run_id: 7 }),
      );
      nothingRecorded();
      server.on(`GET ${REPO}/actions/runs/7`, json(200, runOf(7, good)));
      server.on(`GET ${REPO}/actions/runs/7/jobs`, jobs());
      expect(textOf(await deploy())).to.equal('succeeded');
      expect(clock.waits).to.include(20_000);
    });

    it('looks for the run when the connection is cut, and starts no second one', async () => {
      server.on(`GET ${FLOW}/runs`, runs(runOf(3)), runs(runOf(3)), runs(runOf(7), runOf(3)));
      server.on(`POST ${FLOW}/dispatches`, cut());
      nothingRecorded();
      server.on(`GET ${REPO}/actions/runs/7`, json(200, runOf(7, good)));
      server.on(`GET ${REPO}/actions/runs/7/jobs`, jobs());
      expect(textOf(await deploy())).to.equal('succeeded');
    });

    it('starts again after 500 when no run has begun', async () => {
      server.on(`GET ${FLOW}/runs`, ...Array.from({ length: 5 }, () => runs(runOf(3))));
      server.on(`POST ${FLOW}/dispatches`, json(500, {}), json(200, { workflow_run_id: 7 }));
      nothingRecorded();
      server.on(`GET ${REPO}/actions/runs/7`, json(500, {}), cut(), json(200, runOf(7, good)));
      server.on(`GET ${REPO}/actions/runs/7/jobs`, jobs());
      expect(textOf(await deploy())).to.equal('succeeded');
    });

    it('cancels the run', async () => {
      dispatched();
      server.on(
        `GET ${REPO}/actions/runs/7`,
        json(200, runOf(7)),
        json(200, runOf(7)),
        json(200, runOf(7, { status: 'completed', conclusion: 'cancelled' })),
      );
      server.always(`GET ${REPO}/actions/runs/7/jobs`, jobs());
      server.on(`POST ${REPO}/actions/runs/7/cancel`, json(202, {}));
      const run = recordedRun((text, { abort }) => {
        if (text === 'Waiting for a runner') abort('cancel');
      });
      expect(textOf(await deploy(run))).to.equal('interrupted: it was cancelled and has ended on GitHub');
    });

    it('cancels what takes too long', async () => {
      dispatched();
      server.always(`GET ${REPO}/actions/runs/7`, (res, call) => {
        const cancelled = server.calls.some(({ path }) => path.endsWith('/cancel'));
        json(200, runOf(7, cancelled ? { status: 'completed', conclusion: 'cancelled' } : {}))(res, call);
      });
      server.always(`GET ${REPO}/actions/runs/7/jobs`, jobs());
      server.on(`POST ${REPO}/actions/runs/7/cancel`, json(202, {}));
      expect(textOf(await deploy(recordedRun(), target({ timeoutMs: 60_000 })))).to.equal(
        'failed: it took longer than 1 min and has ended on GitHub',
      );
    });

    it('leaves the run going when the robot stops, and another process follows it to its end', async () => {
      dispatched();
      server.on(`GET ${REPO}/actions/runs/7`, json(200, runOf(7)), json(200, runOf(7, good)));
      server.on(`GET ${REPO}/actions/runs/7/jobs`, jobs(), jobs());
      const first = recordedRun((text, { abort }) => {
        if (text === 'Waiting for a runner') abort('shutdown');
      });
      expect(textOf(await deploy(first))).to.equal('interrupted: the robot was stopped while it ran');
      nothingRecorded();
      const again = recordedRun();
      expect(await target().resume?.(REQUEST, first.handles.at(-1), again)).to.deep.equal({ kind: 'succeeded' });
      expect(again.texts[0]).to.equal('Run 7: https://github.test/acme/web/actions/runs/7');
    });

    it('takes up what was begun just before the robot died, and begins nothing itself', async () => {
      const handle = {
        mode: 'workflow',
        marker: 'shipmate-42-abc',
        ref: 'v2',
        after: 3,
        startedAt: new Date().toISOString(),
      };
      server.on(`GET ${FLOW}/runs`, runs(runOf(9, { display_title: 'x shipmate-42-abc' })));
      nothingRecorded();
      server.on(`GET ${REPO}/actions/runs/9`, json(200, runOf(9, good)));
      server.on(`GET ${REPO}/actions/runs/9/jobs`, jobs());
      expect(await target().resume?.(REQUEST, handle, recordedRun())).to.deep.equal({ kind: 'succeeded' });
      server.always(`GET ${FLOW}/runs`, runs(runOf(3)));
      const lost = await target().resume?.(REQUEST, handle, recordedRun());
      expect(lost && textOf(lost)).to.equal(
        'interrupted: the robot was stopped before GitHub had begun a run of deploy.yml',
      );
      expect(server.calls.every(({ method }) => method === 'GET')).to.equal(true);
    });
  });

  describe('workflow that was cancelled while nobody watched', () => {
    const ended = { status: 'completed', conclusion: 'cancelled' };

    function cancelled() {
      server.on(`GET ${REPO}/actions/runs/7`, json(200, runOf(7)), json(200, runOf(7, ended)));
      server.on(`GET ${REPO}/actions/runs/7/jobs`, jobs(), jobs());
      server.on(`POST ${REPO}/actions/runs/7/cancel`, json(202, {}));
    }

    it('is looked for by the next robot, and cancelled', async () => {
      const handle = { mode: 'workflow', marker: 'm-1', ref: 'v2', after: 3, startedAt: new Date().toISOString() };
      server.on(`GET ${FLOW}/runs`, runs(runOf(3)), runs(runOf(7)));
      cancelled();
      const run = recordedRun();
      run.abort('cancel');
      const outcome = await target().resume?.(REQUEST, handle, run);
      expect(outcome && textOf(outcome)).to.equal('interrupted: it was cancelled and has ended on GitHub');
    });

    it('is looked for by the same robot where GitHub does not name it', async () => {
      const run = recordedRun();
      server.on(`GET ${FLOW}/runs`, runs(runOf(3)), (res, call) => {
        run.abort('cancel');
        runs()(res, call);
      });
      server.on(`GET ${FLOW}/runs`, runs(runOf(7)));
      server.on(`POST ${FLOW}/dispatches`, empty(204));
      cancelled();
      expect(textOf(await deploy(run))).to.equal('interrupted: it was cancelled and has ended on GitHub');
    });
  });

  describe('deployment', () => {
    it('creates a deployment and follows its statuses', async () => {
      server.on(`POST ${REPO}/deployments`, json(201, deployment(5, { ref: 'v2' })));
      server.on(`POST ${REPO}/deployments/5/statuses`, json(201, status('queued')));
      server.on(
        `GET ${REPO}/deployments/5/statuses`,
        json(200, [status('queued')]),
        json(200, [status('in_progress', { description: 'Rolling out' }), status('queued')]),
        json(200, [status('success'), status('in_progress')]),
        json(200, [status('success')]),
      );
      server.on(`GET ${REPO}/deployments`, json(200, [deployment(5, { ref: 'v2' })]));
      const run = recordedRun();
      expect(textOf(await deploy(run, target(byDeployment)))).to.equal('succeeded');
      const [created, queued] = server.calls.filter(({ method }) => method === 'POST');
      expect(created?.json).to.deep.include({ ref: 'v2', environment: 'staging', auto_merge: false, task: 'deploy' });
      expect(created?.json).not.to.have.property('required_contexts');
      expect(queued?.json).to.deep.include({ state: 'queued', description: 'Asked for in chat, deployment 42' });
      expect(run.texts).to.deep.equal(['Creating a deployment of v2', 'Queued', 'In progress: Rolling out']);
    });

    it('says why it failed', async () => {
      server.on(`POST ${REPO}/deployments`, json(201, deployment(5)));
      server.on(`POST ${REPO}/deployments/5/statuses`, json(201, status('queued')));
      const failure = status('failure', { description: 'health check', log_url: 'https://logs.test/5' });
      server.on(`GET ${REPO}/deployments/5/statuses`, json(200, [failure]));
      expect(textOf(await deploy(recordedRun(), target(byDeployment)))).to.equal(
        'failed: GitHub was told of the state failure: health check (https://logs.test/5)',
      );
    });

    it('says that checks have not passed', async () => {
      const message = 'Conflict: Commit status checks failed for v2';
      server.on(`POST ${REPO}/deployments`, json(409, { message }));
      expect(textOf(await deploy(recordedRun(), target(byDeployment)))).to.include(
        'checks of v2 have not passed; look at them on GitHub',
      );
    });

    it('finds by its marker what a cut connection had created', async () => {
      server.on(`POST ${REPO}/deployments`, (res, call) => {
        const marker = /shipmate-42-[0-9a-z]+/.exec(call.text)?.[0];
        const payload = JSON.stringify({ shipmate: { marker, version: 'v2' } });
        server.on(`GET ${REPO}/deployments`, json(200, [deployment(6), deployment(5, { payload })]));
        server.on(`GET ${REPO}/deployments`, json(200, [deployment(5, { payload })]));
        res.destroy();
      });
      server.on(`POST ${REPO}/deployments/5/statuses`, json(201, status('queued')));
      server.on(`GET ${REPO}/deployments/5/statuses`, json(200, [status('success')]), json(200, [status('success')]));
      expect(textOf(await deploy(recordedRun(), target(byDeployment)))).to.equal('succeeded');
    });

    it('tells GitHub that it was cancelled', async () => {
      server.on(`POST ${REPO}/deployments`, json(201, deployment(5)));
      server.on(`POST ${REPO}/deployments/5/statuses`, json(201, status('queued')), json(201, status('error')));
      server.on(`GET ${REPO}/deployments/5/statuses`, json(200, [status('queued')]), json(200, [status('queued')]));
      const run = recordedRun((text, { abort }) => {
        if (text === 'Queued') abort('cancel');
      });
      expect(textOf(await deploy(run, target(byDeployment)))).to.equal(
        'interrupted: it was cancelled; GitHub was told, but what carries it out may go on',
      );
      expect(server.calls.findLast(({ method }) => method === 'POST')?.json).to.deep.include({
        state: 'error',
        description: 'Cancelled in chat',
      });
    });

    it('leaves alone what ended well while nobody looked, however long ago', async () => {
      const handle = {
        mode: 'deployment',
        marker: 'shipmate-42-abc',
        startedAt: '2026-01-31T12:00:00Z',
        deployment: 5,
      };
      server.on(`GET ${REPO}/deployments/5/statuses`, json(200, [status('success')]), json(200, [status('success')]));
      server.on(`GET ${REPO}/deployments`, json(200, [deployment(5, { ref: 'v2' })]));
      expect(await target(byDeployment).resume?.(REQUEST, handle, recordedRun())).to.deep.equal({ kind: 'succeeded' });
    });

    it('was a success, though something newer has made it inactive since', async () => {
      const handle = {
        mode: 'deployment',
        marker: 'shipmate-42-abc',
        startedAt: new Date().toISOString(),
        deployment: 5,
      };
      const statuses = json(200, [status('inactive'), status('success')]);
      server.on(`GET ${REPO}/deployments/5/statuses`, statuses, json(200, [status('success')]));
      server.on(`GET ${REPO}/deployments`, json(200, [deployment(5, { ref: 'v2' })]));
      expect(await target(byDeployment).resume?.(REQUEST, handle, recordedRun())).to.deep.equal({ kind: 'succeeded' });
    });

    it('takes it up again', async () => {
      const handle = {
        mode: 'deployment',
        marker: 'shipmate-42-abc',
        startedAt: new Date().toISOString(),
        deployment: 5,
      };
      server.on(`GET ${REPO}/deployments/5/statuses`, json(200, [status('error')]));
      const outcome = await target(byDeployment).resume?.(REQUEST, handle, recordedRun());
      expect(outcome?.kind).to.equal('failed');
      const other = await target().resume?.(REQUEST, handle, recordedRun());
      expect(other && textOf(other)).to.include('the target was changed');
    });
  });

  describe('what is live', () => {
    it('is the newest deployment that succeeded', async () => {
      server.on(`GET ${REPO}/deployments`, json(200, [deployment(3), deployment(2, { ref: 'v1.1' }), deployment(1)]));
      server.on(`GET ${REPO}/deployments/3/statuses`, json(200, [status('failure')]));
      server.on(`GET ${REPO}/deployments/2/statuses`, json(200, [status('success')]));
      expect(await target().current('web', 'staging')).to.deep.equal({
        version: 'v1.1',
        since: new Date('2026-01-31T12:05:00Z'),
      });
      expect(server.calls[0]?.query).to.include({ environment: 'staging' });
    });

    it('is not known without deployments, or where runs are on a fixed branch', async () => {
      server.on(`GET ${REPO}/deployments`, json(200, []), json(200, []), json(200, [deployment(1, { ref: 'main' })]));
      server.on(`GET ${REPO}/deployments/1/statuses`, json(200, [status('success')]));
      expect(await target().current('web', 'staging')).to.equal('unsupported');
      expect(await target(byDeployment).current('web', 'staging')).to.equal(undefined);
      const fixed = target({ how: { mode: 'workflow', workflow: 'deploy.yml', ref: 'main', inputs: {} } });
      expect(await fixed.current('web', 'staging')).to.equal('unsupported');
    });

    it('cannot be told when GitHub does not let us, or answers nonsense', async () => {
      server.on(`GET ${REPO}/deployments`, json(401, { message: 'Bad credentials' }), json(200, { hello: 1 }));
      const problems = [1, 2].map(() => target().current('web', 'staging').then(String, String));
      expect((await problems[0]) ?? '').to.match(
        /did not accept the token in GH|something else than its API documents/,
      );
      expect((await problems[1]) ?? '').to.match(
        /did not accept the token in GH|something else than its API documents/,
      );
      expect(await target({}, {}).current('web', 'staging').then(String, String)).to.include('GH is not set');
    });
  });

  it('lists tags by version, releases by date, pre-releases last, and nothing where any may be named', async () => {
    const tags = ['v1.9.0', 'v1.10.0', 'nightly', 'v2.0.0-rc.1', 'v2.0.0-rc.10'].map((name) => ({ name }));
    server.on(`GET ${REPO}/tags`, json(200, tags));
    expect(await target().versions('web')).to.deep.equal([
      'v1.10.0',
      'v1.9.0',
      'v2.0.0-rc.10',
      'v2.0.0-rc.1',
      'nightly',
    ]);
    const release = (tag_name: string, day: number, change: object = {}) => ({
      tag_name,
      draft: false,
      prerelease: false,
      published_at: `2026-01-0${day}T00:00:00Z`,
      ...change,
    });
    server.on(
      `GET ${REPO}/releases`,
      json(200, [
        release('v1', 1),
        release('v3', 3, { prerelease: true }),
        release('v2', 2),
        release('v4', 4, { draft: true }),
      ]),
    );
    expect(await target({ versions: 'releases' }).versions('web')).to.deep.equal(['v2', 'v1', 'v3']);
    expect(await target({ versions: 'any' }).versions('web')).to.equal('unsupported');
  });
});
