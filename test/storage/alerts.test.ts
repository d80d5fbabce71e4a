import { expect } from 'chai';
import type { Card, Content } from '../../src/bot/card.ts';
import { createAlerts } from '../../src/domain/alerts/alerts.ts';
import type { AlertPorts, AlertStore, Alerts } from '../../src/domain/alerts/ports.ts';
import { createAlertStore } from '../../src/storage/alerts.ts';
import type { Database } from '../../src/storage/database.ts';
import { createHookStore } from '../../src/storage/hooks.ts';
import { eventAt, incoming, minute } from '../support/alerts.ts';
import { eachDatabase, onServer } from '../support/database.ts';

const ALICE = { id: 'web:1', name: 'alice' };

/** The cards that rooms show, by key: a post of the same key takes the place of the one before. */
type Shown = Map<string, Card>;

function service(store: AlertStore, shown: Shown, more: Partial<AlertPorts> = {}): Alerts {
  return createAlerts({
    store,
    tester: { send: async () => ({ kind: 'accepted' }) },
    async post(address, content: Content, { key }) {
      if (typeof content !== 'string') shown.set(`${address.room} ${key}`, content);
    },
    address: (room) => ({ chat: 'test', room }),
    rooms: () => ['ops'],
    resolveTestLater: async () => undefined,
    redact: (text) => text,
    now: () => minute(30),
    newId: () => 'abc',
    log: { info: () => undefined, warn: () => undefined },
    ...more,
  });
}

describe('storage: alerts', () => {
  eachDatabase((open) => {
    let db: Database;
    let store: AlertStore;
    let shown: Shown;
    let alerts: Alerts;
    let group: string;
    let serial = 0;

    before(async function () {
      this.timeout(60_000);
      db = await open();
    });
    beforeEach(() => {
      store = createAlertStore(db);
      shown = new Map();
      alerts = service(store, shown);
      serial += 1;
      group = `group ${serial}`;
    });

    const titles = () => [...shown].map(([key, card]) => [key.replace(/\d+/, 'N'), card.title.replace(/#\d+ /, '')]);
    const one = () => eventAt(1, [incoming('web-1')], { group });
    const two = () => eventAt(2, [incoming('web-1'), incoming('web-2', { from: 2 })], { group });
    const end = () => eventAt(4, [incoming('web-1', { to: 3 }), incoming('web-2', { from: 2, to: 4 })], { group });

    it('keeps one card from firing to resolved, and a new one afterwards', async () => {
      await alerts.receive(one());
      expect(titles()).to.deep.equal([['ops alert:N', 'HighErrorRate: firing']]);
      await alerts.receive(two());
      expect(titles()).to.deep.equal([['ops alert:N', 'HighErrorRate: 2 firing']]);
      await alerts.receive(end());
      await alerts.receive(one());
      expect(titles()).to.deep.equal([['ops alert:N', 'HighErrorRate: all 2 resolved']]);
      await alerts.receive(eventAt(9, [incoming('web-1', { from: 9 })], { group }));
      expect(titles()).to.have.lengthOf(2);
    });

    it('gives back what was stored', async () => {
      const labels = { 'odd label': '{"a":\'b\'} \\ é🔥', list: '[1,2]' };
      const decided = eventAt(1, [incoming('web-1', { labels, sourceUrl: 'http://x.example/' })], {
        group,
        truncated: 7,
      });
      await alerts.receive(decided);
      const known = await store.group('alertmanager', group);
      const alert = known?.current && (await store.get(known.current.number));
      expect(alert).to.deep.equal(known?.current);
      expect(alert?.members[0]).to.deep.include({
        labels: incoming('web-1', { labels }).labels,
        startsAt: minute(0),
        heardAt: minute(1),
      });
      expect(alert).to.deep.include({
        truncated: 7,
        rooms: ['ops'],
        state: 'firing',
        severity: 'critical',
        openedAt: minute(0),
      });
      expect(await store.get(999_999)).to.equal(undefined);
    });

    it('acknowledges once, on the card', async () => {
      await alerts.receive(one());
      const number = (await store.group('alertmanager', group))?.current?.number ?? 0;
      const outcomes = await Promise.all([
        alerts.acknowledge(number, ALICE, 'looking'),
        alerts.acknowledge(number, { id: 'web:2', name: 'bob' }),
      ]);
      expect(outcomes.map((outcome) => outcome.kind).sort()).to.deep.equal(['acknowledged', 'already']);
      expect(titles()).to.deep.equal([['ops alert:N', 'HighErrorRate: firing, acknowledged']]);
      await alerts.receive(end());
      expect((await alerts.acknowledge(number, ALICE)).kind).to.equal('resolved');
      expect((await alerts.acknowledge(999_999, ALICE)).kind).to.equal('unknown');
    });

    it('lists what is open, and everything', async () => {
      await alerts.receive(two());
      const open = await alerts.list({ which: 'open', limit: 1 });
      expect(open.alerts[0]).to.deep.include({ title: 'HighErrorRate', firing: 2, total: 2, state: 'firing' });
      const number = open.alerts[0]?.number;
      await alerts.receive(end());
      expect((await alerts.list({ which: 'open', limit: 100 })).alerts.map((alert) => alert.number)).not.to.include(
        number,
      );
      const all = await alerts.list({ which: 'all', limit: 2 });
      expect(all.alerts[0]).to.deep.include({ number, firing: 0, state: 'resolved', resolvedAt: minute(4) });
      expect(all.total).to.be.at.least(all.alerts.length);
    });

    it('takes a change only for the revision it was decided on', async () => {
      await alerts.receive(one());
      const known = await store.group('alertmanager', group);
      if (!known?.current) throw new Error('no alert');
      await alerts.receive(two());
      expect(await store.update(known, known.current.number, known.current, [])).to.deep.equal({ kind: 'conflict' });
      expect(await store.open(group, known, known.current)).to.deep.equal({ kind: 'conflict' });
      expect(await store.open(group, undefined, known.current)).to.deep.equal({ kind: 'conflict' });
      expect((await store.get(known.current.number))?.members).to.have.lengthOf(2);
    });

    it('shows what a killed process stored and did not show', async () => {
      const dying = service(store, shown, {
        post: async () => {
          throw new Error('killed');
        },
      });
      const failure = await dying.receive(one()).catch((error: Error) => error.message);
      expect(failure).to.equal('killed');
      expect(titles()).to.deep.equal([]);
      await alerts.catchUp();
      expect(titles()).to.deep.equal([['ops alert:N', 'HighErrorRate: firing']]);
      expect(await store.unposted(10)).to.deep.equal([]);
    });

    it('takes a thousand alerts at once', async function () {
      this.timeout(30_000);
      const storm = Array.from({ length: 1000 }, (_, index) => incoming(`web-${index}`));
      await alerts.receive(eventAt(1, storm, { group }));
      expect(titles()).to.deep.equal([['ops alert:N', 'HighErrorRate: 1000 firing']]);
    });

    it('keeps received events until they are handled', async () => {
      const hooks = createHookStore(db);
      const body = Buffer.from([0, 255, 123]);
      const id = await hooks.save({ source: 'x', receivedAt: minute(0), headers: { 'user-agent': "a'b" }, body });
      expect(await hooks.open(minute(0), 10)).to.include(id);
      expect(await hooks.begin(id)).to.deep.equal({
        id,
        source: 'x',
        receivedAt: minute(0),
        headers: { 'user-agent': "a'b" },
        body,
        attempts: 1,
      });
      await hooks.postponed(id);
      await hooks.failed(id, 'no');
      expect((await hooks.begin(id))?.attempts).to.equal(1);
      await hooks.handled(id, minute(1));
      expect(await hooks.begin(id)).to.equal(undefined);
      const other = await hooks.save({ source: 'x', receivedAt: minute(0), headers: {}, body });
      await hooks.park(other, 'poison', minute(1));
      expect(await hooks.begin(other)).to.equal(undefined);
      expect(await hooks.open(minute(5), 10)).to.deep.equal([]);
      await hooks.forget(minute(2));
      expect(await hooks.begin(id)).to.equal(undefined);
    });
  });

  describe('two replicas', () => {
    onServer((open) => {
      it('show one card and lose nothing when they hear of one group at once', async function () {
        this.timeout(60_000);
        const shown: Shown = new Map();
        const first = service(createAlertStore(await open()), shown);
        const second = service(createAlertStore(await open.another()), shown);
        const names = Array.from({ length: 20 }, (_, index) => `web-${index}`);
        await Promise.all(
          names.flatMap((name, index) => [
            first.receive(eventAt(index, [incoming(name)])),
            second.receive(eventAt(index, [incoming(name)])),
          ]),
        );
        expect([...shown.values()].map((card) => card.title)).to.deep.equal(['#1 HighErrorRate: 20 firing']);
        await Promise.all([
          ...names.map((name, index) =>
            (index % 2 === 0 ? first : second).receive(eventAt(40 + index, [incoming(name, { to: 40 })])),
          ),
          second.acknowledge(1, ALICE),
        ]);
        expect([...shown.values()].map((card) => card.title)).to.deep.equal(['#1 HighErrorRate: all 20 resolved']);
      });
    });
  });
});
