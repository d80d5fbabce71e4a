/** Stands before every start: the rules of the environment, and the approval that it asks for. */

import { ROBOT_ID } from './ending.ts';
import { messageKey } from './keys.ts';
import { admit, serviceOf, takenBy } from './place.ts';
import { plan } from './plan.ts';
import type {
  Change,
  Deployment,
  DeployPorts,
  Deploys,
  Preview,
  PreviewRequest,
  StartRequest,
  StartResult,
} from './ports.ts';
import { overrideCard } from './preview.ts';
import type { Refusal } from './refusal.ts';
import { askChecks, askCommits, type Settled, settle } from './revision.ts';
import { checkRules, type RuleCheck } from './rules.ts';
import { TargetUnclear } from './target.ts';
import { endsAtTurn } from './turn.ts';

type GatePorts = Pick<
  DeployPorts,
  'config' | 'store' | 'target' | 'source' | 'locks' | 'clock' | 'post' | 'redact' | 'may' | 'log'
>;

interface Ungated extends Omit<Deploys, 'preview' | 'approval'> {
  /** Ends one that has not begun, tells why, and lets the next one begin. */
  drop(deployment: Deployment, reason: string): Promise<void>;
}

/** Deploys that begin nothing against the rules, nor without the approval that the environment asks for. */
export function withGate(ports: GatePorts, { drop, ...deploys }: Ungated): Deploys {
  const { config, store, clock } = ports;

  function environmentOf(name: string) {
    return config.environments.find((one) => one.name === name);
  }

  async function preview(request: PreviewRequest): Promise<Preview | Refusal> {
    const admitted = await admit(ports, request);
    if (admitted.kind === 'refused') return admitted;
    const { service } = admitted;
    const { environment } = request;
    const place = { service: service.name, environment };
    const holder = await takenBy(store, place);
    const required = environmentOf(environment)?.rules?.checks;
    let planned: ReturnType<typeof plan>;
    let settled: Settled;
    try {
      const target = ports.target(service.name);
      const [versions, current] = await Promise.all([
        target.versions(service.name),
        target.current(service.name, environment),
      ]);
      const found = await settle(ports, { ...request, ...place }, versions, required);
      if (found.kind === 'refused') return found;
      settled = found;
      // What is live now need not be live any more when its turn comes.
      const then = holder === undefined ? current : 'unsupported';
      planned = plan({ ...place, version: settled.version, versions, current: then });
    } catch (error) {
      if (!(error instanceof TargetUnclear)) throw error;
      return { kind: 'refused', reason: 'unclear', service: service.name, text: ports.redact(error.message) };
    }
    if (planned.kind === 'refused') return planned;
    const { version, previous } = planned;
    const { asked, commit } = settled;
    const approval = environmentOf(environment)?.approval;
    return {
      kind: 'preview',
      ...place,
      version,
      ...(asked === undefined ? {} : { asked }),
      ...(commit === undefined ? {} : { commit }),
      ...(previous === undefined ? {} : { previous }),
      checks: await check(service.environments, { ...settled, ...place, version }, request.isRollback ?? false),
      ...(holder === undefined ? {} : { holder }),
      ...(approval === undefined ? {} : { approval }),
    };
  }

  async function check(
    runsIn: readonly string[],
    wanted: Pick<Deployment, 'service' | 'environment' | 'version' | 'commit'> & Pick<Settled, 'unsure'>,
    isRollback: boolean,
  ): Promise<readonly RuleCheck[]> {
    const declared = environmentOf(wanted.environment)?.rules;
    if (declared === undefined) return [];
    const { after, ...always } = declared;
    // A service that does not run there at all cannot come from there.
    const rules = after !== undefined && runsIn.includes(after) ? declared : always;
    const [success] =
      rules === always
        ? []
        : await store.history({ ...wanted, environment: after ?? '', state: 'succeeded', limit: 1 });
    const checks = rules.checks === undefined || isRollback ? undefined : await askChecks(ports, wanted);
    return checkRules(rules, {
      ...wanted,
      ...(checks === undefined ? {} : { checks }),
      now: clock.now(),
      succeeded: success && (success.finishedAt ?? success.requestedAt),
      isRollback,
    });
  }

  async function start(request: StartRequest): Promise<StartResult> {
    const declared = environmentOf(request.environment);
    const isFree = declared?.rules === undefined && declared?.approval === undefined;
    if (isFree && ports.source?.(request.service) === undefined) return await deploys.start(request);
    const seen = await preview(request);
    if (seen.kind === 'refused') return seen;
    const { service, environment, version, asked, commit } = seen;
    const broken = seen.checks.filter(({ ok }) => !ok);
    if (broken.length > 0 && request.override === undefined) {
      return { kind: 'refused', reason: 'rules', service, environment, version, broken };
    }
    const { approved, approvedBy = [] } = request;
    if (seen.approval !== undefined) {
      if (approved === undefined || approvedBy.length < seen.approval.count)
        return { kind: 'refused', reason: 'approval', service, environment };
      if (!isSame(approved, seen)) {
        return { kind: 'refused', reason: 'changed', service, environment, approved, now: seen };
      }
      // It would wait, and what was approved would no longer be what happens.
      if (seen.holder !== undefined) return { kind: 'refused', reason: 'busy', holder: seen.holder };
    }
    return await deploys.start({
      ...request,
      version,
      ...(asked === undefined ? {} : { asked }),
      ...(commit === undefined ? {} : { commit }),
    });
  }

  /** The rules were kept when it was asked for; it may have waited for long since. */
  async function run(id: number, signal: AbortSignal): Promise<void> {
    const queued = await store.get(id);
    // What the robot rolls back by itself is in the configuration: nobody must approve it, nor does it wait for a window.
    if (queued?.state !== 'queued' || queued.by.id === ROBOT_ID) return await deploys.run(id, signal);
    const { service, environment, override } = queued;
    const permissions = [
      `deploy:${environment}`,
      ...(override === undefined ? [] : [`deploy:override:${environment}`]),
    ];
    const held = await Promise.all(permissions.map((permission) => ports.may(queued.by, permission)));
    const runsIn = serviceOf(config, service)?.environments;
    const checks = runsIn === undefined ? [] : await check(runsIn, queued, queued.isRollback ?? false);
    const broken = checks.filter(({ ok }) => !ok);
    const reason = endsAtTurn(queued, {
      lacks: permissions.find((_, at) => held[at] !== true),
      approval: environmentOf(environment)?.approval,
      broken,
    });
    if (reason !== undefined) return await drop(queued, reason);
    if (broken.length > 0) await announce(queued, override, broken);
    await deploys.run(id, signal);
  }

  /** That the rules were set aside, and why: its own message, which stays. */
  async function announce(
    deployment: Deployment,
    reason: string | undefined,
    broken: readonly RuleCheck[],
  ): Promise<void> {
    const content = overrideCard(deployment, ports.redact(reason ?? ''), broken);
    ports.log.info({ deployment: deployment.id, rules: broken.map(({ rule }) => rule) }, 'deployment rules overridden');
    try {
      await ports.post(deployment.origin, content, messageKey(deployment.id, 'override'));
    } catch (error) {
      ports.log.error({ err: error, deployment: deployment.id }, 'override not announced');
    }
  }

  async function previewed(request: PreviewRequest): Promise<Preview | Refusal> {
    const seen = await preview(request);
    if (seen.kind === 'refused') return seen;
    const commits = await askCommits(ports, seen, seen);
    return commits === undefined ? seen : { ...seen, commits };
  }

  return {
    ...deploys,
    preview: previewed,
    start,
    run,
    approval: (environment) => environmentOf(environment)?.approval,
  };
}

function isSame(one: Change, other: Change): boolean {
  return one.version === other.version && one.commit === other.commit && one.previous === other.previous;
}
