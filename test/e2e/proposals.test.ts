/** Confirmation and approval in the real program: by two people, and through a kill. */

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { endAll, Guest, type Program, type ProgramOptions, start } from '../support/program.ts';

const SRC = resolve(import.meta.dirname, '../../src/bot');

/** Commands that write down that they ran; `slow` never ends by itself. */
const SCRIPT = `
// Description:
//   Commands for a test
import { appendFileSync } from 'node:fs';
import { arg } from '${SRC}/args.ts';
import { command } from '${SRC}/command.ts';
export default function wipe(robot) {
  command(robot, {
    id: 'wipe.start', usage: 'wipe <what>', summary: 'Wipe', examples: ['wipe all'], args: { what: arg.word() },
    effect: 'change', needs: 'wipe:start', confirm: () => 'All of it will be gone.',
    async run({ args }) {
      appendFileSync(process.env.WIPED, args.what + '\\n');
      if (args.what === 'slow') await new Promise(() => setInterval(() => {}, 1000));
      return 'wiped ' + args.what;
    },
  });
  command(robot, {
    id: 'launch.start', usage: 'launch <what>', summary: 'Launch', examples: ['launch it'], args: { what: arg.word() },
    effect: 'change', needs: 'public', approval: () => 'launch:approve',
    run({ args, person }) {
      appendFileSync(process.env.WIPED, 'launch ' + args.what + ' for ' + person.name + '\\n');
      return 'launched ' + args.what;
    },
  });
}
`;

describe('confirm and approve in the program', function () {
  this.timeout(90_000);
  let folder: string;
  let options: ProgramOptions;
  let program: Program;
  let alice: Guest;
  let bob: Guest;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-proposals-'));
    await mkdir(join(folder, 'scripts'));
    await writeFile(join(folder, 'scripts/wipe.mjs'), SCRIPT);
    options = {
      data: join(folder, 'data'),
      env: { HUBOT_SCRIPTS: join(folder, 'scripts'), WIPED: join(folder, 'wiped') },
    };
    program = await start(options);
    alice = new Guest('alice');
    await alice.connect(program);
    bob = new Guest('bob');
    await bob.connect(program);
  });
  after(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  async function room(): Promise<string> {
    return (await alice.read('general', 0)).map((message) => message.html).join('\n');
  }

  async function ran(): Promise<string[]> {
    const file = join(folder, 'wiped');
    return existsSync(file) ? (await readFile(file, 'utf8')).trim().split('\n') : [];
  }

  /** The code in the newest question of the room. */
  async function code(verb: 'confirm' | 'approve'): Promise<string> {
    const found = await eventually(
      async () => [...(await room()).matchAll(new RegExp(`${verb} ([0-9a-f]{4})`, 'g'))].at(-1)?.[1],
    );
    return found ?? '';
  }

  it('runs a confirmed command once, and the question shows the answer', async () => {
    await alice.say('general', 'shipmate wipe all');
    const asked = await code('confirm');
    await bob.say('general', `shipmate confirm ${asked}`);
    await eventually(async () => (await room()).includes('Only alice'));
    await alice.say('general', `shipmate confirm ${asked}`);
    await eventually(async () => (await room()).includes('wiped all'));
    const shown = await room();
    expect(shown).to.contain('Confirmed by alice').and.not.contain('"confirm ');
    expect(await ran()).to.deep.equal(['all']);
  });

  it('a change that needs another person waits for one who may, in a room', async () => {
    await alice.say('general', 'shipmate launch rocket');
    const asked = await code('approve');
    await alice.say('general', `shipmate approve ${asked}`);
    await eventually(async () => (await room()).includes('Somebody else must approve'));
    await bob.say('general', `shipmate approve ${asked}`);
    await eventually(async () => (await room()).includes('launch:approve'));
    await alice.say('general', 'shipmate grant @bob admin');
    await eventually(async () => /bob \(.*\) is now/.test(await room()));
    await bob.say('general', `shipmate approve ${asked}`);
    await eventually(async () => (await room()).includes('Approved by bob'));
    await eventually(async () => (await ran()).includes('launch rocket for alice'));
  });

  it('a confirmed command that was killed while it ran is told, and never run again', async () => {
    await alice.say('general', 'shipmate wipe slow');
    const asked = await code('confirm');
    await alice.say('general', `shipmate confirm ${asked}`);
    await eventually(async () => (await ran()).includes('slow'));
    await program.end('SIGKILL');
    program = await start({ ...options, port: program.port });
    await alice.connect(program);
    await eventually(async () => (await room()).includes('never run'), Boolean, 20_000);
    expect(await room()).to.not.contain('nothing to confirm');
    expect((await ran()).filter((line) => line === 'slow')).to.have.length(1);
  });
});
