import { expect } from 'chai';
import { createHttpServer, type HttpServer } from '../../src/bot/http.ts';
import { ownFileHandler } from '../../src/bot/own-files.ts';
import { quiet } from '../support/database.ts';

describe('texts of our own over HTTP', () => {
  let server: HttpServer;
  let url: string;

  before(async () => {
    server = await createHttpServer({ port: 0 }, quiet);
    const read = async (path: string) => {
      if (path.endsWith('broken.txt')) throw new Error('the database is away');
      return path === '/deploys/42/log.txt' ? '<script>said ✓</script>' : undefined;
    };
    const admits = async ({ headers }: { headers: Record<string, unknown> }) => headers['cookie'] === 'signed=in';
    server.beforeParsers.use('/deploys', ownFileHandler(read, admits));
    await server.listen();
    url = server.localUrl();
  });
  after(() => server.close(0));

  const ask = (path: string, cookie: string = 'signed=in', method: string = 'GET') =>
    fetch(`${url}${path}`, { method, headers: { cookie } });

  it('are files of plain text, whatever is in them', async () => {
    const answer = await ask('/deploys/42/log.txt?x=1');
    expect(answer.status).to.equal(200);
    expect(Object.fromEntries(answer.headers)).to.include({
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': 'attachment; filename="deploys-42-log.txt"',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(await answer.text()).to.equal('<script>said ✓</script>');
    expect(await (await ask('/deploys/42/log.txt', 'signed=in', 'HEAD')).text()).to.equal('');
  });

  it('are for those who may read them', async () => {
    const answer = await ask('/deploys/42/log.txt', '');
    expect(answer.status).to.equal(401);
    expect(await answer.text()).to.not.include('said');
    expect(answer.headers.has('content-disposition')).to.equal(false);
  });

  for (const [path, method, status] of [
    ['/deploys/43/log.txt', 'GET', 404],
    ['/deploys/../etc/passwd', 'GET', 404],
    ['/deploys/42/log.txt', 'POST', 404],
    ['/deploys/broken.txt', 'GET', 500],
  ] as const) {
    it(`${method} ${path}: ${status}`, async () =>
      expect((await ask(path, 'signed=in', method)).status).to.equal(status));
  }
});
