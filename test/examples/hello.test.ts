/** The sample service, run as the robot runs it: real programs in a folder of their own. */

import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const folder = fileURLToPath(new URL('../../examples/hello/', import.meta.url));

describe('examples/hello', function () {
  this.timeout(30_000);
  let data: string;
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'hello-'));
  });
  afterEach(() => rm(data, { recursive: true, force: true }));

  /** Runs a program; with `until`, kills it with its group as soon as it prints that. */
  function run(args: string[], until?: string): Promise<{ code: number | null; output: string }> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, args, {
        cwd: folder,
        detached: true,
        env: { PATH: process.env['PATH'] ?? '', SHIPMATE_SERVICE_DATA: data },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      const hear = (chunk: Buffer) => {
        output += chunk;
        if (until !== undefined && output.includes(until) && child.pid !== undefined) {
          try {
            process.kill(-child.pid, 'SIGKILL');
          } catch {
            // It has ended already.
          }
        }
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('close', (code) => resolve({ code, output }));
    });
  }

  async function status(): Promise<unknown> {
    return JSON.parse((await run(['status.mjs', 'staging'])).output);
  }

  it('says that nothing is live at first', async () => expect(await status()).to.deep.equal({}));

  it('lists its releases, newest first', async () => {
    const { output } = await run(['versions.mjs']);
    expect(JSON.parse(output)).to.deep.equal([
      { version: 'v3-broken', prerelease: true },
      { version: 'v2' },
      { version: 'v1' },
    ]);
  });

  it('deploys one release after the other', async () => {
    for (const version of ['v1', 'v2', 'v1']) {
      const { code, output } = await run(['deploy.mjs', 'staging', version]);
      expect(code, output).to.equal(0);
      expect(await status()).to.include({ version });
    }
    expect(await readdir(join(data, 'staging'))).to.have.members(['current', 'releases']);
  });

  it('leaves the old release live when the new one is not healthy', async () => {
    await run(['deploy.mjs', 'staging', 'v2']);
    const { code, output } = await run(['deploy.mjs', 'staging', 'v3-broken']);
    expect(code).to.equal(1);
    expect(output)
      .to.include('greeting.txt is not part of this release')
      .and.include('error: v3-broken is not healthy');
    expect(await status()).to.include({ version: 'v2' });
  });

  it('refuses releases that are not there and names that are paths', async () => {
    for (const version of ['v9', '../v1', '']) expect((await run(['deploy.mjs', 'staging', version])).code).to.equal(1);
    expect((await run(['deploy.mjs', '../x', 'v1'])).code).to.equal(1);
    expect(await status()).to.deep.equal({});
  });

  const moments = [
    '::step Clearing up',
    '::step Installing',
    '::step Starting',
    '::step Switching',
    '::step Checking',
    '::step Done',
  ];
  for (const moment of moments) {
    it(`tells the truth and deploys again when killed at “${moment.slice(7)}”`, async () => {
      await run(['deploy.mjs', 'staging', 'v1']);
      await run(['deploy.mjs', 'staging', 'v2'], moment);
      expect(await status())
        .to.have.property('version')
        .that.is.oneOf(['v1', 'v2']);
      const { code, output } = await run(['deploy.mjs', 'staging', 'v2']);
      expect(code, output).to.equal(0);
      expect(await status()).to.include({ version: 'v2' });
      expect(await readdir(join(data, 'staging'))).to.have.members(['current', 'releases']);
    });
  }
});
