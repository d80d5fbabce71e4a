/** What the guides of the HTTP targets say, done as a new user would: their configuration as it stands, but for the address. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { type Argocd, startArgocd } from '../support/forge/argocd.ts';
import { type Github, startGithub } from '../support/forge/github.ts';
import { type Gitlab, startGitlab } from '../support/forge/gitlab.ts';
import { type Jenkins, startJenkins } from '../support/forge/jenkins.ts';
import { type ForgeRobot, startRobot } from '../support/forge/robot.ts';
import { blocksIn, configurationsIn } from '../support/guide.ts';
import { freePort } from '../support/postgres.ts';
import { endAll } from '../support/program.ts';

const secrets = {
  GITHUB_TOKEN: 'sekrit-token-of-github',
  GITLAB_TOKEN: 'sekrit-token-of-gitlab',
  JENKINS_TOKEN: 'sekrit-token-of-jenkins',
  ARGOCD_TOKEN: 'sekrit-token-of-argocd',
  DEPLOYER_SECRET: 'sekrit of the deployer',
};
const shape = z.object({ services: z.record(z.string(), z.object({ target: z.record(z.string(), z.unknown()) })) });

/** The target of the first configuration of a page. */
function targetIn(page: string, number = 0): Record<string, unknown> {
  const data: unknown = parse(configurationsIn(page)[number] ?? '');
  const [service] = Object.values(shape.parse(data).services);
  return service?.target ?? {};
}

describe('guides of the HTTP targets, followed by the real program', function () {
  this.timeout(120_000);
  let folder: string;
  let github: Github;
  /** The same repository elsewhere, where nothing was deployed by a workflow. */
  let another: Github;
  let gitlab: Gitlab;
  let jenkins: Jenkins;
  let argocd: Argocd;
  let robot: ForgeRobot;
  let receiver: ReturnType<typeof spawn> | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-guides-'));
    github = await startGithub(secrets.GITHUB_TOKEN);
    another = await startGithub(secrets.GITHUB_TOKEN);
    gitlab = await startGitlab({ access: secrets.GITLAB_TOKEN, trigger: 'unused' });
    const user = { user: 'shipmate', secret: secrets.JENKINS_TOKEN };
    jenkins = await startJenkins({ token: user, password: { user: 'nobody', secret: 'unused' } });
    argocd = await startArgocd(secrets.ARGOCD_TOKEN);
    const port = await freePort();

    // The receiver of the page, both of its parts in one file, as it says.
    const parts = blocksIn('webhook.md', 'js');
    expect(parts).to.have.length(2);
    const file = join(folder, 'receiver.mjs');
    await writeFile(file, parts.join('\n').replace('listen(9000,', `listen(${port},`));
    const env = { PATH: process.env['PATH'] ?? '', DEPLOYER_SECRET: secrets.DEPLOYER_SECRET };
    receiver = spawn(process.execPath, [file], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const tried = targetIn('webhook.md');
    const local = (address: unknown) =>
      String(address).replace('https://deployer.example.com', `http://127.0.0.1:${port}`);

    const services = {
      'by-workflow': { target: { ...targetIn('github.md'), url: github.url } },
      'by-deployment': { target: { ...targetIn('github.md', 1), url: another.url } },
      'by-gitlab': { target: { ...targetIn('gitlab.md'), url: gitlab.url } },
      'by-jenkins': { target: { ...targetIn('jenkins.md'), url: `${jenkins.url}/jenkins` } },
      web: { target: { ...targetIn('argocd.md'), url: `${argocd.url}/argo` } },
      'by-webhook': { target: { ...tried, deploy: local(tried['deploy']), status: local(tried['status']) } },
    };
    robot = await startRobot(stringify(services).replace(/^/gm, '  '), secrets);
  });
  after(async () => {
    await robot?.close();
    await endAll();
    if (receiver !== undefined) {
      const gone = once(receiver, 'exit');
      receiver.kill();
      await gone;
    }
    await Promise.all([github, another, gitlab, jenkins, argocd].map((forge) => forge?.close()));
    await rm(folder, { recursive: true, force: true });
  });

  for (const service of ['by-workflow', 'by-deployment', 'by-gitlab', 'by-jenkins', 'web', 'by-webhook']) {
    it(`deploy ${service}`, async () => {
      await robot.deploy(service);
      await robot.shown(service, `${service} v2 is live in staging`);
    });
  }
});
