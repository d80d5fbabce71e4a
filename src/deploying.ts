/** Deploying and what belongs to it, made from the configuration: a part of the composition root. */

import { systemClock } from './adapters/clock.ts';
import { createDockerHosts } from './adapters/deploy/docker/hosts.ts';
import { createKubernetes } from './adapters/deploy/kubernetes/inspect.ts';
import { loadTargets } from './adapters/deploy/targets.ts';
import { pipelineHooks } from './adapters/pipelines/hooks.ts';
import { createRepeat } from './adapters/pipelines/rerun.ts';
import { createSources, type Sources } from './adapters/source/sources.ts';
import type { Access } from './bot/access.ts';
import type { AuditTrail } from './bot/audit.ts';
import type { Address } from './bot/chat.ts';
import type { Hook } from './bot/hooks.ts';
import type { Jobs } from './bot/jobs.ts';
import type { Logger } from './bot/log.ts';
import type { Metrics } from './bot/metrics.ts';
import type { RunningPosts } from './bot/post.ts';
import { rollbackAudit } from './bot/rollback-audit.ts';
import type { Services } from './bot/services.ts';
import type { Config } from './config/config.ts';
import { createDeploys } from './domain/deploy/deploys.ts';
import { createLocks, type LockEnd } from './domain/deploy/locking.ts';
import { auditEnd } from './domain/deploy/outcome.ts';
import type { Clock, DeployStore, Deploys } from './domain/deploy/ports.ts';
import { createWatch, type Watch } from './domain/deploy/watch.ts';
import { reportedChecks } from './domain/pipelines/checks.ts';
import { createPipelines } from './domain/pipelines/pipelines.ts';
import type { PipelineStore } from './domain/pipelines/ports.ts';
import { redact } from './domain/privacy/redact.ts';
import type { Database } from './storage/database.ts';
import { createLockStore } from './storage/deploy-locks.ts';
import { createWatchStore } from './storage/deploy-watch.ts';
import { createDeployStore } from './storage/deploys.ts';
import { createPipelineStore } from './storage/pipelines.ts';

/** A rollout may take so long before the job of it counts as failed. */
const LONGEST_RUN_SECONDS = 24 * 3600;
/** Rollouts that one replica follows at once. */
const ROLLOUTS_AT_ONCE = 8;

export interface DeployingParts {
  readonly config: Config;
  readonly database: Database;
  /** Id of this replica. */
  readonly replica: string;
  readonly jobs: Jobs;
  readonly posts: Pick<RunningPosts, 'post'>;
  readonly audit: AuditTrail;
  readonly access: Pick<Access, 'can' | 'isStill'>;
  readonly metrics: Metrics;
  /** What the robot is called. */
  readonly name: string;
  readonly log: Logger;
  now(): Date;
  /** Rooms by their names in a YAML file, without the one in which people see what is posted at the origin. */
  beside(rooms: readonly string[], origin: Address): Promise<readonly Address[]>;
  /** Whether only the people of a room see what is said there. */
  isPrivate(room: Address): Promise<boolean>;
  /** Shows the card of an alert again. */
  refreshAlert(alert: number): Promise<void>;
}

export interface Deploying {
  /** What commands use of it. */
  readonly services: Pick<Services, 'deploys' | 'docker' | 'kubernetes' | 'locks' | 'pipelines'>;
  /** Ties alerts to deployments. */
  readonly watch: Watch;
  /** The hooks of pipelines that are open. */
  readonly hooks: readonly Hook[];
  /** Takes up what was left, and goes on by itself from then on. Jobs run already. */
  start(): Promise<void>;
  /** Copies repositories, in the background. */
  prepare(): void;
  /** Takes up what a killed replica was at. */
  interrupt(lostReplica: string): Promise<void>;
  /** Ends connections and copies, once no job runs any more. */
  close(): Promise<void>;
}

export async function createDeploying(parts: DeployingParts): Promise<Deploying> {
  const { config, database, jobs, now, log } = parts;
  const { services } = config.services;
  const closing = new AbortController();
  const clock: Clock = { ...systemClock, now };
  const deployments = createDeployStore(database);
  const runs = createPipelineStore(database);
  const lockStore = createLockStore(database);
  const sources = createSourcesOf(parts, runs, clock);
  const deploys = createDeploys({
    config: config.services,
    store: deployments,
    locks: (at) => lockStore.all(at),
    target: await loadTargets({
      services,
      root: config.root,
      dataFolder: config.data,
      environment: config.environment,
      closing: closing.signal,
    }),
    source: (service) => sources.of(service),
    clock,
    replica: parts.replica,
    enqueue: (id) => jobs.send('deploy.run', { id }, { key: `deploy:${id}` }),
    tellCancelled: (id) => database.bus.publish('deploy.cancel', id),
    post: (origin, content, key) => parts.posts.post(origin, content, { key }),
    beside: parts.beside,
    ended: async (deployment, state, reason) => {
      parts.metrics.deployed(state);
      const { outcome, detail } = auditEnd(deployment, state, reason);
      if (deployment.audit !== undefined) await parts.audit.end(deployment.audit, outcome, detail, now());
    },
    told: (id) => watch.told(id),
    redact,
    may: async (by, permission, since) =>
      (await parts.access.isStill(by, since)) &&
      (await parts.access.can({ ...by, chat: by.id.slice(0, by.id.indexOf(':')) }, permission)),
    log,
  });
  jobs.define<{ id: number }>(
    'deploy.run',
    { concurrency: ROLLOUTS_AT_ONCE, retries: 5, expireSeconds: LONGEST_RUN_SECONDS },
    ({ id }, { signal }) => deploys.run(id, signal),
  );
  database.bus.subscribe('deploy.cancel', (id) => {
    if (typeof id === 'number') deploys.stop(id);
  });
  const watch = createWatchOf(parts, deploys, deployments);
  jobs.define<{ id: number }>('deploy.roll-back', { retries: 5 }, ({ id }) => watch.rollBack(id));
  jobs.define('deploy.go-on', { retries: 5 }, async () => void (await Promise.all([deploys.goOn(), watch.goOn()])));
  const locks = createLocks({
    store: lockStore,
    now,
    redact,
    changed: () => deploys.goOn(),
    endLater: (end, ms) => jobs.send('deploy.lock-over', end, { startAfterSeconds: ms / 1000 }),
    post: (origin, text, key) => parts.posts.post(origin, text, { key }),
  });
  jobs.define<LockEnd>('deploy.lock-over', { retries: 5 }, (end) => locks.ended(end));
  const pipelines = createPipelines({ services, store: runs, repeat: createRepeat(config.environment) });
  jobs.define('pipelines.retention', {}, async () => await pipelines.expire(now()));
  const reach = { services, root: config.root, environment: config.environment, redact };

  return {
    services: { deploys, docker: createDockerHosts(reach), kubernetes: createKubernetes(reach), locks, pipelines },
    watch,
    hooks: pipelineHooks(pipelines, pipelineSecrets(config), now),
    async start() {
      await Promise.all([
        deploys.takeUp(),
        watch.goOn(),
        jobs.schedule('deploy.go-on', '* * * * *'),
        jobs.schedule('pipelines.retention', '41 3 * * *'),
      ]);
    },
    prepare: () => sources.prepare(),
    interrupt: (lostReplica) => deploys.interrupt(lostReplica),
    async close() {
      sources.close();
      closing.abort();
    },
  };
}

function createSourcesOf({ config }: DeployingParts, runs: PipelineStore, clock: Clock): Sources {
  return createSources({
    services: config.services.services,
    dataFolder: config.data,
    environment: config.environment,
    // The token of all hooks is known to who may send alerts, not to who may say what has passed.
    reported: (repository, commit) =>
      reportedChecks(runs, { repository, commit }, [
        'github',
        'gitlab',
        ...(config.variables.SHIPMATE_JENKINS_TOKEN === undefined ? [] : (['jenkins'] as const)),
      ]),
    clock,
  });
}

function createWatchOf(
  parts: DeployingParts,
  deploys: Pick<Deploys, 'revert'>,
  deployments: Pick<DeployStore, 'get' | 'history'>,
): Watch {
  const { config, database, jobs, audit, now } = parts;
  return createWatch({
    config: config.services,
    store: createWatchStore(database),
    deployments,
    revert: (request) => deploys.revert(request),
    name: parts.name,
    now,
    beside: parts.beside,
    post: (where, content, key) => parts.posts.post(where, content, { key }),
    rollBackSoon: (id) => jobs.send('deploy.roll-back', { id }, { key: `back:${id}` }),
    audit: {
      async begin(request, reason) {
        const begun = await audit.begin(rollbackAudit(request, reason, await parts.isPrivate(request.origin), now()));
        if (begun.kind === 'repeated') throw new Error('a rollback of the robot has no source that could be repeated');
        return begun.id;
      },
      end: (id, outcome, detail) => audit.end(id, outcome, detail, now()),
    },
    refreshAlert: (alert) => parts.refreshAlert(alert),
    settled: (cause, outcome) => parts.metrics.rolledBack(cause, outcome),
    redact,
    log: parts.log,
  });
}

function pipelineSecrets({ variables }: Config): Parameters<typeof pipelineHooks>[1] {
  return {
    github: variables.SHIPMATE_GITHUB_SECRET,
    gitlabToken: variables.SHIPMATE_GITLAB_TOKEN,
    gitlabSigningToken: variables.SHIPMATE_GITLAB_SIGNING_TOKEN,
    jenkins: variables.SHIPMATE_JENKINS_TOKEN,
  };
}
