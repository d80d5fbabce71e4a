import { expect } from 'chai';
import fc from 'fast-check';
import { normalise, tokenise } from '../../src/bot/tokens.ts';

describe('what people type', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['plain words', 'deploy api to staging', 'deploy api to staging'],
    ['code ticks around the command', '`deploy api to staging`', 'deploy api to staging'],
    ['a code block around the command', '```\ndeploy api\n```', 'deploy api'],
    ['a code block with a language', '```sh\ndeploy api\n```', 'deploy api'],
    ['a dash made by a phone', 'deploy api —dry-run', 'deploy api --dry-run'],
    ['an en dash', 'deploy api –dry-run', 'deploy api --dry-run'],
    ['a dash in prose', 'it is down — again', 'it is down — again'],
    ['Slack ampersand', 'say a &amp; b', 'say a & b'],
    ['Slack angle brackets', 'say &lt;b&gt;', 'say <b>'],
    ['Slack keeps what was typed escaped', 'say &amp;lt;', 'say &lt;'],
    ['Slack link', 'open <https://a.example/x|a.example/x> now', 'open https://a.example/x now'],
    ['Slack bare link', 'open <https://a.example/x>', 'open https://a.example/x'],
    ['Slack mail link', 'ask <mailto:a@b.example|a@b.example>', 'ask a@b.example'],
    ['Slack person', 'grant <@U0123|bob> x', 'grant @U0123 x'],
    ['Slack bare person', 'grant <@U0123> x', 'grant @U0123 x'],
    ['Slack room', 'in <#C1|ops>', 'in #ops'],
    ['Slack room without its name', 'in <#C1|>', 'in #C1'],
    ['hard spaces', 'deploy\u00a0api\u2009to x', 'deploy api to x'],
    ['invisible characters', 'dep\u200bloy \u202eapi\ufeff', 'deploy api'],
    ['placeholders are kept', 'deploy <service> to x', 'deploy <service> to x'],
  ];
  for (const [name, typed, meant] of cases) {
    it(name, () => expect(normalise(typed)).to.equal(meant));
  }

  const words: readonly (readonly [string, readonly string[]])[] = [
    ['a "b c" d', ['a', 'b c', 'd']],
    ['a “b c” d', ['a', 'b c', 'd']],
    ['a „b c“ d', ['a', 'b c', 'd']],
    ["a 'b c' d", ['a', 'b c', 'd']],
    ['from:"al b" x', ['from:al b', 'x']],
    ['--reason="two words"', ['--reason=two words']],
    ["what's up, don't", ["what's", 'up,', "don't"]],
    ['the 5" disk', ['the', '5"', 'disk']],
    ['"never closed', ['"never', 'closed']],
    ['""', ['']],
    ['  ', []],
  ];
  for (const [typed, expected] of words) {
    it(`words of ${typed}`, () => expect(tokenise(typed).map((token) => token.text)).to.deep.equal(expected));
  }

  it('never throws, loses no letter and is quick, whatever is typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (typed) => {
        const text = normalise(typed);
        const tokens = tokenise(text);
        for (const token of tokens) expect(text.slice(token.start, token.end)).to.not.match(/^\s|\s$/);
        const gaps = tokens.map((token, at) => text.slice(tokens[at - 1]?.end ?? 0, token.start)).join('');
        expect(gaps.trim()).to.equal('');
      }),
    );
  });

  it('is quick with marks that nothing closes', () => {
    for (const part of ["'- ", "a:' ", '"\'\u201c1 d ', '`', '<a|', '&amp;', ' \u2014']) {
      const text = part.repeat(Math.ceil(100_000 / part.length));
      const began = performance.now();
      tokenise(normalise(text));
      expect(performance.now() - began, part).to.be.lessThan(500);
    }
  });
});
