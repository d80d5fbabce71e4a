import { expect } from 'chai';
import { eventOf, testWebhook, webhookProblem } from '../../../src/adapters/alerts/alertmanager/schema.ts';
import { captured, minute } from '../../support/alerts.ts';

const LABELS = { alertname: 'A' };
const ALERT = { status: 'firing', labels: LABELS, startsAt: '2026-11-20T07:39:45.032450413Z' };
const WEBHOOK = { version: '4', receiver: 'bot', groupKey: '{}', status: 'firing', alerts: [ALERT] };

describe('Alertmanager webhook', () => {
  for (const [name, count, truncated] of [
    ['webhook-01-firing-1.json', 1, 0],
    ['webhook-02-firing-2.json', 2, 0],
    ['webhook-03-mixed-2.json', 2, 0],
    ['webhook-04-resolved-1.json', 1, 0],
    ['webhook-05-firing-utf8-injection.json', 1, 0],
    ['webhook-storm-250-truncated-to-10.json', 10, 240],
    ['webhook-watchdog.json', 1, 0],
  ] as const) {
    it(`is read as captured (${name})`, function () {
      const content: unknown = JSON.parse(captured(this, name));
      expect(webhookProblem(content)).to.equal(undefined);
      const event = eventOf(content, minute(0));
      expect(event.alerts).to.have.lengthOf(count);
      expect(event.truncated).to.equal(truncated);
      for (const alert of event.alerts) {
        expect(alert.startsAt.getUTCFullYear()).to.equal(2026);
        expect(alert.endsAt === undefined).to.equal(alert.status === 'firing');
      }
    });
  }

  it('may lack what is not needed, and have what is not known', () => {
    const event = eventOf({ ...WEBHOOK, odd: [1], alerts: [{ ...ALERT, odd: null }] }, minute(0));
    expect(event).to.deep.equal({
      source: 'alertmanager',
      group: 'bot {}',
      groupLabels: {},
      receivedAt: minute(0),
      alerts: [{ status: 'firing', labels: LABELS, annotations: {}, startsAt: new Date('2026-11-20T07:39:45.032Z') }],
      truncated: 0,
    });
  });

  it('takes the moment of receipt where a time is missing or zero', () => {
    const zero = '0001-01-01T00:00:00Z';
    const event = eventOf(
      { ...WEBHOOK, alerts: [{ ...ALERT, status: 'resolved', startsAt: zero, endsAt: zero }] },
      minute(7),
    );
    expect(event.alerts[0]).to.include({ status: 'resolved' });
    expect([event.alerts[0]?.startsAt, event.alerts[0]?.endsAt]).to.deep.equal([minute(7), minute(7)]);
  });

  const wrong: readonly [string, unknown, string][] = [
    ['a list', [], 'the body'],
    ['nothing', null, 'the body'],
    ['version 3', { ...WEBHOOK, version: '3' }, 'version'],
    ['no group', { ...WEBHOOK, groupKey: '' }, 'groupKey'],
    ['an odd status', { ...WEBHOOK, status: 'on fire' }, 'status'],
    ['no alerts', { ...WEBHOOK, alerts: undefined }, 'alerts'],
    ['an alert without labels', { ...WEBHOOK, alerts: [{ ...ALERT, labels: {} }] }, 'alerts.0.labels'],
    ['a label that is no text', { ...WEBHOOK, alerts: [{ ...ALERT, labels: { a: 1 } }] }, 'alerts.0.labels.a'],
    ['an odd time', { ...WEBHOOK, alerts: [{ ...ALERT, startsAt: 'yesterday' }] }, 'alerts.0.startsAt'],
    ['fewer than none left out', { ...WEBHOOK, truncatedAlerts: -1 }, 'truncatedAlerts'],
  ];
  for (const [name, content, where] of wrong) {
    it(`says what is wrong with ${name}`, () => {
      expect(webhookProblem(content))
        .to.match(/^This is no Alertmanager webhook of version 4: /)
        .and.to.include(`${where}: `);
    });
  }

  it('of a test reads like any other', () => {
    const labels = { alertname: 'ShipmateTest', severity: 'info', shipmate_test: 'abc' };
    const test = testWebhook({ labels, status: 'resolved', startsAt: minute(0), now: minute(1) });
    const [alert] = eventOf(test, minute(1)).alerts;
    expect(alert).to.deep.include({ status: 'resolved', startsAt: minute(0), endsAt: minute(1) });
    expect(alert?.labels).to.deep.equal(labels);
  });
});
