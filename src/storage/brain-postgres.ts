/** The brain in the database, one row a key. */

import { randomUUID } from 'node:crypto';
import type { BrainEntry, BrainKind, BrainStorage } from './brain.ts';
import { escapeKey, nameOf, namesFrom, unescapeKey } from './brain.ts';
import type { Database } from './database.ts';

interface Row {
  kind: BrainKind;
  key: string;
  value: string;
}

const CHANNEL = 'brain';
const LONGEST = 6_000;

/** Keys in table `brain`. Closing it leaves the database open. */
export function postgresBrain(db: Database): BrainStorage {
  const me = randomUUID();
  const endings: (() => void)[] = [];

  return {
    async load() {
      const { rows } = await db.pool.query<Row>('select kind, key, value from brain order by kind, key');
      return rows.map(entry);
    },

    async loadSome(names) {
      const { rows } = await db.pool.query<Row>(
        `select brain.kind, brain.key, brain.value from brain
         join unnest($1::text[], $2::text[]) as asked (kind, key) using (kind, key)`,
        [names.map((name) => name.kind), names.map((name) => escapeKey(name.key))],
      );
      return rows.map(entry);
    },

    async write(changes) {
      const kept = changes.filter((change) => change.value !== undefined);
      const gone = changes.filter((change) => change.value === undefined);
      await db.pool.query(
        `with gone as (
           delete from brain using unnest($4::text[], $5::text[]) as old (kind, key)
           where brain.kind = old.kind and brain.key = old.key
         )
         insert into brain (kind, key, value)
         select * from unnest($1::text[], $2::text[], $3::text[]) as fresh (kind, key, value) order by kind, key
         on conflict (kind, key) do update set value = excluded.value, changed_at = now()`,
        [
          kept.map((change) => change.kind),
          kept.map((change) => escapeKey(change.key)),
          kept.map((change) => change.value),
          gone.map((change) => change.kind),
          gone.map((change) => escapeKey(change.key)),
        ],
      );
      const names = changes.map(nameOf);
      const long = Buffer.byteLength(JSON.stringify(names)) > LONGEST;
      // It is stored; a replica that hears nothing looks at everything when its bus is back.
      await db.bus.publish(CHANNEL, { from: me, names: long ? 'all' : names }).catch(() => undefined);
    },

    onChange(listener) {
      const stopBus = db.bus.subscribe(CHANNEL, (payload) => {
        const names = namesFrom(payload, me);
        if (names) listener(names);
      });
      const stopGap = db.bus.onGap(() => listener('all'));
      const end = () => {
        stopBus();
        stopGap();
      };
      endings.push(end);
      return end;
    },

    async close() {
      for (const end of endings) end();
    },
  };
}

function entry(row: Row): BrainEntry {
  return { kind: row.kind, key: unescapeKey(row.key), value: row.value };
}
