import { expect } from 'chai';
import { card } from '../../../src/bot/card.ts';
import { redactContent } from '../../../src/domain/privacy/content.ts';

const TOKEN = `ghp_${'q7Zp2mV9xK4tR8wLs1Nf6Yb3Dh5Jc0GuAe4T'}`;

describe('secrets in what is posted', () => {
  it('are replaced wherever they stand', () => {
    const content = card({
      title: `Deploying ${TOKEN}`,
      text: `with ${TOKEN}`,
      fields: [
        { name: 'Version', value: TOKEN },
        { name: 'Password', value: 'q7Zp2mV9xK4' },
      ],
      actions: [{ label: TOKEN, command: `history search ${TOKEN} page:2`, style: 'primary' }],
      image: { url: `https://x.example/?a=${TOKEN}`, alt: TOKEN },
      footer: TOKEN,
      choices: [{ label: TOKEN, options: [{ label: TOKEN, command: `history search ${TOKEN}` }] }],
      speaker: { name: TOKEN, icon: `https://x.example/?a=${TOKEN}` },
    });
    const harmless = JSON.stringify(redactContent(content));
    expect(harmless).to.not.contain(TOKEN).and.not.contain('q7Zp2mV9xK4');
    expect(harmless.match(/\[redacted: GitHub token\]/g)).to.have.length(13);
    expect(redactContent(`say ${TOKEN}`)).to.equal('say [redacted: GitHub token]');
  });

  it('leaves a card without secrets as it is', () => {
    const content = card({ title: 'a', tone: 'good', text: 'b', fields: [{ name: 'c', value: 'd', short: false }] });
    expect(redactContent(content)).to.deep.equal(content);
  });
});
