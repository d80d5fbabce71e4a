import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { card } from '../../../src/bot/card.ts';
import { redactContent } from '../../../src/domain/privacy/content.ts';

describe('secrets in what is posted', () => {
  const token = `ghp_${randomBytes(40).toString('hex').slice(0, 36)}`;

  it('go from text, card text and fields, and nothing else changes', () => {
    expect(redactContent(`use ${token}`)).to.equal('use [redacted: GitHub token]');
    const shown = card({
      title: 'Log',
      text: `out: ${token}`,
      fields: [{ name: 'last', value: token, short: false }],
      actions: [{ label: 'Again', command: 'deploys' }],
    });
    const clean = redactContent(shown);
    expect(JSON.stringify(clean)).to.not.contain(token);
    expect(clean).to.deep.include({ title: 'Log', actions: shown.actions, tone: 'neutral' });
    expect(redactContent(card({ title: 'Only a title' }))).to.deep.equal(card({ title: 'Only a title' }));
  });
});
