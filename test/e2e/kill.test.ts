/** `kill -9` at any moment, while people talk, deploy, and alerts come in: what was acknowledged is there afterwards, once. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { chance } from '../support/chaos.ts';
import { quiet } from '../support/database.ts';
import { eventually, inMotion } from '../support/eventually.ts';
import { needs } from '../support/missing.ts';
import { freePort, POSTGRES_INSTALL, type Postgres, postgresPrograms, startPostgres } from '../support/postgres.ts';
import { alert, endAll, Guest, launch, notification, type Program, ready } from '../support/program.ts';

/** Something that was said; `id` once the program has acknowledged it. */
interface Line {
  readonly clientId: string;
  readonly room: string;
  readonly text: string;
  readonly kind: 'talk' | 'read' | 'deploy';
  /** A word that stands in this line and in the answer to it, and nowhere else. */
  readonly word: string;
  readonly thread?: number;
  id?: number;
}

interface Heard {
  readonly name: string;
  readonly state: 'firing' | 'resolved';
  readonly startsAt: Date;
}

interface Story {
  readonly lines: Line[];
  /** Answered with 202, the last state of each group. */
  readonly accepted: Map<string, Heard>;
  /** Not answered: sent again after the restart, as Alertmanager does. */
  readonly unanswered: Map<string, Heard>;
}

async function kills(
  count: number,
  seed: number,
  data: string,
  env: Readonly<Record<string, string>>,
  settled: () => Promise<boolean>,
): Promise<Story> {
  const dice = chance(seed);
  const port = await freePort();
  const alice = new Guest('alice');
  const story: Story = { lines: [], accepted: new Map(), unanswered: new Map() };
  const roomIds = new Map<string, number>();
  let made = 0;
  let program: Program | undefined;

  async function say(line: Line): Promise<boolean> {
    const said = await alice.say(line.room, line.text, {
      id: line.clientId,
      ...(line.thread !== undefined && { thread: line.thread }),
    });
    if (said.kind === 'refused') throw new Error(`refused: ${line.text}: ${said.problem}`);
    if (said.kind === 'lost') return false;
    if (line.id !== undefined) expect(said.id, `the same line again: ${line.text}`).to.equal(line.id);
    line.id = said.id;
    return true;
  }

  function line(kind: Line['kind'], room: string, text: (word: string) => string, thread?: number): Line {
    const word = `word${seed}x${++made}x`;
    const one = {
      clientId: `kill-${word}`,
      room,
      text: text(word),
      kind,
      word,
      ...(thread !== undefined && { thread }),
    };
    story.lines.push(one);
    return one;
  }

  async function talk(own: string): Promise<void> {
    for (;;) {
      const what = dice.between(1, 6);
      const room = dice.pick(['general', 'ops', own]);
      const name = room === own ? '' : 'shipmate ';
      if (what <= 2) {
        if (!(await say(line('talk', dice.pick(['general', 'ops']), (word) => `we look at ${word}`)))) return;
      } else if (what <= 4) {
        if (!(await say(line('read', room, (word) => `${name}help ${word}`)))) return;
      } else if (what <= 5) {
        // A thread of its own, so that deployment, audit row and answer are known to belong to it.
        const root = line('talk', 'general', (word) => `now ${word} goes out`);
        if (!(await say(root)) || root.id === undefined) return;
        const version = dice.pick(['v1', 'v2', 'v3-broken']);
        const where = dice.pick(['staging', 'production']);
        if (!(await say(line('deploy', 'general', () => `shipmate deploy hello ${version} to ${where}`, root.id))))
          return;
      } else await pause(dice.between(0, 120));
      // As fast as a person may.
      await pause(dice.between(10, 70));
    }
  }

  async function ring(at: Program): Promise<void> {
    for (const heard of story.unanswered.values()) if (!(await post(at, heard))) return;
    for (;;) {
      const again = [...story.accepted.values()].filter(({ state }) => state === 'firing');
      const old = again[dice.between(0, Math.max(0, again.length - 1))];
      const heard: Heard =
        old && dice.next() < 0.5
          ? { ...old, state: 'resolved' }
          : { name: `Alert${seed}x${++made}x`, state: 'firing', startsAt: new Date() };
      if (!(await post(at, heard))) return;
      await pause(dice.between(20, 120));
    }
  }

  async function post(at: Program, heard: Heard): Promise<boolean> {
    story.unanswered.set(heard.name, heard);
    const answered = await alert(at, notification(heard.name, heard.state, heard.startsAt)).catch(() => undefined);
    if (answered === undefined) return false;
    expect(answered, 'status of the hook').to.equal(202);
    story.unanswered.delete(heard.name);
    story.accepted.set(heard.name, heard);
    return true;
  }

  /** What was acknowledged in the last rounds stands in its room, once. */
  async function look(): Promise<void> {
    for (const room of ['general', 'ops']) {
      const from = roomIds.get(room) ?? 0;
      const found = await alice.read(room, from);
      for (const said of story.lines) {
        if (said.id === undefined || said.id <= from || said.room !== room || said.thread !== undefined) continue;
        const there = found.filter(({ id }) => id === said.id);
        expect(there, `${said.text} in #${room}`).to.have.length(1);
      }
      roomIds.set(room, found.at(-1)?.id ?? from);
    }
  }

  async function connect(at: Program): Promise<string> {
    const client = await alice.connect(at);
    const welcome = client.frames.find((frame) => frame.t === 'welcome');
    if (welcome?.t !== 'welcome') throw new Error('no welcome');
    return welcome.robot.room;
  }

  for (let round = 1; round <= count; round++) {
    program = await launch({ data, port, env });
    // Some die before they are ready.
    if (round > 1 && dice.next() < 0.2) {
      await pause(dice.between(100, 1_200));
    } else {
      await ready(program);
      const own = await connect(program);
      await look();
      const at = program;
      const busy = (async () => {
        // A browser sends again what was not acknowledged.
        for (const open of story.lines.filter(({ id }) => id === undefined)) if (!(await say(open))) return;
        await Promise.all([talk(own), ring(at)]);
      })();
      const killed = pause(dice.between(30, 850)).then(() => at.end('SIGKILL'));
      await Promise.all([busy, killed]);
    }
    await program.end('SIGKILL');
  }

  const lastStart = performance.now();
  // The last start: everything is worked off, all that waits in line included, and a new deploy comes after it.
  program = await launch({ data, port, env });
  await ready(program);
  await connect(program);
  await look();
  for (const open of story.lines.filter(({ id }) => id === undefined)) await say(open);
  for (const heard of story.unanswered.values()) await post(program, heard);
  for (const environment of ['staging', 'production']) {
    const versions = ['v1', 'v2'];
    let told = '';
    // One of the two is not live yet; what was interrupted may just be finished by its own job.
    for (let tries = 0; !told.includes('"tone":"good"'); tries += 1) {
      expect(tries, `deployments to ${environment} after all was worked off; the last one: ${told}`).to.be.below(4);
      versions.reverse();
      const said = await alice.say('general', `shipmate deploy hello ${versions[0]} to ${environment}`);
      if (said.kind !== 'stored') throw new Error(`not stored: ${JSON.stringify(said)}`);
      // Its card tells how the line in front of it grows shorter.
      told = await inMotion(
        async () => {
          const answers = (await alice.read('general', said.id)).map(({ html }) => html);
          return answers.filter((html) => html.includes(environment)).join('\n');
        },
        (seen) => seen.split('\n').some((html) => html !== '' && !/Deploying|waits in line/.test(html)),
        GOES_ON_MS,
      );
    }
  }
  // With a server, the work of the last one that was killed is taken over when it has been silent for long enough.
  await eventually(settled, Boolean, GOES_ON_MS);
  console.log(
    `      all that was left was done ${Math.round((performance.now() - lastStart) / 1000)} s after the last start`,
  );
  const stopped = await program.end('SIGTERM');
  expect(stopped, program.log().slice(-2_000)).to.deep.equal({ code: 0, signal: null });
  return story;
}

async function many<T extends object>(db: Database, query: string, values: readonly unknown[] = []): Promise<T[]> {
  return (await db.pool.query<T>(query, [...values])).rows;
}

async function one(db: Database, query: string): Promise<number> {
  const [row] = await many<{ n: number }>(db, `select count(*) as n from (${query}) counted`);
  return row?.n ?? -1;
}

/** How long nothing at all may happen while what waits in line is worked off. */
const GOES_ON_MS = 60_000;

const UNHANDLED = 'select id from messages where owner is not null and handled_at is null';
/** Everything that a killed replica may have left for the others. */
const LEFT = `${UNHANDLED}
  union all select id from audit_begun b where not exists (select 1 from audit_ended e where e.begun = b.id)
  union all select id from deployments where state in ('waiting', 'queued', 'running')
  union all select id from post where delivered_revision < revision
  union all select id from hook_events where handled_at is null`;

/** What must be true of the record when everything is over. */
async function judge(db: Database, { lines, accepted }: Story): Promise<void> {
  // Every line was stored once, and none of them waits.
  const stored = await many<{ id: number; client_id: string; text: string }>(
    db,
    `select id, client_id, text from messages where client_id like 'kill-%' order by id`,
  );
  const byClient = new Map(stored.map((row) => [row.client_id, row]));
  expect(stored.length, 'lines stored').to.equal(byClient.size);
  for (const said of lines) {
    const row = byClient.get(said.clientId);
    expect(row?.id, `stored: ${said.text}`).to.equal(said.id);
    expect(row?.text).to.equal(said.text);
  }
  expect(await one(db, UNHANDLED), 'unhandled').to.equal(0);

  // Every command that only reads was answered, once.
  const answers = await many<{ text: string }>(
    db,
    `select text || coalesce(content::text, '') as text from messages where from_robot`,
  );
  for (const said of lines.filter(({ kind }) => kind === 'read')) {
    const found = answers.filter(({ text }) => text.includes(said.word));
    expect(found.length, `answers to ${said.text}: ${JSON.stringify(found)}`).to.equal(1);
  }

  // Every change ran at most once, has an end in the audit trail, and the person was told.
  const audits = await many<{ source: string; outcome: string | null; detail: string | null }>(
    db,
    `select source, outcome, detail from audit_begun left join audit_ended on begun = id where command_id = 'deploy.start'`,
  );
  const deployments = await many<{ id: number; thread: string | null; state: string; announced: boolean }>(
    db,
    'select id, thread, state, announced_at is not null as announced from deployments',
  );
  const cards = await many<{ key: string; messages: number }>(
    db,
    `select key, count(distinct message_id) as messages from post where key is not null group by key`,
  );
  for (const said of lines.filter(({ kind }) => kind === 'deploy')) {
    const audited = audits.filter(({ source }) => source === `web:general:${said.id}`);
    const [audit] = audited;
    const ran = deployments.filter(({ thread }) => thread === String(said.thread));
    const told = await many<{ text: string }>(
      db,
      `select text || coalesce(content::text, '') as text from messages where from_robot and room = 'general' and thread = $1`,
      [String(said.thread)],
    );
    const about = `${said.text}, message ${said.id}: ${JSON.stringify({ audited, ran, told })}`;
    expect(audited.length, `audit rows of ${about}`).to.equal(1);
    expect(audit?.outcome, about).to.be.oneOf(['succeeded', 'failed', 'interrupted']);
    expect(ran.length, `deployments of ${about}`).to.be.at.most(1);
    if (audit?.outcome === 'succeeded') expect(ran.length, about).to.equal(1);
    const [deployment] = ran;
    if (deployment && audit?.outcome !== 'interrupted') expect(audit?.outcome, about).to.equal(deployment.state);
    // The card, an answer of the command, and the line that calls the person when it did not go well or took long.
    expect(told.length, `answers to ${about}`).to.be.within(1, ran.length === 0 ? 1 : 3);
    const calls = told.filter(({ text }) => text.includes('(person:'));
    expect(calls.length, `calls of ${about}`).to.be.at.most(ran.length);
  }
  for (const { id, state, announced } of deployments) {
    // Cancelled: its version was live already when its turn came.
    expect(state, `deployment ${id}`).to.be.oneOf(['succeeded', 'failed', 'interrupted', 'cancelled']);
    expect(announced, `deployment ${id} was told`).to.equal(true);
    expect(cards.find(({ key }) => key === `deploy:${id}`)?.messages, `messages of deployment ${id}`).to.equal(1);
  }
  expect(
    await one(db, 'select id from audit_begun where not exists (select from audit_ended where begun = id)'),
    'audit rows without an end',
  ).to.equal(0);

  // Every alert is there as it was last heard, on one card.
  const alerts = await many<{ number: number; state: string; name: string; messages: number }>(
    db,
    `select number, state, group_labels ->> 'alertname' as name,
       (select count(distinct (chat, room, message_id)) from post where key = 'alert:' || number) as messages from alerts`,
  );
  for (const heard of accepted.values()) {
    const found = alerts.filter(({ name }) => name === heard.name);
    expect(found.length, `cards of ${heard.name}: ${JSON.stringify(found)}`).to.equal(1);
    expect(found[0]?.state, heard.name).to.equal(heard.state);
    expect(found[0]?.messages, `messages of ${heard.name}`).to.equal(1);
    const shown = answers.filter(({ text }) => text.includes(`${heard.name}:`));
    expect(shown.length, `messages that show ${heard.name}`).to.equal(1);
  }

  // Nothing waits any more.
  expect(await one(db, 'select id from hook_events where handled_at is null'), 'hook events').to.equal(0);
  expect(await one(db, 'select id from post where delivered_revision < revision'), 'posts').to.equal(0);
  expect(await one(db, `select id from deployments where state in ('waiting', 'queued', 'running')`), 'locks').to.equal(
    0,
  );
}

/** Processes that work for a service of that data folder. */
async function leftovers(data: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (environment.includes(`SHIPMATE_SERVICE_DATA=${data}`)) found.push(pid);
  }
  return found;
}

describe('kill -9', function () {
  this.timeout(300_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shipmate-kill-'));
  });
  afterEach(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);

  async function check(
    count: number,
    env: Readonly<Record<string, string>>,
    database: () => Promise<Database>,
    settled: () => Promise<boolean> = async () => true,
  ) {
    console.log(`      KILL_SEED=${seed}`);
    const story = await kills(count, seed, folder, env, settled);
    const of = (kind: Line['kind']) => story.lines.filter((line) => line.kind === kind).length;
    console.log(
      `      ${of('talk')} said, ${of('read')} asked, ${of('deploy')} deploys, ${story.accepted.size} alerts, ${count} kills`,
    );
    await eventually(
      () => leftovers(folder),
      (found) => found.length === 0,
    );
    const db = await database();
    try {
      await judge(db, story);
    } finally {
      await db.close();
    }
  }

  it('fifty times on the embedded database: nothing acknowledged is lost or doubled', async () => {
    await check(Number(process.env['KILLS'] ?? 50), {}, () => openDatabase({ folder, log: quiet }));
  });

  describe('with a PostgreSQL server', () => {
    let postgres: Postgres | undefined;

    before(async function () {
      if (!postgresPrograms()) return needs(this, 'PostgreSQL', POSTGRES_INSTALL);
      postgres = await startPostgres();
    });
    after(() => postgres?.remove());

    it('ten times: nothing acknowledged is lost or doubled', async () => {
      const url = (await postgres?.database()) ?? '';
      const open = () => openDatabase({ url, log: quiet });
      const onlooker = await open();
      try {
        await check(10, { DATABASE_URL: url }, open, async () => (await one(onlooker, LEFT)) === 0);
      } finally {
        await onlooker.close();
      }
    });
  });
});
