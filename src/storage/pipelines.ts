/** Pipelines in PostgreSQL. Which of two reports is the newer one is decided in the statement that stores it. */

import { type Generated, type Kysely, type Selectable, sql } from 'kysely';
import type {
  JobState,
  Order,
  PipelineJob,
  PipelineRun,
  PipelineSource,
  PipelineStore,
  RecordedRun,
  RunKind,
  RunState,
} from '../domain/pipelines/ports.ts';

type PipelineTables = {
  pipeline_runs: RunTable;
  pipeline_jobs: JobTable;
};

interface RunTable {
  id: Generated<number>;
  source: PipelineSource;
  run: string;
  kind: RunKind;
  repository: string;
  name: string;
  number: string | null;
  branch: string | null;
  commit: string | null;
  title: string | null;
  version: string | null;
  environment: string | null;
  started_by: string | null;
  state: RunState;
  url: string | null;
  problem: string | null;
  round: number;
  at: Date;
  rank: number;
  started_at: Date | null;
  finished_at: Date | null;
  heard_at: Date;
  rerun_by: Generated<string | null>;
  rerun_at: Generated<Date | null>;
}

interface JobTable {
  source: PipelineSource;
  run: string;
  job: string;
  name: string;
  stage: string | null;
  state: JobState;
  url: string | null;
  step: string | null;
  round: number;
  at: Date;
  rank: number;
}

/** Of two reports of one moment the later state is the newer one. */
const RANK: Readonly<Record<JobState, number>> = {
  queued: 0,
  waiting: 1,
  running: 2,
  succeeded: 3,
  failed: 3,
  cancelled: 3,
  skipped: 3,
  tolerated: 3,
};

/** Rows in one insert: a statement has 65,535 parameters at most. */
const CHUNK = 500;

export function createPipelineStore(db: { readonly sql: Kysely<object> }): PipelineStore {
  const tables = db.sql.withTables<PipelineTables>();

  async function saveRun(run: PipelineRun & Order, heardAt: Date): Promise<void> {
    await tables
      .insertInto('pipeline_runs')
      .values({
        source: run.source,
        run: run.run,
        kind: run.kind,
        repository: run.repository,
        name: run.name,
        number: run.number ?? null,
        branch: run.branch ?? null,
        commit: run.commit ?? null,
        title: run.title ?? null,
        version: run.version ?? null,
        environment: run.environment ?? null,
        started_by: run.by ?? null,
        state: run.state,
        url: run.url ?? null,
        problem: run.problem ?? null,
        round: run.round,
        at: run.at,
        rank: RANK[run.state],
        started_at: run.startedAt ?? null,
        finished_at: run.finishedAt ?? null,
        heard_at: heardAt,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['source', 'run'])
          .doUpdateSet(({ ref, fn }) => {
            // What one report leaves out is known from another.
            const kept = <C extends 'number' | 'branch' | 'commit' | 'title' | 'version' | 'environment' | 'url'>(
              column: C,
            ) => fn.coalesce(ref(`excluded.${column}`), ref(`pipeline_runs.${column}`));
            return {
              repository: ref('excluded.repository'),
              name: ref('excluded.name'),
              number: kept('number'),
              branch: kept('branch'),
              commit: kept('commit'),
              title: kept('title'),
              version: kept('version'),
              environment: kept('environment'),
              url: kept('url'),
              started_by: fn.coalesce(ref('excluded.started_by'), ref('pipeline_runs.started_by')),
              state: ref('excluded.state'),
              problem: ref('excluded.problem'),
              round: ref('excluded.round'),
              at: ref('excluded.at'),
              rank: ref('excluded.rank'),
              started_at: fn.coalesce(ref('excluded.started_at'), ref('pipeline_runs.started_at')),
              finished_at: ref('excluded.finished_at'),
              rerun_by: null,
              rerun_at: null,
            };
          })
          .where(newer('pipeline_runs')),
      )
      .execute();
  }

  async function saveJobs(run: PipelineRun, jobs: readonly (PipelineJob & Order)[]): Promise<void> {
    for (let start = 0; start < jobs.length; start += CHUNK) {
      await tables
        .insertInto('pipeline_jobs')
        .values(
          jobs.slice(start, start + CHUNK).map((job) => ({
            source: run.source,
            run: run.run,
            job: job.id,
            name: job.name,
            stage: job.stage ?? null,
            state: job.state,
            url: job.url ?? null,
            step: job.step ?? null,
            round: job.round,
            at: job.at,
            rank: RANK[job.state],
          })),
        )
        .onConflict((conflict) =>
          conflict
            .columns(['source', 'run', 'job'])
            .doUpdateSet(({ ref, fn }) => ({
              name: ref('excluded.name'),
              stage: fn.coalesce(ref('excluded.stage'), ref('pipeline_jobs.stage')),
              state: ref('excluded.state'),
              url: fn.coalesce(ref('excluded.url'), ref('pipeline_jobs.url')),
              step: ref('excluded.step'),
              round: ref('excluded.round'),
              at: ref('excluded.at'),
              rank: ref('excluded.rank'),
            }))
            .where(newer('pipeline_jobs')),
        )
        .execute();
    }
  }

  async function jobsOf(runs: readonly Selectable<RunTable>[]): Promise<readonly Selectable<JobTable>[]> {
    if (runs.length === 0) return [];
    return await tables
      .selectFrom('pipeline_jobs')
      .selectAll()
      .where(({ eb, or }) => or(runs.map(({ source, run }) => eb('source', '=', source).and('run', '=', run))))
      .orderBy('at')
      .orderBy('job')
      .execute();
  }

  return {
    async save({ run, jobs }, heardAt) {
      await saveRun(run, heardAt);
      await saveJobs(run, jobs);
    },

    async runs({ kind, repositories, environment, commit, sources, limit }) {
      let query = tables
        .selectFrom('pipeline_runs')
        .selectAll()
        .orderBy(sql`coalesce(started_at, heard_at)`, 'desc')
        .orderBy('source')
        .orderBy('run')
        .limit(limit);
      if (kind !== undefined) query = query.where('kind', '=', kind);
      if (environment !== undefined) query = query.where('environment', '=', environment);
      if (commit !== undefined) query = query.where('commit', '=', commit);
      if (sources !== undefined) query = query.where('source', 'in', sources);
      if (repositories !== undefined) {
        const wanted = repositories.map((name) => name.toLowerCase());
        query = query.where(sql<string>`lower(repository)`, 'in', wanted);
      }
      const rows = await query.execute();
      const jobs = await jobsOf(rows);
      return rows.map((row) =>
        runOf(
          row,
          jobs.filter((job) => job.source === row.source && job.run === row.run && job.round === row.round),
        ),
      );
    },

    async run(id) {
      const row = await tables.selectFrom('pipeline_runs').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) return undefined;
      const jobs = await jobsOf([row]);
      return runOf(
        row,
        jobs.filter(({ round }) => round === row.round),
      );
    },

    async claim(id, { by, at }, since) {
      const { numUpdatedRows } = await tables
        .updateTable('pipeline_runs')
        .set({ rerun_by: by, rerun_at: at })
        .where('id', '=', id)
        .where(({ or, eb }) => or([eb('rerun_at', 'is', null), eb('rerun_at', '<', since)]))
        .executeTakeFirst();
      if (numUpdatedRows > 0n) return undefined;
      const row = await tables.selectFrom('pipeline_runs').selectAll().where('id', '=', id).executeTakeFirst();
      return { by: row?.rerun_by ?? by, at: row?.rerun_at ?? at };
    },

    async release(id) {
      await tables.updateTable('pipeline_runs').set({ rerun_by: null, rerun_at: null }).where('id', '=', id).execute();
    },

    async repositories(limit) {
      const rows = await tables
        .selectFrom('pipeline_runs')
        .select('repository')
        .distinct()
        .orderBy('repository')
        .limit(limit)
        .execute();
      return rows.map(({ repository }) => repository);
    },

    async expire(before) {
      await tables.deleteFrom('pipeline_runs').where('heard_at', '<', before).execute();
    },
  };
}

/** Whether the row to insert is newer than the one that is there. */
function newer(table: 'pipeline_runs' | 'pipeline_jobs') {
  const known = sql.table(table);
  return sql<boolean>`(excluded.round, excluded.at, excluded.rank) > (${known}.round, ${known}.at, ${known}.rank)`;
}

function runOf(row: Selectable<RunTable>, jobs: readonly Selectable<JobTable>[]): RecordedRun {
  return {
    id: row.id,
    source: row.source,
    run: row.run,
    kind: row.kind,
    repository: row.repository,
    name: row.name,
    state: row.state,
    heardAt: row.heard_at,
    jobs: jobs.map(jobOf),
    ...(row.number === null ? {} : { number: row.number }),
    ...(row.branch === null ? {} : { branch: row.branch }),
    ...(row.commit === null ? {} : { commit: row.commit }),
    ...(row.title === null ? {} : { title: row.title }),
    ...(row.version === null ? {} : { version: row.version }),
    ...(row.environment === null ? {} : { environment: row.environment }),
    ...(row.started_by === null ? {} : { by: row.started_by }),
    ...(row.url === null ? {} : { url: row.url }),
    ...(row.problem === null ? {} : { problem: row.problem }),
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
    ...(row.rerun_by === null || row.rerun_at === null ? {} : { rerun: { by: row.rerun_by, at: row.rerun_at } }),
  };
}

function jobOf(row: Selectable<JobTable>): PipelineJob {
  return {
    id: row.job,
    name: row.name,
    state: row.state,
    ...(row.stage === null ? {} : { stage: row.stage }),
    ...(row.url === null ? {} : { url: row.url }),
    ...(row.step === null ? {} : { step: row.step }),
  };
}
