import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createKnowledgeFiles, type KnowledgeOptions, LIMITS } from '../../src/adapters/knowledge/files.ts';
import { runbookHandler } from '../../src/adapters/knowledge/page.ts';
import { parseFrontMatter } from '../../src/adapters/knowledge/schema.ts';
import type { KnowledgeSource } from '../../src/domain/ask/ports.ts';

describe('knowledge files', () => {
  let root: string;
  let folder: string;
  let warnings: object[];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'knowledge-'));
    folder = join(root, 'runbooks');
    warnings = [];
    mkdirSync(join(folder, 'deep'), { recursive: true });
    writeFileSync(join(folder, 'a.md'), '---\ntitle: A\nalerts: X, Y\n---\n# A\n## Fix it\nDo.');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const source = (options: Partial<KnowledgeOptions> = {}): KnowledgeSource =>
    createKnowledgeFiles({
      folder,
      contextFile: join(root, 'context.md'),
      freshMs: 0,
      log: {
        debug: () => undefined,
        info: () => undefined,
        warn: (fields) => warnings.push(fields),
        error: () => undefined,
      },
      ...options,
    });
  const paths = async (from: KnowledgeSource): Promise<string[]> => (await from.read()).files.map(({ path }) => path);

  it('reads Markdown with its front matter', async () => {
    writeFileSync(join(folder, 'deep', 'b.md'), '# B');
    writeFileSync(join(folder, 'notes.txt'), 'no');
    writeFileSync(join(folder, '.hidden.md'), 'no');
    const { files } = await source().read();
    expect(files.map(({ path }) => path)).to.deep.equal(['runbooks/a.md', 'runbooks/deep/b.md']);
    expect(files[0]?.meta).to.deep.equal({ title: 'A', alerts: ['X', 'Y'], services: [], owners: [] });
  });

  it('reads again what changed, and only then gives another version', async () => {
    const from = source();
    const first = await from.read();
    expect((await from.read()).version).to.equal(first.version);
    writeFileSync(join(folder, 'a.md'), '# Other');
    utimesSync(join(folder, 'a.md'), 1, 1);
    const second = await from.read();
    expect(second.version).not.to.equal(first.version);
    expect(second.files[0]?.text).to.equal('# Other');
    rmSync(join(folder, 'a.md'));
    expect(await paths(from)).to.deep.equal([]);
  });

  it('does not look again at once', async () => {
    let now = 0;
    const from = source({ freshMs: 1_000, now: () => now });
    await from.read();
    rmSync(join(folder, 'a.md'));
    expect(await paths(from)).to.have.length(1);
    now = 1_001;
    expect(await paths(from)).to.have.length(0);
  });

  it('follows links inside the folder only', async () => {
    writeFileSync(join(root, 'secret.md'), 'secret');
    symlinkSync(join(root, 'secret.md'), join(folder, 'out.md'));
    symlinkSync(root, join(folder, 'up'));
    symlinkSync(join(folder, 'a.md'), join(folder, 'same.md'));
    symlinkSync(join(folder, 'nothing.md'), join(folder, 'broken.md'));
    expect(await paths(source())).to.deep.equal(['runbooks/a.md', 'runbooks/same.md']);
    expect(warnings).to.have.length(2);
  });

  it('leaves out what is too large or no text, and says so once', async () => {
    writeFileSync(join(folder, 'big.md'), 'x'.repeat(LIMITS.fileBytes + 1));
    writeFileSync(join(folder, 'binary.md'), 'a\0b');
    mkdirSync(join(folder, 'folder.md'));
    const from = source();
    expect(await paths(from)).to.deep.equal(['runbooks/a.md']);
    await from.read();
    expect(warnings).to.have.length(2);
  });

  it('uses a file with broken front matter without it', async () => {
    writeFileSync(join(folder, 'a.md'), '---\ntitle: [\n---\n# A');
    expect((await source().read()).files[0]?.meta.alerts).to.deep.equal([]);
    expect(warnings).to.have.length(1);
  });

  it('is empty without a folder', async () => {
    expect(await paths(source({ folder: join(root, 'nowhere') }))).to.deep.equal([]);
  });

  it('sends no context until the team wrote some', async () => {
    const from = source();
    expect(await from.context()).to.equal(undefined);
    writeFileSync(join(root, 'context.md'), '<!-- explain -->\n\n# Our systems\n');
    expect(await from.context()).to.equal(undefined);
    writeFileSync(join(root, 'context.md'), '<!-- explain -->\n# Our systems\nThe shop is storefront.\n');
    expect(await from.context()).to.equal('# Our systems\nThe shop is storefront.');
  });

  const matters: [string, string[] | undefined][] = [
    ['alerts: [A, B]', ['A', 'B']],
    ['alerts: A', ['A']],
    ['alert: A', ['A']],
    ['alerts: {a: 1}', []],
    ['alerts:', []],
    ['- a list', undefined],
    ['a: &a [*a, *a]', []],
    ['', []],
  ];
  for (const [yaml, alerts] of matters) {
    it(`reads front matter ${JSON.stringify(yaml)}`, () =>
      expect(parseFrontMatter(yaml)?.alerts).to.deep.equal(alerts));
  }

  it('links to file and section', () => {
    expect(source().link('runbooks/a b.md', 'fix-it')).to.equal('/runbooks/a%20b.md#fix-it');
    expect(source({ baseUrl: () => 'http://127.0.0.1:8080' }).link('runbooks/a.md', '')).to.equal(
      'http://127.0.0.1:8080/runbooks/a.md',
    );
    expect(source({ baseUrl: 'https://git.example/main/' }).link('runbooks/a.md', '')).to.equal(
      'https://git.example/main/runbooks/a.md',
    );
  });

  it('serves the pages, and nothing else', async () => {
    writeFileSync(
      join(folder, 'a.md'),
      '# A\n## Fix `it`\n\n<script>alert(1)</script> ![x](http://evil.example/x) [l](javascript:alert(1))',
    );
    writeFileSync(join(root, 'secret.md'), 'secret');
    const handler = runbookHandler(source(), async (request) => request.headers.cookie === 'in');
    const server = createServer((req, res) => void handler(req, res));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    const base = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
    const headers = { cookie: 'in' };
    try {
      for (const path of [
        '/runbooks/a.md',
        '/runbooks/none.md',
        '//evil.example/x',
        '/%22%3E%3Cscript%3E',
        '/"><script>',
      ]) {
        const refused = await fetch(base + path);
        const text = await refused.text();
        expect(refused.status, path).to.equal(401);
        expect(text).to.not.match(/<script|href="\/\/|Fix/);
      }
      const page = await fetch(`${base}/runbooks/a.md`, { headers });
      const html = await page.text();
      expect(page.status).to.equal(200);
      expect(page.headers.get('content-security-policy')).to.contain("default-src 'none'");
      expect(html).to.contain('<h2 id="fix-it">');
      expect(html).not.to.match(/<script|<img|href="javascript/);
      for (const path of ['/runbooks/..%2fsecret.md', '/secret.md', '/runbooks/%', '/runbooks/']) {
        expect((await fetch(base + path, { headers })).status, path).to.equal(404);
      }
      expect((await fetch(`${base}/runbooks/a.md`, { method: 'POST', headers })).status).to.equal(404);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
