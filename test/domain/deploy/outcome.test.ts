import { expect } from 'chai';
import { cardText } from '../../../src/bot/card.ts';
import { type LiveFact, outcomeCard, remedy, type Verdict, verdict } from '../../../src/domain/deploy/outcome.ts';
import type { Deployment } from '../../../src/domain/deploy/ports.ts';
import type { TargetOutcome } from '../../../src/domain/deploy/target.ts';

const good: TargetOutcome = { kind: 'succeeded' };
const bad: TargetOutcome = { kind: 'failed', code: 'exit', text: 'the program ended with exit code 1' };
const cut: TargetOutcome = { kind: 'interrupted', text: 'the robot was stopped while it ran' };
const v1: LiveFact = { kind: 'live', version: 'v1' };
const v2: LiveFact = { kind: 'live', version: 'v2' };
const nothing: LiveFact = { kind: 'nothing' };
const unsupported: LiveFact = { kind: 'unsupported' };
const unclear: LiveFact = { kind: 'unclear', text: 'no answer' };

describe('verdict on v2', () => {
  const table: [string, TargetOutcome, LiveFact, Verdict['state'], string | undefined][] = [
    ['ended well and live', good, v2, 'succeeded', 'v2'],
    ['ended well, another is live', good, v1, 'failed', 'v1'],
    ['ended well, nothing is live', good, nothing, 'failed', undefined],
    ['ended well, nobody can tell', good, unsupported, 'succeeded', undefined],
    ['ended well, nobody answers', good, unclear, 'succeeded', undefined],
    ['failed, the old one is live', bad, v1, 'failed', 'v1'],
    ['failed, yet it is live', bad, v2, 'failed', 'v2'],
    ['cut off before', cut, v1, 'interrupted', 'v1'],
    ['cut off after', cut, v2, 'succeeded', 'v2'],
    ['cut off, nobody answers', cut, unclear, 'interrupted', undefined],
  ];
  for (const [what, outcome, live, state, known] of table) {
    it(what, () => {
      const result = verdict('v2', outcome, live);
      expect([result.state, result.live]).to.deep.equal([state, known]);
    });
  }
});

describe('remedy', () => {
  const versions = ['v3', 'v2', 'v1'];
  const table: [string, string, string | undefined, LiveFact, string | undefined][] = [
    ['the one between, when the newest failed', 'v3', 'v1', v1, 'v2'],
    ['nothing older than what is live', 'v3', 'v2', v2, undefined],
    ['the previous one, when it is no longer live', 'v3', 'v1', { kind: 'live', version: 'v3' }, 'v1'],
    ['the previous one, when nothing is live', 'v3', 'v1', nothing, 'v1'],
    ['nothing at the first deployment', 'v3', undefined, nothing, undefined],
    ['nothing for a version that is not listed', 'x', 'y', { kind: 'live', version: 'y' }, undefined],
  ];
  for (const [what, failed, previous, live, expected] of table) {
    it(what, () => expect(remedy(failed, previous, live, versions)).to.equal(expected));
  }
});

describe('outcome card', () => {
  const deployment: Deployment = {
    id: 7,
    service: 'hello',
    environment: 'production',
    version: 'v3',
    previous: 'v1',
    by: { id: 'web:1', name: 'alice' },
    origin: { chat: 'web', room: 'ops' },
    state: 'running',
    requestedAt: new Date('2026-01-31T12:00:00Z'),
    startedAt: new Date('2026-01-31T12:00:01Z'),
  };
  const finishedAt = new Date('2026-01-31T12:00:05.200Z');

  it('tells of success in one line', () => {
    const card = outcomeCard({
      deployment,
      verdict: { state: 'succeeded', live: 'v3' },
      live: { kind: 'live', version: 'v3' },
      lastLines: '',
      remedy: undefined,
      finishedAt,
    });
    expect(card.tone).to.equal('good');
    expect(card.title).to.equal('hello v3 is live in production');
    expect(card.text).to.equal('Took 4.2 s. Before: v1.');
  });

  it('tells of failure: what is live, why, the last lines, what to press', () => {
    const card = outcomeCard({
      deployment,
      verdict: { state: 'failed', reason: 'the program ended with exit code 1', live: 'v1' },
      live: v1,
      lastLines: 'oh ``` no\n@channel',
      remedy: 'v2',
      finishedAt,
    });
    expect(card.tone).to.equal('bad');
    expect(card.text).to.include('**v1** is still live. After 4.2 s: the program ended with exit code 1.');
    expect(card.text).to.include('````\noh ``` no\n@channel\n````');
    expect(card.actions?.map((action) => action.command)).to.deep.equal([
      'deploys log 7',
      'deploy hello v2 to production',
    ]);
    expect(cardText(card, 'shipmate ')).to.include('`shipmate deploys log 7`');
  });
});
