/** The copy of a repository, against the real program `git` and real repositories, one of them behind its own HTTP server. */

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createGitSource } from '../../../src/adapters/source/git/client.ts';
import { createMirrors, type Mirrors, type MirrorsOptions } from '../../../src/adapters/source/git/mirrors.ts';
import { type GitSourceConfig, type Source, SourceUnclear } from '../../../src/domain/deploy/source.ts';
import { clock } from '../../support/deploys.ts';
import { failure } from '../../support/failure.ts';
import { needsGit, type TestRepository, testRepository } from '../../support/git.ts';

describe('source git', function () {
  this.timeout(60_000);
  let folder: string;
  let upstream: TestRepository;
  let all: Mirrors[];

  before(function () {
    needsGit(this);
  });
  beforeEach(async () => {
    all = [];
    folder = await mkdtemp(join(tmpdir(), 'source-git-'));
    upstream = await testRepository(join(folder, 'upstream.git'));
  });
  afterEach(async () => {
    for (const mirrors of all) mirrors.close();
    await rm(folder, { recursive: true, force: true });
  });

  function open(config: Partial<GitSourceConfig> = {}, more: Partial<MirrorsOptions> = {}): Source {
    const mirrors = createMirrors({
      dataFolder: join(folder, 'data'),
      environment: { PATH: process.env['PATH'], HOME: folder },
      clock,
      freshMs: -1,
      ...more,
    });
    all.push(mirrors);
    const full: GitSourceConfig = {
      kind: 'git',
      name: 'acme/web',
      url: upstream.path,
      user: 'robot',
      others: false,
      ...config,
    };
    return createGitSource({ config: full, mirror: mirrors.of(full), reported: async () => [] });
  }

  const problem = async (work: Promise<unknown>): Promise<string> => {
    const error = await failure(work);
    return error instanceof SourceUnclear ? error.message : String(error);
  };

  it('knows tags, branches and commits by what they are called, and follows them', async () => {
    const source = open();
    const one = await upstream.commit('main', 'one');
    const two = await upstream.commit('main', 'two');
    await upstream.point('refs/tags/v1', one);
    await upstream.git(
      '-c',
      'user.name=alice',
      '-c',
      'user.email=alice@example.com',
      'tag',
      '-a',
      '-m',
      'two',
      'v2',
      two,
    );
    await upstream.point('refs/heads/feature/a', one);
    await upstream.point('refs/heads/v1', two);
    expect(await source.resolve('v1')).to.deep.equal({ kind: 'found', what: 'tag', commit: one });
    expect(await source.resolve('v2')).to.deep.equal({ kind: 'found', what: 'tag', commit: two });
    expect(await source.resolve('main')).to.deep.equal({ kind: 'found', what: 'branch', commit: two });
    expect(await source.resolve('feature/a')).to.include({ commit: one });
    expect(await source.resolve(one.slice(0, 7))).to.deep.equal({ kind: 'found', what: 'commit', commit: one });
    expect(await source.resolve(one)).to.include({ what: 'commit' });
    expect(await source.resolve(one.slice(0, 6))).to.deep.equal({ kind: 'unknown' });
    expect(await source.resolve('feature')).to.deep.equal({ kind: 'unknown' });
    const forced = await upstream.commit('other', 'rewritten');
    await upstream.point('refs/heads/main', forced);
    await upstream.git('update-ref', '-d', 'refs/heads/feature/a');
    expect(await source.resolve('main')).to.include({ commit: forced });
    expect(await source.resolve('feature/a')).to.deep.equal({ kind: 'unknown' });
    expect(await source.resolve(two), 'what was pushed away is still there to go back to').to.include({ commit: two });
  });

  it('takes no name for an option, a range or an expression', async () => {
    const source = open();
    const one = await upstream.commit('main', 'one');
    await upstream.commit('main', 'two');
    const names = [
      '--upload-pack=touch evil',
      '-h',
      'main~1',
      'main^',
      'main..main',
      '@{-1}',
      ':/one',
      'HEAD',
      'a b',
      '*',
      `${one}^{tree}`,
    ];
    for (const name of names) expect(await source.resolve(name), name).to.deep.equal({ kind: 'unknown' });
    const tree = await upstream.git('rev-parse', 'main^{tree}');
    expect(await source.resolve(tree), 'a tree is no commit').to.deep.equal({ kind: 'unknown' });
  });

  it('says which commits begin alike', async () => {
    await upstream.commit('main', 'one');
    const twins = await upstream.twins('main');
    const found = await open().resolve(twins[0].slice(0, 7));
    expect(found.kind === 'ambiguous' && found.commits).to.have.members([...twins]);
  });

  it('gives the commits that come and those that go, newest first, with authors', async () => {
    const source = open();
    await upstream.commit('main', 'one');
    const base = await upstream.commit('main', 'two');
    await upstream.point('refs/heads/fix', base);
    const three = await upstream.commit('main', 'three');
    const four = await upstream.commit('main', 'four\n\nwith a body', 'bob');
    const fix = await upstream.commit('fix', 'a fix', 'carol');
    await source.resolve('main');
    const between = await source.compare(fix, four, 1);
    expect(between.come).to.deep.equal({
      count: 2,
      isAtLeast: false,
      commits: [{ id: four, author: 'bob', title: 'four' }],
    });
    expect(between.go).to.deep.equal({
      count: 1,
      isAtLeast: false,
      commits: [{ id: fix, author: 'carol', title: 'a fix' }],
    });
    expect((await source.compare(three, three, 5)).come.count).to.equal(0);
    expect((await source.newest(2)).map(({ title }) => title)).to.deep.equal(['four', 'three']);
    expect((await open({ branch: 'fix' }).newest(1)).map(({ title }) => title)).to.deep.equal(['a fix']);
    expect(await problem(open({ branch: 'gone' }).newest(1))).to.contain('no commit on the branch gone');
    expect(await problem(source.compare(four, 'f'.repeat(40), 5))).to.contain('does not have these commits');
  });

  it('takes nothing in a title for the end of a commit', async () => {
    await upstream.commit('main', 'one\u001e0123456\u001f made by somebody else');
    const two = await upstream.commit('main', 'two');
    const found = await open().newest(5);
    expect(found.map(({ title }) => title)).to.deep.equal(['two', 'one\u001e0123456\u001f made by somebody else']);
    expect(found[0]?.id).to.equal(two);
  });

  it('counts no further than it must', async () => {
    const first = await upstream.commit('main', 'one');
    await upstream.many('main', 10_100);
    const source = open();
    const [head] = await source.newest(1);
    const { come } = await source.compare(first, head?.id ?? '', 3);
    expect(come).to.include({ count: 10_000, isAtLeast: true });
    expect(come.commits).to.have.length(3);
  });

  it('needs no default branch that leads anywhere', async () => {
    await upstream.commit('trunk', 'one');
    const source = open();
    expect(await source.resolve('trunk')).to.include({ what: 'branch' });
    expect(await problem(source.newest(1)))
      .to.contain('no commit on a default branch')
      .and.contain('branch in config');
  });

  it('goes on with what it has while the remote is away, and says how old that is', async () => {
    const one = await upstream.commit('main', 'one');
    const source = open();
    await source.resolve('main');
    await rename(upstream.path, `${upstream.path}.away`);
    for (const again of [source, open()]) {
      const found = await again.resolve('main');
      expect(found).to.include({ kind: 'found', commit: one });
      expect(found.kind === 'found' && found.stale?.text).to.contain(
        'acme/web could not be fetched: there is no such repository',
      );
      expect(found.kind === 'found' && Date.now() - (found.stale?.since.getTime() ?? 0)).to.be.within(0, 60_000);
    }
    expect(await problem(source.newest(1)), 'the newest of then is not the newest').to.contain('could not be fetched');
    await rename(`${upstream.path}.away`, upstream.path);
    const two = await upstream.commit('main', 'two');
    expect(await source.resolve('main')).to.deep.equal({ kind: 'found', what: 'branch', commit: two });
  });

  it('says why there is no copy at all', async () => {
    expect(await problem(open({ url: join(folder, 'nowhere') }).resolve('main'))).to.equal(
      'acme/web could not be fetched: there is no such repository, or the robot may not see it',
    );
    expect(await problem(open({ url: 'https://127.0.0.1:1/acme/web.git' }).resolve('main'))).to.contain(
      'it cannot be reached',
    );
    const none = open({}, { environment: { PATH: folder } });
    expect(await problem(none.resolve('main'))).to.contain('the program git is not installed where the robot runs');
    await writeFile(join(folder, 'file'), '');
    expect(await problem(open({}, { dataFolder: join(folder, 'file') }).resolve('main'))).to.contain(
      'cannot be written (ENOTDIR)',
    );
  });

  it('runs no program that an address names', async () => {
    const evil = join(folder, 'evil');
    const text = await problem(open({ url: `ext::touch ${evil}` }).resolve('main'));
    expect(text).to.contain('acme/web could not be fetched');
    expect(await readdir(folder)).not.to.include('evil');
  });

  it('fetches once for many who ask at once', async () => {
    await upstream.commit('main', 'one');
    const asked = join(folder, 'asked');
    // Upload-pack says that it was called.
    await mkdir(join(folder, 'bin'));
    const real = process.env['PATH'] ?? '';
    await writeFile(
      join(folder, 'bin', 'git'),
      `#!/bin/sh\ncase "$*" in *" fetch "*) echo x >> ${asked};; esac\nPATH=${real} exec git "$@"\n`,
      { mode: 0o755 },
    );
    const source = open({}, { environment: { PATH: `${join(folder, 'bin')}:${real}`, HOME: folder }, freshMs: 60_000 });
    const found = await Promise.all(Array.from({ length: 20 }, () => source.resolve('main')));
    expect(new Set(found.map((one) => JSON.stringify(one))).size).to.equal(1);
    expect((await readFile(asked, 'utf8')).trim().split('\n')).to.have.length(1);
  });

  it('is asked for what was pushed just before, however new the copy is', async () => {
    await upstream.commit('main', 'one');
    const source = open({}, { freshMs: 60_000 });
    await source.resolve('main');
    const two = await upstream.commit('main', 'two');
    const seen = await Promise.all(
      Array.from({ length: 5 }, async () => {
        await source.refresh?.();
        return await source.resolve('main');
      }),
    );
    for (const found of seen) expect(found).to.include({ commit: two });
  });

  it('stops a fetch that takes too long or too much room, and leaves nothing of it', async () => {
    const hang = join(folder, 'hang.git');
    await mkdir(hang);
    await mkdir(join(folder, 'bin'));
    const real = process.env['PATH'] ?? '';
    const wrapper = (then: string) =>
      writeFile(
        join(folder, 'bin', 'git'),
        `#!/bin/sh\ncase "$*" in *" fetch "*) ${then};; esac\nPATH=${real} exec git "$@"\n`,
        { mode: 0o755 },
      );
    const environment = { PATH: `${join(folder, 'bin')}:${real}`, HOME: folder };
    await wrapper('exec sleep 600');
    await upstream.commit('main', 'one');
    expect(await problem(open({}, { environment, timeoutMs: 300 }).resolve('main'))).to.contain(
      'it took too long to fetch it',
    );
    const slow = open({}, { environment, waitMs: 100 });
    expect(await problem(slow.resolve('main'))).to.equal('acme/web is being copied for the first time');
    const [copy = ''] = await readdir(join(folder, 'data', 'sources'));
    const pack = join(folder, 'data', 'sources', copy, 'objects', 'pack');
    await wrapper(`head -c 3000000 /dev/zero > ${pack}/tmp_pack_x; exec sleep 600`);
    expect(await problem(open({}, { environment, mostBytes: 2_000_000 }).resolve('main'))).to.contain(
      'it is larger than 2 MB',
    );
    expect(await readdir(pack)).to.deep.equal([]);
  });

  it('takes away what a killed git held locked', async () => {
    await upstream.commit('main', 'one');
    const source = open();
    await source.resolve('main');
    const [copy = ''] = await readdir(join(folder, 'data', 'sources'));
    const lock = join(folder, 'data', 'sources', copy, 'refs/heads/main.lock');
    await writeFile(lock, '');
    await utimes(lock, new Date(0), new Date(0));
    const two = await upstream.commit('main', 'two');
    expect(await source.resolve('main')).to.deep.equal({ kind: 'found', what: 'branch', commit: two });
  });

  describe('over HTTP', () => {
    let server: Server;
    let url: string;
    let seen: (string | undefined)[];
    const TOKEN = 'sekrit-token-of-git';

    beforeEach(async () => {
      seen = [];
      server = createServer((req, res) => {
        seen.push(req.headers.authorization);
        if (req.url?.startsWith('/moved')) {
          res.writeHead(302, { location: `http://localhost:${portOf(server)}${req.url.replace('/moved', '')}` });
          res.end();
          return;
        }
        if (req.headers.authorization !== `Basic ${Buffer.from(`robot:${TOKEN}`).toString('base64')}`) {
          res.writeHead(401, { 'www-authenticate': 'Basic realm="git"' });
          res.end(`no: ${TOKEN}`);
          return;
        }
        backend(folder, req, res);
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      url = `http://127.0.0.1:${portOf(server)}`;
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    });

    const environment = () => ({ PATH: process.env['PATH'], HOME: folder, GIT_TOKEN: TOKEN });

    it('shows the token to the server, and to nobody else', async () => {
      const one = await upstream.commit('main', 'one');
      const source = open({ url: `${url}/upstream.git`, tokenFrom: 'GIT_TOKEN' }, { environment: environment() });
      expect(await source.resolve('main')).to.include({ commit: one });
      const [copy = ''] = await readdir(join(folder, 'data', 'sources'));
      const config = await readFile(join(folder, 'data', 'sources', copy, 'config'), 'utf8');
      expect(config).not.to.contain('sekrit').and.not.to.contain('Basic');
      const before = seen.length;
      const moved = open({ url: `${url}/moved/upstream.git`, tokenFrom: 'GIT_TOKEN' }, { environment: environment() });
      expect(await problem(moved.resolve('main'))).to.contain('it has moved');
      expect(seen.slice(before)).to.have.length(1);
    });

    it('asks for no password, and says what is missing', async () => {
      expect(await problem(open({ url: `${url}/upstream.git` }).resolve('main'))).to.contain(
        'give a token with token_from',
      );
      const wrong = open(
        { url: `${url}/upstream.git`, tokenFrom: 'GIT_TOKEN' },
        { environment: { ...environment(), GIT_TOKEN: 'wrong' } },
      );
      expect(await problem(wrong.resolve('main'))).to.contain('it did not accept the token');
      const unset = open({ url: `${url}/upstream.git`, tokenFrom: 'OTHER' }, { environment: environment() });
      expect(await problem(unset.resolve('main'))).to.contain('the variable OTHER is not set');
    });
  });
});

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The HTTP side of git itself: git-http-backend(1), a CGI program (RFC 3875). */
function backend(root: string, req: IncomingMessage, res: ServerResponse): void {
  const { pathname, search } = new URL(req.url ?? '/', 'http://local');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      HOME: root,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: req.method ?? 'GET',
      CONTENT_TYPE: req.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: req.headers['content-encoding'] ?? '',
      HTTP_GIT_PROTOCOL: String(req.headers['git-protocol'] ?? ''),
    },
  });
  req.pipe(child.stdin);
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  child.once('close', () => {
    const all = Buffer.concat(pieces);
    const end = all.indexOf('\r\n\r\n');
    const lines = all.subarray(0, end).toString('utf8').split('\r\n');
    const headers = lines.map((line): [string, string] => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    });
    const status = Number(headers.find(([name]) => name === 'status')?.[1]?.slice(0, 3) ?? 200);
    res.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'status')));
    res.end(all.subarray(end + 4));
  });
}
