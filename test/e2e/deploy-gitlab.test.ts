/** Deploys through GitLab, driven through the real program: the good way and every bad one, as a person in the chat sees them. */

import { expect } from 'chai';
import { type Gitlab, startGitlab } from '../support/forge/gitlab.ts';
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

const TOKENS = { access: 'glpat-sekrit-of-gitlab', trigger: 'glptt-sekrit-of-gitlab' };
const NAMES = 'good 400 401 403 404 409 422 429 500 500done cut looks big bridge bridge-fails manual cancel kill'.split(
  ' ',
);

/** What GitLab answers, and what the person reads. */
function refused(scope: string, route: string, status: number, message: unknown, ...reads: string[]): Refused {
  return { scope, route, answer: { status, json: { message } }, reads: [`${status}: `, ...reads] };
}

describe('deploying through GitLab, by the real program', function () {
  this.timeout(120_000);
  let gitlab: Gitlab;
  let robot: ForgeRobot;
  const on = (): Stage => ({ forge: gitlab, robot });

  before(async () => {
    gitlab = await startGitlab(TOKENS);
    const service = (scope: string, more: string) =>
      `  ${scope}:\n    target: { kind: gitlab, project: acme/${scope}, url: '${gitlab.url}', variables: { DEPLOY_TO: '{environment}' }${more} }\n`;
    const all = [
      ...NAMES.map((name) => service(`pipe-${name}`, '')),
      ...['good', 'wrong', 'cut'].map((name) => service(`trig-${name}`, ', trigger_from: TRIGGER_TOKEN')),
    ];
    robot = await startRobot(all.join(''), { GITLAB_TOKEN: TOKENS.access, TRIGGER_TOKEN: TOKENS.trigger });
  });
  after(async () => {
    await robot?.close();
    await endAll();
    await gitlab?.close();
  });

  it('runs a pipeline to its end, by the access token or by one for triggers', async () => {
    await robot.deploy('pipe-good', 'trig-good');
    for (const scope of ['pipe-good', 'trig-good']) {
      await robot.shown(scope, `${scope} v2 is live in staging`);
      expect(gitlab.begun(scope)).to.equal(1);
    }
  });

  saysWhatToDo(on, [
    refused(
      'pipe-400',
      'POST pipeline',
      400,
      { base: ['Reference not found'] },
      'Reference not found',
      'check that v2 is a branch or tag of the project',
    ),
    refused('pipe-401', 'GET pipelines', 401, '401 Unauthorized', 'it is wrong or has expired: make a new one'),
    refused('pipe-403', 'POST pipeline', 403, '403 Forbidden', 'somebody who may run pipelines on v2'),
    refused('pipe-404', 'POST pipeline', 404, '404 Project Not Found', 'check the project in config/services.yaml'),
    refused('pipe-409', 'POST pipeline', 409, 'Conflict', 'look there at what stands against it'),
    refused('pipe-422', 'POST pipeline', 422, 'Unprocessable', 'check the version and the settings'),
    refused('trig-wrong', 'POST trigger', 404, '404 Not Found', 'the token for triggers belongs to it'),
  ]);

  obeysRetryAfter(on, 'pipe-429', 'GET pipelines', 'POST pipeline', 'GET pipeline');

  beginsOnce(on, ...faultsOf('pipe-', 'POST pipeline'), {
    scope: 'trig-cut',
    route: 'POST trigger',
    fault: { kind: 'cut' },
  });

  livesThrough(on, 'pipe-looks', 'GET pipeline', 'GET jobs');

  it('names the job that failed, and shows the end of a log of 50 MB in bounded memory', async () => {
    const log = longText(524_000, 'the last line of 50 MB');
    gitlab.plan('pipe-big', { ends: 'failed', trace: () => log.read() });
    // The first reading breaks off in the middle.
    gitlab.fail('pipe-big', 'GET trace', { kind: 'cut', afterBytes: 20_000_000 });
    const ends = 'the job “deploy” of the stage rollout failed, because its script failed';
    await logOf50MB(on(), 'pipe-big', ends);
    await robot.say(`deploys log ${await robot.numberOf('pipe-big')} page 1`);
    await robot.shown('pipe-big', 'The log of the job deploy, without its first 523921 lines:');
    expect(gitlab.count('pipe-big', 'GET trace')).to.equal(2);
  });

  it('follows what a bridge starts, and links to what failed there', async () => {
    gitlab.plan('pipe-bridge', { bridge: true, holds: true });
    gitlab.plan('pipe-bridge-fails', { bridge: true, ends: 'failed' });
    await robot.deploy('pipe-bridge', 'pipe-bridge-fails');
    await robot.shown('pipe-bridge', 'roll-out');
    gitlab.release('pipe-bridge');
    await robot.shown('pipe-bridge', 'pipe-bridge v2 is live in staging');
    await robot.shown('pipe-bridge-fails', 'starts failed (https://gitlab.example.com/acme/infra/-/pipelines/');
  });

  it('names the job that somebody must start on GitLab', async () => {
    gitlab.plan('pipe-manual', { manual: true });
    await robot.deploy('pipe-manual');
    await robot.shown('pipe-manual', 'Waiting on GitLab for somebody to start deploy');
    gitlab.release('pipe-manual');
    await robot.shown('pipe-manual', 'pipe-manual v2 is live in staging');
  });

  it('cancels the pipeline', async () => {
    gitlab.plan('pipe-cancel', { holds: true });
    const all = await cancelInTheMiddle(on(), 'pipe-cancel', 'deploy …');
    expect(all).to.include('alice cancelled it and has ended on GitLab');
    expect(gitlab.count('pipe-cancel', 'POST cancel')).to.equal(1);
  });

  describe('when the robot is killed', () => {
    before(() => gitlab.plan('pipe-kill', { holds: true }));
    takesUpAgain(on, 'pipe-kill', 'deploy …', 'GET pipeline');
  });
});
