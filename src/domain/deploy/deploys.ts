/** Deploying, from the request to the last word in the room. */

import { afterwardsIn, watchedUntil } from './afterwards.ts';
import { createAnnouncer } from './announce.ts';
import type { ServiceConfig } from './config.ts';
import { driftOf } from './drift.ts';
import { outlived, withGate } from './gate.ts';
import { createQueue } from './line.ts';
import { isOpen, isStuck } from './lock.ts';
import { keepsOut } from './locks.ts';
import { cancelled, type LiveFact, liveFact, outcomeCard, remedy, type Verdict, verdict } from './outcome.ts';
import { createOutput, lastLines, type Output } from './output.ts';
import { type PlanFacts, plan } from './plan.ts';
import type {
  CancelResult,
  Deployment,
  DeployPorts,
  Deploys,
  Live,
  Placement,
  Requester,
  StartRequest,
  StartResult,
  Target,
  TargetOutcome,
  TargetRequest,
  TargetRun,
} from './ports.ts';
import { TargetUnclear } from './ports.ts';
import { advance, NO_PROGRESS, type Progress, progressCard } from './progress.ts';
import { droppedCard, olderThan } from './waiting.ts';

const SAVE_OUTPUT_EVERY_MS = 5_000;
/** Of output so long; what is longer is saved less often, so that saving costs the same. */
const SAVED_OFTEN = 64 * 1024;
const LAST_LINES = 8;
const HISTORY = 100;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** Targets asked at once by a list. */
const ASKED_AT_ONCE = 8;
/** How often whoever runs a deployment looks whether it was cancelled, should the word of it have been lost. */
const LOOK_FOR_CANCEL_MS = 5_000;
/** The reason of an aborted signal; see {@link TargetRun}. */
const CANCEL = 'cancel';
const KEPT_OUT = 'it would have to wait, and what was approved was to begin at once';
const CUT_OFF: TargetOutcome = { kind: 'interrupted', text: 'the robot was stopped while it ran' };

type Facts = Pick<PlanFacts, 'versions' | 'current'>;

/** The key of the one message that a deployment has in its room. */
function postKey(id: number): string {
  return `deploy:${id}`;
}

export function createDeploys(ports: DeployPorts): Deploys {
  const { store, clock, log } = ports;
  const asking = new Map<string, Promise<Facts>>();
  /** What runs here, by number. */
  const stops = new Map<number, AbortController>();
  const queue = createQueue(ports, postKey, retell);

  function find(service: string): ServiceConfig | undefined {
    return ports.config.services.find(({ name }) => name === service);
  }

  async function start(request: StartRequest & { readonly rollsBack?: number }): Promise<StartResult> {
    const service = find(request.service);
    if (service === undefined) {
      const known = ports.config.services.map(({ name }) => name);
      return { kind: 'refused', reason: 'unknown_service', service: request.service, known };
    }
    const { environment } = request;
    if (!service.environments.includes(environment)) {
      const known = service.environments;
      return { kind: 'refused', reason: 'unknown_environment', service: service.name, environment, known };
    }
    const lock = (await ports.locks(clock.now())).find((one) =>
      keepsOut(one, { service: service.name, environment }, clock.now()),
    );
    if (lock !== undefined) return { kind: 'refused', reason: 'locked', service: service.name, environment, lock };

    let planned: ReturnType<typeof plan>;
    let versions: Facts['versions'];
    try {
      const facts = await askFacts(service.name, environment);
      // What is live now need not be live any more when its turn comes.
      const current = (await isTaken(service.name, environment)) ? 'unsupported' : facts.current;
      planned = plan({ service: service.name, environment, version: request.version, ...facts, current });
      versions = facts.versions;
    } catch (error) {
      if (!(error instanceof TargetUnclear)) throw error;
      return { kind: 'refused', reason: 'unclear', service: service.name, text: ports.redact(error.message) };
    }
    if (planned.kind === 'refused') return planned;

    const asked = await store.start({
      service: service.name,
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
    if (asked.kind === 'locked')
      return { kind: 'refused', reason: 'locked', service: service.name, environment, lock: asked.lock };
    const { deployment } = asked;
    if (ports.config.environments.some(({ name, supersede }) => name === environment && supersede === true)) {
      await supersede(deployment, versions);
    }
    try {
      await queue.advance(deployment);
    } catch (error) {
      log.error({ err: error, deployment: deployment.id }, 'deployment could not be queued');
      const at = clock.now();
      const result: Verdict = { state: 'failed', reason: 'it could not be queued' };
      const dropped = await store.drop(deployment.id, ports.replica, { ...result, at });
      if (dropped !== undefined) {
        await tell(dropped, result, await askCurrent(service.name, environment), '', at);
      }
      throw error;
    }
    const now = (await store.get(deployment.id)) ?? deployment;
    if (now.state === 'waiting' && now.approvedBy !== undefined) await drop(now, KEPT_OUT);
    return { kind: now.state === 'waiting' ? 'waiting' : 'started', deployment: now };
  }

  async function isTaken(service: string, environment: string): Promise<boolean> {
    const [open, waiting] = await Promise.all([store.open(), store.waiting()]);
    return [...open, ...waiting].some((one) => one.service === service && one.environment === environment);
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
    for (const deployment of older) await retell(deployment);
  }

  /** Many who ask for the same place at once share one answer. */
  function askFacts(service: string, environment: string): Promise<Facts> {
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
      await retell(dropped);
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
    if (queued?.state === 'running') return await goOn(id, signal);
    if (queued?.state !== 'queued') return;
    const newer = queued.rollsBack === undefined ? undefined : await cameBetween(queued.rollsBack, queued);
    if (newer !== undefined) return await drop(queued, `deployment ${newer.id} came in between`);
    const before: LiveFact =
      find(queued.service) === undefined
        ? { kind: 'unsupported' }
        : await askCurrent(queued.service, queued.environment);
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

    await see(deployment, signal, createOutput());
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
    if (dropped !== undefined) await retell(dropped);
    await queue.advance(deployment);
  }

  /** Takes up a rollout that another process left. */
  async function goOn(id: number, signal: AbortSignal): Promise<void> {
    const deployment = await store.takeUp(id, ports.replica);
    if (deployment === undefined) return;
    log.info({ deployment: id }, 'deployment taken up');
    const output = createOutput();
    for (const line of (await store.output(id)).split('\n').filter(Boolean)) output.add(line);
    await see(deployment, signal, output, await store.handle(id));
  }

  /** Sees a rollout to its end, or leaves it to whoever takes it up. */
  async function see(deployment: Deployment, shutdown: AbortSignal, output: Output, handle?: unknown): Promise<void> {
    const { id } = deployment;
    const cancelled = new AbortController();
    const over = new AbortController();
    stops.set(id, cancelled);
    const signal = AbortSignal.any([cancelled.signal, shutdown]);
    const watch = watchCancel(id, over.signal);
    const outcome = await drive(deployment, signal, output, handle).finally(() => {
      over.abort();
      stops.delete(id);
    });
    await watch;
    const text = ports.redact(output.text());
    const left = outcome.kind === 'interrupted' && signal.aborted && signal.reason !== CANCEL;
    if (left && (await canResume(deployment))) {
      await store.leave(id, ports.replica, text);
      return;
    }
    await concludeForSure(deployment, outcome, text, shutdown);
  }

  function stop(id: number): void {
    stops.get(id)?.abort(CANCEL);
  }

  /** The word that somebody cancelled may have been lost, or may have come before anybody listened. */
  async function watchCancel(id: number, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      try {
        if ((await store.get(id))?.cancelledBy !== undefined) return stop(id);
      } catch (error) {
        log.warn({ err: error, deployment: id }, 'not known whether a deployment was cancelled');
      }
      await clock.sleep(LOOK_FOR_CANCEL_MS, over);
    }
  }

  async function canResume({ id, service }: Deployment): Promise<boolean> {
    if (find(service) === undefined || ports.target(service).resume === undefined) return false;
    return (await store.handle(id)) !== undefined;
  }

  /** Runs the target and shows its progress; whatever goes wrong becomes an outcome. */
  async function drive(
    deployment: Deployment,
    signal: AbortSignal,
    output: Output,
    handle?: unknown,
  ): Promise<TargetOutcome> {
    if (find(deployment.service) === undefined) {
      return { kind: 'failed', code: 'unknown_service', text: 'the service is no longer in config/services.yaml' };
    }
    let progress: Progress = NO_PROGRESS;
    let recent: readonly string[] = [];
    let savedAt = clock.now().getTime();
    const announcer = createAnnouncer(
      clock,
      () =>
        progressCard(
          deployment,
          { ...progress, lastLines: lastLines(ports.redact(recent.join('\n')), 3) },
          clock.now(),
        ),
      async (content) => {
        try {
          await ports.post(deployment.origin, content, postKey(deployment.id));
          const every = SAVE_OUTPUT_EVERY_MS * Math.max(1, output.size() / SAVED_OFTEN);
          if (clock.now().getTime() - savedAt < every) return;
          savedAt = clock.now().getTime();
          await store.saveOutput(deployment.id, ports.replica, ports.redact(output.text()));
        } catch (error) {
          log.warn({ err: error, deployment: deployment.id }, 'deployment progress not shown');
        }
      },
    );
    announcer.changed();
    try {
      const target = ports.target(deployment.service);
      const request: TargetRequest = {
        deployment: deployment.id,
        service: deployment.service,
        environment: deployment.environment,
        version: deployment.version,
      };
      const targetRun: TargetRun = {
        signal,
        remember: (found) => store.remember(deployment.id, ports.replica, found),
        progress(step) {
          if (step.text !== undefined) output.add(`— ${step.text}`);
          const said = step.text === undefined ? step : { ...step, text: ports.redact(step.text) };
          progress = advance(progress, said, clock.now());
          announcer.changed();
        },
        output(line) {
          output.add(line);
          // Whole: half of a secret would not be known for one.
          if (line.trim() !== '') recent = [...recent.slice(-2), line];
          announcer.changed();
        },
      };
      if (handle !== undefined && target.resume) {
        // It goes on by itself; whoever is there next takes it up. One that was cancelled is stopped by its target.
        const isStopping = signal.aborted && signal.reason !== CANCEL;
        return isStopping ? CUT_OFF : await target.resume(request, handle, targetRun);
      }
      await target.settle(deployment.service, deployment.environment);
      if (signal.aborted) return CUT_OFF;
      return await target.deploy(request, targetRun);
    } catch (error) {
      log.error({ err: error, deployment: deployment.id }, 'deployment target failed');
      return {
        kind: 'failed',
        code: 'target',
        text: 'the target failed in an unexpected way; the log of the robot says how',
      };
    } finally {
      await announcer.close();
    }
  }

  /**
   * The database may be away just now, and a lock must not stay behind: tries until it is recorded and told. When the
   * robot stops before that, whoever takes over from this replica does it.
   */
  async function concludeForSure(
    deployment: Deployment,
    outcome: TargetOutcome,
    output: string,
    signal: AbortSignal,
  ): Promise<void> {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      try {
        await conclude(deployment, ports.replica, outcome, output);
        await tellUntold(ports.replica, deployment.id);
        await queue.advance(deployment);
        return;
      } catch (error) {
        log.warn({ err: error, deployment: deployment.id }, 'deployment outcome not recorded yet');
      }
      if (signal.aborted) return;
      await clock.sleep(wait, signal);
    }
  }

  /** Judges, records, releases the lock, tells the room. Only the one who records it tells. */
  async function conclude(
    deployment: Deployment,
    owner: string,
    outcome: TargetOutcome,
    output: string | undefined,
  ): Promise<void> {
    if (outcome.kind === 'interrupted' && find(deployment.service) !== undefined) {
      await ports.target(deployment.service).settle(deployment.service, deployment.environment);
    }
    const live = await askCurrent(deployment.service, deployment.environment);
    const by = outcome.kind === 'succeeded' ? undefined : (await store.get(deployment.id))?.cancelledBy;
    const raw =
      by === undefined ? verdict(deployment.version, outcome, live) : cancelled(deployment.version, by, outcome, live);
    const result: Verdict = raw.reason === undefined ? raw : { ...raw, reason: ports.redact(raw.reason) };
    const at = clock.now();
    const mine = await store.finish(deployment.id, owner, {
      ...result,
      at,
      ...(output === undefined ? {} : { output }),
    });
    if (!mine) {
      log.warn({ deployment: deployment.id, state: result.state }, 'deployment was ended by another replica');
      return;
    }
    log.info({ deployment: deployment.id, state: result.state, reason: result.reason }, 'deployment ended');
    await tell(deployment, result, live, output ?? (await store.output(deployment.id)), at);
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
      : remedy(deployment.version, deployment.previous, live, await askVersions(deployment.service));
    const content = outcomeCard({
      deployment,
      verdict: result,
      live,
      lastLines: good ? '' : lastLines(output, LAST_LINES),
      remedy: offer,
      finishedAt: at,
    });
    await ports.post(deployment.origin, content, postKey(deployment.id));
    await ports.told?.(deployment.id);
    await store.announced(deployment.id);
  }

  /** Tells the rooms what was recorded before it could be told. */
  async function tellUntold(owner: string, only?: number): Promise<void> {
    for (const deployment of await store.unannouncedOf(owner)) {
      if (only === undefined || only === deployment.id) await retell(deployment);
    }
  }

  /** Tells how one ended, from what is recorded of it. */
  async function retell(deployment: Deployment): Promise<void> {
    const { id, state, reason } = deployment;
    if (isOpen(state) || state === 'waiting') return;
    const result: Verdict = reason === undefined ? { state } : { state, reason };
    if (state === 'cancelled' && deployment.startedAt === undefined) {
      await ports.ended(deployment, state, reason);
      await ports.post(deployment.origin, droppedCard(deployment), postKey(id));
      await ports.told?.(id);
      return await store.announced(id);
    }
    const live = await askCurrent(deployment.service, deployment.environment);
    await tell(deployment, result, live, await store.output(id), deployment.finishedAt ?? clock.now());
  }

  async function askCurrent(service: string, environment: string): Promise<LiveFact> {
    try {
      return find(service) === undefined
        ? { kind: 'unsupported' }
        : liveFact(await ports.target(service).current(service, environment));
    } catch (error) {
      return { kind: 'unclear', text: unclear(error) };
    }
  }

  async function askVersions(service: string): Promise<readonly string[]> {
    try {
      const versions = find(service) === undefined ? 'unsupported' : await ports.target(service).versions(service);
      return versions === 'unsupported' ? [] : versions;
    } catch {
      return [];
    }
  }

  function unclear(error: unknown): string {
    if (error instanceof TargetUnclear) return ports.redact(error.message);
    log.error({ err: error }, 'deployment target failed');
    return 'the target failed in an unexpected way';
  }

  async function list(filter: { service?: string; environment?: string }): Promise<readonly Placement[]> {
    const [open, good] = await Promise.all([store.open(), store.lastGood()]);
    const places = ports.config.services
      .filter(({ name }) => filter.service === undefined || name === filter.service)
      .flatMap(({ name, environments }) => environments.map((environment) => ({ service: name, environment })))
      .filter(({ environment }) => filter.environment === undefined || environment === filter.environment);
    const answers: Placement[] = [];
    for (let from = 0; from < places.length; from += ASKED_AT_ONCE) {
      const some = places.slice(from, from + ASKED_AT_ONCE).map(async (place): Promise<Placement> => {
        const here = (one: Deployment) => one.service === place.service && one.environment === place.environment;
        const running = open.find(here);
        const target = ports.target(place.service);
        // One service is asked about to decide something; many, to look over them.
        const ask = filter.service === undefined ? (target.glance ?? target.current) : target.current;
        const live = await placed(() => ask(place.service, place.environment), good.find(here), running);
        return { ...place, live, ...(running === undefined ? {} : { open: running }) };
      });
      answers.push(...(await Promise.all(some)));
    }
    return answers;
  }

  async function placed(
    ask: () => ReturnType<Target['current']>,
    last: Deployment | undefined,
    running: Deployment | undefined,
  ): Promise<Placement['live']> {
    const recorded = last === undefined ? {} : { recorded: last.version };
    let current: Live | 'unsupported' | undefined;
    try {
      current = await ask();
    } catch (error) {
      return { kind: 'unclear', text: unclear(error), ...recorded };
    }
    if (current === undefined) return { kind: 'nothing' };
    if (current === 'unsupported') return { kind: 'unclear', text: 'this target cannot tell', ...recorded };
    const ours = last?.version === current.version ? last : undefined;
    const since = earlier(current.since, ours?.finishedAt);
    const drift = driftOf(current, last, running);
    return {
      ...current,
      kind: 'live',
      ...(drift === undefined ? {} : { drift }),
      ...(since === undefined ? {} : { since }),
      ...(ours === undefined ? {} : { by: ours.by.name, ...watchOf(ours) }),
    };
  }

  function watchOf(good: Deployment): { readonly watchedUntil?: Date } {
    const until = watchedUntil(good, afterwardsIn(ports.config, good.environment));
    return until === undefined || until <= clock.now() ? {} : { watchedUntil: until };
  }

  async function interrupt(replicaId: string): Promise<void> {
    const running = await store.runningOf(replicaId);
    await Promise.all(
      running.map(async (deployment) => {
        if (await canResume(deployment)) await store.leave(deployment.id, replicaId);
        else await conclude(deployment, replicaId, CUT_OFF, undefined);
      }),
    );
    await tellUntold(replicaId);
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
    list,
    history: (filter) => store.history(filter),
    running: () => store.open(),
    get: (id) => store.get(id),
    cancel,
    stop,
    async lines(filter) {
      return (await queue.lines()).filter(
        (line) =>
          (filter.service === undefined || line.service === filter.service) &&
          (filter.environment === undefined || line.environment === filter.environment),
      );
    },
    goOn: proceed,
    versions: askVersions,
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

/** A version that was restarted, or set again after another one had failed, has been live since it came. */
function earlier(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
