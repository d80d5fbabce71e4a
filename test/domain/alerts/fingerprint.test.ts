import { expect } from 'chai';
import { eventOf } from '../../../src/adapters/alerts/alertmanager/schema.ts';
import { fingerprintOf, labelsFingerprint } from '../../../src/domain/alerts/fingerprint.ts';
import { captured, incoming, minute } from '../../support/alerts.ts';

describe('alerts: fingerprint', () => {
  for (const file of [
    'webhook-02-firing-2.json',
    'webhook-05-firing-utf8-injection.json',
    'webhook-storm-250-truncated-to-10.json',
  ]) {
    it(`is the one Alertmanager makes (${file})`, function () {
      const { alerts } = eventOf(JSON.parse(captured(this, file)), minute(0));
      expect(alerts).to.not.be.empty;
      for (const alert of alerts) expect(labelsFingerprint(alert.labels)).to.equal(alert.fingerprint);
    });
  }

  it('is made from the labels where the sender gives none, or nonsense', () => {
    const { fingerprint, ...without } = incoming('web-1');
    expect(fingerprintOf(without)).to.equal(fingerprint);
    expect(fingerprintOf({ ...without, fingerprint: '../../x' })).to.equal(fingerprint);
    expect(fingerprintOf({ ...without, fingerprint: 'abc' })).to.equal('abc');
  });
});
