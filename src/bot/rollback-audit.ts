/** How the audit says that the robot rolls back by itself. */

import type { RevertRequest } from '../domain/deploy/ports.ts';
import type { AuditStart } from './audit.ts';

/**
 * The row before it begins.
 *
 * @param isPrivate whether only the people of the room of the deployment see what is said there
 */
export function rollbackAudit(request: RevertRequest, reason: string, isPrivate: boolean, at: Date): AuditStart {
  const { service, environment, version, rollsBack, by, origin } = request;
  return {
    at,
    person: { ...by, chat: origin.chat },
    room: { ...origin, private: isPrivate },
    commandId: 'deploy.rollback',
    text: `rollback ${service} in ${environment} to ${version}`,
    args: { service, environment, version, rollsBack, reason },
    via: 'robot',
    // Of two replicas at it, the record of deployments lets one begin.
    source: undefined,
    approvedBy: undefined,
  };
}
