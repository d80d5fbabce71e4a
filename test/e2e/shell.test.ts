import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const bin = fileURLToPath(new URL('../../bin/shipmate', import.meta.url));

describe('bin/shipmate --adapter shell', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-shell-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function pipe(lines: string): Promise<{ code: number | null; out: string; err: string }> {
    const env = { PATH: process.env['PATH'], SHIPMATE_DATA: folder, HUBOT_HTTPD: 'false' };
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
});
