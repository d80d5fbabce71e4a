/** Versions in Git, in a room: real robot, dispatch, database and command target, on a repository made by `git` itself. */

import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createSources, type Sources } from '../../src/adapters/source/sources.ts';
import { servicesSchema } from '../../src/config/services.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import { checksOf } from '../../src/domain/pipelines/checks.ts';
import type { JobState, RunState } from '../../src/domain/pipelines/ports.ts';
import { createAuditStore } from '../../src/storage/audit.ts';
import type { Database } from '../../src/storage/database.ts';
import { createPipelineStore } from '../../src/storage/pipelines.ts';
import { type InMemoryCommands, inMemoryCommands } from '../support/commands.ts';
import { testDatabase } from '../support/database.ts';
import { clock, ROOT, type TestDeploys, testDeploys } from '../support/deploys.ts';
import { needsGit, type TestRepository, testRepository } from '../support/git.ts';
import { everybodyInside } from '../support/people.ts';
import { Helper, type Room } from '../support/room.ts';

const SERVICE = `case "$1" in
deploy) printf %s "$3" >"$2" ;;
current) if [ -f "$2" ]; then printf '{"version":"%s"}' "$(cat "$2")"; else echo '{}'; fi ;;
versions) cat list ;;
esac
`;
const short = (commit: string) => commit.slice(0, 7);

describe('versions in Git, in a room', function () {
  this.timeout(60_000);
  let db: Database;
  let folder: string;
  let room: Room;
  let ours: TestDeploys;
  let sources: Sources;
  let commands: InMemoryCommands;
  let git: TestRepository;
  let now: Date;
  let runs: number;

  before(async function () {
    needsGit(this);
    db = await testDatabase();
  });
  after(() => db?.close());

  beforeEach(async () => {
    now = new Date();
    runs = 0;
    await db.pool.query(
      'truncate deployments, deploy_locks, pipeline_runs, pipeline_jobs, audit_begun, audit_ended, audit_handed_over restart identity',
    );
    folder = await mkdtemp(join(tmpdir(), 'source-room-'));
    git = await testRepository(join(folder, 'web.git'));
    await mkdir(join(folder, 'target'));
    // What is live in an environment is what its file says.
    await writeFile(join(folder, 'target/service.sh'), SERVICE);
  });
  afterEach(async () => {
    await ours?.idle();
    await room?.destroy();
    sources?.close();
    await rm(folder, { recursive: true, force: true });
  });

  interface Given {
    /** What config/services.yaml says of production, of the source, and the list of the target. */
    readonly production?: string;
    readonly source?: string;
    readonly list?: readonly string[];
  }

  async function open({ production = '', source = '', list }: Given = {}): Promise<void> {
    if (list !== undefined) await publish(list);
    const versions = list === undefined ? '' : ', versions: [sh, service.sh, versions]';
    const programs = `deploy: [sh, service.sh, deploy, '{environment}', '{version}'], current: [sh, service.sh, current, '{environment}']`;
    const text = `environments: { staging: , production: { ${production} } }
services:
  web:
    repository: acme/web
    source: { kind: git, url: ${git.path}${source} }
    target: { kind: command, folder: ${join(folder, 'target')}, ${programs}${versions} }
`;
    const read = parseYaml(text, 'config/services.yaml', servicesSchema);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    const config = read.value;
    const pipelines = createPipelineStore(db);
    sources = createSources({
      services: config.services,
      dataFolder: join(folder, 'data'),
      environment: { PATH: process.env['PATH'], HOME: folder },
      reported: async (repository, commit) =>
        checksOf(await pipelines.runs({ kind: 'pipeline', repositories: [repository], commit, limit: 100 })),
      clock,
      freshMs: -1,
    });
    const audit = createAuditStore(db, 'here');
    ours = await testDeploys(db, join(folder, 'data'), {
      config,
      source: (service) => sources.of(service),
      clock: { ...clock, now: () => now },
      post: (address, content, key) => commands.post(address, content, { key }),
    });
    commands = inMemoryCommands({
      now: () => now,
      policy: {
        roles: {
          deployer: ['deploy:staging', 'deploy:production'],
          approver: ['deploy:approve:production'],
          boss: ['deploy:production', 'deploy:override:production'],
        },
        everyone: [],
        people: { 'test:alice': ['deployer'], 'test:carol': ['approver'], 'test:dave': ['boss'] },
      },
      people: everybodyInside,
      services: { deploys: ours.deploys, audit },
      ports: { audit },
      names: {
        services: () => config.services.map(({ name }) => name),
        environments: () => config.environments.map(({ name }) => name),
      },
    });
    const scripts = ['deploy', 'rollouts', 'proposals'].map((name) => `${ROOT}scripts/${name}.ts`);
    room = await new Helper(scripts).createRoom({ name: 'ops', prepare: commands.prepare });
  }

  /** The versions that the target has, newest first. */
  async function publish(list: readonly string[]): Promise<void> {
    await writeFile(join(folder, 'target/list'), `${list.join('\n')}\n`);
  }

  /** A pipeline of the repository reports of a commit. */
  async function report(commit: string, state: RunState, jobs: Readonly<Record<string, JobState>> = {}): Promise<void> {
    runs += 1;
    const order = { round: 1, at: new Date(1_000 * runs) };
    await createPipelineStore(db).save(
      {
        run: {
          source: 'github',
          run: `run/${runs}`,
          kind: 'pipeline',
          repository: 'Acme/web',
          name: 'CI',
          commit,
          state,
          startedAt: order.at,
          ...order,
        },
        jobs: Object.entries(jobs).map(([name, one]) => ({ id: name, name, state: one, ...order })),
      },
      now,
    );
  }

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
    const [place] = await ours.deploys.list({ service: 'web', environment });
    return place?.live.kind === 'live' ? place.live.version : place?.live.kind;
  }

  describe('a target without a list', () => {
    it('is given the commit of a branch, and the record keeps both', async () => {
      await open();
      const one = await git.commit('main', 'one');
      const said = await say('alice', 'deploy web main to staging');
      expect(said).to.contain(`web ${one} is live in staging`).and.contain('· main');
      expect(await live('staging')).to.equal(one);
      expect((await ours.deploys.get(1)) ?? {}).to.include({ asked: 'main', version: one, commit: one });
      expect(await say('alice', `deploy web ${short(one)} to staging`)).to.contain('already live');
      await git.point('refs/tags/v2', await git.commit('main', 'two'));
      expect(await say('alice', 'deploy web v2 to staging')).to.contain('web v2 is live in staging');
      expect(await live('staging')).to.equal('v2');
    });

    it('is given what the configuration makes of a commit, and that is known again', async () => {
      await open({ source: ", deploy_as: 'sha-{short}'" });
      const one = await git.commit('main', 'one');
      const two = await git.commit('main', 'two', 'bob');
      expect(await say('alice', `deploy web ${one} to staging`)).to.contain(`web sha-${short(one)} is live`);
      await say('alice', 'promote web from staging to production');
      expect(await live('production')).to.equal(`sha-${short(one)}`);
      expect(await say('alice', 'deploy web main to production --dry-run'))
        .to.contain(`sha-${short(one)} → **sha-${short(two)}** (main, commit ${short(two)})`)
        .and.contain('**1 commit comes**, by bob:')
        .and.contain(`- \`${short(two)}\` two (bob)`);
    });

    it('gets nothing that Git does not know', async () => {
      await open();
      await git.commit('main', 'one');
      const [twin] = await git.twins('main');
      expect(await say('alice', 'deploy web mian to staging')).to.contain('acme/web has no such tag, branch or commit');
      expect(await say('alice', 'deploy web --upload-pack=evil to staging')).not.to.contain('is live');
      expect(await say('alice', 'deploy web -upload-pack to staging')).to.contain('cannot be a version');
      expect(await say('alice', `deploy web ${short(twin)} to staging`))
        .to.contain('is the beginning of several commits')
        .and.contain(twin);
      expect(await live('staging')).to.equal('nothing');
    });

    it('gets names that Git does not know where the configuration says so', async () => {
      await git.commit('main', 'one');
      await open({ source: ', others: true' });
      expect(await say('alice', 'deploy web build-17 to staging')).to.contain('web build-17 is live in staging');
      expect(await say('alice', 'deploy web main to staging --dry-run')).to.contain(
        'not known: build-17 is no tag, branch or commit of acme/web',
      );
    });

    it('gets the newest commit of the branch, or the newest that passed where something is known', async () => {
      await open();
      const one = await git.commit('main', 'one');
      const two = await git.commit('main', 'two');
      expect(await say('alice', 'deploy web to staging')).to.contain(`web ${two} is live`);
      const three = await git.commit('main', 'three');
      await report(three, 'running');
      await report(two, 'failed');
      await report(one, 'succeeded');
      expect(await say('alice', 'deploy web to staging')).to.contain(`web ${one} is live`);
      await report(three, 'succeeded');
      expect(await say('alice', 'deploy web to staging')).to.contain(`web ${three} is live`);
      await git.git('update-ref', '-d', 'refs/heads/main');
      const four = await git.commit('main', 'four');
      await report(four, 'failed');
      expect(await say('alice', 'deploy web to staging')).to.contain(
        'The only version of web has not passed its checks',
      );
    });
  });

  describe('a target with a list', () => {
    it('stays strict: a name of Git must lead to something in it', async () => {
      const one = await git.commit('main', 'one');
      const two = await git.commit('main', 'two');
      await open({ list: ['v2', `web-${short(one)}`, 'v1'], source: ", deploy_as: 'web-{short}'" });
      expect(await say('alice', 'deploy web main to staging'))
        .to.contain(`main is the commit ${short(two)}, and there is no version of web of that commit`)
        .and.contain('Have it built first');
      expect(await say('alice', `deploy web ${short(one)} to staging`)).to.contain(`web web-${short(one)} is live`);
      expect((await ours.deploys.get(1)) ?? {}).to.include({ asked: short(one), commit: one });
      expect(await say('alice', 'deploy web v1 to staging')).to.contain('web v1 is live');
      expect(await say('alice', 'deploy web v3 to staging'))
        .to.contain('has no version v3')
        .and.contain('`v2`');
    });

    it('gives the newest that passed the required checks', async () => {
      const one = await git.commit('main', 'one');
      await git.point('refs/tags/v1', one);
      await git.point('refs/tags/v2', await git.commit('main', 'two'));
      await open({ list: ['v2', 'v1'], production: 'checks: [test]' });
      await report(one, 'succeeded', { test: 'succeeded' });
      expect(await say('alice', 'deploy web to production')).to.contain('web v1 is live in production');
      expect(await say('alice', 'deploy web to staging'), 'none are required there').to.contain('web v1 is live');
      await git.point('refs/tags/v3', one);
      await publish(['v3', 'v1']);
      await say('alice', 'deploy web v3 to staging');
      await rename(git.path, `${git.path}.away`);
      expect(await say('alice', 'deploy web to production'), 'the tag may lead elsewhere by now').to.contain(
        '✗ `checks`: the checks are not known',
      );
    });
  });

  describe('required checks', () => {
    it('keep a commit out until they have passed, and say what is missing', async () => {
      await open({ production: 'checks: [build, test, e2e]' });
      const one = await git.commit('main', 'one');
      const line = 'deploy web main to production';
      expect(await say('alice', line)).to.contain(
        `✗ \`checks\`: for ${short(one)} build has not run, test has not run and e2e has not run.`,
      );
      await report(one, 'running', { build: 'succeeded', test: 'running', e2e: 'skipped' });
      expect(await say('alice', line)).to.contain('test is still running and e2e was skipped');
      await report(one, 'failed', { build: 'succeeded', test: 'failed', e2e: 'succeeded' });
      expect(await say('alice', `${line} --dry-run`))
        .to.contain('would not begin now')
        .and.contain(`✗ \`checks\`: for ${short(one)} test failed. Repair it and deploy the new commit.`);
      expect(await say('alice', 'deploy web main to staging'), 'staging asks for none').to.contain(
        'is live in staging',
      );
      expect(await say('dave', `${line} --override "the shop is down"`))
        .to.contain('dave overrides the rules of production')
        .and.contain('test failed');
      await report(one, 'succeeded', { build: 'succeeded', test: 'succeeded', e2e: 'succeeded' });
      const two = await git.commit('main', 'two');
      expect(await say('alice', line)).to.contain(`for ${short(two)} build has not run`);
      await report(two, 'succeeded', { build: 'succeeded', test: 'succeeded', e2e: 'succeeded' });
      expect(await say('alice', line)).to.contain(`web ${two} is live in production`);
      expect(await say('alice', 'rollback web in production --dry-run'), 'what was live before may come back')
        .to.contain('✓ `checks`')
        .and.contain('**1 commit goes away**, by alice:')
        .and.contain('two (alice)');
    });

    it('fail closed while the source is away; what needs none goes on', async () => {
      await open({ production: 'checks: all' });
      const one = await git.commit('main', 'one');
      await report(one, 'succeeded');
      await say('alice', 'deploy web main to production');
      expect(await live('production')).to.equal(one);
      await git.point('refs/tags/v2', await git.commit('main', 'two'));
      expect(await say('alice', 'deploy web main to staging --dry-run')).to.contain('would begin');
      await rename(git.path, `${git.path}.away`);
      expect(await say('alice', 'deploy web v2 to production'))
        .to.contain('✗ `checks`: the checks are not known: what I know of v2 in acme/web is from')
        .and.contain('acme/web could not be fetched: there is no such repository')
        .and.contain('Try again when it can be asked.');
      expect(await say('alice', 'deploy web v2 to staging')).to.contain('web v2 is live in staging');
      expect(await say('alice', 'deploy web to production')).to.contain('which commit of web the newest is');
      expect(await say('alice', 'deploy web v3 to staging'), 'it may be there by now').to.contain('cannot find out');
    });
  });

  describe('approval', () => {
    const approval = 'approval: { expires: 30m }';

    it('shows the commits, and is for this commit only', async () => {
      await open({ production: approval });
      await git.commit('main', 'one');
      await say('alice', 'deploy web main to production');
      await say('carol', 'approve c1');
      const two = await git.commit('main', `two *bold* AKIA${'Q3EGTR7VXK2MPLWZ'}`, 'bob');
      const asked = await say('alice', 'deploy web main to production');
      expect(asked)
        .to.contain('**1 commit comes**, by bob:')
        .and.match(new RegExp(`\`${short(two)}\` two \\*bold\\* .*\\(bob\\)`))
        .and.contain(`**${two}** (main)`)
        .and.not.contain('Q3EGTR7VXK2MPLWZ');
      const three = await git.commit('main', 'three');
      expect(await say('carol', 'approve c2')).to.contain('no longer what would happen');
      expect(await say('alice', 'deploy web main to production')).to.contain(short(three));
      await say('carol', 'approve c3');
      expect(await live('production')).to.equal(three);
    });

    it('not of a tag that was moved, nor of checks that turned red', async () => {
      await open({ production: `${approval}, checks: [CI]` });
      const one = await git.commit('main', 'one');
      const two = await git.commit('main', 'two');
      await report(one, 'succeeded');
      await report(two, 'succeeded');
      await git.point('refs/tags/v1', one);
      await say('alice', 'deploy web v1 to production');
      await git.point('refs/tags/v1', two);
      expect(await say('carol', 'approve c1')).to.contain('no longer what would happen');
      await say('alice', 'deploy web v1 to production');
      await report(two, 'failed');
      expect(await say('carol', 'approve c2')).to.contain('CI failed');
      expect(await live('production')).to.equal('nothing');
    });
  });

  it('diff names the commits between two environments', async () => {
    await open({ source: ", deploy_as: 'sha-{short}'" });
    await git.commit('main', 'one');
    await say('alice', 'deploy web main to staging');
    await say('alice', 'promote web from staging to production');
    expect(await say('alice', 'diff web staging production'))
      .to.contain('the same')
      .and.not.contain('promoted');
    const two = await git.commit('main', `two AKIA${'Q3EGTR7VXK2MPLWZ'}`, 'bob');
    await say('alice', 'deploy web main to staging');
    expect(await say('alice', 'diff web staging production'))
      .to.contain('If staging is promoted to production:')
      .and.contain('**1 commit comes**, by bob:')
      .and.contain(short(two))
      .and.not.contain('Q3EGTR7VXK2MPLWZ');
    expect(await say('alice', 'diff web production staging'))
      .to.contain('If production is promoted to staging:')
      .and.contain('**1 commit goes away**, by bob:');
    await writeFile(join(folder, 'target/production'), 'by-hand');
    expect(await say('alice', 'diff web staging production')).to.contain(
      'Which commits that changes is not known: by-hand is no tag, branch or commit of acme/web.',
    );
  });

  it('says of a huge range how many there are at least', async () => {
    await open();
    const one = await git.commit('main', 'one');
    await say('alice', `deploy web ${one} to staging`);
    await git.many('main', 10_050);
    expect(await say('alice', 'deploy web main to staging --dry-run'))
      .to.contain('**At least 10000 commits come**, by bob and others:')
      .and.contain('- and at least 9990 more');
  });
});
