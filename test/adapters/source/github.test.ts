/** The source GitHub, against a server that speaks its documented API. */

import { expect } from 'chai';
import { createGithubSource } from '../../../src/adapters/source/github/client.ts';
import { type Source, SourceUnclear } from '../../../src/domain/deploy/source.ts';
import { failure } from '../../support/failure.ts';
import {
  cut,
  empty,
  hastyClock,
  json,
  type RestReply,
  type RestServer,
  restServer,
} from '../../support/rest-server.ts';

const R = '/repos/acme/web';
const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

describe('source github', () => {
  let server: RestServer;

  beforeEach(async () => {
    server = await restServer();
  });
  afterEach(() => server.finish());

  function open(more: { branch?: string; token?: string } = {}): Source {
    const { branch, token = 'sekrit-token-of-github' } = more;
    return createGithubSource({
      config: {
        kind: 'github',
        name: 'acme/web',
        url: server.url,
        tokenFrom: 'GITHUB_TOKEN',
        others: false,
        ...(branch === undefined ? {} : { branch }),
      },
      environment: { GITHUB_TOKEN: token },
      clock: hastyClock(),
    });
  }

  async function problem(work: Promise<unknown>): Promise<string> {
    const error = await failure(work);
    return error instanceof SourceUnclear ? error.message : `no SourceUnclear: ${String(error)}`;
  }

  const sha =
    (id: string): RestReply =>
    (res) => {
      res.writeHead(200, { 'content-type': 'application/vnd.github.sha; charset=utf-8' });
      res.end(id);
    };
  const unknown = json(422, { message: 'No commit found for SHA: x', status: '422' });
  const commit = (index: number, name = 'alice') => ({
    sha: index.toString(16).padStart(40, '0'),
    commit: {
      message: `change ${index}\n\nmore`,
      author: { name, email: 'x@example.com', date: '2026-11-20T08:00:00Z' },
    },
  });

  it('asks for a tag, then a branch, then a commit', async () => {
    server.on(`GET ${R}/commits/tags/v1`, sha(A));
    expect(await open().resolve('v1')).to.deep.equal({ kind: 'found', what: 'tag', commit: A });
    expect(server.calls[0]?.headers).to.include({
      authorization: 'Bearer sekrit-token-of-github',
      accept: 'application/vnd.github.sha',
    });
    server.on(`GET ${R}/commits/tags/feature/a`, unknown);
    server.on(`GET ${R}/commits/heads/feature/a`, sha(B));
    expect(await open().resolve('feature/a')).to.deep.equal({ kind: 'found', what: 'branch', commit: B });
    server.on(`GET ${R}/commits/tags/bbbbbbb`, unknown);
    server.on(`GET ${R}/commits/heads/bbbbbbb`, unknown);
    server.on(`GET ${R}/commits/bbbbbbb`, sha(B));
    expect(await open().resolve('bbbbbbb')).to.deep.equal({ kind: 'found', what: 'commit', commit: B });
  });

  it('tells a name that is not there from a repository that is not', async () => {
    for (const [status, expected] of [
      [200, undefined],
      [404, 'GitHub does not know this (404: Not Found)'],
    ] as const) {
      server.on(`GET ${R}/commits/tags/nope`, json(404, { message: 'Not Found' }));
      server.on(`GET ${R}/commits/heads/nope`, json(404, { message: 'Not Found' }));
      server.on(`GET ${R}`, json(status, status === 200 ? { full_name: 'acme/web' } : { message: 'Not Found' }));
      if (expected === undefined) expect(await open().resolve('nope')).to.deep.equal({ kind: 'unknown' });
      else
        expect(await problem(open().resolve('nope')))
          .to.contain(expected)
          .and.contain('GITHUB_TOKEN may see it');
    }
    expect(await open().resolve('a..b'), 'asks nothing').to.deep.equal({ kind: 'unknown' });
  });

  it('gives the newest of the commits between two, from the last pages', async () => {
    const all = Array.from({ length: 203 }, (_, index) => commit(index + 1));
    const page = (number: number) => ({
      html_url: 'https://github.example/acme/web/compare/a...b',
      status: 'diverged',
      ahead_by: 203,
      behind_by: 1,
      total_commits: 203,
      commits: all.slice((number - 1) * 100, number * 100),
    });
    const paged: RestReply = (res, call) => json(200, page(Number(call.query['page'])))(res, call);
    server.on(`GET ${R}/compare/${A}...${B}`, paged, paged, paged);
    server.on(
      `GET ${R}/compare/${B}...${A}`,
      json(200, { ...page(1), ahead_by: 1, behind_by: 203, total_commits: 1, commits: [commit(300, 'bob')] }),
    );
    const { come, go, url } = await open().compare(A, B, 5);
    expect(come).to.include({ count: 203, isAtLeast: false });
    expect(come.commits.map(({ title }) => title)).to.deep.equal([
      'change 203',
      'change 202',
      'change 201',
      'change 200',
      'change 199',
    ]);
    expect(go.commits).to.deep.equal([{ id: commit(300).sha, author: 'bob', title: 'change 300' }]);
    expect(url).to.equal('https://github.example/acme/web/compare/a...b');
    expect(server.calls.map(({ query }) => query['page'])).to.deep.equal(['1', '3', '2', '1']);
  });

  it('asks once for few commits, and once for many who ask', async () => {
    const same = {
      html_url: 'https://github.example/x',
      ahead_by: 1,
      behind_by: 0,
      total_commits: 1,
      commits: [commit(1)],
    };
    server.on(`GET ${R}/compare/${A}...${B}`, json(200, same));
    const source = open();
    const answers = await Promise.all(Array.from({ length: 50 }, () => source.compare(A, B, 10)));
    expect(answers.map(({ come }) => come.count)).to.deep.equal(Array(50).fill(1));
  });

  it('gives the last commits of a branch', async () => {
    server.on(`GET ${R}/commits`, json(200, [commit(2), commit(1)]), json(200, [commit(2)]));
    expect((await open().newest(2)).map(({ title }) => title)).to.deep.equal(['change 2', 'change 1']);
    await open({ branch: 'release/1' }).newest(1);
    expect(server.calls.map(({ query }) => query)).to.deep.equal([
      { per_page: '2' },
      { per_page: '1', sha: 'release/1' },
    ]);
  });

  it('gives check runs and statuses alike', async () => {
    const run = (name: string, status: string, conclusion: string | null) => ({
      name,
      status,
      conclusion,
      html_url: `https://x/${name}`,
    });
    const first = Array.from({ length: 100 }, (_, index) => run(`shard ${index}`, 'completed', 'success'));
    const second = [
      run('lint', 'completed', 'failure'),
      run('slow', 'in_progress', null),
      run('docs', 'completed', 'skipped'),
      run('note', 'completed', 'neutral'),
      run('gone', 'completed', 'timed_out'),
    ];
    server.on(
      `GET ${R}/commits/${A}/check-runs`,
      json(200, { total_count: 105, check_runs: first }),
      json(200, { total_count: 105, check_runs: second }),
    );
    server.on(
      `GET ${R}/commits/${A}/status`,
      json(200, {
        total_count: 3,
        statuses: [
          { context: 'ci/old', state: 'success', target_url: null },
          { context: 'ci/new', state: 'pending', target_url: '' },
          { context: 'ci/bad', state: 'error', target_url: 'https://x/bad' },
        ],
      }),
    );
    const checks = await open().checks(A);
    expect(checks.slice(100)).to.deep.equal([
      { name: 'lint', state: 'failed', url: 'https://x/lint' },
      { name: 'slow', state: 'running', url: 'https://x/slow' },
      { name: 'docs', state: 'skipped', url: 'https://x/docs' },
      { name: 'note', state: 'tolerated', url: 'https://x/note' },
      { name: 'gone', state: 'failed', url: 'https://x/gone' },
      { name: 'ci/old', state: 'passed' },
      { name: 'ci/new', state: 'running' },
      { name: 'ci/bad', state: 'failed', url: 'https://x/bad' },
    ]);
  });

  it('does not say that all have passed when it has not seen all', async () => {
    const many = Array.from({ length: 100 }, () => ({ name: 'x', status: 'completed', conclusion: 'success' }));
    server.always(`GET ${R}/commits/${A}/check-runs`, json(200, { total_count: 900, check_runs: many }));
    server.on(`GET ${R}/commits/${A}/status`, json(200, { total_count: 0, statuses: [] }));
    expect(await problem(open().checks(A))).to.contain('more than 500 checks');
  });

  const troubles: [string, RestReply[], string][] = [
    [
      '401',
      [json(401, { message: 'Bad credentials sekrit-token-of-github' })],
      'did not accept the token in GITHUB_TOKEN (401: Bad credentials [GITHUB_TOKEN])',
    ],
    ['403', [json(403, { message: 'Resource not accessible' })], 'the token needs the permission “Contents: read”'],
    ['409', [json(409, { message: 'Git Repository is empty.' })], 'Git Repository is empty'],
    [
      '429 for long',
      [json(429, { message: 'slow down' }, { 'retry-after': '600' })],
      'takes no more requests for now (429); try again in 10 min',
    ],
    ['not the API', [json(200, { hello: 'world' })], 'something else than its API documents'],
  ];
  for (const [what, replies, expected] of troubles) {
    it(`says what to do: ${what}`, async () => {
      server.on(`GET ${R}/commits`, ...replies);
      const text = await problem(open().newest(1));
      expect(text).to.contain(expected).and.not.contain('sekrit');
    });
  }

  it('asks again after 429 with Retry-After, 500 and a connection cut in the middle', async () => {
    server.on(
      `GET ${R}/commits`,
      json(429, { message: 'slow down' }, { 'retry-after': '2' }),
      empty(500),
      cut(),
      json(200, [commit(1)]),
    );
    expect(await open().newest(1)).to.have.length(1);
  });

  it('needs a token', async () => {
    expect(await problem(open({ token: '' }).newest(1))).to.contain('the variable GITHUB_TOKEN is not set');
  });
});
