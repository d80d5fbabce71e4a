/** Ways back, the alerts that are tied to a deployment, and rollbacks that the robot begins by itself. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table deployments
    add column is_rollback boolean not null default false,
    add column rolls_back bigint references deployments`.execute(db);
  // The robot rolls a deployment back once, on whichever replica.
  await sql`create unique index deployments_rolled_back on deployments (rolls_back)
    where rolls_back is not null`.execute(db);

  await sql`create table deploy_alerts (
    deployment bigint not null,
    alert bigint not null,
    title text not null,
    severity text not null,
    starts_at timestamptz not null,
    firing boolean not null,
    certain boolean not null,
    primary key (deployment, alert)
  )`.execute(db);
  await sql`create index deploy_alerts_of_alert on deploy_alerts (alert)`.execute(db);

  await sql`create table deploy_rollbacks (
    deployment bigint primary key,
    cause text not null check (cause in ('alert', 'failure')),
    reason text not null,
    wanted_at timestamptz not null,
    settled_at timestamptz,
    outcome text check (outcome in ('started', 'locked', 'undone', 'overtaken', 'refused')),
    detail text
  )`.execute(db);
  await sql`create index deploy_rollbacks_open on deploy_rollbacks (deployment) where settled_at is null`.execute(db);
}
