import { expect } from 'chai';
import { eventOf } from '../../../src/adapters/alerts/alertmanager/schema.ts';
import { cardText } from '../../../src/bot/card.ts';
import { BOUNDS, bounded, clean, oneLine, shorten } from '../../../src/domain/alerts/bounds.ts';
import { alertCard, length } from '../../../src/domain/alerts/card.ts';
import { change } from '../../../src/domain/alerts/group.ts';
import { safeLink } from '../../../src/domain/alerts/link.ts';
import { listCard } from '../../../src/domain/alerts/list.ts';
import type { Alert, AlertEvent } from '../../../src/domain/alerts/ports.ts';
import { captured, eventAt, incoming, minute } from '../../support/alerts.ts';

const same = (text: string) => text;

function alertOf(event: AlertEvent, more: Partial<Alert> = {}): Alert {
  const decided = change(undefined, bounded(event, same), () => ['ops']);
  if (decided.kind !== 'open') throw new Error(decided.kind);
  return { ...decided.alert, number: 3, revision: 1, ...more };
}

describe('alerts: card', () => {
  it('of one that fires', () => {
    const annotations = {
      summary: '5xx above 5%',
      description: 'ratio 0.08',
      runbook_url: 'https://runbooks.example.com/5xx',
    };
    const event = eventAt(1, [
      incoming('web-1', { annotations, sourceUrl: 'http://prometheus.example.com/graph?g0.expr=up' }),
    ]);
    expect(alertCard(alertOf(event))).to.deep.equal({
      kind: 'card',
      title: '#3 HighErrorRate: firing',
      tone: 'bad',
      text: '**5xx above 5%**\n\nratio 0.08',
      fields: [
        { name: 'Severity', value: 'critical' },
        { name: 'Started', value: '2026-01-01 00:00 UTC' },
        { name: 'Labels', value: 'instance=web\\-1', short: false },
        {
          name: 'Links',
          value:
            '[Runbook](https://runbooks.example.com/5xx) · [Source](http://prometheus.example.com/graph?g0.expr=up)',
          short: false,
        },
      ],
      actions: [
        { label: 'Acknowledge', command: 'alerts ack 3', style: 'primary' },
        { label: 'Details', command: 'alerts show 3' },
      ],
    });
  });

  it('of several says which', () => {
    const shown = alertCard(alertOf(eventAt(3, [incoming('web-1', { to: 3 }), incoming('web-2', { from: 2 })])));
    expect(shown.title).to.equal('#3 HighErrorRate: 1 of 2 firing');
    expect(shown.text).to.equal(
      '**errors on web\\-2**\n\n- instance=web\\-2: errors on web\\-2, since 00:02 UTC\n- ~~instance=web\\-1: errors on web\\-1~~ resolved',
    );
  });

  it('of an acknowledged one says who, when and why', () => {
    const acknowledged = { by: { id: 'web:1', name: '@channel *bob*' }, at: minute(2), note: 'on [it](http://x)' };
    const shown = alertCard(alertOf(eventAt(1, [incoming('web-1')]), { state: 'acknowledged', acknowledged }));
    expect(shown.title).to.equal('#3 HighErrorRate: firing, acknowledged');
    expect(shown.tone).to.equal('warning');
    expect(shown.fields?.at(-1)?.value).to.equal(
      '@\u2060channel \\*bob\\*, 2026-01-01 00:02 UTC\\: on \\[it\\]\\(http\\://x\\)'.replace('UTC\\:', 'UTC:'),
    );
    expect(shown.actions?.map((action) => action.command)).to.deep.equal(['alerts show 3']);
  });

  it('of a resolved one says how long it took', () => {
    const shown = alertCard(alertOf(eventAt(9, [incoming('web-1', { to: 65 })])));
    expect(shown.title).to.equal('#3 HighErrorRate: resolved');
    expect(shown.tone).to.equal('good');
    expect(shown.fields?.[2]).to.deep.equal({ name: 'Ended', value: '2026-01-01 01:05 UTC (after 1 h 5 min)' });
  });

  for (const [severity, tone] of [
    ['critical', 'bad'],
    ['warning', 'warning'],
    ['', 'warning'],
    ['info', 'neutral'],
  ]) {
    it(`of severity "${severity}" is ${tone}`, () => {
      expect(
        alertCard(alertOf(eventAt(1, [incoming('web-1', { labels: { severity: severity ?? '' } })]))).tone,
      ).to.equal(tone);
    });
  }

  it('shows hostile labels as text (webhook-05-firing-utf8-injection.json)', function () {
    const event = eventOf(JSON.parse(captured(this, 'webhook-05-firing-utf8-injection.json')), minute(0));
    const shown = alertCard(alertOf(event));
    expect(shown.title).to.equal('#3 UTF8 é中文 🔥: firing');
    expect(shown.text).to.equal('**\\<\\!channel\\> \\`code\\` \\& RTL**');
    expect(shown.fields?.find((field) => field.name === 'Labels')?.value).to.equal(
      'cluster=prod\\-eu, msg=line1 line2 \\<script\\>alert\\(1\\)\\</script\\> \\*bold\\* @\u2060channel',
    );
  });

  it('says that alerts were left out (webhook-storm-250-truncated-to-10.json)', function () {
    const event = eventOf(JSON.parse(captured(this, 'webhook-storm-250-truncated-to-10.json')), minute(0));
    const shown = alertCard(alertOf(event));
    expect(shown.title).to.equal('#3 Storm: 10 firing');
    expect(shown.text).to.include('- and 2 more').and.to.include('240 more alerts of this group were not sent');
  });

  it('stays small whatever comes', () => {
    const labels = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`l${index}`, '*'.repeat(1500)]));
    const alerts = Array.from({ length: 1200 }, (_, index) => ({
      ...incoming(`web-${index}`),
      labels: { ...labels, instance: `web-${index}` },
      annotations: { summary: '_'.repeat(9000), description: '#'.repeat(9000) },
    }));
    const event = bounded(eventAt(1, alerts, { truncated: 5 }), same);
    expect(event.alerts).to.have.lengthOf(BOUNDS.members);
    expect(event.truncated).to.equal(205);
    expect(cardText(alertCard(alertOf(event)), '').length).to.be.below(12_000);
  });
});

describe('alerts: links', () => {
  const table: readonly [string, string | undefined][] = [
    ['https://x.example/a?b=c#d', '[R](https://x.example/a?b=c#d)'],
    ['https://x.example/a)(b] c<d>', '[R](https://x.example/a%29%28b%5D%20c%3Cd%3E)'],
    ['http://x.example/`*_|"\'\\', '[R](http://x.example/%60%2A%5F%7C%22%27/)'],
    ['javascript:alert(1)', undefined],
    ['data:text/html,x', undefined],
    ['//x.example', undefined],
    ['/local', undefined],
    ['https://good.example@evil.example/', undefined],
    [`https://x.example/${'a'.repeat(2000)}`, undefined],
    ['not a link', undefined],
    ['', undefined],
  ];
  for (const [address, expected] of table) {
    it(`${address.slice(0, 40)} → ${expected ?? 'none'}`, () => expect(safeLink('R', address)).to.equal(expected));
  }
});

describe('alerts: bounds', () => {
  it('takes out what cannot be stored or misleads', () => {
    expect(clean('a\u0000b\u202ec\ud800d\u200be', 100)).to.equal('abc\ufffdde');
    expect(shorten('ab🔥cd', 4)).to.equal('ab…');
    expect(oneLine(' a\n\n b\tc ', 10)).to.equal('a b c');
  });

  it('takes out secrets', () => {
    const event = bounded(eventAt(1, [incoming('web-1', { annotations: { summary: 'password=hunter2' } })]), (text) =>
      text.replace('hunter2', '…'),
    );
    expect(event.alerts[0]?.annotations).to.deep.equal({ summary: 'password=…' });
  });
});

describe('alerts: list', () => {
  const summary = {
    number: 3,
    state: 'firing',
    title: 'A*B',
    severity: 'warning',
    firing: 1,
    total: 2,
    openedAt: minute(0),
  } as const;

  it('puts the gravest first and says what to type', () => {
    const acknowledged = { by: { id: 'web:1', name: 'bob' }, at: minute(1) };
    const shown = listCard(
      {
        alerts: [
          { ...summary, number: 5, state: 'acknowledged', severity: 'critical', acknowledged },
          { ...summary, number: 4, severity: 'critical', total: 1 },
          summary,
        ],
        total: 40,
      },
      'open',
      minute(12),
    );
    expect(shown.title).to.equal('40 alerts firing');
    expect(shown.text?.split('\n')).to.deep.equal([
      '- **\\#4** A\\*B (critical) firing for 12 min',
      '- **\\#3** A\\*B (warning) 1 of 2 firing for 12 min',
      '- **\\#5** A\\*B (critical) 1 of 2 firing for 12 min · acknowledged by bob',
      '- and 37 more',
    ]);
    expect(shown).to.not.have.property('actions');
    expect(shown.choices).to.deep.equal([
      {
        label: 'Acknowledge…',
        options: [
          { label: '#4 A*B', command: 'alerts ack 4' },
          { label: '#3 A*B', command: 'alerts ack 3' },
        ],
      },
    ]);
  });

  it('has a button where one alert waits for somebody, and nothing where none does', () => {
    const one = listCard({ alerts: [summary], total: 1 }, 'open', minute(1));
    expect(one.actions).to.deep.equal([{ label: 'Acknowledge #3', command: 'alerts ack 3' }]);
    expect(one).to.not.have.property('choices');
    const none = listCard({ alerts: [{ ...summary, state: 'resolved' }], total: 1 }, 'all', minute(1));
    expect(none).to.not.have.any.keys('actions', 'choices');
  });

  it('says so when there is none', () => {
    expect(listCard({ alerts: [], total: 0 }, 'open', minute(0)).title).to.equal('No alert is firing');
    expect(listCard({ alerts: [], total: 0 }, 'all', minute(0)).title).to.equal('No alert was ever heard');
  });

  it('shows lengths of time as people read them', () => {
    expect([1000, 59_400, 60_000, 3_600_000, 3_900_000, 172_800_000, 187_200_000, -5].map(length)).to.deep.equal([
      '1 s',
      '59 s',
      '1 min',
      '1 h',
      '1 h 5 min',
      '2 d',
      '2 d 4 h',
      '0 s',
    ]);
  });
});
