/** Deploying, from the request to the last word in the room. */

import { createConclusion } from './conclusion.ts';
import { withGate } from './gate.ts';
import { admit, isStuck, takenBy } from './place.ts';
import { createPlacements } from './placements.ts';
import { type PlanFacts, plan } from './plan.ts';
import type {
  CancelResult,
  Deployment,
  DeployPorts,
  Deploys,
  Place,
  Requester,
  StartRequest,
  StartResult,
} from './ports.ts';
import { createQueue } from './queue.ts';
import { createRollouts } from './rollout.ts';
import { CUT_OFF, TargetUnclear } from './target.ts';
import { outlived } from './turn.ts';
import { olderThan } from './waiting.ts';

/** Deployments of a place that are looked through for what came between one and its rollback. */
const HISTORY = 100;
const KEPT_OUT = 'it would have to wait, and what was approved was to begin at once';

type Facts = Pick<PlanFacts, 'versions' | 'current'>;

export function createDeploys(ports: DeployPorts): Deploys {
  const { store, clock, log } = ports;
  const asking = new Map<string, Promise<Facts>>();
  const placements = createPlacements(ports);
  const conclusion = createConclusion(ports, placements, (place) => queue.advance(place));
  const rollouts = createRollouts(ports, conclusion.concludeForSure);
  const queue = createQueue(ports, conclusion.retell);

  async function start(request: StartRequest & { readonly rollsBack?: number }): Promise<StartResult> {
    const admitted = await admit(ports, request);
    if (admitted.kind === 'refused') return admitted;
    const { service, environment } = request;

    let planned: ReturnType<typeof plan>;
    let versions: Facts['versions'];
    try {
      const facts = await askFacts(request);
      // What is live now need not be live any more when its turn comes.
      const current = (await takenBy(store, request)) === undefined ? facts.current : 'unsupported';
      planned = plan({ service, environment, version: request.version, ...facts, current });
      versions = facts.versions;
    } catch (error) {
      if (!(error instanceof TargetUnclear)) throw error;
      return { kind: 'refused', reason: 'unclear', service, text: ports.redact(error.message) };
    }
    if (planned.kind === 'refused') return planned;

    const asked = await store.start({
      service,
      environment,
      version: planned.version,
      ...(request.asked === undefined ? {} : { asked: request.asked }),
      ...(request.commit === undefined ? {} : { commit: request.commit }),
      ...(planned.previous === undefined ? {} : { previous: planned.previous }),
      by: request.by,
      origin: request.origin,
      ...(request.audit === undefined ? {} : { audit: request.audit }),
      ...(request.override === undefined ? {} : { override: ports.redact(request.override) }),
      ...(request.approvedBy === undefined ? {} : { approvedBy: request.approvedBy }),
      ...(request.isRollback === undefined ? {} : { isRollback: request.isRollback }),
      ...(request.rollsBack === undefined ? {} : { rollsBack: request.rollsBack }),
      at: clock.now(),
    });
    if (asked.kind === 'locked') return { kind: 'refused', reason: 'locked', service, environment, lock: asked.lock };
    const { deployment } = asked;
    if (ports.config.environments.some(({ name, supersede }) => name === environment && supersede === true)) {
      await supersede(deployment, versions);
    }
    try {
      await queue.advance(deployment);
    } catch (error) {
      log.error({ err: error, deployment: deployment.id }, 'deployment could not be queued');
      const end = { state: 'failed', reason: 'it could not be queued', at: clock.now() } as const;
      const dropped = await store.drop(deployment.id, ports.replica, end);
      if (dropped !== undefined) await conclusion.retell(dropped);
      throw error;
    }
    const now = (await store.get(deployment.id)) ?? deployment;
    if (now.state === 'waiting' && now.approvedBy !== undefined) await drop(now, KEPT_OUT);
    return { kind: now.state === 'waiting' ? 'waiting' : 'started', deployment: now };
  }

  async function supersede(newer: Deployment, versions: Facts['versions']): Promise<void> {
    const waiting = (await store.waiting()).map(({ version }) => version);
    const at = clock.now();
    const reason = `superseded by ${newer.version}, deployment ${newer.id}, asked for by ${newer.by.name}`;
    const older = await store.supersede(newer, olderThan(newer.version, waiting, versions), ports.replica, {
      state: 'cancelled',
      reason,
      at,
    });
    for (const deployment of older) await conclusion.retell(deployment);
  }

  /** Many who ask for the same place at once share one answer. */
  function askFacts({ service, environment }: Place): Promise<Facts> {
    const key = `${service} ${environment}`;
    const asked = asking.get(key);
    if (asked !== undefined) return asked;
    const target = ports.target(service);
    const answer = Promise.all([target.versions(service), target.current(service, environment)])
      .then(([versions, current]) => ({ versions, current }))
      .finally(() => asking.delete(key));
    asking.set(key, answer);
    return answer;
  }

  async function cancel(id: number, by: Requester): Promise<CancelResult> {
    const found = await store.get(id);
    if (found === undefined) return { kind: 'unknown' };
    const reason = `${by.name} cancelled it`;
    const dropped = await store.drop(id, ports.replica, { state: 'cancelled', reason, by, at: clock.now() });
    if (dropped !== undefined) {
      await conclusion.retell(dropped);
      await queue.advance(dropped);
      return { kind: 'removed', deployment: dropped };
    }
    const stopping = await store.cancel(id, by);
    if (stopping === undefined) return { kind: 'ended', deployment: (await store.get(id)) ?? found };
    await ports.tellCancelled(id).catch((error: unknown) => {
      log.warn({ err: error, deployment: id }, 'other replicas were not told that a deployment was cancelled');
    });
    return { kind: 'stopping', deployment: stopping };
  }

  async function run(id: number, signal: AbortSignal): Promise<void> {
    const queued = await store.get(id);
    if (queued?.state === 'running') return await rollouts.takeUp(id, signal);
    if (queued?.state !== 'queued') return;
    const newer = queued.rollsBack === undefined ? undefined : await cameBetween(queued.rollsBack, queued);
    if (newer !== undefined) return await drop(queued, `deployment ${newer.id} came in between`);
    const before = await placements.current(queued);
    const isLive = before.kind === 'live' && before.version === queued.version;
    const reason = isLive ? `${queued.version} was live already when its turn came` : outlived(queued, before);
    if (reason !== undefined) return await drop(queued, reason);
    // It stays queued for whoever is there next.
    if (signal.aborted) return;
    const previous = before.kind === 'live' ? before.version : before.kind === 'nothing' ? undefined : queued.previous;
    const deployment = await store.claim(id, ports.replica, clock.now(), previous);
    if (deployment === undefined) {
      // Kept out by a lock, it waits again; but what was approved before the lock was not approved behind it.
      const kept = await store.get(id);
      const mayWait = kept?.state !== 'waiting' || kept.approvedBy === undefined;
      return mayWait ? await queue.advance(queued) : await drop(kept, KEPT_OUT);
    }
    log.info(
      { deployment: id, service: deployment.service, environment: deployment.environment },
      'deployment started',
    );
    await rollouts.begin(deployment, signal);
  }

  /** What was deployed since that deployment, and before its rollback. */
  async function cameBetween(rolledBack: number, rollback: Deployment): Promise<Deployment | undefined> {
    const { service, environment, id } = rollback;
    const since = await store.history({ service, environment, limit: HISTORY });
    return since.find((one) => one.id > rolledBack && one.id < id && one.startedAt !== undefined);
  }

  /** Ends one that has not begun, tells why, and lets the next one begin. */
  async function drop(deployment: Deployment, reason: string): Promise<void> {
    const end = { state: 'cancelled', reason, at: clock.now() } as const;
    const dropped = await store.drop(deployment.id, ports.replica, end);
    if (dropped !== undefined) await conclusion.retell(dropped);
    await queue.advance(deployment);
  }

  async function interrupt(replicaId: string): Promise<void> {
    const running = await store.runningOf(replicaId);
    await Promise.all(
      running.map(async (deployment) => {
        if (await rollouts.canResume(deployment)) await store.leave(deployment.id, replicaId);
        else await conclusion.conclude(deployment, replicaId, CUT_OFF, undefined);
      }),
    );
    await conclusion.tellUntold(replicaId);
    await takeUp();
  }

  /** Their job may have died with the replica that had fetched it. Running twice is not possible: claims see to it. */
  async function takeUp(): Promise<void> {
    for (const deployment of await store.open()) await ports.enqueue(deployment.id);
    await queue.advanceAll();
  }

  async function proceed(): Promise<void> {
    const now = clock.now();
    for (const deployment of await store.open()) {
      if (isStuck(deployment, now)) await ports.enqueue(deployment.id);
    }
    await queue.advanceAll();
  }

  return withGate(ports, {
    start,
    revert: (request) => start({ ...request, isRollback: true }),
    list: placements.list,
    history: (filter) => store.history(filter),
    running: () => store.open(),
    get: (id) => store.get(id),
    cancel,
    stop: rollouts.stop,
    async lines(filter) {
      return (await queue.lines()).filter(
        (line) =>
          (filter.service === undefined || line.service === filter.service) &&
          (filter.environment === undefined || line.environment === filter.environment),
      );
    },
    goOn: proceed,
    versions: placements.versions,
    async log(id) {
      const deployment = await store.get(id);
      return deployment === undefined ? undefined : { deployment, output: await store.output(id) };
    },
    run,
    interrupt,
    takeUp,
    drop,
  });
}
