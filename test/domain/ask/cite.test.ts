import { expect } from 'chai';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { checkCitations, type Source } from '../../../src/domain/ask/cite.ts';
import { shorten } from '../../../src/domain/ask/untrusted.ts';

const OURS = '/runbooks/a.md#fix-it';
const sources: Source[] = [
  { number: 1, path: 'runbooks/a.md', title: 'A', heading: ['Fix (it)'], line: 3, url: OURS },
  { number: 2, path: 'runbooks/b.md', title: 'B', heading: [], line: 1, url: '/runbooks/b.md' },
];
const renderers = [new MarkdownIt({ html: true, linkify: true }), new MarkdownIt({ html: false, linkify: false })];
const allowed = new Set([OURS, '/runbooks/b.md']);

/** Every address that any renderer makes clickable or loads. */
function addresses(markdown: string): string[] {
  return renderers.flatMap((renderer) =>
    [...renderer.render(markdown).matchAll(/(?:href|src)\s*=\s*["']?([^"'>\s]*)/g)].map((match) => match[1] ?? ''),
  );
}

const check = (text: string, given = ''): ReturnType<typeof checkCitations> => checkCitations(text, sources, given);

describe('citations', () => {
  const forms: [string, number[], number[]][] = [
    ['Restart it [1].', [1], []],
    ['Restart it [1][2].', [1, 2], []],
    ['Restart it [1, 2].', [1, 2], []],
    ['Restart it 【2†source】.', [2], []],
    ['Restart it [7].', [], [7]],
    ['Restart it [1, 9].', [1], [9]],
    ['Restart it.', [], []],
    ['Restart `it[1]` now', [], []],
  ];
  for (const [text, cited, unknown] of forms) {
    it(`reads ${text}`, () => {
      const checked = check(text);
      expect(checked.cited.map(({ number }) => number)).to.deep.equal(cited);
      expect(checked.unknown).to.deep.equal(unknown);
    });
  }

  it('links a citation to its passage and drops an unknown one', () => {
    expect(check('Restart it [1][7].').text).to.equal(`Restart it [\\[1\\]](${OURS}).`);
    expect(check('Restart it [7].').text).to.equal('Restart it.');
  });

  it('keeps code and ordinary Markdown as they are', () => {
    const text =
      '**Now** do\n\n```bash\nkubectl get pods | grep x\ncurl http://localhost:9090/[1]\n```\n\n- `a | b`\n- *c*';
    expect(check(text).text).to.equal(text);
  });

  it('shows an address as code only if it was given', () => {
    expect(check('See https://grafana.example/d/1.', 'text https://grafana.example/d/1 text').text).to.equal(
      'See `https://grafana.example/d/1`.',
    );
    expect(check('See https://evil.example/?q=secret.').text).to.equal('See \\(link removed\\).');
  });

  const hostile = [
    'See [x](http://evil.com/a?b=c) and ![p](http://evil.com/p.png)',
    '<https://evil.com> http://evil.com/x www.evil.com [r][q]\n\n[q]: http://evil.com',
    '[q]:\nhttp://evil.com\n\n[q]',
    '\\\\`a` [x](http://evil.com) `b`',
    '> ```\n[x](http://evil.com) ```',
    'a\n    ```\n[x](http://evil.com)\n    ````\n',
    '| a | b |\n|---|---|\n| `a | [x](http://evil.com) ` |',
    '| a | b |\n|---|---|\n| `a | http://evil.com/x ` |',
    '<http://a`> [x](http://evil.com) `',
    '```` `\n[x](http://evil.com)',
    '~~~ ` ~~~\n[x](http://evil.com)',
    'https&#58;//evil.com/x https:\\/\\/evil.com/x secret.evil.com',
    '[a\nb](http://evil.com) [x](javascript:alert(1)) [c](<http://evil.com> "t") [d](data:text/html,x)',
    '<img src=http://evil.com/x> <script>alert(1)</script> <a href="http://evil.com">x</a>',
    '[x](http://evil.com\n) [y][1]\n[1]: http://evil.com',
    '[![a](http://evil.com/i.png)](http://evil.com)',
    '[x](/admin) [x](//evil.com) [x](mailto:a@evil.com)',
    '[1](http://evil.com) [1]: http://evil.com',
    '- ```\n  [x](http://evil.com)\n- ```\n[y](http://evil.com)',
    '`\n[x](http://evil.com)\n`',
    '<a\nhref="http://evil.com">x</a>',
    '<!-- --> [x](http://evil.com) <!-- -->',
    'mail a@evil.com ftp://evil.com/x',
  ];
  for (const text of hostile) {
    it(`lets no foreign address through: ${JSON.stringify(text).slice(0, 70)}`, () => {
      const shown = check(text).text;
      expect(addresses(shown).filter((address) => !allowed.has(address))).to.deep.equal([]);
      expect(renderers[0]?.render(shown)).not.to.match(/<(?:img|script|a\s+href="http)/);
    });
  }

  it('lets no foreign address through, whatever the pieces', () => {
    const piece = fc.constantFrom(
      '[x](http://evil.com)',
      '![i](http://evil.com/p)',
      '`',
      '``',
      '```',
      '~~~',
      '\n',
      '\n\n',
      '\\',
      '> ',
      '- ',
      '    ',
      '|',
      '|---|---|\n',
      '<',
      '>',
      '[',
      ']',
      '(',
      ')',
      ':',
      '!',
      'word',
      ' ',
      '[1]',
      'http://evil.com/q',
      '<http://evil.com>',
      '&#58;',
      '@here',
      '1. ',
      '<!--',
      '-->',
      '[q]: ',
      '"',
      '*',
      '_',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const shown = check(pieces.join('')).text;
        const foreign = addresses(shown).filter((address) => !allowed.has(address));
        expect(foreign, JSON.stringify([pieces.join(''), shown])).to.deep.equal([]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('mentions nobody', () => {
    const { text } = check('ask @channel or <!here> or <@U123>');
    expect(text).not.to.match(/@channel|(?<!\\)<!here|(?<!\\)<@/);
  });

  it('takes long hostile text in linear time', () => {
    const started = performance.now();
    for (const text of [
      '['.repeat(20_000),
      '[a]('.repeat(5_000),
      '`'.repeat(20_000),
      '` '.repeat(10_000),
      '<a '.repeat(7_000),
      'a.'.repeat(10_000),
      '<!--'.repeat(5_000),
      '\\'.repeat(20_000),
      '[x]: '.repeat(4_000),
    ]) {
      const from = performance.now();
      check(text);
      expect(performance.now() - from, text.slice(0, 5)).to.be.lessThan(1_000);
    }
    expect(performance.now() - started).to.be.lessThan(4_000);
  });
});

describe('shorten', () => {
  it('cuts at a paragraph and closes code', () => {
    expect(shorten('short', 100)).to.deep.equal({ text: 'short', cut: false });
    const { text, cut } = shorten(`${'a '.repeat(40)}\n\n\`\`\`\n${'code\n'.repeat(50)}\`\`\``, 150);
    expect(cut).to.equal(true);
    expect(text.match(/```/g)).to.have.length(2);
    expect(shorten(`${'word '.repeat(16)}\n\n${'x '.repeat(50)}`, 100).text).to.equal('word '.repeat(16).trim());
  });
});
