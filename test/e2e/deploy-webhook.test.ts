/** Deploys through a webhook, driven through the real program: the good way and every bad one, as a person in the chat sees them. */

import { expect } from 'chai';
import { type Receiver, startReceiver } from '../support/forge/receiver.ts';
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

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, no').toString('base64')}`;
const NAMES = 'good 401 404 409 422 429 500 500done cut looks fails big cutlog cancel kill'.split(' ');

function refused(scope: string, status: number, ...reads: string[]): Refused {
  const message = `says the receiver of ${status}`;
  return {
    scope,
    route: 'POST deploys',
    answer: { status, json: { message } },
    reads: [`(${status}: ${message})`, ...reads],
  };
}

describe('deploying through a webhook, by the real program', function () {
  this.timeout(120_000);
  let receiver: Receiver;
  let robot: ForgeRobot;
  const on = (): Stage => ({ forge: receiver, robot });

  before(async () => {
    receiver = await startReceiver(SECRET);
    const all = NAMES.map((name) => {
      const one = `${receiver.url}/hook-${name}/deploys`;
      const status = `status: '${one}/{deployment}', log: '${one}/{deployment}/log', cancel: '${one}/{deployment}/cancel'`;
      return `  hook-${name}:\n    target: { kind: webhook, deploy: '${one}', ${status}, secret_from: DEPLOYER_SECRET }\n`;
    });
    robot = await startRobot(all.join(''), { DEPLOYER_SECRET: SECRET });
  });
  after(async () => {
    await robot?.close();
    await endAll();
    await receiver?.close();
  });

  it('sends a signed request, and follows the status to its end', async () => {
    await robot.deploy('hook-good');
    await robot.shown('hook-good', 'hook-good v2 is live in staging');
    expect(receiver.begun('hook-good')).to.equal(1);
  });

  saysWhatToDo(on, [
    refused('hook-401', 401, 'check that both sides have the same secret, and that their clocks agree'),
    refused('hook-404', 404, 'check the address in config/services.yaml'),
    refused('hook-409', 409, 'something stands against it there: its own log says what'),
    refused('hook-422', 422, 'check the version and the settings in config/services.yaml'),
  ]);

  obeysRetryAfter(on, 'hook-429', 'POST deploys', 'GET status');

  beginsOnce(on, ...faultsOf('hook-', 'POST deploys'));

  livesThrough(on, 'hook-looks', 'GET status');

  it('says why it failed', async () => {
    receiver.plan('hook-fails', { ends: 'failed' });
    await robot.deploy('hook-fails');
    await robot.shown('hook-fails', 'the disk of host-3 is full');
  });

  it('tells the end of a log of 50 MB in bounded memory, and what was left out', async () => {
    receiver.plan('hook-big', { log: longText(524_000, 'the last line of 50 MB') });
    const all = await logOf50MB(on(), 'hook-big', 'hook-big v2 is live in staging');
    expect(all).to.match(/^… 51\d{4} lines left out …$/m);
  });

  it('goes on where the log was cut', async () => {
    receiver.plan('hook-cutlog', { log: longText(500, 'the end of it') });
    receiver.fail('hook-cutlog', 'GET log', { kind: 'cut', afterBytes: 20_010 });
    await robot.deploy('hook-cutlog');
    await robot.shown('hook-cutlog', 'hook-cutlog v2 is live in staging');
    await robot.say(`deploys log ${await robot.numberOf('hook-cutlog')}`);
    await robot.shown('hook-cutlog', 'the end of it');
  });

  it('passes a cancellation on', async () => {
    receiver.plan('hook-cancel', { holds: true });
    await cancelInTheMiddle(on(), 'hook-cancel', 'Copying files');
    expect(receiver.cancelled('hook-cancel')).to.equal(true);
  });

  describe('when the robot is killed', () => {
    before(() => receiver.plan('hook-kill', { holds: true }));
    takesUpAgain(on, 'hook-kill', 'Copying files', 'GET status');
  });
});
