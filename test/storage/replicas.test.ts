import { expect } from 'chai';
import * as storage from '../../src/storage/migrations/0001-storage.ts';
import { createReplicas } from '../../src/storage/replicas.ts';
import { eachDatabase, onEmbedded, onServer, quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { collectingLog } from '../support/log.ts';

const FAST = { log: quiet, beatMs: 20, lostAfterMs: 150 };

describe('replicas', () => {
  eachDatabase(
    (open) => {
      it('takes over what an earlier one left, before it has started', async () => {
        const db = await open();
        await db.pool.query(`insert into replica (id, seen_at) values ('old', now() - interval '1 hour')`);
        const replicas = createReplicas(db, FAST);
        const lost: string[] = [];
        replicas.onLost(async (id) => void lost.push(id));
        await replicas.start();
        expect(lost).to.deep.equal(['old']);
        await replicas.stop();
        expect((await db.pool.query('select id from replica')).rows).to.deep.equal([{ id: replicas.id }]);
      });
    },
    { storage },
  );

  describe('alone', () => {
    onEmbedded(
      (open) => {
        it('takes over at once from one that was here a moment ago', async () => {
          const db = await open();
          const killed = createReplicas(db, FAST);
          await killed.start();
          const next = createReplicas(db, FAST);
          const lost: string[] = [];
          next.onLost(async (id) => void lost.push(id));
          await next.start();
          expect(lost).to.deep.equal([killed.id]);
        });
      },
      { storage },
    );
  });

  onServer(
    (open) => {
      before(async () => {
        await (await open()).pool.query('delete from replica');
      });

      it('finds out that another has fallen silent, and not that it lives', async () => {
        const here = createReplicas(await open(), FAST);
        const there = createReplicas(await open.another(), FAST);
        const lost: string[] = [];
        here.onLost(async (id) => void lost.push(id));
        await here.start();
        await there.start();
        const db = await open();
        const before = await db.pool.query('select max(seen_at) as seen from replica where id = $1', [there.id]);
        await eventually(async () => {
          const now = await db.pool.query('select seen_at > $2 as later from replica where id = $1', [
            there.id,
            before.rows[0].seen,
          ]);
          return now.rows[0]?.later === true;
        });
        expect(lost).to.deep.equal([]);
        await there.stop();
        await eventually(() => lost.includes(there.id));
        await here.stop();
        await db.pool.query('delete from replica');
      });

      it('calls again when taking over failed', async () => {
        const log = collectingLog();
        const db = await open();
        await db.pool.query(
          `insert into replica (id, seen_at, lost_at) values ('gone', now(), now() - interval '1 minute')`,
        );
        const replicas = createReplicas(db, { ...FAST, log });
        let calls = 0;
        replicas.onLost(async () => {
          calls++;
          if (calls === 1) throw new Error('not yet');
        });
        await replicas.start();
        expect(calls).to.equal(1);
        await db.pool.query(`update replica set lost_at = now() - interval '1 minute' where id = 'gone'`);
        await eventually(() => calls === 2);
        await eventually(async () => (await db.pool.query(`select from replica where id = 'gone'`)).rowCount === 0);
        expect(log.messages()).to.include('taking over failed');
        await replicas.stop();
      });

      it('announces itself again when others took it for dead', async () => {
        const db = await open();
        const log = collectingLog();
        const replicas = createReplicas(db, { ...FAST, log });
        await replicas.start();
        await db.pool.query('delete from replica where id = $1', [replicas.id]);
        await eventually(
          async () => (await db.pool.query('select from replica where id = $1', [replicas.id])).rowCount === 1,
        );
        expect(log.messages()).to.include('others took this replica for dead, announcing it again');
        await replicas.stop();
      });
    },
    { storage },
  );
});
