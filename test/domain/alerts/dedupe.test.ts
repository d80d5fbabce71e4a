import { expect } from 'chai';
import { distinct, news } from '../../../src/domain/alerts/dedupe.ts';
import type { IncomingAlert, Member } from '../../../src/domain/alerts/ports.ts';
import { incoming, minute } from '../../support/alerts.ts';

function known(alert: IncomingAlert, heardAt: number): Member {
  const found = news(undefined, alert, minute(heardAt));
  if (found.kind === 'nothing') throw new Error('an unknown alert is always news');
  return found.member;
}

describe('alerts: what a report says that is new', () => {
  const firing = incoming('web-1', { from: 10 });
  const resolved = incoming('web-1', { from: 10, to: 20 });

  const table: readonly [string, Member | undefined, IncomingAlert, number, 'nothing' | 'fires' | 'changed'][] = [
    ['first firing', undefined, firing, 10, 'fires'],
    ['first heard of when resolved', undefined, resolved, 20, 'changed'],
    ['the same firing again', known(firing, 10), firing, 11, 'nothing'],
    ['other words', known(firing, 10), { ...firing, annotations: { summary: 'worse' } }, 11, 'changed'],
    ['other words, received before', known(firing, 10), { ...firing, annotations: { summary: 'worse' } }, 9, 'nothing'],
    ['resolved', known(firing, 10), resolved, 20, 'changed'],
    ['resolved again', known(resolved, 20), resolved, 21, 'nothing'],
    ['a late firing after the end', known(resolved, 20), firing, 21, 'nothing'],
    ['a firing that still goes on long after the end', known(resolved, 20), firing, 26, 'fires'],
    ['an older firing long after the end', known(resolved, 20), incoming('web-1', { from: 5 }), 60, 'nothing'],
    ['fires again', known(resolved, 20), incoming('web-1', { from: 20 }), 21, 'fires'],
    ['began within what has ended', known(resolved, 20), incoming('web-1', { from: 15 }), 21, 'nothing'],
    ['the end of an earlier firing', known(firing, 10), incoming('web-1', { from: 2, to: 5 }), 12, 'nothing'],
    ['began earlier than known, ended now', known(firing, 10), incoming('web-1', { from: 9, to: 20 }), 20, 'changed'],
    ['firing that began earlier', known(firing, 10), incoming('web-1', { from: 5 }), 12, 'nothing'],
    ['firing that began later: the end was missed', known(firing, 10), incoming('web-1', { from: 15 }), 16, 'changed'],
    ['a later end', known(resolved, 20), incoming('web-1', { from: 10, to: 22 }), 22, 'changed'],
    ['an earlier end', known(resolved, 20), incoming('web-1', { from: 10, to: 18 }), 22, 'nothing'],
  ];
  for (const [name, before, alert, at, kind] of table) {
    it(`${name}: ${kind}`, () => {
      expect(news(before, alert, minute(at)).kind).to.equal(kind);
    });
  }

  it('takes one of each alert, the last', () => {
    const found = distinct([firing, incoming('web-2'), resolved, incoming('web-1', { from: 5 })]);
    expect([...found.values()].map((alert) => [alert.labels['instance'], alert.status])).to.deep.equal([
      ['web-1', 'resolved'],
      ['web-2', 'firing'],
    ]);
  });
});
