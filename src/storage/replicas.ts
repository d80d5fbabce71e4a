/** Which copies of the robot are alive, and what becomes of the work of one that was killed. */

import { randomUUID } from 'node:crypto';
import type { Logger } from '../bot/log.ts';
import type { Database } from './database.ts';

export interface Replicas {
  /** Name of this process, new at every start; what it works on carries it in a column `owner`. */
  readonly id: string;
  /**
   * Registers what takes over the work of a replica that is gone. It may be called twice for the same replica, also on
   * two others at once, so it claims each piece by compare-and-set. If it throws, it is called again.
   * Register before `start`.
   */
  onLost(listener: (replicaId: string) => Promise<void>): void;
  /** Makes this replica known, so that its work is taken over when it is killed: before it takes on any. */
  announce(): Promise<void>;
  /** Shows from now on that it lives; takes over from those that are gone before it resolves. */
  start(): Promise<void>;
  /** Says goodbye: what this replica still owned is taken over by the others at once. */
  stop(): Promise<void>;
}

export interface ReplicaOptions {
  readonly log: Logger;
  readonly id?: string;
  /** How often a replica shows that it lives; four seconds. */
  readonly beatMs?: number;
  /** Silence after which it counts as gone; fourteen seconds. */
  readonly lostAfterMs?: number;
}

interface Lost {
  readonly id: string;
  /** It said goodbye: nothing should be left of its work. */
  readonly ended: boolean;
}
const LOST = "id, seen_at = '-infinity' as ended";

/** The embedded database belongs to one process: whoever was there before is gone. No heartbeat is needed then. */
export function createReplicas(db: Database, options: ReplicaOptions): Replicas {
  const { log } = options;
  const id = options.id ?? randomUUID();
  const beatMs = options.beatMs ?? 4_000;
  const lostAfterMs = options.lostAfterMs ?? 14_000;
  const alone = db.kind === 'embedded';
  const listeners: ((replicaId: string) => Promise<void>)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;
  /** Since when the database has heard of us without a break: after an outage nobody else may have been heard either. */
  let steadySince: number | undefined;
  let lastBeat = 0;

  async function beat(): Promise<void> {
    try {
      const { rowCount } = await db.pool.query('update replica set seen_at = now() where id = $1 and lost_at is null', [
        id,
      ]);
      if (rowCount === 0) {
        log.warn({ replica: id }, 'others took this replica for dead, announcing it again');
        await announce();
        steadySince = undefined;
      }
      const now = performance.now();
      if (now - lastBeat > lostAfterMs / 2) steadySince = undefined;
      lastBeat = now;
      steadySince ??= now;
      if (now - steadySince >= lostAfterMs) await takeOver();
    } catch (error) {
      steadySince = undefined;
      log.warn({ err: error, replica: id }, 'replica heartbeat failed');
    }
  }

  async function announce(): Promise<void> {
    await db.pool.query(
      `insert into replica (id) values ($1)
       on conflict (id) do update set seen_at = now(), lost_at = null`,
      [id],
    );
  }

  /** Marks the silent ones as lost and works through what is marked; a taker that died is replaced after ten seconds. */
  async function takeOver(): Promise<void> {
    const { rows } = alone
      ? await db.pool.query<Lost>(`update replica set lost_at = now() where id <> $1 returning ${LOST}`, [id])
      : await db.pool.query<Lost>(
          `update replica set lost_at = now()
           where id <> $1
             and (seen_at < now() - make_interval(secs => $2) and lost_at is null or lost_at < now() - interval '10 seconds')
           returning ${LOST}`,
          [id, lostAfterMs / 1000],
        );
    for (const { id: lost, ended } of rows) {
      if (ended) log.debug({ replica: lost }, 'replica had ended');
      else log.info({ replica: lost }, 'replica is gone, taking over its work');
      const outcomes = await Promise.allSettled(listeners.map((listener) => listener(lost)));
      const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
      for (const failure of failures) log.error({ err: failure.reason, replica: lost }, 'taking over failed');
      if (failures.length > 0) again();
      else await db.pool.query('delete from replica where id = $1 and lost_at is not null', [lost]);
    }
  }

  /** Without a heartbeat, a take-over that failed needs a second occasion. */
  function again(): void {
    if (!alone || stopped) return;
    timer = setTimeout(() => {
      running = takeOver().catch((error: unknown) => log.error({ err: error }, 'taking over failed'));
    }, 10_000);
    timer.unref();
  }

  return {
    id,
    announce,
    onLost(listener) {
      listeners.push(listener);
    },
    async start() {
      await announce();
      lastBeat = performance.now();
      await takeOver();
      if (alone) return;
      timer = setInterval(() => {
        running ??= beat().finally(() => {
          running = undefined;
        });
      }, beatMs);
      timer.unref();
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
      // Not deleted: whoever looks next works through what may be left, which is nothing after a clean stop.
      await db.pool.query(`update replica set seen_at = '-infinity' where id = $1`, [id]);
    },
  };
}
