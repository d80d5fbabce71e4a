/** Two people want the same place at once: one deploys, the other waits in line and comes next. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { endAll, Guest, type Program, start } from '../support/program.ts';

describe('two people', function () {
  this.timeout(60_000);
  let folder: string;
  let config: string;
  let program: Program;
  const go = (): string => join(folder, 'go');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-two-'));
    config = join(folder, 'config');
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

  it('one deploys, the other is told where they are in line, and comes next', async () => {
    const [alice, bob] = [new Guest('alice'), new Guest('bob')];
    const clients = [await alice.connect(program), await bob.connect(program)] as const;
    // At the same moment: one of them gets it.
    await Promise.all([
      alice.say('general', 'shipmate deploy slow v1 to staging'),
      bob.say('general', 'shipmate deploy slow v2 to staging'),
    ]);
    const told = /Next in line\. Now (alice|bob) deploys (v[12])/;
    const seen = (): string => JSON.stringify(clients[0].frames);
    const [, holder, version] = await eventually(
      () => told.exec(seen()) ?? [],
      ([found]) => found !== undefined,
    );
    expect(version).to.equal(holder === 'alice' ? 'v1' : 'v2');
    await eventually(() => seen().includes('on my way'));
    expect([...new Set(seen().match(/Deploying slow v\d/g))]).to.deep.equal([`Deploying slow ${version}`]);

    const next = holder === 'alice' ? 'v2' : 'v1';
    await writeFile(go(), '');
    await eventually(() => seen().includes(`slow ${version} is live in staging`));
    await eventually(() => seen().includes(`slow ${next} is live in staging`));
  });

  it('what waits and what is locked is still there after kill -9, and goes on when it is unlocked', async () => {
    await rm(go());
    const alice = new Guest('alice');
    await alice.connect(program);
    const say = async (text: string) => await alice.say('general', `shipmate ${text}`);
    /** Resolves when a message of the room says so now. */
    const shows = async (text: string) =>
      await eventually(
        async () => (await alice.read('general', 0)).filter(({ html }) => html.includes(text)).length,
        (count) => count > 0,
        15_000,
      );
    await say('deploy slow v3 to staging');
    await shows('Deploying slow v3');
    await shows('on my way');
    await say('deploy slow v4 to staging');
    await say('deploy slow v5 to staging');
    await shows('Number 2 in line');
    await say('lock slow in staging trying something');
    await shows('slow in staging is locked');
    await program.end('SIGKILL');

    program = await start({ data: join(folder, 'data'), port: program.port, env: { SHIPMATE_CONFIG: config } });
    await alice.connect(program);
    await shows('slow v3 to staging was interrupted');
    await say('locks');
    await shows('What is locked');
    await say('deploy slow v6 to staging');
    await shows('has locked slow in staging');
    await say('cancel 4');
    await shows('slow v4 to staging did not run');
    await say('unlock slow in staging');
    await shows('Deploying slow v5');
    await say('cancel 5');
    await shows('slow v5 to staging was cancelled');
    expect((await program.end('SIGTERM')).code).to.equal(0);
  });
});
