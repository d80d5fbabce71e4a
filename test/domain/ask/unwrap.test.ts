import { expect } from 'chai';
import { unwrapped } from '../../../src/domain/ask/unwrap.ts';

const long = 'Is it renewed by itself? With a manager, look at what it says of';

describe('Markdown without the line ends of its file', () => {
  const same: readonly (readonly [string, string])[] = [
    ['short lines', 'Call:\nalice 555\nbob 556'],
    ['paragraphs', `${long}\n\n${long}`],
    ['items', `- ${long}\n- ${long}\n1. ${long}`],
    ['code', `\`\`\`\n${long}\n${long}\n\`\`\``],
    ['tables', `| ${long} |\n|---|\n| ${long} |`],
    ['headings', `## ${long}\n${long}`],
    ['headings that are underlined', `${long}\n===`],
    ['quotations', `${long}\n> ${long}`],
    ['ends that are meant', `${long}  \n${long}`],
  ];
  for (const [what, text] of same) it(`keeps ${what}`, () => expect(unwrapped(text)).to.equal(text));

  it('joins a paragraph', () => expect(unwrapped(`${long}\nthe last failure.`)).to.equal(`${long} the last failure.`));
  it('joins an item, and not the next one', () => {
    expect(unwrapped(`2. ${long}\n   the last failure.\n3. Look.`)).to.equal(`2. ${long} the last failure.\n3. Look.`);
  });
  it('goes on after code', () => {
    expect(unwrapped(`\`\`\`\nx\n\`\`\`\n${long}\nend`)).to.equal(`\`\`\`\nx\n\`\`\`\n${long} end`);
  });
});
