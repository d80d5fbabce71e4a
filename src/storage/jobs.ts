/** Durable work on pg-boss. Sending wakes a worker at once; the jobs of a killed replica are taken up by another. */

import type { Db, JobWithMetadata, PgBoss } from 'pg-boss';
import type { JobOptions, JobRun, Jobs } from '../bot/jobs.ts';
import type { Logger } from '../bot/log.ts';
import type { Database } from './database.ts';
import type { Replicas } from './replicas.ts';

export interface RunningJobs extends Jobs {
  /** Makes the queues and starts to work. What was sent before waits for it. */
  start(): Promise<void>;
  /** Takes no more jobs, tells running ones, waits for them up to `limitMs`; those still at it run again later. */
  stop(limitMs?: number): Promise<void>;
  /** Resolves when nothing runs here any more, with true; with false if that takes longer than `limitMs`. */
  idle(limitMs: number): Promise<boolean>;
}

export interface JobsOptions {
  readonly log: Logger;
  readonly replicas: Pick<Replicas, 'id' | 'onLost'>;
  /** How often the database is asked for work that nobody told us of; five seconds. */
  readonly pollMs?: number;
  /** Seconds after which an active job that belongs to nobody is run again; twenty. */
  readonly orphanSeconds?: number;
}

interface Queue {
  readonly name: string;
  readonly options: JobOptions;
  /** Takes up to so many waiting jobs. */
  readonly fetch: (boss: PgBoss, most: number) => Promise<Taken[]>;
  busy: number;
  pumping: boolean;
  woken: boolean;
}

/** A job that is ours to run now. */
interface Taken {
  readonly job: Pick<JobWithMetadata, 'id' | 'expireInSeconds' | 'retryCount' | 'retryLimit' | 'retryDelay'>;
  readonly work: (run: JobRun) => Promise<void>;
}

const CHANNEL = 'jobs';
const RETRY_SETTLE_MS = { first: 200, last: 5_000 };
/** A job that was cut short so often kills its replica: it is not tried again. */
const MOST_INTERRUPTIONS = 10;

/**
 * Jobs in the database `db`. Who runs a job is written beside it (table job_owner), since pg-boss does not record it:
 * that is how the jobs of a lost replica are found.
 */
export function createJobs(db: Database, options: JobsOptions): RunningJobs {
  const { log, replicas } = options;
  const queues = new Map<string, Queue>();
  const running = new Map<string, Promise<void>>();
  const shutdown = new AbortController();
  const wakeups = new Set<NodeJS.Timeout>();
  const ready = Promise.withResolvers<PgBoss>();
  // Whoever sends hears of a failed start; if nobody sends, it is not an unhandled rejection.
  ready.promise.catch(() => undefined);
  let boss: PgBoss | undefined;
  let poll: NodeJS.Timeout | undefined;
  let unsubscribe: (() => void) | undefined;
  let unsubscribeGap: (() => void) | undefined;

  replicas.onLost(async (lost) => {
    if (!(await isInstalled(db))) return;
    const names = await requeue(db, 'owner.replica = $1', [lost]);
    // Nothing else can be running when nobody else can be there.
    if (db.kind === 'embedded') names.push(...(await requeueOrphans(db, 0)));
    for (const name of new Set(names)) wake(name);
  });

  function wake(name: string): void {
    const queue = queues.get(name);
    if (!queue || shutdown.signal.aborted) return;
    queue.woken = true;
    void pump(queue);
  }

  function wakeLater(name: string, ms: number): void {
    const timer = setTimeout(() => {
      wakeups.delete(timer);
      wake(name);
    }, ms);
    timer.unref();
    wakeups.add(timer);
  }

  /** Fetches and starts jobs while there are any and there is room. */
  async function pump(queue: Queue): Promise<void> {
    if (queue.pumping || !boss) return;
    queue.pumping = true;
    try {
      const most = queue.options.concurrency ?? 1;
      while (queue.woken && queue.busy < most && !shutdown.signal.aborted) {
        queue.woken = false;
        const room = most - queue.busy;
        const jobs = await queue.fetch(boss, room);
        // A full answer: there may be more.
        if (jobs.length === room) queue.woken = true;
        for (const job of jobs) begin(boss, queue, job);
      }
    } catch (error) {
      log.warn({ err: error, queue: queue.name }, 'jobs could not be fetched');
    } finally {
      queue.pumping = false;
    }
  }

  function begin(by: PgBoss, queue: Queue, taken: Taken): void {
    const { job } = taken;
    queue.busy++;
    const done = perform(by, queue, taken)
      .catch((error: unknown) => log.error({ err: error, queue: queue.name, job: job.id }, 'job was not settled'))
      .finally(() => {
        running.delete(job.id);
        queue.busy--;
        queue.woken = true;
        void pump(queue);
      });
    running.set(job.id, done);
  }

  async function perform(by: PgBoss, queue: Queue, { job, work }: Taken): Promise<void> {
    await db.pool.query(
      `insert into job_owner (job, queue, replica) values ($1, $2, $3)
       on conflict (job) do update set replica = excluded.replica, since = now()`,
      [job.id, queue.name, replicas.id],
    );
    const expiry = new AbortController();
    const timer = setTimeout(() => expiry.abort(new Error('took longer than allowed')), job.expireInSeconds * 1000);
    timer.unref();
    const run: JobRun = {
      id: job.id,
      attempt: job.retryCount + 1,
      signal: AbortSignal.any([expiry.signal, shutdown.signal]),
    };
    let failure: unknown;
    try {
      await Promise.race([work(run), aborted(expiry.signal)]);
    } catch (error) {
      failure = error ?? new Error('failed without a reason');
    } finally {
      clearTimeout(timer);
    }
    const settle = async (): Promise<void> => {
      if (failure === undefined) await by.complete(queue.name, job.id);
      else if (shutdown.signal.aborted) await requeue(db, 'owner.job = $1', [job.id]);
      else await by.fail(queue.name, job.id, { message: messageOf(failure) });
      await db.pool.query('delete from job_owner where job = $1', [job.id]);
    };
    if (failure !== undefined && !shutdown.signal.aborted) {
      const last = job.retryCount >= job.retryLimit;
      log.warn({ err: failure, queue: queue.name, job: job.id, attempt: run.attempt, last }, 'job failed');
      if (!last) wakeLater(queue.name, job.retryDelay * 1000 + 50);
    }
    await persist(settle);
  }

  /** The outcome must reach the database, which may be away for a while. */
  async function persist(settle: () => Promise<void>): Promise<void> {
    let delay = RETRY_SETTLE_MS.first;
    for (;;) {
      try {
        await settle();
        return;
      } catch (error) {
        if (shutdown.signal.aborted) throw error;
        log.warn({ err: error, retryInMs: delay }, 'outcome of a job could not be stored');
        await new Promise((resolve) => setTimeout(resolve, delay));
        delay = Math.min(RETRY_SETTLE_MS.last, delay * 2);
      }
    }
  }

  async function look(): Promise<void> {
    try {
      await requeueOrphans(db, options.orphanSeconds ?? 20);
      const { rows } = await db.pool.query<{ name: string }>(
        `select distinct name from pgboss.job
         where name = any($1) and state < 'active' and start_after <= now()`,
        [[...queues.keys()]],
      );
      for (const { name } of rows) wake(name);
    } catch (error) {
      log.warn({ err: error }, 'jobs could not be looked for');
    }
  }

  async function boot(): Promise<PgBoss> {
    const { PgBoss: Boss } = await import('pg-boss');
    const fresh = new Boss({
      db: executor(db),
      backend: db.kind === 'embedded' ? 'pglite' : 'postgres',
      schema: 'pgboss',
      superviseIntervalSeconds: 60,
      persistWarnings: false,
    });
    fresh.on('error', (error) => log.warn({ err: error }, 'pg-boss had a problem'));
    fresh.on('warning', (warning) => log.debug({ warning: warning.message, data: warning.data }, 'pg-boss warns'));
    await fresh.start();
    return fresh;
  }

  async function open(): Promise<PgBoss> {
    // Two replicas that start on a new database at the same moment: what one makes is there already for the other.
    const fresh = await boot().catch((error: unknown) => (isDuplicate(error) ? boot() : Promise.reject(error)));
    const known = new Map((await fresh.getQueues()).map((queue) => [queue.name, queue]));
    for (const queue of queues.values()) {
      const { expireSeconds = 900, retries = 0, retryDelaySeconds = 1 } = queue.options;
      const wanted = {
        retryLimit: retries,
        retryDelay: retryDelaySeconds,
        expireInSeconds: expireSeconds,
        deleteAfterSeconds: 3 * 24 * 3600,
      };
      const there = known.get(queue.name);
      if (!there) await fresh.createQueue(queue.name, { policy: 'short', ...wanted });
      else if (
        there.retryLimit !== wanted.retryLimit ||
        there.retryDelay !== wanted.retryDelay ||
        there.expireInSeconds !== wanted.expireInSeconds ||
        there.deleteAfterSeconds !== wanted.deleteAfterSeconds
      ) {
        await fresh.updateQueue(queue.name, wanted);
      }
    }
    return fresh;
  }

  return {
    define<T extends object>(
      name: string,
      jobOptions: JobOptions,
      handler: (data: T, run: JobRun) => Promise<void>,
    ): void {
      if (boss) throw new Error(`job ${name} is defined too late: the robot works already`);
      if (queues.has(name)) throw new Error(`job ${name} is defined twice`);
      async function fetch(by: PgBoss, most: number): Promise<Taken[]> {
        const jobs = await by.fetch<T>(name, { batchSize: most, includeMetadata: true });
        return jobs.map((job) => ({ job, work: (run) => handler(job.data, run) }));
      }
      queues.set(name, { name, options: jobOptions, fetch, busy: 0, pumping: false, woken: false });
    },

    async send(name, data, sendOptions = {}) {
      if (!queues.has(name)) throw new Error(`no job is called ${name}`);
      const by = await ready.promise;
      const { startAfterSeconds = 0, key } = sendOptions;
      await by.send(name, data, {
        // In a queue of this policy, one job a key waits; those without a key get one each.
        singletonKey: key ?? crypto.randomUUID(),
        ...(startAfterSeconds > 0 ? { startAfter: Math.ceil(startAfterSeconds) } : {}),
      });
      if (startAfterSeconds > 0) {
        if (startAfterSeconds <= 3600) wakeLater(name, Math.ceil(startAfterSeconds) * 1000 + 20);
        return;
      }
      wake(name);
      // It is stored: that others hear of it late is no failure.
      await db.bus.publish(CHANNEL, name).catch((error: unknown) => {
        log.warn({ err: error, queue: name }, 'other replicas were not told of a job');
      });
    },

    async schedule(name, cron) {
      if (!queues.has(name)) throw new Error(`no job is called ${name}`);
      const by = await ready.promise;
      await by.schedule(name, cron, null, { tz: 'UTC' });
    },

    async start() {
      try {
        boss = await open();
      } catch (error) {
        ready.reject(error);
        throw error;
      }
      unsubscribe = db.bus.subscribe(CHANNEL, (name) => {
        if (typeof name === 'string') wake(name);
      });
      unsubscribeGap = db.bus.onGap(look);
      await look();
      poll = setInterval(() => void look(), options.pollMs ?? 5_000);
      poll.unref();
      ready.resolve(boss);
    },

    async idle(limitMs) {
      const end = performance.now() + limitMs;
      while (running.size > 0 || [...queues.values()].some((queue) => queue.pumping)) {
        if (performance.now() > end) return false;
        const moment = new Promise<void>((resolve) => setTimeout(resolve, 20));
        await Promise.race([moment, ...running.values()]);
      }
      return true;
    },

    async stop(limitMs = 10_000) {
      clearInterval(poll);
      for (const timer of wakeups) clearTimeout(timer);
      unsubscribe?.();
      unsubscribeGap?.();
      shutdown.abort(new Error('the robot shuts down'));
      if (!boss) return;
      const limit = new Promise<void>((resolve) => setTimeout(resolve, limitMs).unref());
      await Promise.race([Promise.all(running.values()), limit]);
      if (running.size > 0) log.warn({ jobs: running.size }, 'jobs were cut short, they run again');
      await requeue(db, 'owner.replica = $1', [replicas.id]);
      await boss.stop({ graceful: false, close: false });
    },
  };
}

/** Rejects when a run has taken too long. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/**
 * Makes active jobs wait again; the interruption does not count as a failure of theirs.
 *
 * @returns the names of their queues
 */
async function requeue(db: Database, which: string, values: readonly unknown[]): Promise<string[]> {
  const { rows } = await db.pool.query<{ name: string }>(
    `with owner as (select job, queue from job_owner owner where ${which}),
     again as (
       update pgboss.job job
       set state = case when interruptions.so_far < ${MOST_INTERRUPTIONS} then 'retry' else 'failed' end::pgboss.job_state,
           completed_on = case when interruptions.so_far < ${MOST_INTERRUPTIONS} then null else now() end,
           start_after = now(), retry_limit = job.retry_limit + 1,
           output = jsonb_build_object('interruptions', interruptions.so_far + 1)
       from owner, lateral (select coalesce((select (j.output ->> 'interruptions')::int from pgboss.job j
         where j.name = owner.queue and j.id = owner.job), 0) as so_far) interruptions
       where job.name = owner.queue and job.id = owner.job and job.state = 'active'
       returning job.name
     ),
     gone as (delete from job_owner where job in (select job from owner))
     select name from again`,
    [...values],
  );
  return rows.map((row) => row.name);
}

/** Active jobs that nobody owns: their replica was killed between taking one and saying so. */
async function requeueOrphans(db: Database, olderThanSeconds: number): Promise<string[]> {
  const { rows } = await db.pool.query<{ name: string }>(
    `update pgboss.job job set state = 'retry', start_after = now(), retry_limit = retry_limit + 1
     where state = 'active' and name not like '\\_\\_pgboss%'
       and started_on <= now() - make_interval(secs => $1)
       and not exists (select from job_owner where job_owner.job = job.id)
     returning name`,
    [olderThanSeconds],
  );
  return rows.map((row) => row.name);
}

async function isInstalled(db: Database): Promise<boolean> {
  const { rows } = await db.pool.query<{ there: boolean }>(`select to_regclass('pgboss.job') is not null as there`);
  return rows[0]?.there === true;
}

/** pg-boss sends several statements in one text; if one fails, the connection must not stay inside its transaction. */
function executor(db: Database): Db {
  return {
    async executeSql(text, values) {
      if (values?.length) return await db.pool.query(text, values);
      const client = await db.pool.connect();
      try {
        return await client.query(text);
      } catch (error) {
        await client.query('rollback').catch(() => undefined);
        throw error;
      } finally {
        client.release();
      }
    },
  };
}

/** PostgreSQL's unique_violation, also of a name in its own catalogue. */
function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
