/** Deploys through Jenkins, driven through the real program: the good way and every bad one, as a person in the chat sees them. */

import { expect } from 'chai';
import { type Jenkins, startJenkins } from '../support/forge/jenkins.ts';
import { type ForgeRobot, startRobot } from '../support/forge/robot.ts';
import { type ForgeAnswer, longText } from '../support/forge/server.ts';
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

const USERS = {
  token: { user: 'shipmate', secret: '11sekrit-token-of-jenkins' },
  password: { user: 'deployer', secret: 'sekrit-password-of-jenkins' },
};
const NAMES =
  'good 401 403 404 409 422 429 500 500done cut looks big cutlog fails cancel queued slips kill kill-queued'.split(' ');

function page(status: number, headers: Record<string, string> = {}): ForgeAnswer {
  return { status, text: ['<html></html>'], headers: { 'content-type': 'text/html;charset=utf-8', ...headers } };
}

function refused(scope: string, route: string, answer: ForgeAnswer, ...reads: string[]): Refused {
  return { scope, route, answer, reads: [String(answer.status), ...reads] };
}

describe('deploying through Jenkins, by the real program', function () {
  this.timeout(120_000);
  let jenkins: Jenkins;
  let robot: ForgeRobot;
  const on = (): Stage => ({ forge: jenkins, robot });

  before(async () => {
    jenkins = await startJenkins(USERS);
    const service = (scope: string, who: string) =>
      `  ${scope}:\n    target: { kind: jenkins, url: '${jenkins.url}/jenkins', job: 'platform/{service}', ${who} }\n`;
    const all = [
      ...NAMES.map((name) => service(`job-${name}`, 'user: shipmate, token_from: JENKINS_TOKEN')),
      service('job-crumb', 'user: deployer, token_from: JENKINS_PASSWORD'),
    ];
    const env = { JENKINS_TOKEN: USERS.token.secret, JENKINS_PASSWORD: USERS.password.secret };
    robot = await startRobot(all.join(''), env);
  });
  after(async () => {
    await robot?.close();
    await endAll();
    await jenkins?.close();
  });

  it('builds to the end, with a token, or with a password and the crumb of its session', async () => {
    await robot.deploy('job-good', 'job-crumb');
    for (const scope of ['job-good', 'job-crumb']) {
      await robot.shown(scope, `${scope} v2 is live in staging`);
      expect(jenkins.begun(scope)).to.equal(1);
    }
    await robot.say(`deploys log ${await robot.numberOf('job-good')}`);
    await robot.shown('job-good', 'Started by user shipmate');
  });

  saysWhatToDo(on, [
    refused('job-401', 'GET job', page(401), 'make a new API token on the page of that user, and check `user`'),
    refused(
      'job-403',
      'POST build',
      page(403, { 'x-required-permission': 'hudson.model.Item.Build' }),
      'it wants Item/Build',
      'that user needs Job/Read, Job/Build and Job/Cancel for this job',
    ),
    refused('job-404', 'GET job', page(404), 'check `job` in config/services.yaml (folders are part of it)'),
    refused('job-409', 'POST build', page(409), 'the job is disabled or cannot be built now: enable it in Jenkins'),
    refused(
      'job-422',
      'POST build',
      page(422, { 'x-error': 'Illegal choice for parameter VERSION: v2' }),
      'Illegal choice for parameter VERSION: v2',
      'check the version and the settings in config/services.yaml',
    ),
  ]);

  obeysRetryAfter(on, 'job-429', 'POST build', 'GET build');

  beginsOnce(on, ...faultsOf('job-', 'POST build'));

  livesThrough(on, 'job-looks', 'GET item', 'GET build', 'GET console');

  it('tells the end of a console of 50 MB in bounded memory, and what was left out', async () => {
    jenkins.plan('job-big', { console: longText(524_000, 'the last line of 50 MB') });
    const all = await logOf50MB(on(), 'job-big', 'job-big v2 is live in staging');
    expect(all).to.match(/^… 51\d{4} lines left out …$/m);
  });

  it('goes on where the console was cut, without a line twice', async () => {
    jenkins.plan('job-cutlog', { console: longText(500, 'the end of it') });
    jenkins.fail('job-cutlog', 'GET console', { kind: 'cut', afterBytes: 20_010 });
    await robot.deploy('job-cutlog');
    await robot.shown('job-cutlog', 'job-cutlog v2 is live in staging');
    await robot.say(`deploys log ${await robot.numberOf('job-cutlog')}`);
    await robot.shown('job-cutlog', 'the end of it');
  });

  it('links to the build that failed', async () => {
    jenkins.plan('job-fails', { result: 'FAILURE' });
    await robot.deploy('job-fails');
    const url = `${jenkins.url}/jenkins/job/platform/job/job-fails/7/`;
    await robot.shown('job-fails', `build 7 of platform/job-fails (${url}) failed`);
  });

  it('stops the build, or takes it out of the queue, or stops it when it has just left the queue', async () => {
    jenkins.plan('job-cancel', { holds: true });
    jenkins.plan('job-queued', { waits: true });
    jenkins.plan('job-slips', { waits: 'slips', holds: true });
    const build = await cancelInTheMiddle(on(), 'job-cancel', 'Build 7 runs');
    expect(build).to.include('was stopped');
    expect(jenkins.stopped('job-cancel')).to.equal(true);
    const why = 'Waiting in the queue of Jenkins: Waiting for next available executor on ‘deployers’';
    expect(await cancelInTheMiddle(on(), 'job-queued', why)).to.include('Jenkins had not begun');
    expect(jenkins.stopped('job-queued')).to.equal(false);
    expect(await cancelInTheMiddle(on(), 'job-slips', why)).to.include('was stopped');
    expect(jenkins.stopped('job-slips')).to.equal(true);
  });

  describe('when the robot is killed', () => {
    before(() => {
      jenkins.plan('job-kill', { holds: true });
      jenkins.plan('job-kill-queued', { waits: true });
    });
    takesUpAgain(on, 'job-kill', 'Build 7 runs', 'GET build');
    takesUpAgain(on, 'job-kill-queued', 'Waiting in the queue of Jenkins', 'GET item');
  });
});
