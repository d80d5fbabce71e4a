import { expect } from 'chai';
import { indexTermsOf, nameKey, splitIdentifier, termsOf } from '../../../src/domain/ask/terms.ts';

describe('terms', () => {
  const identifiers: [string, string[]][] = [
    ['KubePodCrashLooping', ['Kube', 'Pod', 'Crash', 'Looping']],
    ['etcdGRPCRequestsSlow', ['etcd', 'GRPC', 'Requests', 'Slow']],
    ['kube-state_metrics', ['kube', 'state', 'metrics']],
    ['KubeAPIDown', ['Kube', 'API', 'Down']],
    ['plain', ['plain']],
    ['', []],
  ];
  for (const [word, parts] of identifiers) {
    it(`splits ${JSON.stringify(word)}`, () => expect(splitIdentifier(word)).to.deep.equal(parts));
  }

  it('keeps a compound whole beside its parts, stemmed', () => {
    expect(termsOf('KubePodCrashLooping')).to.deep.equal([
      { term: 'kubepodcrashloop', compound: true },
      { term: 'kubernet', compound: false },
      { term: 'pod', compound: false },
      { term: 'crash', compound: false },
      { term: 'loop', compound: false },
    ]);
  });

  it('drops stop words but keeps the small words that names are made of', () => {
    expect(termsOf('what do I do when the node is not ready and down').map(({ term }) => term)).to.deep.equal([
      'node',
      'not',
      'readi',
      'down',
    ]);
  });

  it('takes abbreviations for the word', () => {
    expect(termsOf('db certs').map(({ term }) => term)).to.deep.equal(
      termsOf('database certificates').map(({ term }) => term),
    );
  });

  it('finds a status code in the plural', () => expect(termsOf('502s')).to.deep.equal(termsOf('502')));

  it('joins neighbours of a compound in the index', () => {
    expect(indexTermsOf('ClusterCrashLooping')).to.include('crashloop');
  });

  it('compares names however they are written', () => {
    expect(new Set(['Disk full', 'disk-full', 'DiskFull', 'disk_full'].map(nameKey)).size).to.equal(1);
  });

  it('is empty for text without words', () => expect(termsOf(' ?! — … ')).to.deep.equal([]));
});
