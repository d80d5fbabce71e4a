/** A process for tests to kill: opens a data folder, says so, and does what it is told. */

import { openDatabase } from '../../src/storage/database.ts';
import { createJobs } from '../../src/storage/jobs.ts';
import { migrate } from '../../src/storage/migrate.ts';
import * as storage from '../../src/storage/migrations/0001-storage.ts';
import { createReplicas } from '../../src/storage/replicas.ts';

const [folder = '', task = 'wait'] = process.argv.slice(2);
const log = { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error };
const db = await openDatabase({ folder, log });
await migrate(db, { storage });
console.log('open');

if (task === 'write') {
  for (let n = 1; ; n++) {
    await db.pool.query('insert into setting (name, value) values ($1, $2)', [`n:${process.pid}:${n}`, String(n)]);
    console.log(`stored ${n}`);
  }
}
if (task === 'job') {
  const replicas = createReplicas(db, { log });
  const jobs = createJobs(db, { log, replicas });
  jobs.define('endless', {}, async () => {
    console.log('running');
    await new Promise(() => setInterval(() => undefined, 1000));
  });
  await replicas.start();
  await jobs.start();
  await jobs.send('endless', { from: 'the killed one' });
}
process.on('SIGTERM', () => void db.close().then(() => process.exit(0)));
setInterval(() => undefined, 1_000);
