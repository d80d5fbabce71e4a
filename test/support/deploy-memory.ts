/** The record of deployments and locks as a model in memory: each call takes effect at one moment, after `step`. */

import { keepsOut, type Lock, type LockStore, scopeWords } from '../../src/domain/deploy/locks.ts';
import type { Deployment, DeployStore, Finish, Place } from '../../src/domain/deploy/ports.ts';

type Row = { -readonly [K in keyof Deployment]: Deployment[K] } & {
  owner?: string | undefined;
  handle?: object;
  announced?: boolean;
  output: string;
};

/** What all replicas share. */
export interface Memory {
  readonly rows: Row[];
  locks: Lock[];
  lastLock: number;
}

export function createMemory(): Memory {
  return { rows: [], locks: [], lastLock: 0 };
}

/** @param step resolves when the next call may take effect; never, once its replica was killed */
export function memoryDeploys(memory: Memory, step: () => Promise<void>): DeployStore {
  const { rows } = memory;

  function here(place: Place): (row: Place) => boolean {
    return (row) => row.service === place.service && row.environment === place.environment;
  }

  function isOpen({ state }: Row): boolean {
    return state === 'queued' || state === 'running';
  }

  function hasEnded(row: Row): boolean {
    return row.state !== 'waiting' && !isOpen(row);
  }

  function lockOn(place: Place, at: Date): Lock | undefined {
    return memory.locks.find((lock) => keepsOut(lock, place, at));
  }

  function find(id: number): Row | undefined {
    return rows.find((row) => row.id === id);
  }

  /** The one that this owner runs. */
  function mine(id: number, owner: string): Row | undefined {
    const row = find(id);
    return row?.state === 'running' && row.owner === owner ? row : undefined;
  }

  function copy(row: Row): Deployment {
    const { owner: _owner, handle: _handle, announced: _announced, output: _output, ...deployment } = row;
    return { ...deployment };
  }

  function end(row: Row, { state, at, reason, live, output, by }: Finish): void {
    row.state = state;
    row.finishedAt = at;
    if (reason !== undefined) row.reason = reason;
    if (live !== undefined) row.live = live;
    if (output !== undefined) row.output = output;
    if (by !== undefined) row.cancelledBy = by;
  }

  return {
    async start({ at, ...wanted }) {
      await step();
      const first =
        wanted.rollsBack === undefined ? undefined : rows.find(({ rollsBack }) => rollsBack === wanted.rollsBack);
      if (first !== undefined) return { kind: 'waiting', deployment: copy(first) };
      const lock = lockOn(wanted, at);
      if (lock !== undefined) return { kind: 'locked', lock };
      const row: Row = { ...wanted, id: rows.length + 1, state: 'waiting', requestedAt: at, output: '' };
      rows.push(row);
      return { kind: 'waiting', deployment: copy(row) };
    },
    async next(place, at) {
      await step();
      const line = rows.filter(here(place));
      if (line.some(isOpen) || lockOn(place, at) !== undefined) return undefined;
      const row = line.find(({ state }) => state === 'waiting');
      if (row === undefined) return undefined;
      row.state = 'queued';
      return copy(row);
    },
    async supersede(by, versions, owner, finish) {
      await step();
      const older = rows
        .filter(here(by))
        .filter(({ id, state }) => state === 'waiting' && id < by.id)
        .filter(({ version }) => (versions === 'any other' ? version !== by.version : versions.includes(version)));
      for (const row of older) {
        end(row, finish);
        row.owner = owner;
      }
      const newer = find(by.id);
      if (newer !== undefined && older.length > 0) newer.supersedes = older.map(({ id }) => id);
      return older.map(copy);
    },
    async claim(id, owner, at, previous) {
      await step();
      const row = find(id);
      if (row?.state !== 'queued') return undefined;
      if (lockOn(row, at) !== undefined) {
        row.state = 'waiting';
        return undefined;
      }
      row.state = 'running';
      row.owner = owner;
      row.startedAt = at;
      if (previous === undefined) delete row.previous;
      else row.previous = previous;
      return copy(row);
    },
    async drop(id, owner, finish) {
      await step();
      const row = find(id);
      if (row?.state !== 'waiting' && row?.state !== 'queued') return undefined;
      end(row, finish);
      row.owner = owner;
      return copy(row);
    },
    async cancel(id, by) {
      await step();
      const row = find(id);
      if (row?.state !== 'running') return undefined;
      row.cancelledBy = by;
      return copy(row);
    },
    async finish(id, owner, finish) {
      await step();
      const row = mine(id, owner);
      if (row === undefined) return false;
      end(row, finish);
      return true;
    },
    async saveOutput(id, owner, output) {
      await step();
      const row = mine(id, owner);
      if (row !== undefined) row.output = output;
    },
    async announced(id) {
      await step();
      const row = find(id);
      if (row !== undefined) row.announced = true;
    },
    async get(id) {
      await step();
      const row = find(id);
      return row && copy(row);
    },
    async output(id) {
      await step();
      return find(id)?.output ?? '';
    },
    async open() {
      await step();
      return rows.filter(isOpen).map(copy);
    },
    async waiting() {
      await step();
      return rows.filter(({ state }) => state === 'waiting').map(copy);
    },
    async remember(id, owner, handle) {
      await step();
      const row = mine(id, owner);
      if (row === undefined) throw new Error('the deployment is another replica’s now');
      row.handle = handle;
    },
    async handle(id) {
      await step();
      return find(id)?.handle;
    },
    async leave(id, owner, output) {
      await step();
      const row = mine(id, owner);
      if (row === undefined) return false;
      delete row.owner;
      if (output !== undefined) row.output = output;
      return true;
    },
    async takeUp(id, owner) {
      await step();
      const row = find(id);
      if (row?.state !== 'running' || row.owner !== undefined) return undefined;
      row.owner = owner;
      return copy(row);
    },
    async runningOf(owner) {
      await step();
      return rows.filter((row) => row.state === 'running' && row.owner === owner).map(copy);
    },
    async unannouncedOf(owner) {
      await step();
      return rows.filter((row) => hasEnded(row) && row.owner === owner && row.announced !== true).map(copy);
    },
    async lastGood() {
      await step();
      const good = new Map(
        rows
          .filter(({ state }) => state === 'succeeded')
          .map((row) => [`${row.service} ${row.environment}`, copy(row)]),
      );
      return [...good.values()];
    },
    async history({ service, environment, limit }) {
      await step();
      return rows
        .filter((row) => service === undefined || row.service === service)
        .filter((row) => environment === undefined || row.environment === environment)
        .toReversed()
        .slice(0, limit)
        .map(copy);
    },
  };
}

/** @param step as above */
export function memoryLocks(memory: Memory, step: () => Promise<void>): LockStore {
  return {
    async lock(wanted) {
      await step();
      const there = memory.locks.find((lock) => scopeWords(lock) === scopeWords(wanted));
      if (there === undefined) {
        memory.lastLock += 1;
        const lock = { ...wanted, id: memory.lastLock };
        memory.locks.push(lock);
        return { kind: 'locked', lock };
      }
      const expired = there.until !== undefined && there.until <= wanted.at;
      const renewed = there.owner.id === wanted.owner.id && there.at < wanted.at;
      if (!renewed && !expired) return { kind: 'held', lock: there };
      const lock = { ...wanted, id: there.id };
      memory.locks = memory.locks.map((one) => (one === there ? lock : one));
      return { kind: 'locked', lock };
    },
    async unlock({ id, owner }) {
      await step();
      const left = memory.locks.filter((lock) => lock.id !== id || lock.owner.id !== owner.id);
      const opened = left.length < memory.locks.length;
      memory.locks = left;
      return opened;
    },
    async get(id) {
      await step();
      return memory.locks.find((lock) => lock.id === id);
    },
    async all(at) {
      await step();
      return memory.locks.filter(({ until }) => until === undefined || until > at);
    },
  };
}
