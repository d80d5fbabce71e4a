import { expect } from 'chai';
import { renderMarkdown } from '../../../src/adapters/chat/web/markdown.ts';
import { mention, plain } from '../../../src/bot/card.ts';

describe('web chat: Markdown', () => {
  for (const [what, text, html] of [
    ['emphasis', '**a** _b_ `c`', '<p><strong>a</strong> <em>b</em> <code>c</code></p>'],
    ['line breaks', 'a\nb', '<p>a<br>\nb</p>'],
    ['raw HTML', '<b onclick=x>a</b>', '<p>&lt;b onclick=x&gt;a&lt;/b&gt;</p>'],
    ['a dangerous link', '[a](javascript:alert(1))', '<p>[a](javascript:alert(1))</p>'],
    ['a data link', '[a](data:text/html,x)', '<p>[a](data:text/html,x)</p>'],
    [
      'a web address',
      'https://a.example/b',
      '<p><a href="https://a.example/b" rel="noopener noreferrer" target="_blank">https://a.example/b</a></p>',
    ],
    ['a bare host', 'a.example', '<p>a.example</p>'],
    ['one of our links', '[m](/#/room/ops/1)', '<p><a href="/#/room/ops/1" rel="noopener noreferrer">m</a></p>'],
    ['an attribute in a link', '[a](https://x.example/"onclick=alert)', undefined],
    ['a picture', '![a](https://x.example/p.png)', undefined],
  ] as const) {
    it(`takes ${what}`, () => {
      const made = renderMarkdown(text);
      if (html !== undefined) expect(made).to.equal(html);
      expect(made).not.to.match(/<img|<script|<[^>]*\s(?:on\w+|style)=/i);
    });
  }

  it('shows a mention as a bold name', () => {
    const made = renderMarkdown(`ask ${mention({ id: 'slack:U012AB3CD', name: 'al_ice' })} [b](https://b.example)`);
    expect(made).to.equal(
      '<p>ask <strong class="mention">@al_ice</strong> <a href="https://b.example" rel="noopener noreferrer" target="_blank">b</a></p>',
    );
    expect(renderMarkdown('[**x**](person:a) <person:%> [y](PERSON:b)')).to.not.contain('href');
  });

  it('aligns table cells by class, because the policy of the page forbids style attributes', () => {
    const made = renderMarkdown('|a|\n|-:|\n|1|');
    expect(made).to.contain('class="align-right"').and.not.contain('style=');
  });

  it('shows text that went through plain() as it was', () => {
    const text = '**a** [b](c) ![d](e) <f> `g` # h @everyone https://x.example';
    const made = renderMarkdown(plain(text));
    expect(made).not.to.match(/<(?!\/?p>)/);
  });
});
