import { expect } from 'chai';
import fc from 'fast-check';
import createMarkdown from 'markdown-it';
import { renderMarkdown } from '../../src/adapters/chat/web/markdown.ts';
import { codeBlock, codeSpan, plain } from '../../src/bot/card.ts';

/** Renderers that differ: what the web chat does, CommonMark, and one that takes HTML and makes links of addresses. */
const renderers: Record<string, (text: string) => string> = {
  'the web chat': renderMarkdown,
  CommonMark: (text) => createMarkdown('commonmark', { html: true }).render(text).trim(),
  'a renderer that allows everything': (text) => {
    const md = createMarkdown({ html: true, linkify: true, breaks: true });
    md.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
    return md.render(text).trim();
  },
};

const ENTITIES: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&amp;': '&' };

/** What a reader sees. */
function seen(html: string): string {
  return words(html.replace(/<[^>]*>/g, ' ').replace(/&(?:lt|gt|quot|amp);/g, (name) => ENTITIES[name] ?? ''));
}

function words(text: string): string {
  return text.replaceAll('\u2060', '').replace(/\s+/g, ' ').trim();
}

const SIGNS = [...'ab01 \n\t\r\\`*_{}[]()#+!|~<>&:;-=@./?"\'^$%,\u00a0', '    ', '\n\n', '```', '1. ', '---', '==='];
const nasty = fc.array(fc.constantFrom(...SIGNS), { maxLength: 24 }).map((parts) => parts.join(''));

describe('text from outside as Markdown', () => {
  for (const [name, render] of Object.entries(renderers)) {
    it(`plain() shows just that text, in ${name}`, () => {
      fc.assert(
        fc.property(nasty, (text) => {
          const html = render(plain(text));
          expect(html).to.not.match(/<(?!\/?p>|br ?\/?>)/);
          expect(seen(html)).to.equal(words(text));
        }),
        { numRuns: 3000 },
      );
    });

    for (const text of [
      'title\n===',
      'title\r---',
      'a\n\n    code *b*',
      '\tcode',
      '- a\n1. b\n2) c\n> d\n# e',
      '[a](javascript:alert(1)) ![b](https://x.example/p.png) [c]: https://x.example',
      'https://x.example www.x.example a@x.example <https://x.example>',
      '&lt;b&gt; &#x3c;b&#x3e; <b>',
      'a|b\n-|-\nc|d',
      '~~a~~ **b** __c__ `d`',
      '```\na\n```',
    ]) {
      it(`plain() keeps ${JSON.stringify(text)} as it is, in ${name}`, () => {
        const html = render(plain(text));
        expect(html).to.not.match(/<(?!\/?p>|br ?\/?>)/);
        expect(seen(html)).to.equal(words(text));
      });
    }

    it(`a code block holds its text, whatever it is, in ${name}`, () => {
      fc.assert(
        fc.property(nasty, (text) => {
          const html = render(`before\n\n${codeBlock(text)}\n\nafter`);
          expect(html).to.match(/^<p>before<\/p>\n<pre><code>[^<]*<\/code><\/pre>\n<p>after<\/p>$/);
        }),
        { numRuns: 1000 },
      );
    });

    it(`code within a line stays one piece of code, in ${name}`, () => {
      fc.assert(
        fc.property(nasty, (text) => {
          expect(render(`before ${codeSpan(text)} after`)).to.match(/^<p>before <code>[^<]*<\/code> after<\/p>$/);
        }),
        { numRuns: 1000 },
      );
    });
  }

  it('mentions nobody', () => {
    for (const text of ['@channel', '@everyone', '@here', '<!here>', '<@U012AB3CD>', 'hi@everyone']) {
      expect(plain(text)).to.not.match(/@(?:channel|everyone|here|U)|(?<!\\)<[!@]/);
    }
  });

  it('is quick with long text', () => {
    for (const sign of ['\r', '\n', ' ', '1', '\t', '`', '\\']) {
      const began = performance.now();
      plain(sign.repeat(100_000));
      codeBlock(sign.repeat(100_000));
      expect(performance.now() - began, JSON.stringify(sign)).to.be.lessThan(500);
    }
  });
});
