/** Branches, commits and required checks, through the real program: a repository of git, hooks of GitHub, a robot that is killed. */

import { createHmac } from 'node:crypto';
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { needsGit, type TestRepository, testRepository } from '../support/git.ts';
import { freePort } from '../support/postgres.ts';
import { endAll, Guest, type Program, send, start } from '../support/program.ts';

const FIXTURES = new URL('../fixtures/config', import.meta.url);
const SECRET = 'a-secret-of-github-in-tests';
const DEPLOY = `import { writeFileSync } from 'node:fs';
const [environment, version] = process.argv.slice(2);
writeFileSync(new URL(environment, import.meta.url), version);
`;
const CURRENT = `import { readFileSync } from 'node:fs';
try {
  console.log(JSON.stringify({ version: readFileSync(new URL(process.argv[2], import.meta.url), 'utf8') }));
} catch {
  console.log('{}');
}
`;

describe('versions in Git, through the program', function () {
  this.timeout(180_000);
  let folder: string;
  let git: TestRepository;
  let program: Program;
  let guest: Guest;
  let port: number;

  before(async function () {
    needsGit(this);
    folder = await mkdtemp(join(tmpdir(), 'shipmate-source-'));
    git = await testRepository(join(folder, 'web.git'));
    await cp(FIXTURES, join(folder, 'config'), { recursive: true });
    await writeFile(join(folder, 'deploy.mjs'), DEPLOY);
    await writeFile(join(folder, 'current.mjs'), CURRENT);
    await writeFile(
      join(folder, 'config/services.yaml'),
      `environments: { staging: , production: { checks: [test] } }
services:
  web:
    repository: acme/web
    source: { kind: git, url: ${git.path} }
    target:
      kind: command
      folder: ${folder}
      deploy: [node, deploy.mjs, '{environment}', '{version}']
      current: [node, current.mjs, '{environment}']
`,
    );
    port = await freePort();
    guest = new Guest('alice');
    await begin();
  });
  after(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  async function begin(): Promise<void> {
    const env = { SHIPMATE_CONFIG: join(folder, 'config'), SHIPMATE_GITHUB_SECRET: SECRET };
    program = await start({ data: join(folder, 'data'), port, env });
    await guest.connect(program);
  }

  async function room(): Promise<string> {
    return (await guest.read('general', 1)).map(({ html }) => html).join('\n');
  }

  const say = (text: string) => guest.say('general', `shipmate ${text}`);
  const shown = (text: string) => eventually(room, (all) => all.includes(text), 60_000);

  /** Says it again, after each answer, until the room shows that text: what a hook brings is worked off in its own time. */
  async function until(line: string, text: string): Promise<void> {
    for (let tries = 0; tries < 50; tries += 1) {
      const before = (await room()).split('\n').length;
      await say(line);
      // The line itself, and what was said to it.
      const all = await eventually(room, (now) => now.split('\n').length >= before + 2, 30_000);
      if (all.includes(text)) return;
    }
    await shown(text);
  }

  /** A job of GitHub Actions has ended. */
  async function hears(commit: string, conclusion: 'success' | 'failure', id: number): Promise<void> {
    const body = JSON.stringify({
      action: 'completed',
      repository: { full_name: 'acme/web', html_url: 'https://github.com/acme/web' },
      workflow_job: {
        id,
        run_id: id,
        run_attempt: 1,
        head_sha: commit,
        head_branch: 'main',
        workflow_name: 'CI',
        name: 'test',
        status: 'completed',
        conclusion,
        html_url: `https://github.com/acme/web/actions/runs/${id}/job/${id}`,
        created_at: '2026-11-20T08:00:00Z',
        started_at: '2026-11-20T08:00:00Z',
        completed_at: '2026-11-20T08:01:00Z',
        steps: [],
      },
    });
    const { status } = await send(program, 'POST', '/hooks/github', {
      body,
      headers: {
        'Content-Type': 'application/json',
        'X-GitHub-Event': 'workflow_job',
        'X-Hub-Signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
      },
    });
    expect(status).to.equal(202);
  }

  it('deploys a branch, shows the commits, and lets in what has passed', async () => {
    const one = await git.commit('main', 'one');
    await say('deploy web main to staging');
    await shown(`web ${one.slice(0, 7)} is live in staging`);
    const two = await git.commit('main', 'two <b>bold</b>', 'bob');
    await say('deploy web main to staging --dry-run');
    const all = await shown('1 commit comes');
    expect(all).to.contain(two.slice(0, 7)).and.contain('two &lt;b&gt;bold').and.contain('(bob)');
    await say('deploy web main to production');
    await shown('test has not run');
    await hears(two, 'failure', 1);
    await until('deploy web main to production --dry-run', 'test failed');
    await hears(one, 'success', 2);
    await until('deploy web to production', `web ${one.slice(0, 7)} is live in production`);
  });

  it('knows its copy after kill -9, while the repository is away', async () => {
    await program.end('SIGKILL');
    await rename(git.path, `${git.path}.away`);
    await begin();
    const head = await git.git('rev-parse', 'main').catch(() => undefined);
    expect(head, 'the repository is away').to.equal(undefined);
    await say('deploy web main to staging');
    await eventually(room, (all) => all.split('is live in staging').length > 2, 60_000);
    await say('deploy web main to production');
    await shown('could not be fetched');
  });
});
