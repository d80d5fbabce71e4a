import { expect } from 'chai';
import { createJenkinsTarget } from '../../../src/adapters/deploy/jenkins/client.ts';
import { createConsole } from '../../../src/adapters/deploy/jenkins/log.ts';
import type { JenkinsTargetConfig } from '../../../src/domain/deploy/targets/jenkins.ts';
import { REQUEST, type RecordedRun, recordedRun } from '../../support/recorded-run.ts';
import {
  cut,
  empty,
  hastyClock,
  json,
  longText,
  type RestReply,
  type RestServer,
  restServer,
} from '../../support/rest-server.ts';

const JOB = '/job/platform/job/deploy-web';
const SENT = { SERVICE: 'web', ENVIRONMENT: 'staging', VERSION: 'v2', DEPLOYMENT: '42' };
const declared = Object.keys(SENT).map((name) => ({ name }));

function actions(parameters: Record<string, unknown>): object[] {
  return [{}, { parameters: Object.entries(parameters).map(([name, value]) => ({ name, value })) }, { causes: [] }];
}

const job = json(200, { nextBuildNumber: 17, property: [{}, { parameterDefinitions: declared }] });
const running = { number: 17, queueId: 39, building: true, result: null, timestamp: 1, estimatedDuration: 60_000 };
const ended = (result: string) => json(200, { ...running, building: false, result, duration: 5_000 });

/** A part of the console. */
function log(text: string, next: number, more = false): RestReply {
  return (res) => {
    res.writeHead(200, {
      'content-type': 'text/plain;charset=utf-8',
      'x-text-size': String(next),
      ...(more ? { 'x-more-data': 'true' } : {}),
    });
    res.end(text);
  };
}

describe('jenkins target', function () {
  this.timeout(20_000);
  let server: RestServer;
  let clock: ReturnType<typeof hastyClock>;
  beforeEach(async () => {
    server = await restServer();
    clock = hastyClock();
  });
  afterEach(() => server.finish());

  function target(change: Partial<JenkinsTargetConfig> = {}, environment: Record<string, string> = {}) {
    return createJenkinsTarget({
      service: 'web',
      config: {
        kind: 'jenkins',
        url: server.url,
        job: 'platform/deploy-{service}',
        user: 'robot',
        tokenFrom: 'JENKINS_TOKEN',
        parameters: {
          SERVICE: '{service}',
          ENVIRONMENT: '{environment}',
          VERSION: '{version}',
          DEPLOYMENT: '{deployment}',
        },
        timeoutMs: 600_000,
        ...change,
      },
      environment: { JENKINS_TOKEN: 'sekrit-token', ...environment },
      clock,
    });
  }

  const asked = (what: string) => server.calls.filter(({ method, path }) => `${method} ${path}` === what).length;
  const builds = () => asked(`POST ${JOB}/buildWithParameters`);

  /** From the queue to the end, as Jenkins does it. */
  function rest(result = 'SUCCESS'): void {
    server.on('GET /queue/item/39/api/json', json(200, { id: 39, executable: { number: 17, url: 'x' } }));
    server.on(`GET ${JOB}/17/api/json`, ended(result));
    server.always(`GET ${JOB}/17/logText/progressiveText`, log('', 0));
  }

  const accepted = empty(201, { location: 'http://ci/queue/item/39/' });

  it('starts the job, waits in the queue, tells the console and ends well', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, accepted);
    server.on(
      'GET /queue/item/39/api/json',
      json(200, { id: 39, why: 'In the quiet period. Expires in 2.4 sec', cancelled: false }),
      json(200, { id: 39, why: null, cancelled: false, executable: { number: 17, url: 'x' } }),
    );
    server.on(`GET ${JOB}/17/api/json`, json(200, running), ended('SUCCESS'));
    server.on(
      `GET ${JOB}/17/logText/progressiveText`,
      log('Started by robot\n[Pipe', 23, true),
      log('line] sh\n', 32),
      log('\u001b[32mFinished: SUCCESS\u001b[0m', 60),
    );
    const kept = recordedRun();
    expect(await target().deploy(REQUEST, kept)).to.deep.equal({ kind: 'succeeded' });
    expect(kept.lines).to.deep.equal(['Started by robot', '[Pipeline] sh', 'Finished: SUCCESS']);
    expect(kept.texts).to.deep.equal([
      'Asking Jenkins for a build of platform/deploy-web',
      'Waiting in the queue of Jenkins: In the quiet period. Expires in 2.4 sec',
      'Build 17 runs',
    ]);
    const post = server.calls.find(({ method }) => method === 'POST');
    expect(Object.fromEntries(new URLSearchParams(post?.text))).to.deep.equal(SENT);
    expect(post?.headers.authorization).to.equal(`Basic ${Buffer.from('robot:sekrit-token').toString('base64')}`);
    expect(server.calls.filter(({ path }) => path.endsWith('Text')).map(({ query }) => query['start'])).to.deep.equal([
      '0',
      '23',
      '32',
    ]);
    expect(kept.handles.at(-1)).to.include({ item: 39, build: 17, from: 17, told: 60 });
  });

  const refusals: [number, string][] = [
    [401, 'make a new API token'],
    [404, 'check `job` in config/services.yaml'],
    [409, 'the job is disabled'],
    [422, 'check the version and the settings'],
  ];
  for (const [status, text] of refusals) {
    it(`says ${status} in words, and asks once`, async () => {
      server.on(`GET ${JOB}/api/json`, job);
      server.on(`POST ${JOB}/buildWithParameters`, empty(status));
      const outcome = await target().deploy(REQUEST, recordedRun());
      expect(outcome.kind === 'failed' && outcome.text)
        .to.include(`(${status})`)
        .and.include(text);
      expect(builds()).to.equal(1);
    });
  }

  it('gets a crumb where Jenkins wants one, with the session that it belongs to', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, empty(403), accepted);
    server.on('GET /crumbIssuer/api/json', (res) => {
      res.writeHead(200, { 'set-cookie': ['JSESSIONID.1=abc; Path=/; HttpOnly', 'x=y'] });
      res.end(JSON.stringify({ crumb: 'c0ffee', crumbRequestField: 'Jenkins-Crumb' }));
    });
    rest();
    expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
    const post = server.calls.findLast(({ method }) => method === 'POST');
    expect(post?.headers).to.include({ 'jenkins-crumb': 'c0ffee', cookie: 'JSESSIONID.1=abc; x=y' });
  });

  it('says 403 in words where there are no crumbs', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, empty(403));
    server.on('GET /crumbIssuer/api/json', empty(404));
    const outcome = await target().deploy(REQUEST, recordedRun());
    expect(outcome.kind === 'failed' && outcome.text).to.include('Job/Read, Job/Build and Job/Cancel');
  });

  it('waits as long as 429 asks for', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, empty(429, { 'retry-after': '90' }), accepted);
    rest();
    expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
    expect(clock.waits).to.include(90_000);
  });

  for (const [what, trouble] of [
    ['500', empty(500)],
    ['a cut connection', cut()],
  ] as const) {
    it(`looks for the build after ${what}, and does not ask twice for what is there`, async () => {
      server.on(`GET ${JOB}/api/json`, job);
      server.on(`POST ${JOB}/buildWithParameters`, trouble);
      server.on(
        'GET /queue/api/json',
        json(200, {
          items: [
            { id: 38, task: { url: `http://ci${JOB}/` }, actions: actions({ ...SENT, DEPLOYMENT: '41' }) },
            { id: 39, task: { url: `http://ci${JOB}/` }, actions: actions(SENT) },
          ],
        }),
      );
      rest();
      expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
      expect(builds()).to.equal(1);
    });

    it(`asks again after ${what} if nothing is there`, async () => {
      server.on(`GET ${JOB}/api/json`, job);
      server.on(`POST ${JOB}/buildWithParameters`, trouble, accepted);
      server.always('GET /queue/api/json', json(200, { items: [] }));
      server.always(`GET ${JOB}/api/json`, json(200, { builds: [{ number: 16, actions: actions(SENT) }] }));
      rest();
      expect(await target().deploy(REQUEST, recordedRun())).to.deep.equal({ kind: 'succeeded' });
      expect(builds()).to.equal(2);
    });
  }

  it('lives through trouble while the build runs', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, accepted);
    server.on('GET /queue/item/39/api/json', json(200, { id: 39, executable: { number: 17 } }));
    server.on(`GET ${JOB}/17/api/json`, ...Array.from({ length: 20 }, () => empty(502)), cut(), ended('SUCCESS'));
    server.always(`GET ${JOB}/17/logText/progressiveText`, log('', 0));
    const kept = recordedRun();
    expect(await target().deploy(REQUEST, kept)).to.deep.equal({ kind: 'succeeded' });
    expect(kept.texts.join('\n')).to.include('No answer just now, the build goes on');
  });

  const results: [string, string][] = [
    ['FAILURE', 'failed'],
    ['UNSTABLE', 'ended as unstable'],
    ['ABORTED', 'was aborted in Jenkins'],
    ['NOT_BUILT', 'was not built'],
  ];
  for (const [result, text] of results) {
    it(`says ${result} in words, with the address of the build`, async () => {
      server.on(`GET ${JOB}/api/json`, job);
      server.on(`POST ${JOB}/buildWithParameters`, accepted);
      rest(result);
      const outcome = await target().deploy(REQUEST, recordedRun());
      expect(outcome.kind === 'failed' && outcome.text).to.include(
        `build 17 of platform/deploy-web (${server.url}${JOB}/17/) ${text}`,
      );
    });
  }

  it('does not call a build failed that it may not see any more', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, accepted);
    server.on('GET /queue/item/39/api/json', json(200, { id: 39, executable: { number: 17 } }));
    server.on(`GET ${JOB}/17/api/json`, json(200, running), empty(401));
    server.on(`GET ${JOB}/17/logText/progressiveText`, empty(403));
    const kept = recordedRun();
    const outcome = await target().deploy(REQUEST, kept);
    expect(outcome.kind === 'interrupted' && outcome.text).to.include(
      'could not be followed to its end: Jenkins did not',
    );
    expect(kept.lines.join()).to.include('The console cannot be read');
  });

  it('does not start a job that would lose the version', async () => {
    server.on(
      `GET ${JOB}/api/json`,
      json(200, { nextBuildNumber: 1, property: [{ parameterDefinitions: [{ name: 'SERVICE' }] }] }),
    );
    const outcome = await target().deploy(REQUEST, recordedRun());
    expect(outcome).to.include({ kind: 'failed', code: 'parameters' });
    expect(outcome.kind === 'failed' && outcome.text).to.include(
      'has no parameter ENVIRONMENT, VERSION (it has SERVICE)',
    );
  });

  it('does without the parameters that are no matter of the rollout', async () => {
    server.on(
      `GET ${JOB}/api/json`,
      json(200, { nextBuildNumber: 17, property: [{ parameterDefinitions: declared.slice(0, 3) }] }),
    );
    server.on(`POST ${JOB}/buildWithParameters`, accepted);
    rest();
    const kept = recordedRun();
    expect(await target().deploy(REQUEST, kept)).to.deep.equal({ kind: 'succeeded' });
    expect(kept.lines).to.deep.equal(['The job has no parameter DEPLOYMENT: not sent.']);
  });

  it('stops the build when somebody cancels', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, accepted);
    server.on('GET /queue/item/39/api/json', json(200, { id: 39, executable: { number: 17 } }));
    server.on(`GET ${JOB}/17/api/json`, json(200, running), json(200, running), ended('ABORTED'));
    server.on(`POST ${JOB}/17/stop`, empty(302, { location: '/' }));
    server.always(`GET ${JOB}/17/logText/progressiveText`, log('', 0));
    const kept: RecordedRun = recordedRun((text) => {
      if (text === 'Build 17 runs') kept.abort('cancel');
    });
    const outcome = await target().deploy(REQUEST, kept);
    expect(outcome.kind === 'interrupted' && outcome.text).to.match(/^it was cancelled; build 17 .* was stopped$/);
  });

  it('takes the build out of the queue when somebody cancels', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, accepted);
    server.on(
      'GET /queue/item/39/api/json',
      json(200, { id: 39, why: 'Waiting for next available executor' }),
      json(200, { id: 39, cancelled: true }),
    );
    server.on('POST /queue/cancelItem', empty(204));
    const kept: RecordedRun = recordedRun((text) => {
      if (text.includes('executor')) kept.abort('cancel');
    });
    expect(await target().deploy(REQUEST, kept)).to.deep.equal({
      kind: 'interrupted',
      text: 'it was cancelled; Jenkins had not begun',
    });
    expect(server.calls.find(({ path }) => path === '/queue/cancelItem')?.query).to.deep.equal({ id: '39' });
  });

  it('stops a build that takes too long', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, accepted);
    server.on('GET /queue/item/39/api/json', json(200, { id: 39, executable: { number: 17 } }));
    let stopped = false;
    server.always(`GET ${JOB}/17/api/json`, (res, call) =>
      (stopped ? ended('ABORTED') : json(200, running))(res, call),
    );
    server.on(`POST ${JOB}/17/stop`, (res, call) => {
      stopped = true;
      empty(200)(res, call);
    });
    server.always(`GET ${JOB}/17/logText/progressiveText`, log('', 0));
    const outcome = await target().deploy(REQUEST, recordedRun());
    expect(outcome).to.include({ kind: 'failed', code: 'timeout' });
    expect(outcome.kind === 'failed' && outcome.text).to.include('took longer than 10 min and was stopped');
  });

  it('leaves the build running when the robot stops, and takes it up again', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, accepted);
    server.on('GET /queue/item/39/api/json', json(200, { id: 39, executable: { number: 17 } }));
    server.on(`GET ${JOB}/17/api/json`, json(200, running));
    server.on(`GET ${JOB}/17/logText/progressiveText`, log('one\n', 4, true), log('two\n', 8), log('', 8));
    const kept: RecordedRun = recordedRun((text) => {
      if (text === 'Build 17 runs') kept.abort('shutdown');
    });
    expect((await target().deploy(REQUEST, kept)).kind).to.equal('interrupted');

    server.on(`GET ${JOB}/17/api/json`, ended('SUCCESS'));
    const again = recordedRun();
    const made = target();
    expect(await made.resume?.(REQUEST, kept.handles.at(-1), again)).to.deep.equal({ kind: 'succeeded' });
    expect([...kept.lines, ...again.lines]).to.deep.equal(['one', 'two']);
    expect(builds()).to.equal(1);
  });

  it('finds a build that it had asked for when it was killed', async () => {
    server.on(`GET ${JOB}/api/json`, job, json(200, { builds: [{ number: 18, actions: actions(SENT) }] }));
    server.on('GET /queue/api/json', json(200, { items: [] }));
    server.on(`GET ${JOB}/18/api/json`, ended('SUCCESS'));
    server.always(`GET ${JOB}/18/logText/progressiveText`, log('', 0));
    const handle = { kind: 'jenkins', from: 17, startedAt: clock.now().getTime() };
    expect(await target().resume?.(REQUEST, handle, recordedRun())).to.deep.equal({ kind: 'succeeded' });
  });

  it('starts nothing when it takes up what had not begun', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.always(`GET ${JOB}/api/json`, json(200, { builds: [] }));
    server.always('GET /queue/api/json', json(200, { items: [] }));
    const handle = { kind: 'jenkins', from: 17, startedAt: clock.now().getTime() };
    const outcome = await target().resume?.(REQUEST, handle, recordedRun());
    expect(outcome).to.include({ kind: 'interrupted' });
    expect(builds()).to.equal(0);
  });

  it('tells a console of 50 MB line by line, without keeping it', async () => {
    server.on(`GET ${JOB}/api/json`, job);
    server.on(`POST ${JOB}/buildWithParameters`, accepted);
    server.on('GET /queue/item/39/api/json', json(200, { id: 39, executable: { number: 17 } }));
    server.on(`GET ${JOB}/17/api/json`, ended('SUCCESS'));
    server.on(
      `GET ${JOB}/17/logText/progressiveText`,
      longText('x'.repeat(99), 524_000, 'the end\n'),
      log('', 52_400_008),
    );
    let lines = 0;
    let last = '';
    const kept = recordedRun();
    const before = process.memoryUsage().rss;
    let most = 0;
    const run = {
      ...kept,
      output(line: string) {
        lines += 1;
        last = line;
        if (lines % 50_000 === 0) most = Math.max(most, process.memoryUsage().rss - before);
      },
    };
    expect(await target().deploy(REQUEST, run)).to.deep.equal({ kind: 'succeeded' });
    expect([lines, last]).to.deep.equal([524_001, 'the end']);
    expect(most).to.be.below(150 * 1024 * 1024);
  });

  it('goes on where the console was cut, without a line twice', async () => {
    const parts = ['a\nb\nc', 'a\nb\ncc\nd\n'];
    const lines: string[] = [];
    const { createJenkins } = await import('../../../src/adapters/deploy/jenkins/api.ts');
    const { createRest } = await import('../../../src/adapters/rest/client.ts');
    server.on(
      `GET /job/x/1/logText/progressiveText`,
      (res) => {
        res.writeHead(200, { 'content-length': '100', 'x-text-size': '100' });
        res.write(parts[0], () => res.destroy());
      },
      log(parts[1] ?? '', 9),
    );
    const client = createRest({ name: 'Jenkins', baseUrl: server.url, headers: () => ({}), clock });
    const console = createConsole(createJenkins(client, 'x'), 1, 0, { output: (line) => lines.push(line) });
    expect((await console.read()).trouble).to.equal(true);
    expect((await console.read()).trouble).to.equal(false);
    await console.end();
    expect(lines).to.deep.equal(['a', 'b', 'cc', 'd']);
    expect(console.told()).to.equal(9);
  });

  it('leaves out the middle of a console without end', async () => {
    const lines: string[] = [];
    const asked: number[] = [];
    const console = createConsole(
      {
        async log(_number, from, most, take) {
          asked.push(from);
          take(Buffer.from('line\n'.repeat(20).slice(0, most)));
          return { next: 1_000_000, whole: false, more: true };
        },
      },
      1,
      0,
      { output: (line) => lines.push(line) },
      50,
    );
    await console.read();
    await console.read();
    await console.end();
    expect(lines).to.include('… the console is too long to be told as a whole; this is its end …');
    expect(asked).to.deep.equal([0, 0, 1_000_000 - 64 * 1024]);
  });

  it('knows what is live from the latest good build of that place', async () => {
    const build = (number: number, result: string, parameters: Record<string, unknown>) => ({
      number,
      result,
      timestamp: number * 1_000,
      duration: 500,
      actions: actions(parameters),
    });
    const list = json(200, {
      builds: [
        build(20, 'FAILURE', { ...SENT, VERSION: 'v5' }),
        build(19, 'SUCCESS', { ...SENT, ENVIRONMENT: 'production', VERSION: 'v4' }),
        build(18, 'SUCCESS', { ...SENT, VERSION: 'v3' }),
        build(17, 'SUCCESS', SENT),
      ],
    });
    server.on(`GET ${JOB}/api/json`, list, list, json(401, {}));
    const made = target();
    expect(await made.current('web', 'staging')).to.deep.equal({ version: 'v3', since: new Date(18_500) });
    expect(await made.current('web', 'nowhere')).to.equal(undefined);
    const error = await made.current('web', 'staging').catch((reason: unknown) => reason);
    expect(String(error)).to.include('Jenkins did not accept the token in JENKINS_TOKEN');
  });

  it('lists the choices of the version', async () => {
    server.on(
      `GET ${JOB}/api/json`,
      json(200, {
        nextBuildNumber: 1,
        property: [{ parameterDefinitions: [{ name: 'VERSION', choices: ['v3', 'v2'] }] }],
      }),
      job,
    );
    expect(await target().versions('web')).to.deep.equal(['v3', 'v2']);
    expect(await target().versions('web')).to.equal('unsupported');
  });

  it('says that the token is not set', async () => {
    const outcome = await target({}, { JENKINS_TOKEN: '' }).deploy(REQUEST, recordedRun());
    expect(outcome.kind === 'failed' && outcome.text).to.include('the variable JENKINS_TOKEN is not set');
  });
});
