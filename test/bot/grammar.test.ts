import { expect } from 'chai';
import { compileUsage, leadingWords } from '../../src/bot/grammar.ts';
import { matchLine } from '../../src/bot/match.ts';
import { normalise, tokenise } from '../../src/bot/tokens.ts';

function match(usage: string, typed: string) {
  const text = normalise(typed);
  return matchLine(compileUsage(usage), text, tokenise(text));
}

function first(usage: string, typed: string): Record<string, string | true> | string {
  const result = match(usage, typed);
  return result.kind === 'match' ? Object.fromEntries(result.candidates[0] ?? []) : `${result.kind} ${result.what}`;
}

const DEPLOY = 'deploy <service> [version] (to|in) <environment> [--dry-run] [--since <since>]';
const SEARCH = 'history search <query...> [from:<person>]';

describe('usage lines', () => {
  const cases: readonly (readonly [string, string, Record<string, string | true> | string])[] = [
    [DEPLOY, 'deploy api to prod', { service: 'api', environment: 'prod' }],
    [DEPLOY, 'Deploy api v2 IN prod', { service: 'api', version: 'v2', environment: 'prod' }],
    [DEPLOY, 'deploy --dry-run api to prod', { dryRun: true, service: 'api', environment: 'prod' }],
    [DEPLOY, 'deploy api to prod --since 2d', { service: 'api', environment: 'prod', since: '2d' }],
    [DEPLOY, 'deploy api to prod —since=2d', { service: 'api', environment: 'prod', since: '2d' }],
    [DEPLOY, 'deploy api', 'missing `to` or `in` `<environment>`'],
    [DEPLOY, 'deploy', 'missing `<service>` `to` or `in` `<environment>`'],
    [DEPLOY, 'deploy api to', 'missing `<environment>`'],
    [DEPLOY, 'deploy api v2 v3 to prod', 'excess v3'],
    [DEPLOY, 'deploy api to prod now', 'excess now'],
    [DEPLOY, 'deploy api to prod --fast', 'flag --fast'],
    [DEPLOY, 'deploy api to prod --since', 'missing a value for `--since`'],
    [DEPLOY, 'deploy "to" to prod', { service: 'to', environment: 'prod' }],
    [
      SEARCH,
      'history search "connection refused" from:alice now',
      { query: '"connection refused" now', from: 'alice' },
    ],
    [SEARCH, 'history search from:"al b" x --y', { query: 'x --y', from: 'al b' }],
    [SEARCH, 'history search "just this"', { query: 'just this' }],
    [SEARCH, 'history search from:bob', 'missing `<query>`'],
    ['locks [in <environment>] [all...]', 'locks', {}],
    ['locks [in <environment>] [all...]', 'locks in prod', { environment: 'prod' }],
    ['locks [in <environment>] [all...]', 'locks in prod and more', { environment: 'prod', all: 'and more' }],
    ['ack|acknowledge <alert>', 'acknowledge 3', { alert: '3' }],
  ];
  for (const [usage, typed, expected] of cases) {
    it(`${usage} ← ${typed}`, () => expect(first(usage, typed)).to.deep.equal(expected));
  }

  it('gives every reading of a line, for the values to decide', () => {
    const result = match('deploys [service] [environment]', 'deploys production');
    expect(result.kind === 'match' && result.candidates.map((each) => Object.fromEntries(each))).to.deep.equal([
      { service: 'production' },
      { environment: 'production' },
    ]);
  });

  it('knows the words that a line must start with', () => {
    expect(leadingWords(compileUsage('alerts (ack|acknowledge) <alert>'))).to.deep.equal([
      ['alerts'],
      ['ack', 'acknowledge'],
    ]);
  });

  for (const [usage, problem] of [
    ['<service> deploy', 'must start with a literal'],
    ['deploy [a [b]]', 'brackets inside brackets|not expected'],
    ['deploy <a...> <b>', 'only the last argument'],
    ['deploy <a> <a>', 'named twice'],
    ['deploy <a', 'not expected'],
    ['deploy (a|)', 'empty alternative'],
  ] as const) {
    it(`refuses ${usage}`, () => expect(() => compileUsage(usage)).to.throw(new RegExp(problem)));
  }
});
