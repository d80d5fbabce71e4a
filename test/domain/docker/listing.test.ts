import { expect } from 'chai';
import { dockerLogCard, size, usageCard } from '../../../src/domain/docker/listing.ts';

describe('docker listing', () => {
  it('gives sizes as people read them', () => {
    expect([0, 512, 1536, 200 * 1024, 5 * 1024 ** 3, 3 * 1024 ** 5].map(size)).to.deep.equal([
      '0 B',
      '512 B',
      '1.5 KiB',
      '200 KiB',
      '5.0 GiB',
      '3072 TiB',
    ]);
  });

  it('shows the end of a long log', () => {
    const lines = Array.from({ length: 500 }, (_, index) => `${index} ${'x'.repeat(100)}`);
    const text = dockerLogCard('web', lines).text ?? '';
    expect(text.length).to.be.below(13_000);
    expect(text)
      .to.match(/^The last lines; \d+ before them did not fit\./)
      .and.include('499 x');
    expect(dockerLogCard('web', []).text).to.equal('It said nothing.');
  });

  it('says what it does not know', () => {
    expect(usageCard({ name: 'web', memory: 1024, received: 0, sent: 0 }).fields).to.deep.equal([
      { name: 'Processor', value: 'not known' },
      { name: 'Memory', value: '1.0 KiB' },
      { name: 'Network', value: '0 B in, 0 B out' },
    ]);
  });
});
