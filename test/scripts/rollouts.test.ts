/** Going back and on, rules and approvals in a room: real robot, dispatch, database and command target. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { servicesSchema } from '../../src/config/services.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import { auditEnd } from '../../src/domain/deploy/outcome.ts';
import type { NewDeployment } from '../../src/domain/deploy/ports.ts';
import { createAuditStore } from '../../src/storage/audit.ts';
import type { Database } from '../../src/storage/database.ts';
import { createLockStore } from '../../src/storage/deploy-locks.ts';
import { createDeployStore } from '../../src/storage/deploys.ts';
import { type InMemoryCommands, inMemoryCommands } from '../support/commands.ts';
import { testDatabase } from '../support/database.ts';
import { clock, quickServices, ROOT, type TestDeploys, testDeploys } from '../support/deploys.ts';
import { everybodyInside } from '../support/people.ts';
import { Helper, Room } from '../support/room.ts';

const ONE = 'approval: { expires: 30m }';
const TWO = 'approval: { count: 2 }';

describe('scripts/rollouts.ts', function () {
  this.timeout(60_000);
  let db: Database;
  let data: string;
  let room: Room;
  let ours: TestDeploys;
  let commands: InMemoryCommands;
  let now: Date;
  let posted: string[];

  before(async () => {
    db = await testDatabase();
  });
  after(() => db.close());

  beforeEach(async () => {
    now = new Date('2026-11-20T12:00:00Z');
    posted = [];
    await db.pool.query(
      'truncate deployments, deploy_locks, audit_begun, audit_ended, audit_handed_over restart identity',
    );
    data = await mkdtemp(join(tmpdir(), 'rollouts-'));
  });
  afterEach(async () => {
    await ours.idle();
    await room.destroy();
    await rm(data, { recursive: true, force: true });
  });

  /** @param production what config/services.yaml says of production */
  async function open(production = ''): Promise<void> {
    const source = `environments: { staging: , production: { ${production} } }`;
    const read = parseYaml(source, 'config/services.yaml', servicesSchema);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    const config = { ...(await quickServices(data)), environments: read.value.environments };
    const audit = createAuditStore(db, 'here');
    ours = await testDeploys(db, data, {
      config,
      clock: { ...clock, now: () => now },
      async post(address, content, key) {
        posted.push(`${address.room} ${key}`);
        await commands.post(address, content, { key });
      },
      may: ({ id, name }, permission) => commands.access().can({ id, name, chat: 'test' }, permission),
      ended: async (deployment, state, reason) => {
        const { outcome, detail } = auditEnd(deployment, state, reason);
        if (deployment.audit !== undefined) await audit.end(deployment.audit, outcome, detail, new Date());
      },
    });
    commands = inMemoryCommands({
      now: () => now,
      policy: {
        roles: {
          deployer: ['deploy:staging', 'deploy:production'],
          approver: ['deploy:approve:production'],
          boss: ['deploy:production', 'deploy:override:production'],
        },
        everyone: ['deploy:staging'],
        people: {
          'test:alice': ['deployer'],
          'test:bob': ['deployer', 'approver'],
          'test:carol': ['approver'],
          'test:dave': ['boss', 'approver'],
          'test:carol2': ['approver'],
        },
      },
      // carol has two accounts.
      people: { ...everybodyInside, samePerson: async (one, other) => one.replace('2', '') === other.replace('2', '') },
      direct: ({ id }) => (id === 'test:dave' ? undefined : `with ${id}`),
      services: { deploys: ours.deploys, audit },
      ports: { audit },
      names: {
        services: () => config.services.map(({ name }) => name),
        environments: () => config.environments.map(({ name }) => name),
      },
    });
    const scripts = ['deploy', 'rollouts', 'proposals', 'audit'].map((name) => `${ROOT}scripts/${name}.ts`);
    room = await new Helper(scripts).createRoom({ name: 'ops', prepare: commands.prepare });
  }

  /** Says it, waits for what came of it, and gives what was said since. */
  async function say(who: string, text: string): Promise<string> {
    const before = room.messages.length;
    await room.user.say(who, `hubot ${text}`);
    await ours.idle();
    return room.messages
      .slice(before + 1)
      .map(([, said]) => said)
      .join('\n')
      .replaceAll('\\', '');
  }

  async function live(environment: string): Promise<string | undefined> {
    const [place] = await ours.deploys.list({ service: 'hello', environment });
    return place?.live.kind === 'live' ? place.live.version : place?.live.kind;
  }

  /** What came of the last change, by the audit trail. */
  async function audited(): Promise<string> {
    const [row] = await createAuditStore(db, 'here').list({ limit: 1 });
    return `${row?.text} ${row?.outcome} ${row?.detail} ${row?.approvedBy ?? ''}`.trim();
  }

  describe('back and on', () => {
    it('rolls back to what was live before, and not there and back again', async () => {
      await open();
      expect(await say('alice', 'rollback hello in staging')).to.contain('no version of hello that was ever live');
      await say('alice', 'deploy hello v1 to staging');
      expect(await say('alice', 'rollback hello in staging')).to.contain('live in staging before v1');
      await say('alice', 'deploy hello v2 to staging');
      await say('alice', 'deploy hello v3-broken to staging');
      expect(await say('alice', 'roll back hello in staging')).to.contain('hello v1 is live in staging');
      expect(await live('staging')).to.equal('v1');
      expect(await say('alice', 'rollback hello in staging')).to.contain('live in staging before v1');
      expect(await say('alice', 'rollback hello in staging to v2')).to.contain('hello v2 is live in staging');
      expect(await say('alice', 'rollback hello in staging to v3-broken')).to.match(/never live in staging.*`v1`/);
      expect(await say('mallory', 'rollback hello in production')).to.contain('`deploy:production`');
    });

    it('goes back from nothing that is not known yet', async () => {
      await open();
      await say('alice', 'deploy hello v1 to staging');
      const store = createDeployStore(db);
      const place = { service: 'hello', environment: 'staging' };
      const by = { id: 'test:bob', name: 'bob' };
      await store.start({
        ...place,
        version: 'v2',
        previous: 'v1',
        by,
        origin: { chat: 'test', room: 'ops' },
        at: now,
      });
      await store.next(place, now);
      expect(await say('alice', 'rollback hello in staging'))
        .to.contain('bob is deploying hello v2 to staging (#2)')
        .and.contain('`cancel 2` stops it; or name the version: `rollback hello in staging to v1`');
      expect(await say('alice', 'rollback hello in staging to v1 --dry-run')).to.contain('would wait in line');
    });

    it('goes back to what others had brought before a deployment of its own failed', async () => {
      await open();
      await say('alice', 'deploy hello v1 to staging');
      await say('alice', 'deploy hello v2 to staging');
      await say('alice', 'deploy hello v3-broken to staging');
      await say('alice', 'deploy hello v1 to staging');
      // As if somebody else had brought v2 and gone back to v1: the record knows of v2 only from what failed.
      await db.pool.query("delete from deployments where version = 'v2'");
      await db.pool.query("update deployments set previous = null where state = 'succeeded'");
      expect(await say('alice', 'rollback hello in staging to v2')).to.contain('hello v2 is live in staging');
    });

    it('promotes what really runs, and tells two environments apart', async () => {
      await open();
      expect(await say('alice', 'promote hello from staging to production')).to.contain('Nothing of hello runs');
      expect(await say('alice', 'diff hello staging production')).to.contain('the same');
      await say('alice', 'deploy hello v1 to staging');
      const different = await say('alice', 'diff hello staging production');
      expect(different)
        .to.contain('hello in staging and production: not the same')
        .and.contain('production: nothing')
        .and.contain('promote hello from staging to production');
      expect(different).to.match(/staging: \*\*v1\*\*, since .*, by alice/);
      await room.press('alice', 'Promote to production');
      await ours.idle();
      expect(await live('production')).to.equal('v1');
      expect(await say('alice', 'diff hello in staging and production')).to.contain('production: the same');
      expect(await say('alice', 'promote hello from staging to production')).to.contain('already live');
    });
  });

  describe('rules', () => {
    it('a version comes from the environment before', async () => {
      await open('after: staging');
      const refused = await say('alice', 'deploy hello v1 to production');
      expect(refused)
        .to.contain('✗ `after`: v1 was never deployed to staging with success.')
        .and.contain('First: deploy hello v1 to staging.')
        .and.contain('`deploy:override:production`');
      await say('alice', 'deploy hello v1 to staging');
      await say('alice', 'deploy hello v2 to staging');
      await say('alice', 'deploy hello v1 to production');
      expect(await live('production')).to.equal('v1');
    });

    it('shows what would happen, and does nothing', async () => {
      await open(`after: staging, windows: ['mon-thu 09:00-16:00 Europe/Berlin'], ${TWO}`);
      const shown = await say('alice', 'deploy hello v1 to production --dry-run');
      expect(shown)
        .to.contain('Dry run: hello v1 to production would not begin now')
        .and.contain('nothing known → **v1**')
        .and.contain('✗ `after`')
        .and.contain('✗ `windows`')
        .and.contain('Wait until 2026-11-23 09:00 Europe/Berlin')
        .and.contain('2 other people who hold `deploy:approve:production`')
        .and.contain('Afterwards: alerts are tied to it for 10 min.');
      now = new Date('2026-11-23T09:00:00Z');
      await say('alice', 'deploy hello v1 to staging');
      expect(await say('alice', 'promote hello from staging to production --dry-run'))
        .to.contain('would wait for approval')
        .and.contain('✓ `after`')
        .and.contain('✓ `windows`');
      expect(await live('production')).to.equal('nothing');
      expect(await say('alice', 'deploy hello v9 to production --dry-run')).to.contain('has no version v9');
    });

    it('are set aside by who may do that, with a reason that everybody sees', async () => {
      await open("freezes: [{ from: '2026-11-01', to: '2026-11-30', reason: 'Black Friday' }]");
      const line = 'deploy hello v1 to production --override "the shop is down"';
      expect(await say('alice', 'deploy hello v1 to production')).to.contain('it is frozen: Black Friday');
      expect(await audited()).to.equal('deploy hello v1 to production failed deploy.rules');
      expect(await say('alice', line)).to.contain('`deploy:override:production`');
      expect(await say('dave', 'deploy hello v1 to production --override=" "')).to.contain('did not say why');
      expect(await live('production')).to.equal('nothing');
      const told = await say('dave', line);
      expect(told).to.contain('dave overrides the rules of production').and.contain('hello v1: the shop is down');
      expect(await live('production')).to.equal('v1');
      expect(await audited()).to.equal(`${line} succeeded deployment 1, v1`);
    });
  });

  describe('when its turn comes', () => {
    const place = { service: 'hello', environment: 'production' };
    const origin = { chat: 'test', room: 'ops' };
    const person = (name: string) => ({ id: `test:${name}`, name });

    /** Puts one in line, lets something happen, and gives it its turn. */
    async function turn(request: Partial<NewDeployment>, meanwhile: () => Promise<unknown>): Promise<string> {
      const store = createDeployStore(db);
      await store.start({ ...place, version: 'v1', by: person('alice'), origin, at: now, ...request });
      await meanwhile();
      await store.next(place, now);
      await ours.deploys.run(1, new AbortController().signal);
      const [ended] = await ours.deploys.history({ limit: 1 });
      return `${ended?.state}: ${ended?.reason ?? 'as asked for'}`;
    }

    const closes = async () => void (now = new Date('2026-11-20T12:30:00Z'));

    it('the rules count again, and its card says what to do', async () => {
      await open("windows: ['fri 09:00-12:30 UTC']");
      expect(await turn({}, closes)).to.match(/^cancelled: the rules of production said no when its turn came/);
      expect(room.messages.join().replaceAll('\\', '')).to.contain(
        'windows: no deploy window is open (fri 09:00-12:30 UTC). Wait until 2026-11-27 09:00 UTC. Then ask for it again.',
      );
      expect(await live('production')).to.equal('nothing');
    });

    it('what was overridden stays so, and that is told', async () => {
      await open("windows: ['fri 09:00-12:30 UTC'], announce: [ops, releases]");
      expect(await turn({ by: person('dave'), override: 'the shop is down' }, closes)).to.equal(
        'succeeded: as asked for',
      );
      expect(room.messages.join()).to.contain('dave overrides the rules of production').and.contain('the shop is down');
      expect(posted.filter((one) => one.endsWith(':override'))).to.deep.equal([
        'ops deploy:1:override',
        'releases deploy:1:override',
      ]);
    });

    it('not by somebody who may not override any more', async () => {
      await open("windows: ['fri 09:00-12:30 UTC']");
      const asked = { override: 'the shop is down' };
      expect(await turn(asked, closes)).to.contain('alice no longer held deploy:override:production');
    });

    it('not for somebody who may not deploy there any more', async () => {
      await open();
      await commands.access().grant({ ...person('erin'), chat: 'test' }, 'boss', { ...person('dave'), chat: 'test' });
      const asked = { by: person('erin') };
      const revoke = () => commands.access().revoke({ ...person('erin'), chat: 'test' }, 'boss');
      expect(await turn(asked, revoke)).to.equal('cancelled: erin no longer held deploy:production when its turn came');
    });

    it('not without the approval that the environment asks for by then', async () => {
      await open(TWO);
      const asked = { approvedBy: [person('bob')] };
      expect(await turn(asked, async () => undefined)).to.contain(
        'somebody else had to approve what goes to production',
      );
    });

    it('the robot goes back by itself whatever the rules say', async () => {
      await open(`${ONE}, windows: ['fri 09:00-12:30 UTC']`);
      const asked = { by: { id: 'robot', name: 'hubot' }, isRollback: true };
      expect(await turn(asked, closes)).to.equal('succeeded: as asked for');
    });

    it('a rollback still need not come from the environment before', async () => {
      await open('after: staging');
      expect(await turn({ isRollback: true }, async () => undefined)).to.equal('succeeded: as asked for');
    });
  });

  describe('approval', () => {
    it('waits for somebody else, who sees what will happen', async () => {
      await open(ONE);
      const asked = await say('alice', 'deploy hello v1 to production');
      expect(asked)
        .to.contain('alice asks for approval')
        .and.contain('hello in production: nothing known → **v1**')
        .and.contain('Somebody else who holds `deploy:approve:production`')
        .and.contain('Waits 30 minutes');
      expect(await live('production')).to.equal('nothing');
      expect(await say('alice', 'approve c1')).to.contain('Somebody else must approve this');
      expect(await say('mallory', 'approve c1')).to.contain('`deploy:approve:production`');
      await room.press('carol', 'Approve');
      await ours.idle();
      expect(await live('production')).to.equal('v1');
      expect(room.cards.map(({ footer }) => footer)).to.include('Deployment 1, asked for by alice, approved by carol');
      expect(await audited()).to.equal('deploy hello v1 to production succeeded deployment 1, v1 carol (test:carol)');
      expect(await say('bob', 'approve c1')).to.contain('nothing to confirm');
    });

    it('is asked of each who could approve it, and what they have before their eyes says how it ended', async () => {
      await open(ONE);
      await say('bob', 'deploy hello v1 to production');
      // Not of bob, who asked; of one of carol's accounts; not of dave, whose chat cannot do that.
      const asked = () =>
        room.chat.posts
          .filter(({ room: where }) => where.startsWith('with '))
          .map(({ room: where, text }) => ({ where, text: text.replaceAll('\\', '') }));
      expect(asked().map(({ where }) => where)).to.deep.equal(['with test:carol']);
      expect(asked()[0]?.text).to.contain('approve c1').and.contain('Asked for in ops. Waits 30 minutes');
      await say('dave', 'approve c1');
      expect(asked()).to.have.length(1);
      expect(asked()[0]?.text).to.contain('Approved by dave, asked for by bob').and.not.contain('approve c1');
    });

    it('may be answered where nobody else is, of what is asked for in a room that they see', async () => {
      await open(ONE);
      room.chat.privateRooms.set('with test:carol', ['test:carol']);
      await say('bob', 'deploy hello v1 to production');
      const direct = new Room(room.robot, room.chat, 'with test:carol');
      await direct.press('carol', 'Approve');
      await ours.idle();
      expect(await live('production')).to.equal('v1');
      expect(
        direct.messages
          .map(([, text]) => text)
          .join('\n')
          .replaceAll('\\', ''),
      )
        .to.contain('Approved by carol, asked for by bob')
        .and.contain('what came of it is told where bob asked for it');
    });

    it('is asked of nobody who does not see the room where it was asked for', async () => {
      await open(ONE);
      room.chat.privateRooms.set('ops', ['test:bob', 'test:dave']);
      await say('bob', 'deploy hello v1 to production');
      expect(room.chat.posts.filter(({ room: where }) => where.startsWith('with '))).to.deep.equal([]);
    });

    it('tells that nobody approved it in time, and how to ask again', async () => {
      await open(ONE);
      await say('alice', 'deploy hello v1 to production');
      await commands.cards().settle();
      expect(room.cards.at(-1)?.title).to.equal('alice asks for approval');
      now = new Date(now.getTime() + 30 * 60_000);
      await commands.cards().settle();
      const shown = room.cards.at(-1);
      expect(shown?.title).to.equal('Nobody approved it in time, asked for by alice');
      expect(shown?.actions).to.equal(undefined);
      const told = room.messages.at(-1)?.[1];
      expect(told).to.match(/^@alice Nobody approved this in time.*deploy hello v1 to production/s);
      const direct = room.chat.posts.filter(({ room: where }) => where.startsWith('with '));
      expect(direct).to.have.length(2);
      for (const { text } of direct) expect(text).to.contain('Nobody approved it in time');
      const said = room.chat.posts.length;
      await commands.cards().settle();
      expect(room.chat.posts).to.have.length(said);
      expect(await live('production')).to.equal('nothing');
    });

    it('never by the one who asked, who may approve the requests of others', async () => {
      await open(ONE);
      await say('bob', 'deploy hello v1 to production');
      expect(await say('bob', 'approve c1')).to.contain('Somebody else must approve this');
      expect(await live('production')).to.equal('nothing');
    });

    it('by several different people', async () => {
      await open(TWO);
      await say('alice', 'deploy hello v1 to production');
      expect(await say('carol', 'approve c1')).to.contain('one more person must approve it');
      expect(await say('carol', 'approve c1')).to.contain('one more person');
      expect(await say('carol2', 'approve c1')).to.contain('You have approved this already');
      expect(await live('production')).to.equal('nothing');
      expect(room.cards.find(({ title }) => title === 'alice asks for approval')?.text).to.contain('Approved by carol');
      await say('bob', 'approve c1');
      expect(await live('production')).to.equal('v1');
      expect(room.cards.map(({ title }) => title)).to.include('Approved by carol, bob, asked for by alice');
    });

    it('by those of a role', async () => {
      await open('approval: { role: boss }');
      await say('alice', 'deploy hello v1 to production');
      expect(await say('carol', 'approve c1')).to.contain('the role `boss`');
      await say('dave', 'approve c1');
      expect(await live('production')).to.equal('v1');
    });

    it('is refused once', async () => {
      await open(ONE);
      await say('alice', 'deploy hello v1 to production');
      await room.press('carol', 'Refuse');
      expect(await say('bob', 'approve c1')).to.contain('nothing to confirm');
      expect(await live('production')).to.equal('nothing');
    });

    it('not when it has expired', async () => {
      await open(ONE);
      await say('alice', 'deploy hello v1 to production');
      now = new Date(now.getTime() + 30 * 60_000);
      expect(await say('carol', 'approve c1')).to.contain('has expired');
      expect(await live('production')).to.equal('nothing');
    });

    it('not when something else would be replaced by now', async () => {
      await open(ONE);
      await say('alice', 'deploy hello v1 to production');
      await say('alice', 'deploy hello v2 to production');
      await say('carol', 'approve c1');
      expect(await say('carol', 'approve c2')).to.contain('no longer what would happen');
      expect(await live('production')).to.equal('v1');
      expect(room.cards.map(({ title }) => title)).to.include('No longer to be approved, asked for by alice');
      expect(await say('bob', 'approve c2')).to.contain('nothing to confirm');
    });

    it('not when a rule says no by now, for one that is asked for nor for one that some have approved', async () => {
      await open(`${TWO}, windows: ['fri 09:00-12:30 UTC']`);
      await say('alice', 'deploy hello v1 to production');
      await say('carol', 'approve c1');
      now = new Date('2026-11-20T12:30:00Z');
      expect(await say('bob', 'approve c1')).to.contain('no deploy window is open');
      now = new Date('2026-11-20T12:29:00Z');
      expect(await say('bob', 'approve c1')).to.contain('nothing to confirm');
      expect(await live('production')).to.equal('nothing');
    });

    it('not when somebody has locked it by now', async () => {
      await open(ONE);
      await say('alice', 'deploy hello v1 to production');
      const owner = { id: 'test:dave', name: 'dave' };
      const lock = { service: 'hello', reason: 'trying a fix', owner, at: now };
      const { lock: held } = await createLockStore(db).lock(lock);
      expect(await say('carol', 'approve c1'))
        .to.contain('dave has locked hello')
        .and.contain('trying a fix');
      expect(await say('alice', 'deploy hello v1 to production --dry-run')).to.contain('dave has locked hello');
      await createLockStore(db).unlock(held);
      expect(await say('bob', 'approve c1')).to.contain('nothing to confirm');
      expect(await live('production')).to.equal('nothing');
    });

    it('is not asked for what the rules refuse', async () => {
      await open(`${ONE}, after: staging`);
      expect(await say('alice', 'deploy hello v1 to production'))
        .to.contain('✗ `after`')
        .and.not.contain('approve c');
      expect(await audited()).to.equal('deploy hello v1 to production refused deploy.rules');
      expect(await say('dave', 'deploy hello v1 to production --override "the shop is down"'))
        .to.contain('dave asks for approval')
        .and.contain('Overridden: the shop is down');
      expect(await live('production')).to.equal('nothing');
      expect(await say('carol', 'approve c1')).to.contain('dave overrides the rules of production');
      expect(await live('production')).to.equal('v1');
    });

    it('nothing begins without it, whoever calls', async () => {
      await open(ONE);
      const request = {
        service: 'hello',
        environment: 'production',
        version: 'v1',
        by: { id: 'test:alice', name: 'alice' },
        origin: { chat: 'test', room: 'ops' },
      };
      expect(await ours.deploys.start(request)).to.include({ kind: 'refused', reason: 'approval' });
      const approved = { version: 'v1' };
      expect(await ours.deploys.start({ ...request, approved })).to.include({ kind: 'refused', reason: 'approval' });
      const approvedBy = [{ id: 'test:bob', name: 'bob' }];
      const stale = await ours.deploys.start({ ...request, approved: { version: 'v2' }, approvedBy });
      expect(stale).to.include({ kind: 'refused', reason: 'changed' });
    });

    it('not what would have to wait behind another one', async () => {
      await open(ONE);
      await say('alice', 'deploy hello v1 to production');
      await say('bob', 'deploy hello v2 to production');
      await Promise.all([room.user.say('carol', 'hubot approve c1'), room.user.say('dave', 'hubot approve c2')]);
      await ours.idle();
      const all = await ours.deploys.history({ limit: 9 });
      expect(all.filter(({ state }) => state === 'succeeded')).to.have.length(1);
      expect(await ours.deploys.running()).to.deep.equal([]);
      expect(await live('production')).to.equal(all.find(({ state }) => state === 'succeeded')?.version);
      expect(await ours.deploys.lines({})).to.deep.equal([]);
    });

    it('nothing begins at its turn that is no longer what was approved', async () => {
      await open(ONE);
      const store = createDeployStore(db);
      const by = { id: 'test:alice', name: 'alice' };
      const origin = { chat: 'test', room: 'ops' };
      const place = { service: 'hello', environment: 'production' };
      const approvedBy = [{ id: 'test:bob', name: 'bob' }];
      await store.start({ ...place, version: 'v1', previous: 'v0', by, origin, approvedBy, at: now });
      await store.next(place, now);
      await ours.deploys.run(1, new AbortController().signal);
      const [dropped] = await ours.deploys.history({ limit: 1 });
      expect(dropped).to.include({ state: 'cancelled' });
      expect(dropped?.reason).to.equal(
        'nothing was live when its turn came, and what was approved was to replace v0: ask for it again',
      );
      expect(await live('production')).to.equal('nothing');
    });

    it('stands before rollback and promotion as well', async () => {
      await open(ONE);
      await say('alice', 'deploy hello v1 to staging');
      expect(await say('alice', 'promote hello from staging to production')).to.contain('alice asks for approval');
      await say('carol', 'approve c1');
      expect(await live('production')).to.equal('v1');
      await say('alice', 'deploy hello v2 to production');
      await say('carol', 'approve c2');
      expect(await say('alice', 'rollback hello in production')).to.contain('v2 → **v1**');
      await say('carol', 'approve c3');
      expect(await live('production')).to.equal('v1');
    });
  });
});
