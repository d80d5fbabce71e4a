import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { unpack } from '../../src/storage/unpack.ts';

/** One entry of an archive, with its content padded to whole blocks. */
function entry(name: string, type: string, content = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(content.length.toString(8).padStart(11, '0'), 124);
  header.write(type, 156);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function archive(...entries: Buffer[]): Blob {
  return new Blob([new Uint8Array(gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)])))]);
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'none',
    (error: unknown) => String(error),
  );
}

describe('unpack', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shipmate-unpack-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('writes files of any size and folders, for the owner alone', async () => {
    const sizes = [0, 1, 511, 512, 513, 3 * 256 * 1024 + 7];
    const contents = sizes.map((size) => Buffer.alloc(size, 'abcdefg'));
    const files = contents.map((content, index) => entry(`/deep/er/file${index}`, '0', content));
    await unpack(archive(entry('/empty', '5'), ...files), folder);
    for (const [index, content] of contents.entries()) {
      expect(readFileSync(join(folder, `deep/er/file${index}`)).equals(content), `file${index}`).to.equal(true);
    }
    expect(statSync(join(folder, 'empty')).isDirectory()).to.equal(true);
    expect(statSync(join(folder, 'deep/er/file1')).mode & 0o777).to.equal(0o600);
  });

  it('writes nothing outside the folder', async () => {
    const name = '../escaped-from-unpack';
    expect(await problemOf(unpack(archive(entry(name, '0', Buffer.from('x'))), folder))).to.contain('leads out');
    expect(existsSync(join(folder, name))).to.equal(false);
  });

  it('takes no links', async () => {
    expect(await problemOf(unpack(archive(entry('link', '2')), folder))).to.contain('neither file nor folder');
  });

  it('says when the archive is cut short, or is none', async () => {
    const whole = entry('file', '0', Buffer.alloc(5000, 'x')).subarray(0, 3000);
    const cut = new Blob([new Uint8Array(gzipSync(whole))]);
    expect(await problemOf(unpack(cut, folder))).to.contain('cut short');
    expect(await problemOf(unpack(new Blob(['no archive']), folder))).to.contain('header');
  });
});
