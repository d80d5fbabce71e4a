/** Which deployment an alert belongs to: by whose labels it names, and when it began to fire. Pure. */

import { labelOf } from '../alerts/labels.ts';
import type { Alert, Labels } from '../alerts/ports.ts';
import { gravest } from '../alerts/state.ts';
import { afterwardsIn } from './afterwards.ts';
import type { ServiceConfig, ServicesConfig } from './config.ts';
import type { Deployment, Place } from './ports.ts';

/** What is known of an alert: its card, and every alert in it. */
export type WatchedAlert = Pick<Alert, 'number' | 'title' | 'members'>;

type Members = WatchedAlert['members'];

/** An alert that began to fire in the watch of a deployment. */
export interface Tie {
  readonly deployment: number;
  /** Number of the alert's card. */
  readonly alert: number;
  readonly title: string;
  readonly severity: string;
  readonly startsAt: Date;
  readonly isFiring: boolean;
  /** Whether its labels leave no doubt that it is of that environment. */
  readonly isCertain: boolean;
}

/** Labels that usually name a service: of Prometheus' own jobs, of Kubernetes and of common rules. */
const SERVICE_LABELS = ['service', 'app', 'app_kubernetes_io_name', 'job', 'deployment'];
const ENVIRONMENT_LABELS = ['environment', 'env'];

interface Candidate extends Place {
  readonly isCertain: boolean;
}

/** Every place that an alert with these labels may be of; only the certain ones if there are any. */
export function placesOf(config: ServicesConfig, labels: Labels): readonly Candidate[] {
  return config.services
    .filter((service) => isOf(service, labels))
    .flatMap((service) => {
      const found = service.environments.flatMap((environment) => {
        const fit = environmentFit(config, service, environment, labels);
        return fit === 'no' ? [] : [{ service: service.name, environment, isCertain: fit === 'yes' }];
      });
      const certain = found.filter(({ isCertain }) => isCertain);
      const left = certain.length > 0 ? certain : found;
      // Of two that fit equally well, neither is certain; where a service runs in one place only, it is.
      const isCertain = left.length === 1 && (certain.length === 1 || service.environments.length === 1);
      return left.map((each) => ({ ...each, isCertain }));
    });
}

function isOf({ name, alerts }: ServiceConfig, labels: Labels): boolean {
  if (alerts !== undefined) return alerts.every(({ label, test }) => test(labelOf(labels, label)));
  return SERVICE_LABELS.some((label) => labelOf(labels, label) === name);
}

function environmentFit(
  config: ServicesConfig,
  service: ServiceConfig,
  environment: string,
  labels: Labels,
): 'yes' | 'maybe' | 'no' {
  const { alerts } = afterwardsIn(config, environment);
  if (alerts.length > 0) return alerts.every(({ label, test }) => test(labelOf(labels, label))) ? 'yes' : 'no';
  const named = ENVIRONMENT_LABELS.map((label) => labelOf(labels, label)).find((value) => value !== '');
  if (named !== undefined) return named === environment ? 'yes' : 'no';
  const namespace = labelOf(labels, 'namespace');
  const own = namespaceOf(service, environment);
  if (namespace === '') return 'maybe';
  if (own !== undefined) return namespace === own ? 'yes' : 'no';
  if (service.environments.includes(namespace)) return namespace === environment ? 'yes' : 'no';
  return 'maybe';
}

function namespaceOf({ name, target }: ServiceConfig, environment: string): string | undefined {
  if (target.kind !== 'kubernetes') return undefined;
  const declared = target.environments[environment]?.namespace ?? target.place.namespace;
  return declared?.replaceAll('{environment}', environment).replaceAll('{service}', name);
}

/**
 * The deployment that was the last to begin when the alert began to fire, if it still runs or the alert lies within its watch.
 *
 * @param history of one place, newest first
 */
export function deploymentAt(history: readonly Deployment[], startsAt: Date, watchMs: number): Deployment | undefined {
  if (watchMs === 0) return undefined;
  const last = history.find(({ startedAt }) => startedAt !== undefined && startedAt <= startsAt);
  if (last?.state === 'running') return last;
  if (last?.state !== 'succeeded' || last.finishedAt === undefined) return undefined;
  return startsAt.getTime() <= last.finishedAt.getTime() + watchMs ? last : undefined;
}

/**
 * What an alert is tied to: for each of its members the deployment of the place that it names; of several that it may name,
 * the one that began last.
 *
 * @param historyOf deployments of a place, newest first
 */
export async function tiesOf(
  config: ServicesConfig,
  alert: WatchedAlert,
  historyOf: (place: Place) => Promise<readonly Deployment[]>,
): Promise<readonly Tie[]> {
  const found = new Map<number, { readonly members: Members[number][]; readonly certain: Members[number][] }>();
  for (const member of alert.members) {
    let latest: { readonly deployment: Deployment; readonly isCertain: boolean } | undefined;
    for (const place of placesOf(config, member.labels)) {
      const { watchMs } = afterwardsIn(config, place.environment);
      const deployment = deploymentAt(await historyOf(place), member.startsAt, watchMs);
      if (deployment === undefined || (latest && begun(latest.deployment) >= begun(deployment))) continue;
      latest = { deployment, isCertain: place.isCertain };
    }
    if (latest === undefined) continue;
    const tied = found.get(latest.deployment.id) ?? { members: [], certain: [] };
    tied.members.push(member);
    if (latest.isCertain) tied.certain.push(member);
    found.set(latest.deployment.id, tied);
  }
  return [...found].map(([deployment, { members, certain }]) => {
    const isFiring = members.some(fires);
    // One that is certain and over lends its certainty to nothing that still fires, nor one that is mild to a grave one.
    const counted = isFiring ? certain.filter(fires) : certain;
    const isCertain = counted.length > 0;
    return {
      deployment,
      alert: alert.number,
      title: alert.title,
      severity: gravest(isCertain ? counted : members),
      startsAt: new Date(Math.min(...members.map(({ startsAt }) => startsAt.getTime()))),
      isFiring,
      isCertain,
    };
  });
}

function fires({ status }: Members[number]): boolean {
  return status === 'firing';
}

function begun({ startedAt, requestedAt }: Deployment): number {
  return (startedAt ?? requestedAt).getTime();
}
