/** Deployments, alerts and rollbacks together, on a record in memory. */

import { expect } from 'chai';
import { type Card, type Content, cardText } from '../../../src/bot/card.ts';
import { servicesSchema } from '../../../src/config/services.ts';
import { parseYaml } from '../../../src/config/yaml.ts';
import type { Alert, Labels } from '../../../src/domain/alerts/ports.ts';
import type { ServicesConfig } from '../../../src/domain/deploy/config.ts';
import { createDeploys } from '../../../src/domain/deploy/deploys.ts';
import type { Deploys, RevertRequest } from '../../../src/domain/deploy/ports.ts';
import type { TargetOutcome } from '../../../src/domain/deploy/target.ts';
import { TargetUnclear } from '../../../src/domain/deploy/target.ts';
import { createWatch, type Watch } from '../../../src/domain/deploy/watch.ts';
import { createMemory, memoryDeploys, memoryLocks } from '../../support/deploy-memory.ts';
import { memoryWatch } from '../../support/watch-memory.ts';

const MINUTE = 60_000;
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const alice = { id: 'web:1', name: 'alice' };
const origin = { chat: 'web', room: 'general' };
const RULES = ', after: staging, approval: {count: 1}';

function configOf(rules: string): ServicesConfig {
  const read = parseYaml(
    `environments:
  staging:
  production: {announce: [releases, general], rollback_on: [alert, failure]${rules}}
services:
  hello: {target: {kind: command, folder: ., deploy: [x]}}
`,
    'services.yaml',
    servicesSchema,
  );
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

/** A robot whose target does at once what it is told; two of them share what is not theirs. */
function world() {
  const memory = createMemory();
  const step = async () => undefined;
  const store = memoryDeploys(memory, step);
  const locks = memoryLocks(memory, step);
  const live = new Map<string, string>();
  const posts = new Map<string, Content>();
  const audits: { request: RevertRequest; reason: string; end?: string }[] = [];
  const refreshed: number[] = [];
  const wanted = new Set<number>();
  const state: { now: number; isAway: boolean; outcome: (version: string) => TargetOutcome } = {
    now: new Date('2026-01-31T12:00:00Z').getTime(),
    isAway: false,
    outcome: () => ({ kind: 'succeeded' }),
  };
  const now = () => new Date(state.now);
  const post = async (address: { room: string }, content: Content, key: string) =>
    void posts.set(`${address.room} ${key}`, content);
  const watchStore = memoryWatch();
  const jobs = new Set<Promise<void>>();

  function replica(name: string, config = configOf(RULES)): { readonly deploys: Deploys; readonly watch: Watch } {
    const deploys: Deploys = createDeploys({
      config,
      store,
      locks: (at) => locks.all(at),
      target: () => ({
        kind: 'test',
        async deploy({ environment, version }, run) {
          run.progress({ text: 'Switching' });
          live.set(environment, version);
          return state.outcome(version);
        },
        async current(_service, environment) {
          if (state.isAway) throw new TargetUnclear('it does not answer');
          const version = live.get(environment);
          return version === undefined ? undefined : { version };
        },
        versions: async () => 'unsupported' as const,
        settle: async () => undefined,
      }),
      clock: {
        now,
        async sleep(_ms, signal) {
          if (!signal.aborted) await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
        },
      },
      replica: name,
      async enqueue(id) {
        const job = deploys.run(id, new AbortController().signal).finally(() => jobs.delete(job));
        jobs.add(job);
      },
      tellCancelled: async () => undefined,
      post,
      ended: async () => undefined,
      told: (id) => watch.told(id),
      redact: (text) => text.replaceAll('hunter2', '•••'),
      may: async () => true,
      log: quiet,
    });
    const watch = createWatch({
      config,
      store: watchStore,
      deployments: store,
      revert: (request) => deploys.revert(request),
      name: 'shipmate',
      now,
      address: (room) => ({ chat: 'web', room }),
      post,
      rollBackSoon: async (id) => void wanted.add(id),
      audit: {
        begin: async (request, reason) => audits.push({ request, reason }),
        async end(audit, outcome, detail) {
          const row = audits[audit - 1];
          if (row) row.end = `${outcome}: ${detail}`;
        },
      },
      refreshAlert: async (number) => void refreshed.push(number),
      redact: (text) => text.replaceAll('hunter2', '•••'),
      log: quiet,
    });
    return { deploys, watch };
  }

  const first = replica('first');
  const second = replica('second');
  const lenient = replica('lenient', configOf(''));
  async function idle(): Promise<void> {
    while (jobs.size > 0) await Promise.all(jobs);
  }

  return {
    ...first,
    second,
    memory,
    locks,
    live,
    posts,
    audits,
    refreshed,
    wanted,
    state,
    now,
    idle,
    /** From before there were rules. */
    async deploy(version: string, environment: string): Promise<number> {
      const result = await lenient.deploys.start({ service: 'hello', environment, version, by: alice, origin });
      if (result.kind === 'refused') throw new Error(result.reason);
      await idle();
      return result.deployment.id;
    },
    /** Runs the jobs that roll back, on both replicas. */
    async rollBack(): Promise<void> {
      for (const id of wanted) await Promise.all([first.watch.rollBack(id), second.watch.rollBack(id)]);
      await idle();
    },
    alert(
      number: number,
      change: { labels?: Labels; status?: 'firing' | 'resolved'; title?: string } = {},
    ): Pick<Alert, 'number' | 'title' | 'members'> {
      const { labels = { service: 'hello', environment: 'production' }, status = 'firing', title = 'Errors' } = change;
      const members = [{ fingerprint: 'a', status, labels, annotations: {}, startsAt: now(), heardAt: now() }];
      return { number, title, members };
    },
    text: (key: string) => cardText(posts.get(key) ?? '', ''),
    card(key: string): Card | undefined {
      const found = posts.get(key);
      return typeof found === 'string' ? undefined : found;
    },
    later(minutes: number): void {
      state.now += minutes * MINUTE;
    },
  };
}

describe('after a deployment', () => {
  it('each room is told once, and the person in the first', async () => {
    const here = world();
    await here.deploy('v1', 'production');
    expect([...here.posts.keys()]).to.deep.equal([
      'general deploy:1',
      'general deploy:1:call',
      'releases deploy:1:outcome',
    ]);
    expect(here.posts.get('general deploy:1:call')).to.include('[@alice](person:web:1)');
    await here.deploy('v1', 'staging');
    expect([...here.posts.keys()].filter((key) => key.includes('deploy:2'))).to.deep.equal(['general deploy:2']);
  });

  it('the same is said under the same key when it is told again, by whoever takes over', async () => {
    const here = world();
    await here.deploy('v1', 'production');
    await here.deploy('v2', 'production');
    const alert = here.alert(7);
    await here.watch.changed(alert);
    const before = new Map(here.posts);
    here.later(1);
    await here.second.watch.told(1);
    await here.second.watch.told(2);
    await here.second.watch.changed(alert);
    expect([...here.posts]).to.deep.equal([...before]);
    expect([...here.wanted]).to.deep.equal([2]);
  });

  it('an alert is tied to it while it is watched; the button leads back', async () => {
    const here = world();
    await here.deploy('v1', 'staging');
    await here.deploy('v2', 'staging');
    here.later(9);
    const labels = { service: 'hello', environment: 'staging' };
    await here.watch.changed(here.alert(7, { labels }));
    const context = await here.watch.context(7);
    expect(context).to.deep.include({ name: 'Deployed', value: '9 min before: hello v2 to staging by alice (\\#2)' });
    const command = 'rollback hello in staging to v1';
    expect(context?.actions).to.deep.equal([{ label: 'Roll back to v1', command, style: 'danger' }]);
    expect(here.text('general deploy:2:watch')).to.include('1 alert after hello v2 to staging').and.include(command);
    here.later(2);
    await here.watch.changed(here.alert(8, { labels }));
    expect(await here.watch.context(8), 'after the watch').to.equal(undefined);
    expect(here.wanted.size, 'nobody asked for it').to.equal(0);
    await here.deploy('v3', 'staging');
    expect((await here.watch.context(7))?.actions, 'something newer is there').to.deep.equal([]);
    expect(here.card('general deploy:2:watch')?.actions?.map(({ label }) => label)).to.deep.equal(['Log']);
    expect(here.refreshed).to.deep.equal([7]);
  });

  it('an alert that is resolved no longer offers the way back', async () => {
    const here = world();
    await here.deploy('v1', 'staging');
    await here.deploy('v2', 'staging');
    const labels = { service: 'hello', environment: 'staging' };
    const alert = here.alert(7, { labels });
    await here.watch.changed(alert);
    await here.watch.changed({
      ...alert,
      members: alert.members.map((one) => ({ ...one, status: 'resolved' as const })),
    });
    expect((await here.watch.context(7))?.actions).to.deep.equal([]);
    expect(here.card('general deploy:2:watch')).to.include({
      tone: 'good',
      title: '1 alert after hello v2 to staging, resolved',
    });
    await here.watch.changed(here.alert(9, { labels, status: 'resolved' }));
    expect(await here.watch.context(9), 'it was over before anybody heard of it').to.equal(undefined);
  });

  it('the robot goes back once, past rules and approval, and never from there', async () => {
    const here = world();
    await here.deploy('v1', 'production');
    await here.deploy('v2', 'production');
    here.later(1);
    const alert = here.alert(7, { title: 'Errors hunter2' });
    await Promise.all([here.watch.changed(alert), here.second.watch.changed(alert)]);
    expect([...here.wanted]).to.deep.equal([2]);
    await here.rollBack();
    await here.rollBack();
    expect(here.live.get('production')).to.equal('v1');
    const backs = here.memory.rows.filter(({ rollsBack }) => rollsBack !== undefined);
    expect(backs).to.have.length(1);
    expect(backs[0]).to.deep.include({
      version: 'v1',
      rollsBack: 2,
      isRollback: true,
      state: 'succeeded',
      by: { id: 'robot', name: 'shipmate' },
    });
    const begun = here.audits.filter(({ end }) => end === undefined);
    expect(begun.map(({ reason }) => reason)).to.deep.equal(['Errors ••• fires (alert 7)']);
    expect(here.text('general deploy:2:watch'))
      .to.include('I rolled back to **v1** by myself (deployment 3)')
      .and.include('@alice');
    expect((await here.watch.context(7))?.value).to.include('rolled back to v1 (\\#3)');
    expect(here.posts.get('general deploy:3:call'), 'alice is told of the end of it').to.include('(person:web:1)');
    here.later(1);
    await here.watch.changed(here.alert(8));
    await here.rollBack();
    expect(here.memory.rows).to.have.length(3);
    expect(here.text('general deploy:3:watch')).to.include('1 alert after hello v1 to production');
  });

  it('a lock holds the robot back, and it says so', async () => {
    const here = world();
    await here.deploy('v1', 'production');
    await here.deploy('v2', 'production');
    await here.locks.lock({ service: 'hello', reason: 'we look', owner: alice, at: here.now() });
    await here.watch.changed(here.alert(7));
    await here.rollBack();
    expect(here.live.get('production')).to.equal('v2');
    expect(here.text('general deploy:2:watch')).to.match(
      /do not roll back by myself.*locked by alice.*we look.*rollback hello in production to v1/s,
    );
    expect(here.audits.every(({ end }) => end?.startsWith('refused: locked by alice'))).to.equal(true);
    expect(here.audits).to.not.have.length(0);
  });

  it('something newer is never rolled back in its place', async () => {
    const here = world();
    await here.deploy('v1', 'production');
    await here.deploy('v2', 'production');
    await here.watch.changed(here.alert(7));
    await here.deploy('v3', 'production');
    await here.rollBack();
    expect(here.live.get('production')).to.equal('v3');
    expect(here.text('general deploy:2:watch')).to.include('deployment 3 of v3 came after it');
    expect(here.audits).to.deep.equal([]);
  });

  it('nor when it comes between the wish and its turn', async () => {
    const here = world();
    await here.deploy('v1', 'production');
    await here.deploy('v2', 'production');
    await here.deploy('v3', 'production');
    const by = { id: 'robot', name: 'shipmate' };
    const wanted = { service: 'hello', environment: 'production', version: 'v1', by, origin, rollsBack: 2 };
    expect(await here.deploys.revert(wanted)).to.include({ kind: 'started' });
    await here.idle();
    expect(here.live.get('production')).to.equal('v3');
    expect(here.memory.rows[3]).to.include({ state: 'cancelled', reason: 'deployment 3 came in between' });
  });

  it('a target that does not answer is asked again, for ten minutes', async () => {
    const here = world();
    await here.deploy('v1', 'production');
    await here.deploy('v2', 'production');
    await here.watch.changed(here.alert(7));
    here.state.isAway = true;
    await here.rollBack();
    here.wanted.clear();
    await here.watch.goOn();
    expect([...here.wanted]).to.deep.equal([2]);
    here.state.isAway = false;
    await here.rollBack();
    expect(here.live.get('production')).to.equal('v1');
    here.wanted.clear();
    await here.watch.goOn();
    expect([...here.wanted]).to.deep.equal([]);
  });

  it('gives up when the target does not come back', async () => {
    const here = world();
    await here.deploy('v1', 'production');
    await here.deploy('v2', 'production');
    await here.watch.changed(here.alert(7));
    here.state.isAway = true;
    here.later(11);
    await here.rollBack();
    expect(here.text('general deploy:2:watch')).to.include('the target did not say what is live');
  });

  it('a failure that is live is rolled back, and an alert that came while it ran counts once it is over', async () => {
    const here = world();
    await here.deploy('v1', 'production');
    here.state.outcome = () => ({ kind: 'failed', code: 'exit', text: 'exit code 3' });
    await here.deploy('v2', 'production');
    here.state.outcome = () => ({ kind: 'succeeded' });
    expect([...here.wanted]).to.deep.equal([2]);
    await here.rollBack();
    expect(here.live.get('production')).to.equal('v1');
    expect(here.text('general deploy:2:watch')).to.include('because deployment 2 failed\\: exit code 3');

    const during = Promise.withResolvers<void>();
    here.state.outcome = (version) => {
      if (version === 'v3') here.watch.changed(here.alert(7)).then(during.resolve, during.reject);
      return { kind: 'succeeded' };
    };
    const id = await here.deploy('v3', 'production');
    await during.promise;
    await here.watch.told(id);
    expect([...here.wanted]).to.include(id);
    await here.rollBack();
    expect(here.live.get('production')).to.equal('v1');
  });
});
