/**
 * Deploys, cancels, locks, unlocks, expiries and killed replicas in every order: two replicas on one record, each of whose
 * calls takes effect at a moment that is drawn by lot.
 */

import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { createDeploys } from '../../../src/domain/deploy/deploys.ts';
import { createLocks, type Locks } from '../../../src/domain/deploy/locking.ts';
import { keepsOut, type Lock } from '../../../src/domain/deploy/locks.ts';
import type { Deployment, DeployStore, Deploys, Target } from '../../../src/domain/deploy/ports.ts';
import { createMemory, memoryDeploys, memoryLocks } from '../../support/deploy-memory.ts';

const RUNS = 10_000;
const MINUTE = 60_000;
const ENVIRONMENTS = ['staging', 'production'];
const PEOPLE = ['alice', 'bob'];

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Op =
  | { readonly kind: 'deploy'; readonly place: number; readonly person: number; readonly version: number }
  | { readonly kind: 'cancel' | 'unlock'; readonly which: number }
  | { readonly kind: 'lock'; readonly place: number; readonly person: number; readonly minutes: number }
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'kill'; readonly which: number };

const pick = fc.nat({ max: 3 });
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deploy'), place: pick, person: pick, version: pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('cancel', 'unlock'), which: pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lock'), place: pick, person: pick, minutes: pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), minutes: pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill'), which: pick }) },
);

/** Draws the same lots for the same seed (mulberry32). */
function lots(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Replica {
  readonly id: string;
  readonly deploys: Deploys;
  readonly locks: Locks;
  readonly stopped: { dead: boolean };
}

interface World {
  play(ops: readonly Op[]): Promise<void>;
}

/** @param canResume whether a rollout goes on when its replica is killed */
function createWorld(seed: number, canResume: boolean): World {
  const draw = lots(seed);
  const memory = createMemory();
  /** Calls that wait for their moment. */
  const pending: { readonly of: Replica['stopped']; readonly go: () => void }[] = [];
  const sleeping: { readonly until: number; readonly wake: () => void }[] = [];
  const jobs: number[] = [];
  const working: { readonly id: number; readonly by: Replica }[] = [];
  const rollouts = new Map<string, { readonly id: number; readonly by: Replica['stopped'] }>();
  const begun: number[] = [];
  const live = new Map<string, string>();
  const cards = new Map<string, string>();
  /** Locks that somebody knows of and nobody is opening. */
  const held = new Map<number, Lock>();
  const opening = new Set<number>();
  const replicas: Replica[] = [];
  const commands: Promise<unknown>[] = [];
  let time = Date.UTC(2026, 0, 31);
  let born = 0;
  let killed = 0;

  function step(of: Replica['stopped']): Promise<void> {
    return new Promise((go) => pending.push({ of, go }));
  }

  function where(environment: string): string {
    return `hello ${environment}`;
  }

  function target(stopped: Replica['stopped']): Target {
    async function follow(id: number, environment: string, version: string, signal: AbortSignal) {
      const place = where(environment);
      const other = rollouts.get(place);
      if (other !== undefined && !other.by.dead && other.id !== id) {
        throw new Error(`two at once: ${id} and ${other.id}`);
      }
      rollouts.set(place, { id, by: stopped });
      for (let part = 0; part < 2; part += 1) {
        await step(stopped);
        if (signal.aborted) {
          rollouts.delete(place);
          return { kind: 'interrupted', text: 'it was stopped' } as const;
        }
      }
      rollouts.delete(place);
      if (draw(4) === 0) return { kind: 'failed', code: 'no', text: 'it is broken' } as const;
      live.set(place, version);
      return { kind: 'succeeded' } as const;
    }
    return {
      kind: 'test',
      async deploy({ deployment, environment, version }, run) {
        expect(begun, 'begun twice').to.not.include(deployment);
        begun.push(deployment);
        if (canResume) await run.remember({ at: environment });
        return await follow(deployment, environment, version, run.signal);
      },
      ...(canResume && {
        resume: ({ deployment, environment, version }, _handle, run) =>
          follow(deployment, environment, version, run.signal),
      }),
      async current(_service, environment) {
        const version = live.get(where(environment));
        return version === undefined ? undefined : { version };
      },
      versions: async () => ['v3', 'v2', 'v1', 'v0'],
      settle: async () => undefined,
    };
  }

  /** What a lock has promised to whoever set it. */
  function watched(store: DeployStore): DeployStore {
    return {
      ...store,
      async claim(id, ...rest) {
        const before = [...held.values()];
        const claimed = await store.claim(id, ...rest);
        if (claimed === undefined) return undefined;
        const at = new Date(time);
        const broken = before.find((one) => held.has(one.id) && keepsOut(one, claimed, at));
        if (broken !== undefined) throw new Error(`deployment ${id} began under lock ${broken.id}`);
        return claimed;
      },
    };
  }

  function birth(): Replica {
    born += 1;
    const id = `replica ${born}`;
    const stopped = { dead: false };
    const lockStore = memoryLocks(memory, () => step(stopped));
    const deploys: Deploys = createDeploys({
      config: {
        environments: ENVIRONMENTS.map((name) => ({ name, supersede: name === 'staging' })),
        services: [
          {
            name: 'hello',
            environments: ENVIRONMENTS,
            target: {
              kind: 'command',
              folder: '.',
              deploy: ['true'],
              timeoutMs: MINUTE,
              pass: [],
              variables: {},
            },
          },
        ],
      },
      store: watched(memoryDeploys(memory, () => step(stopped))),
      locks: (at) => lockStore.all(at),
      target: () => target(stopped),
      clock: {
        now: () => new Date(time),
        sleep: (ms, signal) =>
          new Promise((wake) => {
            if (signal.aborted) return wake();
            signal.addEventListener('abort', () => wake(), { once: true });
            sleeping.push({ until: time + ms, wake });
          }),
      },
      replica: id,
      async enqueue(number) {
        await step(stopped);
        jobs.push(number);
      },
      async tellCancelled(number) {
        await step(stopped);
        // It may be lost.
        for (const one of replicas) if (draw(2) === 0) one.deploys.stop(number);
      },
      async post(_origin, content, key) {
        await step(stopped);
        cards.set(key, typeof content === 'string' ? content : content.title);
      },
      ended: async () => undefined,
      redact: (text) => text,
      may: async () => true,
      log: quiet,
    });
    const locks = createLocks({
      store: lockStore,
      now: () => new Date(time),
      redact: (text) => text,
      changed: () => deploys.goOn(),
      changeLater: async () => undefined,
    });
    const replica: Replica = { id, deploys, locks, stopped };
    replicas.push(replica);
    return replica;
  }

  function kill(which: number): void {
    const [victim] = replicas.splice(which % replicas.length, 1);
    if (victim === undefined) return;
    killed += 1;
    victim.stopped.dead = true;
    for (const one of working.splice(0)) {
      if (one.by === victim) jobs.push(one.id);
      else working.push(one);
    }
    const next = birth();
    commands.push(next.deploys.interrupt(victim.id), next.deploys.takeUp());
  }

  function work(): void {
    const by = replicas[draw(replicas.length)];
    const [id] = jobs.splice(draw(jobs.length), 1);
    if (by === undefined || id === undefined) return;
    const job = { id, by };
    working.push(job);
    const done = by.deploys.run(id, new AbortController().signal).finally(() => {
      if (working.includes(job)) working.splice(working.indexOf(job), 1);
    });
    commands.push(done);
  }

  async function lock({ person, place, minutes }: Op & { readonly kind: 'lock' }, locks: Locks): Promise<void> {
    const name = PEOPLE[person % 2] ?? '';
    const environment = ENVIRONMENTS[place];
    const result = await locks.lock({
      ...(environment === undefined ? {} : { environment }),
      reason: 'because',
      ...(minutes === 0 ? {} : { forMs: minutes * MINUTE }),
      owner: { id: name, name },
    });
    // Somebody may have opened it before whoever set it hears of it.
    if (result.kind === 'locked' && !opening.has(result.lock.id)) held.set(result.lock.id, result.lock);
  }

  async function unlock(found: Lock, locks: Locks): Promise<boolean> {
    opening.add(found.id);
    held.delete(found.id);
    return await locks.unlock(found);
  }

  function command(given: Op): Promise<unknown> | undefined {
    const one = replicas[draw(replicas.length)];
    if (one === undefined) throw new Error('no replica');
    switch (given.kind) {
      case 'deploy': {
        const name = PEOPLE[given.person % 2] ?? '';
        return one.deploys.start({
          service: 'hello',
          environment: ENVIRONMENTS[given.place % 2] ?? '',
          version: `v${given.version}`,
          by: { id: name, name },
          origin: { chat: 'test', room: 'ops' },
        });
      }
      case 'cancel':
        return one.deploys.cancel(given.which + 1, { id: 'alice', name: 'alice' });
      case 'lock':
        return lock(given, one.locks);
      case 'unlock': {
        const found = memory.locks[given.which % Math.max(1, memory.locks.length)];
        return found === undefined ? undefined : unlock(found, one.locks);
      }
      case 'wait':
        time += given.minutes * MINUTE;
        for (const sleeper of sleeping.splice(0)) {
          if (sleeper.until <= time) sleeper.wake();
          else sleeping.push(sleeper);
        }
        return one.deploys.goOn();
      case 'kill':
        kill(given.which);
        return undefined;
    }
  }

  function check(): void {
    for (const environment of ENVIRONMENTS) {
      const holders = memory.rows.filter(
        (row) => row.environment === environment && (row.state === 'queued' || row.state === 'running'),
      );
      expect(holders.length, `holders of ${environment}`).to.be.at.most(1);
    }
  }

  /** One thing that may happen now happens. False if nothing can. */
  function happen(waiting: Op[]): boolean {
    const choices = pending.length + jobs.length + waiting.length;
    if (choices === 0) return false;
    const lot = draw(choices);
    if (lot < pending.length) {
      const [call] = pending.splice(lot, 1);
      if (call !== undefined && !call.of.dead) call.go();
    } else if (lot < pending.length + jobs.length) {
      work();
    } else {
      const next = waiting.shift();
      const done = next && command(next);
      if (done !== undefined) commands.push(done);
    }
    return true;
  }

  async function drain(waiting: Op[]): Promise<void> {
    while (happen(waiting)) {
      check();
      await setImmediate();
      if (failed !== undefined) throw failed;
    }
  }

  let failed: unknown;

  async function play(ops: readonly Op[]): Promise<void> {
    birth();
    birth();
    const push = commands.push.bind(commands);
    commands.push = (...added) => push(...added.map((one) => one.catch((error: unknown) => void (failed ??= error))));
    await drain([...ops]);
    // Time passes, a lock can be opened by whoever may, and all that waited runs.
    for (let round = 0; round < 3; round += 1) {
      const [one] = replicas;
      for (const found of memory.locks) {
        if (one !== undefined) commands.push(unlock(found, one.locks).then((opened) => expect(opened).to.equal(true)));
      }
      await drain([]);
      await drain([{ kind: 'wait', minutes: 1 }]);
    }
    expect(memory.locks, 'locks that nobody could open').to.deep.equal([]);
    const left = memory.rows.filter(({ state }) => ['waiting', 'queued', 'running'].includes(state));
    expect(
      left.map(({ id, state }) => ({ id, state })),
      'left behind',
    ).to.deep.equal([]);
    if (killed > 0) return;
    for (const row of memory.rows)
      expect(cards.get(`deploy:${row.id}`), told(row)).to.match(/did not run|live|failed|was /);
  }

  function told({ id, state }: Deployment): string {
    return `what is told of deployment ${id}, which is ${state}`;
  }

  return { play };
}

describe('interleavings', function () {
  this.timeout(600_000);

  it(`${RUNS} of them give no two holders, none that is begun twice or forgotten, and no lock that nobody can open`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(op, { minLength: 1, maxLength: 10 }),
        fc.integer(),
        fc.boolean(),
        (ops, seed, canResume) => createWorld(seed, canResume).play(ops),
      ),
      { numRuns: RUNS },
    );
  });
});
