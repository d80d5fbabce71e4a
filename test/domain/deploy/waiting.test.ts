import { expect } from 'chai';
import { parseDuration } from '../../../src/bot/args.ts';
import { keepsOut, type Lock, lockWords, scopeWords, untilWords } from '../../../src/domain/deploy/locks.ts';
import type { Deployment, Line } from '../../../src/domain/deploy/ports.ts';
import { droppedCard, olderThan, queueCard, waitingCard } from '../../../src/domain/deploy/waiting.ts';

const now = new Date('2026-01-31T12:00:00Z');
const alice = { id: 'web:1', name: 'alice' };

function deployment(id: number, change: Partial<Deployment> = {}): Deployment {
  return {
    id,
    service: 'hello',
    environment: 'staging',
    version: `v${id}`,
    by: alice,
    origin: { chat: 'web', room: 'ops' },
    state: 'waiting',
    requestedAt: new Date(now.getTime() - 60_000),
    ...change,
  };
}

const lock: Lock = { id: 1, service: 'hello', reason: 'a *fix*.', owner: { id: 'web:2', name: 'bob' }, at: now };

describe('lock', () => {
  const place = { service: 'hello', environment: 'staging' };
  const { service: _service, ...everything } = lock;
  const table: [string, Lock, boolean][] = [
    ['the service everywhere', lock, true],
    ['everything', everything, true],
    ['the place', { ...lock, environment: 'staging' }, true],
    ['another environment', { ...lock, environment: 'production' }, false],
    ['another service', { ...lock, service: 'other' }, false],
    ['one that has expired', { ...lock, until: now }, false],
    ['one that has not', { ...lock, until: new Date(now.getTime() + 1) }, true],
  ];
  for (const [name, one, expected] of table) {
    it(`${name} ${expected ? 'keeps out' : 'lets in'}`, () => expect(keepsOut(one, place, now)).to.equal(expected));
  }

  it('is spoken of', () => {
    expect(scopeWords(lock)).to.equal('hello');
    expect(scopeWords({ environment: 'staging' })).to.equal('everything in staging');
    expect(untilWords(lock)).to.equal('until somebody unlocks it');
    expect(untilWords({ until: now })).to.equal('until 2026-01-31 12:00 UTC');
  });

  it('takes its text apart', () => {
    const words = (text: string) => lockWords(text, parseDuration);
    const hours = { kind: 'understood', reason: 'a fix', forMs: 7_200_000 };
    expect(words('a fix for 2h')).to.deep.equal(hours);
    expect(words(' a fix  for 2 hours ')).to.deep.equal(hours);
    expect(words('waiting for bob')).to.deep.equal({ kind: 'understood', reason: 'waiting for bob' });
    expect(words('waiting for bob for 1h30m')).to.deep.equal({
      kind: 'understood',
      reason: 'waiting for bob',
      forMs: 5_400_000,
    });
    expect(words('for 2h')).to.deep.equal({ kind: 'no reason' });
    for (const text of ['x for 0s', 'x for 99999w']) expect(words(text)).to.deep.equal({ kind: 'too long' });
  });
});

describe('line', () => {
  const holder = deployment(1, { state: 'running', startedAt: new Date(now.getTime() - 30_000) });
  const line: Line = {
    service: 'hello',
    environment: 'staging',
    holder,
    waiting: [deployment(2), deployment(4)],
    lock,
  };

  it('tells each one where it is, and what keeps it waiting', () => {
    const [next, last] = line.waiting.map((one) => waitingCard(one, line, now).text?.replaceAll('\\', ''));
    expect(next).to.equal(
      'Next in line. Now alice deploys v1, begun 30 s ago. Locked by bob until somebody unlocks it: a *fix*.',
    );
    expect(last).to.match(/^Number 2 in line\./);
  });

  it('is shown with what runs', () => {
    expect(queueCard([line], now).text?.replaceAll('\\', '')).to.include('2. #4 v4, asked for by alice 1 min ago');
    expect(queueCard([], now).title).to.equal('Nothing runs or waits');
  });

  it('says why one did not run', () =>
    expect(droppedCard(deployment(3, { state: 'cancelled', reason: 'bob cancelled it' })).text).to.equal(
      'Bob cancelled it. Nothing was changed.',
    ));

  it('knows which versions a newer one makes pointless', () => {
    const versions = ['v3', 'v2', 'v1'];
    expect(olderThan('v2', ['v1', 'v2', 'v3', 'gone'], versions)).to.deep.equal(['v1', 'gone']);
    expect(olderThan('gone', ['v1'], versions)).to.deep.equal([]);
    expect(olderThan('v2', ['v1'], 'unsupported')).to.equal('any other');
  });
});
