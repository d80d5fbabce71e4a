/** A program that says 50 MB, garbage and a secret among them: what of it can be read, and that the robot stays as it was. */

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { endAll, Guest, start } from '../support/program.ts';

const FIXTURES = new URL('../fixtures/config', import.meta.url);
const LINES = 500_000;

const PROGRAM = `
import { once } from 'node:events';
const { stdout } = process;
stdout.write('the first line\\n');
stdout.write(Buffer.from([0xff, 0xfe, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x80, 0x0a]));
stdout.write('::step Copying\\n');
const many = 'a line of the program, one of very many that say nothing new, as long as a line of a log tends to be\\n'.repeat(100);
for (let done = 0; done < ${LINES}; done += 100) if (!stdout.write(many)) await once(stdout, 'drain');
console.error('login with password=hunter2-hunter2 at https://robot:hunter2-hunter2@registry.example.com');
stdout.write('the last line\\n');
process.exitCode = 3;
`;

describe('deploys log, through the program', function () {
  this.timeout(120_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-log-'));
    const config = join(folder, 'config');
    await cp(FIXTURES, config, { recursive: true });
    const target = { kind: 'command', folder, deploy: ['node', 'program.mjs'] };
    const services = { environments: { staging: {} }, services: { web: { target } } };
    await writeFile(join(config, 'services.yaml'), JSON.stringify(services));
    await writeFile(join(folder, 'program.mjs'), PROGRAM);
  });
  after(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  it('shows 50 MB in pages and as a file, within bounds, and says what was left out', async () => {
    const program = await start({ data: join(folder, 'data'), env: { SHIPMATE_CONFIG: join(folder, 'config') } });
    const alice = new Guest('alice');
    await alice.connect(program);
    const room = async () => (await alice.read('general', 1)).map(({ html }) => html).join('\n');
    const shown = (words: RegExp) => eventually(room, (all) => words.test(all), 60_000);

    await alice.say('general', 'shipmate deploy web v2 to staging');
    await shown(/web v2 to staging failed[\s\S]*exit code 3/);
    await alice.say('general', 'shipmate deploys log 1');
    const end = await shown(/Deployment 1: web v2 to staging, failed[\s\S]*the last line/);
    const [, missing = '', pages = ''] = /(\d+) lines between[^]*?Page \d+ of (\d+)/.exec(end) ?? [];
    expect(Number(pages)).to.be.within(120, 160);
    expect(end).to.include('"href":"/deploys/1/log.txt"');

    const answer = await fetch(`${program.url}/deploys/1/log.txt`);
    expect(answer.headers.get('content-disposition')).to.include('attachment');
    const whole = await answer.text();
    expect(whole)
      .to.match(/^the first line\n/)
      .and.match(/^the last line$/m);
    expect(whole).to.include('— Copying').and.include(`… ${missing} lines left out …`);
    expect(whole.split('\n')).to.have.length(LINES + 5 - Number(missing) + 1);
    expect(whole).to.not.match(/[\u0000-\u0008\u001b]/);

    await alice.say('general', 'shipmate deploys log 1 page 1');
    await shown(/Page 1 of \d+[\s\S]*the first line/);
    expect((await room()) + whole).to.not.include('hunter2');

    const status = await readFile(`/proc/${program.pid}/status`, 'utf8').catch(() => '');
    if (status !== '') expect(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024).to.be.below(500);
    await program.end('SIGTERM');
  });
});
