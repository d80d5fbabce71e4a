/** Roles given in chat. */

import type { Grant, GrantStore } from '../domain/access/ports.ts';
import type { Database } from './database.ts';

export type AccessTables = {
  access_grants: { person_id: string; person_name: string; role: string; granted_by: string; granted_at: Date };
};

export function createGrantStore(db: Database): GrantStore {
  const sql = db.sql.withTables<AccessTables>();
  return {
    async all() {
      const rows = await sql.selectFrom('access_grants').selectAll().orderBy('granted_at').execute();
      return rows.map(
        (row): Grant => ({
          personId: row.person_id,
          personName: row.person_name,
          role: row.role,
          grantedBy: row.granted_by,
          grantedAt: row.granted_at,
        }),
      );
    },
    async add({ personId, personName, role, grantedBy, grantedAt }) {
      const { numInsertedOrUpdatedRows } = await sql
        .insertInto('access_grants')
        .values({ person_id: personId, person_name: personName, role, granted_by: grantedBy, granted_at: grantedAt })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return (numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
    async remove(personId, role) {
      const { numDeletedRows } = await sql
        .deleteFrom('access_grants')
        .where('person_id', '=', personId)
        .where('role', '=', role)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}
