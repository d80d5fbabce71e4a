/** Locks in the real program. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/postgres.ts';
import { endAll, Guest, start } from '../support/program.ts';

describe('a lock that ends by itself', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-locks-'));
    await mkdir(join(folder, 'config'));
    await writeFile(
      join(folder, 'config/services.yaml'),
      `environments: {staging: }\nservices:\n  shop: {target: {kind: command, folder: ${folder}, deploy: ['true']}}\n`,
    );
    await writeFile(join(folder, 'config/access.yaml'), "everyone: ['deploy:*']\n");
  });
  afterEach(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  it('tells its owner where it was set, though the robot was killed in between', async () => {
    const env = { SHIPMATE_CONFIG: join(folder, 'config') };
    const options = { data: join(folder, 'data'), port: await freePort(), env };
    let program = await start(options);
    const alice = new Guest('alice');
    await alice.connect(program);
    const said = async (): Promise<string> => (await alice.read('general', 0)).map(({ html }) => html).join('\n');
    const shows = async (words: RegExp): Promise<string> => await eventually(said, (text) => words.test(text), 30_000);

    await alice.say('general', 'shipmate lock shop in staging a short while for 3s');
    await shows(/shop in staging is locked/);
    await program.end('SIGKILL');
    program = await start(options);
    await alice.connect(program);
    const text = await shows(/the time of your lock on <strong>shop in staging<\/strong> is over \(a short while\)/);
    expect(text).to.match(/alice[^\n]*the time of your lock/);
    await alice.say('general', 'shipmate locks');
    await shows(/Nothing is locked/);
  });
});
