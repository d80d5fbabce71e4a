/** Deployments in PostgreSQL. Who may deploy where is decided by a unique index, not by reading first. */

import { type Generated, type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import { storable, storableJson } from '../bot/storable.ts';
import type {
  Deployment,
  DeploymentFilter,
  DeploymentState,
  DeployStore,
  Finish,
  NewDeployment,
  Place,
  Requester,
} from '../domain/deploy/ports.ts';
import type { AuditTables } from './audit.ts';
import { isLocked, lockOn } from './deploy-locks.ts';

/** For `withTables`, which asks for a type with an index signature: an interface has none. */
type DeployTables = {
  deployments: DeploymentTable;
};

interface DeploymentTable {
  id: Generated<number>;
  service: string;
  environment: string;
  version: string;
  asked: string | null;
  commit: string | null;
  previous: string | null;
  requested_by: string;
  requested_by_name: string;
  chat: string;
  room: string;
  thread: string | null;
  audit: number | null;
  state: Generated<DeploymentState>;
  owner: string | null;
  requested_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  announced_at: Date | null;
  reason: string | null;
  live: string | null;
  output: Generated<string>;
  handle: unknown;
  cancelled_by: string | null;
  cancelled_by_name: string | null;
  supersedes: readonly number[] | null;
  overrides: string | null;
  approved_by: readonly Requester[] | null;
  is_rollback: Generated<boolean>;
  rolls_back: number | null;
}

/** Everything but the output, which may be long. */
const COLUMNS = [
  'id',
  'service',
  'environment',
  'version',
  'asked',
  'commit',
  'previous',
  'requested_by',
  'requested_by_name',
  'chat',
  'room',
  'thread',
  'audit',
  'state',
  'requested_at',
  'started_at',
  'finished_at',
  'reason',
  'live',
  'cancelled_by',
  'cancelled_by_name',
  'supersedes',
  'overrides',
  'approved_by',
  'is_rollback',
  'rolls_back',
] as const;

type Row = Pick<Selectable<DeploymentTable>, (typeof COLUMNS)[number]>;

/** How often a start tries again when the lock is opened between being met and being looked up. */
const ATTEMPTS = 5;

const HERE = { service: sql.ref('deployments.service'), environment: sql.ref('deployments.environment') };

export function createDeployStore(db: { readonly sql: Kysely<object> }): DeployStore {
  const tables = db.sql.withTables<DeployTables & Pick<AuditTables, 'audit_handed_over'>>();

  async function start(deployment: NewDeployment): ReturnType<DeployStore['start']> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const row = await tables
        .with('started', (query) =>
          query
            .insertInto('deployments')
            .columns([
              'service',
              'environment',
              'version',
              'asked',
              'commit',
              'previous',
              'requested_by',
              'requested_by_name',
              'chat',
              'room',
              'thread',
              'audit',
              'is_rollback',
              'rolls_back',
              'state',
              'requested_at',
              'overrides',
              'approved_by',
            ])
            .expression(
              sql<Row>`select ${deployment.service}::text, ${deployment.environment}::text, ${deployment.version}::text,
                ${deployment.asked ?? null}::text, ${deployment.commit ?? null}::text,
                ${stored(deployment.previous)}::text, ${deployment.by.id}::text, ${deployment.by.name}::text,
                ${deployment.origin.chat}::text, ${deployment.origin.room}::text,
                ${deployment.origin.thread ?? null}::text, ${deployment.audit ?? null}::bigint,
                ${deployment.isRollback ?? false}::boolean, ${deployment.rollsBack ?? null}::bigint, 'waiting'::text,
                ${deployment.at}::timestamptz, ${stored(deployment.override)}::text,
                ${deployment.approvedBy === undefined ? null : storableJson(deployment.approvedBy)}::jsonb
                where not ${isLocked(placeOf(deployment), deployment.at)}`,
            )
            .onConflict((conflict) => conflict.column('rolls_back').where('rolls_back', 'is not', null).doNothing())
            .returning(COLUMNS),
        )
        // In the same statement: from the moment that it exists, the deployment ends its audit row, and nothing else does.
        .with('handed_over', (query) =>
          query
            .insertInto('audit_handed_over')
            .columns(['begun'])
            .expression((from) =>
              from
                .selectFrom('started')
                .select('started.audit as begun')
                .where('started.audit', 'is not', null)
                .$narrowType<{ begun: number }>(),
            ),
        )
        .selectFrom('started')
        .selectAll()
        .executeTakeFirst();
      if (row) return { kind: 'waiting', deployment: fromRow(row) };
      const first = deployment.rollsBack === undefined ? undefined : await rollbackOf(deployment.rollsBack);
      if (first) return { kind: 'waiting', deployment: first };
      const lock = await lockOn(db, deployment, deployment.at);
      if (lock) return { kind: 'locked', lock };
    }
    throw new Error('the lock changed hands at every attempt');
  }

  async function rollbackOf(id: number): Promise<Deployment | undefined> {
    const row = await tables.selectFrom('deployments').select(COLUMNS).where('rolls_back', '=', id).executeTakeFirst();
    return row && fromRow(row);
  }

  async function next(place: Place, at: Date): Promise<Deployment | undefined> {
    try {
      const row = await tables
        .updateTable('deployments')
        .set({ state: 'queued' })
        .where('state', '=', 'waiting')
        .where('id', '=', (from) =>
          from
            .selectFrom('deployments')
            .select('id')
            .where('service', '=', place.service)
            .where('environment', '=', place.environment)
            .where('state', '=', 'waiting')
            .orderBy('id')
            .limit(1),
        )
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('deployments as holder')
                .select('holder.id')
                .where('holder.service', '=', place.service)
                .where('holder.environment', '=', place.environment)
                .where('holder.state', 'in', ['queued', 'running']),
            ),
          ),
        )
        .where(sql<boolean>`not ${isLocked(HERE, at)}`)
        .returning(COLUMNS)
        .executeTakeFirst();
      return row && fromRow(row);
    } catch (error) {
      // Somebody else began at the same moment: the index says so, whatever was read before.
      if (isUniqueViolation(error)) return undefined;
      throw error;
    }
  }

  async function claim(
    id: number,
    owner: string,
    at: Date,
    previous: string | undefined,
  ): Promise<Deployment | undefined> {
    const row = await tables
      .updateTable('deployments')
      .set({ state: 'running', owner, started_at: at, previous: stored(previous) })
      .where('id', '=', id)
      .where('state', '=', 'queued')
      .where(sql<boolean>`not ${isLocked(HERE, at)}`)
      .returning(COLUMNS)
      .executeTakeFirst();
    if (row) return fromRow(row);
    await tables
      .updateTable('deployments')
      .set({ state: 'waiting' })
      .where('id', '=', id)
      .where('state', '=', 'queued')
      .where(isLocked(HERE, at))
      .execute();
    return undefined;
  }

  async function finish(id: number, owner: string, end: Finish): Promise<boolean> {
    const row = await tables
      .updateTable('deployments')
      .set(ended(end))
      .where('id', '=', id)
      .where('state', '=', 'running')
      .where('owner', '=', owner)
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  async function supersede(
    by: Deployment,
    versions: readonly string[] | 'any other',
    owner: string,
    end: Finish,
  ): Promise<readonly Deployment[]> {
    if (versions.length === 0) return [];
    const rows = await tables
      .with('older', (query) => {
        const waiting = query
          .updateTable('deployments')
          .set({ ...ended(end), owner })
          .where('service', '=', by.service)
          .where('environment', '=', by.environment)
          .where('state', '=', 'waiting')
          .where('id', '<', by.id);
        const older =
          versions === 'any other'
            ? waiting.where('version', '<>', by.version)
            : waiting.where('version', 'in', versions);
        return older.returning(COLUMNS);
      })
      .with('newer', (query) =>
        query
          .updateTable('deployments')
          .set({ supersedes: sql`(select jsonb_agg(id order by id) from older)` })
          .where('id', '=', by.id)
          .where(({ exists, selectFrom }) => exists(selectFrom('older').select('older.id')))
          .returning('id'),
      )
      .selectFrom('older')
      .selectAll()
      .execute();
    return rows.map(fromRow);
  }

  async function many(
    state: 'waiting' | 'open' | 'running' | 'unannounced',
    owner?: string,
  ): Promise<readonly Deployment[]> {
    let query = tables.selectFrom('deployments').select(COLUMNS).orderBy('id');
    if (owner !== undefined) query = query.where('owner', '=', owner);
    if (state === 'open') query = query.where('state', 'in', ['queued', 'running']);
    else if (state !== 'unannounced') query = query.where('state', '=', state);
    else query = query.where('state', 'not in', ['waiting', 'queued', 'running']).where('announced_at', 'is', null);
    return (await query.execute()).map(fromRow);
  }

  return {
    start,
    next,
    supersede,
    claim,
    finish,
    async drop(id, owner, end) {
      const row = await tables
        .updateTable('deployments')
        .set({ ...ended(end), owner })
        .where('id', '=', id)
        .where('state', 'in', ['waiting', 'queued'])
        .returning(COLUMNS)
        .executeTakeFirst();
      return row && fromRow(row);
    },
    async cancel(id, by) {
      const row = await tables
        .updateTable('deployments')
        .set({ cancelled_by: by.id, cancelled_by_name: by.name })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .returning(COLUMNS)
        .executeTakeFirst();
      return row && fromRow(row);
    },
    async saveOutput(id, owner, output) {
      await tables
        .updateTable('deployments')
        .set({ output: storable(output) })
        .where('id', '=', id)
        .where('owner', '=', owner)
        .where('state', '=', 'running')
        .execute();
    },
    async announced(id) {
      await tables.updateTable('deployments').set({ announced_at: sql`now()` }).where('id', '=', id).execute();
    },
    async get(id) {
      const row = await tables.selectFrom('deployments').select(COLUMNS).where('id', '=', id).executeTakeFirst();
      return row && fromRow(row);
    },
    async output(id) {
      const row = await tables.selectFrom('deployments').select('output').where('id', '=', id).executeTakeFirst();
      return row?.output ?? '';
    },
    async remember(id, owner, handle) {
      const row = await tables
        .updateTable('deployments')
        .set({ handle: sql`${storableJson(handle)}::jsonb` })
        .where('id', '=', id)
        .where('owner', '=', owner)
        .where('state', '=', 'running')
        .returning('id')
        .executeTakeFirst();
      if (!row) throw new Error('the deployment is another replica’s now');
    },
    async handle(id) {
      const row = await tables.selectFrom('deployments').select('handle').where('id', '=', id).executeTakeFirst();
      return row?.handle ?? undefined;
    },
    async leave(id, owner, output) {
      const row = await tables
        .updateTable('deployments')
        .set({ owner: null, ...(output === undefined ? {} : { output: storable(output) }) })
        .where('id', '=', id)
        .where('owner', '=', owner)
        .where('state', '=', 'running')
        .returning('id')
        .executeTakeFirst();
      return row !== undefined;
    },
    async takeUp(id, owner) {
      const row = await tables
        .updateTable('deployments')
        .set({ owner })
        .where('id', '=', id)
        .where('owner', 'is', null)
        .where('state', '=', 'running')
        .returning(COLUMNS)
        .executeTakeFirst();
      return row && fromRow(row);
    },
    open: () => many('open'),
    waiting: () => many('waiting'),
    runningOf: (owner) => many('running', owner),
    unannouncedOf: (owner) => many('unannounced', owner),
    async lastGood() {
      const rows = await tables
        .selectFrom('deployments')
        .distinctOn(['service', 'environment'])
        .select(COLUMNS)
        .where('state', '=', 'succeeded')
        .orderBy('service')
        .orderBy('environment')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(fromRow);
    },
    async history(filter: DeploymentFilter) {
      let query = tables.selectFrom('deployments').select(COLUMNS).orderBy('id', 'desc').limit(filter.limit);
      if (filter.service !== undefined) query = query.where('service', '=', filter.service);
      if (filter.environment !== undefined) query = query.where('environment', '=', filter.environment);
      if (filter.version !== undefined) query = query.where('version', '=', filter.version);
      if (filter.state !== undefined) query = query.where('state', '=', filter.state);
      return (await query.execute()).map(fromRow);
    },
  };
}

/** What a target says may hold what PostgreSQL refuses; an end that cannot be recorded would keep its place for ever. */
function stored(text: string | undefined): string | null {
  return text === undefined ? null : storable(text);
}

/** The columns that an end sets. */
function ended(end: Finish) {
  return {
    state: end.state,
    finished_at: end.at,
    reason: stored(end.reason),
    live: stored(end.live),
    ...(end.output === undefined ? {} : { output: storable(end.output) }),
    ...(end.by === undefined ? {} : { cancelled_by: end.by.id, cancelled_by_name: end.by.name }),
  };
}

function placeOf({ service, environment }: Place): { service: RawBuilder<string>; environment: RawBuilder<string> } {
  return { service: sql`${service}::text`, environment: sql`${environment}::text` };
}

/** PostgreSQL's unique_violation. */
function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}

function fromRow(row: Row): Deployment {
  return {
    id: row.id,
    service: row.service,
    environment: row.environment,
    version: row.version,
    by: { id: row.requested_by, name: row.requested_by_name },
    origin: { chat: row.chat, room: row.room, ...(row.thread === null ? {} : { thread: row.thread }) },
    state: row.state,
    requestedAt: row.requested_at,
    ...(row.audit === null ? {} : { audit: row.audit }),
    ...(row.asked === null ? {} : { asked: row.asked }),
    ...(row.commit === null ? {} : { commit: row.commit }),
    ...(row.previous === null ? {} : { previous: row.previous }),
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.live === null ? {} : { live: row.live }),
    ...(row.cancelled_by === null
      ? {}
      : { cancelledBy: { id: row.cancelled_by, name: row.cancelled_by_name ?? row.cancelled_by } }),
    ...(row.supersedes === null ? {} : { supersedes: row.supersedes }),
    ...(row.overrides === null ? {} : { override: row.overrides }),
    ...(row.approved_by === null ? {} : { approvedBy: row.approved_by }),
    ...(row.is_rollback ? { isRollback: true } : {}),
    ...(row.rolls_back === null ? {} : { rollsBack: row.rolls_back }),
  };
}
