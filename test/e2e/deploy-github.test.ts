/** Deploys through GitHub, driven through the real program: the good way and every bad one, as a person in the chat sees them. */

import { expect } from 'chai';
import { type Github, startGithub } from '../support/forge/github.ts';
import { type ForgeRobot, startRobot } from '../support/forge/robot.ts';
import { longText } from '../support/forge/server.ts';
import {
  beginsOnce,
  cancelInTheMiddle,
  faultsOf,
  livesThrough,
  logOf50MB,
  obeysRetryAfter,
  type Refused,
  type Stage,
  saysWhatToDo,
  takesUpAgain,
} from '../support/forge/ways.ts';
import { endAll } from '../support/program.ts';

const TOKEN = 'sekrit-token-of-github';
const NAMES = ['good', '401', '403', '404', '409', '422', '429', '500', '500done', 'cut', 'looks', 'cancel', 'kill'];

/** What GitHub answers, and what the person reads. */
function refused(scope: string, route: string, status: number, message: string, todo: string, more = {}): Refused {
  const json = { message, ...more, documentation_url: 'https://docs.github.com/rest', status: String(status) };
  return { scope, route, answer: { status, json }, reads: [`${status}: ${message}`, todo] };
}

describe('deploying through GitHub, by the real program', function () {
  this.timeout(120_000);
  let github: Github;
  let robot: ForgeRobot;
  const on = (): Stage => ({ forge: github, robot });

  before(async () => {
    github = await startGithub(TOKEN);
    const workflow = "mode: workflow, workflow: deploy.yml, inputs: { environment: '{environment}', id: '{marker}' }";
    const service = (scope: string, how: string) =>
      `  ${scope}:\n    target: { kind: github, ${how}, repository: acme/${scope}, url: '${github.url}' }\n`;
    const all = [
      ...NAMES.flatMap((name) => [service(`wf-${name}`, workflow), service(`dep-${name}`, 'mode: deployment')]),
      ...['old', 'big', 'cutlog'].map((name) => service(`wf-${name}`, workflow)),
      service('dep-fails', 'mode: deployment'),
    ];
    robot = await startRobot(all.join(''), { GITHUB_TOKEN: TOKEN });
  });
  after(async () => {
    await robot?.close();
    await endAll();
    await github?.close();
  });

  it('runs a workflow to its end, and creates a deployment that somebody carries out', async () => {
    github.plan('wf-old', { old: true });
    await robot.deploy('wf-good', 'dep-good', 'wf-old');
    for (const scope of ['wf-good', 'dep-good', 'wf-old']) {
      await robot.shown(scope, `${scope} v2 is live in staging`);
      expect(github.begun(scope)).to.equal(1);
    }
  });

  saysWhatToDo(on, [
    refused('wf-401', 'GET runs', 401, 'Bad credentials', 'it is wrong or has expired: make a new one'),
    refused(
      'wf-403',
      'POST dispatches',
      403,
      'Resource not accessible by personal access token',
      'the token needs the permission “Actions: write” for acme/wf-403',
    ),
    refused('wf-404', 'GET runs', 404, 'Not Found', 'check repository and workflow in config/services.yaml'),
    refused('wf-409', 'POST dispatches', 409, 'Conflict', 'look there at what stands against it, then try again'),
    {
      ...refused(
        'wf-422',
        'POST dispatches',
        422,
        `No ref found for: v2 (${TOKEN})`,
        'check that v2 is a branch or tag',
      ),
      reads: ['(422: No ref found for: v2 ([GITHUB_TOKEN]))', 'check that v2 is a branch or tag'],
    },
    refused('dep-401', 'POST deployments', 401, 'Bad credentials', 'it is wrong or has expired: make a new one'),
    refused('dep-403', 'POST deployments', 403, 'Resource not accessible', 'the permission “Deployments: write”'),
    refused('dep-404', 'POST deployments', 404, 'Not Found', 'that the token has the permission “Deployments: write”'),
    refused(
      'dep-409',
      'POST deployments',
      409,
      'Conflict: Commit status checks failed for v2.',
      'checks of v2 have not passed; look at them on GitHub, or name those that count under required_contexts',
      { errors: [{ contexts: [{ context: 'ci/test', state: 'pending' }], resource: 'Deployment', code: 'invalid' }] },
    ),
    refused('dep-422', 'POST deployments', 422, 'No ref found for: v2', 'is a branch, tag or commit of acme/dep-422'),
  ]);

  obeysRetryAfter(on, 'wf-429', 'GET runs', 'POST dispatches');
  obeysRetryAfter(on, 'dep-429', 'POST deployments', 'GET statuses');

  beginsOnce(on, ...faultsOf('wf-', 'POST dispatches'), ...faultsOf('dep-', 'POST deployments'));

  livesThrough(on, 'wf-looks', 'GET run', 'GET jobs');
  livesThrough(on, 'dep-looks', 'GET statuses');

  it('names the step that failed, and shows the end of a log of 50 MB in bounded memory', async () => {
    const log = longText(524_000, 'the last line of 50 MB');
    github.plan('wf-big', { conclusion: 'failure', log: () => log.read() });
    await logOf50MB(on(), 'wf-big', 'the job “deploy” failed at the step “Run ./deploy.sh”');
    await robot.say(`deploys log ${await robot.numberOf('wf-big')} page 1`);
    await robot.shown('wf-big', 'The log of the job deploy, without its first 523921 lines:');
  });

  it('reads a log again that was cut in the middle, and says so when it cannot be read', async () => {
    const log = longText(1_000, 'the end of it');
    github.plan('wf-cutlog', { conclusion: 'failure', log: () => log.read(), cutLogs: 2 });
    await robot.deploy('wf-cutlog');
    expect(await robot.shown('wf-cutlog', 'failed at the step')).to.include('the end of it');
    github.plan('wf-cutlog', { conclusion: 'failure', log: () => log.read(), cutLogs: 99 });
    await robot.deploy('wf-cutlog');
    await robot.shown('wf-cutlog', 'The log of the job deploy could not be read: the connection to GitHub was cut');
  });

  it('says what was reported by whoever carries out a deployment', async () => {
    github.plan('dep-fails', { conclusion: 'failure' });
    await robot.deploy('dep-fails');
    const all = await robot.shown('dep-fails', 'failed');
    expect(all).to.include('GitHub was told of the state failure: the disk of host-3 (https://ci.example.com/7)');
  });

  it('cancels the run, and tells GitHub of a deployment that was cancelled', async () => {
    github.plan('wf-cancel', { holds: true });
    github.plan('dep-cancel', { holds: true });
    const run = await cancelInTheMiddle(on(), 'wf-cancel', 'deploy: Run ./deploy.sh');
    expect(run).to.include('alice cancelled it and has ended on GitHub');
    expect(github.count('wf-cancel', 'POST cancel')).to.equal(1);
    const deployment = await cancelInTheMiddle(on(), 'dep-cancel', 'In progress: Copying files');
    expect(deployment).to.include('GitHub was told, but what carries it out may go on');
  });

  describe('when the robot is killed', () => {
    before(() => {
      github.plan('wf-kill', { holds: true });
      github.plan('dep-kill', { holds: true });
    });
    takesUpAgain(on, 'wf-kill', 'deploy: Run ./deploy.sh', 'GET run');
    takesUpAgain(on, 'dep-kill', 'In progress: Copying files', 'GET statuses');
  });
});
