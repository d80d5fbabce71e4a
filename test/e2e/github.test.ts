/** A deployment through GitHub Actions, by the real program, which is killed in the middle: the next one follows the same run. */

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { endAll, Guest, start } from '../support/program.ts';
import { json, type RestServer, restServer } from '../support/rest-server.ts';

const REPO = '/repos/acme/web';

describe('deploying through GitHub, by the real program', function () {
  this.timeout(120_000);
  let folder: string;
  let server: RestServer;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-github-'));
    server = await restServer();
  });
  afterEach(async () => {
    await endAll();
    await server.finish();
    await rm(folder, { recursive: true, force: true });
  });

  it('starts the workflow once, though GitHub is busy at first and the robot is killed', async () => {
    const config = join(folder, 'config');
    await cp(resolve(import.meta.dirname, '../fixtures/config'), config, { recursive: true });
    await writeFile(
      join(config, 'services.yaml'),
      `environments: { staging: }
services:
  web:
    target: { kind: github, mode: workflow, repository: acme/web, workflow: deploy.yml, url: '${server.url}' }
`,
    );
    let ended = false;
    server.always(`GET ${REPO}/tags`, json(200, [{ name: 'v2' }, { name: 'v1' }]));
    server.always(`GET ${REPO}/deployments`, json(200, []));
    server.always(`GET ${REPO}/actions/workflows/deploy.yml/runs`, json(200, { workflow_runs: [] }));
    server.on(
      `POST ${REPO}/actions/workflows/deploy.yml/dispatches`,
      json(429, {}, { 'retry-after': '1' }),
      json(200, { workflow_run_id: 7 }),
    );
    server.always(`GET ${REPO}/actions/runs/7`, (res, call) => {
      const state = ended
        ? { status: 'completed', conclusion: 'success' }
        : { status: 'in_progress', conclusion: null };
      const run = { id: 7, ...state, html_url: 'https://github.test/7', event: 'workflow_dispatch', head_branch: 'v2' };
      json(200, run)(res, call);
    });
    server.always(`GET ${REPO}/actions/runs/7/jobs`, json(200, { jobs: [] }));

    const env = { SHIPMATE_CONFIG: config, GITHUB_TOKEN: 'token-of-tests' };
    const first = await start({ data: join(folder, 'data'), env });
    const alice = new Guest('alice');
    await alice.connect(first);
    expect((await alice.say('general', 'shipmate deploy web v2 to staging')).kind).to.equal('stored');
    const looks = () => server.calls.filter(({ path }) => path === `${REPO}/actions/runs/7`).length;
    await eventually(() => looks() > 1, Boolean, 30_000);
    await first.end('SIGKILL');

    const before = looks();
    const second = await start({ data: join(folder, 'data'), env, port: first.port });
    await alice.connect(second);
    await eventually(() => looks() > before, Boolean, 60_000);
    ended = true;
    const said = async () => (await alice.read('general', 1)).map(({ html }) => html).join('\n');
    await eventually(said, (text) => text.includes('web v2 is live in staging'), 60_000);
    expect(server.calls.filter(({ method }) => method === 'POST')).to.have.length(2);
  });
});
