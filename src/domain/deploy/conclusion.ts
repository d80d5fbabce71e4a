/** The end of a deployment: judged by what is really live, recorded by one replica only, and told until the room knows. */

import { messageKey } from './keys.ts';
import { cancelled, type LiveFact, outcomeCard, remedy, type Verdict, verdict } from './outcome.ts';
import { lastLines } from './output.ts';
import { isOpen, serviceOf } from './place.ts';
import type { Placements } from './placements.ts';
import type { Deployment, DeployPorts, Place } from './ports.ts';
import type { TargetOutcome } from './target.ts';
import { droppedCard } from './waiting.ts';

/** Lines of output on the card of one that did not succeed. */
const LAST_LINES = 8;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

export interface Conclusion {
  /** Judges, records, frees the place, tells the room. Only the one who records it tells. No `output`: what is recorded. */
  conclude(deployment: Deployment, owner: string, outcome: TargetOutcome, output: string | undefined): Promise<void>;
  /** The same for one of this replica, time and again until it is done or the robot stops; then whoever waits there goes on. */
  concludeForSure(deployment: Deployment, outcome: TargetOutcome, output: string, shutdown: AbortSignal): Promise<void>;
  /** Tells the rooms what a replica recorded before it could tell it; of one deployment only if that is named. */
  tellUntold(owner: string, only?: number): Promise<void>;
  /** Tells how one ended, from what is recorded of it. */
  retell(deployment: Deployment): Promise<void>;
}

/** @param next lets whoever waits there go on */
export function createConclusion(
  ports: DeployPorts,
  placements: Placements,
  next: (place: Place) => Promise<void>,
): Conclusion {
  const { config, store, clock, log } = ports;

  /**
   * The database may be away just now, and a lock must not stay behind: tries until it is recorded and told. When the
   * robot stops before that, whoever takes over from this replica does it.
   */
  async function concludeForSure(
    deployment: Deployment,
    outcome: TargetOutcome,
    output: string,
    shutdown: AbortSignal,
  ): Promise<void> {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      try {
        await conclude(deployment, ports.replica, outcome, output);
        await tellUntold(ports.replica, deployment.id);
        await next(deployment);
        return;
      } catch (error) {
        log.warn({ err: error, deployment: deployment.id }, 'deployment outcome not recorded yet');
      }
      if (shutdown.aborted) return;
      await clock.sleep(wait, shutdown);
    }
  }

  async function conclude(
    deployment: Deployment,
    owner: string,
    outcome: TargetOutcome,
    output: string | undefined,
  ): Promise<void> {
    const { id, service, environment, version } = deployment;
    if (outcome.kind === 'interrupted' && serviceOf(config, service) !== undefined) {
      await ports.target(service).settle(service, environment);
    }
    const live = await placements.current(deployment);
    const by = outcome.kind === 'succeeded' ? undefined : (await store.get(id))?.cancelledBy;
    const raw = by === undefined ? verdict(version, outcome, live) : cancelled(version, by, outcome, live);
    const result: Verdict = raw.reason === undefined ? raw : { ...raw, reason: ports.redact(raw.reason) };
    const at = clock.now();
    const mine = await store.finish(id, owner, { ...result, at, ...(output === undefined ? {} : { output }) });
    if (!mine) {
      log.warn({ deployment: id, state: result.state }, 'deployment was ended by another replica');
      return;
    }
    log.info({ deployment: id, state: result.state, reason: result.reason }, 'deployment ended');
    await tell(deployment, result, live, output ?? (await store.output(id)), at);
  }

  async function tell(
    deployment: Deployment,
    result: Verdict,
    live: LiveFact,
    output: string,
    at: Date,
  ): Promise<void> {
    await ports.ended(deployment, result.state, result.reason);
    const good = result.state === 'succeeded';
    const offer = good
      ? undefined
      : remedy(deployment.version, deployment.previous, live, await placements.versions(deployment.service));
    const content = outcomeCard({
      deployment,
      verdict: result,
      live,
      lastLines: good ? '' : lastLines(output, LAST_LINES),
      remedy: offer,
      finishedAt: at,
    });
    await ports.post(deployment.origin, content, messageKey(deployment.id));
    await ports.told?.(deployment.id);
    await store.announced(deployment.id);
  }

  async function tellUntold(owner: string, only?: number): Promise<void> {
    for (const deployment of await store.unannouncedOf(owner)) {
      if (only === undefined || only === deployment.id) await retell(deployment);
    }
  }

  async function retell(deployment: Deployment): Promise<void> {
    const { id, state, reason } = deployment;
    if (isOpen(state) || state === 'waiting') return;
    const result: Verdict = reason === undefined ? { state } : { state, reason };
    if (state === 'cancelled' && deployment.startedAt === undefined) {
      await ports.ended(deployment, state, reason);
      await ports.post(deployment.origin, droppedCard(deployment), messageKey(id));
      await ports.told?.(id);
      return await store.announced(id);
    }
    const live = await placements.current(deployment);
    await tell(deployment, result, live, await store.output(id), deployment.finishedAt ?? clock.now());
  }

  return { conclude, concludeForSure, tellUntold, retell };
}
