import { expect } from 'chai';
import { moment } from '../../../src/bot/card.ts';
import { age, duration } from '../../../src/domain/deploy/duration.ts';
import { createOutput, lastLines, leftOut } from '../../../src/domain/deploy/output.ts';
import { isStuck } from '../../../src/domain/deploy/place.ts';
import type { Deployment } from '../../../src/domain/deploy/ports.ts';
import { advance, bar, NO_PROGRESS, progressCard } from '../../../src/domain/deploy/progress.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const now = new Date('2026-01-31T12:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);

const deployment: Deployment = {
  id: 3,
  service: 'hello',
  environment: 'staging',
  version: 'v2',
  previous: 'v1',
  by: { id: 'web:1', name: 'alice' },
  origin: { chat: 'web', room: 'ops' },
  state: 'queued',
  requestedAt: ago(20 * S),
};

describe('durations in words', () => {
  const table: [number, string][] = [
    [-5, '0.0 s'],
    [420, '0.4 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [3 * M + 5 * S, '3 min 5 s'],
    [2 * H + 4 * M + 59 * S, '2 h 4 min'],
    [73 * H, '3 d 1 h'],
  ];
  for (const [ms, words] of table) it(words, () => expect(duration(ms)).to.equal(words));

  it('says how long ago', () => {
    expect([1 * S, 12 * S, 3 * M, 30 * H, 50 * H].map((ms) => age(ago(ms), now))).to.deep.equal([
      'just now',
      '12 s ago',
      '3 min ago',
      '30 h ago',
      '2 d ago',
    ]);
    expect(moment(now)).to.equal('2026-01-31 12:00 UTC');
  });
});

describe('place', () => {
  it('knows what nobody started', () => {
    expect(isStuck(deployment, now)).to.equal(true);
    expect(isStuck({ ...deployment, requestedAt: ago(5 * S) }, now)).to.equal(false);
    expect(isStuck({ ...deployment, state: 'running' }, now)).to.equal(false);
  });
});

describe('progress', () => {
  it('keeps what is known and stays within 0 to 100', () => {
    const first = advance(NO_PROGRESS, { text: 'Installing' }, ago(9 * S));
    const second = advance(first, { percent: 140 }, ago(5 * S));
    expect(second).to.deep.equal({ ...first, percent: 100 });
    expect([0, 45, 100].map(bar)).to.deep.equal(['░░░░░░░░░░ 0 %', '████░░░░░░ 45 %', '██████████ 100 %']);
  });

  const running: Deployment = { ...deployment, state: 'running', startedAt: ago(30 * S) };
  const after = (...steps: readonly (readonly [string, number])[]) =>
    steps.reduce((progress, [text, at]) => advance(progress, { text }, ago(at * S)), NO_PROGRESS);

  it('shows what is done, with how long it took, and what is under way', () => {
    const card = progressCard(running, after(['Pulling', 30], ['1 of 3 ready', 20], ['2 of 3 ready', 8]), now);
    expect(card.text).to.equal('- ✓ Pulling (10 s)\n- **2 of 3 ready** … 20 s');
    expect(card.fields?.find(({ name }) => name === 'Running for')?.value).to.equal('30 s');
    expect(card.actions?.map(({ command }) => command)).to.deep.equal(['cancel 3']);
  });

  it('shows the latest of many steps, and counts the others', () => {
    const steps = Array.from('abcdefghij', (name, index) => [`step ${name}`, 30 - index] as const);
    const lines = progressCard(running, after(...steps), now).text?.split('\n');
    expect(lines).to.have.length(7);
    expect(lines?.at(0)).to.equal('- ✓ 4 earlier steps');
    expect(lines?.at(1)).to.equal('- ✓ step e (1.0 s)');
    expect(lines?.at(-1)).to.equal('- **step j** … 21 s');
  });

  it('shows text from outside as it is', () => {
    const progress = advance(NO_PROGRESS, { text: '*loud* @all', percent: 40 }, ago(S));
    const card = progressCard(running, { ...progress, lastLines: '<b>' }, now);
    expect(card.text).to.include('\\*loud\\*').and.not.include('@all');
    expect(card.text).to.include('```\n<b>\n```');
  });
});

describe('output', () => {
  it('keeps beginning and end, and says what is missing', () => {
    const output = createOutput({ headBytes: 20, tailBytes: 20 });
    for (let line = 1; line <= 10_000; line += 1) output.add(`line ${line}`);
    expect(output.text()).to.equal('line 1\nline 2\n… 9997 lines left out …\nline 10000');
    expect(leftOut(output.text())).to.equal(9997);
    expect(leftOut('line 1\nline 2\n')).to.equal(0);
  });

  it('cuts endless lines', () => {
    const output = createOutput();
    output.add('x'.repeat(1_000_000));
    expect(output.text().length).to.be.below(2_100);
  });

  it('gives the last lines that say something', () => {
    expect(lastLines('a\n\nb\nc\n\n', 2)).to.equal('b\nc');
  });
});
