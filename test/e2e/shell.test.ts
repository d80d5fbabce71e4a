import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const config = fileURLToPath(new URL('../fixtures/config', import.meta.url));
const bin = fileURLToPath(new URL('../../bin/shipmate', import.meta.url));

describe('bin/shipmate --adapter shell', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-shell-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function pipe(lines: string): Promise<{ code: number | null; out: string; err: string }> {
    const env = { PATH: process.env['PATH'], SHIPMATE_DATA: folder, SHIPMATE_CONFIG: config, HUBOT_HTTPD: 'false' };
    const child = spawn(process.execPath, [bin, '--adapter', 'shell'], { env, stdio: 'pipe' });
    child.stdin.end(lines);
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const [code, out, err] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
    return { code, out, err };
  }

  it('answers each line in order, plainly, and ends with 0 at the end of input', async () => {
    const { code, out, err } = await pipe('whoami\nalerts\ngrant\n');
    expect([code, err]).to.deep.equal([0, err.replace(/ERR_USE_AFTER_CLOSE/g, '')]);
    expect(out).to.match(/shell:1[\s\S]*No alert is firing/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none
    expect(out).to.not.match(/\u001B/);
  });

  it('waits for a deploy that a line starts before it takes the next one', async () => {
    const { code, out } = await pipe(
      'deploy hello v2 to production\ndeploy hello v3-broken to production\ndeploys hello production\n',
    );
    expect(code).to.equal(0);
    const order = ['hello v2 is live in production', 'hello v3-broken to production failed', 'What runs where'];
    const places = order.map((part) => out.indexOf(part));
    expect(places, out).to.satisfy(() => places.every((place, n) => place > (places[n - 1] ?? -1)));
    expect(out).to.include('v2 is still live');
  });

  it('takes odd input: Windows line ends, blank and very long lines, what is no command, no line end at the end', async () => {
    const { code, out, err } = await pipe(`whoami\r\n\n   \n${'x'.repeat(20_000)}\nhelp 🦄\u0000\nroles`);
    expect(code).to.equal(0);
    expect(out).to.match(/Shell[\s\S]*longer than 8000 characters[\s\S]*deployer/);
    expect(err).to.not.match(/"level":[56]0/);
  });

  it('ends with 0 when there is no input at all', async () => {
    const { code, out } = await pipe('');
    expect([code, out]).to.deep.equal([0, '']);
  });

  it('keeps what was said: the next run finds it', async () => {
    expect((await pipe('whoami\n')).code).to.equal(0);
    const { code, out } = await pipe('history search whoami\n');
    expect(code).to.equal(0);
    expect(out).to.match(/whoami/);
    expect(out).to.not.match(/nothing found/);
  });
});
