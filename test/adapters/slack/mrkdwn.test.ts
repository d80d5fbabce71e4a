import { expect } from 'chai';
import fc from 'fast-check';
import { escapeMrkdwn } from '../../../src/adapters/chat/slack/escape.ts';
import { fromMrkdwn } from '../../../src/adapters/chat/slack/from-mrkdwn.ts';
import { toMrkdwn } from '../../../src/adapters/chat/slack/mrkdwn.ts';
import { codeBlock, codeSpan, mention, plain } from '../../../src/bot/card.ts';
import { mrkdwnHtml } from '../../support/slack/render-mrkdwn.ts';
import { Workspace } from '../../support/slack/workspace.ts';

const Z = '\u200b';
const J = '\u2060';
const N = '\u00a0';

/** https://docs.slack.dev/messaging/formatting-message-text: a mention, a link to a channel or a date begins so. */
const REFERENCE = /<[@#!]/;

const SIGNS = [
  ...'ab01 \n\t*_~`<>&|@#!()[]{}\\-+=.:"\'^$%,',
  '**',
  '***',
  '~~',
  '```',
  '\n\n',
  '    ',
  '> ',
  '- ',
  '1. ',
  '- [x] ',
  '|-|-|',
  '# ',
  '<!here>',
  '<@U012AB3CD>',
  '<#C1|ops>',
  '<!subteam^S1>',
  '@channel',
  '@everyone',
  '](https://x.example)',
  '](<!here>)',
  'https://x.example/a?b=1&c=2',
  '&lt;!here&gt;',
  '\u200b',
  '日本',
  '👩‍🚒',
  '\ud83d',
];
const nasty = fc.array(fc.constantFrom(...SIGNS), { maxLength: 40 }).map((parts) => parts.join(''));

describe('Markdown as mrkdwn', () => {
  for (const [what, markdown, mrkdwn] of [
    ['bold', '**b** __c__', '*b* *c*'],
    ['italic', '*i* _j_', '_i_ _j_'],
    ['struck', '~~s~~', '~s~'],
    ['bold and italic', '***x***', '_*x*_'],
    ['bold in italic', '*a **b** c*', '_a *b* c_'],
    ['italic in bold', '**a *b* c**', '*a _b_ c*'],
    ['bold in bold', '**a __b__ c**', '*a b c*'],
    ['emphasis in a word', 'in**wo**rd', `in${Z}*wo*${Z}rd`],
    ['emphasis side by side', '**a***b*', `*a*${Z}_b_`],
    ['emphasis beside punctuation', '(**a**), "*b*".', '(*a*), "_b_".'],
    ['emphasis over two lines', '**a\nb**', '*a*\n*b*'],
    ['code', '`a < b`', '`a &lt; b`'],
    ['code with backticks', '`` a`b ``', '`a\u02cbb`'],
    ['code in a word', 'a`b`c', `a${Z}\`b\`${Z}c`],
    ['code in bold', '**`a`**', '*`a`*'],
    ['a code block', '```js\nlet a = 1 < 2;\n```', '```\nlet a = 1 &lt; 2;\n```'],
    ['a code block with a fence', codeBlock('a\n```\nb'), `\`\`\`\na\n\`${Z}\`${Z}\`\nb\n\`\`\``],
    ['an indented block', 'a\n\n    b', 'a\n\n```\nb\n```'],
    ['a link', '[a](https://x.example)', '<https://x.example|a>'],
    ['a link with a query', '[a](https://x.example/?a=1&b=2)', '<https://x.example/?a=1&amp;b=2|a>'],
    ['a link with a bar', '[a|b>](https://x.example/a|b)', '<https://x.example/a%7Cb|a\u2223b&gt;>'],
    ['a bold link', '[**a**](https://x.example)', '*<https://x.example|a>*'],
    ['a link in bold', '**[a](https://x.example)**', '*<https://x.example|a>*'],
    ['a link partly bold', '[a **b**](https://x.example)', '<https://x.example|a b>'],
    ['an address', 'https://x.example/a_b_', '<https://x.example/a_b_>'],
    ['an address in brackets', '<https://x.example>', '<https://x.example>'],
    ['a mail address', '<a@x.example>', '<mailto:a@x.example|a@x.example>'],
    ['another kind of link', '[a](ftp://x.example)', 'a (ftp://x.example)'],
    ['a link within the chat', '[a](/#/room/1)', 'a'],
    ['a dangerous link', '[a](javascript:alert(1))', '[a](javascript:alert(1))'],
    ['a link without text', '[](https://x.example)', '<https://x.example>'],
    ['a picture', '![a](https://x.example/a.png)', '<https://x.example/a.png|a>'],
    ['a heading', '## a **b**\nc', '*a b*\n\nc'],
    ['a list', '- a\n- b\n  c', `• a\n• b\n${N}${N}c`],
    ['a numbered list', '3. a\n4. b', '3. a\n4. b'],
    ['nested lists', '- a\n  - b\n    1. c\n- d', `• a\n${N.repeat(4)}◦ b\n${N.repeat(8)}1. c\n• d`],
    ['a list with paragraphs', '- a\n\n  b', `• a\n${N}${N}b`],
    ['tasks', '- [x] a\n- [ ] b\n- \\[x\\] c', '☑ a\n☐ b\n• [x] c'],
    ['a quote', '> a\n> b\n\nc', '> a\n> b\n\nc'],
    ['a quote with paragraphs', '> a\n>\n> b', '> a\n>\n> b'],
    ['code in a quote', '> ```\n> a\n> ```', '> `a`'],
    ['a line', 'a\n\n---\n\nb', 'a\n\n──────────\n\nb'],
    ['a table', '|a|b|\n|-|-:|\n|c **d**|1|', '```\na    b\n───  ─\nc d  1\n```'],
    ['a hard break', 'a  \nb\\\nc', 'a\nb\nc'],
    ['raw HTML', '<b>a</b>', '&lt;b&gt;a&lt;/b&gt;'],
    ['the signs that are escaped', 'a & b < c > d', 'a &amp; b &lt; c &gt; d'],
    ['an escape that is text', '\\&lt;', '&amp;lt;'],
    [
      'marks that cannot act',
      plain('a_b_c 2 * 3 * 4 *.example.com ~/x 5*6*7'),
      'a_b_c 2 * 3 * 4 *.example.com ~/x 5*6*7',
    ],
    [
      'marks that could act',
      '\\*a\\* \\_b\\_ \\~c\\~ \\`d\\`',
      '\u2217a\u2217 \u02cdb\u02cd \u223cc\u223c \u02cbd\u02cb',
    ],
    ['a mark beside ours', '**a** \\*b', '*a* \u2217b'],
    ['a quote that is text', '\\> a', `${J}&gt; a`],
    ['an emoji', ':tada: done', ':tada: done'],
  ] as const) {
    it(`takes ${what}`, () => {
      expect(toMrkdwn(markdown)).to.equal(mrkdwn);
    });
  }

  it('shows the rows of a wide table one below the other', () => {
    const indent = '\u00a0'.repeat(4);
    const wide = 'compare the environment with that of the last version that ran without trouble';
    const table = `|What you see|Cause|What to do|\n|-|-|-|\n|exit *code* 1|a < b|${wide}|\n||none||`;
    expect(toMrkdwn(table).split('\n')).to.deep.equal([
      '• *exit code 1*',
      `${indent}Cause: a &lt; b`,
      `${indent}What to do: ${wide}`,
      '• *–*',
      `${indent}Cause: none`,
    ]);
  });

  it('aligns tables by what is seen', () => {
    const table = '|name|state|\n|-|-|\n|日本|✅|\n|e\u0301a|⚠️ x|';
    expect(toMrkdwn(table).split('\n')).to.deep.equal([
      '```',
      'name  state',
      '────  ─────',
      '日本  ✅',
      'e\u0301a    ⚠️ x',
      '```',
    ]);
  });

  it('mentions whom mention() means, if they are of this workspace', () => {
    const id = 'slack:U012AB3CD';
    expect(toMrkdwn(`ask ${mention({ id, name: 'alice' })}!`)).to.equal('ask <@U012AB3CD>!');
    expect(toMrkdwn(`**${mention({ id, name: 'alice' })}**`)).to.equal('*<@U012AB3CD>*');
    expect(toMrkdwn(mention({ id: 'web:7', name: 'bob' }))).to.equal('@bob');
    expect(toMrkdwn(mention({ id, name: 'alice' }), 'slack-two')).to.equal('@alice');
    expect(toMrkdwn(mention({ id: 'slack-two:W1', name: 'alice' }), 'slack-two')).to.equal('<@W1>');
    for (const other of ['slack:!here', 'slack:U1|x', 'slack:U1> <!here', 'slack:S1', 'slack:'])
      expect(toMrkdwn(mention({ id: other, name: 'channel' }))).to.equal(`@${J}channel`);
  });

  it('tells nobody because of what a text says', () => {
    for (const text of [
      '@channel',
      '@here',
      '@everyone',
      '<!here>',
      '<!channel|x>',
      '<@U1>',
      '<#C1>',
      '<!subteam^S1>',
    ]) {
      for (const markdown of [
        text,
        plain(text),
        codeSpan(text),
        codeBlock(text),
        `[${text}](https://x.example)`,
        `# ${text}`,
      ])
        expect(toMrkdwn(markdown), markdown).to.not.match(REFERENCE);
      expect(toMrkdwn(plain(text)).replaceAll(J, '').replaceAll('&lt;', '<').replaceAll('&gt;', '>')).to.equal(text);
      expect(toMrkdwn(text)).to.not.match(/@(?:channel|here|everyone)\b/);
    }
  });

  it('never makes a mention or a broken reference, whatever the text is', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        for (const markdown of [text, plain(text), codeSpan(text), codeBlock(text), `**${plain(text)}**`]) {
          const made = toMrkdwn(markdown);
          expect(made).to.not.match(REFERENCE);
          expect(made.replace(/<(?:https?:\/\/|mailto:)[^<>|\s]+(?:\|[^<>|\n]+)?>/g, '')).to.not.match(
            /<|(?<!^|\n)>(?! )/,
          );
          expect(made).to.not.match(/&(?!amp;|lt;|gt;)/);
        }
        expect(escapeMrkdwn(text)).to.not.match(/[<>]/);
      }),
      { numRuns: 3000 },
    );
  });

  it('shows just the text that came from outside, as our renderer of mrkdwn draws it', () => {
    const workspace = new Workspace({});
    fc.assert(
      fc.property(nasty, (text) => {
        const html = mrkdwnHtml(workspace, toMrkdwn(plain(text.replaceAll(':', ''))));
        expect(html).to.not.match(/<(?!br>)/);
      }),
      { numRuns: 2000 },
    );
    const drawn = (markdown: string) => mrkdwnHtml(workspace, toMrkdwn(markdown)).replaceAll(Z, '');
    expect(drawn('**a** *b* ~~c~~ `d` in**wo**rd')).to.equal('<b>a</b> <i>b</i> <s>c</s> <code>d</code> in<b>wo</b>rd');
    expect(drawn('***x***')).to.equal('<i><b>x</b></i>');
    expect(drawn('> a\n> **b**')).to.equal('<blockquote>a<br><b>b</b></blockquote>');
    expect(drawn('```\na *b*\n```')).to.equal('<pre>a *b*</pre>');
    expect(drawn('**[a](https://x.example)**')).to.equal('<b><a href="https://x.example">a</a></b>');
  });

  it('makes links only of links, and keeps every word', () => {
    const letters = fc.array(fc.constantFrom(...'ab*_~`<>&.:/@ \n', 'https://', 'www.', '.example'), { maxLength: 30 });
    fc.assert(
      fc.property(
        letters.map((parts) => parts.join('')),
        (text) => {
          const made = toMrkdwn(plain(text));
          expect(made).to.not.contain('<');
          expect(made).to.not.contain('`');
          const read = made
            .replace(/&(?:amp|lt|gt);/g, (name) => ({ '&amp;': '&', '&lt;': '<', '&gt;': '>' })[name] ?? '')
            .replace(
              /[\u2217\u02cd\u223c\u02cb]/g,
              (sign) => ({ '\u2217': '*', '\u02cd': '_', '\u223c': '~', '\u02cb': '`' })[sign] ?? '',
            );
          expect(words(read)).to.equal(words(text));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('has no emphasis that the Markdown has not', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        for (const line of toMrkdwn(plain(text)).split('\n'))
          for (const mark of ['[*]', '_', '~'])
            expect(line).to.not.match(
              new RegExp(`(?:^|[^A-Za-z0-9])${mark}(?=\\S)(?:[^\\n]*\\S)?${mark}(?![A-Za-z0-9])`, 'u'),
            );
      }),
      { numRuns: 2000 },
    );
  });

  it('is quick with long text', () => {
    for (const sign of ['*a ', '_', '`', '<', '[', '> ', '- a\n', '|a', '&', '**a** ', '[a](b) ']) {
      const began = performance.now();
      toMrkdwn(sign.repeat(8_000 / sign.length));
      expect(performance.now() - began, JSON.stringify(sign)).to.be.lessThan(1_000);
    }
  });
});

describe('mrkdwn as text', () => {
  const names = {
    person: (id: string) => (id === 'U1' ? 'alice' : undefined),
    channel: (id: string) => (id === 'C1' ? 'ops' : undefined),
  };
  for (const [typed, read] of [
    ['ask <@U1>', 'ask @alice'],
    ['ask <@U2>', 'ask @U2'],
    ['ask <@U2|bob>', 'ask @bob'],
    ['in <#C1>', 'in #ops'],
    ['in <#C2|db>', 'in #db'],
    ['in <#C2|>', 'in #C2'],
    ['<!here> <!channel|channel> <!everyone>', '@here channel @everyone'],
    ['<!subteam^S2|@ops> <!subteam^S2|ops> <!subteam^S3>', '@ops @ops @S3'],
    ['on <!date^1392734382^{date} at {time}|Tuesday>', 'on Tuesday'],
    ['<https://x.example/a?b=1&amp;c=2>', 'https://x.example/a?b=1&c=2'],
    ['<http://x.example|x.example>', 'x.example'],
    ['<https://x.example|the page>', 'the page (https://x.example)'],
    ['<mailto:a@x.example|a@x.example>', 'a@x.example'],
    ['1 &lt; 2 &amp;&amp; 3 &gt; 2', '1 < 2 && 3 > 2'],
    ['&amp;lt;', '&lt;'],
    ['&lt;@U1&gt;', '<@U1>'],
    ['a < b > c', 'a < b > c'],
    ['deploy <service>', 'deploy <service>'],
  ] as const) {
    it(`reads ${typed}`, () => {
      expect(fromMrkdwn(typed, names)).to.equal(read);
    });
  }

  it('gives back what was escaped', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const there = escapeMrkdwn(text);
        expect(words(fromMrkdwn(there))).to.have.length(words(text).length);
      }),
    );
  });
});

function words(text: string): string {
  return text
    .replace(/[\u2060\u200b]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

describe('Moments in Slack', () => {
  const shown = '<!date^1795177320^{date_short_pretty} {time}|2026-11-20 12:22 UTC>';
  it('are shown by the clock of who reads them', () => {
    expect(toMrkdwn('2026-11-20 12:22 UTC')).to.equal(shown);
    expect(toMrkdwn('**since** 2026-11-20 12:22 UTC (3 s ago)')).to.equal(`*since* ${shown} (3 s ago)`);
  });
  it('stay as they are in code, in links, and where they are none', () => {
    for (const text of ['`2026-11-20 12:22 UTC`', '2026-99-20 12:22 UTC', 'x2026-11-20 12:22 UTC', '2026-11-20 12:22'])
      expect(toMrkdwn(text)).to.equal(text);
    expect(toMrkdwn('[2026-11-20 12:22 UTC](https://x.example)')).to.equal('<https://x.example|2026-11-20 12:22 UTC>');
  });
});
