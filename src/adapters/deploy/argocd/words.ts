/** Why an application is not as it should be, in words. */

import { oneLine } from '../../one-line.ts';
import type { Application, OperationState } from './schema.ts';

type Node = {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly createdAt: string;
  readonly health?: { readonly status: string; readonly message: string } | null | undefined;
};

/** Told at most; more are counted. */
const MOST = 4;

/** Nearest to the cause first: what a pod says is clearer than what its deployment says. */
const ORDER = ['Pod', 'Job', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Deployment'];

/** Why a sync failed: the resources that were refused, else what the operation says. */
export function syncFailure({ phase, message, syncResult }: OperationState): string {
  const refused = (syncResult?.resources ?? []).filter(
    ({ status, hookPhase }) => status === 'SyncFailed' || hookPhase === 'Failed' || hookPhase === 'Error',
  );
  const told = list(
    refused.map((one) => `${one.kind} ${one.name}: ${clean(one.message) || clean(one.hookPhase) || 'failed'}`),
  );
  const what = phase === 'Error' ? 'the sync could not be done' : 'the sync failed';
  return `${what}: ${told || clean(message) || 'Argo CD gives no reason'}`;
}

/** What is not healthy in the tree of an application. */
export function sick(nodes: readonly Node[], status: string): readonly Node[] {
  const rank = ({ kind }: Node) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
  const all = nodes.filter((node) => node.health?.status === status);
  const speaking = all.filter((node) => clean(node.health?.message ?? '') !== '');
  return (speaking.length > 0 ? speaking : all).toSorted((a, b) => rank(a) - rank(b));
}

/** Why an application is degraded, or does not get ready. */
export function healthReason(application: Application, nodes: readonly Node[], status: string): string {
  const { resources, health, conditions } = application.status;
  const found = sick(nodes, status);
  const from =
    found.length > 0
      ? found
      : sick(
          (resources ?? []).map((one) => ({ ...one, createdAt: '' })),
          status,
        );
  const told = list(from.map(({ kind, name, health: own }) => `${kind} ${name}${said(own?.message)}`));
  if (told !== '') return told;
  const warnings = list(
    (conditions ?? []).filter(({ type }) => /Error|Warning/.test(type)).map(({ message }) => clean(message)),
  );
  return clean(health?.message ?? '') || warnings || 'Argo CD gives no reason';
}

/** What stands in the way before a sync: a repository that cannot be read, a version that is not there. */
export function conditionOf({ status }: Application): string | undefined {
  const found = (status.conditions ?? []).find(({ type }) => /(Error|InvalidSpec)/.test(type));
  return found === undefined ? undefined : clean(found.message);
}

function said(message: string | undefined): string {
  const text = clean(message ?? '');
  return text === '' ? '' : `: ${text}`;
}

function list(parts: readonly string[]): string {
  const more = parts.length > MOST ? `; and ${parts.length - MOST} more` : '';
  return parts.slice(0, MOST).join('; ') + more;
}

const clean = (text: string) => oneLine(text, 300);
