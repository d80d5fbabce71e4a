/** The limits are those of https://docs.slack.dev/reference/block-kit and https://docs.slack.dev/reference/methods/chat.postMessage. */

import type { KnownBlock } from '@slack/types';
import { expect } from 'chai';
import fc from 'fast-check';
import { actionsOf } from '../../../src/adapters/chat/slack/actions.ts';
import { type SlackMessage, toHome, toMessage, toSections } from '../../../src/adapters/chat/slack/blocks.ts';
import { beginning, splitMrkdwn } from '../../../src/adapters/chat/slack/split.ts';
import { type Action, type Card, type Content, card, mention, plain } from '../../../src/bot/card.ts';
import { checkBlocks } from '../../support/slack/check-blocks.ts';

const REFERENCE = /<[@#!]/;

function numbered(count: number, command = (n: number) => `alerts ack ${n}`): Action[] {
  return Array.from({ length: count }, (_, index) => ({ label: `Number ${index + 1}`, command: command(index + 1) }));
}

/** A message that Slack takes. */
function rendered(content: Content): SlackMessage {
  const message = toMessage(content, { address: '@shipmate ' });
  expect(checkBlocks(message.blocks), JSON.stringify(message.blocks).slice(0, 2_000)).to.deep.equal([]);
  expect(message.text.length).to.be.within(1, 4_000);
  expect(message.text.length + charactersOf(message.blocks)).to.be.at.most(40_000);
  const ids = [...JSON.stringify(message.blocks).matchAll(/"action_id":"([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).to.equal(ids.length);
  expect(JSON.stringify(message.blocks).match(/"style":"primary"/g) ?? []).to.have.length.at.most(1);
  return message;
}

function charactersOf(blocks: readonly KnownBlock[]): number {
  return textsOf(blocks).reduce((sum, text) => sum + text.length, 0);
}

function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner === 'string') return key === 'text' || key === 'value' ? [inner] : [];
    return textsOf(inner);
  });
}

function kinds(blocks: readonly KnownBlock[]): string[] {
  return blocks.flatMap((block) =>
    block.type === 'actions' ? block.elements.map((element) => element.type) : [block.type],
  );
}

function sectionTexts(blocks: readonly KnownBlock[]): string[] {
  return blocks.flatMap((block) => (block.type === 'section' && block.text ? [block.text.text] : []));
}

describe('a card as Block Kit', () => {
  it('shows everything that it says', () => {
    const { blocks, text, files } = rendered(
      card({
        title: 'Deploy failed',
        tone: 'bad',
        text: '**api** did not [start](https://x.example)',
        fields: [
          { name: 'Version', value: '`v2`' },
          { name: 'By', value: mention({ id: 'slack:U012AB3CD', name: 'alice' }) },
          { name: 'Log', value: 'a\n\nb', short: false },
        ],
        actions: [
          { label: 'Roll back', command: 'rollback api', style: 'danger' },
          { label: 'Log', command: 'deploys log 7', style: 'primary' },
        ],
        choices: [{ label: 'Version…', options: numbered(2, (n) => `deploy api v${n}`) }],
        image: { url: 'https://x.example/a.png', alt: 'Errors a minute' },
        footer: 'deploy 7 & more',
      }),
    );
    const mrkdwn = (of: string) => ({ type: 'mrkdwn', text: of, verbatim: true });
    const plainText = (of: string) => ({ type: 'plain_text', text: of, emoji: true });
    expect(blocks).to.deep.equal([
      { type: 'header', text: plainText('❌ Deploy failed') },
      { type: 'section', text: mrkdwn('*api* did not <https://x.example|start>'), expand: true },
      { type: 'section', fields: [mrkdwn('*Version*\n`v2`'), mrkdwn('*By*\n<@U012AB3CD>')] },
      { type: 'section', text: mrkdwn('*Log*\na\n\nb'), expand: true },
      { type: 'context', elements: [mrkdwn('<https://x.example/a.png|Errors a minute>')] },
      {
        type: 'actions',
        elements: [
          { type: 'button', text: plainText('Roll back'), action_id: 'run:0', value: 'rollback api', style: 'danger' },
          { type: 'button', text: plainText('Log'), action_id: 'run:1', value: 'deploys log 7', style: 'primary' },
        ],
      },
      {
        type: 'actions',
        elements: [
          {
            type: 'static_select',
            action_id: 'run:2',
            placeholder: plainText('Version…'),
            options: [1, 2].map((n) => ({ text: plainText(`Number ${n}`), value: `deploy api v${n}` })),
          },
        ],
      },
      { type: 'context', elements: [mrkdwn('deploy 7 &amp; more')] },
    ]);
    expect(text).to.equal(
      '❌ Deploy failed\napi did not start (https://x.example)\nVersion: v2\nBy: @alice\nLog: a\n\nb\nErrors a minute',
    );
    expect(files).to.equal(undefined);
  });

  it('says who speaks', () => {
    const author = (icon?: string) =>
      rendered(card({ title: 'a', speaker: { name: 'Security', ...(icon && { icon }) } })).author;
    expect(author(':shield:')).to.deep.equal({ username: 'Security', icon_emoji: ':shield:' });
    expect(author('https://x.example/a.png')).to.deep.equal({
      username: 'Security',
      icon_url: 'https://x.example/a.png',
    });
    for (const icon of [undefined, 'shield', 'http://x.example/a.png', 'javascript:a', ':a b:'])
      expect(author(icon)).to.deep.equal({ username: 'Security' });
    expect(rendered(card({ title: 'a', speaker: { name: 'x'.repeat(81) } })).author?.username).to.have.length(80);
    expect(rendered(card({ title: 'a' }))).to.not.have.property('author');
  });

  it('links pictures from elsewhere and hands over our own', () => {
    const alt = 'a *chart*';
    const own = rendered(card({ title: 'a', image: { url: '/pictures/1.png', alt } }));
    expect(own.picture).to.deep.equal({ url: '/pictures/1.png', alt });
    expect(rendered(card({ title: 'a', image: { url: 'data:image/png;base64,AA==', alt } })).picture).to.not.equal(
      undefined,
    );
    for (const url of ['https://x.example/a.png', '//x.example/a.png', '/\\x.example', 'javascript:a'])
      expect(rendered(card({ title: 'a', image: { url, alt } })), url).to.not.have.property('picture');
    expect(JSON.stringify(own.blocks)).to.contain('a \u2217chart\u2217');
  });

  for (const [what, tone, mark] of [
    ['a title', 'neutral', 0],
    ['a title with a mark', 'good', 2],
  ] as const) {
    it(`holds ${what} of 150 characters in the header, and all of a longer one below`, () => {
      const fits = rendered(card({ title: 'x'.repeat(150 - mark), tone }));
      expect(fits.blocks).to.have.length(1);
      const longer = rendered(card({ title: 'x'.repeat(151 - mark), tone }));
      expect(longer.blocks).to.have.length(2);
      expect(sectionTexts(longer.blocks)).to.deep.equal([`*${'x'.repeat(151 - mark)}*`]);
    });
  }

  it('puts ten fields into a section, and 2,000 characters into a field', () => {
    const fields = (count: number) => Array.from({ length: count }, (_, n) => ({ name: `f${n}`, value: 'v' }));
    expect(rendered(card({ title: 'a', fields: fields(10) })).blocks).to.have.length(2);
    expect(rendered(card({ title: 'a', fields: fields(11) })).blocks).to.have.length(3);
    const long = (length: number) =>
      rendered(card({ title: 'a', fields: [{ name: 'f', value: 'v'.repeat(length) }] })).blocks[1];
    expect(long(2_000 - 4)).to.have.property('fields');
    expect(long(2_000 - 3)).to.not.have.property('fields');
    expect(rendered(card({ title: 'a', fields: [{ name: '', value: '' }] })).blocks).to.have.length(1);
  });

  it('shows five buttons, and of more four and a menu', () => {
    const of = (count: number) => kinds(rendered(card({ title: 'a', actions: numbered(count) })).blocks).slice(1);
    const buttons = (count: number) => Array.from({ length: count }, () => 'button');
    expect(of(5)).to.deep.equal(buttons(5));
    expect(of(6)).to.deep.equal([...buttons(4), 'overflow']);
    expect(of(9)).to.deep.equal([...buttons(4), 'overflow']);
    expect(of(10)).to.deep.equal([...buttons(4), 'static_select']);
    expect(of(104)).to.deep.equal([...buttons(4), 'static_select']);
    expect(of(105)).to.deep.equal([...buttons(4), 'static_select', 'static_select']);
  });

  it('keeps what is too long for a menu as a button, and shows what is too long for a button', () => {
    const long = (length: number) => (n: number) => `say ${n} `.padEnd(length, 'x');
    const of = (length: number) => rendered(card({ title: 'a', actions: numbered(8, long(length)) })).blocks;
    expect(kinds(of(150)).slice(1)).to.deep.equal(['button', 'button', 'button', 'button', 'overflow']);
    expect(kinds(of(151)).slice(1)).to.deep.equal(Array.from({ length: 8 }, () => 'button'));
    const one = (length: number) => rendered(card({ title: 'a', actions: numbered(1, long(length)) })).blocks;
    expect(kinds(one(2_000)).slice(1)).to.deep.equal(['button']);
    expect(actionsOf(one(2_000))[0]?.command).to.have.length(2_000);
    expect(kinds(one(2_001)).slice(1)).to.deep.equal(['section']);
    expect(sectionTexts(one(2_001))[0]).to.contain('@shipmate say 1 xx');
    const choice = (length: number) =>
      kinds(rendered(card({ title: 'a', choices: [{ label: 'c', options: numbered(2, long(length)) }] })).blocks).slice(
        1,
      );
    expect(choice(150)).to.deep.equal(['static_select']);
    expect(choice(151)).to.deep.equal(['button', 'button']);
    expect(choice(2_001)).to.deep.equal(['section', 'section']);
  });

  it('cuts labels, and offers a hundred options at once', () => {
    const blocks = rendered(
      card({
        title: 'a',
        actions: [{ label: 'x'.repeat(76), command: 'a' }],
        choices: [{ label: 'y'.repeat(151), options: numbered(101) }],
      }),
    ).blocks;
    const texts = textsOf(blocks);
    expect(texts).to.include(`${'x'.repeat(74)}…`);
    expect(texts.filter((text) => text.startsWith('yyy')).map((text) => text.slice(-9))).to.deep.equal([
      '… (1–100)',
      '(101–101)',
    ]);
    expect(actionsOf(blocks)).to.have.length(102);
  });

  it('gives back its commands', () => {
    const actions = numbered(12);
    const choices = [{ label: 'c', options: numbered(3, (n) => `show ${n}`) }];
    const styled = [{ label: 'Go', command: 'go', style: 'danger' } as const, ...actions];
    expect(actionsOf(rendered(card({ title: 'a', actions: styled, choices })).blocks)).to.deep.equal([
      ...styled,
      ...numbered(3, (n) => `show ${n}`),
    ]);
    for (const other of [
      undefined,
      'a',
      [null, 1, {}, { elements: 1 }, { elements: [null, { action_id: 'x', type: 'button', value: 'a' }] }],
    ])
      expect(actionsOf(other)).to.deep.equal([]);
  });
});

describe('what does not fit', () => {
  it('is cut between paragraphs, each section at most 3,000 characters', () => {
    const paragraph = 'word '.repeat(200).trim();
    const { blocks, files } = rendered(Array.from({ length: 7 }, () => paragraph).join('\n\n'));
    expect(files).to.equal(undefined);
    expect(sectionTexts(blocks)).to.deep.equal([
      [paragraph, paragraph].join('\n\n'),
      [paragraph, paragraph].join('\n\n'),
      [paragraph, paragraph].join('\n\n'),
      paragraph,
    ]);
    expect(rendered('x'.repeat(3_000)).blocks).to.have.length(1);
    expect(rendered('x'.repeat(3_001)).blocks).to.have.length(2);
  });

  it('becomes a file: its beginning is shown, and that there is more', () => {
    const lines = Array.from({ length: 900 }, (_, n) => `line ${n} of many @here`);
    const { blocks, files, text } = rendered(
      card({ title: 'Log of api/1', text: plain(lines.join('\n')), actions: numbered(2), footer: 'end' }),
    );
    expect(kinds(blocks)).to.deep.equal(['header', 'section', 'button', 'button', 'context', 'context']);
    expect(JSON.stringify(blocks)).to.contain('The whole is in the file');
    expect(files?.map(({ name }) => name)).to.deep.equal(['log-of-api-1.txt']);
    for (const line of lines) expect(files?.[0]?.content).to.contain(line);
    expect(text.startsWith('Log of api/1\nline 0 of many')).to.equal(true);
    expect(rendered('a '.repeat(20_000)).files?.[0]?.name).to.equal('message.txt');
    const ephemeral = toMessage('a '.repeat(20_000), { ephemeral: 'beginning only' });
    expect(ephemeral).to.not.have.property('files');
    expect(JSON.stringify(ephemeral.blocks)).to.contain('only the beginning').and.not.contain('file');
    const elsewhere = toMessage('a '.repeat(20_000), { ephemeral: 'whole in direct' });
    expect(elsewhere).to.not.have.property('files');
    expect(JSON.stringify(elsewhere.blocks)).to.contain('direct conversation').and.not.contain('file');
  });

  it('shows no more than 50 blocks', () => {
    const fields = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ name: `f${n}`, value: 'v', short: false }));
    const fits = rendered(card({ title: 'a', fields: fields(49) }));
    expect(fits.blocks).to.have.length(50);
    expect(fits.files).to.equal(undefined);
    const over = rendered(card({ title: 'a', fields: fields(50) }));
    expect(over.blocks.length).to.be.at.most(50);
    expect(over.files?.[0]?.content).to.contain('f49: v');
  });

  it('stays a message of 40,000 characters with selects of any size', () => {
    const big = (n: number) => `say ${n} `.padEnd(150, 'x');
    const choices = [1, 2, 3].map((n) => ({
      label: `c${n}`,
      options: numbered(100, big).map((one) => ({ ...one, label: one.label.padEnd(75, 'y') })),
    }));
    const { blocks, files } = rendered(card({ title: 'a', choices }));
    expect(files).to.have.length(1);
    expect(blocks.length).to.be.greaterThan(1);
  });
});

describe('cutting mrkdwn', () => {
  it('closes a code block and opens it again', () => {
    const code = Array.from({ length: 30 }, (_, n) => `line ${n}`);
    const parts = splitMrkdwn(['before', '', '```', ...code, '```', '', 'after'].join('\n'), 100);
    for (const part of parts) {
      expect(part.length).to.be.at.most(100);
      expect(part.split('```').length % 2, part).to.equal(1);
    }
    expect(
      parts
        .join('\n')
        .split('\n')
        .filter((line) => line.startsWith('line')),
    ).to.deep.equal(code);
    expect(parts.at(-1)).to.match(/after$/);
  });

  it('cuts no link, mention, escape, or character, and keeps code and quotes', () => {
    const link = '<https://x.example/a?b=1&amp;c=2|a long label>';
    const parts = [
      ...splitMrkdwn(`${link} `.repeat(20).trim(), 100),
      ...splitMrkdwn('<@U012AB3CD>'.repeat(30), 50),
      ...splitMrkdwn('&amp;'.repeat(100), 98),
      ...splitMrkdwn('👩'.repeat(100), 99),
    ];
    for (const part of parts) {
      expect(part.replaceAll(link, '').replaceAll('<@U012AB3CD>', '').replaceAll('&amp;', '')).to.match(/^[\s👩]*$/u);
      expect(part.isWellFormed()).to.equal(true);
    }
    expect(splitMrkdwn(`\`${'a '.repeat(80)}\``, 100).every((part) => part.split('`').length === 3)).to.equal(true);
    expect(splitMrkdwn(`> ${'a '.repeat(80)}`, 100).every((part) => part.startsWith('> '))).to.equal(true);
  });

  it('keeps to the limit and loses no word, whatever the text is', () => {
    const sign = fc.constantFrom(
      ...'ab \n`<>&',
      '```',
      '\n```\n',
      '\n\n',
      '&amp;',
      '<@U1>',
      '> ',
      '👩',
      'x'.repeat(40),
    );
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 60 }), fc.integer({ min: 40, max: 90 }), (signs, limit) => {
        const text = signs.join('');
        const parts = splitMrkdwn(text, limit);
        for (const part of parts) expect(part.length).to.be.within(1, limit);
        const letters = (of: string) => of.replace(/[\s`>]/g, '');
        expect(letters(parts.join(''))).to.equal(letters(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('comes to an end where nothing can be cut well', () => {
    for (const text of ['`', '> `', '> ', '``', '> ` '])
      expect(splitMrkdwn(`${text}<${'x'.repeat(80)}>`, 40).every((part) => part.length <= 40)).to.equal(true);
  });

  it('shows the beginning of a text', () => {
    expect(beginning('abc', 3)).to.equal('abc');
    expect(beginning('abcd', 3)).to.have.length.at.most(3).and.to.match(/…$/);
  });
});

describe('several contents in a view', () => {
  it('hold at most 100 blocks, with different ids', () => {
    const contents = Array.from({ length: 60 }, (_, n) => card({ title: `c${n}`, text: 'a', actions: numbered(2) }));
    const blocks = toHome(contents);
    expect(checkBlocks(blocks, 'view')).to.deep.equal([]);
    expect(blocks.length).to.be.within(80, 100);
    expect(JSON.stringify(blocks.at(-1))).to.match(/and \d+ more/);
    const ids = [...JSON.stringify(blocks).matchAll(/"action_id":"([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(toHome([])).to.deep.equal([]);
    expect(kinds(toHome(['a', card({ title: 'b' })]))).to.deep.equal(['section', 'divider', 'header']);
  });

  it('show Markdown in sections', () => {
    expect(toSections('**a**\n\nb', 20)).to.have.length(1);
    expect(checkBlocks(toSections('a '.repeat(40_000), 20), 'view')).to.deep.equal([]);
    expect(toSections('a '.repeat(40_000), 5)).to.have.length(5);
  });
});

describe('whatever a card holds', () => {
  const text = fc
    .array(
      fc.constantFrom(
        ...'ab *_~`<>&@#!|[]()\n\u2060',
        '<!here>',
        '<@U012AB3CD>',
        '@channel',
        '\n\n',
        '```\n',
        '- ',
        '> ',
        '|a|b|\n|-|-|\n|c|d|\n',
        'x'.repeat(700),
        'word '.repeat(900),
        '👩‍🚒',
        '\ud83d',
        '[a](https://x.example)',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''));
  const action = fc.record({
    label: text,
    command: text,
    style: fc.constantFrom('primary' as const, 'danger' as const),
  });
  const cards: fc.Arbitrary<Card> = fc
    .record({
      title: text,
      tone: fc.constantFrom('neutral' as const, 'good' as const, 'bad' as const),
      text,
      fields: fc.array(fc.record({ name: text, value: text, short: fc.boolean() }), { maxLength: 14 }),
      actions: fc.array(action, { maxLength: 14 }),
      choices: fc.array(fc.record({ label: text, options: fc.array(action, { maxLength: 6 }) }), { maxLength: 4 }),
      footer: text,
      image: fc.record({ url: text, alt: text }),
      speaker: fc.record({ name: text, icon: text }),
    })
    .map((init) => card(init));

  it('Slack takes it, nobody is mentioned, and what is cut is in the file', function () {
    // Hundreds of cards up to every limit.
    this.timeout(60_000);
    fc.assert(
      fc.property(cards, (content) => {
        const message = rendered(content);
        expect(
          JSON.stringify([message.blocks, message.text, message.author]).replace(/"value":"(?:\\.|[^"\\])*"/g, ''),
        ).to.not.match(REFERENCE);
        expect(checkBlocks(toHome([content, content, content]), 'view')).to.deep.equal([]);
        rendered(content.text ?? '');
      }),
      { numRuns: 300 },
    );
  });
});
