import { expect } from 'chai';
import fc from 'fast-check';
import { chunk, PASSAGE_LIMIT, slugs, splitFrontMatter } from '../../../src/domain/ask/chunk.ts';

const none = { alerts: [], services: [], owners: [] };

describe('chunk', () => {
  it('cuts at second-level headings, with heading path, fragment and lines', () => {
    const text = [
      '---',
      'title: Disk',
      '---',
      '# Disk full',
      '',
      'Intro.',
      '',
      '## First steps',
      '',
      'Look.',
      '',
      '### Deeper',
      'More.',
      '## Fix `it`',
      'Do.',
    ];
    const passages = chunk('runbooks/disk.md', text.join('\n'), { ...none, title: 'Disk' });
    expect(
      passages.map(({ heading, anchor, line, endLine, text: body }) => ({ heading, anchor, line, endLine, body })),
    ).to.deep.equal([
      { heading: [], anchor: '', line: 6, endLine: 6, body: 'Intro.' },
      { heading: ['First steps'], anchor: 'first-steps', line: 8, endLine: 13, body: 'Look.\n\n### Deeper\nMore.' },
      { heading: ['Fix it'], anchor: 'fix-it', line: 14, endLine: 15, body: 'Do.' },
    ]);
    expect(passages[0]?.title).to.equal('Disk');
  });

  it('takes the first heading, else the file name, as title', () => {
    expect(chunk('a/b.md', '# Top\ntext', none)[0]?.title).to.equal('Top');
    expect(chunk('a/some-name.md', 'text', none)[0]?.title).to.equal('some-name');
  });

  it('leaves headings in code alone', () => {
    const passages = chunk('a.md', '## One\n```sh\n## not a heading\n```\n## Two\nx', none);
    expect(passages.map(({ heading }) => heading)).to.deep.equal([['One'], ['Two']]);
  });

  it('gives repeated headings their own fragment', () => {
    const of = slugs();
    expect([of('Fix it!'), of('Fix it'), of('Über uns')]).to.deep.equal(['fix-it', 'fix-it-1', 'über-uns']);
  });

  it('cuts long sections at blank lines', () => {
    const paragraph = 'word '.repeat(100).trim();
    const passages = chunk('a.md', `## Long\n${Array(20).fill(paragraph).join('\n\n')}`, none);
    expect(passages.length).to.be.greaterThan(3);
    for (const { text } of passages) expect(text.length).to.be.at.most(PASSAGE_LIMIT + paragraph.length);
    expect(passages.every(({ anchor }) => anchor === 'long')).to.equal(true);
  });

  const matters: [string, string, string, number][] = [
    ['front matter', '---\ntitle: x\n---\nbody', 'title: x', 4],
    ['Windows line ends', '---\r\ntitle: x\r\n---\r\nbody', 'title: x', 4],
    ['empty front matter', '---\n---\nbody', '', 3],
    ['none', 'body\n---\n', '', 1],
    ['one that is never closed', '---\ntitle: x', '', 1],
  ];
  for (const [name, text, yaml, line] of matters) {
    it(`splits ${name}`, () => {
      const split = splitFrontMatter(text);
      expect([split.yaml.trim(), split.bodyLine]).to.deep.equal([yaml, line]);
      if (line > 1) expect(split.body).to.equal('body');
    });
  }

  it('loses no word of any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('# A', '## B', '### C', '', 'word', '```', '- item', '---'), { maxLength: 30 }),
        (lines) => {
          const passages = chunk('a.md', `x\n${lines.join('\n')}`, none);
          const words = (text: string): number => text.match(/word|item/g)?.length ?? 0;
          expect(passages.reduce((sum, { text }) => sum + words(text), 0)).to.equal(words(lines.join('\n')));
          for (const { line, endLine } of passages) expect(line).to.be.at.most(endLine);
        },
      ),
    );
  });
});
