/** What waits in the database: for the metrics page only. */

import type { Backlog } from '../bot/metrics.ts';
import type { Database } from './database.ts';

interface Row {
  readonly posts_waiting: number;
  readonly oldest_post_seconds: number;
  readonly posts_given_up: number;
  readonly hooks_waiting: number;
  readonly hooks_put_aside: number;
  readonly alerts_firing: number;
  readonly deployments_open: number;
}

/** Counts it all in one query. Rejects while the database is away. */
export async function readBacklog(db: Database): Promise<Backlog> {
  const { rows } = await db.pool.query<Row>(`select
    (select count(*) from post where delivered_revision < revision and failed_at is null) as posts_waiting,
    (select coalesce(extract(epoch from now() - min(created_at)), 0)::float8 from post
      where delivered_revision < revision and failed_at is null) as oldest_post_seconds,
    (select count(*) from post where failed_at is not null) as posts_given_up,
    (select count(*) from hook_events where handled_at is null and parked_at is null) as hooks_waiting,
    (select count(*) from hook_events where parked_at is not null) as hooks_put_aside,
    (select count(*) from alerts where state <> 'resolved') as alerts_firing,
    (select count(*) from deployments where state in ('queued', 'running')) as deployments_open`);
  const [row] = rows;
  if (!row) throw new Error('the backlog query gave no row');
  return {
    postsWaiting: row.posts_waiting,
    oldestPostSeconds: row.oldest_post_seconds,
    postsGivenUp: row.posts_given_up,
    hooksWaiting: row.hooks_waiting,
    hooksPutAside: row.hooks_put_aside,
    alertsFiring: row.alerts_firing,
    deploymentsOpen: row.deployments_open,
  };
}
