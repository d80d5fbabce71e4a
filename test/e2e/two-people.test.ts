/** Two people want the same place at once: one deploys, the other is told who does. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { endAll, Guest, type Program, start } from '../support/program.ts';

describe('two people', function () {
  this.timeout(60_000);
  let folder: string;
  let program: Program;
  const go = (): string => join(folder, 'go');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-two-'));
    const config = join(folder, 'config');
    await mkdir(config);
    // Waits until it is let go.
    await writeFile(
      join(folder, 'deploy.mjs'),
      `import { existsSync } from 'node:fs';
console.log('on my way');
setInterval(() => existsSync(${JSON.stringify(go())}) && process.exit(0), 10);
`,
    );
    await writeFile(
      join(config, 'services.yaml'),
      `environments: {staging: {}}
services:
  slow:
    environments: [staging]
    target: {kind: command, folder: ${folder}, deploy: [node, deploy.mjs]}
`,
    );
    await writeFile(join(config, 'access.yaml'), "everyone: ['deploy:staging']\n");
    program = await start({ data: join(folder, 'data'), env: { SHIPMATE_CONFIG: config } });
  });
  after(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  it('one deploys, the other is told who does, and may when it is over', async () => {
    const [alice, bob] = [new Guest('alice'), new Guest('bob')];
    const clients = [await alice.connect(program), await bob.connect(program)] as const;
    // At the same moment: one of them gets it.
    await Promise.all([
      alice.say('general', 'shipmate deploy slow v1 to staging'),
      bob.say('general', 'shipmate deploy slow v2 to staging'),
    ]);
    const refusal = /(alice|bob) is deploying slow (v[12]) to staging/;
    const seen = (): string => JSON.stringify(clients[0].frames);
    const [, holder, version] = await eventually(
      () => refusal.exec(seen()) ?? [],
      ([found]) => found !== undefined,
    );
    expect(version).to.equal(holder === 'alice' ? 'v1' : 'v2');
    await eventually(() => seen().includes('on my way'));
    expect([...new Set(seen().match(/Deploying slow v\d/g))]).to.deep.equal([`Deploying slow ${version}`]);

    const [other, next] = holder === 'alice' ? [bob, 'v2'] : [alice, 'v1'];
    await writeFile(go(), '');
    await eventually(() => seen().includes(`slow ${version} is live in staging`));
    await other.say('general', `shipmate deploy slow ${next} to staging`);
    await eventually(() => seen().includes(`slow ${next} is live in staging`));
    expect((await program.end('SIGTERM')).code).to.equal(0);
  });
});
