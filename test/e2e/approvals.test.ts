/** What somebody else must approve, in the real program: where they are asked, and how it ends, also after a kill. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { endAll, Guest, type Program, type ProgramOptions, start } from '../support/program.ts';

describe('approval by somebody else', function () {
  this.timeout(90_000);
  let folder: string;
  let options: ProgramOptions;
  let program: Program;
  const [alice, bob] = [new Guest('alice'), new Guest('bob')];
  let bobsRoom: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-approvals-'));
    const config = join(folder, 'config');
    await mkdir(config);
    // Waits until it is let go.
    await writeFile(
      join(folder, 'deploy.mjs'),
      `import { existsSync } from 'node:fs';
setInterval(() => existsSync(${JSON.stringify(join(folder, 'go'))}) && process.exit(0), 10);
`,
    );
    await writeFile(
      join(config, 'services.yaml'),
      `environments:
  staging: { approval: { role: approver, expires: 3s } }
  production: { approval: { role: approver } }
services:
  web:
    target: {kind: command, folder: ${folder}, deploy: [node, deploy.mjs]}
`,
    );
    await writeFile(
      join(config, 'access.yaml'),
      `roles: { approver: ['deploy:approve:production'] }
everyone: ['deploy:staging', 'deploy:production']
`,
    );
    options = { data: join(folder, 'data'), env: { SHIPMATE_CONFIG: config } };
    program = await start(options);
    await alice.connect(program);
    const client = await bob.connect(program);
    bobsRoom = (await client.frame('welcome')).robot.room;
    await alice.say('general', 'shipmate grant @bob approver');
    await shows(alice, 'general', /bob \(.*\) is now/);
  });
  after(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  /** Resolves with the newest message of a room that says so, once there is one. */
  async function shows(guest: Guest, room: string, text: RegExp): Promise<string> {
    const found = await eventually(
      async () => (await guest.read(room, 0)).findLast(({ html }) => text.test(html))?.html,
      Boolean,
      20_000,
    );
    return found ?? '';
  }

  it('is asked for in the room and of who could give it, and told as over in both when nobody does, after a kill as well', async () => {
    await alice.say('general', 'shipmate deploy web v1 to staging');
    const asked = /alice asks for approval.*"approve ([a-f][0-9a-f]{3})"/;
    const [, code] = asked.exec(await shows(alice, 'general', asked)) ?? [];
    expect(await shows(bob, bobsRoom, asked))
      .to.contain(`approve ${code}`)
      .and.contain('Asked for in general');
    await program.end('SIGKILL');
    program = await start({ ...options, port: program.port });
    await alice.connect(program);
    await bob.connect(program);
    for (const [guest, room] of [[alice, 'general'] as const, [bob, bobsRoom] as const]) {
      const over = await shows(guest, room, /Nobody approved it in time, asked for by alice/);
      expect(over).to.not.contain(`approve ${code}`);
      expect((await guest.read(room, 0)).some(({ html }) => html.includes(`"approve ${code}"`))).to.equal(false);
    }
    expect(await shows(alice, 'general', /Nobody approved this in time/))
      .to.contain('alice')
      .and.contain('deploy web v1 to staging');
  });

  it('is given where nobody else is, and everybody hears of it; what runs then can be cancelled', async () => {
    await alice.say('general', 'shipmate deploy web v2 to production');
    const asked = /alice asks for approval.*"approve ([a-f][0-9a-f]{3})"/;
    const [, code] = asked.exec(await shows(bob, bobsRoom, asked)) ?? [];
    await bob.say(bobsRoom, `approve ${code}`);
    await shows(alice, 'general', /Approved by bob, asked for by alice/);
    await shows(bob, bobsRoom, /Approved by bob, asked for by alice/);
    await shows(alice, 'general', /Deploying web v2.*Deployment 1, asked for by alice, approved by bob/);
    await shows(bob, bobsRoom, /what came of it is told where alice asked for it/);
    await bob.say(bobsRoom, `approve ${code}`);
    await shows(bob, bobsRoom, /nothing to confirm/);
    await alice.say('general', 'shipmate cancel 1');
    await shows(alice, 'general', /web v2 to production was cancelled.*approved by bob/);
    await alice.say('general', 'shipmate audit');
    await shows(alice, 'general', /deploy web v2 to production.*approved by bob/i);
    expect((await program.end('SIGTERM')).code).to.equal(0);
  });
});
