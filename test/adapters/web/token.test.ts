import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { linkToken } from '../../../src/adapters/chat/web/token.ts';

describe('web chat: token of the link', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-token-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('is made once for a data folder, readable by its owner only', async () => {
    const first = await linkToken(join(folder, 'data'));
    expect(first).to.match(/^[\w-]{32}$/);
    expect(await linkToken(join(folder, 'data'))).to.equal(first);
    expect((await stat(join(folder, 'data', 'web-token'))).mode & 0o777).to.equal(0o600);
    expect((await stat(join(folder, 'data'))).mode & 0o777).to.equal(0o700);
    expect(await linkToken(join(folder, 'other'))).not.to.equal(first);
  });

  it('says what to do when the file is damaged', async () => {
    await writeFile(join(folder, 'web-token'), 'x');
    const failed = await linkToken(folder).then(
      () => '',
      (error: unknown) => String(error),
    );
    expect(failed).to.contain('Delete the file and start again');
  });
});
