/** Deploys through Argo CD, driven through the real program: the good way and every bad one, as a person in the chat sees them. */

import { expect } from 'chai';
import { type Argocd, startArgocd } from '../support/forge/argocd.ts';
import { type ForgeRobot, startRobot } from '../support/forge/robot.ts';
import { longText, refusal } from '../support/forge/server.ts';
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

const TOKEN = 'sekrit.token.of.argocd';
const NAMES =
  'good auto several busy 400 401 403 404 409 422 429 500 500done cut patchcut looks fails big cancel kill'.split(' ');

/** As the gateway of gRPC answers. */
function refused(scope: string, route: string, status: number, message: string, todo: string): Refused {
  return {
    scope,
    route,
    answer: { status, json: { error: message, code: 9, message } },
    reads: [`(${status}: ${message})`, todo],
  };
}

describe('deploying through Argo CD, by the real program', function () {
  this.timeout(120_000);
  let argo: Argocd;
  let robot: ForgeRobot;
  const on = (): Stage => ({ forge: argo, robot });

  before(async () => {
    argo = await startArgocd(TOKEN);
    const all = NAMES.map(
      (name) =>
        `  app-${name}:\n    target: { kind: argocd, url: '${argo.url}/argo', application: '{service}', project: shop, token_from: ARGOCD_TOKEN }\n`,
    );
    robot = await startRobot(all.join(''), { ARGOCD_TOKEN: TOKEN });
  });
  after(async () => {
    await robot?.close();
    await endAll();
    await argo?.close();
  });

  it('sets the revision, syncs, and waits for health; also of what syncs itself, and of several sources', async () => {
    argo.plan('app-auto', { auto: true });
    argo.plan('app-several', { several: true });
    await robot.deploy('app-good', 'app-auto', 'app-several');
    for (const scope of ['app-good', 'app-auto', 'app-several']) {
      await robot.shown(scope, `${scope} v2 is live in staging`);
      expect(argo.revision(scope)).to.equal('v2');
      expect(argo.begun(scope), scope).to.equal(1);
    }
  });

  it('waits while another operation is in progress, and then asks again', async () => {
    const message = 'another operation is already in progress';
    argo.fail('app-busy', 'POST sync', refusal(400, { error: message, code: 9, message }));
    await robot.deploy('app-busy');
    await robot.shown('app-busy', 'app-busy v2 is live in staging');
    expect(argo.begun('app-busy')).to.equal(1);
  });

  saysWhatToDo(on, [
    refused('app-400', 'PATCH application', 400, 'application spec is invalid', 'check the version and the settings'),
    refused(
      'app-401',
      'GET application',
      401,
      'invalid session',
      'make a new one with `argocd account generate-token`',
    ),
    refused('app-403', 'POST sync', 403, 'permission denied', 'its account needs `get`, `update` and `sync`'),
    refused('app-404', 'GET application', 404, 'not found', 'check `application`, `project` and `namespace`'),
    refused('app-409', 'PATCH application', 409, 'the object has been modified', 'try again'),
    refused('app-422', 'POST sync', 422, 'cannot resolve v2', 'check the version and the settings'),
  ]);

  obeysRetryAfter(on, 'app-429', 'GET application', 'POST sync');

  beginsOnce(on, ...faultsOf('app-', 'POST sync'), {
    scope: 'app-patchcut',
    route: 'PATCH application',
    fault: { kind: 'cut' },
  });

  livesThrough(on, 'app-looks', 'GET application');

  it('says which resource was refused', async () => {
    argo.plan('app-fails', { fails: true });
    await robot.deploy('app-fails');
    await robot.shown('app-fails', 'the sync failed: Deployment web: quota exceeded');
  });

  it('says what a sick pod said last, of a log of 50 MB no more than that', async () => {
    argo.plan('app-big', { health: 'Degraded', log: longText(524_000, 'the last line of 50 MB') });
    const all = await logOf50MB(on(), 'app-big', 'app-big is degraded: Pod web-5d: crashed with exit code 1');
    expect(all).to.include('The last lines of web-5d:');
  });

  it('terminates the operation, and goes back', async () => {
    argo.plan('app-cancel', { holds: true });
    const all = await cancelInTheMiddle(on(), 'app-cancel', 'Syncing');
    expect(all).to.include('app-cancel goes back to v1');
    expect(argo.terminated('app-cancel')).to.equal(1);
    expect(argo.revision('app-cancel')).to.equal('v1');
  });

  describe('when the robot is killed', () => {
    before(() => argo.plan('app-kill', { holds: true }));
    takesUpAgain(on, 'app-kill', 'Syncing', 'GET application');
  });
});
