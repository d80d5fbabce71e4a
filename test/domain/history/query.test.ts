import { expect } from 'chai';
import fc from 'fast-check';
import { moment } from '../../../src/domain/history/moment.ts';
import { parseQuery, type Query } from '../../../src/domain/history/query.ts';

const NOW = new Date('2026-05-10T12:00:00Z');

function parse(text: string): Query {
  const parsed = parseQuery(text, NOW, 'web:1');
  if (parsed.kind !== 'query') throw new Error(`unclear: ${JSON.stringify(parsed.problem)}`);
  return parsed.query;
}

describe('history query', () => {
  it('reads the sentence of the guide', () => {
    expect(parse('"connection refused" from:alice since:7d in:ops')).to.deep.equal({
      all: [{ prefixes: ['connection', 'refused'], contains: 'connection refused' }],
      none: [],
      wanted: ['connection refused'],
      from: ['alice'],
      rooms: ['ops'],
      page: 1,
      since: new Date('2026-05-03T12:00:00Z'),
    });
  });

  const terms: [string, object[]][] = [
    ['Timeout', [{ prefixes: ['timeout'] }]],
    ['payments-api,', [{ prefixes: ['payments-api'] }]],
    ['10.0.3.7.', [{ prefixes: ['10.0.3.7'] }]],
    [':8080', [{ prefixes: ['8080'], contains: ':8080' }]],
    ['a=b', [{ prefixes: ['a', 'b'], contains: 'a=b' }]],
    ['“curly quotes”', [{ prefixes: ['curly', 'quotes'], contains: 'curly quotes' }]],
    ['"never closed', [{ prefixes: ['never', 'closed'], contains: 'never closed' }]],
    ['=>', [{ prefixes: [], contains: '=>' }]],
    ['key:value', [{ prefixes: ['key:value'] }]],
    ['x-ray a-b', [{ prefixes: ['x-ray'] }, { prefixes: ['a-b'] }]],
  ];
  for (const [text, all] of terms) it(`looks for ${text}`, () => expect(parse(text).all).to.deep.equal(all));

  it('excludes words, compounds and phrases', () => {
    expect(parse('a -staging -v1.2 -"dry run"').none).to.deep.equal([
      { lexeme: 'staging' },
      { lexeme: 'v1.2' },
      { contains: 'dry run' },
    ]);
  });

  it('knows me, and people with spaces', () => {
    expect(parse('from:me').from).to.deep.equal(['web:1']);
    expect(parse('from:"Bob Smith" from:@Zoë').from).to.deep.equal(['bob smith', 'zoe']);
  });

  it('says what it does not understand', () => {
    expect(parseQuery('  ', NOW, 'x')).to.deep.equal({ kind: 'unclear', problem: { kind: 'empty' } });
    expect(parseQuery('a since:soonish', NOW, 'x')).to.deep.equal({
      kind: 'unclear',
      problem: { kind: 'bad-time', filter: 'since', value: 'soonish' },
    });
  });

  it('takes whatever is typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseQuery(text, NOW, 'web:1');
        if (parsed.kind === 'query') {
          for (const term of parsed.query.all) expect(term.prefixes.every((prefix) => prefix !== '')).to.equal(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('moment', () => {
  const moments: [string, string | undefined][] = [
    ['7d', '2026-05-03T12:00:00.000Z'],
    ['90m', '2026-05-10T10:30:00.000Z'],
    ['2 weeks ago', '2026-04-26T12:00:00.000Z'],
    ['today', '2026-05-10T00:00:00.000Z'],
    ['yesterday', '2026-05-09T00:00:00.000Z'],
    ['friday', '2026-05-08T00:00:00.000Z'],
    ['sunday', '2026-05-03T00:00:00.000Z'],
    ['2026-05-01', '2026-05-01T00:00:00.000Z'],
    ['2026-05-01T10:30', '2026-05-01T10:30:00.000Z'],
    ['2026-05-01T10:30+02:00', '2026-05-01T08:30:00.000Z'],
    ['10:30', '2026-05-10T10:30:00.000Z'],
    ['14:30', '2026-05-09T14:30:00.000Z'],
    ['25:00', undefined],
    ['2026-13-45', undefined],
    ['never', undefined],
    ['', undefined],
  ];
  for (const [typed, expected] of moments) {
    it(`${typed || 'nothing'} is ${expected ?? 'none'}`, () => {
      expect(moment(typed, NOW)?.toISOString()).to.equal(expected);
    });
  }
});
