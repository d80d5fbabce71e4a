/** Deployments in PostgreSQL. Who may deploy where is decided by a unique index, not by reading first. */

import { type Generated, type Kysely, type Selectable, sql } from 'kysely';
import { storable } from '../bot/storable.ts';
import type {
  Deployment,
  DeploymentFilter,
  DeploymentState,
  DeployStore,
  Finish,
  NewDeployment,
} from '../domain/deploy/ports.ts';
import type { AuditTables } from './audit.ts';

/** For `withTables`, which asks for a type with an index signature: an interface has none. */
type DeployTables = {
  deployments: DeploymentTable;
};

interface DeploymentTable {
  id: Generated<number>;
  service: string;
  environment: string;
  version: string;
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
}

/** Everything but the output, which may be long. */
const COLUMNS = [
  'id',
  'service',
  'environment',
  'version',
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
] as const;

type Row = Pick<Selectable<DeploymentTable>, (typeof COLUMNS)[number]>;

/** How often a start tries again when the holder ends between being met and being looked up. */
const ATTEMPTS = 5;

export function createDeployStore(db: { readonly sql: Kysely<object> }): DeployStore {
  const tables = db.sql.withTables<DeployTables & Pick<AuditTables, 'audit_handed_over'>>();

  async function start(deployment: NewDeployment): ReturnType<DeployStore['start']> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const row = await tables
        .with('started', (query) =>
          query
            .insertInto('deployments')
            .values({
              service: deployment.service,
              environment: deployment.environment,
              version: deployment.version,
              previous: deployment.previous ?? null,
              requested_by: deployment.by.id,
              requested_by_name: deployment.by.name,
              chat: deployment.origin.chat,
              room: deployment.origin.room,
              thread: deployment.origin.thread ?? null,
              audit: deployment.audit ?? null,
              requested_at: deployment.at,
            })
            .onConflict((conflict) =>
              conflict
                .columns(['service', 'environment'])
                .where(sql<boolean>`state in ('queued', 'running')`)
                .doNothing(),
            )
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
      if (row) return { kind: 'started', deployment: fromRow(row) };
      const holder = await tables
        .selectFrom('deployments')
        .select(COLUMNS)
        .where('service', '=', deployment.service)
        .where('environment', '=', deployment.environment)
        .where('state', 'in', ['queued', 'running'])
        .executeTakeFirst();
      if (holder) return { kind: 'locked', holder: fromRow(holder) };
    }
    throw new Error('the lock changed hands at every attempt');
  }

  async function claim(
    id: number,
    owner: string,
    at: Date,
    previous: string | undefined,
  ): Promise<Deployment | undefined> {
    const row = await tables
      .updateTable('deployments')
      .set({ state: 'running', owner, started_at: at, previous: previous ?? null })
      .where('id', '=', id)
      .where('state', '=', 'queued')
      .returning(COLUMNS)
      .executeTakeFirst();
    return row && fromRow(row);
  }

  async function finish(id: number, owner: string | undefined, end: Finish): Promise<boolean> {
    const query = tables
      .updateTable('deployments')
      .set({
        state: end.state,
        finished_at: end.at,
        reason: end.reason ?? null,
        live: end.live ?? null,
        ...(end.output === undefined ? {} : { output: storable(end.output) }),
      })
      .where('id', '=', id);
    const mine =
      owner === undefined
        ? query.where('state', '=', 'queued')
        : query.where('state', '=', 'running').where('owner', '=', owner);
    const row = await mine.returning('id').executeTakeFirst();
    return row !== undefined;
  }

  async function many(state: 'open' | 'running' | 'unannounced', owner?: string): Promise<readonly Deployment[]> {
    let query = tables.selectFrom('deployments').select(COLUMNS).orderBy('id');
    if (owner !== undefined) query = query.where('owner', '=', owner);
    if (state === 'open') query = query.where('state', 'in', ['queued', 'running']);
    else if (state === 'running') query = query.where('state', '=', 'running');
    else query = query.where('state', 'not in', ['queued', 'running']).where('announced_at', 'is', null);
    return (await query.execute()).map(fromRow);
  }

  return {
    start,
    claim,
    finish,
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
        .set({ handle: sql`${JSON.stringify(handle)}::jsonb` })
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
    ...(row.previous === null ? {} : { previous: row.previous }),
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.live === null ? {} : { live: row.live }),
  };
}
