import { expect } from 'chai';
import fc from 'fast-check';
import { plain } from '../../../src/bot/card.ts';
import { foldText, readable } from '../../../src/domain/history/fold.ts';
import { lexemes } from '../../../src/domain/history/lexemes.ts';
import type { Candidate } from '../../../src/domain/history/ports.ts';
import { rank } from '../../../src/domain/history/rank.ts';
import { snippet } from '../../../src/domain/history/snippet.ts';

const NOW = Date.parse('2026-05-10T12:00:00Z');

function candidate(text: string, daysAgo: number, changes: { fromRobot?: boolean } = {}): Candidate {
  return {
    roomName: 'ops',
    searchText: foldText(readable(text)),
    message: {
      id: 1000 - daysAgo,
      chat: 'web',
      room: 'ops',
      thread: null,
      messageId: 'm',
      personId: 'p',
      personName: 'P',
      at: new Date(NOW - daysAgo * 86_400_000),
      editedAt: null,
      text,
      content: null,
      fromRobot: changes.fromRobot ?? false,
      addressed: false,
      private: false,
      nonce: null,
      clientId: null,
      onlyTo: null,
      owner: null,
      handledAt: null,
    },
  };
}

describe('ranking', () => {
  const orders: [string, string[], Candidate[]][] = [
    ['newest first among equals', ['disk'], [candidate('the disk is full', 1), candidate('the disk is full', 2)]],
    ['a whole word before a newer beginning', ['log'], [candidate('the log here', 5), candidate('the logs here', 1)]],
    ['a beginning before a newer inside', ['api'], [candidate('apis here', 5), candidate('therapies', 1)]],
    [
      'side by side before newer apart',
      ['error', 'budget'],
      [candidate('error budget', 5), candidate('budget of error', 1)],
    ],
    ['people before the robot', ['disk'], [candidate('disk full', 5), candidate('disk full', 1, { fromRobot: true })]],
    ['short before a newer paste', ['disk'], [candidate('disk full', 5), candidate(`disk ${'x '.repeat(2000)}`, 1)]],
    ['but much newer wins', ['log'], [candidate('the logs here', 1), candidate('the log here', 60)]],
    ['without words by time', [], [candidate('b', 1), candidate('a', 2)]],
  ];
  for (const [name, wanted, order] of orders) {
    it(name, () => {
      expect(rank(order, wanted)).to.deep.equal(order);
      expect(rank(order.toReversed(), wanted)).to.deep.equal(order);
    });
  }
});

describe('lexemes', () => {
  it('hold the compound, its parts to the end, and the inside of identifiers', () => {
    expect(lexemes('payments-api')).to.have.members(['payments-api', 'api']);
    expect(lexemes('v1.4.2')).to.include.members(['v1.4.2', '1.4.2', '4.2', '2']);
    expect(lexemes('ECONNREFUSED')).to.include.members(['econnrefused', 'refused', 'sed']).and.not.include('ed');
    expect(lexemes('It is fine.')).to.have.members(['it', 'is', 'fine']);
  });

  it('stay few and short, whatever the text', () => {
    expect(lexemes('Ab1'.repeat(100_000)).length).to.be.below(10);
    expect(lexemes(Array.from({ length: 20_000 }, (_, at) => `A${at}b`).join(' ')).length).to.be.at.most(5000);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const lexeme of lexemes(text)) {
          expect(lexeme).to.not.equal('');
          expect(lexeme.length).to.be.at.most(40);
          expect(lexeme.isWellFormed()).to.equal(true);
        }
      }),
    );
  });
});

describe('snippet', () => {
  const shown: [string, string[], string][] = [
    ['dial tcp: connection refused', ['connection refused'], 'dial tcp\\: **connection refused**'],
    ['**bold** and `code` [link](https://x)', ['code'], 'bold and **code** link'],
    ['Zürich is down', ['zurich'], '**Zürich** is down'],
    ['a\nb\n\nc', ['b'], 'a **b** c'],
    ['<script>@here', ['script'], '\\<**script**\\>@\u2060here'],
  ];
  for (const [text, wanted, expected] of shown) {
    it(`${JSON.stringify(text)} shows ${expected}`, () => expect(snippet(text, wanted, plain)).to.equal(expected));
  }

  it('cuts a long message around the first match', () => {
    const text = `${'before '.repeat(50)}needle ${'after '.repeat(50)}`;
    const out = snippet(text, ['needle'], plain);
    expect(out).to.match(/^… before .*\*\*needle\*\* after .* …$/);
    expect(out.length).to.be.below(200);
  });

  it('never fails and stays on one line', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.array(fc.string({ minLength: 1 })),
        (text, wanted) => {
          expect(snippet(text, wanted, plain)).to.not.contain('\n');
        },
      ),
    );
  });
});
