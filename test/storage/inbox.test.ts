/** The inbox: an event is stored once, whoever gets it and by whichever of its names. */

import { expect } from 'chai';
import { createInbox } from '../../src/storage/inbox.ts';
import { eachDatabase, onServer } from '../support/database.ts';

function event(names: readonly string[], more: { chat?: string; body?: Record<string, unknown> } = {}) {
  return { chat: more.chat ?? 'slack', kind: 'event' as const, body: more.body ?? { hello: 'you' }, names };
}

eachDatabase((open) => {
  describe('inbox', () => {
    beforeEach(async () => {
      await (await open()).pool.query('truncate inbox, inbox_name');
    });

    it('takes an event once by any of its names', async () => {
      const inbox = createInbox(await open(), 'one');
      const saved = await inbox.save(event(['event:1', 'message:C1:1.0']));
      expect(saved).to.include({ chat: 'slack', kind: 'event' });
      expect(saved?.body).to.deep.equal({ hello: 'you' });
      expect(await inbox.save(event(['event:1', 'message:C1:1.0']))).to.equal(undefined);
      // The same post as app_mention.
      expect(await inbox.save(event(['event:2', 'message:C1:1.0']))).to.equal(undefined);
      expect(await inbox.save(event(['event:3', 'message:C1:2.0']))).to.not.equal(undefined);
    });

    it('keeps the names of each chat apart', async () => {
      const inbox = createInbox(await open(), 'one');
      expect(await inbox.save(event(['event:1']))).to.not.equal(undefined);
      expect(await inbox.save(event(['event:1'], { chat: 'slack-emea' }))).to.not.equal(undefined);
    });

    it('remembers the names when the event is handled, and nothing of its body', async () => {
      const { pool } = await open();
      const inbox = createInbox(await open(), 'one');
      const saved = await inbox.save(event(['event:1'], { body: { text: 'between us' } }));
      await inbox.handled(saved?.id ?? 0);
      expect(await inbox.save(event(['event:1']))).to.equal(undefined);
      const { rows } = await pool.query('select * from inbox');
      expect(rows).to.deep.equal([]);
      expect(JSON.stringify((await pool.query('select * from inbox_name')).rows)).to.not.contain('between us');
    });

    it('gives one of many attempts at the same moment the event', async () => {
      const inbox = createInbox(await open(), 'one');
      const attempts = Array.from({ length: 20 }, (_, index) =>
        inbox.save(event([`event:${index}`, 'message:C1:1.0'])),
      );
      const saved = (await Promise.all(attempts)).filter((each) => each !== undefined);
      expect(saved).to.have.lengthOf(1);
    });

    it('hands over what a lost replica has not handled, in order', async () => {
      const db = await open();
      const lost = createInbox(db, 'lost');
      const heir = createInbox(db, 'heir');
      for (const name of ['event:1', 'event:2', 'event:3']) await lost.save(event([name], { body: { name } }));
      const handled = await lost.save(event(['event:4']));
      await lost.handled(handled?.id ?? 0);
      const left = await heir.claimOf('lost', 'slack');
      expect(left.map(({ body }) => body['name'])).to.deep.equal(['event:1', 'event:2', 'event:3']);
      expect(await heir.claimOf('lost', 'slack')).to.deep.equal([]);
      expect(await heir.claimOf('heir', 'slack-emea')).to.deep.equal([]);
      // Now its own: should it be lost as well.
      expect(await lost.claimOf('heir', 'slack')).to.have.lengthOf(3);
    });

    it('takes any text that somebody sends', async () => {
      const inbox = createInbox(await open(), 'one');
      const body = { text: 'a\0b \ud800 "\\u0000" 👀', blocks: [{ type: 'rich_text' }], empty: null };
      await inbox.save(event(['event:\0odd'], { body }));
      const [stored] = await createInbox(await open(), 'two').claimOf('one', 'slack');
      expect(stored?.body).to.deep.equal(body);
    });

    it('forgets names after a day, but not of what is not handled', async () => {
      const { pool } = await open();
      const inbox = createInbox(await open(), 'one');
      const done = await inbox.save(event(['event:done']));
      await inbox.save(event(['event:open']));
      await inbox.handled(done?.id ?? 0);
      await pool.query(`update inbox_name set at = now() - interval '25 hours'`);
      await inbox.save(event(['event:today']));
      await inbox.purge();
      expect(await inbox.save(event(['event:done']))).to.not.equal(undefined);
      expect(await inbox.save(event(['event:open']))).to.equal(undefined);
      expect(await inbox.save(event(['event:today']))).to.equal(undefined);
    });

    it('forgets what nobody has handled in a week', async () => {
      const { pool } = await open();
      const inbox = createInbox(await open(), 'one');
      await inbox.save(event(['event:1'], { chat: 'slack-gone' }));
      await pool.query(`update inbox set received_at = now() - interval '8 days'`);
      await inbox.purge();
      expect(await createInbox(await open(), 'two').claimOf('one', 'slack-gone')).to.deep.equal([]);
    });
  });
});

onServer((open) => {
  describe('inbox of several replicas', () => {
    it('gives one of two replicas the event', async () => {
      const here = createInbox(await open(), 'here');
      const there = createInbox(await open.another(), 'there');
      const saved = await Promise.all(
        Array.from({ length: 200 }, (_, index) => {
          const names = [`event:${index}`, `message:C1:${index % 100}`];
          return (index % 2 === 0 ? here : there).save(event(index % 3 === 0 ? names : names.reverse()));
        }),
      );
      expect(saved.filter((each) => each !== undefined)).to.have.lengthOf(100);
    });
  });
});
