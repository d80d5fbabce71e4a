import { expect } from 'chai';
import fc from 'fast-check';
import { change } from '../../../src/domain/alerts/group.ts';
import { commonLabels } from '../../../src/domain/alerts/labels.ts';
import type { AlertEvent, Group } from '../../../src/domain/alerts/ports.ts';
import { acknowledge, gravest } from '../../../src/domain/alerts/state.ts';
import { eventAt, incoming, minute } from '../../support/alerts.ts';

const ops = () => ['ops'];

/** What a group is after a change: as a store keeps it. */
function after(
  group: Group | undefined,
  event: AlertEvent,
  rooms: (labels: object) => readonly string[] = ops,
): Group | undefined {
  const decided = change(group, event, rooms);
  if (decided.kind === 'unchanged') return group;
  const revision = (group?.revision ?? 0) + 1;
  const { current, previous } = group ?? {};
  if (decided.kind === 'update') {
    return {
      id: 1,
      revision,
      ...(previous ? { previous } : {}),
      current: { ...decided.alert, number: decided.number, revision },
    };
  }
  const number = (current?.number ?? 0) + 1;
  return {
    id: 1,
    revision,
    ...(current ? { previous: current } : {}),
    current: { ...decided.alert, number, revision },
  };
}

function all(...events: readonly AlertEvent[]): Group | undefined {
  return events.reduce<Group | undefined>((group, event) => after(group, event), undefined);
}

function told(group: Group | undefined): string {
  const { current } = group ?? {};
  if (!current) return 'nothing';
  const members = current.members.map((member) => `${member.labels['instance']} ${member.status}`).sort();
  return `#${current.number} ${current.state}: ${members.join(', ')}`;
}

describe('alerts: one card per group', () => {
  const one = eventAt(1, [incoming('web-1')]);
  const two = eventAt(2, [incoming('web-1'), incoming('web-2', { from: 2 })]);
  const mixed = eventAt(3, [incoming('web-1', { to: 3 }), incoming('web-2', { from: 2 })]);
  const end = eventAt(4, [incoming('web-2', { from: 2, to: 4 })]);
  const again = eventAt(9, [incoming('web-1', { from: 9 })]);

  const table: readonly [string, readonly AlertEvent[], string][] = [
    ['firing', [one], '#1 firing: web-1 firing'],
    ['more firing', [one, two], '#1 firing: web-1 firing, web-2 firing'],
    ['one resolved', [one, two, mixed], '#1 firing: web-1 resolved, web-2 firing'],
    ['all resolved', [one, two, mixed, end], '#1 resolved: web-1 resolved, web-2 resolved'],
    ['every one twice', [one, one, two, two, mixed, mixed, end, end], '#1 resolved: web-1 resolved, web-2 resolved'],
    [
      'late ones change nothing',
      [one, two, mixed, end, one, two, mixed],
      '#1 resolved: web-1 resolved, web-2 resolved',
    ],
    ['late more firing', [one, mixed, two], '#1 firing: web-1 resolved, web-2 firing'],
    ['only the end was heard', [end], '#1 resolved: web-2 resolved'],
    ['only the end, then the late beginning', [end, two], '#2 firing: web-1 firing'],
    ['fires again: a new card', [one, two, mixed, end, again], '#2 firing: web-1 firing'],
    ['a late end of the earlier firing', [one, two, mixed, end, again, mixed], '#2 firing: web-1 firing'],
    ['an empty notification', [eventAt(1, [])], 'nothing'],
  ];
  for (const [name, events, expected] of table) it(name, () => expect(told(all(...events))).to.equal(expected));

  it('changes nothing when the same notification comes again', () => {
    const group = all(one, two);
    expect(change(group, two, ops)).to.deep.equal({ kind: 'unchanged', number: 1 });
  });

  it('keeps an acknowledgement while the group fires, and not for the next card', () => {
    const group = all(one);
    if (!group?.current) throw new Error('no alert');
    const decided = acknowledge(group.current, { by: { id: 'web:1', name: 'alice' }, at: minute(1) });
    if (decided.kind !== 'acknowledge') throw new Error(decided.kind);
    const acknowledged = { ...group, current: { ...group.current, ...decided.alert } };
    const more = after(acknowledged, two);
    expect(more?.current?.state).to.equal('acknowledged');
    const ended = [mixed, end].reduce<Group | undefined>((before, event) => after(before, event), more);
    expect(ended?.current?.state).to.equal('resolved');
    expect(ended?.current?.acknowledged?.by.name).to.equal('alice');
    const next = after(ended, again);
    expect(next?.current?.state).to.equal('firing');
    expect(next?.current?.acknowledged).to.equal(undefined);
  });

  it('adds rooms as graver alerts join, and takes none away', () => {
    const rooms = (labels: object) => ('page' in labels ? ['ops', 'page'] : ['ops']);
    const first = after(undefined, one, rooms);
    const second = after(first, eventAt(2, [incoming('web-1'), incoming('web-2', { labels: { page: 'yes' } })]), rooms);
    expect(second?.current?.rooms).to.deep.equal(['ops', 'page']);
    const third = after(second, eventAt(3, [incoming('web-2', { labels: { page: 'yes' }, to: 3 })]), rooms);
    expect(third?.current?.rooms).to.deep.equal(['ops', 'page']);
  });

  it('says how many the sender left out, by the newest notification', () => {
    const group = all(eventAt(2, [incoming('web-1')], { truncated: 240 }));
    expect(group?.current?.truncated).to.equal(240);
    expect(after(group, eventAt(1, [incoming('web-1')], { truncated: 3 }))?.current?.truncated).to.equal(240);
    expect(after(group, eventAt(3, [incoming('web-1')]))?.current?.truncated).to.equal(0);
  });

  it('is called after the group, its alert, or its alerts', () => {
    const other = incoming('web-2', { labels: { alertname: 'Slow\nDisk' } });
    expect(all(one)?.current?.title).to.equal('HighErrorRate');
    expect(all(eventAt(1, [other], { groupLabels: {} }))?.current?.title).to.equal('Slow Disk');
    expect(all(eventAt(1, [incoming('web-1'), other], { groupLabels: {} }))?.current?.title).to.equal(
      'HighErrorRate and 1 more',
    );
    expect(
      all(eventAt(1, [incoming('x', { labels: { alertname: '' } })], { groupLabels: {} }))?.current?.title,
    ).to.equal('Alert');
  });

  it('ends the same whatever the order within a few minutes, however often each is repeated', () => {
    const events = [one, two, mixed, end];
    const order = fc.array(fc.constantFrom(...events), { minLength: 0, maxLength: 12 });
    fc.assert(
      fc.property(order, (received) => {
        // Received in this order within a minute after all of them, then all once more.
        const late = [...received, ...events].map((event, index) => ({
          ...event,
          receivedAt: new Date(minute(4).getTime() + index * 1000),
        }));
        const group = all(...late);
        return group?.current?.state === 'resolved' && group.previous?.state !== 'firing';
      }),
    );
  });
});

describe('alerts: the gravest', () => {
  const of = (...severities: readonly string[]) => {
    const alerts = severities.map((severity, index) => incoming(`web-${index}`, { labels: { severity } }));
    return gravest(all(eventAt(1, alerts))?.current?.members ?? []);
  };
  it('knows usual words', () => {
    expect(of('warning', 'critical', 'info')).to.equal('critical');
    expect(of('none', 'info', 'WARN')).to.equal('WARN');
    expect(of('odd', 'warning')).to.equal('warning');
    expect(of('info', 'odd')).to.equal('odd');
  });
});

describe('alerts: common labels', () => {
  it('are those that all have, with the same value', () => {
    expect(
      commonLabels([
        { a: '1', b: '2' },
        { a: '1', b: '3' },
      ]),
    ).to.deep.equal({ a: '1' });
    expect(commonLabels([])).to.deep.equal({});
    expect(commonLabels([{ constructor: 'x' }, {}])).to.deep.equal({});
  });
});
