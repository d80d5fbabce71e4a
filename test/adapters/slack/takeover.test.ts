/** A replica is killed between the acknowledgement and the end of the work: another one does it, and nothing twice. */

import type { ReceiverEvent } from '@slack/bolt';
import { expect } from 'chai';
import { createIntake, type Intake } from '../../../src/adapters/chat/slack/intake.ts';
import type { Envelope } from '../../../src/adapters/chat/slack/ports.ts';
import type { Database } from '../../../src/storage/database.ts';
import { createInbox } from '../../../src/storage/inbox.ts';
import { eachDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { collectingLog } from '../../support/log.ts';
import { countedMetrics } from '../../support/slack/client.ts';

const EVENTS = 40;

function message(index: number): Envelope {
  const event = { type: 'message', channel: 'C1', user: 'U1', ts: `${index}.0`, text: 'hello' };
  return { kind: 'event', via: 'socket', body: { type: 'event_callback', event_id: `Ev${index}`, event } };
}

function replica(db: Database, id: string, work: (ts: string) => Promise<void>): Intake {
  return intakeOf(db, id, async ({ body: { event } }) => {
    if (typeof event === 'object' && event !== null && 'ts' in event) await work(String(event.ts));
  });
}

function intakeOf(db: Database, id: string, processEvent: (event: ReceiverEvent) => Promise<void>): Intake {
  return createIntake({
    chat: 'slack',
    inbox: createInbox(db, id),
    app: () => ({ processEvent }),
    log: collectingLog(),
    metrics: countedMetrics(),
    newReference: () => 'ref',
    concurrency: 10,
  });
}

eachDatabase((open) => {
  describe('Slack events of a replica that was killed', () => {
    it('are handled by another one', async () => {
      const db = await open();
      const killed = new AbortController();
      const done: string[] = [];
      const one = replica(db, 'one', async (ts) => {
        // Half of them end; the others are cut off in the middle.
        if (Number(ts) % 2 === 0) done.push(ts);
        else await new Promise((resolve) => killed.signal.addEventListener('abort', resolve));
      });
      one.start();
      const taken = Array.from({ length: EVENTS }, (_, index) => one.take(message(index), () => undefined));
      expect(new Set(await Promise.all(taken))).to.deep.equal(new Set(['accepted']));
      await eventually(async () => {
        const { rows } = await db.pool.query('select * from inbox');
        return rows.length + done.length === EVENTS;
      });

      const two = replica(db, 'two', async (ts) => void done.push(ts));
      two.start();
      two.resume(await createInbox(db, 'two').claimOf('one', 'slack'));
      // Slack did not hear all of the acknowledgements.
      for (let index = 0; index < EVENTS; index++) {
        expect(await two.take(message(index), () => undefined)).to.equal('repeated');
      }
      await two.idle();
      expect(done.map(Number).sort((a, b) => a - b)).to.deep.equal(Array.from({ length: EVENTS }, (_, index) => index));
      expect((await db.pool.query('select * from inbox')).rows).to.deep.equal([]);
      killed.abort();
      await one.close();
    });

    it('so is a form that was sent, and whose answer its sender has', async () => {
      const db = await open();
      const done: string[] = [];
      const view = { id: 'V1', callback_id: 'form', state: { values: {} } };
      const body = { type: 'view_submission', trigger_id: 't1', user: { id: 'U1' }, team: { id: 'T1' }, view };
      const begun = Promise.withResolvers<void>();
      const one = intakeOf(db, 'killed', async ({ ack }) => {
        await ack();
        begun.resolve();
        await new Promise(() => undefined);
      });
      one.start();
      expect(await one.take({ kind: 'interactive', via: 'socket', body }, () => undefined)).to.equal('answered');
      await begun.promise;

      const two = intakeOf(db, 'other', async ({ body: taken }) => void done.push(String(taken['trigger_id'])));
      two.start();
      two.resume(await createInbox(db, 'other').claimOf('killed', 'slack'));
      await two.idle();
      expect(done).to.deep.equal(['t1']);
      expect((await db.pool.query("select * from inbox where chat = 'slack'")).rows).to.deep.equal([]);
    });
  });
});
