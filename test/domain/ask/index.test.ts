import { expect } from 'chai';
import { dataIsThere, measure } from '../../../bench/ask-retrieval.ts';
import { answerable, fitOf } from '../../../src/domain/ask/answerable.ts';
import { toSend, toShow } from '../../../src/domain/ask/choose.ts';
import { buildIndex, type KnowledgeFile } from '../../../src/domain/ask/index.ts';
import { needsData } from '../../support/missing.ts';

function file(path: string, text: string, alerts: string[] = [], services: string[] = []): KnowledgeFile {
  return { path, text, meta: { alerts, services, owners: [] } };
}

const files = [
  file(
    'runbooks/pods.md',
    '# Pods\nIntro about pods.\n## What it means\nThe container ends again and again.\n## First steps\nRead the log.\n## Fix it\nDeploy the version before.',
    ['KubePodCrashLooping'],
  ),
  file('runbooks/disk-full.md', '# Disk full\n## Make room\nDelete old journals on the node.'),
  file('runbooks/deploy.md', '# Deploy\n## Roll back\nDeploy the version before, after a failed rollout.'),
  file('runbooks/empty.md', ''),
];
const index = buildIndex(files);
const first = (question: string): string | undefined => index.search(question)[0]?.passage.path;

describe('index', () => {
  const named: [string, string][] = [
    ['what do I do when KubePodCrashLooping fires?', 'runbooks/pods.md'],
    ['kubepodcrashlooping', 'runbooks/pods.md'],
    ['Kube Pod Crash Looping: failed rollout, deploy the version before', 'runbooks/pods.md'],
    ['the node says disk full', 'runbooks/disk-full.md'],
    ['help with disk_full please', 'runbooks/disk-full.md'],
  ];
  for (const [question, path] of named) {
    it(`puts first what is named: ${question}`, () => {
      expect(first(question)).to.equal(path);
      expect(index.search(question)[0]?.named).to.equal(true);
    });
  }

  it('does not take one plain word for a name', () => {
    expect(index.search('deploy')[0]?.named).to.equal(false);
  });

  it('finds by other forms of the words', () =>
    expect(first('how do I roll back failing rollouts')).to.equal('runbooks/deploy.md'));

  it('finds nothing in nothing', () => {
    expect(buildIndex([]).search('anything')).to.deep.equal([]);
    expect(index.search('')).to.deep.equal([]);
    expect(index.search('pancakes')).to.deep.equal([]);
  });

  it('knows a name that no file knows', () => {
    expect(index.search('KubeNodeEviction on the node')[0]?.unknownName).to.equal(true);
  });

  it('says when nothing fits', () => {
    expect(answerable(index.search('where is the coffee machine?')).fit).to.equal('none');
    expect(answerable(index.search('KubePodCrashLooping')).fit).to.equal('sure');
    const [chance] = index.search('version of the coffee machine and the pancakes');
    expect(chance && fitOf(chance)).to.equal('none');
  });

  it('takes one word of running text for chance, not one of a title or heading, nor a code', () => {
    const more = buildIndex([
      ...files,
      file(
        'runbooks/logs.md',
        '# Logs\n## Rotate\nDelete what has been shipped.\n## Errors\nMany answers with 502.\n## Roll back\nA rollback is a deploy.',
      ),
    ]);
    const fit = (question: string): string => answerable(more.search(question)).fit;
    for (const question of ['ship it', 'shipped', 'delete?', 'lunch anyone'])
      expect(fit(question), question).to.equal('none');
    for (const question of ['502s', 'we see 502', 'rollback', 'rotate', 'pods', 'make room']) {
      expect(fit(question), question).to.equal('sure');
    }
  });

  const sections: [string, string[]][] = [
    ['what do I do when KubePodCrashLooping fires?', ['First steps', 'Fix it']],
    ['what does KubePodCrashLooping mean?', ['What it means']],
    ['how do I fix KubePodCrashLooping?', ['Fix it']],
  ];
  for (const [question, headings] of sections) {
    it(`shows the right sections: ${question}`, () => {
      const [found] = index.search(question);
      const shown = found ? toShow(question, found, index.passages(found.passage.path), 1_000) : [];
      expect(shown.map(({ heading }) => heading.at(-1))).to.deep.equal(headings);
    });
  }

  it('sends no more than the budget', () => {
    const found = index.search('deploy the version before on the node');
    const sent = toSend(found, index.passages, { characters: 60, passages: 8 });
    expect(sent.reduce((sum, { text }) => sum + text.length, 0)).to.be.at.most(60);
    expect(toSend(found, index.passages, { characters: 10_000, passages: 2 })).to.have.length(2);
  });

  it('survives a hostile question', () => {
    const started = performance.now();
    for (const text of [
      'A'.repeat(8_000),
      'Aa'.repeat(4_000),
      'a.'.repeat(4_000),
      'a-'.repeat(4_000),
      '[('.repeat(4_000),
    ]) {
      index.search(text);
    }
    expect(performance.now() - started).to.be.lessThan(1_000);
  });
});

describe('retrieval on real runbooks', () => {
  it('stays above the floors', function () {
    this.timeout(30_000);
    if (!dataIsThere()) return needsData(this, '../shared/data/runbooks');
    const figures = measure();
    expect(figures.description.at1).to.be.at.least(0.8);
    expect(figures.description.at3).to.be.at.least(0.95);
    expect(figures.description.mrr).to.be.at.least(0.88);
    expect(figures.name.at1).to.equal(1);
    expect(figures.summary.at1).to.be.at.least(0.8);
    expect(figures.answerable).to.be.at.least(0.8);
    expect(figures.build700).to.be.lessThan(2_000);
    expect(figures.medianQuestion).to.be.lessThan(10);
  });
});
