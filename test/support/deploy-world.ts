/**
 * Two replicas of the real commands, proposals, deployments and locks on one record in memory, each of whose calls takes effect at a
 * moment that is drawn by lot. Production asks for approval.
 */

import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import deployScript from '../../scripts/deploy.ts';
import proposalScript from '../../scripts/proposals.ts';
import { createAccess } from '../../src/bot/access.ts';
import type { AuditTrail } from '../../src/bot/audit.ts';
import type { Content } from '../../src/bot/card.ts';
import type { Address, Person } from '../../src/bot/chat.ts';
import { createDesk } from '../../src/bot/desk.ts';
import { createDispatch, type Dispatch } from '../../src/bot/dispatch.ts';
import { createProposalCards, type ProposalCards } from '../../src/bot/proposal-cards.ts';
import type { Robot } from '../../src/bot/robot.ts';
import type { Services } from '../../src/bot/services.ts';
import type { ServicesConfig } from '../../src/domain/deploy/config.ts';
import { createDeploys } from '../../src/domain/deploy/deploys.ts';
import { createLocks, type Locks } from '../../src/domain/deploy/locking.ts';
import { keepsOut, type Lock } from '../../src/domain/deploy/locks.ts';
import type { Deployment, DeployStore, Deploys } from '../../src/domain/deploy/ports.ts';
import type { Target } from '../../src/domain/deploy/target.ts';
import { type AuditEntry, memoryAudit } from './commands.ts';
import { createMemory, memoryDeploys, memoryLocks } from './deploy-memory.ts';
import { everybodyInside } from './people.ts';
import { createProposalMemory, memoryProposals } from './proposal-memory.ts';

const MINUTE = 60_000;
const EXPIRES_MINUTES = 4;
const ENVIRONMENTS = ['staging', 'production'];
/** `alice2` is another account of alice. All may approve; carol may not deploy. */
const PEOPLE = ['alice', 'bob', 'carol', 'alice2'];
const ROLES = { deployer: ['deploy:staging', 'deploy:production'], approver: ['deploy:approve:production'] };
const ROOM = { chat: 'test', room: 'ops', private: false };

export type Op =
  | { readonly kind: 'deploy'; readonly place: number; readonly person: number; readonly version: number }
  | { readonly kind: 'approve' | 'refuse'; readonly which: number; readonly person: number }
  | { readonly kind: 'cancel' | 'unlock'; readonly which: number }
  | { readonly kind: 'lock'; readonly place: number; readonly person: number; readonly minutes: number }
  | { readonly kind: 'wait'; readonly minutes: number }
  /** Somebody deploys to production past the robot. */
  | { readonly kind: 'drift'; readonly version: number }
  | { readonly kind: 'kill'; readonly which: number };

const pick = fc.nat({ max: 3 });
export const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('deploy'), place: pick, person: pick, version: pick }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('approve'), which: pick, person: pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuse'), which: pick, person: pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('cancel', 'unlock'), which: pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lock'), place: pick, person: pick, minutes: pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), minutes: pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drift'), version: pick }) },
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

/** Adds the commands that the lines of a world need. */
export function addCommands(robot: Robot): void {
  deployScript(robot);
  proposalScript(robot);
}

type Job = { readonly kind: 'run' | 'invite'; readonly id: number } | { readonly kind: 'settle' };

/** What somebody typed: stored when it arrives, and handled again when the replica that handles it is killed. */
interface Typed {
  readonly text: string;
  readonly person: Person;
  readonly source: string;
}

interface Replica {
  readonly id: string;
  readonly deploys: Deploys;
  readonly locks: Locks;
  readonly dispatch: Dispatch;
  readonly cards: ProposalCards;
  readonly stopped: { dead: boolean };
}

export interface WorldOptions {
  readonly table: Robot['table'];
  readonly seed: number;
  /** Whether a rollout goes on when its replica is killed. */
  readonly canResume: boolean;
  /** How many must approve what goes to production. */
  readonly count: number;
}

/** What came of it, so that a test can see that all of it happens. */
export interface Tally {
  approved: number;
  deployed: number;
}

/** Plays what happens, in an order drawn by lot, to its end. Throws what must never be. */
export async function play(ops: readonly Op[], options: WorldOptions, tally: Tally): Promise<void> {
  const { table, canResume, count } = options;
  const draw = lots(options.seed);
  const memory = createMemory();
  const proposals = createProposalMemory();
  const audited: AuditEntry[] = [];
  /** Calls that wait for their moment. */
  const pending: { readonly of: Replica['stopped']; readonly go: () => void }[] = [];
  const sleeping: { readonly until: number; readonly wake: () => void }[] = [];
  const jobs: Job[] = [];
  const working: { readonly job: Job; readonly by: Replica }[] = [];
  const handling: { readonly typed: Typed; readonly by: Replica }[] = [];
  const rollouts = new Map<string, { readonly id: number; readonly by: Replica['stopped'] }>();
  const begun: number[] = [];
  const live = new Map<string, string>();
  /** By room and key. */
  const cards = new Map<string, Content>();
  /** Who has said that they approve a proposal, by its number. */
  const voices = new Map<number, Set<string>>();
  const used = new Set<number>();
  /** Locks that somebody knows of and nobody is opening. */
  const held = new Map<number, Lock>();
  const opening = new Set<number>();
  const replicas: Replica[] = [];
  let time = Date.UTC(2026, 0, 31);
  let born = 0;
  let killed = 0;
  let typed = 0;
  let failed: unknown;

  function follow(work: Promise<unknown>): void {
    work.catch((error: unknown) => void (failed ??= error));
  }

  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (fields: object, message: string) =>
      void (failed ??= 'err' in fields && fields.err instanceof Error ? fields.err : new Error(message)),
  };

  function step(of: Replica['stopped']): Promise<void> {
    return new Promise((go) => pending.push({ of, go }));
  }

  function person(index: number): Person {
    const name = PEOPLE[index % PEOPLE.length] ?? '';
    return { id: `test:${name}`, chat: 'test', name };
  }

  /** Whose account it is. */
  function whose(id: string): string {
    return id.replace(/2$/, '');
  }

  function where(environment: string): string {
    return `hello ${environment}`;
  }

  const config: ServicesConfig = {
    environments: ENVIRONMENTS.map((name) => ({
      name,
      supersede: name === 'staging',
      ...(name === 'production' && {
        approval: { needs: { permission: 'deploy:approve:production' }, count, expiresMs: EXPIRES_MINUTES * MINUTE },
      }),
    })),
    services: [
      {
        name: 'hello',
        environments: ENVIRONMENTS,
        target: { kind: 'command', folder: '.', deploy: ['true'], timeoutMs: MINUTE, pass: [], variables: {} },
      },
    ],
  };

  /** Enough others have approved just this, in time, and nothing else has come of their approval. */
  function mustBeApproved({ id, version, previous, by, audit }: Deployment): void {
    const about = `deployment ${id}`;
    const number = Number(/^proposal:(\d+)$/.exec(audited[(audit ?? 0) - 1]?.source ?? '')?.[1]);
    const row = proposals.rows[number - 1];
    if (row === undefined) throw new Error(`nobody was asked for ${about}`);
    expect(row.end?.decision, about).to.equal('approved');
    expect(row.end?.at.getTime(), about).to.be.below(row.proposal.expiresAt.getTime());
    expect(row.proposal.person.id, about).to.equal(by.id);
    expect({ version: undefined, previous: undefined, ...row.proposal.terms?.facts }, about).to.deep.equal({
      version,
      previous,
    });
    const others = new Set([...(voices.get(number) ?? [])].map(whose));
    others.delete(whose(by.id));
    expect(others.size, `other people who approve ${about}`).to.be.at.least(count);
    expect(used.has(number), `${about} begins with an approval that was used`).to.equal(false);
    used.add(number);
    tally.approved += 1;
  }

  function target(stopped: Replica['stopped']): Target {
    async function rollOut(id: number, environment: string, version: string, signal: AbortSignal) {
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
        const row = memory.rows.find(({ id }) => id === deployment);
        if (environment === 'production' && row !== undefined) mustBeApproved(row);
        tally.deployed += 1;
        if (canResume) await run.remember({ at: environment });
        return await rollOut(deployment, environment, version, run.signal);
      },
      ...(canResume && {
        resume: ({ deployment, environment, version }, _handle, run) =>
          rollOut(deployment, environment, version, run.signal),
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

  function trail(stopped: Replica['stopped']): AuditTrail {
    const kept = memoryAudit(audited);
    return {
      ...kept,
      async begin(start) {
        await step(stopped);
        return await kept.begin(start);
      },
    };
  }

  function birth(): Replica {
    born += 1;
    const id = `replica ${born}`;
    const stopped = { dead: false };
    const now = () => new Date(time);
    const takesEffect = () => step(stopped);
    const lockStore = memoryLocks(memory, takesEffect);
    const store = memoryProposals(proposals, takesEffect);
    const access = createAccess({
      policy: {
        roles: ROLES,
        everyone: [],
        groups: {},
        people: Object.fromEntries(
          PEOPLE.map((name) => [`test:${name}`, name === 'carol' ? ['approver'] : ['deployer', 'approver']]),
        ),
      },
      store: { all: async () => [], add: async () => true, remove: async () => true },
      people: { ...everybodyInside, samePerson: async (one, other) => whose(one) === whose(other) },
      changed: async () => undefined,
      now,
    });
    async function post(address: Address, content: Content, { key }: { readonly key?: string } = {}): Promise<void> {
      await step(stopped);
      if (key !== undefined) cards.set(`${address.room} ${key}`, content);
    }
    const room = async ({ chat, room: name }: Address) => ({ chat, id: name, name, private: false });
    const deploys: Deploys = createDeploys({
      config,
      store: watched(memoryDeploys(memory, takesEffect)),
      locks: (at) => lockStore.all(at),
      target: () => target(stopped),
      clock: {
        now,
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
        jobs.push({ kind: 'run', id: number });
      },
      async tellCancelled(number) {
        await step(stopped);
        // It may be lost.
        for (const one of replicas) if (draw(2) === 0) one.deploys.stop(number);
      },
      post: (origin, content, key) => post(origin, content, { key }),
      async ended({ audit }, state) {
        const row = audited[(audit ?? 0) - 1];
        if (row !== undefined) row.outcome ??= state === 'cancelled' ? 'interrupted' : state;
      },
      redact: (text) => text,
      may: (by, permission) => access.can({ ...by, chat: 'test' }, permission),
      log,
    });
    const locks = createLocks({
      store: lockStore,
      now,
      redact: (text) => text,
      changed: () => deploys.goOn(),
      changeLater: async () => undefined,
    });
    const direct = async ({ chat, id: of }: Person) => ({ chat, room: `with ${of}` });
    const proposalCards = createProposalCards({
      proposals: store,
      access,
      room,
      direct,
      async proposed(proposal) {
        await step(stopped);
        jobs.push({ kind: 'invite', id: proposal.id });
      },
      post,
      now,
      log,
    });
    const dispatch = createDispatch({
      table,
      names: {
        services: () => ['hello'],
        environments: () => ENVIRONMENTS,
        people: async () => [],
        rooms: async () => [],
      },
      // The two scripts use no others.
      services: () => ({ access, deploys, locks, commands: desk }) as unknown as Services,
      access,
      audit: trail(stopped),
      proposals: store,
      cards: proposalCards,
      rate: { perMinute: 60, take: async () => 0 },
      metrics: { finished: () => undefined },
      log,
      post,
      redact: (text) => text,
      now,
      newReference: () => 'reference',
      isAlone: async () => false,
      isStorageTrouble: () => false,
    });
    const desk = createDesk({
      robotName: 'hubot',
      table,
      proposals: store,
      cards: proposalCards,
      access,
      dispatch,
      others: () => [],
      room,
      post,
    });
    const replica: Replica = { id, deploys, locks, dispatch, cards: proposalCards, stopped };
    replicas.push(replica);
    return replica;
  }

  function kill(which: number): void {
    const [victim] = replicas.splice(which % replicas.length, 1);
    if (victim === undefined) return;
    killed += 1;
    victim.stopped.dead = true;
    const next = birth();
    for (const one of working.splice(0)) {
      if (one.by === victim) jobs.push(one.job);
      else working.push(one);
    }
    for (const one of handling.splice(0)) {
      if (one.by === victim) handle(one.typed, next);
      else handling.push(one);
    }
    follow(next.deploys.interrupt(victim.id));
    follow(next.deploys.takeUp());
  }

  function handle(said: Typed, by: Replica): void {
    const one = { typed: said, by };
    handling.push(one);
    const done = by.dispatch
      .run({ ...said, room: ROOM, via: 'typed', reply: () => step(by.stopped) })
      .finally(() => void (handling.includes(one) && handling.splice(handling.indexOf(one), 1)));
    follow(done);
  }

  function say(who: number, text: string, by: Replica): void {
    typed += 1;
    handle({ text, person: person(who), source: `test:${typed}` }, by);
  }

  function work(): void {
    const by = replicas[draw(replicas.length)];
    const [job] = jobs.splice(draw(jobs.length), 1);
    if (by === undefined || job === undefined) return;
    const one = { job, by };
    working.push(one);
    follow(perform(job, by).finally(() => void (working.includes(one) && working.splice(working.indexOf(one), 1))));
  }

  async function perform(job: Job, by: Replica): Promise<void> {
    if (job.kind === 'settle') return await by.cards.settle();
    if (job.kind === 'invite') return await by.cards.invite(job.id);
    await by.deploys.run(job.id, new AbortController().signal);
  }

  async function lock({ person: who, place, minutes }: Op & { readonly kind: 'lock' }, locks: Locks): Promise<void> {
    const environment = ENVIRONMENTS[place];
    const result = await locks.lock({
      ...(environment === undefined ? {} : { environment }),
      reason: 'because',
      ...(minutes === 0 ? {} : { forMs: minutes * MINUTE }),
      owner: person(who % 2),
    });
    // Somebody may have opened it before whoever set it hears of it.
    if (result.kind === 'locked' && !opening.has(result.lock.id)) held.set(result.lock.id, result.lock);
  }

  async function unlock(found: Lock, locks: Locks): Promise<boolean> {
    opening.add(found.id);
    held.delete(found.id);
    return await locks.unlock(found);
  }

  function answer({ kind, which, person: who }: Op & { readonly kind: 'approve' | 'refuse' }, by: Replica): void {
    const open = proposals.rows.filter(({ end }) => end === undefined);
    const some = draw(4) === 0 || open.length === 0 ? proposals.rows : open;
    const found = some[which % Math.max(1, some.length)];
    if (found === undefined) return;
    const { id, code } = found.proposal;
    if (kind === 'approve') voices.set(id, (voices.get(id) ?? new Set()).add(person(who).id));
    say(who, `${kind} ${code}`, by);
  }

  function happens(given: Op): void {
    const one = replicas[draw(replicas.length)];
    if (one === undefined) throw new Error('no replica');
    switch (given.kind) {
      case 'deploy':
        return say(given.person, `deploy hello v${given.version} to ${ENVIRONMENTS[given.place % 2]}`, one);
      case 'approve':
      case 'refuse':
        return answer(given, one);
      case 'cancel':
        return follow(one.deploys.cancel(given.which + 1, { id: 'test:alice', name: 'alice' }));
      case 'lock':
        return follow(lock(given, one.locks));
      case 'unlock': {
        const found = memory.locks[given.which % Math.max(1, memory.locks.length)];
        return found === undefined ? undefined : follow(unlock(found, one.locks));
      }
      case 'drift':
        return void live.set(where('production'), `v${given.version}`);
      case 'wait':
        time += given.minutes * MINUTE;
        for (const sleeper of sleeping.splice(0)) {
          if (sleeper.until <= time) sleeper.wake();
          else sleeping.push(sleeper);
        }
        jobs.push({ kind: 'settle' });
        return follow(one.deploys.goOn());
      case 'kill':
        return kill(given.which);
    }
  }

  function check(): void {
    for (const environment of ENVIRONMENTS) {
      const holders = memory.rows.filter(
        (row) => row.environment === environment && (row.state === 'queued' || row.state === 'running'),
      );
      if (holders.length > 1) throw new Error(`${holders.length} holders of ${environment}`);
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
      const isEarly = next?.kind === 'approve' && proposals.rows.length === 0 && pending.length > 0;
      if (isEarly) waiting.push(next);
      else if (next !== undefined) happens(next);
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

  birth();
  birth();
  await drain([...ops]);
  // Time passes, a lock can be opened by whoever may, and all that waited runs or ends.
  for (let round = 0; round < 3; round += 1) {
    const [one] = replicas;
    for (const found of memory.locks) {
      if (one !== undefined) follow(unlock(found, one.locks).then((opened) => expect(opened).to.equal(true)));
    }
    await drain([]);
    await drain([{ kind: 'wait', minutes: EXPIRES_MINUTES }]);
  }
  expect(memory.locks, 'locks that nobody could open').to.deep.equal([]);
  const left = memory.rows.filter(({ state }) => ['waiting', 'queued', 'running'].includes(state));
  expect(
    left.map(({ id, state }) => ({ id, state })),
    'left behind',
  ).to.deep.equal([]);
  expect(
    proposals.rows.filter(({ end }) => end === undefined),
    'proposals without an end',
  ).to.deep.equal([]);
  for (const [key, content] of cards) {
    if (!key.includes('proposal:') || typeof content === 'string') continue;
    expect(content.actions ?? [], `buttons left on ${key}: ${content.title}`).to.deep.equal([]);
  }
  for (const { audit, id } of memory.rows) {
    expect(audited[(audit ?? 0) - 1]?.outcome, `end of the audit row of deployment ${id}`).to.not.equal(undefined);
  }
  if (killed > 0) return;
  for (const { id, state } of memory.rows) {
    const told = cards.get(`${ROOM.room} deploy:${id}`);
    const title = typeof told === 'object' ? told.title : '';
    expect(title, `what is told of deployment ${id}, which is ${state}`).to.match(/did not run|live|failed|was /);
  }
}
