/** What commands may use of the domains. Filled by the composition root; one line a domain. */

import type { Alerts } from '../domain/alerts/ports.ts';
import type { Knowledge } from '../domain/ask/ports.ts';
import type { Locks } from '../domain/deploy/locking.ts';
import type { Deploys } from '../domain/deploy/ports.ts';
import type { DockerHosts } from '../domain/docker/ports.ts';
import type { History } from '../domain/history/ports.ts';
import type { Kubernetes } from '../domain/kubernetes/ports.ts';
import type { People } from '../domain/people/ports.ts';
import type { Pipelines } from '../domain/pipelines/ports.ts';
import type { Access } from './access.ts';
import type { ApiTokens } from './api-tokens.ts';
import type { AuditTrail } from './audit.ts';
import type { CommandDesk } from './desk.ts';
import type { Invitations } from './invitations.ts';

export interface Services {
  readonly history: History;
  readonly alerts: Alerts;
  readonly access: Access;
  readonly audit: AuditTrail;
  readonly commands: CommandDesk;
  readonly deploys: Deploys;
  readonly docker: DockerHosts;
  readonly locks: Locks;
  readonly knowledge: Knowledge;
  readonly kubernetes: Kubernetes;
  readonly invitations: Invitations;
  readonly pipelines: Pick<Pipelines, 'runs' | 'deployments' | 'names' | 'rerun'>;
  readonly people: Pick<People, 'get' | 'identity'>;
  readonly tokens: Pick<ApiTokens, 'create' | 'list' | 'revoke'>;
}
