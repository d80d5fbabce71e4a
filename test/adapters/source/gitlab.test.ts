/** The source GitLab, against a server that speaks its documented API. */

import { expect } from 'chai';
import { createGitlabSource } from '../../../src/adapters/source/gitlab/client.ts';
import { type Source, SourceUnclear } from '../../../src/domain/deploy/source.ts';
import { failure } from '../../support/failure.ts';
import { hastyClock, json, type RestReply, type RestServer, restServer } from '../../support/rest-server.ts';

const P = '/api/v4/projects/acme%2Fshop%2Fweb';
const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

describe('source gitlab', () => {
  let server: RestServer;

  beforeEach(async () => {
    server = await restServer();
  });
  afterEach(() => server.finish());

  function open(branch?: string): Source {
    return createGitlabSource({
      config: {
        kind: 'gitlab',
        name: 'acme/shop/web',
        url: server.url,
        tokenFrom: 'GITLAB_TOKEN',
        others: false,
        ...(branch === undefined ? {} : { branch }),
      },
      environment: { GITLAB_TOKEN: 'sekrit-token-of-gitlab' },
      clock: hastyClock(),
    });
  }

  const missing = (what: string) => json(404, { message: `404 ${what} Not Found` });
  const commit = (index: number, author = 'alice') => ({
    id: index.toString(16).padStart(40, '0'),
    short_id: 'x',
    title: `change ${index}`,
    author_name: author,
  });

  it('asks for a tag, then a branch, then a commit', async () => {
    server.on(`GET ${P}/repository/tags/v1`, json(200, { name: 'v1', commit: { id: A } }));
    expect(await open().resolve('v1')).to.deep.equal({ kind: 'found', what: 'tag', commit: A });
    expect(server.calls[0]?.headers).to.include({ 'private-token': 'sekrit-token-of-gitlab' });
    server.on(`GET ${P}/repository/tags/feature%2Fa`, missing('Tag'));
    server.on(`GET ${P}/repository/branches/feature%2Fa`, json(200, { name: 'feature/a', commit: { id: B } }));
    expect(await open().resolve('feature/a')).to.deep.equal({ kind: 'found', what: 'branch', commit: B });
    server.on(`GET ${P}/repository/tags/bbbbbbb`, missing('Tag'));
    server.on(`GET ${P}/repository/branches/bbbbbbb`, missing('Branch'));
    server.on(`GET ${P}/repository/commits/bbbbbbb`, json(200, { ...commit(1), id: B }));
    expect(await open().resolve('bbbbbbb')).to.deep.equal({ kind: 'found', what: 'commit', commit: B });
  });

  it('tells a name that is not there from a project that is not', async () => {
    server.on(`GET ${P}/repository/tags/nope`, missing('Tag'), missing('Project'));
    server.on(`GET ${P}/repository/branches/nope`, missing('Branch'), missing('Project'));
    server.on(`GET ${P}`, json(200, { id: 1 }), missing('Project'));
    expect(await open().resolve('nope')).to.deep.equal({ kind: 'unknown' });
    const error = await failure(open().resolve('nope'));
    expect(error).to.be.instanceOf(SourceUnclear);
    expect(String(error)).to.contain('404 Project Not Found');
  });

  it('gives the commits between two, and how many there are at least', async () => {
    const hundred = Array.from({ length: 100 }, (_, index) => commit(200 - index));
    const ranges: RestReply = (res, call) =>
      call.query['ref_name'] === `${A}..${B}`
        ? json(200, hundred, { 'x-next-page': '2' })(res, call)
        : json(200, [commit(7, 'bob')], { 'x-next-page': '' })(res, call);
    server.on(`GET ${P}/repository/commits`, ranges, ranges);
    const { come, go, url } = await open().compare(A, B, 2);
    expect(come).to.include({ count: 100, isAtLeast: true });
    expect(come.commits.map(({ title }) => title)).to.deep.equal(['change 200', 'change 199']);
    expect(go).to.deep.equal({
      count: 1,
      isAtLeast: false,
      commits: [{ id: commit(7).id, author: 'bob', title: 'change 7' }],
    });
    expect(url).to.equal(`${server.url}/acme/shop/web/-/compare/${A}...${B}`);
  });

  it('gives the last commits of a branch', async () => {
    server.on(`GET ${P}/repository/commits`, json(200, [commit(2), commit(1)]), json(200, [commit(2)]));
    expect(await open().newest(2)).to.have.length(2);
    await open('release/1').newest(1);
    expect(server.calls.map(({ query }) => query)).to.deep.equal([
      { first_parent: 'true', per_page: '2' },
      { ref_name: 'release/1', first_parent: 'true', per_page: '1' },
    ]);
  });

  it('gives the statuses of a commit', async () => {
    const status = (name: string, state: string, allow = false) => ({
      name,
      status: state,
      allow_failure: allow,
      target_url: null,
    });
    const all = [
      status('build', 'success'),
      status('test', 'failed'),
      status('style', 'failed', true),
      status('deploy', 'manual', true),
      status('gate', 'manual'),
      status('next', 'created'),
      status('stopped', 'canceled'),
      status('docs', 'skipped'),
    ];
    server.on(
      `GET ${P}/repository/commits/${A}/statuses`,
      json(200, all.slice(0, 4), { 'x-next-page': '2' }),
      json(200, all.slice(4), { 'x-next-page': '' }),
    );
    const checks = await open().checks(A);
    expect(checks.map(({ name, state }) => `${name} ${state}`)).to.deep.equal([
      'build passed',
      'test failed',
      'style tolerated',
      'deploy skipped',
      'gate running',
      'next running',
      'stopped failed',
      'docs skipped',
    ]);
  });

  it('says what to do, without the token', async () => {
    server.on(
      `GET ${P}/repository/commits`,
      json(401, { message: '401 Unauthorized sekrit-token-of-gitlab' }),
      json(403, { message: '403 Forbidden' }),
    );
    const wrong = String(await failure(open().newest(1)));
    expect(wrong).to.contain('did not accept the token in GITLAB_TOKEN').and.not.contain('sekrit');
    expect(String(await failure(open().newest(1)))).to.contain('the scope “read_api”');
  });
});
