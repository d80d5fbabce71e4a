/** Deploys by Jenkins, Argo CD and a webhook, from a line in the chat to the last word in the room, through the real program. */

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/postgres.ts';
import { endAll, Guest, type Program, start } from '../support/program.ts';
import { empty, json, longText, type RestServer, restServer } from '../support/rest-server.ts';

const FIXTURES = new URL('../fixtures/config', import.meta.url);
const JOB = '/job/deploy-web';
const APP = '/api/v1/applications/web-staging';

describe('deploy targets, through the program', function () {
  this.timeout(120_000);
  let folder: string;
  let server: RestServer;
  let guest: Guest;
  let port: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-targets-'));
    await cp(FIXTURES, join(folder, 'config'), { recursive: true });
    server = await restServer();
    guest = new Guest('alice');
    port = await freePort();
  });
  afterEach(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
    await server.finish();
  });

  async function run(target: string): Promise<Program> {
    const file = `environments:\n  staging:\nservices:\n  web:\n    target: { ${target} }\n`;
    await writeFile(join(folder, 'config/services.yaml'), file);
    const env = { SHIPMATE_CONFIG: join(folder, 'config'), TARGET_TOKEN: 'sekrit-token-of-a-target' };
    const program = await start({ data: join(folder, 'data'), port, env });
    await guest.connect(program);
    return program;
  }

  /** Everything that was said in the room. */
  async function room(): Promise<string> {
    return (await guest.read('general', 1)).map(({ html }) => html).join('\n');
  }

  const shown = (text: string) => eventually(room, (all) => all.includes(text), 60_000);
  const asked = (method: string, path: string) =>
    server.calls.filter((call) => call.method === method && call.path === path).length;

  const jenkins = () => `kind: jenkins, url: "${server.url}", job: deploy-web, user: robot, token_from: TARGET_TOKEN`;

  /** A Jenkins with one job; its build runs until it is told to end. */
  function runJenkins(): { end(): void } {
    const names = ['SERVICE', 'ENVIRONMENT', 'VERSION', 'DEPLOYMENT'];
    let sent: object | undefined;
    let running = true;
    const build = () => ({
      number: 7,
      queueId: 3,
      building: running,
      result: running ? null : 'SUCCESS',
      timestamp: 1_000,
      duration: 10,
      actions: [{ parameters: Object.entries(sent ?? {}).map(([name, value]) => ({ name, value })) }],
    });
    server.always(`GET ${JOB}/api/json`, (res, call) =>
      json(200, {
        nextBuildNumber: 7,
        property: [{ parameterDefinitions: names.map((name) => ({ name })) }],
        builds: sent === undefined ? [] : [build()],
      })(res, call),
    );
    server.always(`POST ${JOB}/buildWithParameters`, (res, call) => {
      sent = Object.fromEntries(new URLSearchParams(call.text));
      empty(201, { location: `${server.url}/queue/item/3/` })(res, call);
    });
    server.always('GET /queue/item/3/api/json', json(200, { id: 3, executable: { number: 7 } }));
    server.always(`GET ${JOB}/7/api/json`, (res, call) => json(200, build())(res, call));
    return {
      end() {
        running = false;
      },
    };
  }

  it('takes up the build of Jenkins after kill -9, and starts no second one', async () => {
    const fake = runJenkins();
    server.always(`GET ${JOB}/7/logText/progressiveText`, (res) => {
      res.writeHead(200, { 'x-text-size': '0' });
      res.end();
    });
    const program = await run(jenkins());
    await guest.say('general', 'shipmate deploy web v2 to staging');
    await shown('Build 7 runs');
    await program.end('SIGKILL');
    await run(jenkins());
    fake.end();
    await shown('web v2 is live in staging');
    expect(asked('POST', `${JOB}/buildWithParameters`)).to.equal(1);
  });

  it('shows the end of a console of 50 MB', async () => {
    const fake = runJenkins();
    fake.end();
    server.on(`GET ${JOB}/7/logText/progressiveText`, longText('x'.repeat(99), 524_000, 'the last line\n'), (res) => {
      res.writeHead(200, { 'x-text-size': '52400014' });
      res.end();
    });
    await run(jenkins());
    await guest.say('general', 'shipmate deploy web v2 to staging');
    await shown('web v2 is live in staging');
    await guest.say('general', 'shipmate deploys log 1');
    await shown('the last line');
  });

  it('says in the room why Jenkins refuses, without the token', async () => {
    server.always(`GET ${JOB}/api/json`, json(401, { message: 'bad sekrit-token-of-a-target' }));
    await run(jenkins());
    await guest.say('general', 'shipmate deploy web v2 to staging');
    const all = await shown('make a new API token');
    expect(all).not.to.include('sekrit-token');
  });

  it('syncs an application of Argo CD', async () => {
    let revision = 'v1';
    let info: object[] = [];
    server.always(`GET ${APP}`, (res, call) =>
      json(200, {
        spec: { source: { targetRevision: revision } },
        status: {
          sync: { status: 'Synced', comparedTo: { source: { targetRevision: revision } } },
          health: { status: 'Healthy' },
          operationState: { phase: 'Succeeded', operation: { info } },
        },
      })(res, call),
    );
    server.on(`PATCH ${APP}`, (res, call) => {
      revision = 'v2';
      json(200, {})(res, call);
    });
    server.on(`POST ${APP}/sync`, (res, call) => {
      info = [{ name: 'shipmate-deployment', value: '1' }];
      json(200, {})(res, call);
    });
    await run(`kind: argocd, url: "${server.url}", token_from: TARGET_TOKEN`);
    await guest.say('general', 'shipmate deploy web v2 to staging');
    await shown('web v2 is live in staging');
  });

  it('tells a webhook, and what it answers', async () => {
    server.on('POST /deploys', json(202, {}));
    server.on('GET /deploys/1', json(200, { state: 'failed', reason: 'the disk of host-3 is full' }));
    await run(
      `kind: webhook, deploy: "${server.url}/deploys", status: "${server.url}/deploys/{deployment}", secret_from: TARGET_TOKEN`,
    );
    await guest.say('general', 'shipmate deploy web v2 to staging');
    await shown('the disk of host-3 is full');
  });
});
