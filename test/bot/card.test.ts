import { expect } from 'chai';
import fc from 'fast-check';
import createMarkdown from 'markdown-it';
import { renderMarkdown } from '../../src/adapters/chat/web/markdown.ts';
import { card, cardText, codeBlock, codeSpan, mention, mentioned, plain } from '../../src/bot/card.ts';

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

describe('a mention', () => {
  const ids = fc.oneof(
    fc.constantFrom('slack:U012AB3CD', 'web:7', "irc:a b(c)[d]'!*_~", ':: ', 'a:b:1'),
    fc.string({ minLength: 1 }),
  );

  it('is a link that says who is meant, whatever the name and the id are', () => {
    fc.assert(
      fc.property(ids, nasty, (id, name) => {
        const wanted = id.toWellFormed();
        const md = createMarkdown('commonmark', { html: true });
        const tokens = md.parseInline(`before ${mention({ id, name })} after`, {})[0]?.children ?? [];
        const links = tokens.filter((token) => token.type === 'link_open');
        expect(links.map((link) => mentioned(String(link.attrGet('href'))))).to.deep.equal([wanted]);
        const shown = tokens.map((token) => (token.type.endsWith('break') ? ' ' : token.content)).join('');
        expect(words(shown)).to.match(/^before @/);
      }),
      { numRuns: 2000 },
    );
  });

  it('is read from no other address', () => {
    for (const url of ['https://x.example', 'person:', 'person', 'mailto:person:slack:U1', 'person:%'])
      expect(mentioned(url), url).to.equal(undefined);
  });

  it('is a name where there is only text', () => {
    const alice = mention({ id: 'slack:U012AB3CD', name: 'alice' });
    expect(alice).to.equal('[@alice](person:slack:U012AB3CD)');
    expect(mention({ id: 'web:7', name: '@alice' })).to.equal('[@alice](person:web:7)');
    expect(cardText(`${alice} and ${alice}`, '')).to.equal('@alice and @alice');
    expect(cardText(`${plain('[@bob](person:slack:U1)')} ${alice}`, '')).to.equal(
      `${plain('[@bob](person:slack:U1)')} @alice`,
    );
    const shown = card({ title: 'Lock', text: `Held by ${alice}`, fields: [{ name: 'Owner', value: alice }] });
    expect(cardText(shown, '')).to.equal('**Lock**\nHeld by @alice\nOwner: @alice');
  });
});

describe('a card as text', () => {
  const options = [1, 2, 3, 4, 5, 6, 7].map((n) => ({ label: `Number ${n}`, command: `alerts ack ${n}` }));

  it('names the first options of a choice as commands to type', () => {
    const shown = card({ title: 'Alerts', choices: [{ label: 'Acknowledge…', options }] });
    expect(cardText(shown, 'shipmate ').split('\n')).to.deep.equal([
      '**Alerts**',
      'Acknowledge…',
      ...[1, 2, 3, 4, 5].map((n) => `Number ${n}: \`shipmate alerts ack ${n}\``),
      'and 2 more',
    ]);
    const five = card({ title: 'Alerts', choices: [{ label: 'Acknowledge…', options: options.slice(0, 5) }] });
    expect(cardText(five, '')).to.not.include('more');
  });

  it('says what a picture shows, and where it is if that is an address', () => {
    const image = (url: string) => cardText(card({ title: 'a', image: { url, alt: 'errors' } }), '');
    expect(image('https://x.example/a.png')).to.equal('**a**\nerrors: https://x.example/a.png');
    expect(image('data:image/png;base64,AAAA')).to.equal('**a**\nerrors');
  });

  it('says who speaks', () => {
    const shown = card({ title: 'A key was pushed', tone: 'bad', speaker: { name: 'Security', icon: ':shield:' } });
    expect(cardText(shown, '')).to.equal('Security: ✗ **A key was pushed**');
  });
});
