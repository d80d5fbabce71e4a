/**
 * Finding messages among 200,000, beside what one would write first: ILIKE on the same table, newest first.
 *
 *     node bench/history-search.ts [messages]
 *
 * Runs on the embedded database, and on the server of DATABASE_URL if it is set (an empty database: tables are made in it).
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { plain } from '../src/bot/card.ts';
import type { Logger } from '../src/bot/log.ts';
import { foldName } from '../src/domain/history/fold.ts';
import { createHistory } from '../src/domain/history/history.ts';
import { prepareMessage } from '../src/domain/history/prepare.ts';
import { type Database, openDatabase } from '../src/storage/database.ts';
import { createMessageStore } from '../src/storage/messages.ts';
import { migrate } from '../src/storage/migrate.ts';
import { markdown, type Table } from './figures.ts';

const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const COUNT = Number(process.argv[2] ?? 200_000);
const REPEATS = 15;

const QUERIES = [
  '"connection refused" from:alice since:7d',
  'ECONNREFUSED',
  'refused',
  '10.0.3.7',
  'payments-api',
  'v1.4.2',
  'deploy failed payments',
  'the',
  'in:ops timeout -staging',
  '"error budget" checkout',
  'zzznothinglikethis',
  'crashloop',
];

const WORDS =
  'the a to of and we is on in for it not again pod node deploy failed timeout error latency budget checkout restart looking rollback done alert firing resolved please check logs database replica primary queue worker cache certificate expired disk full memory cpu spike customer reports slow page thanks weird maybe after before this that staging production release branch merge build test flaky ingress proxy upstream connection'.split(
    ' ',
  );
const SERVICES = [
  'payments-api',
  'checkout-web',
  'ledger',
  'auth-proxy',
  'search-indexer',
  'mail-worker',
  'billing-cron',
];

/** The same messages at every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function sentence(next: () => number): string {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(next() * next() * list.length)];
  const words = Array.from({ length: 5 + Math.floor(next() * 20) }, () => pick(WORDS) ?? '');
  const dice = next();
  const service = SERVICES[Math.floor(next() * SERVICES.length)] ?? '';
  const ip = `10.0.${Math.floor(next() * 20)}.${Math.floor(next() * 60)}`;
  if (dice < 0.02) words.push(`connect ECONNREFUSED ${ip}:5432`);
  else if (dice < 0.03) words.push('dial tcp: connection refused');
  else if (dice < 0.3) words.push(service, `v1.${Math.floor(next() * 20)}.${Math.floor(next() * 10)}`);
  else if (dice < 0.4) words.push(`${service}-${Math.floor(next() * 2 ** 32).toString(16)}`, 'CrashLoopBackOff', ip);
  return words.join(' ');
}

async function fill(db: Database): Promise<void> {
  const store = createMessageStore(db, prepareMessage, foldName);
  const next = random(7);
  const people = ['Alice', 'Bob', 'Carol', 'Dan', 'Erin'];
  const rooms = ['ops', 'dev', 'incidents'];
  for (const [at, personName] of people.entries()) {
    for (const room of rooms) {
      const base = { chat: 'web', room, personId: `web:${at}`, personName, fromRobot: false, addressed: false };
      await store.record({ ...base, at: new Date(0), text: 'hello', private: false });
    }
  }
  const start = Date.now() - 365 * 86_400_000;
  for (let done = 0; done < COUNT; done += 1000) {
    const rows = Array.from({ length: 1000 }, (_, at) => {
      const prepared = prepareMessage({ text: sentence(next), addressed: false, fromRobot: false });
      const person = Math.floor(next() * people.length);
      return {
        id: done + at,
        room: rooms[Math.floor(next() * rooms.length)],
        person: `web:${person}`,
        name: people[person],
        at: new Date(start + ((done + at) / COUNT) * 365 * 86_400_000),
        text: prepared.text,
        search: prepared.searchText,
        lexemes: prepared.lexemes,
      };
    });
    await sql`insert into messages (chat, room, message_id, person_id, person_name, at, text, from_robot, addressed, private,
        search_text, lexemes)
      select 'web', x.room, 'b' || x.id, x.person, x.name, x.at, x.text, false, false, false, x.search,
        array_to_tsvector(array(select jsonb_array_elements_text(x.lexemes)))
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x (id int, room text, person text, name text,
        at timestamptz, text text, search text, lexemes jsonb)`.execute(db.sql);
  }
  await sql`analyze`.execute(db.sql);
}

async function measure(run: () => Promise<unknown>): Promise<{ median: number; worst: number }> {
  const times: number[] = [];
  for (let turn = 0; turn <= REPEATS; turn++) {
    const from = performance.now();
    await run();
    if (turn > 0) times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  return { median: times[Math.floor(times.length / 2)] ?? 0, worst: times.at(-1) ?? 0 };
}

async function bench(db: Database): Promise<void> {
  const filling = performance.now();
  await fill(db);
  const size = await sql<{
    all: string;
    index: string;
  }>`select pg_size_pretty(pg_total_relation_size('messages')) as all,
    pg_size_pretty(pg_relation_size('messages_lexemes')) as index`.execute(db.sql);
  const filled = ((performance.now() - filling) / 1000).toFixed(0);
  const store = createMessageStore(db, prepareMessage, foldName);
  const history = createHistory({ store, link: () => undefined, escape: plain });
  const rows: string[][] = [];
  const medians: number[] = [];
  for (const text of QUERIES) {
    const request = { text, viewer: 'web:1', now: new Date() };
    const result = await history.search(request);
    const ours = await measure(() => history.search(request));
    const words = text.match(/"[^"]+"|(?<![:\w-])[\w.-]+(?!\S*:)/g)?.filter((word) => !word.startsWith('-')) ?? [];
    const likes = words.map((word) => sql`text ilike ${`%${word.replaceAll('"', '')}%`}`);
    const rival = await measure(() =>
      sql`select * from messages where ${sql.join(likes, sql` and `)} order by id desc limit 300`.execute(db.sql),
    );
    medians.push(ours.median);
    const found = result.kind === 'found' ? result.total : 0;
    const milliseconds = ({ median, worst }: typeof ours): string => `${median.toFixed(1)} ms (${worst.toFixed(0)})`;
    rows.push([`\`${text}\``, String(found), milliseconds(ours), milliseconds(rival)]);
  }
  medians.sort((a, b) => a - b);
  const recording = await measure(() =>
    store.record({
      chat: 'web',
      room: 'ops',
      personId: 'web:1',
      personName: 'Bob',
      at: new Date(),
      text: sentence(random(Math.floor(performance.now()))),
      fromRobot: false,
      addressed: false,
      private: false,
    }),
  );
  const table: Table = {
    title: `Search in ${COUNT.toLocaleString('en')} messages, ${db.kind === 'server' ? 'PostgreSQL server' : 'embedded database'}`,
    head: ['query', 'found', 'Shipmate, median (worst)', 'ILIKE, median (worst)'],
    rows,
    notes: [
      `Median of all queries: ${medians[Math.floor(medians.length / 2)]?.toFixed(1)} ms. One more message is recorded in ${recording.median.toFixed(1)} ms (median).`,
      `${size.rows[0]?.all} in all, of it the index ${size.rows[0]?.index}; filled in ${filled} s.`,
    ],
  };
  console.log(markdown(table));
}

const folder = await mkdtemp(join(tmpdir(), 'shipmate-bench-'));
const url = process.env['DATABASE_URL'];
for (const where of url ? [{ folder }, { url }] : [{ folder }]) {
  const db = await openDatabase({ ...where, log: quiet });
  await migrate(db);
  await bench(db);
  await db.close();
}
await rm(folder, { recursive: true, force: true });
