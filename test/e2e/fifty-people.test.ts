/** Fifty people ask for the same deployment at once, on two replicas. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/missing.ts';
import { POSTGRES_INSTALL, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.ts';
import { endAll, Guest, type Program, start } from '../support/program.ts';

const PEOPLE = 50;

describe('fifty people', function () {
  this.timeout(120_000);
  let folder: string;
  let postgres: Postgres | undefined;
  let db: Database | undefined;
  let replicas: readonly Program[];

  before(async function () {
    if (!postgresPrograms()) return needs(this, 'PostgreSQL', POSTGRES_INSTALL);
    folder = await mkdtemp(join(tmpdir(), 'shipmate-fifty-'));
    for (const name of ['config', 'service']) await mkdir(join(folder, name));
    await writeFile(join(folder, 'runs'), '');
    // Waits until it is let go; says what is live only after that.
    await writeFile(
      join(folder, 'service/deploy.mjs'),
      `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
appendFileSync(${JSON.stringify(join(folder, 'runs'))}, process.argv[2] + ' ' + process.env.SHIPMATE_DEPLOYMENT + '\\n');
const wait = setInterval(() => {
  if (!existsSync(${JSON.stringify(join(folder, 'go'))})) return;
  clearInterval(wait);
  writeFileSync(${JSON.stringify(join(folder, 'live'))}, JSON.stringify({ version: process.argv[2] }));
}, 10);
`,
    );
    await writeFile(
      join(folder, 'service/current.mjs'),
      `import { existsSync, readFileSync } from 'node:fs';
const file = ${JSON.stringify(join(folder, 'live'))};
console.log(existsSync(file) ? readFileSync(file, 'utf8') : '{}');
`,
    );
    await writeFile(
      join(folder, 'config/services.yaml'),
      `environments: {staging: {}}
services:
  web:
    target:
      kind: command
      folder: ${join(folder, 'service')}
      deploy: [node, deploy.mjs, '{version}']
      current: [node, current.mjs]
`,
    );
    await writeFile(join(folder, 'config/access.yaml'), "everyone: ['deploy:staging']\n");
    postgres = await startPostgres();
    const url = await postgres.database();
    db = await openDatabase({ url, log: quiet });
    replicas = await Promise.all(
      ['first', 'second'].map((name) =>
        start({
          data: join(folder, name),
          env: {
            DATABASE_URL: url,
            SHIPMATE_CONFIG: join(folder, 'config'),
            SHIPMATE_WEB_TOKEN: 'the-same-token-for-both-replicas',
          },
        }),
      ),
    );
  });
  after(async () => {
    await endAll();
    await db?.close();
    await postgres?.remove();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function states(): Promise<Record<string, number>> {
    const found = await db?.pool.query<{ state: string; n: number }>(
      'select state, count(*)::int as n from deployments group by state',
    );
    return Object.fromEntries(found?.rows.map(({ state, n }) => [state, n]) ?? []);
  }

  async function runs(): Promise<string[]> {
    return (await readFile(join(folder, 'runs'), 'utf8')).split('\n').filter(Boolean);
  }

  it('one deploys, the others wait in order, each gets an answer, and nothing runs twice', async () => {
    const guests = Array.from({ length: PEOPLE }, (_, index) => new Guest(`person${index}`));
    const watcher = guests[0];
    for (const [index, guest] of guests.entries()) {
      const replica = replicas[index % 2];
      if (replica !== undefined) await guest.connect(replica);
    }
    await Promise.all(guests.map((guest) => guest.say('general', 'shipmate deploy web v2 to staging')));
    await eventually(states, (found) => found['running'] === 1 && found['waiting'] === PEOPLE - 1, 30_000);
    // A card for each, with the place in line of each who waits.
    const shown = await eventually(
      async () =>
        (await watcher?.read('general', 0))?.map(({ html }) => html).filter((html) => html.includes('web v2')) ?? [],
      (found) =>
        found.filter((html) => html.includes('waits in line')).length === PEOPLE - 1 &&
        found.some((html) => html.includes(`Number ${PEOPLE - 1} in line`)),
      30_000,
    );
    const places = shown
      .filter((html) => html.includes('waits in line'))
      .map((html) => ({
        deployment: Number(/Deployment (\d+), asked for by/.exec(html)?.[1]),
        place: html.includes('Next in line') ? 1 : Number(/Number (\d+) in line/.exec(html)?.[1]),
      }))
      .toSorted((a, b) => a.deployment - b.deployment);
    expect(places.map(({ place }) => place)).to.deep.equal(Array.from({ length: PEOPLE - 1 }, (_, index) => index + 1));
    const people = shown.flatMap((html) => /asked for by (person\d+)/.exec(html)?.[1] ?? []);
    expect(people.toSorted()).to.deep.equal(guests.map(({ name }) => name).toSorted());
    expect(await runs()).to.have.length(1);

    await writeFile(join(folder, 'go'), '');
    await eventually(states, (found) => found['succeeded'] === 1 && found['cancelled'] === PEOPLE - 1, 60_000);
    expect(await runs()).to.have.length(1);
    const ended = await db?.pool.query<{ id: number }>(
      'select id::int as id from deployments order by finished_at, id',
    );
    const inOrder = ended?.rows.map(({ id }) => id) ?? [];
    expect(inOrder).to.deep.equal(inOrder.toSorted((a, b) => a - b));
    await eventually(
      async () => (await watcher?.read('general', 0))?.map(({ html }) => html) ?? [],
      (all) =>
        all.filter((html) => html.includes('was live already')).length === PEOPLE - 1 &&
        all.some((html) => html.includes('web v2 is live in staging')),
      30_000,
    );
  });
});
