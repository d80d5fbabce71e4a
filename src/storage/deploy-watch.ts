/** Alerts that are tied to deployments, and the robot's own rollbacks, in PostgreSQL. */

import type { Kysely, Selectable } from 'kysely';
import { storable } from '../bot/storable.ts';
import type { BackOutcome, Cause } from '../domain/deploy/auto-rollback.ts';
import type { Tie } from '../domain/deploy/tie.ts';
import type { WatchStore } from '../domain/deploy/watch.ts';

type WatchTables = {
  deploy_alerts: TieTable;
  deploy_rollbacks: {
    deployment: number;
    cause: Cause;
    reason: string;
    wanted_at: Date;
    settled_at: Date | null;
    outcome: BackOutcome | null;
    detail: string | null;
  };
};

interface TieTable {
  deployment: number;
  alert: number;
  title: string;
  severity: string;
  starts_at: Date;
  firing: boolean;
  certain: boolean;
}

export function createWatchStore(db: { readonly sql: Kysely<object> }): WatchStore {
  const tables = db.sql.withTables<WatchTables>();
  return {
    async tie({ deployment, alert, title, severity, startsAt, isFiring, isCertain }) {
      await tables
        .insertInto('deploy_alerts')
        .values({
          deployment,
          alert,
          title: storable(title),
          severity: storable(severity),
          starts_at: startsAt,
          firing: isFiring,
          certain: isCertain,
        })
        .onConflict((conflict) =>
          conflict.columns(['deployment', 'alert']).doUpdateSet(({ ref }) => ({
            title: ref('excluded.title'),
            severity: ref('excluded.severity'),
            starts_at: ref('excluded.starts_at'),
            firing: ref('excluded.firing'),
            certain: ref('excluded.certain'),
          })),
        )
        .execute();
    },
    async tiesOf(deployment) {
      const rows = await tables
        .selectFrom('deploy_alerts')
        .selectAll()
        .where('deployment', '=', deployment)
        .orderBy('starts_at')
        .orderBy('alert')
        .execute();
      return rows.map(tieOf);
    },
    async tied(alert) {
      const rows = await tables
        .selectFrom('deploy_alerts')
        .selectAll()
        .where('alert', '=', alert)
        .orderBy('deployment', 'desc')
        .execute();
      return rows.map(tieOf);
    },
    async want({ deployment, cause, reason, wantedAt }) {
      const row = await tables
        .insertInto('deploy_rollbacks')
        .values({ deployment, cause, reason: storable(reason), wanted_at: wantedAt })
        .onConflict((conflict) => conflict.column('deployment').doNothing())
        .returning('deployment')
        .executeTakeFirst();
      return row !== undefined;
    },
    async wayBack(deployment) {
      const row = await tables
        .selectFrom('deploy_rollbacks')
        .selectAll()
        .where('deployment', '=', deployment)
        .executeTakeFirst();
      return (
        row && {
          deployment,
          cause: row.cause,
          reason: row.reason,
          wantedAt: row.wanted_at,
          ...(row.outcome === null ? {} : { outcome: row.outcome }),
          ...(row.detail === null ? {} : { detail: row.detail }),
        }
      );
    },
    async settle(deployment, outcome, detail, at) {
      const row = await tables
        .updateTable('deploy_rollbacks')
        .set({ settled_at: at, outcome, detail: detail === undefined ? null : storable(detail) })
        .where('deployment', '=', deployment)
        .where('settled_at', 'is', null)
        .returning('deployment')
        .executeTakeFirst();
      return row !== undefined;
    },
    async wanted() {
      const rows = await tables
        .selectFrom('deploy_rollbacks')
        .select('deployment')
        .where('settled_at', 'is', null)
        .orderBy('deployment')
        .execute();
      return rows.map(({ deployment }) => deployment);
    },
  };
}

function tieOf(row: Selectable<TieTable>): Tie {
  return {
    deployment: row.deployment,
    alert: row.alert,
    title: row.title,
    severity: row.severity,
    startsAt: row.starts_at,
    isFiring: row.firing,
    isCertain: row.certain,
  };
}
