import { expect } from 'chai';
import * as fc from 'fast-check';
import { cardText } from '../../../src/bot/card.ts';
import { logCard } from '../../../src/domain/deploy/listing.ts';
import { createOutput, leftOut } from '../../../src/domain/deploy/output.ts';
import { pagesOf } from '../../../src/domain/deploy/pages.ts';
import type { Deployment } from '../../../src/domain/deploy/ports.ts';

describe('pages of a long text', () => {
  const cases: [text: string, pages: string[]][] = [
    ['', ['']],
    ['a\nb', ['a\nb']],
    ['aaaa\nbbbb\ncccc', ['aaaa\nbbbb\n', 'cccc']],
    ['aaaa\nbbbb\n', ['aaaa\nbbbb\n']],
    ['x'.repeat(25), ['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)]],
  ];
  for (const [text, pages] of cases) {
    it(JSON.stringify(text), () => expect(pagesOf(text, 10)).to.deep.equal(pages));
  }

  it('lose nothing, and none is too long', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 })), fc.integer({ min: 1, max: 40 }), (lines, size) => {
        const pages = pagesOf(lines.join('\n'), size);
        expect(pages.join('')).to.equal(lines.join('\n'));
        for (const page of pages) expect(page.length).to.be.at.most(size + 1);
      }),
    );
  });
});

describe('the log of a deployment', () => {
  const at = new Date('2026-11-20T12:00:00Z');
  const deployment: Deployment = {
    id: 42,
    service: 'web',
    environment: 'production',
    version: 'v2',
    by: { id: 'web:1', name: 'alice' },
    origin: { chat: 'web', room: 'ops' },
    state: 'failed',
    reason: 'the program ended with exit code 1',
    requestedAt: at,
  };
  const lines = (count: number) => Array.from({ length: count }, (_, line) => `line ${line + 1} of the program`);
  const commands = (output: string, page?: number) =>
    (logCard(deployment, output, at, page).actions ?? []).map(({ label, command }) => `${label}: ${command}`);
  const shown = (output: string, page?: number) => cardText(logCard(deployment, output, at, page), '');

  it('is one page if it is short', () => {
    expect(shown('one line')).to.include('one line').and.not.include('Page');
    expect(commands('one line')).to.deep.equal([]);
    expect(logCard(deployment, 'one line', at)).to.not.have.property('file');
    expect(shown('')).to.include('The program said nothing.');
  });

  it('shows the end, where the error stands, and leads to the rest', () => {
    const output = lines(1_200).join('\n');
    expect(pagesOf(output)).to.have.length(4);
    expect(shown(output)).to.include('Page 4 of 4').and.include('line 1200 of').and.not.include('line 1 of');
    expect(commands(output)).to.deep.equal([
      'First page: deploys log 42 page 1',
      'Previous page: deploys log 42 page 3',
    ]);
    expect(shown(output, 1)).to.include('Page 1 of 4').and.include('line 1 of');
    expect(logCard(deployment, output, at).file).to.deep.equal({
      name: 'deployment-42.txt',
      path: '/deploys/42/log.txt',
    });
    expect(commands(output, 1)).to.deep.equal(['Next page: deploys log 42 page 2', 'Last page: deploys log 42 page 4']);
    expect(shown(output, 99)).to.include('Page 4 of 4');
  });

  it('says what was not kept of very much, which takes little memory', () => {
    const output = createOutput();
    const line = 'x'.repeat(99);
    for (let count = 0; count < 500_000; count += 1) output.add(line);
    const text = output.text();
    expect(text.length).to.be.within(1_040_000, 1_050_000);
    expect(leftOut(text)).to.equal(500_000 - text.split('\n').length + 1);
    expect(shown(text)).to.include(`${leftOut(text)} lines between the beginning and the end were not kept.`);
    expect(shown(lines(3).join('\n'))).to.not.include('not kept');
  });
});
