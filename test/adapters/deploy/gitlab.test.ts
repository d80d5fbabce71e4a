import { expect } from 'chai';
import { createGitlabTarget } from '../../../src/adapters/deploy/gitlab/client.ts';
import type { TargetOutcome } from '../../../src/domain/deploy/target.ts';
import type { GitlabTargetConfig } from '../../../src/domain/deploy/targets/gitlab.ts';
import { REQUEST, type RecordedRun, recordedRun } from '../../support/recorded-run.ts';
import { cut, empty, hastyClock, json, longText, type RestServer, restServer } from '../../support/rest-server.ts';

const PROJECT = '/api/v4/projects/acme%2Fweb';

function pipeline(id: number, status = 'running', change: object = {}) {
  return { id, status, ref: 'v2', source: 'api', web_url: `https://gitlab.test/acme/web/-/pipelines/${id}`, ...change };
}

const job = (id: number, name: string, status: string, change: object = {}) => ({
  id,
  name,
  stage: 'deploy',
  status,
  allow_failure: false,
  ...change,
});

describe('target gitlab', () => {
  let server: RestServer;
  let clock: ReturnType<typeof hastyClock>;
  beforeEach(async () => {
    server = await restServer();
    clock = hastyClock();
  });
  afterEach(() => server.finish());

  function target(change: Partial<GitlabTargetConfig> = {}, environment: Record<string, string> = { GL: 'sekrit' }) {
    const config: GitlabTargetConfig = {
      kind: 'gitlab',
      url: server.url,
      project: 'acme/web',
      tokenFrom: 'GL',
      ref: '{version}',
      variables: { WHERE: '{environment}' },
      inputs: {},
      environment: '{environment}',
      versions: 'tags',
      timeoutMs: 600_000,
      ...change,
    };
    return createGitlabTarget({ service: 'web', config, environment, clock });
  }

  function nothingRecorded() {
    server.on(`GET ${PROJECT}/deployments`, json(200, []));
  }

  function created(id = 31) {
    server.on(`GET ${PROJECT}/pipelines`, json(200, [pipeline(30, 'success')]));
    server.on(`POST ${PROJECT}/pipeline`, json(201, pipeline(id, 'created')));
  }

  /** The pipeline ends well at the first look. */
  function endsWell(id = 31) {
    server.on(`GET ${PROJECT}/pipelines/${id}`, json(200, pipeline(id, 'success')));
    server.on(`GET ${PROJECT}/pipelines/${id}/jobs`, json(200, [job(1, 'deploy', 'success')]));
    nothingRecorded();
  }

  async function deploy(run: RecordedRun = recordedRun(), of = target()): Promise<TargetOutcome> {
    return await of.deploy(REQUEST, run);
  }

  function textOf(outcome: TargetOutcome | undefined): string {
    if (outcome === undefined) return 'nothing';
    return outcome.kind === 'succeeded' ? 'succeeded' : `${outcome.kind}: ${outcome.text}`;
  }

  it('creates a pipeline with its variables and follows its jobs to the end', async () => {
    created();
    nothingRecorded();
    server.on(
      `GET ${PROJECT}/pipelines/31`,
      json(200, pipeline(31, 'pending'), { etag: 'W/"1"' }),
      empty(304),
      json(200, pipeline(31, 'manual')),
      json(200, pipeline(31, 'success')),
    );
    server.on(
      `GET ${PROJECT}/pipelines/31/jobs`,
      json(200, [job(1, 'build', 'pending'), job(2, 'roll out', 'created')]),
      json(200, [job(1, 'build', 'running'), job(2, 'roll out', 'created')]),
      json(200, [job(1, 'build', 'success'), job(2, 'roll out', 'manual')]),
      json(200, [job(1, 'build', 'success'), job(2, 'roll out', 'success')]),
    );
    const run = recordedRun();
    expect(await deploy(run)).to.deep.equal({ kind: 'succeeded' });
    const post = server.calls.find(({ method }) => method === 'POST');
    const marker = /shipmate-42-[0-9a-z]+/.exec(post?.text ?? '')?.[0];
    expect(post?.headers['private-token']).to.equal('sekrit');
    expect(post?.json).to.deep.equal({
      ref: 'v2',
      variables: [
        { key: 'WHERE', value: 'staging' },
        { key: 'SHIPMATE_DEPLOYMENT', value: marker },
      ],
    });
    expect(run.texts).to.deep.equal([
      'Starting a pipeline on v2',
      'Pipeline 31: https://gitlab.test/acme/web/-/pipelines/31',
      'Waiting for a runner',
      'build',
      'Waiting on GitLab for somebody to start roll out',
      'The pipeline has ended',
    ]);
    expect(run.steps.at(-1)?.percent).to.equal(100);
    expect(run.handles.at(-1)).to.include({ marker, ref: 'v2', after: 30, pipeline: 31 });
  });

  it('triggers one with a trigger token', async () => {
    server.on(`GET ${PROJECT}/pipelines`, json(200, []));
    server.on(`POST ${PROJECT}/trigger/pipeline`, json(201, pipeline(31)));
    endsWell();
    const of = target({ triggerFrom: 'GLT', inputs: { size: 'big' } }, { GL: 'sekrit', GLT: 'glptt-1' });
    expect(textOf(await deploy(recordedRun(), of))).to.equal('succeeded');
    const form = new URLSearchParams(server.calls.find(({ method }) => method === 'POST')?.text);
    expect([form.get('token'), form.get('ref'), form.get('variables[WHERE]'), form.get('inputs[size]')]).to.deep.equal([
      'glptt-1',
      'v2',
      'staging',
      'big',
    ]);
    expect(server.calls[0]?.query).to.include({ source: 'trigger' });
    const missing = target({ triggerFrom: 'GLT' });
    expect(textOf(await deploy(recordedRun(), missing))).to.include('the variable GLT is not set');
  });

  it('names the failing job, and shows the end of a log of 50 MB', async () => {
    created();
    server.on(`GET ${PROJECT}/pipelines/31`, json(200, pipeline(31, 'failed')));
    server.on(
      `GET ${PROJECT}/pipelines/31/jobs`,
      json(200, [
        job(1, 'lint', 'failed', { allow_failure: true }),
        job(2, 'roll out', 'failed', { failure_reason: 'script_failure' }),
      ]),
    );
    const last = 'section_end:1560896353:step_script\r\u001b[0K\u001b[31;1mERROR: Job failed: exit code 1\u001b[0;m\n';
    server.on(`GET ${PROJECT}/jobs/2/trace`, longText('x'.repeat(99), 500_000, last));
    const run = recordedRun();
    expect(textOf(await deploy(run))).to.equal(
      'failed: the job “roll out” of the stage deploy failed, because its script failed: https://gitlab.test/acme/web/-/pipelines/31',
    );
    expect(run.lines).to.have.length(81);
    expect(run.lines[0]).to.equal('The log of the job roll out, without its first 499921 lines:');
    expect(run.lines.at(-1)).to.equal('ERROR: Job failed: exit code 1');
  });

  it('says that a pipeline further down failed, or that a log cannot be read', async () => {
    created();
    server.on(`GET ${PROJECT}/pipelines/31`, json(200, pipeline(31, 'failed')));
    server.on(`GET ${PROJECT}/pipelines/31/jobs`, json(200, []));
    server.on(`GET ${PROJECT}/pipelines/31/bridges`, json(200, [job(9, 'cluster', 'failed')]));
    expect(textOf(await deploy())).to.include('the pipeline that “cluster” starts failed');
    created();
    server.on(`GET ${PROJECT}/pipelines/31`, json(200, pipeline(31, 'failed')));
    server.on(`GET ${PROJECT}/pipelines/31/jobs`, json(200, [job(2, 'roll out', 'failed')]));
    server.on(`GET ${PROJECT}/jobs/2/trace`, cut(), cut(), cut());
    const run = recordedRun();
    await deploy(run);
    expect(run.lines).to.deep.equal([
      'The log of the job roll out could not be read: the connection to GitLab was cut in the middle',
    ]);
  });

  const refusals: [number, object, string][] = [
    [
      401,
      { message: '401 Unauthorized' },
      'GitLab did not accept the token in GL (401: 401 Unauthorized); it is wrong',
    ],
    [403, { message: '403 Forbidden' }, 'with the scope “api”'],
    [404, { message: '404 Project Not Found' }, 'check the project in config/services.yaml'],
    [409, { message: 'Conflict' }, 'GitLab refused because of a conflict'],
    [422, { message: 'Unprocessable' }, 'GitLab did not take the request (422: Unprocessable)'],
    [
      400,
      { message: { base: ['Reference not found'] } },
      '(400: base Reference not found); check that v2 is a branch or tag',
    ],
  ];
  for (const [code, body, text] of refusals) {
    it(`says ${code} in words`, async () => {
      server.on(`GET ${PROJECT}/pipelines`, json(200, []));
      server.on(`POST ${PROJECT}/pipeline`, json(code, body));
      const outcome = textOf(await deploy());
      expect(outcome).to.include('failed: ');
      expect(outcome).to.include(text);
    });
  }

  it('waits as Retry-After says, and begins once', async () => {
    server.on(`GET ${PROJECT}/pipelines`, json(200, []));
    server.on(`POST ${PROJECT}/pipeline`, json(429, {}, { 'retry-after': '30' }), json(201, pipeline(31)));
    endsWell();
    expect(textOf(await deploy())).to.equal('succeeded');
    expect(clock.waits).to.include(30_000);
  });

  it('finds by its variable what a cut connection had begun, and begins no second one', async () => {
    server.on(`GET ${PROJECT}/pipelines`, json(200, [pipeline(30)]));
    server.on(`POST ${PROJECT}/pipeline`, (res, call) => {
      const value = /shipmate-42-[0-9a-z]+/.exec(call.text)?.[0];
      server.on(`GET ${PROJECT}/pipelines`, json(200, [pipeline(32), pipeline(31), pipeline(30)]));
      server.on(`GET ${PROJECT}/pipelines/32/variables`, json(200, [{ key: 'OTHER', value: '1' }]));
      server.on(`GET ${PROJECT}/pipelines/31/variables`, json(200, [{ key: 'SHIPMATE_DEPLOYMENT', value }]));
      res.destroy();
    });
    endsWell();
    expect(textOf(await deploy())).to.equal('succeeded');
  });

  it('takes the only new pipeline for its own where GitLab does not show the variables', async () => {
    const hidden = json(403, { message: '403 Forbidden' });
    server.on(`GET ${PROJECT}/pipelines`, json(200, [pipeline(30)]), json(200, [pipeline(31), pipeline(30)]));
    server.on(`POST ${PROJECT}/pipeline`, cut());
    server.on(`GET ${PROJECT}/pipelines/31/variables`, hidden);
    endsWell();
    expect(textOf(await deploy())).to.equal('succeeded');
    server.on(`GET ${PROJECT}/pipelines`, json(200, []), json(200, [pipeline(41), pipeline(40)]));
    server.on(`POST ${PROJECT}/pipeline`, cut());
    server.on(`GET ${PROJECT}/pipelines/40/variables`, hidden);
    server.on(`GET ${PROJECT}/pipelines/41/variables`, hidden);
    expect(textOf(await deploy())).to.include('several pipelines began on v2');
  });

  it('begins again after 500 when no pipeline is there, and does not guess when two are', async () => {
    const without = target({ variables: {} });
    server.on(`GET ${PROJECT}/pipelines`, ...Array.from({ length: 5 }, () => json(200, [pipeline(30)])));
    server.on(`POST ${PROJECT}/pipeline`, json(500, {}), json(201, pipeline(31)));
    endsWell();
    expect(textOf(await deploy(recordedRun(), without))).to.equal('succeeded');
    expect(server.calls.find(({ method }) => method === 'POST')?.json).to.deep.equal({ ref: 'v2', variables: [] });
    server.on(`GET ${PROJECT}/pipelines`, json(200, []), json(200, [pipeline(41), pipeline(40)]));
    server.on(`POST ${PROJECT}/pipeline`, cut());
    expect(textOf(await deploy(recordedRun(), without))).to.include('several pipelines began on v2');
  });

  it('cancels the pipeline', async () => {
    created();
    server.on(
      `GET ${PROJECT}/pipelines/31`,
      json(200, pipeline(31)),
      json(200, pipeline(31, 'canceling')),
      json(200, pipeline(31, 'canceled')),
    );
    server.always(`GET ${PROJECT}/pipelines/31/jobs`, json(200, [job(1, 'deploy', 'running')]));
    server.on(`POST ${PROJECT}/pipelines/31/cancel`, json(200, pipeline(31, 'canceling')));
    const run = recordedRun((text, { abort }) => {
      if (text === 'deploy') abort('cancel');
    });
    expect(textOf(await deploy(run))).to.equal('interrupted: it was cancelled and has ended on GitLab');
  });

  it('cancels what had begun while somebody cancelled', async () => {
    const run = recordedRun();
    server.on(`GET ${PROJECT}/pipelines`, json(200, []));
    server.on(`POST ${PROJECT}/pipeline`, (_, call) => {
      const value = /shipmate-42-[0-9a-z]+/.exec(call.text)?.[0];
      server.on(`GET ${PROJECT}/pipelines`, json(200, [pipeline(31)]));
      server.on(`GET ${PROJECT}/pipelines/31/variables`, json(200, [{ key: 'SHIPMATE_DEPLOYMENT', value }]));
      run.abort('cancel');
    });
    server.on(`POST ${PROJECT}/pipelines/31/cancel`, json(200, pipeline(31, 'canceled')));
    server.on(`GET ${PROJECT}/pipelines/31`, json(200, pipeline(31)), json(200, pipeline(31, 'canceled')));
    server.on(`GET ${PROJECT}/pipelines/31/jobs`, json(200, []), json(200, []));
    server.on(`GET ${PROJECT}/pipelines/31/bridges`, json(200, []));
    expect(textOf(await deploy(run))).to.equal('interrupted: it was cancelled and has ended on GitLab');
  });

  it('leaves it going when the robot stops, and another process follows it to its end', async () => {
    created();
    server.on(
      `GET ${PROJECT}/pipelines/31`,
      json(200, pipeline(31)),
      ...[1, 2].map(() => json(200, pipeline(31, 'success'))),
    );
    server.on(`GET ${PROJECT}/pipelines/31/jobs`, ...[1, 2].map(() => json(200, [job(1, 'deploy', 'running')])));
    const first = recordedRun((text, { abort }) => {
      if (text === 'deploy') abort('shutdown');
    });
    expect(textOf(await deploy(first))).to.equal('interrupted: the robot was stopped while it ran');
    nothingRecorded();
    expect(textOf(await target().resume?.(REQUEST, first.handles.at(-1), recordedRun()))).to.equal('succeeded');
  });

  it('takes up what was begun just before the robot died, and begins nothing itself', async () => {
    const handle = { marker: 'shipmate-42-abc', ref: 'v2', after: 30, startedAt: new Date().toISOString() };
    server.on(`GET ${PROJECT}/pipelines`, json(200, [pipeline(31)]));
    server.on(
      `GET ${PROJECT}/pipelines/31/variables`,
      json(200, [{ key: 'SHIPMATE_DEPLOYMENT', value: 'shipmate-42-abc' }]),
    );
    endsWell();
    expect(textOf(await target().resume?.(REQUEST, handle, recordedRun()))).to.equal('succeeded');
    server.always(`GET ${PROJECT}/pipelines`, json(200, []));
    expect(textOf(await target().resume?.(REQUEST, handle, recordedRun()))).to.equal(
      'interrupted: the robot was stopped before GitLab had begun a pipeline',
    );
    expect(server.calls.every(({ method }) => method === 'GET')).to.equal(true);
    expect(textOf(await target().resume?.(REQUEST, { other: 1 }, recordedRun()))).to.include('the target was changed');
  });

  it('cancels what it takes up when somebody cancelled it in the meantime, known or yet to be found', async () => {
    const handle = { marker: 'shipmate-42-abc', ref: 'v2', after: 30, startedAt: new Date().toISOString() };
    for (const known of [{ pipeline: 31 }, {}]) {
      const more = 'pipeline' in known ? 1 : 0;
      if (more === 0) {
        const marker = { key: 'SHIPMATE_DEPLOYMENT', value: 'shipmate-42-abc' };
        server.on(`GET ${PROJECT}/pipelines`, json(200, []), json(200, [pipeline(31)]));
        server.on(`GET ${PROJECT}/pipelines/31/variables`, json(200, [marker]));
      }
      server.on(
        `GET ${PROJECT}/pipelines/31`,
        ...Array.from({ length: more + 1 }, () => json(200, pipeline(31))),
        json(200, pipeline(31, 'canceled')),
      );
      server.on(`GET ${PROJECT}/pipelines/31/jobs`, json(200, [job(1, 'deploy', 'running')]), json(200, []));
      server.on(`POST ${PROJECT}/pipelines/31/cancel`, json(200, pipeline(31, 'canceled')));
      const run = recordedRun();
      run.abort('cancel');
      expect(textOf(await target().resume?.(REQUEST, { ...handle, ...known }, run))).to.equal(
        'interrupted: it was cancelled and has ended on GitLab',
      );
    }
  });

  it('goes on asking while GitLab is away, and ends as unclear when its token is no longer accepted', async () => {
    created();
    server.on(`GET ${PROJECT}/pipelines/31`, ...Array.from({ length: 12 }, () => json(502, {})), json(401, {}));
    const run = recordedRun();
    expect(textOf(await deploy(run))).to.include(
      'interrupted: it could not be followed to its end: GitLab did not accept',
    );
    expect(run.texts.at(-1)).to.equal('GitLab is in trouble (502); try again later (asking again and again)');
  });

  describe('what is live', () => {
    const deployment = (ref: string) => ({
      id: 42,
      ref,
      created_at: '2026-01-31T12:00:00.000Z',
      deployable: { finished_at: '2026-01-31T12:05:00.000Z', pipeline: { id: 31 } },
    });

    it('is the latest successful deployment', async () => {
      server.on(`GET ${PROJECT}/deployments`, json(200, [deployment('v1')]));
      expect(await target().current('web', 'staging')).to.deep.equal({
        version: 'v1',
        since: new Date('2026-01-31T12:05:00Z'),
      });
      expect(server.calls[0]?.query).to.deep.equal({
        environment: 'staging',
        status: 'success',
        order_by: 'id',
        sort: 'desc',
        per_page: '1',
      });
    });

    it('is a variable of its pipeline where pipelines run on one branch', async () => {
      const fixed = target({ ref: 'main', variables: { VERSION: '{version}' } });
      server.on(`GET ${PROJECT}/deployments`, json(200, [deployment('main')]), json(200, [deployment('main')]));
      server.on(`GET ${PROJECT}/pipelines/31/variables`, json(200, [{ key: 'VERSION', value: 'v7' }]));
      expect(await fixed.current('web', 'staging')).to.include({ version: 'v7' });
      expect(await target({ ref: 'main' }).current('web', 'staging')).to.equal('unsupported');
    });

    it('is not known without deployments, or when GitLab does not tell', async () => {
      nothingRecorded();
      server.on(`GET ${PROJECT}/deployments`, json(404, { message: '404 Project Not Found' }));
      expect(await target().current('web', 'staging')).to.equal('unsupported');
      expect(await target().current('web', 'staging').then(String, String)).to.include('GitLab does not know this');
    });
  });

  it('lists tags and releases as GitLab sorts them', async () => {
    server.on(`GET ${PROJECT}/repository/tags`, json(200, [{ name: 'v2' }, { name: 'v1' }]));
    expect(await target().versions('web')).to.deep.equal(['v2', 'v1']);
    server.on(
      `GET ${PROJECT}/releases`,
      json(200, [{ tag_name: 'v3', upcoming_release: true }, { tag_name: 'v2' }, { tag_name: 'v1' }]),
    );
    expect(await target({ versions: 'releases' }).versions('web')).to.deep.equal(['v2', 'v1']);
    expect(await target({ versions: 'any' }).versions('web')).to.equal('unsupported');
  });
});
