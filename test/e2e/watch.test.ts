/** The end of a deployment and what follows, in the real program: told, watched, rolled back by a button and by the robot. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { WireMessage } from '../../src/adapters/chat/web/protocol.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { quiet } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { needs } from '../support/missing.ts';
import { freePort, POSTGRES_INSTALL, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.ts';
import { alert, endAll, Guest, launch, type Program, ready, start } from '../support/program.ts';
import { newId } from '../support/web-client.ts';

/** Rolls out by writing a file; a version called bad is live before the program fails, as no good program would leave it. */
const DEPLOY = `import { writeFileSync } from 'node:fs';
const [environment, version] = process.argv.slice(2);
console.log('::step Switching');
writeFileSync(environment + '.json', JSON.stringify({ version, since: new Date().toISOString() }));
if (version.startsWith('bad')) process.exit(3);
`;
const CURRENT = `import { existsSync, readFileSync } from 'node:fs';
const file = process.argv[2] + '.json';
console.log(existsSync(file) ? readFileSync(file, 'utf8') : '{}');
`;

function services(folder: string): string {
  return `environments:
  staging: {rollback_on: [alert, failure], rollback_severity: [critical], windows: ['mon-sun 00:00-24:00']}
  production: {announce: releases, watch: 15m}
services:
  shop:
    target: {kind: command, folder: ${folder}, deploy: [node, deploy.mjs, '{environment}', '{version}'], current: [node, current.mjs, '{environment}']}
`;
}

interface Fired {
  readonly name: string;
  readonly environment: string;
  readonly state?: 'firing' | 'resolved';
  readonly severity?: string;
  readonly at: Date;
}

function notice({ name, environment, state = 'firing', severity = 'critical', at }: Fired): object {
  const labels = { alertname: name, severity, service: 'shop', environment };
  return {
    version: '4',
    groupKey: `{}:{alertname="${name}"}`,
    truncatedAlerts: 0,
    status: state,
    receiver: 'shipmate',
    groupLabels: { alertname: name },
    commonLabels: labels,
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example.com',
    alerts: [
      {
        status: state,
        labels,
        annotations: {},
        startsAt: at.toISOString(),
        endsAt: state === 'resolved' ? new Date(at.getTime() + 1_000).toISOString() : '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus.example.com/graph',
        fingerprint: Buffer.from(name).toString('hex').padEnd(16, '0').slice(-16),
      },
    ],
  };
}

async function configure(folder: string): Promise<void> {
  for (const name of ['config', 'shop']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'shop/deploy.mjs'), DEPLOY);
  await writeFile(join(folder, 'shop/current.mjs'), CURRENT);
  await writeFile(join(folder, 'config/services.yaml'), services(join(folder, 'shop')));
  await writeFile(join(folder, 'config/access.yaml'), "everyone: ['deploy:*', 'alerts:*', 'audit:read']\n");
}

/** Messages with a card or a text that says all of this, in a room. */
async function found(guest: Guest, room: string, ...words: readonly string[]): Promise<readonly WireMessage[]> {
  const client = await guest.back();
  const { messages } = await client.ask({ t: 'history', room, after: 1 }, 'history');
  return messages.filter((message) => words.every((word) => JSON.stringify(message).includes(word)));
}

async function shown(guest: Guest, room: string, ...words: readonly string[]): Promise<WireMessage> {
  const [message] = await eventually(
    () => found(guest, room, ...words),
    (messages) => messages.length > 0,
    20_000,
  );
  if (message === undefined) throw new Error('not shown');
  return message;
}

async function deploy(guest: Guest, version: string, environment: string): Promise<void> {
  await guest.say('general', `shipmate deploy shop ${version} to ${environment}`);
  await shown(guest, 'general', `shop ${version} is live in ${environment}`);
}

describe('after a deployment', function () {
  this.timeout(120_000);
  let folder: string;
  let program: Program;
  let alice: Guest;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-watch-'));
    await configure(folder);
    program = await start({ data: join(folder, 'data'), env: { SHIPMATE_CONFIG: join(folder, 'config') } });
    alice = new Guest('alice');
    await alice.connect(program);
  });
  afterEach(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  it('tells other rooms and the person, ties an alert to it, and goes back at the press of a button', async () => {
    const before = new Date();
    await deploy(alice, 'v1', 'production');
    await deploy(alice, 'v2', 'production');
    await shown(alice, 'releases', 'shop v1 is live in production');
    await shown(alice, 'releases', 'shop v2 is live in production', 'Before: v1');
    const called = await shown(alice, 'general', 'mention', 'shop v2');
    expect(called.html).to.include('alice').and.include('is live in production');

    expect(await alert(program, notice({ name: 'Old', environment: 'production', at: before }))).to.equal(202);
    expect(await alert(program, notice({ name: 'Other', environment: 'staging', at: new Date() }))).to.equal(202);
    expect(await alert(program, notice({ name: 'Errors', environment: 'production', at: new Date() }))).to.equal(202);
    const fired = await shown(alice, 'ops', 'Errors', 'Deployed', 'shop v2 to production by alice');
    expect(fired.card?.actions.map(({ command }) => command)).to.include('rollback shop in production to v1');
    await shown(alice, 'general', '1 alert after shop v2 to production', 'Errors', 'mention');
    for (const name of ['Old', 'Other']) {
      const card = (await shown(alice, 'ops', name)).card;
      expect(JSON.stringify(card)).to.not.include('Deployed');
    }

    const client = await alice.back();
    await client.ask({ t: 'join', room: 'ops' }, 'room');
    const index = fired.card?.actions.findIndex(({ label }) => label === 'Roll back to v1') ?? -1;
    client.send({ t: 'press', id: newId(), message: fired.id, index });
    await shown(alice, 'releases', 'Rollback: shop v1 is live in production');
    const [after] = await eventually(
      () => found(alice, 'ops', 'Errors', 'Deployed'),
      ([card]) => card !== undefined && !JSON.stringify(card).includes('rollback shop'),
    );
    expect(after?.id).to.equal(fired.id);
    expect(await found(alice, 'releases', 'shop v1 is live in production')).to.have.length(2);
  });

  it('rolls back by itself once, when an alert of the right severity fires, and not its own rollback', async () => {
    await deploy(alice, 'v1', 'staging');
    await deploy(alice, 'v2', 'staging');
    await alert(program, notice({ name: 'Slow', environment: 'staging', severity: 'warning', at: new Date() }));
    await shown(alice, 'general', 'Slow', 'Roll back to v1');
    await alert(program, notice({ name: 'Errors', environment: 'staging', at: new Date() }));
    await shown(alice, 'general', 'I rolled back to', 'v1', 'Errors fires', 'mention');
    await shown(alice, 'general', 'shop v1 is live in staging', 'rolls back 2');
    await alert(program, notice({ name: 'More', environment: 'staging', at: new Date() }));
    await shown(alice, 'general', '1 alert after shop v1 to staging', 'More');
    await alice.say('general', 'shipmate audit');
    const audited = await shown(alice, 'general', 'Who changed what');
    expect(audited.card?.html).to.match(/shipmate in general.*rollback shop in staging to v1.*succeeded/s);
    await alice.say('general', 'shipmate deploys shop staging');
    const listed = await shown(alice, 'general', 'What runs where');
    expect(listed.card?.html).to.include('watched until').and.not.include('#4');
  });

  it('rolls back a failure that the target left live; a lock keeps it from that', async () => {
    await deploy(alice, 'v1', 'staging');
    await alice.say('general', 'shipmate deploy shop bad1 to staging');
    await shown(alice, 'general', 'shop bad1', 'to staging failed', 'mention');
    await shown(alice, 'general', 'I rolled back to', 'v1', 'deployment 2 failed');
    await deploy(alice, 'v2', 'staging');
    await alice.say('general', 'shipmate lock shop in production no more');
    await alice.say('general', 'shipmate deploy shop bad2 to staging');
    await shown(alice, 'general', 'I rolled back to', 'v2', 'deployment 5 failed');
    await deploy(alice, 'v3', 'staging');
    await alice.say('general', 'shipmate lock shop in staging we look at it');
    await shown(alice, 'general', 'shop in staging is locked');
    await alert(program, notice({ name: 'Errors', environment: 'staging', at: new Date() }));
    const held = await shown(alice, 'general', 'I do not roll back by myself', 'locked by alice', 'we look at it');
    expect(held.card?.actions.map(({ command }) => command)).to.include('rollback shop in staging to v2');
  });
});

/** Deployments in the record, after the program has ended. */
async function rollbacks(db: Database): Promise<readonly { state: string; version: string; open: number }[]> {
  const { rows } = await db.pool.query<{ state: string; version: string; open: number }>(
    `select state, version, (select count(*)::int from audit_begun
       where via = 'robot' and not exists (select from audit_ended where begun = audit_begun.id)) as open
     from deployments where rolls_back is not null`,
  );
  return rows;
}

describe('a rollback by the robot, killed in the middle', function () {
  this.timeout(180_000);
  let folder: string;
  afterEach(async () => {
    await endAll();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  for (const after of [0, 30, 120]) {
    it(`is done once, ${after} ms after the alert was taken`, async () => {
      folder = await mkdtemp(join(tmpdir(), 'shipmate-watch-kill-'));
      await configure(folder);
      const data = join(folder, 'data');
      const env = { SHIPMATE_CONFIG: join(folder, 'config') };
      const port = await freePort();
      let program = await start({ data, port, env });
      const alice = new Guest('alice');
      await alice.connect(program);
      await deploy(alice, 'v1', 'staging');
      await deploy(alice, 'v2', 'staging');
      expect(await alert(program, notice({ name: 'Errors', environment: 'staging', at: new Date() }))).to.equal(202);
      const taken = Date.now();
      await eventually(() => Date.now() - taken >= after);
      await program.end('SIGKILL');
      program = await launch({ data, port, env });
      await ready(program);
      await alice.connect(program);
      await shown(alice, 'general', 'I rolled back to', 'v1', 'Errors fires');
      await program.end('SIGTERM');
      const db = await openDatabase({ folder: data, log: quiet });
      try {
        expect(await rollbacks(db)).to.deep.equal([{ state: 'succeeded', version: 'v1', open: 0 }]);
        const { rows } = await db.pool.query<{ messages: number }>(
          `select count(*)::int as messages from messages
           where from_robot and content::text like any (array['%alert after shop v2%', '%Errors: firing%'])`,
        );
        expect(rows[0]?.messages, 'one message of the alert in each room').to.equal(2);
      } finally {
        await db.close();
      }
    });
  }
});

describe('a rollback by the robot on two replicas', function () {
  this.timeout(120_000);
  let folder: string;
  let postgres: Postgres | undefined;
  before(function () {
    if (!postgresPrograms()) return needs(this, 'PostgreSQL', POSTGRES_INSTALL);
  });
  afterEach(async () => {
    await endAll();
    await postgres?.remove();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('is done once, though both hear of alerts', async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-watch-two-'));
    await configure(folder);
    postgres = await startPostgres();
    const url = await postgres.database();
    const env = { DATABASE_URL: url, SHIPMATE_CONFIG: join(folder, 'config'), SHIPMATE_WEB_TOKEN: 'the-same-for-both' };
    const [first, second] = await Promise.all(
      ['first', 'second'].map((name) => start({ data: join(folder, name), env })),
    );
    if (!first || !second) throw new Error('two were started');
    const alice = new Guest('alice');
    await alice.connect(first);
    await deploy(alice, 'v1', 'staging');
    await deploy(alice, 'v2', 'staging');
    const at = new Date();
    const sent = Array.from({ length: 10 }, (_, index) =>
      alert(index % 2 ? first : second, notice({ name: `Errors${index >> 1}`, environment: 'staging', at })),
    );
    expect(new Set(await Promise.all(sent))).to.deep.equal(new Set([202]));
    await shown(alice, 'general', 'I rolled back to', '5 alerts after shop v2 to staging');
    const db = await openDatabase({ url, log: quiet });
    try {
      expect(await rollbacks(db)).to.deep.equal([{ state: 'succeeded', version: 'v1', open: 0 }]);
      const { rows } = await db.pool.query<{ count: number }>(
        `select count(*)::int as count from messages where from_robot and content::text like '%alerts after shop v2%'`,
      );
      expect(rows[0]?.count, 'one message of all the alerts').to.equal(1);
    } finally {
      await db.close();
    }
  });
});
