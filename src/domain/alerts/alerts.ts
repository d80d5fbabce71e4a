/** The service: takes notifications in, keeps one card per group right, lets people acknowledge. */

import type { Card } from '../../bot/card.ts';
import { bounded, clean } from './bounds.ts';
import { alertCard } from './card.ts';
import { change } from './group.ts';
import type {
  AcknowledgeOutcome,
  Acknowledger,
  AlertContext,
  AlertDraft,
  AlertEvent,
  AlertPorts,
  Alerts,
  GroupRevision,
  Labels,
  TestOutcome,
} from './ports.ts';
import { acknowledge } from './state.ts';

/** How often a change is decided again because somebody else changed the group meanwhile; one of them succeeds each time. */
const TRIES = 50;
const CATCH_UP = 100;

/** Seconds until a test alert resolves. */
export const TEST_SECONDS = 60;

/** Each test is an alert of its own. */
function testLabels(id: string): Labels {
  return { alertname: 'ShipmateTest', severity: 'info', service: 'shipmate', shipmate_test: id };
}

/** The same group was changed by others all the time. The notification is handled again later. */
class AlertContention extends Error {
  constructor() {
    super('the group was changed by others all the time');
    this.name = 'AlertContention';
  }
}

export function createAlerts(ports: AlertPorts): Alerts {
  const { store, log } = ports;

  async function receive(received: AlertEvent): Promise<void> {
    const event = bounded(received, ports.redact);
    const number = await record(event);
    // Always shown again: a process may have died between storing and showing, and the same card twice is one card.
    if (number === undefined) return;
    const failure = await tellWatcher(number).catch((error: unknown) => error ?? new Error('failed without a reason'));
    await show(number);
    // It is shown whatever became of that; the notification is handled again.
    if (failure !== undefined) throw failure;
  }

  async function tellWatcher(number: number): Promise<void> {
    const alert = ports.watcher && (await store.get(number));
    if (alert) await ports.watcher?.changed(alert);
  }

  async function contextOf(number: number): Promise<AlertContext | undefined> {
    return await ports.watcher?.context(number);
  }

  async function record(event: AlertEvent): Promise<number | undefined> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const group = await store.group(event.source, event.group);
      const decided = change(group, event, ports.rooms);
      if (decided.kind === 'unchanged') return decided.number;
      const saved =
        decided.kind === 'open'
          ? await store.open(event.group, group, decided.alert)
          : group
            ? await store.update(group, decided.number, decided.alert, decided.changed)
            : undefined;
      if (saved?.kind === 'saved') {
        log.info(
          { alert: saved.number, state: decided.alert.state, members: decided.alert.members.length },
          'alert changed',
        );
        return saved.number;
      }
    }
    throw new AlertContention();
  }

  /** Posts what is stored, again until nobody changed it meanwhile: so the last one to post posts the latest. */
  async function show(number: number): Promise<void> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const alert = await store.get(number);
      if (!alert) return;
      const context = await contextOf(number);
      const content = alertCard(alert, context === undefined ? {} : { context });
      await postTo(alert.rooms, content, number);
      await store.posted(number, alert.revision);
      const after = await store.get(number);
      if (!after) return;
      const isLatest = after.revision === alert.revision && isSame(await contextOf(number), context);
      if (isLatest) return;
    }
    throw new AlertContention();
  }

  /** A room that cannot be posted to keeps the alert from no other. */
  async function postTo(rooms: readonly string[], content: Card, number: number): Promise<void> {
    const posted = await Promise.allSettled(
      rooms.map(async (room) => await ports.post(ports.address(room), content, { key: `alert:${number}` })),
    );
    for (const result of posted) if (result.status === 'rejected') throw result.reason;
  }

  async function acknowledgeAlert(number: number, by: Acknowledger, note?: string): Promise<AcknowledgeOutcome> {
    const said = note === undefined ? '' : clean(ports.redact(note), 500).trim();
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const group = await store.groupOf(number);
      const alert = await store.get(number);
      if (!group || !alert) return { kind: 'unknown' };
      const decided = acknowledge(alert, {
        by: { id: by.id, name: clean(by.name, 200) },
        at: ports.now(),
        ...(said ? { note: said } : {}),
      });
      if (decided.kind === 'resolved') return { kind: 'resolved', alert };
      if (decided.kind === 'already') return { kind: 'already', alert, acknowledged: decided.acknowledged };
      if (await updated(group, number, decided.alert)) {
        await show(number);
        return { kind: 'acknowledged', alert: (await store.get(number)) ?? { ...alert, ...decided.alert } };
      }
    }
    throw new AlertContention();
  }

  async function updated(group: GroupRevision, number: number, alert: AlertDraft): Promise<boolean> {
    return (await store.update(group, number, alert, [])).kind === 'saved';
  }

  async function test(): Promise<TestOutcome> {
    const started = { id: ports.newId(), startsAt: ports.now() };
    const labels = testLabels(started.id);
    const sent = await ports.tester.send({ ...started, labels, status: 'firing' });
    if (sent.kind === 'refused') return sent;
    await ports.resolveTestLater(started);
    return { kind: 'sent', rooms: ports.rooms(labels), resolvesInSeconds: TEST_SECONDS };
  }

  async function resolveTest(started: { readonly id: string; readonly startsAt: Date }): Promise<void> {
    const sent = await ports.tester.send({ ...started, labels: testLabels(started.id), status: 'resolved' });
    if (sent.kind === 'refused') throw new Error(`the test alert could not be resolved: ${sent.reason}`);
  }

  async function catchUp(): Promise<void> {
    for (const number of await store.unposted(CATCH_UP)) {
      try {
        await show(number);
      } catch (error) {
        log.warn({ alert: number, err: error }, 'alert not shown');
      }
    }
  }

  return {
    receive,
    list: (filter) => store.list(filter),
    get: (number) => store.get(number),
    context: contextOf,
    refresh: show,
    acknowledge: acknowledgeAlert,
    test,
    resolveTest,
    catchUp,
  };
}

/** Both are plain data, made by the same code. */
function isSame(one: AlertContext | undefined, other: AlertContext | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
