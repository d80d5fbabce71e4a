import { expect } from 'chai';
import { cardText } from '../../../src/bot/card.ts';
import { announcement, call, endWords } from '../../../src/domain/deploy/ending.ts';
import type { Deployment } from '../../../src/domain/deploy/ports.ts';

const start = new Date('2026-01-31T12:00:00Z');
const alice = { id: 'slack:U1', name: 'alice' };
const bob = { id: 'slack:U2', name: 'bob' };

/** @param seconds from the wish to the end */
function ended(state: Deployment['state'], seconds: number, change: Partial<Deployment> = {}): Deployment {
  return {
    id: 4,
    service: 'hello',
    environment: 'production',
    version: 'v2',
    previous: 'v1',
    by: alice,
    origin: { chat: 'slack', room: 'C1' },
    state,
    requestedAt: start,
    startedAt: start,
    finishedAt: new Date(start.getTime() + seconds * 1000),
    ...change,
  };
}
const dropped = (seconds: number, change: Partial<Deployment> = {}) =>
  (({ startedAt: _startedAt, ...rest }) => rest)(ended('cancelled', seconds, change));

describe('who is called when a deployment has ended', () => {
  const table: [string, string | undefined, boolean][] = [
    ['nobody who still looks', call(ended('succeeded', 29), alice, false), false],
    ['who no longer looks', call(ended('succeeded', 30), alice, false), true],
    ['of what is announced, everybody', call(ended('succeeded', 1), alice, true), true],
    ['of a failure, everybody', call(ended('failed', 1), alice, false), true],
    ['of an interruption, everybody', call(ended('interrupted', 1), alice, false), true],
    ['not who cancelled it', call(ended('cancelled', 90, { cancelledBy: alice }), alice, true), false],
    ['whose deployment somebody else cancelled', call(ended('cancelled', 1, { cancelledBy: bob }), alice, false), true],
    ['whose place in line was cancelled', call(dropped(1, { cancelledBy: bob }), alice, false), true],
    ['nobody whose deployment was not needed', call(dropped(1), alice, true), false],
    ['who waited long for it not to run', call(dropped(90), alice, false), true],
    ['no program', call(ended('failed', 90), { id: 'api:ci', name: 'ci' }, true), false],
    ['not the robot', call(ended('failed', 90), { id: 'robot', name: 'shipmate' }, true), false],
    ['nobody before it is over', call(ended('running', 90), alice, true), false],
  ];
  for (const [what, line, expected] of table) {
    it(what, () => expect(line?.startsWith('[@alice](person:slack:U1): ') ?? false).to.equal(expected));
  }
});

describe('the words of the end', () => {
  const table: [string, Deployment, string | undefined][] = [
    ['good', ended('succeeded', 65), '**hello v2** is live in production, after 1 min 5 s.'],
    [
      'bad',
      ended('failed', 5, { reason: 'exit code 3.', live: 'v1' }),
      '**hello v2** to production failed after 5.0 s: exit code 3. Live there: **v1**.',
    ],
    ['never begun', dropped(5, { reason: 'superseded' }), '**hello v2** to production did not run: superseded.'],
    ['not over', ended('running', 5), undefined],
  ];
  for (const [what, deployment, expected] of table) it(what, () => expect(endWords(deployment)).to.equal(expected));

  it('quote text from outside as it is', () => {
    expect(endWords(ended('failed', 5, { reason: '*see* @channel' })))
      .to.include('\\*see\\*')
      .and.not.include('@channel');
  });
});

describe('what other rooms are told', () => {
  it('is what happened, by whom, and where the log is', () => {
    const text = cardText(announcement(ended('succeeded', 65)) ?? '', 'shipmate ');
    expect(text).to.include('hello v2 is live in production').and.include('Before: v1');
    expect(text).to.include('asked for by alice').and.include('deploys log 4');
  });
  it('names a rollback, and a failure', () => {
    expect(announcement(ended('succeeded', 1, { isRollback: true }))?.title).to.equal(
      'Rollback: hello v2 is live in production',
    );
    expect(announcement(ended('failed', 1))).to.include({
      tone: 'bad',
      title: 'hello v2 to production failed',
      text: 'After 1.0 s: no reason given.',
    });
  });
  it('is nothing while nothing was changed', () => {
    expect(announcement(dropped(5))).to.equal(undefined);
    expect(announcement(ended('running', 5))).to.equal(undefined);
  });
});
