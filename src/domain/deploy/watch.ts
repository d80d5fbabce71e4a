/** What follows the end of a deployment: it is told, watched, and rolled back where the environment asks for that. */

import type { Content } from '../../bot/card.ts';
import { type Address, isSameRoom } from '../../bot/chat.ts';
import { API_CHAT } from '../access/token.ts';
import type { Alert, AlertContext } from '../alerts/ports.ts';
import { afterwardsIn } from './afterwards.ts';
import { type BackOutcome, backTo, isOvertaken, overtaker, type WayBack, wish } from './auto-rollback.ts';
import type { ServicesConfig } from './config.ts';
import { announcement, call, ROBOT_ID } from './ending.ts';
import { messageKey } from './keys.ts';
import { untilWords } from './locks.ts';
import type { Deployment, DeployStore, Deploys, Place, Requester, RevertRequest } from './ports.ts';
import type { Refusal } from './refusal.ts';
import { type Tie, tiesOf } from './tie.ts';
import { alertContext, type WatchFacts, watchCard } from './watch-card.ts';

/** Deployments of one place that are looked at. */
const REMEMBERED = 500;
/** Cards of alerts that are brought up to date when a deployment is rolled back or followed by another. */
const REFRESHED = 100;
/** How long a target that does not answer is asked again before the robot gives its rollback up. */
const PATIENCE_MS = 10 * 60_000;

/** The record of ties and of the robot's own rollbacks. */
export interface WatchStore {
  /** Records a tie, or what is new of it. */
  tie(tie: Tie): Promise<void>;
  /** In the order in which they began to fire. */
  tiesOf(deployment: number): Promise<readonly Tie[]>;
  /** The newest deployment first. */
  tied(alert: number): Promise<readonly Tie[]>;
  /** Records the wish to roll back. False if that was wished before, on whichever replica. */
  want(wayBack: Omit<WayBack, 'outcome' | 'detail'>): Promise<boolean>;
  wayBack(deployment: number): Promise<WayBack | undefined>;
  /** Ends the wish. False if it has ended already. */
  settle(deployment: number, outcome: BackOutcome, detail: string | undefined, at: Date): Promise<boolean>;
  /** Numbers of deployments that are still to be rolled back. */
  wanted(): Promise<readonly number[]>;
}

export interface WatchPorts {
  readonly config: ServicesConfig;
  readonly store: WatchStore;
  readonly deployments: Pick<DeployStore, 'get' | 'history'>;
  /** {@link Deploys.revert}. */
  revert: Deploys['revert'];
  /** What the robot is called. */
  readonly name: string;
  now(): Date;
  /** From a room's name in configuration to where it is. */
  address(room: string): Address;
  /** Durable; the same key updates in place. */
  post(address: Address, content: Content, key: string): Promise<void>;
  /** Stores the job that calls {@link Watch.rollBack}. May be called twice. */
  rollBackSoon(deployment: number): Promise<void>;
  /** The audit row of a rollback that the robot begins; `end` closes one that came to nothing. */
  readonly audit: {
    begin(request: RevertRequest, reason: string): Promise<number>;
    end(audit: number, outcome: 'refused' | 'failed', detail: string): Promise<void>;
  };
  /** Shows the card of an alert again: what is known of its deployments has changed. */
  refreshAlert(alert: number): Promise<void>;
  redact(text: string): string;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
}

export interface Watch {
  /** A deployment has ended and its card says so. Twice is as good as once. */
  told(id: number): Promise<void>;
  /** An alert is new or has changed. Twice is as good as once. */
  changed(alert: Pick<Alert, 'number' | 'title' | 'members'>): Promise<void>;
  /** What the card of an alert says of deployments; undefined if it is tied to none. */
  context(alert: number): Promise<AlertContext | undefined>;
  /** The job: rolls a deployment back if that is wanted, whoever calls, however often. */
  rollBack(deployment: number): Promise<void>;
  /** Takes up rollbacks that were wanted and did not begin. */
  goOn(): Promise<void>;
}

interface Surroundings {
  readonly deployment: Deployment;
  readonly history: readonly Deployment[];
  readonly succeeded: readonly Deployment[];
}

export function createWatch(ports: WatchPorts): Watch {
  const { config, store, deployments, log } = ports;

  async function historyOf({ service, environment }: Place): Promise<readonly Deployment[]> {
    return await deployments.history({ service, environment, limit: REMEMBERED });
  }

  async function around(id: number): Promise<Surroundings | undefined> {
    const deployment = await deployments.get(id);
    if (deployment === undefined) return undefined;
    const history = await historyOf(deployment);
    return { deployment, history, succeeded: history.filter(({ state }) => state === 'succeeded') };
  }

  async function factsOf({ deployment, history, succeeded }: Surroundings): Promise<WatchFacts> {
    const [ties, wayBack, person] = await Promise.all([
      store.tiesOf(deployment.id),
      store.wayBack(deployment.id),
      personOf(deployment),
    ]);
    const rollback = history.find(({ rollsBack }) => rollsBack === deployment.id);
    const others = history.filter((one) => one !== rollback);
    return {
      deployment,
      ties,
      wayBack,
      rollback,
      backTo: isOvertaken(deployment, others) ? undefined : backTo(deployment, succeeded),
      person,
    };
  }

  /** Who asked for it; of the robot's own rollback, who asked for what it rolls back. */
  async function personOf(deployment: Deployment): Promise<Requester> {
    const { rollsBack, by } = deployment;
    return rollsBack === undefined ? by : ((await deployments.get(rollsBack))?.by ?? by);
  }

  /** Where people look who asked for it. Programs look nowhere: for those it is the rooms of the environment. */
  function roomsOf({ origin, environment }: Deployment): readonly Address[] {
    const { announce } = afterwardsIn(config, environment);
    return origin.chat === API_CHAT ? [origin, ...announce.map(ports.address)] : [origin];
  }

  async function told(id: number): Promise<void> {
    const found = await around(id);
    if (found === undefined) return;
    await announce(found.deployment);
    await react(found);
    const { rollsBack } = found.deployment;
    if (rollsBack !== undefined) await showAgain(rollsBack);
    // What came before is watched no more: nobody is to press its button.
    const before = found.history.find((one) => one.id < id && one.state === 'succeeded' && one.id !== rollsBack);
    if (found.deployment.startedAt !== undefined && before !== undefined) await showAgain(before.id);
  }

  async function announce(deployment: Deployment): Promise<void> {
    const { id, origin, environment } = deployment;
    const rooms = afterwardsIn(config, environment).announce.map(ports.address);
    const line = call(deployment, await personOf(deployment), rooms.length > 0);
    if (line !== undefined) await ports.post(origin, line, messageKey(id, 'call'));
    const content = announcement(deployment);
    if (content === undefined) return;
    for (const room of rooms) {
      if (isSameRoom(room, origin)) continue;
      await ports.post(room, content, messageKey(id, 'outcome'));
    }
  }

  /** Decides whether to go back, and shows what there is to see. */
  async function react(found: Surroundings): Promise<void> {
    const { deployment } = found;
    const ties = await store.tiesOf(deployment.id);
    const wanted = wish(afterwardsIn(config, deployment.environment), { ...found, ties, now: ports.now() });
    if (wanted !== undefined) {
      const reason = ports.redact(wanted.reason);
      const isNew = await store.want({ deployment: deployment.id, cause: wanted.cause, reason, wantedAt: ports.now() });
      if (isNew) log.info({ deployment: deployment.id, cause: wanted.cause }, 'deployment to be rolled back');
      await ports.rollBackSoon(deployment.id);
    }
    await show(found);
  }

  async function show(found: Surroundings): Promise<void> {
    const facts = await factsOf(found);
    const content = watchCard(facts);
    if (content === undefined) return;
    for (const room of roomsOf(found.deployment)) {
      await ports.post(room, content, messageKey(found.deployment.id, 'watch'));
    }
  }

  /** The message in its room and the cards of its alerts. */
  async function showAgain(id: number): Promise<void> {
    const found = await around(id);
    if (found === undefined) return;
    await show(found);
    const firing = (await store.tiesOf(id)).filter(({ isFiring }) => isFiring).slice(0, REFRESHED);
    for (const { alert } of firing) {
      await ports.refreshAlert(alert).catch((error: unknown) => {
        // Its button leads to a refusal at the worst; the next change of the alert shows it right.
        log.warn({ err: error, alert }, 'card of an alert not shown again');
      });
    }
  }

  async function changed(alert: Pick<Alert, 'number' | 'title' | 'members'>): Promise<void> {
    const known = new Map<string, Promise<readonly Deployment[]>>();
    const recent = (place: Place) => {
      const key = `${place.service} ${place.environment}`;
      const found = known.get(key) ?? historyOf(place);
      known.set(key, found);
      return found;
    };
    const before = await store.tied(alert.number);
    const touched = new Set<number>();
    for (const tie of await tiesOf(config, alert, recent)) {
      // What had ended before anybody heard of it is nobody's worry.
      if (!tie.isFiring && !before.some(({ deployment }) => deployment === tie.deployment)) continue;
      await store.tie(tie);
      touched.add(tie.deployment);
    }
    // It fires no more for these, or fires again for a later one.
    for (const tie of before) {
      if (touched.has(tie.deployment)) continue;
      await store.tie({ ...tie, isFiring: false });
      touched.add(tie.deployment);
    }
    for (const id of touched) {
      const found = await around(id);
      if (found !== undefined) await react(found);
    }
  }

  async function context(alert: number): Promise<AlertContext | undefined> {
    const tied = [];
    for (const tie of await store.tied(alert)) {
      const found = await around(tie.deployment);
      if (found !== undefined) tied.push({ tie, facts: await factsOf(found) });
    }
    return alertContext(tied);
  }

  async function rollBack(id: number): Promise<void> {
    const wayBack = await store.wayBack(id);
    const found = await around(id);
    if (wayBack === undefined || wayBack.outcome !== undefined || found === undefined) return;
    const result = await attempt(found, wayBack);
    if (result === undefined) return;
    const [outcome, detail] = result;
    await store.settle(id, outcome, detail === undefined ? undefined : ports.redact(detail), ports.now());
    log.info({ deployment: id, outcome }, 'rollback of a deployment settled');
    await showAgain(id);
  }

  /** Undefined if it is to be tried again. */
  async function attempt(
    { deployment, history, succeeded }: Surroundings,
    wayBack: WayBack,
  ): Promise<readonly [BackOutcome, string?] | undefined> {
    const { id, service, environment, origin } = deployment;
    // Begun by a replica that could not say so any more.
    if (history.some(({ rollsBack }) => rollsBack === id)) return ['started'];
    const newer = overtaker(id, history);
    if (newer !== undefined) return ['overtaken', `deployment ${newer.id} of ${newer.version} came after it`];
    const version = backTo(deployment, succeeded);
    if (version === undefined) return ['refused', 'nothing is known that was live before'];
    const by = { id: ROBOT_ID, name: ports.name };
    const request = { service, environment, version, by, origin, rollsBack: id };
    const audit = await ports.audit.begin({ ...request, origin }, wayBack.reason);
    let result: Awaited<ReturnType<Deploys['revert']>>;
    try {
      result = await ports.revert({ ...request, audit });
    } catch (error) {
      await ports.audit.end(audit, 'failed', 'it could not be begun');
      throw error;
    }
    if (result.kind !== 'refused') {
      if (result.deployment.audit !== audit) {
        await ports.audit.end(audit, 'refused', `deployment ${result.deployment.id} does it already`);
      }
      return ['started'];
    }
    const detail = refusalWords(result);
    await ports.audit.end(audit, 'refused', detail);
    if (result.reason === 'already_live') return ['undone', detail];
    if (result.reason === 'locked') return ['locked', detail];
    if (result.reason === 'unclear' && ports.now().getTime() - wayBack.wantedAt.getTime() < PATIENCE_MS) {
      log.warn({ deployment: id }, 'rollback waits for the target');
      return undefined;
    }
    return ['refused', detail];
  }

  async function goOn(): Promise<void> {
    for (const id of await store.wanted()) await ports.rollBackSoon(id);
  }

  return { told, changed, context, rollBack, goOn };
}

/** A clause for the card and the audit. */
function refusalWords(refused: Refusal): string {
  switch (refused.reason) {
    case 'locked':
      return `locked by ${refused.lock.owner.name} ${untilWords(refused.lock)}: ${refused.lock.reason}`;
    case 'already_live':
      return `${refused.version} is live already`;
    case 'unclear':
      return `the target did not say what is live: ${refused.text}`;
    case 'unknown_version':
      return `the target no longer knows ${refused.version}`;
    case 'unknown_service':
    case 'unknown_environment':
      return `${refused.service} is no longer in config/services.yaml there`;
    default:
      return `it was refused (${refused.reason})`;
  }
}
